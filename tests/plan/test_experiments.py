"""From studies to experiments: names, aliases, layers of values, blocks that rows make."""

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.supervision.helpers import LATER

from weakreid.config import losses, methods, supervision
from weakreid.errors import ReidError
from weakreid.plan import refusals
from weakreid.plan.read import plan_of
from weakreid.supervision import bags


def refusal(raw: Any) -> str:
    """Return the line that refuses a config."""
    with pytest.raises(ReidError) as caught:
        plan_of(raw)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def study(**changes: Any) -> dict[str, Any]:
    """Return a small config with the study `s`, whose blocks `changes` adds to."""
    block: dict[str, Any] = {
        "reference": "The Paper's",
        "bags": "three",
        "method": "quick",
        "datasets": {},
        "changes": {"noisy": {"noisy_parts": 2}, "single": {"tracklets_per_bag": [1, 1]}},
        "rows": {"plain": {}, "alone": {"overrides": {"cpal": {"weight": 0}}}},
    }
    for name, value in changes.items():
        block[name] = {**block[name], **value} if isinstance(value, dict) else value
    raw = {
        "datasets": {
            "a": {"kind": "walkers", "size": "tiny"},
            "b": {"kind": "walkers", "size": "tiny", "seed": 2},
        },
        "bags": {"three": {"tracklets_per_bag": [2, 3], "max_frames": 4}, "four": {}},
        "methods": {
            "quick": {"loss": {"name": "mil", "k": 2}, "batch": {"frames": 8}},
            "slow": {"schedule": {"epochs": 50}},
        },
        "studies": {"s": block},
    }
    return copy.deepcopy(raw)


def test_a_study_has_its_rows_on_every_dataset() -> None:
    found = plan_of(study(seeds=[4, 5]))
    assert list(found.experiments) == ["s_a", "s_a_alone", "s_b", "s_b_alone"]
    assert found.refused == {}
    for name, experiment in found.experiments.items():
        assert experiment.dataset == name[2]
        assert (experiment.bags, experiment.method_name) == ("three", "quick")
        assert (experiment.splits, experiment.seeds) == (("official",), (4, 5))
    assert found.experiments["s_a"].method == found.config.methods["quick"]
    alone = found.experiments["s_b_alone"].method
    assert alone.cpal.weight == 0
    assert alone.model_copy(update={"cpal": losses.Cpal()}) == found.config.methods["quick"]


def test_a_row_that_changes_nothing_is_the_experiment_that_it_equals() -> None:
    rows = {
        "again": {"overrides": {"loss": {"k": 2}}},
        "off": {"overrides": {"cpal": {"weight": 0.0}}},
    }
    # on b, k is 3: there a row that says 2 is something else
    found = plan_of(study(rows=rows, datasets={"b": {"overrides": {"loss": {"k": 3}}}}))
    assert found.same == {
        "s_a_plain": "s_a",
        "s_a_again": "s_a",
        "s_a_off": "s_a_alone",
        "s_b_plain": "s_b",
        "s_b_off": "s_b_alone",
    }
    assert not found.same.keys() & found.experiments.keys()
    assert found.row("s", "a", "") == "s_a"
    assert found.row("s", "a", "again") == "s_a"
    assert found.row("s", "b", "again") == "s_b_again"
    assert found.experiments["s_b_again"].method.loss == losses.Mil(name="mil", k=2)


def test_a_table_may_name_a_row_that_changes_nothing() -> None:
    raw = study()
    table = {"kind": "results", "title": "T", "rows": {"a row": "s_a_plain"}}
    plan_of({**raw, "tables": {"t": table}})
    assert refusal({**raw, "tables": {"t": {**table, "rows": {"a row": "s_a_plian"}}}}) == (
        "tables.t.rows.a row: 's_a_plian' does not exist; did you mean 's_a_plain'?"
    )


def test_a_change_makes_bags_of_a_dataset_s_own() -> None:
    rows = {"shuffled": {"bags": "noisy"}, "labelled": {"bags": "single"}}
    found = plan_of(study(rows=rows, datasets={"b": {"bags": "four"}}))
    assert set(found.config.bags) == {
        *("three", "three_noisy", "three_single"),
        *("four", "four_noisy", "four_single"),
    }
    assert found.experiments["s_a_shuffled"].bags == "three_noisy"
    assert found.experiments["s_b_labelled"].bags == "four_single"
    three, four = found.config.bags["three"], found.config.bags["four"]
    assert found.config.bags["three_noisy"] == three.model_copy(update={"noisy_parts": 2})
    assert found.config.bags["four_single"] == four.model_copy(update={"tracklets_per_bag": (1, 1)})


def test_a_dataset_s_change_stands_in_the_place_of_the_study_s() -> None:
    rows = {"shuffled": {"bags": "noisy"}}
    place = {"bags": "four", "changes": {"noisy": {"max_frames": 9}}}
    found = plan_of(study(rows=rows, datasets={"b": place}))
    assert found.config.bags["three_noisy"].noisy_parts == 2
    assert found.config.bags["four_noisy"].noisy_parts is None
    assert found.config.bags["four_noisy"].max_frames == 9


@pytest.mark.parametrize("where", ["another dataset's", "the config's"])
def test_changed_bags_of_a_name_that_is_taken(where: str) -> None:
    rows = {"shuffled": {"bags": "noisy"}}
    if where == "another dataset's":
        raw = study(rows=rows, datasets={"b": {"changes": {"noisy": {"noisy_parts": 3}}}})
        place = "studies.s.datasets.b"
    else:
        raw = study(rows=rows)
        raw["bags"]["three_noisy"] = {}
        place = "studies.s"
    assert refusal(raw) == (
        f"{place}.changes.noisy: bags.three_noisy is there already and differs; rename the change, "
        "or give this dataset bags of another name"
    )


def test_what_a_place_says_comes_after_the_method_and_before_the_row() -> None:
    place = {
        "method": "slow",
        "seeds": [9],
        "splits": ["dev"],
        "overrides": {"loss": {"k": 3}, "schedule": {"epochs": 7}, "precision": "32"},
        "rows": {"mine": {"schedule": {"epochs": 9}}},
    }
    rows = {"mine": {"overrides": {"schedule": {"epochs": 8}, "precision": "bf16"}}}
    found = plan_of(study(rows=rows, datasets={"b": place}))

    def told(name: str) -> tuple[int, int, str]:
        method = found.experiments[name].method
        assert isinstance(method.loss, losses.Mil)
        return method.loss.k, method.schedule.epochs, method.precision

    assert told("s_a") == (2, 20, "auto")
    assert told("s_a_mine") == (2, 8, "bf16")
    assert told("s_b") == (3, 7, "32")
    assert told("s_b_mine") == (3, 9, "bf16")
    assert found.experiments["s_b_mine"].seeds == (9,)
    assert found.experiments["s_b_mine"].splits == ("dev",)
    assert found.experiments["s_a_mine"].seeds == (1,)


def test_names_that_two_make() -> None:
    raw = study()
    raw["experiments"] = {"s_a": {"dataset": "a", "bags": "four", "method": "slow"}}
    assert " is to be the experiment s_a, which is there already (in " in refusal(raw)
    # row `alone` of dataset a is called as dataset a_alone itself
    raw = study()
    raw["datasets"]["a_alone"] = raw["datasets"]["b"]
    assert " is to be the experiment s_a_alone, which is there already (in " in refusal(raw)
    # as is a row that changes nothing
    raw = study()
    raw["datasets"]["a_plain"] = raw["datasets"]["b"]
    assert " is to be the experiment s_a_plain, which is there already (in " in refusal(raw)
    raw = study()
    raw["studies"]["s_a"] = {**raw["studies"]["s"], "rows": {}}
    raw["datasets"] = {"a": raw["datasets"]["a"], "a_a": raw["datasets"]["b"]}
    assert " is to be the experiment s_a_a, which is there already (in " in refusal(raw)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"bags": "thre"}, "studies.s.bags: 'thre' does not exist; did you mean 'three'?"),
        ({"method": "quik"}, "studies.s.method: 'quik' does not exist; did you mean 'quick'?"),
        (
            {"datasets": {"c": {}}},
            "studies.s.datasets: 'c' does not exist; allowed: a, b",
        ),
        (
            {"datasets": {"b": {"bags": "for"}}},
            "studies.s.datasets.b.bags: 'for' does not exist; did you mean 'four'?",
        ),
        (
            {"datasets": {"b": {"method": "slw"}}},
            "studies.s.datasets.b.method: 'slw' does not exist; did you mean 'slow'?",
        ),
        (
            {"datasets": {"b": {"rows": {"alon": {}}}}},
            "studies.s.datasets.b.rows: 'alon' does not exist; did you mean 'alone'?",
        ),
        (
            {"datasets": {"b": {"changes": {"nosy": {}}}}},
            "studies.s.datasets.b.changes: 'nosy' does not exist; did you mean 'noisy'?",
        ),
        (
            {"rows": {"new": {"bags": "four"}}},
            "studies.s.rows.new.bags: 'four' does not exist; allowed: noisy, single",
        ),
        (
            {"rows": {"new": {"overrides": {"los": {}}}}},
            "studies.s.rows.new.overrides: unknown key 'los'; did you mean 'loss'?",
        ),
        (
            {"datasets": {"b": {"overrides": {"batch": {"frames": 0}}}}},
            (
                "studies.s.datasets.b.overrides: 'batch.frames': Input should be greater than or "
                "equal to 1, got 0"
            ),
        ),
        (
            {"datasets": {"b": {"rows": {"alone": {"cpal": {"wieght": 0}}}}}},
            ("studies.s.datasets.b.rows.alone: unknown key 'cpal.wieght'; did you mean 'weight'?"),
        ),
        (
            {"rows": {"new": {"bags": "noisy"}}, "changes": {"noisy": {"noisy_part": 3}}},
            "studies.s.changes.noisy: unknown key 'noisy_part'; did you mean 'noisy_parts'?",
        ),
        (
            {
                "rows": {"new": {"bags": "noisy"}},
                "datasets": {"b": {"changes": {"noisy": {"noisy_parts": 0}}}},
            },
            (
                "studies.s.datasets.b.changes.noisy: 'noisy_parts': Input should be greater than "
                "or equal to 1, got 0"
            ),
        ),
    ],
)
def test_a_study_that_is_refused(changes: dict[str, Any], line: str) -> None:
    assert refusal(study(**changes)) == line


FRAME_CE = {"loss": {"name": "frame_ce"}, "cpal": {"weight": 0}}
TRACKLETS = {"instances": "tracklets", "loss": {"k": 1}}
IMPOSSIBLE: dict[str, tuple[dict[str, Any], str, str]] = {
    # what a row says, its bags (at most 3 tracklets of at most 4 frames), and why it cannot be
    "k, frames sampled": (
        {"overrides": {"loss": {"k": 9}}},
        "three",
        (
            "loss.k = 9 is larger than the 8 frames sampled from a bag (batch.frames); lower k or "
            "let a bag hold more"
        ),
    ),
    "k, frames there are": (
        {"overrides": {"loss": {"k": 13}, "batch": {"frames": 50}}},
        "three",
        (
            "loss.k = 13 is larger than the 12 frames that a bag can have (tracklets_per_bag, "
            "max_frames); lower k or let a bag hold more"
        ),
    ),
    "k, tracklets": (
        {"overrides": {"instances": "tracklets", "loss": {"k": 4}}},
        "three",
        (
            "loss.k = 4 is larger than the 3 tracklets that a bag can have; lower k or let a bag "
            "hold more"
        ),
    ),
    "k, noisy tracklets": (
        {"bags": "noisy", "overrides": {"instances": "tracklets", "loss": {"k": 3}}},
        "three_noisy",
        (
            "loss.k = 3 is larger than the 2 tracklets that a bag can have; lower k or let a bag "
            "hold more"
        ),
    ),
    "tracklets, one per bag": (
        {"bags": "single", "overrides": TRACKLETS},
        "three_single",
        (
            "instances: tracklets needs several tracklets in a bag, bags.three_single holds one; "
            "raise tracklets_per_bag or noisy_parts, or set instances: frames"
        ),
    ),
    "frame_ce, several tracklets": (
        {"overrides": FRAME_CE},
        "three",
        (
            "the loss frame_ce needs a label for every tracklet, but bags.three holds several; "
            "take bags with tracklets_per_bag: [1, 1]"
        ),
    ),
    "frame_ce, CPAL": (
        {"bags": "single", "overrides": {"loss": {"name": "frame_ce"}}},
        "three_single",
        (
            "CPAL needs several persons in a bag, frame_ce allows one; set cpal.weight: 0 in its "
            "overrides"
        ),
    ),
    "pairs": (
        {"overrides": {"batch": {"bags": 5}}},
        "three",
        ("batch.pairs = 3 pairs need 6 bags, a batch has 5; raise batch.bags or lower batch.pairs"),
    ),
    "CPAL without pairs": (
        {"overrides": {"batch": {"pairs": 0}}},
        "three",
        "CPAL needs batch.pairs of at least 1; raise it or turn CPAL off",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_a_row_that_cannot_be_is_refused_when_it_is_asked_for(case: str) -> None:
    row, bags, why = IMPOSSIBLE[case]
    raw = study(rows={"new": row})
    raw["tables"] = {
        "t": {
            "kind": "results",
            "study": "s",
            "title": "T",
            "datasets": ["a"],
            "rows": {"a row": "new"},
        }
    }
    found = plan_of(raw)
    assert found.refused == {name: f"experiments.{name}: {why}" for name in ("s_a_new", "s_b_new")}
    # asked for by a name of its own it is refused at once, its bags being there
    made = {name: block.model_dump(mode="json") for name, block in found.config.bags.items()}
    block = {"dataset": "a", "bags": bags, "method": "quick", "overrides": row["overrides"]}
    explicit = {**study(), "bags": made, "experiments": {"mine": block}}
    assert refusal(explicit) == f"experiments.mine: {why}"


def test_parts_longer_than_the_tracklets_that_are_generated() -> None:
    raw = study(changes={"cut": {"tracklet_parts": 6}}, rows={"new": {"bags": "cut"}})
    raw["datasets"]["b"]["frames"] = [5, 9]
    found = plan_of(raw)
    assert found.refused == {
        "s_b_new": (
            "experiments.s_b_new: bags.three_cut cuts a tracklet in 6 parts, dataset b has "
            "tracklets of 5 frames; lower tracklet_parts or raise datasets.b.frames"
        )
    }
    raw["datasets"]["b"]["frames"] = [6, 9]
    assert plan_of(raw).refused == {}


def test_an_alias_of_what_cannot_be_is_refused_with_it() -> None:
    rows = {"one": {"overrides": {"loss": {"k": 9}}}, "two": {"overrides": {"loss": {"k": 9}}}}
    found = plan_of(study(rows=rows))
    assert found.same["s_a_two"] == "s_a_one"
    assert found.row("s", "a", "two") in found.refused


@pytest.mark.parametrize(
    ("before", "override", "after"),
    [
        (
            {"name": "mil", "k": 3},
            {"name": "hslr"},
            losses.Hslr(name="hslr", k=3),
        ),
        (
            {"name": "hslr", "k": 3, "alpha": 0.5, "m": 0.2},
            {"name": "sslr"},
            losses.Sslr(name="sslr", k=3, alpha=0.5),
        ),
        (
            {"name": "sslr", "k": 3, "alpha": 0.5},
            {"name": "mil", "k": 4},
            losses.Mil(name="mil", k=4),
        ),
        ({"name": "mil", "k": 3}, {"name": "wsddn"}, losses.Wsddn(name="wsddn")),
        ({"name": "wsddn"}, {"name": "mil"}, losses.Mil(name="mil")),
        ({"name": "mil", "k": 3}, {"k": 4}, losses.Mil(name="mil", k=4)),
    ],
)
def test_another_loss_keeps_the_keys_that_both_have(before: Any, override: Any, after: Any) -> None:
    raw = study()
    # its rows say k, which not every loss has
    del raw["studies"]
    raw["methods"]["quick"]["loss"] = before
    block = {"dataset": "a", "bags": "four", "method": "quick", "overrides": {"loss": override}}
    raw["experiments"] = {"mine": block}
    assert plan_of(raw).experiments["mine"].method.loss == after


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(2, 9), min_size=4, max_size=25),
    per_bag=st.tuples(st.integers(1, 4), st.integers(0, 3)).map(lambda x: (x[0], x[0] + x[1])),
    parts=st.integers(1, 2),
    cap=st.none() | st.integers(1, 6),
    missing=st.none() | st.just(supervision.Missing(tracklets=(1, 3), frames=(2, 4))),
    noisy=st.none() | st.integers(1, 5),
)
def test_no_bag_holds_more_than_what_k_is_compared_with(
    counts: list[int],
    per_bag: tuple[int, int],
    parts: int,
    cap: int | None,
    missing: supervision.Missing | None,
    noisy: int | None,
) -> None:
    people = [1 + number % 7 for number in range(len(counts))]
    tracklets = pd.DataFrame(
        {
            "tracklet_id": range(len(counts)),
            "person_id": people,
            "camera_id": 1,
            "role": "train",
            "first_frame": np.cumsum([0, *counts[:-1]]),
            "frame_count": counts,
        }
    )
    owners = np.repeat(np.arange(len(counts)), counts)
    frames = pd.DataFrame({"tracklet_id": owners, "image": np.arange(len(owners))})
    block = supervision.Bags(
        tracklets_per_bag=per_bag,
        tracklet_parts=parts,
        max_frames=cap,
        missing=missing,
        noisy_parts=noisy,
    )
    values = {name: value for name, value in block if name not in LATER}
    made = bags.training_bags(tracklets, frames, seed=1, **values)
    if noisy is not None:
        made = bags.noisy_tracking(made, seed=1, parts=noisy)
    sampled = 1000
    method = methods.BagMethod(batch=methods.Batch(frames=sampled))
    most, of_what = refusals._largest_bag(block, method)
    assert made["frames"].map(len).max() <= most
    assert most == sampled or "max_frames" in of_what
    most, _ = refusals._largest_bag(block, method.model_copy(update={"instances": "tracklets"}))
    assert made["tracklet_ids"].map(len).max() <= most
