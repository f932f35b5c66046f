"""The config of clip networks and their losses: what goes together, and what is refused."""

from typing import Any

import pytest

from weakreid.errors import ReidError
from weakreid.plan.read import plan_of

RAW: dict[str, Any] = {
    "datasets": {
        "a": {"kind": "walkers", "size": "tiny"},
        "b": {"kind": "walkers", "size": "tiny", "seed": 2},
    },
    "methods": {
        "plain": {"learns": "clips"},
        "tricks": {
            "learns": "clips",
            "aggregation": {"name": "attention", "hidden": 8},
            "augment": {"erase": 0.5},
            "neck": {},
            "losses": {"triplet": {}, "center": {}, "osm": {"vectors": "centers"}, "attention": {}},
        },
    },
    "experiments": {
        "one": {"dataset": "a", "method": "plain"},
        "two": {"dataset": "b", "method": "tricks", "init": "one"},
    },
    "studies": {
        "s": {
            "reference": "x",
            "method": "tricks",
            "rows": {"bare": {"overrides": {"losses": {"osm": None}}}, "from_a": {"init": "s_a"}},
        }
    },
}


def changed(experiment: str, **values: Any) -> dict[str, Any]:
    made = {**RAW["experiments"][experiment], **values}
    return {**RAW, "experiments": {**RAW["experiments"], experiment: made}}


def refusal(raw: dict[str, Any]) -> str:
    with pytest.raises(ReidError) as found:
        plan_of(raw)
    return str(found.value)


def test_a_method_is_a_sum_of_parts() -> None:
    loaded = plan_of(RAW)
    bare = loaded.experiments["s_a_bare"].method
    assert bare.losses.osm is None and bare.losses.attention is not None
    assert loaded.experiments["s_b_from_a"].init == "s_a"
    plain = loaded.experiments["one"].method
    assert plain.aggregation.name == "average" and plain.neck is None
    assert plain.model.cosam is None


def test_another_aggregation_keeps_what_it_has_too() -> None:
    aggregation = {"overrides": {"aggregation": {"name": "rnn"}, "losses": {"attention": None}}}
    method = plan_of(changed("two", **aggregation)).experiments["two"].method
    assert (method.aggregation.name, method.aggregation.hidden) == ("rnn", 8)


@pytest.mark.parametrize(
    ("experiment", "overrides", "line"),
    [
        ("one", {"model": {"cosam": {"after": ["stem"]}}}, "'layer1', 'layer2', 'layer3'"),
        ("one", {"model": {"cosam": {"after": []}}}, "model.cosam.after"),
        (
            "one",
            {"model": {"cosam": {}}, "clips": {"frames": 1}},
            # a fault of the whole block names no key of it
            "experiments.one.overrides: model.cosam compares the frames of a clip, and",
        ),
        ("one", {"losses": {"identity": None}}, "every one of the losses is null; set one"),
        (
            "two",
            {"losses": {"center": None}},
            "losses.osm.vectors are the centers of losses.center, which is null",
        ),
        (
            "two",
            {"aggregation": {"name": "average"}},
            "losses.attention needs a network that attends to frames; set aggregation",
        ),
        (
            "two",
            {"augment": {"erase": 0.0}},
            "losses.attention looks at frames with an erased patch, and augment.erase is 0",
        ),
        ("two", {"losses": {"osm": {"weight": 0}}}, "losses.osm.weight"),
        ("two", {"batch": {"persons": 1}}, "batch.persons"),
        ("two", {"batch": {"clips": 1}}, "losses.triplet compares two clips of a person"),
        (
            "two",
            {"batch": {"clips": 1}, "losses": {"triplet": None}},
            "losses.osm compares two clips of a person, and batch.clips is 1; raise it",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    experiment: str, overrides: dict[str, Any], line: str
) -> None:
    assert line in refusal(changed(experiment, overrides=overrides))


def test_an_experiment_that_starts_from_itself_in_the_end() -> None:
    line = refusal(changed("one", init="two"))
    circle = "one -> two -> one is a circle; leave init out of one of them"
    assert line.startswith(f"experiments.one.init: {circle}")


def test_an_experiment_that_starts_from_one_that_is_not_there() -> None:
    assert "experiments.one.init: 'tow' does not exist; did you mean 'two'?" in refusal(
        changed("one", init="tow")
    )


def test_an_experiment_that_starts_from_another_network() -> None:
    other = changed("one", overrides={"model": {"backbone": "resnet34"}})
    assert "experiments.two.init: one has the backbone resnet34, not" in refusal(other)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ({"model": {"cosam": {}}}, "model.cosam needs the frames of clips, and clips is null"),
        ({"aggregation": {"name": "rnn"}}, "aggregation needs the frames of clips"),
        ({"clips": {"frames": 4}}, "a clip is of one tracklet, and instances are frames"),
        (
            {"clips": {"frames": 1}, "instances": "tracklets", "model": {"cosam": {}}},
            "clips.frames is 1; set it to 2 or more",
        ),
        ({"clips": {}, "aggregation": {"name": "groups"}}, "aggregation"),
        (
            {"learns": "tracklets", "clips": {"frames": 2, "sampling": "consecutive"}},
            "clips.frames is 2 and batch.frames 4; set both alike",
        ),
        (
            {"learns": "tracklets", "clips": {"frames": 4}},
            "clips.sampling is chunks; set it to consecutive",
        ),
    ],
)
def test_clips_where_bags_or_tracklets_are_learnt_from(method, said) -> None:
    assert said in refusal({**RAW, "methods": {**RAW["methods"], "bags": method}})


def test_a_method_of_bags_or_tracklets_may_see_clips() -> None:
    seen = {"clips": {"frames": 4, "sampling": "consecutive"}, "model": {"cosam": {}}}
    seen["aggregation"] = {"name": "attention"}
    methods = {
        "more_bags": {**seen, "instances": "tracklets"},
        "more_tracklets": {**seen, "learns": "tracklets"},
    }
    found = plan_of({**RAW, "methods": {**RAW["methods"], **methods}})
    assert {found.config.methods[name].clips.frames for name in methods} == {4}
