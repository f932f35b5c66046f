"""No method can read what its setting hides: not by name, and not by what its weights become."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.training.helpers import history_rows, make_data, method, run_here

from weakreid.artifacts import schemas
from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator
from weakreid.training.bag_task import BagTask

# said here again: a column that `supervision.visible` came to show would change no weights there
VISIBLE = {
    "frames": ["role", "frames", "labels"],
    "tracklets": ["role", "frames", "labels", "frame_tracklets"],
}
SHORT = {"schedule__epochs": 1, "schedule__steps_per_epoch": 2}
METHODS: dict[str, dict[str, Any]] = {
    "mil+cpal": {"loss": {"name": "mil", "k": 2}},
    "wsddn": {"loss": {"name": "wsddn"}, "cpal__weight": 0.0},
    "wsddn+cpal": {"loss": {"name": "wsddn"}},
    "hslr": {"loss": {"name": "hslr", "k": 2, "alpha": 1.0, "m": 0.3}, "cpal__weight": 0.0},
    "sslr": {"loss": {"name": "sslr", "k": 2, "alpha": 1.0, "gamma": 1.0}, "cpal__weight": 0.0},
    "mil of tracklets": {"instances": "tracklets", "loss": {"name": "mil", "k": 1}},
}


def values_of(name: str) -> dict[str, Any]:
    return method(**SHORT, **METHODS[name])


def setting_of(name: str) -> str:
    return values_of(name)["instances"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A training of each method on the bags as they are, done once."""
    found: dict[str, Path] = {}

    def training(name: str) -> Path:
        if name not in found:
            found[name] = run_here(data, tmp_path_factory.mktemp("trained"), values_of(name))
        return found[name]

    return training


def shuffled(column: pd.Series, *, within: bool) -> list[np.ndarray]:
    """Return lists with their entries in another order, each list's own or of all of them."""
    generator = numpy_generator(1, "hidden", str(column.name))
    lists = [np.asarray(values) for values in column]
    if within:
        return [generator.permutation(values) for values in lists]
    mixed = generator.permutation(np.concatenate(lists))
    return np.split(mixed, np.cumsum([len(values) for values in lists])[:-1])


def changed_bags(data: Path, folder: Path, change: Callable[[pd.DataFrame], None]) -> Path:
    """Return the bags changed, in a file of their own."""
    rows = schemas.read_frame(data / "bags.parquet", "bags", truth=True)
    change(rows)
    path = folder / "bags.parquet"
    schemas.write(path, "bags", rows, {})
    assert not schemas.read(path, "bags", truth=True).equals(
        schemas.read(data / "bags.parquet", "bags", truth=True)
    )
    return path


def hidden_changed(setting: str) -> Callable[[pd.DataFrame], None]:
    """Return what changes everything that a setting hides."""

    def change(rows: pd.DataFrame) -> None:
        hidden = set(schemas.SCHEMAS["bags"].names) - set(VISIBLE[setting])
        changes: dict[str, Any] = {
            "bag_id": rows["bag_id"].to_numpy()[::-1] + 100,
            "camera_id": 1 + np.arange(len(rows)) % 3,
            "tracklet_ids": shuffled(rows["tracklet_ids"], within=False),
            # frames of a bag are dealt to other tracklets, even to those of other bags
            "frame_tracklets": shuffled(rows["frame_tracklets"], within=False),
            "truth_frame_persons": shuffled(rows["truth_frame_persons"], within=False),
        }
        assert hidden <= set(changes)
        for name in hidden:
            rows[name] = changes[name]
        # bags that are no training bags do not exist for a training
        other = rows.iloc[0].to_dict() | {"bag_id": 77, "role": "gallery", "labels": [99]}
        rows.loc[len(rows)] = other

    return change


@pytest.mark.parametrize("name", METHODS)
def test_what_a_setting_hides_does_not_change_one_bit(name, data, trained, tmp_path) -> None:
    path = changed_bags(data, tmp_path, hidden_changed(setting_of(name)))
    out = run_here(data, tmp_path / "out", values_of(name), bags=path)
    before = trained(name)
    model, history = "model.safetensors", "history.parquet"
    assert (out / model).read_bytes() == (before / model).read_bytes()
    assert history_rows(out / history) == history_rows(before / history)


def labels_changed(rows: pd.DataFrame) -> None:
    rows["labels"] = list(rows["labels"])[1:] + list(rows["labels"])[:1]


def frames_changed(rows: pd.DataFrame) -> None:
    rows["frames"] = shuffled(rows["frames"], within=False)


def tracklets_changed(rows: pd.DataFrame) -> None:
    # who was joined with whom, not the names: frames 0 and 2 with 4, 1 and 3 with 5
    rows["frame_tracklets"] = [
        np.asarray(ids)[[0, 5, 1, 4, 2, 3]] for ids in rows["frame_tracklets"]
    ]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        *((name, labels_changed) for name in METHODS),
        ("mil+cpal", frames_changed),
        ("mil of tracklets", tracklets_changed),
    ],
)
def test_what_a_setting_shows_does(name, change, data, trained, tmp_path) -> None:
    path = changed_bags(data, tmp_path, change)
    out = run_here(data, tmp_path / "out", values_of(name), bags=path)
    model = "model.safetensors"
    assert (out / model).read_bytes() != (trained(name) / model).read_bytes()


def test_another_numbering_of_tracklets_changes_nothing(data, trained, tmp_path) -> None:
    def renumbered(rows: pd.DataFrame) -> None:
        rows["frame_tracklets"] = [np.asarray(ids) * 7 + 3 for ids in rows["frame_tracklets"]]

    path = changed_bags(data, tmp_path, renumbered)
    out = run_here(data, tmp_path / "out", values_of("mil of tracklets"), bags=path)
    model = "model.safetensors"
    assert (out / model).read_bytes() == (trained("mil of tracklets") / model).read_bytes()


class Stopped(BaseException):
    """Ends a training where its data are read."""


@pytest.fixture
def columns_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, list[str]]]]:
    """Record (file name, columns) of every Parquet file that is read."""
    found: list[tuple[str, list[str]]] = []
    read = pq.read_table

    def recorded(path: Path, *, columns: list[str]) -> Any:
        found.append((path.name, columns))
        return read(path, columns=columns)

    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("a training reads Parquet by whole tables alone")

    def stop(*_: Any, **__: Any) -> None:
        raise Stopped

    monkeypatch.setattr(pq, "read_table", recorded)
    monkeypatch.setattr(pq, "ParquetFile", refused)
    monkeypatch.setattr(BagTask, "__init__", stop)
    yield found


@pytest.mark.parametrize("name", METHODS)
def test_a_training_opens_the_bags_and_reads_the_visible_columns(
    name, data, tmp_path, columns_read
) -> None:
    with pytest.raises(Stopped):
        run_here(data, tmp_path, values_of(name))
    assert columns_read == [("bags.parquet", VISIBLE[setting_of(name)])]


def test_an_unknown_setting_is_refused_before_anything_is_read(
    data, tmp_path, columns_read
) -> None:
    with pytest.raises(ReidError, match="instances: Input should be 'frames' or 'tracklets'"):
        run_here(data, tmp_path, method(instances="videos"))
    assert columns_read == []
