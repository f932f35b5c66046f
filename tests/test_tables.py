"""The artifacts' schemas: what goes in comes out, and nothing else is taken for it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.artifacts import schemas
from weakreid.errors import ReidError

HISTORY = {"epoch": [0, 1], "step": [3, 7], "term": ["lr", "base"], "value": [0.5, 0.25]}
BAGS = {
    "bag_id": [0, 1],
    "role": ["train", "train"],
    "camera_id": [1, 2],
    "tracklet_ids": [[0], [1, 2]],
    "frames": [[0, 1], [2, 3, 4]],
    "frame_tracklets": [[0, 0], [1, 1, 2]],
    "labels": [[7], [8, 9]],
    "truth_frame_persons": [[7, 7], [8, 8, 9]],
}


@pytest.mark.parametrize("form", ["mapping", "frame", "table"])
def test_every_form_of_data_gives_the_same_file(form: str, tmp_path: Path) -> None:
    forms = {"mapping": HISTORY, "frame": pd.DataFrame(HISTORY), "table": pa.table(HISTORY)}
    for name, data in (("one", forms["mapping"]), ("other", forms[form])):
        schemas.write(tmp_path / name, "history", data, {"lr": 0.5})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    found = schemas.read(tmp_path / "other", "history")
    assert found.to_pydict() == HISTORY
    assert found.schema.types == schemas.SCHEMAS["history"].types


def test_columns_come_in_the_schemas_order_whatever_the_datas(tmp_path: Path) -> None:
    backwards = dict(reversed(HISTORY.items()))
    schemas.write(tmp_path / "history", "history", backwards, {})
    assert schemas.read(tmp_path / "history", "history").column_names == list(HISTORY)


def test_a_frames_index_is_left_behind(tmp_path: Path) -> None:
    frame = pd.DataFrame(HISTORY, index=[5, 3])
    schemas.write(tmp_path / "history", "history", frame, {})
    assert schemas.read_frame(tmp_path / "history", "history").index.tolist() == [0, 1]


def test_the_parameters_stand_in_the_file(tmp_path: Path) -> None:
    params = {"seed": 1, "range": [3, 5], "missing": None}
    schemas.write(tmp_path / "history", "history", HISTORY, params)
    assert schemas.read_params(tmp_path / "history") == params


def test_the_same_data_gives_the_same_bytes(tmp_path: Path) -> None:
    schemas.write(tmp_path / "one", "bags", BAGS, {"a": 1, "b": 2})
    schemas.write(tmp_path / "two", "bags", BAGS, {"b": 2, "a": 1})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@given(
    st.lists(
        st.tuples(
            st.integers(-(2**31), 2**31 - 1),
            st.integers(0, 2**31 - 1),
            st.text(),
            st.floats(allow_nan=False),
        )
    )
)
def test_any_rows_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    path = tmp_path_factory.mktemp("any") / "history"
    data = {name: [row[i] for row in rows] for i, name in enumerate(HISTORY)}
    schemas.write(path, "history", data, {})
    assert schemas.read(path, "history").to_pydict() == data


# --- what a method may not see --------------------------------------------------------------------


def test_the_truth_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    schemas.write(tmp_path / "bags", "bags", BAGS, {})
    hidden = "truth_frame_persons"
    assert hidden not in schemas.read(tmp_path / "bags", "bags").column_names
    assert hidden not in schemas.read_frame(tmp_path / "bags", "bags").columns
    assert hidden in schemas.read(tmp_path / "bags", "bags", truth=True).column_names
    with pytest.raises(ReidError, match="without truth=True"):
        schemas.read(tmp_path / "bags", "bags", [hidden])
    found = schemas.read(tmp_path / "bags", "bags", [hidden], truth=True)
    assert found.column_names == [hidden]


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    schemas.write(tmp_path / "bags", "bags", BAGS, {})
    found = schemas.read(tmp_path / "bags", "bags", ["labels", "bag_id"])
    assert found.column_names == ["labels", "bag_id"]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": None}, r"missing columns \['value'\], unknown columns \[\]"),
        ({"more": [1, 2]}, r"missing columns \[\], unknown columns \['more'\]"),
        ({"step": ["a", "b"]}, "table 'history'"),
        ({"step": [1]}, "table 'history'"),
        ({"step": [1, 2**40]}, "table 'history'"),
    ],
)
def test_data_that_does_not_fit(change: dict, words: str, tmp_path: Path) -> None:
    data = {name: column for name, column in {**HISTORY, **change}.items() if column is not None}
    with pytest.raises(ReidError, match=words):
        schemas.write(tmp_path / "history", "history", data, {})
    assert list(tmp_path.iterdir()) == []


def test_another_kind_and_another_version(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "history"
    schemas.write(path, "history", HISTORY, {})
    with pytest.raises(ReidError, match=f"{path}: holds history, expected bags"):
        schemas.read(path, "bags")
    monkeypatch.setattr(schemas, "VERSION", schemas.VERSION + 1)
    with pytest.raises(ReidError, match=f"{path}: written by another version"):
        schemas.read(path, "history")


def test_a_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "history"
    pq.write_table(pa.table(HISTORY), path)
    with pytest.raises(ReidError, match="holds no table of this program, expected history"):
        schemas.read(path, "history")


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "history"
    with pytest.raises(ReidError, match=f"{path}: no such file"):
        schemas.read(path, "history")
    with pytest.raises(ReidError, match=f"{tmp_path}: is a folder"):
        schemas.read(tmp_path, "history")
    path.write_bytes(b"PAR1")
    with pytest.raises(ReidError, match=f"{path}: not a whole Parquet file"):
        schemas.read(path, "history")


def test_blocks_of_features(tmp_path: Path) -> None:
    path = tmp_path / "features"
    values = np.arange(14, dtype=np.float32).reshape(7, 2)
    schema = schemas.schema("features", feature=pa.list_(pa.float32(), 2))
    columns = [
        pa.array(range(7), pa.int64()),
        pa.array([0] * 7, pa.int32()),
        pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), 2),
    ]
    table = pa.table(columns, schema=schema)
    pq.write_table(table.replace_schema_metadata(schemas.metadata("features", {})), path)
    blocks = list(schemas.read_batches(path, "features", ["feature"], rows=3))
    assert [len(block) for block in blocks] == [3, 3, 1]
    whole = np.concatenate([block.column(0).flatten().to_numpy() for block in blocks])
    assert np.array_equal(whole.reshape(-1, 2), values)
    with pytest.raises(ReidError, match="holds features, expected bags"):
        next(schemas.read_batches(path, "bags", ["feature"], rows=3))


def test_metadata_is_plain_json() -> None:
    found = schemas.metadata("bags", {"b": 1, "a": [2]})
    assert json.loads(found[b"weakreid.params"]) == {"a": [2], "b": 1}
    assert found[b"weakreid.kind"] == b"bags"
