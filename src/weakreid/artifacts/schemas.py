"""The schema of every Parquet artifact; validated read, atomic write.

A column whose name starts with `truth_` holds what a weakly supervised method must not see.
`read` leaves those columns out unless they are asked for by name (`truth=True`), so that a
training stage cannot read them by accident.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from weakreid.artifacts.files import of_system, read_fault, replacing
from weakreid.errors import ReidError

VERSION = 2
ROLES = ("train", "query", "gallery", "junk")

_ids = pa.list_(pa.int32())
_rows = pa.list_(pa.int64())

SCHEMAS: dict[str, pa.Schema] = {
    # first_frame is a row of `frames`; a tracklet's frames are contiguous there, in time order
    "tracklets": pa.schema(
        [
            ("tracklet_id", pa.int32()),
            ("person_id", pa.int32()),
            ("camera_id", pa.int32()),
            ("role", pa.string()),
            ("first_frame", pa.int64()),
            ("frame_count", pa.int32()),
        ]
    ),
    # the role of a tracklet in each of a dataset's numbered splits (0 is the official one)
    "partitions": pa.schema(
        [("partition", pa.int32()), ("tracklet_id", pa.int32()), ("role", pa.string())]
    ),
    # image is a row of the image store; a tracker's tracklet may show several people
    "frames": pa.schema(
        [
            ("tracklet_id", pa.int32()),
            ("position", pa.int32()),
            ("file", pa.string()),
            ("image", pa.int64()),
            ("truth_person_id", pa.int32()),
        ]
    ),
    # a frame of a training tracklet as a method gets it: simulated, tracked or isolated; sorted by
    # tracklet_id and position, both from 0; source_id: the tracklet that isolation cut it from
    "tracks": pa.schema(
        [
            ("tracklet_id", pa.int32()),
            ("position", pa.int32()),
            ("image", pa.int64()),
            ("camera_id", pa.int32()),
            ("source_id", pa.int32()),
            ("truth_person_id", pa.int32()),
        ]
    ),
    # what association made of the tracklets: label -1 stands alone
    "clusters": pa.schema([("tracklet_id", pa.int32()), ("label", pa.int32())]),
    # how a tracker's noise spreads: measure is "persons_per_tracklet" or "tracklets_per_person";
    # `count` of them have the value `number`; sequence "" is all together
    "id_counts": pa.schema(
        [
            ("sequence", pa.string()),
            ("measure", pa.string()),
            ("number", pa.int32()),
            ("count", pa.int64()),
        ]
    ),
    # frames and frame_tracklets run in parallel: image rows and the tracklet of each;
    # for `train` bags frame_tracklets are what a tracker would say, never a person
    "bags": pa.schema(
        [
            ("bag_id", pa.int32()),
            ("role", pa.string()),
            ("camera_id", pa.int32()),
            ("tracklet_ids", _ids),
            ("frames", _rows),
            ("frame_tracklets", _ids),
            ("labels", _ids),
            ("truth_frame_persons", _ids),
        ]
    ),
    # one row per epoch
    "history": pa.schema(
        [
            ("epoch", pa.int32()),
            ("step", pa.int32()),
            ("term", pa.string()),
            ("value", pa.float64()),
        ]
    ),
    # one row per measurement of a trial of a search; values: JSON; a trial that diverged before the
    # first one has a row of epoch 0
    "trials": pa.schema(
        [
            ("trial", pa.int32()),
            ("worker", pa.int32()),
            ("outcome", pa.string()),
            ("epoch", pa.int32()),
            ("figure", pa.float64()),
            ("values", pa.string()),
        ]
    ),
    # one row per query and protocol; gallery lists are cut at the evaluation's `keep`
    "rankings": pa.schema(
        [
            ("protocol", pa.string()),
            ("query", pa.int32()),
            ("person_id", pa.int32()),
            ("average_precision", pa.float64()),
            ("first_match", pa.int32()),
            ("gallery", _ids),
            ("distances", pa.list_(pa.float32())),
            ("matches", pa.list_(pa.bool_())),
            ("frames", _rows),
        ]
    ),
    # a picture of a person whose attributes somebody ticked: 1, 0, or -1 where unsure, in the order
    # of params["attributes"]; split is train or test; nobody's: person_id -1
    "annotation": pa.schema(
        [
            ("file", pa.string()),
            ("split", pa.string()),
            ("person_id", pa.int32()),
            ("labels", pa.list_(pa.int8())),
        ]
    ),
    # the same, of the pictures that are in the image store
    "pictures": pa.schema(
        [
            ("image", pa.int64()),
            ("file", pa.string()),
            ("split", pa.string()),
            ("person_id", pa.int32()),
            ("labels", pa.list_(pa.int8())),
        ]
    ),
    # what a network sees in a tracklet: the mean over its frames of each attribute's probability,
    # in the order of params["attributes"]
    "attribute_votes": pa.schema(
        [
            ("tracklet_id", pa.int32()),
            ("person_id", pa.int32()),
            ("frame_count", pa.int32()),
            ("probabilities", pa.list_(pa.float32())),
        ]
    ),
    # a person's attributes, sorted by person and, within, as in params["attributes"]
    "attribute_labels": pa.schema(
        [
            ("person_id", pa.int32()),
            ("attribute", pa.string()),
            ("probability", pa.float32()),
            ("label", pa.int8()),
        ]
    ),
    # what a frame of a clip counts in the clip's descriptor, by group of attributes
    "frame_weights": pa.schema(
        [
            ("tracklet_id", pa.int32()),
            ("clip", pa.int32()),
            ("position", pa.int32()),
            ("image", pa.int64()),
            ("group", pa.string()),
            ("weight", pa.float32()),
        ]
    ),
    # one row per finding of the label audit, the most suspicious first; evidence: image rows
    "audit": pa.schema(
        [
            ("rank", pa.int32()),
            ("bag_id", pa.int32()),
            ("person_id", pa.int32()),
            ("kind", pa.string()),
            ("score", pa.float64()),
            ("judged", pa.bool_()),
            ("evidence", _rows),
            ("bag_loss", pa.float64()),
        ]
    ),
}

FEATURES = ("image", "tracklet_id", "feature")
"""The columns of the artifact whose schema depends on the network: a row per frame."""


def schema(kind: str, **columns: pa.DataType) -> pa.Schema:
    """Return the schema of an artifact, with the columns whose type depends on the data."""
    if kind == "features":
        types = (pa.int64(), pa.int32(), columns["feature"])
        return pa.schema(list(zip(FEATURES, types, strict=True)))
    return SCHEMAS[kind]


def conform(data: pa.Table | pd.DataFrame | Mapping[str, Sequence[Any]], kind: str) -> pa.Table:
    """Return `data` as an Arrow table of the artifact's schema.

    Raises:
        ReidError: a column is missing, unknown, null or of a type that does not fit.
    """
    wanted = SCHEMAS[kind]
    if isinstance(data, pd.DataFrame):
        names = [str(name) for name in data.columns]
    elif isinstance(data, pa.Table):
        names = data.column_names
    else:
        names = list(data)
    if set(names) != set(wanted.names):
        missing = sorted(set(wanted.names) - set(names))
        unknown = sorted(set(names) - set(wanted.names))
        raise ReidError(f"table '{kind}': missing columns {missing}, unknown columns {unknown}")
    try:
        if isinstance(data, pd.DataFrame):
            return pa.Table.from_pandas(
                data[wanted.names], schema=wanted, preserve_index=False
            ).replace_schema_metadata(None)
        if isinstance(data, pa.Table):
            return data.select(wanted.names).cast(wanted).replace_schema_metadata(None)
        return pa.table({name: data[name] for name in wanted.names}, schema=wanted)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
        raise ReidError(f"table '{kind}': {error}") from error


def metadata(kind: str, params: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Return the metadata that every artifact carries: its kind, version and parameters."""
    return {
        b"weakreid.kind": kind.encode(),
        b"weakreid.version": str(VERSION).encode(),
        b"weakreid.params": json.dumps(params, sort_keys=True).encode(),
    }


def write(
    path: Path,
    kind: str,
    data: pa.Table | pd.DataFrame | Mapping[str, Sequence[Any]],
    params: Mapping[str, Any],
) -> None:
    """Write an artifact, whole or not at all; `params` goes into the file's metadata."""
    table = conform(data, kind)
    table = table.replace_schema_metadata(metadata(kind, params))
    with replacing(path) as aside:
        pq.write_table(table, aside, compression="zstd")


def check_file(path: Path, kind: str) -> pa.Schema:
    """Return the schema of an artifact's file after checking that it is what is expected.

    Raises:
        ReidError: the file is missing, not Parquet, of another kind or of another version.
    """
    try:
        found = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(path, error) from error
    meta = found.metadata or {}
    if meta.get(b"weakreid.kind") != kind.encode():
        holds = meta.get(b"weakreid.kind", b"no table of this program").decode()
        raise ReidError(f"{path}: holds {holds}, expected {kind}; give the right file")
    if meta.get(b"weakreid.version") != str(VERSION).encode():
        raise ReidError(f"{path}: written by another version; delete it and run again")
    wanted = FEATURES if kind == "features" else SCHEMAS[kind].names
    if found.names != list(wanted):
        held = ", ".join(found.names)
        raise ReidError(f"{path}: {kind} with the columns {held}; delete it and run again")
    return found


def _damaged(path: Path, error: Exception) -> ReidError:
    if of_system(error):
        return read_fault(path, error, "run the stage that makes it")
    return ReidError(f"{path}: not a whole Parquet file ({error}); delete it and run again")


def read(
    path: Path, kind: str, columns: Sequence[str] | None = None, truth: bool = False
) -> pa.Table:
    """Read an artifact, without its `truth_` columns unless `truth` is set.

    Raises:
        ReidError: the file is damaged or not the one expected (see `check_file`).
    """
    names = check_file(path, kind).names
    if columns is None:
        columns = [name for name in names if truth or not name.startswith("truth_")]
    elif not truth and any(name.startswith("truth_") for name in columns):
        raise ReidError(f"{path}: a truth_ column was asked for without truth=True")
    try:
        return pq.read_table(path, columns=list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(path, error) from error


def read_batches(
    path: Path, kind: str, columns: Sequence[str], rows: int
) -> Iterator[pa.RecordBatch]:
    """Yield an artifact in blocks of so many rows, for what is too large to hold.

    Raises:
        ReidError: the file is damaged or not the one expected (see `check_file`).
    """
    check_file(path, kind)
    try:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=rows, columns=list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(path, error) from error


def read_frame(
    path: Path, kind: str, columns: Sequence[str] | None = None, truth: bool = False
) -> pd.DataFrame:
    """Read an artifact as a pandas frame (see `read`)."""
    return read(path, kind, columns, truth).to_pandas()


def read_params(path: Path) -> dict[str, Any]:
    """Return the parameters that made an artifact."""
    meta = pq.read_schema(path).metadata or {}
    return json.loads(meta[b"weakreid.params"])
