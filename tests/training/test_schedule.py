"""The learning rate against tables."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.config.training import Schedule
from weakreid.training.schedule import rate_factor

STEP = {"steps_per_epoch": 2, "epochs": 5, "name": "step", "milestones": [1, 3], "factor": 0.1}
COSINE = {"steps_per_epoch": 2, "epochs": 2, "name": "cosine", "milestones": [], "factor": 0.1}


def factors(warm_up: float = 0.0, **options) -> list[float]:
    schedule = Schedule(warm_up=warm_up, **options)
    steps = schedule.steps_per_epoch
    return [rate_factor(step, schedule, steps) for step in range(steps * schedule.epochs)]


def test_steps():
    expected = [1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01]
    assert factors(**STEP) == pytest.approx(expected)


def test_steps_after_a_warm_up():
    # 3 of 10 steps rise: 1/4, 2/4, 3/4; the milestone of epoch 1 (step 2) is passed meanwhile
    expected = [0.25, 0.5, 0.75, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01]
    assert factors(0.3, **STEP) == pytest.approx(expected)


def test_wl_falls_once_after_epoch_ten():
    options = {**STEP, "steps_per_epoch": 3, "epochs": 20, "milestones": [10]}
    assert factors(**options) == pytest.approx([1.0] * 30 + [0.1] * 30)


def test_cosine():
    half = math.sqrt(0.5) / 2
    assert factors(**COSINE) == pytest.approx([1, 0.5 + half, 0.5, 0.5 - half])


def test_cosine_after_a_warm_up():
    third = [0.5 * (1 + math.cos(math.pi * part / 3)) for part in range(3)]
    assert factors(0.25, **COSINE) == pytest.approx([0.5, *third])


@given(
    steps=st.integers(1, 20),
    epochs=st.integers(1, 20),
    name=st.sampled_from(["step", "cosine"]),
    milestones=st.lists(st.integers(1, 20), max_size=3),
    factor=st.floats(0, 1),
    warm_up=st.floats(0, 1),
)
def test_rises_then_never_again(steps, epochs, name, milestones, factor, warm_up):
    options = {"steps_per_epoch": steps, "epochs": epochs, "name": name, "factor": factor}
    found = factors(warm_up, milestones=milestones, **options)
    assert all(0 <= value <= 1 for value in found)
    assert found[0] > 0
    rising = round(warm_up * steps * epochs)
    first, rest = found[:rising], found[rising:]
    assert first == sorted(set(first))
    assert rest == sorted(rest, reverse=True)
