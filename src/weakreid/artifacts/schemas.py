"""The schema of every Parquet artifact; validated read, atomic write.

A column whose name starts with `truth_` holds what a weakly supervised method must not see.
`read` leaves those columns out unless they are asked for by name (`truth=True`), so that a
training stage cannot read them by accident.
"""

import contextlib
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

SCHEMAS: dict[str, pa.Schema] = {}
"""The columns of every kind of artifact, by the kind's name."""

KINDS: dict[str, type["Kind"]] = {}
"""Where each is declared."""


class Kind:
    """Declares a kind of artifact: columns are attributes, each described in a comment behind it.

    A comment is no code: other words in one rerun nothing.
    """

    def __init_subclass__(cls, name: str) -> None:
        KINDS[name] = cls
        types = {key: held for key, held in vars(cls).items() if isinstance(held, pa.DataType)}
        SCHEMAS[name] = pa.schema(list(types.items()))


# --- people ---------------------------------------------------------------------------------------


class Tracklets(Kind, name="tracklets"):
    """Tracklets of a dataset, or of one of its splits."""

    tracklet_id = pa.int32()  # number of the tracklet
    person_id = pa.int32()  # number of the identity; -1 is junk, 0 a distractor
    camera_id = pa.int32()  # number of the camera
    role = pa.string()  # what the tracklet is for: train, query, gallery or junk
    first_frame = pa.int64()  # row of `frames` of its first frame; the others follow in time
    frame_count = pa.int32()  # number of frames


class Partitions(Kind, name="partitions"):
    """Roles of the tracklets in each numbered split of a dataset."""

    partition = pa.int32()  # number of the split; 0 is the official one
    tracklet_id = pa.int32()  # number of the tracklet
    role = pa.string()  # what the tracklet is in this split


class Frames(Kind, name="frames"):
    """Frames of a dataset."""

    tracklet_id = pa.int32()  # tracklet that the frame belongs to
    position = pa.int32()  # place of the frame in its tracklet, from 0
    file = pa.string()  # file that the picture came from
    image = pa.int64()  # row of the image store
    truth_person_id = pa.int32()  # identity in the frame; a tracker's tracklet may show several


# --- what a method may see ------------------------------------------------------------------------


class Tracks(Kind, name="tracks"):
    """Frames of training tracklets as a method gets them: simulated, tracked or isolated."""

    tracklet_id = pa.int32()  # number of the tracklet, from 0; rows are sorted by it
    position = pa.int32()  # place of the frame in its tracklet, from 0
    image = pa.int64()  # row of the image store
    camera_id = pa.int32()  # number of the camera
    source_id = pa.int32()  # tracklet that isolation cut this one from
    truth_person_id = pa.int32()  # identity in the frame


class TrackletLabels(Kind, name="tracklet_labels"):
    """Labels of training tracklets that a method may see."""

    tracklet_id = pa.int32()  # number of the tracklet
    label = pa.int32()  # class of the tracklet, from 0; -1: it has none


class Clusters(Kind, name="clusters"):
    """Pseudo-labels that association gave to tracklets."""

    tracklet_id = pa.int32()  # number of the tracklet
    label = pa.int32()  # number of its cluster; -1: in no cluster


class IdCounts(Kind, name="id_counts"):
    """How a tracker's fragments and switches are distributed."""

    sequence = pa.string()  # name of the sequence; empty: all together
    measure = pa.string()  # persons_per_tracklet or tracklets_per_person
    number = pa.int32()  # value of the measure
    count = pa.int64()  # how many tracklets, or persons, have this value


class Bags(Kind, name="bags"):
    """Bags for training, or the coarse test set."""

    bag_id = pa.int32()  # number of the bag
    role = pa.string()  # role of the bag: train, probe or gallery
    camera_id = pa.int32()  # number of the camera
    tracklet_ids = _ids  # tracklets in the bag
    frames = _rows  # rows of the image store
    frame_tracklets = _ids  # tracklet of each of `frames`; in training bags as a tracker would say
    labels = _ids  # identities in the bag, as tagged
    truth_frame_persons = _ids  # identity in each of `frames`


# --- trainings and their results ------------------------------------------------------------------


class History(Kind, name="history"):
    """What a training logs in each epoch."""

    epoch = pa.int32()  # number of the epoch
    step = pa.int32()  # steps done so far
    term = pa.string()  # name of the value: a term of the loss, a learning rate, images per second
    value = pa.float64()  # mean over the epoch


class Trials(Kind, name="trials"):
    """Measurements of the trials of a search."""

    trial = pa.int32()  # number of the trial
    worker = pa.int32()  # number of the job that ran it
    outcome = pa.string()  # whole, given up (pruned) or diverged
    epoch = pa.int32()  # epochs done at this measurement; 0: diverged before the first one
    figure = pa.float64()  # value of the metric
    values = pa.string()  # values tried, as JSON


class Features(Kind, name="features"):
    """Features of frames, or of clips."""

    image = pa.int64()  # row of the image store; of a clip, that of one of its frames
    tracklet_id = pa.int32()  # tracklet that the frame belongs to
    feature = pa.list_(pa.float32())  # the feature, a list of as many float32 as the network gives


class Rankings(Kind, name="rankings"):
    """Retrieval results, a row per protocol and query."""

    protocol = pa.string()  # fine or coarse
    query = pa.int32()  # tracklet (fine) or bag (coarse) that is searched for
    person_id = pa.int32()  # identity of the query
    average_precision = pa.float64()  # average precision; null where the query has no match
    first_match = pa.int32()  # rank of the first match, from 1; 0 where there is none
    gallery = _ids  # nearest tracklets or bags, cut at the evaluation's `keep`
    distances = pa.list_(pa.float32())  # distance of each of `gallery`
    matches = pa.list_(pa.bool_())  # whether each of `gallery` is a match
    frames = _rows  # coarse: row of the image store of the nearest frame in each of `gallery`


# --- attributes -----------------------------------------------------------------------------------


class Annotation(Kind, name="annotation"):
    """Annotated pictures of an attribute source."""

    file = pa.string()  # file of the picture
    split = pa.string()  # role of the picture: train or test
    person_id = pa.int32()  # number of the identity; -1: unknown
    labels = pa.list_(pa.int8())  # 1, 0 or -1 (unsure), in the order of the parameter `attributes`


class Pictures(Kind, name="pictures"):
    """Annotated pictures that are in the image store."""

    image = pa.int64()  # row of the image store
    file = pa.string()  # file of the picture
    split = pa.string()  # role of the picture: train or test
    person_id = pa.int32()  # number of the identity; -1: unknown
    labels = pa.list_(pa.int8())  # 1, 0 or -1 (unsure), in the order of the parameter `attributes`


class AttributeVotes(Kind, name="attribute_votes"):
    """Attributes that a network sees in tracklets."""

    tracklet_id = pa.int32()  # number of the tracklet
    person_id = pa.int32()  # number of the identity
    frame_count = pa.int32()  # number of frames
    probabilities = pa.list_(pa.float32())  # means over the frames, in the order of `attributes`


class AttributeLabels(Kind, name="attribute_labels"):
    """Attributes of identities, in the order of the parameter `attributes`."""

    person_id = pa.int32()  # number of the identity; rows are sorted by it
    attribute = pa.string()  # name of the attribute
    probability = pa.float32()  # mean over the frames of the identity
    label = pa.int8()  # 1 or 0; -1: unsure


class FrameWeights(Kind, name="frame_weights"):
    """Weights of frames in the features of clips."""

    tracklet_id = pa.int32()  # number of the tracklet
    clip = pa.int32()  # number of the clip in its tracklet
    position = pa.int32()  # place of the frame in its tracklet
    image = pa.int64()  # row of the image store
    group = pa.string()  # group of attributes
    weight = pa.float32()  # share of the frame in the clip's feature


# --- label audit ----------------------------------------------------------------------------------


class Audit(Kind, name="audit"):
    """Findings of the label audit, the most suspicious first."""

    rank = pa.int32()  # place in the list, from 1
    bag_id = pa.int32()  # number of the bag
    person_id = pa.int32()  # identity that is tagged, or missing
    kind = pa.string()  # "false tag" or "missing tag"
    score = pa.float64()  # 0 to 1; the larger, the more suspicious
    judged = pa.bool_()  # whether other bags with this label allow a judgement
    evidence = _rows  # rows of the image store of frames to look at
    bag_loss = pa.float64()  # loss of the bag, for comparison


# --- reading and writing --------------------------------------------------------------------------


def schema(kind: str, **columns: pa.DataType) -> pa.Schema:
    """Return the schema of an artifact, with the columns whose type depends on the data."""
    found = SCHEMAS[kind]
    for name, held in columns.items():
        found = found.set(found.get_field_index(name), pa.field(name, held))
    return found


def conform(data: pa.Table | pd.DataFrame | Mapping[str, Sequence[Any]], kind: str) -> pa.Table:
    """Return `data` as an Arrow table of the artifact's schema.

    Raises:
        ReidError: a column is missing, unknown, null or of a type that does not fit.
    """
    wanted = SCHEMAS[kind]
    names = data.column_names if isinstance(data, pa.Table) else [str(name) for name in data]
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
    with _readable(path):
        found = pq.read_schema(path)
    meta = found.metadata or {}
    if meta.get(b"weakreid.kind") != kind.encode():
        holds = meta.get(b"weakreid.kind", b"no table of this program").decode()
        raise ReidError(f"{path}: holds {holds}, expected {kind}; give the right file")
    if meta.get(b"weakreid.version") != str(VERSION).encode():
        raise ReidError(f"{path}: written by another version; delete it and run again")
    if found.names != SCHEMAS[kind].names:
        held = ", ".join(found.names)
        raise ReidError(f"{path}: {kind} with the columns {held}; delete it and run again")
    return found


@contextlib.contextmanager
def _readable(
    path: Path,
    absent: str = "run the stage that makes it",
    again: str = "delete it and run again",
) -> Iterator[None]:
    """Say what ails a Parquet file that is read inside, and what to do."""
    if path.is_dir():
        raise ReidError(f"{path}: is a folder; give a Parquet file")
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if of_system(error):
            raise read_fault(path, error, absent) from error
        raise ReidError(f"{path}: not a whole Parquet file ({error}); {again}") from error


def read_foreign(path: Path, absent: str, **options: Any) -> pa.Table:
    """Read a Parquet file of a generated dataset, which is no artifact.

    Args:
        path: the file.
        absent: what to do where there is none.
        options: of `pyarrow.parquet.read_table`.

    Raises:
        ReidError: the file is missing or damaged.
    """
    with _readable(path, absent, "generate the dataset again"):
        return pq.read_table(path, **options)


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
    with _readable(path):
        return pq.read_table(path, columns=list(columns))


def read_batches(
    path: Path, kind: str, columns: Sequence[str], rows: int
) -> Iterator[pa.RecordBatch]:
    """Yield an artifact in blocks of so many rows, for what is too large to hold.

    Raises:
        ReidError: the file is damaged or not the one expected (see `check_file`).
    """
    check_file(path, kind)
    with _readable(path), pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=rows, columns=list(columns))


def read_frame(
    path: Path, kind: str, columns: Sequence[str] | None = None, truth: bool = False
) -> pd.DataFrame:
    """Read an artifact as a pandas frame (see `read`)."""
    return read(path, kind, columns, truth).to_pandas()


def read_params(path: Path) -> dict[str, Any]:
    """Return the parameters that made an artifact."""
    meta = pq.read_schema(path).metadata or {}
    return json.loads(meta[b"weakreid.params"])
