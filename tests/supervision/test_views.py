"""Which columns of the bags a setting shows, and that a reader gets those alone."""

from pathlib import Path
from typing import Any, get_args

import pytest

from weakreid.artifacts import schemas
from weakreid.config.methods import BagMethod
from weakreid.errors import ReidError
from weakreid.supervision import views

BAGS: dict[str, list[Any]] = {
    "bag_id": [0, 1, 2, 3],
    "role": ["train", "gallery", "train", "probe"],
    "camera_id": [1, 1, 2, 2],
    "tracklet_ids": [[4, 5], [6], [7], [8]],
    "frames": [[10, 11, 12], [13], [14, 15], [16]],
    "frame_tracklets": [[4, 4, 5], [6], [7, 7], [8]],
    "labels": [[1, 2], [3], [2], [1]],
    "truth_frame_persons": [[1, 1, 2], [3], [2, 2], [1]],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    schemas.write(tmp_path / "bags.parquet", "bags", BAGS, {})
    return tmp_path / "bags.parquet"


def lists(column: Any) -> list[list[int]]:
    return [values.tolist() for values in column]


def test_images_and_who_is_in_the_video(path: Path) -> None:
    found = views.read_bags(path, "frames")
    assert list(found.columns) == ["frames", "labels"]
    assert lists(found["frames"]) == [[10, 11, 12], [14, 15]]
    assert lists(found["labels"]) == [[1, 2], [2]]
    assert found.index.tolist() == [0, 1]


def test_the_same_and_which_images_a_tracker_joined(path: Path) -> None:
    found = views.read_bags(path, "tracklets")
    assert list(found.columns) == ["frames", "labels", "frame_tracklets"]
    assert lists(found["frame_tracklets"]) == [[4, 4, 5], [7, 7]]


def test_every_setting_of_a_method_has_its_columns() -> None:
    assert set(views.COLUMNS) == set(get_args(BagMethod.model_fields["instances"].annotation))


@pytest.mark.parametrize("setting", views.COLUMNS)
def test_no_setting_shows_the_truth_the_camera_or_a_tracklet_s_list(setting: str) -> None:
    shown = set(views.COLUMNS[setting])
    assert shown <= set(schemas.SCHEMAS["bags"].names)
    assert not shown & {"bag_id", "camera_id", "tracklet_ids", "truth_frame_persons"}
    assert not [name for name in shown if name.startswith("truth_")]


def test_a_setting_that_nobody_knows(path: Path) -> None:
    with pytest.raises(ReidError) as caught:
        views.read_bags(path, "one_shot")
    assert str(caught.value) == "setting 'one_shot' is unknown; choose frames, tracklets"


def test_a_file_that_holds_no_bags(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ReidError, match="no such file; run the stage that makes it"):
        views.read_bags(tmp_path / "none.parquet", "frames")
    other = tmp_path / "history.parquet"
    schemas.write(other, "history", {"epoch": [], "step": [], "term": [], "value": []}, {})
    with pytest.raises(ReidError, match="holds history, expected bags"):
        views.read_bags(other, "frames")


# ------------------------------------------------------------------------- labels of tracklets


def labels_at(path: Path, tracklets: list[int], labels: list[int]) -> Path:
    schemas.write(path, "tracklet_labels", {"tracklet_id": tracklets, "label": labels}, {})
    return path


def test_labels_stand_in_the_order_of_their_tracklets(tmp_path: Path) -> None:
    path = labels_at(tmp_path / "labels.parquet", [2, 0, 3, 1], [1, -1, 0, 1])
    assert views.read_labels(path, 4).tolist() == [-1, 1, 1, 0]


@pytest.mark.parametrize("tracklets", [[0, 1], [0, 1, 1], [0, 1, 3], [0, 1, 2, 3]])
def test_labels_of_other_tracklets_are_refused(tmp_path: Path, tracklets: list[int]) -> None:
    path = labels_at(tmp_path / "labels.parquet", tracklets, [0] * len(tracklets))
    with pytest.raises(ReidError, match="labels are not of the 3 tracklets that are learnt from"):
        views.read_labels(path, 3)


@pytest.mark.parametrize("labels", [[0, 2, -1], [1, 2, 3], [0, -2, 1]])
def test_classes_with_a_gap_are_refused(tmp_path: Path, labels: list[int]) -> None:
    path = labels_at(tmp_path / "labels.parquet", [0, 1, 2], labels)
    with pytest.raises(ReidError, match="classes are not numbered from 0 without gaps"):
        views.read_labels(path, 3)
