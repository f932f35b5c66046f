"""rFM and rSW of a tracker: what counts, what does not, and the stage on MOTChallenge files."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.artifacts import schemas
from weakreid.config.params import MeasureNoise
from weakreid.errors import ReidError
from weakreid.stages import noise_rates as stage
from weakreid.supervision.noise_rates import id_counts, noise_rates, pooled

Runs = list[tuple[int, int, int]]


def rates_of(runs: Runs, truth: list[int], **options: Any):
    """Measure runs of (tracklet, person, boxes), one after the other in time."""
    boxes = [(tracklet, person) for tracklet, person, count in runs for _ in range(count)]
    chosen = {"sequence": "", "min_run": 6, "missed": "count", "counting": "together", **options}
    tracklets, persons = [box[0] for box in boxes], [box[1] for box in boxes]
    return noise_rates(tracklets, range(len(boxes)), persons, truth, **chosen)


def test_a_switch_is_two_people_and_a_fragment_one_more_tracklet():
    found = rates_of([(1, 5, 10), (1, 6, 8), (2, 5, 7), (3, 7, 6)], [5, 6, 7])
    assert found.persons_per_tracklet == {1: 2, 2: 1}
    assert found.tracklets_per_person == {1: 2, 2: 1}
    assert found.rsw == found.rfm == 4 / 3
    assert (found.tracklets, found.persons, found.boxes, found.matched) == (3, 3, 31, 31)


def test_a_person_who_comes_back_to_the_same_tracklet_is_no_switch():
    assert rates_of([(1, 5, 4), (1, 6, 9), (1, 5, 4)], [5, 6]).persons_per_tracklet == {2: 1}


def test_counted_by_runs_each_run_that_is_long_enough_is_a_fragment():
    runs = [(1, 5, 8), (1, 6, 9), (1, 5, 7), (1, 5, 0), (2, 6, 5), (1, 6, 3), (2, 6, 5)]
    found = rates_of(runs, [5, 6, 7], counting="runs")
    # person 5 twice in tracklet 1; tracklet 2 has person 6 twice, each time too short
    assert found.persons_per_tracklet == {2: 1}
    assert found.tracklets_per_person == {0: 1, 1: 1, 2: 1}
    assert (found.rfm, found.rfm_seen, found.rsw) == (1, 1.5, 2)
    assert (found.short_runs, found.nobody) == (3, 1)
    assert rates_of(runs, [5, 6, 7]).tracklets_per_person == {0: 1, 1: 1, 2: 1}


def test_a_gap_ends_a_run():
    frames = [1, 2, 3, 5, 6, 7]
    options = {"sequence": "", "min_run": 3, "missed": "count"}
    for counting, rfm in (("together", 1), ("runs", 2)):
        found = noise_rates([1] * 6, frames, [4] * 6, [4], counting=counting, **options)
        assert (found.rfm, found.rsw) == (rfm, 1)


def test_boxes_of_nobody_show_nobody():
    found = rates_of([(1, 5, 10), (1, 0, 90), (2, 0, 40)], [5])
    assert (found.rfm, found.rsw) == (1, 1)
    assert (found.tracklets, found.nobody, found.boxes, found.matched) == (1, 1, 140, 10)


@pytest.mark.parametrize(("min_run", "rsw", "rfm"), [(1, 2, 1), (5, 2, 1), (6, 1, 0.5)])
def test_a_short_run_is_neither_a_switch_nor_a_fragment(min_run, rsw, rfm):
    # five boxes in two pieces, and six
    found = rates_of([(1, 5, 3), (1, 6, 6), (1, 5, 2)], [5, 6], min_run=min_run)
    assert (found.rsw, found.rfm) == (rsw, rfm)
    assert found.short_runs == (min_run == 6)
    assert found.missed == (min_run == 6)
    assert found.matched == 11


def test_a_person_without_a_tracklet_counts_nought_or_not_at_all():
    runs = [(1, 5, 10), (2, 5, 10)]
    assert rates_of(runs, [5, 6]).rfm == 1
    assert rates_of(runs, [5, 6]).tracklets_per_person == {0: 1, 2: 1}
    without = rates_of(runs, [5, 6], missed="leave_out")
    assert (without.rfm, without.persons, without.missed) == (2, 1, 1)
    assert rates_of(runs, [5, 6]).rfm_seen == without.rfm_seen == 2


run_lists = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(1, 9)), min_size=1, max_size=25
).filter(lambda runs: any(person and count > 1 for _, person, count in runs))


@settings(max_examples=50, deadline=None)
@given(
    sequences=st.lists(run_lists, min_size=1, max_size=3),
    min_run=st.integers(1, 2),
    missed=st.sampled_from(["count", "leave_out"]),
    data=st.data(),
)
def test_both_rates_count_the_same_pairs_and_pooling_adds_them(sequences, min_run, missed, data):
    options = {"min_run": min_run, "missed": missed}
    found = []
    for number, runs in enumerate(sequences):
        own = rates_of(runs, [1, 2, 3, 4], sequence=str(number), **options)
        boxes: dict[tuple[int, int], int] = {}
        for tracklet, person, count in runs:
            boxes[tracklet, person] = boxes.get((tracklet, person), 0) + count
        held = [pair for pair, count in boxes.items() if pair[1] and count >= min_run]
        assert own.tracklets == len({tracklet for tracklet, _ in held})
        assert own.tracklets + own.nobody == len({tracklet for tracklet, _, _ in runs})
        assert own.persons + (own.missed if missed == "leave_out" else 0) == 4
        assert own.rfm * own.persons == pytest.approx(len(held))
        assert own.rsw * own.tracklets == pytest.approx(len(held))
        shuffled = data.draw(st.permutations(runs))
        again = rates_of(shuffled, [4, 3, 3, 2, 1], sequence=str(number), **options)
        assert own == again
        found.append(own)
    together = pooled(found)
    pairs = sum(own.rsw * own.tracklets for own in found)
    assert together.rsw == pytest.approx(pairs / sum(own.tracklets for own in found))
    assert together.rfm == pytest.approx(pairs / sum(own.persons for own in found))
    assert together.boxes == sum(own.boxes for own in found)
    counts = schemas.conform(id_counts(found), "id_counts").to_pandas()
    for name in ("", *(own.sequence for own in found)):
        rows = counts[(counts["sequence"] == name) & (counts["measure"] == "persons_per_tracklet")]
        own = together if name == "" else found[int(name)]
        assert dict(zip(rows["number"], rows["count"], strict=True)) == own.persons_per_tracklet


@pytest.mark.parametrize(
    ("runs", "options", "message"),
    [
        ([(1, 9, 9)], {}, "box of person 9, who is not in the ground truth"),
        ([(1, 0, 9)], {}, r"no person has 6 boxes in a tracklet \(0 of 9 boxes match"),
        (
            [(1, 5, 3)],
            {"sequence": "02"},
            r"sequence '02': no person has 6 boxes in a tracklet \(3 of 3",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(runs, options, message):
    with pytest.raises(ReidError, match=message) as caught:
        rates_of(runs, [5], **options)
    assert "\n" not in str(caught.value)


def test_nothing_cannot_be_pooled():
    with pytest.raises(ReidError, match="no sequence"):
        pooled([])


def mot(path: Path, boxes: list[tuple[int, int, float]], more: str = "1,1,1") -> str:
    """Write boxes (frame, id, left) of 20 x 40 pixels."""
    lines = [f"{frame},{ident},{left},10,20,40,{more}\n" for frame, ident, left in boxes]
    path.write_text("".join(lines))
    return str(path)


@pytest.fixture
def sequences(tmp_path: Path) -> list[dict[str, Any]]:
    """Two sequences of 20 frames: persons 1 and 2 meet; the tracker changes its mind on the way."""
    made = []
    for name in ("one", "two"):
        truth = [(f, p, 100.0 * p) for f in range(1, 21) for p in (1, 2)]
        # tracklet 3 goes from person 1 to 2; tracklet 4 takes up person 1, tracklet 5 shows nobody
        output = [(f, 3, 102.0 if f <= 10 else 203.0) for f in range(1, 21)]
        output += [(f, 4, 99.0) for f in range(11, 21)]
        output += [(f, 5, 700.0) for f in range(1, 21)]
        if name == "two":
            # as well from the beginning
            output += [(f, 6, 198.0) for f in range(1, 11)]
        made.append(
            {
                "name": name,
                "truth": mot(tmp_path / f"{name}-gt.txt", truth),
                "output": mot(tmp_path / f"{name}.txt", output, "1,-1,-1,-1"),
                "static": name == "one",
            }
        )
    return made


def run_stage(folder: Path, block: dict[str, Any]) -> dict[str, Path]:
    paths = {
        "rates": folder / "rates.json",
        "distribution": folder / "distribution.parquet",
        "markdown": folder / "rates.md",
        "figure": folder / "rates.svg",
    }
    stage.main(params=MeasureNoise.parse(json.dumps(block)), **paths)
    return paths


def test_the_stage_measures_files(sequences, tmp_path: Path):
    out = run_stage(tmp_path / "out", {"sequences": sequences, "title": "toy"})
    found = json.loads(out["rates"].read_text())
    assert (found["iou"], found["min_run"], found["missed"]) == (0.5, 6, "count")
    one, two = found["sequences"]
    assert (one["rfm"], one["rsw"], one["nobody"]) == (1.5, 1.5, 1)
    assert (two["rfm"], two["rsw"]) == (2.0, pytest.approx(4 / 3))
    assert found["pooled"]["rfm"] == 1.75
    assert found["pooled"]["persons_per_tracklet"] == {"1": 3, "2": 2}
    assert found["static"] == {**one, "sequence": ""}
    counts = schemas.read_frame(out["distribution"], "id_counts")
    assert counts["sequence"].unique().tolist() == ["one", "two", ""]
    text = out["markdown"].read_text()
    assert text.startswith("# toy\n")
    assert "all together" in text
    assert "static cameras together" in text
    assert out["figure"].read_text().startswith("<?xml")
    # the same bytes again
    again = run_stage(tmp_path / "again", {"sequences": sequences, "title": "toy"})
    assert [p.read_bytes() for p in out.values()] == [p.read_bytes() for p in again.values()]


def test_a_larger_overlap_or_a_shorter_run_changes_the_rates(sequences, tmp_path: Path):
    # tracklet 3 lies 2 and 3 pixels of 20 beside its people: IoU 0.82 and 0.74
    out = run_stage(tmp_path, {"sequences": sequences[:1], "iou": 0.8})
    assert json.loads(out["rates"].read_text())["pooled"]["rsw"] == 1
    assert "all together" not in out["markdown"].read_text()
    # each run is of ten boxes
    with pytest.raises(ReidError, match="'one': no person has 11 boxes"):
        run_stage(tmp_path, {"sequences": sequences[:1], "min_run": 11})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda block: {}, "sequences: Field required; docs/noise.md"),
        (lambda block: {"sequences": []}, "sequences: List should have at least 1 item"),
        (lambda block: {"sequences": block * 2}, "sequences: .*'one' is there twice"),
        (lambda block: {"sequences": [{"name": "x"}]}, r"sequences\.0\.truth: Field required"),
        (lambda block: {"sequences": ["02"]}, r"sequences\.0: Input should be an object"),
        (lambda block: {"sequences": block, "iou": 0}, "iou: Input should be greater than 0"),
    ],
)
def test_params_that_make_no_sense_are_refused(sequences, change, message, tmp_path: Path):
    with pytest.raises(ReidError, match=message):
        run_stage(tmp_path, change(sequences[:1]))


def test_a_file_without_a_column_is_refused(sequences, tmp_path: Path):
    Path(sequences[0]["output"]).write_text("1,3,102,10,20\n")
    with pytest.raises(ReidError, match=r"one\.txt: line 1 has 5 columns and lacks height"):
        run_stage(tmp_path, {"sequences": sequences[:1]})


@pytest.mark.shared
def test_deepsort_on_mot17(shared_data: Path, tmp_path: Path):
    """The people whom it finds in the most crowded static video: the paper's rFM 1.7."""
    with zipfile.ZipFile(shared_data / "mot17" / "mot17_train_frcnn.zip") as archive:
        archive.extractall(tmp_path)
    name = "MOT17-04-FRCNN"
    about = {
        "name": "04",
        "truth": str(tmp_path / "gt" / name / "gt" / "gt.txt"),
        "output": str(tmp_path / "trackers" / "deepsort" / f"{name}.txt"),
    }
    out = run_stage(tmp_path, {"sequences": [about]})
    found = json.loads(out["rates"].read_text())["pooled"]
    assert (found["persons"], found["missed"], found["tracklets"]) == (83, 18, 104)
    assert round(found["rfm_seen"], 1) == 1.7
    assert round(found["rsw"], 1) == 1.1


def rows_of(path: str) -> list[list[str]]:
    return [line.split(",") for line in Path(path).read_text().split()]


def write_rows(path: str, rows: list[list[str]]) -> None:
    Path(path).write_text("".join(",".join(row) + "\n" for row in rows))


def test_files_that_count_from_0_give_the_same_rates(sequences, tmp_path: Path):
    right = run_stage(tmp_path / "right", {"sequences": sequences[:1]})["rates"].read_bytes()
    for kind in ("output", "truth"):
        path = sequences[0][kind]
        write_rows(path, [[str(int(row[0]) - 1), *row[1:]] for row in rows_of(path)])
    with pytest.raises(ReidError, match=r"one\.txt: line 1: frame is 0.*set first_frame_number: 0"):
        run_stage(tmp_path, {"sequences": sequences[:1]})
    out = run_stage(tmp_path, {"sequences": sequences[:1], "first_frame_number": 0})
    assert out["rates"].read_bytes() == right
    with pytest.raises(ReidError, match=r"one-gt\.txt: .*set truth_first_frame_number: 0"):
        block = {"first_frame_number": 0, "truth_first_frame_number": 1}
        run_stage(tmp_path, {"sequences": sequences[:1], **block})


def test_truth_of_another_class_is_refused_and_chosen(sequences, tmp_path: Path):
    right = run_stage(tmp_path / "right", {"sequences": sequences[:1]})["rates"].read_bytes()
    path = sequences[0]["truth"]
    write_rows(path, [[*row[:7], "3", row[8]] for row in rows_of(path)])
    with pytest.raises(ReidError, match=r"40 of class 3.*set truth_classes: \[3\]"):
        run_stage(tmp_path, {"sequences": sequences[:1]})
    out = run_stage(tmp_path, {"sequences": sequences[:1], "truth_classes": [3]})
    assert out["rates"].read_bytes() == right
    write_rows(path, [[*row[:6], "0", *row[7:]] for row in rows_of(path)])
    with pytest.raises(ReidError, match="40 with flag 0"):
        run_stage(tmp_path, {"sequences": sequences[:1]})


def test_boxes_without_size_are_dropped_where_asked(sequences, tmp_path: Path, capsys):
    right = run_stage(tmp_path / "right", {"sequences": sequences[:1]})["rates"].read_bytes()
    rows = rows_of(sequences[0]["output"])
    write_rows(sequences[0]["output"], [*rows, ["9", "9", "nan", "nan", "0", "-4", *rows[0][6:]]])
    with pytest.raises(ReidError, match="on_bad_box: clip"):
        run_stage(tmp_path, {"sequences": sequences[:1]})
    out = run_stage(tmp_path, {"sequences": sequences[:1], "on_bad_box": "clip"})
    assert out["rates"].read_bytes() == right
    assert "1 of 51 boxes have no size" in capsys.readouterr().out


def test_files_that_do_not_belong_together_are_told(sequences, tmp_path: Path, capsys):
    rows = rows_of(sequences[0]["output"])
    late = [[str(int(row[0]) + 26), "5", "700", *row[3:]] for row in rows if row[1] == "5"]
    write_rows(sequences[0]["output"], [*rows, *late])
    run_stage(tmp_path, {"sequences": sequences[:1]})
    few, longer = capsys.readouterr().out.splitlines()
    assert "only 30 of 70 boxes match a true one" in few
    assert "one.txt ends in frame 46" in longer


@pytest.mark.parametrize(("moved", "words"), [(1, "1 frame earlier"), (-1, "1 frame later")])
def test_files_that_are_a_frame_apart_are_told(tmp_path: Path, capsys, moved: int, words: str):
    # 3 of 20 pixels a frame
    truth = [(f, 1, 3.0 * f) for f in range(2, 42)]
    paths = {
        "truth": mot(tmp_path / "gt.txt", truth),
        "output": mot(tmp_path / "out.txt", [(f + moved, 7, left) for f, _, left in truth]),
    }
    run_stage(tmp_path, {"sequences": [{"name": "walk", **paths}]})
    (line,) = capsys.readouterr().out.splitlines()
    assert f"fit those of {paths['truth']} better {words}" in line
    paths["output"] = paths["truth"]
    run_stage(tmp_path, {"sequences": [{"name": "walk", **paths}]})
    assert not capsys.readouterr().out
