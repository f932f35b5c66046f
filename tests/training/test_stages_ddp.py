"""Stages of learning in two processes, which end as one does: what they write, say and believe."""

import importlib

import pytest
from tests.training.helpers import start
from tests.training.tracklet_helpers import make_tracklets

from weakreid.artifacts import schemas

WAYS = {
    "tracklet": {"association__eps": 0.5, "schedule__epochs": 2},
    "merging": {"schedule__epochs": 2},
    "one_shot": {},
    "intra_camera": {"schedule__epochs": 2},
}
"""By way of learning, the values that make it short."""


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_two_processes_run_the_stage(way, tmp_path, warm_path):
    helpers = importlib.import_module(f"tests.training.{way}_helpers")
    make = getattr(helpers, "make_labelled", make_tracklets)
    data = make(tmp_path / "data")
    values = getattr(helpers, f"{way}_method")(
        model__embedding="fc",
        model__batch_norm="eval",
        optimiser__name="sgd",
        optimiser__lr=1e-3,
        schedule__steps_per_epoch=1,
        **WAYS[way],
    )
    alone = helpers.STAGE.learn_here(data, tmp_path / "one", values)
    two = tmp_path / "two"
    options = helpers.STAGE.words_of(data, two, values, devices=2, threads=2)
    process = start(options, helpers.__name__, PYTHONPATH=warm_path)
    _, said = process.communicate()
    assert process.returncode == 0, said
    # one process writes and speaks
    of_first = [line for line in said.splitlines() if line.startswith("epoch 1 of ")]
    assert sum(", lr " in line for line in of_first) == said.count("trained in") == 1
    assert {path.name for path in two.iterdir()} == {path.name for path in alone.iterdir()}
    found, expected = (
        schemas.read_frame(folder / "clusters.parquet", "clusters") for folder in (two, alone)
    )
    assert found.equals(expected)
