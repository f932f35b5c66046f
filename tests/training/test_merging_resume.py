"""A training that merges and was killed ends as one that was not, bit for bit (CPU)."""

import pytest
import torch
from tests.training.helpers import start
from tests.training.merging_helpers import learn_here, learn_interrupted, merging_method
from tests.training.test_resume import kill_when
from tests.training.test_tracklet_resume import assert_same
from tests.training.tracklet_helpers import make_tracklets, words_of

# merges before the epochs 1 and 3; the table changes with every step
SHORT = merging_method(schedule__epochs=4, schedule__steps_per_epoch=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_tracklets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """The results of an uninterrupted training."""
    return learn_here(data, tmp_path_factory.mktemp("whole"), SHORT)


# before the first merge, in the middle of a stage, when all is done
@pytest.mark.parametrize(("epochs", "clusters"), [(1, 24), (2, 18), (4, 12)])
def test_goes_on_after_any_epoch(data, whole, tmp_path, capsys, epochs, clusters):
    checkpoint = learn_interrupted(data, tmp_path, SHORT, epochs)
    kept = torch.load(checkpoint, weights_only=True)["state"]["task"]
    assert [len(labels) for labels in kept["labels"]] == [24] * epochs
    assert kept["table"].shape == (clusters, 96)
    learn_here(data, tmp_path, SHORT)
    assert f"going on after epoch {epochs} of 4" in capsys.readouterr().err
    assert_same(tmp_path, whole)


@pytest.mark.slow
def test_killed_and_run_again(data, tmp_path, capsys):
    values = merging_method(schedule__epochs=6, schedule__steps_per_epoch=1)
    expected = learn_here(data, tmp_path / "whole", values)
    out = tmp_path / "killed"
    options = words_of(data, out, values)
    stage = ("weakreid.stages", "train_merging")
    kill_when(start(options, *stage), (out / "checkpoint.pt").exists)
    done = torch.load(out / "checkpoint.pt", weights_only=True)["epoch"]
    assert 1 <= done < 6
    learn_here(data, out, values)
    assert f"going on after epoch {done} of 6" in capsys.readouterr().err
    assert_same(out, expected)
