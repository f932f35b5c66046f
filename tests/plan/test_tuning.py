"""The config of searches: ranges that hold something, of keys that there are."""

import copy
from pathlib import Path
from typing import Any

import pytest

from weakreid.config.faults import blamed
from weakreid.config.sources import default_files, read_merged
from weakreid.config.tuning import nested
from weakreid.errors import ReidError
from weakreid.plan.plan import Plan
from weakreid.plan.read import plan_of
from weakreid.plan.tuning_rules import method_without_searched, place_of_values, ranges_of

ROOT = Path(__file__).parents[2]

RAW: dict[str, Any] = {
    "datasets": {"a": {"kind": "walkers", "size": "tiny"}},
    "bags": {"wl": {}},
    "methods": {
        "bags": {"loss": {"name": "mil", "k": 2}, "batch": {"bags": 8, "frames": 10, "pairs": 2}},
        "clips": {
            "learns": "clips",
            "losses": {"triplet": {}, "center": {}, "osm": {"vectors": "centers"}},
        },
    },
    "experiments": {
        "one": {"dataset": "a", "bags": "wl", "method": "bags"},
        "idle": {
            "dataset": "a",
            "bags": "wl",
            "method": "bags",
            "overrides": {"schedule": {"epochs": 0}},
        },
    },
    "studies": {
        "s": {
            "reference": "x",
            "method": "clips",
            "rows": {
                "ours": {},
                "osm": {"overrides": {"losses": {"triplet": None}}},
                "plain": {"overrides": {"losses": {"osm": None}}},
            },
        },
        "bare": {"reference": "x", "method": "clips"},
    },
}
SIGMA = {"losses.osm.sigma": {"low": 0.1, "high": 2.0, "log": True}}
LR = {"optimiser.lr": {"low": 1e-4, "high": 1e-2}}


def searching(experiment: str, ranges: Any, **more: Any) -> dict[str, Any]:
    block = {"experiment": experiment, "ranges": ranges, "trials": 3, **more}
    return {**copy.deepcopy(RAW), "tuning": {"t": block}}


def refusal(raw: dict[str, Any]) -> str:
    with pytest.raises(ReidError) as found:
        plan_of(raw)
    (line,) = blamed(found.value, [("mine.yaml", raw)])
    return line


def test_ranges_are_given_as_the_method_takes_them() -> None:
    ranges = {
        "losses.osm.alpha": {"low": 1, "high": 2},
        "batch.clips": {"low": 2, "high": 4},
        "clips.frames": {"low": 2, "high": 8, "step": 2},
        "losses.triplet.metric": {"choices": ["cosine", "euclidean"]},
        "losses.center": {"choices": [{"weight": 0.1}, {"rate": 0.1}]},
    }
    loaded = plan_of(searching("s_a", ranges))
    alpha, clips, frames, metric, center = ranges_of(loaded, "t")
    assert not alpha["whole"]
    assert clips["whole"] and frames["whole"] and frames["step"] == 2
    assert metric["choices"] == ["cosine", "euclidean"]
    # with all that it leaves out
    assert center["choices"] == [{"weight": 0.1, "rate": 0.5}, {"weight": 5e-4, "rate": 0.1}]
    # what is searched has no value of its own
    method = method_without_searched(loaded, "t")
    assert method["losses"]["osm"]["alpha"] is None and method["losses"]["center"] is None


def test_numbers_that_are_given_as_text() -> None:
    ranges = {"optimiser.lr": {"low": "1e-4", "high": "0.5"}, "loss.k": {"low": "1", "high": "3"}}
    found = plan_of(searching("one", ranges)).config.tuning["t"].ranges
    assert found["optimiser.lr"].ends() == [1e-4, 0.5]
    assert [type(end) for end in found["loss.k"].ends()] == [int, int]


@pytest.mark.parametrize(
    ("experiment", "ranges", "said"),
    [
        ("one", {}, "'tuning.t.ranges': Input should not be empty, got {}"),
        (
            "one",
            {"loss.k": {"low": 3, "high": 3}},
            (
                "'tuning.t.ranges.loss.k': the range is empty: low is 3 and high is 3; low must be "
                "below high"
            ),
        ),
        (
            "one",
            {"loss.k": {"low": 4, "high": 3}},
            (
                "'tuning.t.ranges.loss.k': the range is empty: low is 4 and high is 3; low must be "
                "below high"
            ),
        ),
        (
            "one",
            {"schedule.epochs": {"low": 0, "high": 2}},
            "tuning.t.ranges.schedule.epochs: schedule.epochs would be 0, and nothing learnt",
        ),
        (
            "one",
            {"loss.k": {"low": "few", "high": "12"}},
            "'tuning.t.ranges.loss.k.low': Input should be a finite number, got \"few\"",
        ),
        (
            "one",
            {"optimiser.lr": {"low": 0.1, "high": ".inf"}},
            "'tuning.t.ranges.optimiser.lr.high': Input should be a finite number, got \".inf\"",
        ),
        (
            "one",
            {"optimiser.lr": {"low": 0.1, "high": "inf"}},
            "'tuning.t.ranges.optimiser.lr.high': Input should be a finite number, got \"inf\"",
        ),
        (
            "one",
            {"optimiser.lr": {"low": float("nan"), "high": 2}},
            "'tuning.t.ranges.optimiser.lr.low': Input should be a finite number, got NaN",
        ),
        (
            "one",
            {"loss.k": {"choices": []}},
            "'tuning.t.ranges.loss.k': the range is empty: choices should hold two different",
        ),
        (
            "one",
            {"loss.k": {"choices": [2, 2]}},
            "'tuning.t.ranges.loss.k': the range is empty: choices should hold two different",
        ),
        (
            "one",
            {"loss.k": {"low": 3}},
            "'tuning.t.ranges.loss.k': give low and high, or choices",
        ),
        (
            "one",
            {"loss.k": {"low": 3, "high": 4, "choices": [1, 2]}},
            "'tuning.t.ranges.loss.k': give either choices, or low and high",
        ),
        (
            "one",
            {"optimiser.lr": {"low": 0, "high": 1, "log": True}},
            (
                "'tuning.t.ranges.optimiser.lr': log needs a low above 0, not 0; raise it, "
                "or leave "
                "out log"
            ),
        ),
        (
            "one",
            {"loss.k": {"low": 1, "high": 3, "step": 5}},
            "'tuning.t.ranges.loss.k': step is 5; it must be above 0 and at most 2",
        ),
        (
            "one",
            {"loss.k": {"low": 1, "hihg": 3}},
            "unknown key 'tuning.t.ranges.loss.k.hihg'; did you mean 'high'?",
        ),
        (
            "one",
            {"optimizer.lr": {"low": 0, "high": 1}},
            (
                "tuning.t.ranges.optimizer.lr: the method has no key 'optimizer.lr'; did you mean "
                "'optimiser'?"
            ),
        ),
        (
            "one",
            {"loss.kk": {"low": 1, "high": 2}},
            "tuning.t.ranges.loss.kk: the method has no key 'loss.kk'; did you mean 'loss.k'?",
        ),
        (
            "s_a_plain",
            SIGMA,
            (
                "tuning.t.ranges.losses.osm.sigma: losses.osm is null in this experiment, "
                "so nothing "
                "uses losses.osm.sigma; set losses.osm in its overrides, or leave this range out"
            ),
        ),
        (
            "one",
            {"loss.name": {"choices": ["mil", "hslr"]}},
            (
                "tuning.t.ranges.loss.name: another loss.name has other keys; search each "
                "by itself, "
                "as an entry of tuning of its own"
            ),
        ),
        (
            "one",
            {"optimiser.lr": {"low": -1, "high": 1}},
            "tuning.t.ranges: 'optimiser.lr': Input should be greater than or equal to 0, got -1",
        ),
        (
            "one",
            {"loss.k": {"low": 1, "high": 11}},
            (
                "tuning.t.ranges.loss.k: experiments.one: loss.k = 11 is larger than the 10 frames "
                "sampled from a bag (batch.frames); lower k or let a bag hold more"
            ),
        ),
        (
            "one",
            {"loss.k": {"low": 1.0, "high": 2.5}},
            (
                "tuning.t.ranges: 'loss.k': Input should be a valid integer, got a number with a "
                "fractional part, got 2.5"
            ),
        ),
        ("ones", LR, "tuning.t.experiment: 'ones' does not exist; did you mean 'one'?"),
        (
            "idle",
            LR,
            "tuning.t.experiment: idle learns nothing (schedule.epochs is 0); take another one",
        ),
        (
            "bare_a",
            LR,
            (
                "tuning.t.experiment: bare_a is the own method of the study bare, and every "
                "row of it "
                "begins there; add a row that changes nothing ('ours: {}') to "
                "studies.bare.rows, or "
                "take another row"
            ),
        ),
    ],
)
def test_what_cannot_be_searched(experiment: str, ranges: Any, said: str) -> None:
    assert refusal(searching(experiment, ranges)).startswith(f"mine.yaml: {said}")


def test_all_that_is_wrong_is_said_at_once() -> None:
    raw = searching("one", {"loss.q": {"low": 1, "high": 2}, "losss.k": {"low": 1, "high": 2}})
    with pytest.raises(ReidError) as found:
        plan_of(raw)
    assert len(blamed(found.value, [("mine.yaml", raw)])) == 2


def merged(base: Any, over: Any) -> Any:
    """Merge as Snakemake does with several files."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}


@pytest.mark.parametrize(
    ("experiment", "ranges", "changes"),
    [("one", LR, "one"), ("s_a_osm", SIGMA, "s_a_osm"), ("s_a", SIGMA, "s_a_ours")],
)
def test_what_is_found_changes_its_experiment_alone(
    experiment: str, ranges: Any, changes: str
) -> None:
    raw = searching(experiment, ranges)
    before = plan_of(raw)
    place = place_of_values(before, "t")
    (key,) = ranges
    values: Any = nested(key, 0.005)
    for part in reversed(place):
        values = {part: values}
    after = plan_of(merged(raw, values))

    def methods(loaded: Plan) -> dict[str, Any]:
        names = {**{name: name for name in loaded.experiments}, **loaded.same}
        return {
            name: loaded.experiments[of].method.model_dump(mode="json")
            for name, of in names.items()
            if of not in loaded.refused
        }

    was, now = methods(before), methods(after)
    assert set(was) == set(now)
    assert [name for name in was if was[name] != now[name]] == [changes]
    found = now[changes]
    for part in key.split("."):
        found = found[part]
    assert found == 0.005
    # nor does it ask for another search
    for read in (ranges_of, method_without_searched):
        assert read(after, "t") == read(before, "t")


def test_the_searches_of_the_papers() -> None:
    found = plan_of(read_merged(default_files(ROOT)))
    place = place_of_values(found, "attn_cl_mars")
    assert place == ["studies", "attn_cl", "datasets", "mars", "rows", "osm_cl"]
    assert found.config.tuning["attn_cl_walkers"].jobs == 1
