"""From a tracker's output and a generated video or folder of frames to crops and tables."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.helpers import how

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import decode_picture
from weakreid.config.params import Crops, ReadDataset
from weakreid.datasets import crops, tracks
from weakreid.datasets.names import WINDOW_COLUMNS
from weakreid.errors import ReidError
from weakreid.stages import crops as stage
from weakreid.stages import dataset as dataset_stage

WIDTH, HEIGHT, LENGTH = 160, 96, 20
# per person: colour (RGB), left and top in frame 1, pixels to the right and down per frame
PEOPLE = {
    1: ((220, 30, 30), (8, 8), (4, 0)),
    2: ((30, 200, 30), (120, 34), (-4, 0)),
    3: ((40, 40, 230), (60, 60), (2, 0)),
}
SIZE = (16, 24)


def place(person: int, frame: int) -> tuple[int, int]:
    _, (left, top), (right, down) = PEOPLE[person]
    return left + right * (frame - 1), top + down * (frame - 1)


def drawn(frame: int) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for person, (colour, _, _) in PEOPLE.items():
        x, y = place(person, frame)
        cv2.rectangle(picture, (x, y), (x + SIZE[0] - 1, y + SIZE[1] - 1), colour, -1)
    return picture


def line(frame: int, track: int, person: int, confidence: float = 1) -> str:
    x, y = place(person, frame)
    return f"{frame},{track},{x},{y},{SIZE[0]},{SIZE[1]},{confidence},-1,-1,-1"


def tracked(last: int = LENGTH) -> list[str]:
    """Tracks 10 and 11 are persons 1 and 2, who change places at frame 15; track 12 is person 3.

    Track 12 has a gap, track 13 is too short, and lines are in no order.
    """
    lines = [line(12, 13, 1, 0.3)]
    for frame in range(1, last + 1):
        swapped = frame >= 15
        lines += [line(frame, 10, 2 if swapped else 1), line(frame, 11, 1 if swapped else 2)]
        if not 6 <= frame <= 9:
            lines.append(line(frame, 12, 3))
    return lines[::-1]


def write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video, the same as a folder of frames, and ground truth."""
    folder = tmp_path_factory.mktemp("footage")
    code = cv2.VideoWriter_fourcc(*"MJPG")  # type: ignore[attr-defined]
    video = cv2.VideoWriter(str(folder / "hall.avi"), code, 10, (WIDTH, HEIGHT))
    (folder / "img1").mkdir()
    for frame in range(1, LENGTH + 1):
        picture = drawn(frame)
        video.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        data = simplejpeg.encode_jpeg(picture, quality=98, colorsubsampling="444")
        (folder / "img1" / f"{frame:06d}.jpg").write_bytes(data)
    video.release()
    truth = [line(f, p, p) for f in range(1, LENGTH + 1) for p in PEOPLE if (f, p) != (1, 3)]
    write_lines(folder / "gt.txt", truth)
    write_lines(folder / "tracker.txt", tracked())
    (folder / "broken.avi").write_bytes(b"\0" * 500)
    return folder


@pytest.fixture
def data(footage: Path, tmp_path: Path) -> Path:
    """A copy of the footage, to spoil."""
    return Path(shutil.copytree(footage, tmp_path / "data"))


def sequence(name: str = "hall", **changes: Any) -> dict[str, Any]:
    return {"name": name, "boxes": "tracker.txt", "video": "hall.avi", **changes}


def make(root: Path, data: Path, sequences: list[dict[str, Any]], **options: Any) -> dict[str, int]:
    """Make crops with the config's values, but for `options`."""
    return crops.make(root, Crops(root=str(data), sequences=sequences, **options))


FOLDER = {"video": None, "frames": "img1"}


def one_line(caught: pytest.ExceptionInfo[ReidError]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


# ------------------------------------------------------------------ what comes out


@pytest.mark.parametrize("source", [{}, FOLDER], ids=["video", "folder"])
def test_crops_show_what_the_boxes_frame(
    footage: Path, tmp_path: Path, source: dict[str, Any]
) -> None:
    counts = make(tmp_path / "out", footage, [sequence(**source, truth="gt.txt")])
    assert counts == {
        "tracklets": 3,
        "crops": 56,
        "known_tracklets": 3,
        "dropped_tracks": 1,
        "dropped_boxes": 0,
        "unsure_boxes": 0,
    }
    table = pd.read_csv(tmp_path / "out" / "tracklets.csv")
    assert tuple(table.columns) == crops.TRACKLET_COLUMNS
    assert table["track_id"].tolist() == [10, 11, 12]
    assert table["person_id"].tolist() == [1, 2, 3]
    assert table["frame_count"].tolist() == [20, 20, 16]
    frames = pd.read_csv(tmp_path / "out" / "frames.csv")
    assert tuple(frames.columns) == crops.FRAME_COLUMNS
    assert frames["file"].iloc[0] == "hall/000010/000001.jpg"
    switched = frames[(frames["tracklet_id"] == 0) & (frames["frame"] >= 15)]
    assert set(switched["person_id"]) == {2}
    # the person whom the truth does not know in frame 1
    assert frames.loc[frames["tracklet_id"] == 2, "person_id"].tolist() == [0] + [3] * 15
    for row in frames.itertuples():
        picture = decode_picture((tmp_path / "out" / str(row.file)).read_bytes()).astype(int)
        assert picture.shape == (SIZE[1], SIZE[0], 3)
        person = int(str(row.person_id)) or 3
        # a box of the frame before or after would show 2 pixels or more of the ground
        wrong = np.abs(picture - np.array(PEOPLE[person][0])).max(axis=2) > 60
        assert wrong.mean() < 0.05, row.file


def test_the_same_again_is_the_same_bytes(footage: Path, tmp_path: Path) -> None:
    made = []
    threads = cv2.getNumThreads()
    for number in (1, 2):
        cv2.setNumThreads(number)
        make(tmp_path / "out", footage, [sequence(truth="gt.txt"), sequence("b", **FOLDER)])
        files = sorted(p for p in (tmp_path / "out").rglob("*") if p.is_file())
        made.append({str(p.relative_to(tmp_path)): p.read_bytes() for p in files})
    cv2.setNumThreads(threads)
    assert made[0] == made[1]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_windows_of_one_video(footage: Path, tmp_path: Path) -> None:
    make(
        tmp_path / "out",
        footage,
        [
            sequence("morning", last_frame=10, truth="gt.txt"),
            sequence("noon", first_frame=11, camera=2, role="query", truth="gt.txt"),
        ],
    )
    table = pd.read_csv(tmp_path / "out" / "tracklets.csv")
    assert table["sequence"].tolist() == ["morning"] * 3 + ["noon"] * 3
    assert table["camera_id"].tolist() == [1] * 3 + [2] * 3
    assert table["role"].tolist() == ["train"] * 3 + ["query"] * 3
    # 4 frames of one and 6 of the other
    assert table["person_id"].tolist() == [1, 2, 3, 2, 1, 3]
    assert table["first_frame"].tolist() == [1, 1, 1, 11, 11, 11]
    assert table["last_frame"].tolist() == [10, 10, 10, 20, 20, 20]


@pytest.mark.parametrize(("ids", "second"), [("per_file", 100_000), ("global", 0)])
def test_persons_of_two_truth_files(data: Path, tmp_path: Path, ids: str, second: int) -> None:
    shutil.copy(data / "gt.txt", data / "other.txt")
    make(
        tmp_path / "out",
        data,
        [
            sequence(name, truth=truth)
            for name, truth in zip("abc", ("gt.txt", "other.txt", "gt.txt"), strict=True)
        ],
        truth_ids=ids,
    )
    persons = pd.read_csv(tmp_path / "out" / "tracklets.csv")["person_id"]
    assert persons.tolist() == [1, 2, 3, second + 1, second + 2, second + 3, 1, 2, 3]


def test_persons_that_would_meet(data: Path, tmp_path: Path) -> None:
    write_lines(data / "other.txt", [line(1, 100_000, 1)])
    both = [sequence("a", truth="gt.txt"), sequence("b", truth="other.txt")]
    with pytest.raises(ReidError, match=r"person 100000.*truth_ids: global") as caught:
        make(tmp_path / "out", data, both)
    one_line(caught)
    make(tmp_path / "out", data, both, truth_ids="global")


def test_boxes_that_lean_out_are_cut(data: Path, tmp_path: Path) -> None:
    leaning = [f"{frame},1,-6,80,16,24,1" for frame in range(1, 7)]
    write_lines(data / "tracker.txt", leaning)
    make(tmp_path / "out", data, [sequence()])
    picture = decode_picture((tmp_path / "out" / "hall" / "000001" / "000003.jpg").read_bytes())
    assert picture.shape == (16, 10, 3)


def test_boxes_below_a_confidence(footage: Path, tmp_path: Path) -> None:
    counts = make(tmp_path / "out", footage, [sequence()], min_confidence=0.5, min_frames=1)
    assert counts["unsure_boxes"] == 1
    assert counts["tracklets"] == 3
    assert counts["known_tracklets"] == 0


@settings(max_examples=80, deadline=None)
@given(
    box=st.tuples(*[st.floats(-300, 300)] * 2, *[st.floats(0.1, 400)] * 2),
    width=st.integers(1, 200),
    height=st.integers(1, 200),
)
def test_clipped_boxes_lie_inside(
    box: tuple[float, float, float, float], width: int, height: int
) -> None:
    [[x0, y0, x1, y1]] = tracks.clip_boxes(np.array([box]), width, height).tolist()
    assert 0 <= x0 <= x1 <= width
    assert 0 <= y0 <= y1 <= height
    left, top, wide, high = box
    inside = min(left, top) >= 0 and left + wide <= width and top + high <= height
    if inside:
        assert abs(x0 - left) <= 0.5
        assert abs(y1 - top - high) <= 0.5
    if left > width or left + wide < 0:
        assert x0 == x1


# ------------------------------------------------------------------ what is refused


def test_a_frame_beyond_the_frames(data: Path, tmp_path: Path) -> None:
    write_lines(data / "tracker.txt", [*tracked(), *(line(f, 12, 3) for f in range(21, 24))])
    for source in ({}, FOLDER):
        with pytest.raises(ReidError, match="line 58 is a box in frame 21") as caught:
            make(tmp_path / "out", data, [sequence(**source)])
        text = one_line(caught)
        assert "has 20 frames (3 such boxes)" in text
        assert "tracker.txt" in text
        assert "set last_frame" in text
        assert not (tmp_path / "out").exists()
    make(tmp_path / "out", data, [sequence(last_frame=20)])


@pytest.mark.parametrize("source", [{}, FOLDER], ids=["video", "folder"])
@pytest.mark.parametrize(
    ("lines", "number"),
    [
        # a track that is too short, beside others; boxes nobody is sure of; no track at all
        ([*tracked(), *(line(f, 14, 3) for f in range(21, 24))], 58),
        ([*tracked(), *(line(f, 12, 3, 0.1) for f in range(21, 24))], 58),
        ([line(f, 14, 3) for f in range(21, 24)], 1),
    ],
)
def test_a_frame_beyond_the_frames_in_a_track_that_is_dropped(
    data: Path, tmp_path: Path, source: dict[str, Any], lines: list[str], number: int
) -> None:
    write_lines(data / "tracker.txt", lines)
    with pytest.raises(ReidError, match=f"line {number} is a box in frame 21") as caught:
        make(tmp_path / "out", data, [sequence(**source)], min_confidence=0.2)
    assert "has 20 frames (3 such boxes)" in one_line(caught)
    assert not (tmp_path / "out").exists()


def test_a_box_outside_the_picture(data: Path, tmp_path: Path) -> None:
    # beside it, and with one column of pixels left
    outside = [f"7,12,{WIDTH + 5},10,16,24,1,-1,-1,-1", f"8,12,{WIDTH - 1},10,16,24,1,-1,-1,-1"]
    write_lines(data / "tracker.txt", [*tracked(), *outside])
    with pytest.raises(ReidError, match="line 58: the box 165, 10, 16, 24 of frame 7") as caught:
        make(tmp_path / "out", data, [sequence()])
    text = one_line(caught)
    assert f"image of {WIDTH} x {HEIGHT} (2 such boxes of 59): is " in text
    assert "hall.avi the video that the tracker saw?" in text
    assert "on_bad_box: clip" in text
    counts = make(tmp_path / "out", data, [sequence()], on_bad_box="clip")
    assert (counts["dropped_boxes"], counts["crops"]) == (2, 56)


def test_tracklets_of_one_frame(data: Path, tmp_path: Path) -> None:
    write_lines(data / "tracker.txt", [line(frame, frame, 1) for frame in (1, 2, 3)])
    with pytest.raises(ReidError, match="no track of 6 frames or more") as caught:
        make(tmp_path / "out", data, [sequence()])
    assert "min_frames" in one_line(caught)
    assert make(tmp_path / "out", data, [sequence()], min_frames=1)["tracklets"] == 3


def test_a_missing_column(data: Path, tmp_path: Path) -> None:
    write_lines(data / "tracker.txt", ["1,1,5,6,7"])
    with pytest.raises(ReidError, match="line 1 has 5 columns and lacks height"):
        make(tmp_path / "out", data, [sequence()])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Frames.csv"}, "the name is taken"),
        ({"first_frame": 30}, r"no box in frames 30 to 20"),
        ({"boxes": "none.txt"}, "none.txt: no such file"),
        ({"video": "none.avi"}, "none.avi: no such file; put the video there"),
        ({"video": "broken.avi"}, "broken.avi: cannot be opened as a video"),
        ({"video": None, "frames": "none"}, "no such folder, or no JPEG or PNG"),
        ({"truth": "none.txt"}, "none.txt: no such file"),
    ],
)
def test_bad_sequences(footage: Path, tmp_path: Path, changes: dict, words: str) -> None:
    with pytest.raises(ReidError, match=words) as caught:
        make(tmp_path / "out", footage, [sequence(**changes)])
    one_line(caught)
    assert not list(tmp_path.iterdir())


def test_nothing_else_is_replaced(footage: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(ReidError, match="holds something that was not made here"):
        make(tmp_path / "out", footage, [sequence()])


def renumber(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        path.rename(folder / f"f{int(path.stem)}.jpg")


def cut_short(folder: Path) -> None:
    path = folder / "000004.jpg"
    path.write_bytes(path.read_bytes()[:300])


def other_size(folder: Path) -> None:
    picture = simplejpeg.encode_jpeg(np.full((50, 60, 3), 9, np.uint8))
    (folder / "000004.jpg").write_bytes(picture)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (renumber, "by name f10.jpg comes before f2.jpg|by name f19.jpg comes before f2.jpg"),
        (cut_short, "000004.jpg: cannot be read"),
        (other_size, "frame 4 has 60 x 50 pixels, the first one 160 x 96"),
    ],
)
def test_bad_folders_of_frames(
    data: Path, tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(data / "img1")
    with pytest.raises(ReidError, match=words) as caught:
        make(tmp_path / "out", data, [sequence(**FOLDER)])
    one_line(caught)
    assert not (tmp_path / "out").exists()


def test_a_missing_frame_is_said(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "img1" / "000004.jpg").unlink()
    make(tmp_path / "out", data, [sequence(**FOLDER, last_frame=19)])
    assert "19 images numbered 1 to 20" in capsys.readouterr().err


# ------------------------------------------------------------------ names


def windows(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "videos.csv", dtype=str, keep_default_na=False)


def test_names_per_video(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["video,name,first_frame,last_frame", "hall,Zoë,,", '"hall","Ann, the elder",,']
    rows += ["hall,Ben,6,9", "yard,Ben,18,25", ""]
    write_lines(data / "names.csv", rows)
    make(
        tmp_path / "out",
        data,
        [sequence(), sequence("yard", camera=2, last_frame=15), sequence("gate", camera=3)],
        names="names.csv",
    )
    table = windows(tmp_path / "out")
    assert tuple(table.columns) == WINDOW_COLUMNS
    assert table.to_numpy().tolist() == [
        ["hall", "1", "20", "1", "1 3", "0 1 2"],
        ["hall", "6", "9", "1", "2", "0 1"],
        ["yard", "18", "25", "2", "2", ""],
        ["gate", "1", "20", "3", "", "6 7 8"],
    ]
    names = (tmp_path / "out" / "names.csv").read_text(encoding="utf-8")
    assert names == 'number,name\n1,"Ann, the elder"\n2,Ben\n3,Zoë\n'
    said = capsys.readouterr().err
    assert "gate: nobody is named" in said
    assert "yard: no tracklet in frames 18 to 25" in said


def test_names_alone(data: Path, tmp_path: Path) -> None:
    write_lines(data / "names.csv", ["name,video", "Ann,hall"])
    make(tmp_path / "out", data, [sequence()], names="names.csv")
    assert windows(tmp_path / "out")["labels"].tolist() == ["1"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["hall,Ann"], "the first line is 'hall,Ann'; write video,name"),
        (["video,person", "hall,Ann"], "the first line is 'video,person'"),
        (["video,name", "hal,Ann"], "row 2: no sequence is named 'hal'; there are hall"),
        (["video,name", "hall, "], "row 2: the name is empty"),
        (["video,name", "hall,Ann,3"], "row 2 has 3 cells, the header 2"),
        (["video,name,first_frame,last_frame", "hall,Ann,9,3"], "row 2: frames 9 to 3"),
        (["video,name,first_frame", "hall,Ann,x"], "row 2: first_frame is 'x'"),
        (["video,name,last_frame", "hall,Ann,0"], "row 2: last_frame is '0'"),
        (["video,name"], "holds no name"),
        ([""], "the first line is ''"),
    ],
)
def test_bad_names(data: Path, tmp_path: Path, rows: list[str], words: str) -> None:
    write_lines(data / "names.csv", rows)
    with pytest.raises(ReidError, match=words) as caught:
        make(tmp_path / "out", data, [sequence()], names="names.csv")
    assert "names.csv" in one_line(caught)


def test_names_that_are_not_there(footage: Path, tmp_path: Path) -> None:
    with pytest.raises(ReidError, match=r"names\.csv: no such file"):
        make(tmp_path / "out", footage, [sequence()], names="names.csv")


# ------------------------------------------------------------------ the stages


def test_stages_from_a_video_to_tables(data: Path, tmp_path: Path) -> None:
    block = {"root": str(data), "sequences": [sequence(truth="gt.txt")], "min_frames": 6}
    source = tmp_path / "results" / "cropped.json"
    stage.main(
        dataset="hall",
        params=Crops.parse(json.dumps(block)),
        root=tmp_path / "results" / "crops",
        picture=tmp_path / "results" / "crops.png",
        out=source,
    )
    assert json.loads(source.read_text()) == {"root": "crops"}
    params = ReadDataset.parse(json.dumps(how().model_dump() | {"kind": "mot"}))
    out = tmp_path / "results" / "tracklets.parquet"
    dataset_stage.main(dataset="hall", source=source, params=params, threads=1, out=out)
    assert schemas.read_frame(out, "tracklets")["person_id"].tolist() == [1, 2, 3]
    frames = schemas.read_frame(out.with_name("frames.parquet"), "frames", truth=True)
    assert len(frames) == 56
    # what the tracker mixed up is known for measuring
    own = frames.loc[frames["tracklet_id"] == 0, "truth_person_id"]
    assert own.tolist() == [1] * 14 + [2] * 6
