"""Learning from merged tracklets sees frames and which tracklet they are of, and nothing else."""

import pyarrow.parquet as pq
import pytest
from tests.training.helpers import history_rows
from tests.training.merging_helpers import learn_here, merging_method
from tests.training.test_tracklet_leaks import (
    MEASURED,
    VISIBLE,
    changed_tracks,
    hidden_changed,
    images_changed,
    tracklets_changed,
)
from tests.training.tracklet_helpers import make_tracklets

from weakreid.stages import train_merging
from weakreid.training import checkpoint

SHORT = merging_method(schedule__epochs=2, schedule__steps_per_epoch=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_tracklets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    return learn_here(data, tmp_path_factory.mktemp("trained"), SHORT)


def test_what_is_hidden_does_not_change_one_bit(data, trained, tmp_path):
    path = changed_tracks(data, tmp_path, hidden_changed)
    out = learn_here(data, tmp_path / "out", SHORT, tracks=path)
    for name in ("model.safetensors", "clusters.parquet"):
        assert (out / name).read_bytes() == (trained / name).read_bytes()
    found, before = (history_rows(of / "history.parquet") for of in (out, trained))
    assert [row for row in found if row[2] not in MEASURED] == [
        row for row in before if row[2] not in MEASURED
    ]
    # only the measures know who is who
    assert found != before


@pytest.mark.parametrize("change", [images_changed, tracklets_changed])
def test_what_is_shown_does(data, trained, tmp_path, change):
    path = changed_tracks(data, tmp_path, change)
    out = learn_here(data, tmp_path / "out", SHORT, tracks=path)
    model = "model.safetensors"
    assert (out / model).read_bytes() != (trained / model).read_bytes()


def test_the_truth_is_read_when_nothing_is_learnt_any_more(data, tmp_path, monkeypatch):
    found = []
    read, save = pq.read_table, checkpoint.save_weights
    finish = train_merging.MergingTask.finish

    def recorded(path, *, columns):
        found.append((path.name, columns))
        return read(path, columns=columns)

    def refused(*_, **__):
        raise AssertionError("a training reads Parquet by whole tables alone")

    def finished(*given):
        found.append("learnt")
        return finish(*given)

    def saved(*given):
        found.append("weights")
        save(*given)

    monkeypatch.setattr(pq, "read_table", recorded)
    monkeypatch.setattr(pq, "ParquetFile", refused)
    monkeypatch.setattr(train_merging.MergingTask, "finish", finished)
    monkeypatch.setattr(checkpoint, "save_weights", saved)
    learn_here(data, tmp_path, SHORT)
    assert found == [
        ("tracks.parquet", VISIBLE),
        "learnt",
        ("tracks.parquet", ["tracklet_id", "truth_person_id"]),
        "weights",
    ]
