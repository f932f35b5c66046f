"""Stage: how noisy a tracker's tracklets are, against ground truth (TMC, Eqs. 7 and 8).

Also a command by itself; static, title, reference and the settings (`MEASURED`, `READ`) may be
left out:

    python -m weakreid.stages.noise_rates --rates rates.json --distribution distribution.parquet \
        --markdown rates.md --figure rates.svg --params '{
            "sequences": [{"name": "02", "truth": "gt/02.txt", "output": "tracker/02.txt",
                           "static": true}],
            "iou": 0.5, "min_run": 6, "missed": "count", "title": "my tracker",
            "reference": [{"name": "a paper", "rfm": 1.7, "rsw": 1.2}]}'
"""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.console import progress, run_stage, say
from weakreid.datasets import motchallenge, truth
from weakreid.datasets.notices import Notices, slack
from weakreid.errors import ReidError
from weakreid.report import figures, pages
from weakreid.report.noise_rates import noise_figure, noise_table
from weakreid.supervision.noise_rates import (
    MIN_RUN,
    NoiseRates,
    id_counts,
    noise_rates,
    pooled,
)

KEYS = ("name", "truth", "output")
MEASURED: dict[str, Any] = {"iou": 0.5, "min_run": MIN_RUN, "missed": "count"}
READ: dict[str, Any] = {
    "first_frame_number": 1,
    "truth_first_frame_number": None,
    "truth_classes": [motchallenge.PEDESTRIAN],
    "on_bad_box": "stop",
}
"""How the files are read; as in the config."""


def main(
    params: Annotated[str, typer.Option(help="JSON; see the module")],
    rates: Annotated[Path, typer.Option(help="all figures, JSON")],
    distribution: Annotated[Path, typer.Option(help="people per tracklet and back, Parquet")],
    markdown: Annotated[Path, typer.Option()],
    figure: Annotated[Path, typer.Option(help="SVG or PNG")],
) -> None:
    """Measure rFM and rSW of tracker output, per sequence and pooled."""
    block = _block(params)
    settings = {key: block.get(key, default) for key, default in MEASURED.items()}
    reading = {key: block.get(key, default) for key, default in READ.items()}
    title = block.get("title", "Noise of a tracker's tracklets")
    sequences = block["sequences"]
    notices = Notices()
    found = [
        _measure(about, notices, reading, **settings)
        for about in progress(sequences, label="matching", unit="sequences")
    ]
    notices.close()
    together = pooled(found)
    pools = {"all together": together} if len(found) > 1 else {}
    static = [
        own for own, about in zip(found, sequences, strict=True) if about.get("static", False)
    ]
    if 0 < len(static) < len(found):
        pools["static cameras together"] = pooled(static)
    reference = block.get("reference", [])
    schemas.write(distribution, "id_counts", id_counts(found), block)
    text = noise_table(title, found, pools, **settings, reference=reference)
    pages.write(markdown, text)
    figures.save(noise_figure(title, found, together), figure)
    measured = {"sequences": [own.as_dict() for own in found], "pooled": together.as_dict()}
    if static:
        measured["static"] = pooled(static).as_dict()
    write_json(rates, {"title": title, **settings, **measured, "reference": reference})
    say(
        f"rFM {together.rfm:.3f}, rSW {together.rsw:.3f}: {together.tracklets} tracklets of "
        f"{together.persons} people in {len(found)} sequences"
    )


def _block(params: str) -> dict[str, Any]:
    """Read the params, which people write by hand here."""
    try:
        block = json.loads(params)
        sequences = list(block["sequences"])
        names = Counter(about["name"] for about in sequences if all(about[key] for key in KEYS))
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ReidError(
            f"--params: {error!r}; give JSON with sequences, a list of objects with "
            f"{', '.join(KEYS)}"
        ) from error
    if not sequences or len(names) < len(sequences):
        twice = [name for name, count in names.items() if count > 1]
        what = f"'{twice[0]}' stands there twice" if twice else "none, or one with an empty value"
        raise ReidError(f"--params: sequences: {what}; name each one once, with its two files")
    return block


def _measure(
    about: dict[str, Any],
    notices: Notices,
    reading: dict[str, Any],
    *,
    iou: float,
    min_run: int,
    missed: str,
) -> NoiseRates:
    output, path = Path(about["output"]), Path(about["truth"])
    first, of_truth = reading["first_frame_number"], reading["truth_first_frame_number"]
    on_bad_box = reading["on_bad_box"]
    boxes = motchallenge.read_boxes(output, first_number=first, on_bad_box=on_bad_box)
    bad = int(boxes["bad"].sum())
    if bad:
        notices.add("boxes without size", f"{output}: {bad} of {len(boxes)} boxes have no size")
        boxes = boxes[~boxes["bad"]].reset_index(drop=True)
    people, words = truth.read_people(
        path,
        classes=reading["truth_classes"],
        first_number=first if of_truth is None else of_truth,
        on_bad_box=on_bad_box,
    )
    say(f"{path}: {words}")
    boxes["person_id"] = motchallenge.match_boxes(boxes, people, iou)
    truth.compare(output, boxes, path, people, words, iou, notices)
    ends = int(boxes["frame"].max()), int(people["frame"].max())
    if abs(ends[0] - ends[1]) > slack(min(ends)):
        notices.add(
            "files of other lengths",
            f"{output} ends in frame {ends[0]:,}, {path} in frame {ends[1]:,}: are they of the same"
            " video?",
        )
    return noise_rates(
        boxes["track_id"].to_numpy(),
        boxes["person_id"].to_numpy(),
        people["track_id"].to_numpy(),
        sequence=about["name"],
        min_run=min_run,
        missed=missed,
    )


if __name__ == "__main__":
    run_stage(main)
