"""Stage: how noisy a tracker's tracklets are, against ground truth (TMC, Eqs. 7 and 8).

Also a command by itself; of a sequence `static` may be left out, and all keys but `sequences`:

    python -m weakreid.stages.noise_rates --rates rates.json --distribution distribution.parquet \
        --markdown rates.md --figure rates.svg --params '{
            "sequences": [{"name": "02", "truth": "gt/02.txt", "output": "tracker/02.txt",
                           "static": true}],
            "iou": 0.5, "min_run": 6, "missed": "count", "title": "my tracker",
            "reference": [{"name": "a paper", "rfm": 1.7, "rsw": 1.2}]}'
"""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.config.params import MeasuredSequence, MeasureNoise
from weakreid.console import progress, say
from weakreid.datasets import motchallenge, truth
from weakreid.datasets.notices import Notices, slack
from weakreid.report import figures, pages
from weakreid.report.noise_rates import noise_figure, noise_table
from weakreid.supervision.noise_rates import NoiseRates, id_counts, noise_rates, pooled


def main(
    params: MeasureNoise,
    rates: Annotated[Path, "all figures, JSON"],
    distribution: Annotated[Path, "people per tracklet and back, Parquet"],
    markdown: Path,
    figure: Annotated[Path, "SVG or PNG"],
) -> None:
    """Measure rFM and rSW of tracker output, per sequence and pooled."""
    notices = Notices()
    found = [
        _measure(sequence, params, notices)
        for sequence in progress(params.sequences, label="matching", unit="sequences")
    ]
    notices.close()
    together = pooled(found)
    pools = {"all together": together} if len(found) > 1 else {}
    static = [own for own, of in zip(found, params.sequences, strict=True) if of.static]
    if 0 < len(static) < len(found):
        pools["static cameras together"] = pooled(static)
    dumped = params.model_dump(mode="json")
    schemas.write(distribution, "id_counts", id_counts(found), dumped)
    pages.write(markdown, noise_table(params, found, pools))
    figures.save(noise_figure(params.title, found, together), figure)
    measured = {"sequences": [own.as_dict() for own in found], "pooled": together.as_dict()}
    if static:
        measured["static"] = pooled(static).as_dict()
    how = ("title", "iou", "min_run", "counting", "missed", "reference")
    settings = {key: dumped[key] for key in how}
    write_json(rates, {**settings, **measured})
    say(
        f"rFM {together.rfm:.3f}, rSW {together.rsw:.3f}: {together.tracklets} tracklets of "
        f"{together.persons} people in {len(found)} sequences"
    )


def _measure(sequence: MeasuredSequence, how: MeasureNoise, notices: Notices) -> NoiseRates:
    output, path = Path(sequence.output), Path(sequence.truth)
    first, of_truth = how.first_frame_number, how.truth_first_frame_number
    boxes = motchallenge.read_boxes(output, first_number=first, on_bad_box=how.on_bad_box)
    bad = int(boxes["bad"].sum())
    if bad:
        notices.add("boxes without size", f"{output}: {bad} of {len(boxes)} boxes have no size")
        boxes = boxes[~boxes["bad"]].reset_index(drop=True)
    people, words = truth.read_people(
        path,
        classes=how.truth_classes,
        first_number=first if of_truth is None else of_truth,
        on_bad_box=how.on_bad_box,
    )
    say(f"{path}: {words}")
    boxes["person_id"] = motchallenge.match_boxes(
        boxes, people, how.iou, one_to_one=how.counting == "together"
    )
    truth.compare(output, boxes, path, people, words, how.iou, notices)
    ends = int(boxes["frame"].max()), int(people["frame"].max())
    if abs(ends[0] - ends[1]) > slack(min(ends)):
        notices.add(
            "files of other lengths",
            f"{output} ends in frame {ends[0]:,}, {path} in frame {ends[1]:,}: are they of the same"
            " video?",
        )
    return noise_rates(
        boxes["track_id"].to_numpy(),
        boxes["frame"].to_numpy(),
        boxes["person_id"].to_numpy(),
        people["track_id"].to_numpy(),
        sequence=sequence.name,
        min_run=how.min_run,
        missed=how.missed,
        counting=how.counting,
    )
