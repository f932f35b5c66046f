"""What somebody is told of a tracker's output: losses, whether it is of this video, names."""

import errno
import io
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import simplejpeg

from weakreid.artifacts.image_store import decode_picture
from weakreid.config.params import Crops
from weakreid.datasets import crop_sheet, crops, names
from weakreid.datasets.footage import Footage
from weakreid.datasets.notices import Notices
from weakreid.errors import ReidError

WIDTH, HEIGHT, LENGTH = 120, 80, 40
SIZE = (20, 30)


def place(track: int, frame: int) -> tuple[int, int]:
    return 10 + 30 * track + frame // 2, 4 + 34 * (track % 2)


def row(frame: int, track: int, confidence: float = 0.9, **changes: Any) -> str:
    x, y = place(track, frame)
    box = {"left": x, "top": y, "width": SIZE[0], "height": SIZE[1], **changes}
    return f"{frame},{track},{','.join(str(value) for value in box.values())},{confidence},-1,-1,-1"


def rows(frames: Sequence[int] = range(1, LENGTH + 1), **changes: Any) -> list[str]:
    return [row(frame, track, **changes) for frame in frames for track in range(3)]


def write(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def film(path: Path, length: int = LENGTH, code: str = "MJPG", size: Any = (WIDTH, HEIGHT)) -> Path:
    """A video whose every frame has a brightness of its own, 3 steps from the one before."""
    fourcc = cv2.VideoWriter_fourcc(*code)  # type: ignore[attr-defined]
    video = cv2.VideoWriter(str(path), fourcc, 10, size)
    for frame in range(1, length + 1):
        picture = np.full((size[1], size[0], 3), 40 + 3 * (frame % 60), np.uint8)
        video.write(picture)
    video.release()
    return path


@pytest.fixture
def hall(tmp_path: Path) -> Path:
    """A folder with a video and a tracker's output."""
    folder = tmp_path / "data"
    folder.mkdir()
    film(folder / "hall.avi")
    write(folder / "hall.txt", rows())
    return folder


def sequence(name: str = "hall", **changes: Any) -> dict[str, Any]:
    return {"name": name, "boxes": "hall.txt", "video": "hall.avi", **changes}


@pytest.fixture
def told(
    hall: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """Return a function that cuts out and returns what the terminal got."""

    def make(*sequences: dict[str, Any], **options: Any) -> list[str]:
        capsys.readouterr()
        drawn = {name: options.pop(name) for name in ("sheet", "title") if name in options}
        given = Crops(root=str(hall), sequences=sequences or [sequence()], **options)
        make.counts = crops.make(tmp_path / "out", given, **drawn)
        return capsys.readouterr().out.splitlines()

    return make


def test_of_what_fits_the_terminal_gets_nothing(told) -> None:
    assert told() == []
    assert told.counts["crops"] == 3 * LENGTH


# ------------------------------------------------------------------ confidence and losses


def test_a_confidence_that_is_not_given_drops_nothing(hall: Path, told) -> None:
    write(hall / "hall.txt", rows(confidence=-1))
    assert told() == []
    assert told.counts["tracklets"] == 3
    (line,) = told(min_confidence=0.5)
    assert "120 of 120 boxes have no confidence" in line
    assert told.counts["crops"] == 3 * LENGTH
    # of two trackers' boxes some have none
    write(hall / "hall.txt", [*rows(range(1, 31)), *rows(range(31, 41), confidence=-1)])
    (line,) = told(min_confidence=0.5)
    assert "30 of 120 boxes have no confidence" in line


def test_a_column_less_is_a_confidence_that_is_not_given(hall: Path, told) -> None:
    write(hall / "hall.txt", [line.rsplit(",", 4)[0] for line in rows()])
    (line,) = told(min_confidence=0.5)
    assert "have no confidence" in line
    assert told.counts["crops"] == 3 * LENGTH


def test_a_least_confidence_on_another_scale(hall: Path, told) -> None:
    with pytest.raises(ReidError, match=r"lie in 0.9 to 0.9, so min_confidence 50 would drop all"):
        told(min_confidence=50)
    write(hall / "hall.txt", rows(confidence=97))
    (line,) = told(min_confidence=0.5)
    assert "lie in 97 to 97, and min_confidence is 0.5: 0 of 120 boxes are below" in line


def test_a_sequence_of_which_nothing_is_left_is_told(hall: Path, told) -> None:
    write(hall / "door.txt", rows(confidence=-0.5))
    (line,) = told(sequence(), sequence("door", boxes="door.txt"))
    assert "sequence door: no tracklet is left of the 120 boxes" in line
    assert "120 below min_confidence 0" in line
    # one id per frame, as a tracker that lost its state writes
    write(hall / "door.txt", [row(f, 1).replace(",1,", f",{f},", 1) for f in range(1, 41)])
    (line,) = told(sequence(), sequence("door", boxes="door.txt"))
    assert "40 in tracks of fewer than 6 frames" in line


@pytest.mark.parametrize(("bad", "told_of"), [(11, False), (14, True)])
def test_a_tenth_of_the_boxes_is_more_than_expected(
    hall: Path, told, bad: int, told_of: bool
) -> None:
    lines = [row(f, 7, left=WIDTH + 9) for f in range(1, bad + 1)]
    write(hall / "hall.txt", [*rows(), *lines])
    found = told(on_bad_box="clip")
    assert told.counts["dropped_boxes"] == bad
    assert any("are dropped: outside the image or without size" in f for f in found) == told_of


def test_of_many_sequences_the_terminal_gets_some(hall: Path, told) -> None:
    write(hall / "empty.txt", rows(confidence=-0.5))
    others = [sequence(f"n{i}", boxes="empty.txt") for i in range(9)]
    found = told(sequence(), *others)
    assert len(found) == 6
    assert "4 more warnings like these (nothing is left) are in the log" in found[-1]


def test_boxes_without_size(hall: Path, told) -> None:
    bad = [
        row(5, 9, width=0),
        row(6, 9, height=-2.5),
        row(7, 9, left="nan", top="nan"),
        row(8, 9, width="inf"),
    ]
    for line in bad:
        write(hall / "hall.txt", [*rows(), line])
        with pytest.raises(ReidError, match="on_bad_box: clip"):
            told()
    write(hall / "hall.txt", [*rows(), *bad])
    told(on_bad_box="clip")
    assert (told.counts["dropped_boxes"], told.counts["crops"]) == (4, 3 * LENGTH)
    for spoilt in ("nan", "x", ""):
        write(hall / "hall.txt", [*rows(), row(5, 9, confidence=spoilt)])  # type: ignore[arg-type]
        with pytest.raises(ReidError, match="confidence is"):
            told(on_bad_box="clip")


# ------------------------------------------------------------------ numbers of frames


def brightness(path: Path) -> float:
    return float(decode_picture(path.read_bytes()).mean())


def test_files_that_count_from_0(hall: Path, tmp_path: Path, told) -> None:
    told()
    right = [brightness(p) for p in sorted((tmp_path / "out/hall/000001").iterdir())]
    lines = [",".join([str(int(line.split(",")[0]) - 1), line.split(",", 1)[1]]) for line in rows()]
    write(hall / "hall.txt", lines)
    with pytest.raises(ReidError, match="do not delete the lines") as caught:
        told()
    assert "line 1: frame is 0, but the first frame is 1 (3 such lines)" in str(caught.value)
    assert "set first_frame_number: 0, or add 1 to the frame of every line" in str(caught.value)
    found = [line.replace(",0.9,", ",1,") for line in lines]
    write(hall / "gt.txt", [line.replace(",0,", ",9,", 1) for line in found])
    for options in ({"first_frame_number": 0}, {}):
        own = {} if options else {"first_frame_number": 0}
        assert told(sequence(**own, truth="gt.txt"), **options) == []
        files = sorted((tmp_path / "out/hall/000001").iterdir())
        assert files[0].name == "000001.jpg"
        assert [brightness(path) for path in files] == right
        assert told.counts["known_tracklets"] == 3
    # truth that counts from 1
    with pytest.raises(ReidError, match="set truth_first_frame_number: 0"):
        told(sequence(truth="gt.txt", first_frame_number=0), truth_first_frame_number=1)


def test_a_file_that_does_not_count_from_0(told) -> None:
    first, second = told(sequence(last_frame=30), first_frame_number=0)
    assert "the first box is in frame 1, and first_frame_number is 0" in first
    assert "hall.txt goes on to frame 41" in second


def test_pictures_whose_names_count_from_0(hall: Path, told) -> None:
    (hall / "img").mkdir()
    for frame in range(LENGTH):
        data = simplejpeg.encode_jpeg(np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
        (hall / "img" / f"{frame:04d}.jpg").write_bytes(data)
    folder = sequence(video=None, frames="img")
    (line,) = told(folder)
    assert "the first image is 0000.jpg, and first_frame_number is 1" in line
    assert "set first_frame_number: 0" in line


# ------------------------------------------------------------------ the right video


def test_a_longer_video(hall: Path, told) -> None:
    film(hall / "hall.avi", LENGTH + 26)
    (line,) = told()
    assert "hall.avi has 66 frames, 1.6 times as many, but the last box" in line
    assert "is in frame 40: is it the video that the tracker saw" in line
    # a second without anybody is usual
    film(hall / "hall.avi", LENGTH + 25)
    assert told() == []


def test_a_longer_video_whose_header_says_nothing_of_it(hall: Path, told) -> None:
    path = film(hall / "hall.avi", LENGTH + 40)
    data = bytearray(path.read_bytes())
    for name, offset in ((b"avih", 24), (b"strh", 40)):
        at = data.index(name) + offset
        assert struct.unpack_from("<I", data, at)[0] == LENGTH + 40
        struct.pack_into("<I", data, at, LENGTH)
    path.write_bytes(bytes(data))
    (line,) = told()
    assert "goes on to frame 66 or more, but the last box" in line


def test_a_shorter_video_under_a_window(hall: Path, told) -> None:
    write(hall / "hall.txt", rows(range(1, 61)))
    (line,) = told(sequence(last_frame=20))
    assert "hall.avi has 40 frames by its header, but" in line
    assert "goes on to frame 60: is it the video that the tracker saw?" in line
    write(hall / "hall.txt", rows())
    (line,) = told(sequence(last_frame=90))
    assert "sequence hall: last_frame is 90, but" in line


def test_a_video_that_is_cut_short(hall: Path, told) -> None:
    path = film(hall / "hall.avi", 90)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 45 // 90])
    write(hall / "hall.txt", rows(range(1, 31)))
    found = " ".join(told())
    assert "its header says 90 frames" in found
    write(hall / "hall.txt", rows(range(1, 61)))
    with pytest.raises(
        ReidError, match=r"its header says 90: it may be cut short.*is it the video"
    ):
        told()


def test_seqinfo_beside_the_video(hall: Path, told) -> None:
    head = "[Sequence]\nname=other\n"
    write(hall / "seqinfo.ini", [head, f"seqLength={LENGTH}\nframeRate=25\nimWidth={WIDTH}"])
    # as many frames are the same frames, whatever the rate
    assert told() == []
    write(hall / "seqinfo.ini", [head, "seqLength=50\nframeRate=25\nimWidth=60\nimHeight=40"])
    (line,) = told()
    assert "seqinfo.ini says 60 x 40 pixels, not 120 x 80; 50 frames, not 40; 25 frames" in line
    film(hall / "door.avi")
    # of which of two videos is not known
    assert told(sequence(), sequence("door", video="door.avi")) == []
    write(hall / "seqinfo.ini", ["nonsense"])
    (line,) = told()
    assert "not used" in line


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (lambda x, y: {"left": x * 2, "top": y * 2, "width": 40, "height": 60}, "lean out"),
        (
            lambda x, y: {"width": x + 90, "height": y + 50},
            "right, bottom in the places of width, height",
        ),
        (
            lambda x, y: {"left": x // 2, "top": y // 2, "width": 10, "height": 15},
            "in the upper left part, as far as",
        ),
        (
            lambda x, y: {"left": x / 120, "top": y / 80, "width": 0.2, "height": 0.4},
            "as shares of the image do",
        ),
    ],
)
def test_boxes_of_other_pictures(hall: Path, told, changes, words: str) -> None:
    lines = [
        row(frame, track, **changes(*place(track, frame)))
        for frame in range(1, LENGTH + 1)
        for track in range(3)
    ]
    write(hall / "hall.txt", lines)
    try:
        found = " ".join(told(on_bad_box="clip"))
    except ReidError as error:  # not one is left
        found = str(error)
        with pytest.raises(ReidError, match=r"is .*hall\.avi the video that the tracker saw") as e:
            told()
        found = str(e.value)
    assert words in found
    assert "hall.avi" in found


def turned(path: Path, matrix: tuple[int, ...]) -> None:
    """Write into an mp4 how its images are to be turned."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    struct.pack_into(">9i", data, at, *matrix)
    path.write_bytes(bytes(data))


def test_a_turned_video(hall: Path, told) -> None:
    one = 1 << 16
    path = film(hall / "hall.mp4", code="mp4v")
    turned(path, (-one, 0, 0, 0, -one, 0, WIDTH << 16, HEIGHT << 16, 1 << 30))
    (line,) = told(sequence(video="hall.mp4"))
    assert "says that its images are turned by 180 degrees" in line
    turned(path, (0, one, 0, -one, 0, 0, HEIGHT << 16, 0, 1 << 30))
    with pytest.raises(ReidError, match=r"image of 80 x 120.*video is stored turned"):
        told(sequence(video="hall.mp4"))


def test_a_video_of_uneven_rate(hall: Path, told) -> None:
    path = film(hall / "hall.mkv")
    data = bytearray(path.read_bytes())
    # the last 10 frames are shown a second later
    blocks = [
        at
        for at in range(100, len(data) - 8)
        if data[at] == 0xA3 and data[at + 1] & 0xC0 == 0x40 and data[at + 3] == 0x81
    ]
    assert len(blocks) == LENGTH
    for at in blocks[30:]:
        (time,) = struct.unpack_from(">h", data, at + 4)
        struct.pack_into(">h", data, at + 4, time + 1000)
    path.write_bytes(bytes(data))
    (line,) = told(sequence(video="hall.mkv"))
    assert "most frames are 100 ms apart, 1 others further, up to 1100 ms (after frame 30)" in line


def test_a_picture_that_says_that_it_is_turned(hall: Path, told) -> None:
    (hall / "img").mkdir()
    data = simplejpeg.encode_jpeg(
        np.linspace(0, 255, HEIGHT * WIDTH * 3).astype(np.uint8).reshape(HEIGHT, WIDTH, 3)
    )
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    marked = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    for frame in range(1, LENGTH + 1):
        (hall / "img" / f"{frame:04d}.jpg").write_bytes(marked if frame == 1 else data)
    (line,) = told(sequence(video=None, frames="img"))
    assert "0001.jpg says (EXIF) that it is turned" in line


@pytest.mark.parametrize("name", ["hall.avi", "hall.txt", "names.csv"])
def test_a_file_that_may_not_be_read(
    hall: Path, told, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(hall / "names.csv", ["video,name", "hall,Ann"])
    opens = io.open

    # root may read everything
    def closed(path: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(path, Path) and path.name == name:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opens(path, *arguments, **options)

    monkeypatch.setattr(io, "open", closed)
    with pytest.raises(ReidError, match="no right to read it"):
        told(names="names.csv")


# ------------------------------------------------------------------ truth


def test_truth_of_another_class(hall: Path, told) -> None:
    found = [line.replace(",0.9,-1,-1,-1", ",1,2,1.0").replace(",0,", ",9,", 1) for line in rows()]
    write(hall / "gt.txt", found)
    with pytest.raises(ReidError, match=r"120 of class 2. truth_classes is \[1\]: set .*: \[2\]"):
        told(sequence(truth="gt.txt"))
    assert told(sequence(truth="gt.txt"), truth_classes=[2]) == []
    assert told.counts["known_tracklets"] == 3
    write(hall / "gt.txt", [line.replace(",1,2,1.0", ",0,1,1.0") for line in found])
    with pytest.raises(ReidError, match=r"120 with flag 0.*write 1 where it is"):
        told(sequence(truth="gt.txt"))
    # cars are class 1 of this truth
    cars = [row(f, 50, 1, left=1).replace(",-1,-1,-1", ",1,1.0") for f in range(1, 41)]
    write(hall / "gt.txt", [*found, *cars])
    (line,) = told(sequence(truth="gt.txt"))
    assert "only 0 of 120 boxes match a true one" in line
    assert "40 of class 1, 120 of class 2" in line


def test_truth_without_size(hall: Path, told) -> None:
    found = [line.replace(",0.9,", ",1,").replace(",0,", ",9,", 1) for line in rows()]
    write(hall / "gt.txt", [*found, row(5, 77, 1, width=0)])
    with pytest.raises(ReidError, match=r"gt\.txt: line 121: width is 0.*on_bad_box: clip"):
        told(sequence(truth="gt.txt"))
    told(sequence(truth="gt.txt"), on_bad_box="clip")
    assert told.counts["known_tracklets"] == 3


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("Rene\u0301", "Ren\u00e9"),
        ("Ann\u00a0Lee", "Ann Lee"),
        (" Ann  \tLee ", "Ann Lee"),
        ("Ann\u200b Lee\ufeff", "Ann Lee"),
        ("\u1112\u1161\u11ab", "\ud55c"),
    ],
)
def test_one_name_however_it_was_typed(typed: str, same: str) -> None:
    assert names.normal(typed) == names.normal(same) == same


def test_names_that_look_like_one_are_told(hall: Path, tmp_path: Path, told) -> None:
    people = ["Ann Lee", "ann lee", "AnnLee", "Ben", "Rene\u0301", "Ren\u00e9"]
    write(hall / "names.csv", ["video,name", *(f"hall,{name}" for name in people)])
    (line,) = told(names="names.csv")
    assert "'Ann Lee' and 'AnnLee' and 'ann lee' are taken for 3 people" in line
    found = pd.read_csv(tmp_path / "out/names.csv")["name"].tolist()
    assert found == ["Ann Lee", "AnnLee", "Ben", "Ren\u00e9", "ann lee"]


def test_names_of_which_no_bag_is_made_are_told(hall: Path, told) -> None:
    write(hall / "names.csv", ["video,name,first_frame,last_frame", "hall,Ann,50,60"])
    found = told(sequence(), sequence("yard", first_frame=5), names="names.csv")
    assert "no tracklet in frames 50 to 60, so no bag is made of the 1 named there" in found[0]
    assert "yard: nobody is named in it" in found[1]


def test_a_video_s_name_with_an_odd_space(hall: Path) -> None:
    path = write(hall / "names.csv", ["\ufeffvideo,name", "\u00a0hall,Ann"])
    found = names.read_names(
        path, [Footage(name="hall", boxes="hall.txt", video="hall.avi")], Notices()
    )
    assert found == {("hall", 1, None): {"Ann"}}


# ------------------------------------------------------------------ the sheet


def test_the_sheet_shows_frames_of_several_videos(hall: Path, tmp_path: Path, told) -> None:
    for number in range(7):
        film(hall / f"v{number}.avi")
    many = [sequence(f"s{n}_{part}", video=f"v{n}.avi") for n in range(7) for part in "ab"]
    shown = crop_sheet.some_of([Footage(**item) for item in many], hall)
    assert len(shown) == crop_sheet.MOST_SEQUENCES
    assert len({name[:2] for name in shown}) == crop_sheet.MOST_SEQUENCES
    assert {"s0_a", "s6_a"} <= shown
    bytes_of = []
    for name in ("one.png", "two.png"):
        told(*many[:2], sheet=tmp_path / name, title="ha$ll$")
        bytes_of.append((tmp_path / name).read_bytes())
    assert bytes_of[0] == bytes_of[1]
    picture = cv2.imread(str(tmp_path / "one.png"))
    assert picture is not None
    assert picture.shape[1] == 1400
    assert picture.shape[0] < 1600


def test_the_frames_that_are_shown_are_far_apart() -> None:
    frames = np.repeat(np.arange(1, 101), 2)
    boxes = pd.DataFrame({"frame": [*frames, 4, 52], "track_id": 0})
    assert crop_sheet.frames_to_show(boxes) == [4, 52, 92]
    assert crop_sheet.frames_to_show(boxes[boxes["frame"] == 7]) == [7]
    assert crop_sheet.frames_to_show(boxes[:0]) == []
