"""Temporal weights as a picture: which clips, in which order, and what it says."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.training.helpers import make_images

from weakreid.artifacts import schemas
from weakreid.config.params import TemporalWeights
from weakreid.errors import ReidError
from weakreid.report import temporal_weights
from weakreid.report.temporal_weights import choose, clips
from weakreid.stages import temporal_weights as stage

PERSONS = {0: 5, 1: 5, 2: 7, 3: 0, 4: 9}
TRACKLETS = pd.DataFrame(
    {
        "tracklet_id": list(PERSONS),
        "person_id": list(PERSONS.values()),
        "camera_id": 1,
        "role": "gallery",
        "first_frame": [4 * tracklet for tracklet in PERSONS],
        "frame_count": 4,
    }
)
SHOES = {
    0: [0.4, 0.2, 0.2, 0.2],
    1: [0.7, 0.1, 0.1, 0.1],
    2: [0.25, 0.25, 0.25, 0.25],
    3: [1.0, 0.0, 0.0, 0.0],
    4: [0.3, 0.3, 0.2, 0.2],
}


def weights(shoes: dict[int, list[float]], groups: tuple[str, ...] = ("shoes",)) -> pd.DataFrame:
    rows = [
        (tracklet, 0, position, 4 * tracklet + position, group, weight)
        for group in groups
        for tracklet, of_clip in shoes.items()
        for position, weight in enumerate(of_clip)
    ]
    columns = ["tracklet_id", "clip", "position", "image", "group", "weight"]
    # whatever the order of the rows
    return pd.DataFrame(rows, columns=columns).sample(frac=1, random_state=1)


def test_those_that_vary_most_of_different_persons() -> None:
    # a distractor varies more, and is nobody; person 5 is shown once
    assert choose(weights(SHOES), TRACKLETS, 5) == [(1, 0), (4, 0), (2, 0)]
    assert choose(weights(SHOES), TRACKLETS, 2) == [(1, 0), (4, 0)]


def test_of_equals_the_first() -> None:
    equal = weights({name: [0.25 + 1e-8, 0.25, 0.25, 0.25] for name in (4, 1, 0, 2)})
    assert choose(equal, TRACKLETS, 3) == [(0, 0), (2, 0), (4, 0)]


def test_groups_and_frames_in_order() -> None:
    rows = weights(SHOES, ("mine", "shoes", "head_shoulder"))
    (clip,) = clips(rows, TRACKLETS, [(1, 0)])
    assert set(clip.groups[:2]) == {"head_shoulder", "shoes"}
    assert clip.groups == ("head_shoulder", "shoes", "mine")
    assert clip.images == (4, 5, 6, 7)
    assert clip.title == "person 5, camera 1, tracklet 1"
    np.testing.assert_allclose(clip.weights, [SHOES[1]] * 3)
    titles = [temporal_weights.title_of(group) for group in (*clip.groups, "all")]
    assert titles == ["Head-Shoulder", "Shoes", "mine", "whole frame"]


def test_several_clips_of_a_tracklet() -> None:
    rows = weights({1: SHOES[1]})
    rows = pd.concat([rows, rows.assign(clip=1, weight=[0.97, 0.01, 0.01, 0.01])])
    assert choose(rows, TRACKLETS, 3) == [(1, 1)]
    assert clips(rows, TRACKLETS, [(1, 1)])[0].title == "person 5, camera 1, tracklet 1, clip 2"


def test_bad_input() -> None:
    with pytest.raises(ReidError, match="no weights"):
        choose(weights({}), TRACKLETS, 3)
    with pytest.raises(ReidError, match="tracklet 8, which the tracklets have not"):
        choose(weights({8: SHOES[0]}), TRACKLETS, 3)
    with pytest.raises(ReidError, match="no tracklet with weights shows a person"):
        choose(weights({3: SHOES[3]}), TRACKLETS, 3)
    other = weights({1: SHOES[1]}, ("shoes", "attach"))
    other.loc[other["group"] == "attach", "image"] += 1
    with pytest.raises(ReidError, match="clip 0: the weights of attach are of other frames"):
        clips(other, TRACKLETS, [(1, 0)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_images(tmp_path / "images.arrow", 20)
    schemas.write(tmp_path / "tracklets.parquet", "tracklets", TRACKLETS, {})
    frames = {
        "tracklet_id": np.repeat(list(PERSONS), 4),
        "position": list(range(4)) * 5,
        "file": [f"{image}.jpg" for image in range(20)],
        "image": range(20),
        "truth_person_id": [0] * 20,
    }
    schemas.write(tmp_path / "frames.parquet", "frames", frames, {})
    return tmp_path


def run(folder: Path, rows: pd.DataFrame, out: str) -> bytes:
    schemas.write(folder / "weights.parquet", "frame_weights", rows, {})
    paths: dict[str, Any] = {
        name: folder / f"{name}.parquet" for name in ("weights", "tracklets", "frames")
    }
    params = TemporalWeights(title="T", sequences=3)
    stage.main(**paths, images=folder / "images.arrow", params=params, out=folder / out)
    return (folder / out).read_bytes()


def test_the_stage(folder: Path) -> None:
    rows = weights(SHOES, ("shoes", "head_shoulder"))
    drawn = run(folder, rows, "one.png")
    assert drawn.startswith(b"\x89PNG")
    assert run(folder, rows.sample(frac=1, random_state=5), "two.png") == drawn


def test_equal_weights_are_said_to_be_equal(folder: Path) -> None:
    equal = weights(dict.fromkeys((0, 2), [0.25] * 4), ("all",))
    drawn = run(folder, equal, "equal.svg").decode()
    assert "T (all frames of a clip weigh the same)" in drawn
    assert "whole frame" in drawn
    varied = run(folder, weights(SHOES, ("all",)), "varied.svg").decode()
    assert "weigh the same" not in varied


def test_images_of_another_dataset(folder: Path) -> None:
    rows = weights({1: SHOES[1]})
    with pytest.raises(ReidError, match=r"weights\.parquet: image 104 is not in .*frames\.parquet"):
        run(folder, rows.assign(image=rows["image"] + 100), "x.png")
