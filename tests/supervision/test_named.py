"""Bags of videos in which people were named."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.artifacts import schemas
from weakreid.config.params import NameBags
from weakreid.datasets.names import WINDOW_COLUMNS
from weakreid.errors import ReidError
from weakreid.stages import named_bags as stage
from weakreid.supervision import named

# (video, track, split, frames of the video)
TRACKS = [
    ("hall", 1, "train", range(1, 11)),
    ("hall", 2, "train", range(6, 16)),
    ("yard", 1, "train", range(1, 5)),
    ("gate", 1, "query", range(1, 9)),
]


def dataset() -> tuple[pd.DataFrame, pd.DataFrame]:
    counts = [len(frames) for *_, frames in TRACKS]
    ids = [3, 5, 6, 9]
    tracklets = pd.DataFrame(
        {
            "tracklet_id": ids,
            "person_id": 0,
            "camera_id": [1, 1, 2, 3],
            "role": [split for _, _, split, _ in TRACKS],
            "first_frame": np.cumsum([0, *counts[:-1]]),
            "frame_count": counts,
        }
    )
    files = [f"{v}/{t:06d}/{frame:06d}.jpg" for v, t, _, frames in TRACKS for frame in frames]
    frames = pd.DataFrame(
        {
            "tracklet_id": np.repeat(ids, counts),
            "position": np.concatenate([np.arange(count) for count in counts]),
            "file": files,
            "image": np.arange(len(files)) + 100,
            "truth_person_id": np.arange(len(files)) % 3,
        }
    )
    return tracklets, frames


def videos(*rows: tuple[str, int, int, int, list[int]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=[*WINDOW_COLUMNS[:-1]])
    return table.assign(tracklets="")


WINDOWS = videos(
    ("hall", 1, 8, 1, [2, 1]),
    ("hall", 9, 20, 1, [4]),
    ("hall", 16, 30, 1, [4]),
    ("yard", 1, 4, 2, []),
    ("gate", 1, 8, 3, [1]),
)


def test_columns_are_those_that_crops_writes() -> None:
    assert named.COLUMNS == WINDOW_COLUMNS


def test_bags_of_windows() -> None:
    made = named.named_bags(WINDOWS, *dataset(), seed=1, max_frames=None)
    schemas.conform(made, "bags")
    assert made["bag_id"].tolist() == [0, 1]
    assert made["camera_id"].tolist() == [1, 1]
    assert [labels.tolist() for labels in made["labels"]] == [[1, 2], [4]]
    assert [ids.tolist() for ids in made["tracklet_ids"]] == [[3, 5], [3, 5]]
    # track 1 is in images 100 to 109, its frames 1 to 10; track 2 in 110 to 119, its frames 6 to 15
    assert made["frames"].iloc[0].tolist() == [*range(100, 108), 110, 111, 112]
    assert made["frame_tracklets"].iloc[0].tolist() == [3] * 8 + [5] * 3
    assert made["frames"].iloc[1].tolist() == [108, 109, *range(113, 120)]
    for bag in made.itertuples():
        persons = np.asarray(bag.truth_frame_persons)
        assert persons.tolist() == ((np.asarray(bag.frames) - 100) % 3).tolist()
    # the video without a name; the window without a tracklet and the video of role query
    assert named.left_out(WINDOWS, made) == {"unnamed": 1, "empty": 2}


@settings(max_examples=20, deadline=None)
@given(
    spans=st.lists(st.tuples(st.integers(1, 14), st.integers(0, 8)), min_size=1, max_size=4),
    cap=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_capped_bags(spans: list[tuple[int, int]], cap: int, seed: int) -> None:
    rows = videos(*(("hall", first, first + more, 1, [1]) for first, more in spans))
    options: dict[str, Any] = {"seed": seed, "max_frames": cap}
    tracklets, frames = dataset()
    made = named.named_bags(rows, tracklets, frames, **options)
    whole = named.named_bags(rows, tracklets, frames, seed=seed, max_frames=None)
    assert len(made) == len(whole)
    for bag, all_of_it in zip(made.itertuples(), whole.itertuples(), strict=True):
        for tracklet in all_of_it.tracklet_ids:
            complete = all_of_it.frames[all_of_it.frame_tracklets == tracklet]
            kept = bag.frames[bag.frame_tracklets == tracklet]
            assert len(kept) == min(cap, len(complete))
            assert set(kept) <= set(complete)
            assert (np.diff(kept) > 0).all()
    # neither the order of rows nor another window changes a bag
    again = named.named_bags(rows, tracklets[::-1], frames[::-1], **options)
    assert schemas.conform(again, "bags").equals(schemas.conform(made, "bags"))
    last = named.named_bags(rows[-1:], tracklets, frames, **options)
    assert last["frames"].iloc[0].tolist() == made["frames"].iloc[-1].tolist()


def test_nothing_to_make_bags_of() -> None:
    with pytest.raises(ReidError, match="none of the 3 windows has both a name"):
        named.named_bags(WINDOWS[2:], *dataset(), seed=1, max_frames=None)


def test_files_that_tell_no_frame() -> None:
    tracklets, frames = dataset()
    frames.loc[2, "file"] = "bbox_train/0001/0001C1T0001F001.jpg"
    with pytest.raises(ReidError, match=r"is not SEQUENCE/TRACK/FRAME\.jpg") as caught:
        named.named_bags(WINDOWS, tracklets, frames, seed=1, max_frames=None)
    assert "0001C1T0001F001" in str(caught.value)


HEADER = ",".join(WINDOW_COLUMNS)


def test_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "videos.csv"
    path.write_text(f"{HEADER}\nhall,1,8,1,1 2,0 1\nyard,1,4,2,,2\nhall,99,99,1,1,\n")
    tracklets, frames = dataset()
    schemas.write(tmp_path / "tracklets.parquet", "tracklets", tracklets, {})
    schemas.write(tmp_path / "frames.parquet", "frames", frames, {})
    stage.main(
        tracklets=tmp_path / "tracklets.parquet",
        frames=tmp_path / "frames.parquet",
        videos=path,
        params=NameBags(seed=1, max_frames=3),
        out=tmp_path / "bags.parquet",
    )
    made = schemas.read_frame(tmp_path / "bags.parquet", "bags", truth=True)
    assert made["labels"].iloc[0].tolist() == [1, 2]
    assert len(made["frames"].iloc[0]) == len(made["truth_frame_persons"].iloc[0]) == 6
    said = capsys.readouterr()
    assert "1 training bags of 2 people" in said.err
    # on the terminal too: names that were written down and count for nothing
    for text in said:
        assert "2 of 3 windows make no training bag: in 1 nobody is named, in 1 there is no" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file; give names"),
        ("video,name\nhall,Ann\n", "the columns are not video,first_frame"),
        (f"{HEADER}\nhall,1,8,1,Ann,0\n", "not a table of windows"),
        (f"{HEADER}\nhall,one,8,1,1,0\n", "not a table of windows"),
        (f"{HEADER}\nhall,1,8,1,1,0 1", "its last line is cut short"),
        ("", "not a table"),
    ],
)
def test_bad_tables_of_videos(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "videos.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ReidError, match=words) as caught:
        named.read_videos(path)
    assert "\n" not in str(caught.value)
