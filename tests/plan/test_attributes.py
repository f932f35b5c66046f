"""The config of attributes and of learning from clips: what it takes and refuses."""

import copy
from typing import Any

import pytest

from weakreid import attributes
from weakreid.config import methods
from weakreid.errors import ReidError
from weakreid.plan.read import RULES, plan_of

SMALL: dict[str, Any] = {
    "datasets": {
        "a": {"kind": "walkers", "size": "tiny"},
        "real": {"kind": "mars", "root": "data/mars"},
        "film": {
            "kind": "mot",
            "root": "film",
            "sequences": [{"name": "hall", "boxes": "boxes.txt", "video": "hall.avi"}],
        },
    },
    "bags": {"three": {"tracklets_per_bag": [2, 3]}},
    "attribute_sources": {
        "rap": {"kind": "rap", "root": "data/rap"},
        "drawn": {"kind": "walkers", "size": "tiny"},
    },
    "transfers": {"drawn": {"source": "drawn"}, "sure": {"labels": "truth"}},
    "methods": {
        "bagged": {"batch": {"frames": 8}},
        "clips": {"learns": "clips"},
        "seven": {"learns": "clips", "model": {"dimension": 70}, "aggregation": {"name": "groups"}},
    },
    "experiments": {
        "plain": {"dataset": "a", "method": "clips"},
        "mine": {"dataset": "a", "transfer": "drawn", "method": "seven"},
    },
    "studies": {
        "s": {
            "reference": "The Paper's",
            "method": "seven",
            "transfer": "drawn",
            "transfers": {
                "bce": {"loss": "bce", "mmd": 0},
                "short": {"schedule": {"epochs": 1}},
                "same": {"loss": "wbce"},
                "sure": {"labels": "truth"},
            },
            "rows": {
                "a": {"overrides": {"aggregation": {"name": "average"}}},
                "bce": {"transfer": "bce"},
                "short": {"transfer": "short"},
                "same": {"transfer": "same"},
                "sure": {"transfer": "sure"},
            },
        }
    },
    "tables": {
        "ratios": {"kind": "ratios", "source": "rap", "title": "t"},
        "labels": {
            "kind": "labels",
            "study": "s",
            "title": "t",
            "datasets": ["a"],
            "rows": {"BCE": "bce"},
        },
    },
}


def changed(key: str, value: Any) -> dict[str, Any]:
    """Return the small config with one value replaced; the key's parts are divided by dots."""
    raw = copy.deepcopy(SMALL)
    *blocks, last = key.split(".")
    at = raw
    for block in blocks:
        at = at.setdefault(block, {})
    at[last] = value
    return raw


def refusal(raw: dict[str, Any]) -> str:
    """Return the one line with which a config is refused."""
    with pytest.raises(ReidError) as caught:
        plan_of(raw)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_the_groups_hold_the_66_names_once() -> None:
    assert len(attributes.NAMES) == len(set(attributes.NAMES)) == 66
    assert list(attributes.TITLES) == list(attributes.GROUPS)


def test_defaults_are_the_paper_s() -> None:
    loaded = plan_of(SMALL)
    learnt = loaded.config.transfers["drawn"]
    assert isinstance(learnt, methods.Transfer)
    chosen = (learnt.loss, learnt.mmd, learnt.sigma, learnt.alpha, learnt.threshold)
    assert chosen == ("wbce", 1.0, 1.0, 0.5, 0.5)
    assert isinstance(loaded.config.transfers["sure"], methods.TrueAttributes)
    method = loaded.experiments["mine"].method
    assert isinstance(method, methods.ClipMethod) and method.attributes is not None
    assert method.attributes.sigma == 0.5 and method.clips.frames == 8
    assert {g: tuple(n) for g, n in method.attributes.groups.items()} == attributes.GROUPS


def test_rows_of_a_study_have_their_transfers() -> None:
    loaded = plan_of(SMALL)
    of = {name: e.transfer for name, e in loaded.experiments.items() if name.startswith("s_a")}
    assert of == {
        "s_a": "drawn",
        "s_a_a": None,
        "s_a_bce": "drawn_bce",
        "s_a_short": "drawn_short",
        "s_a_sure": "sure",
    }
    assert loaded.same["s_a_same"] == "s_a"
    made = loaded.config.transfers["drawn_bce"]
    assert isinstance(made, methods.Transfer)
    assert (made.loss, made.mmd, made.source) == ("bce", 0, "drawn")
    short = loaded.config.transfers["drawn_short"]
    assert isinstance(short, methods.Transfer)
    # a block's other values stay
    assert short.schedule.epochs == 1 and short.schedule.factor == 0.1


def test_the_truth_is_known_of_generated_people_alone() -> None:
    loaded = plan_of(SMALL)
    assert loaded.refused["s_real_sure"] == (
        "experiments.s_real_sure: nobody knows the true attributes of dataset real; take a "
        "transfer that is learnt"
    )
    assert "have no truth" in loaded.refused["s_film"]
    assert "s_real" not in loaded.refused


def showing(**experiments: dict[str, Any]) -> dict[str, Any]:
    """Return the small config with experiments more; `visibility` is theirs of the aggregation."""
    raw = copy.deepcopy(SMALL)
    for name, given in experiments.items():
        rest = {key: value for key, value in given.items() if key != "visibility"}
        overrides = {"aggregation": {"visibility": given["visibility"]}}
        base = {"dataset": "a", "transfer": "drawn", "method": "seven"}
        raw["experiments"][name] = {**base, **rest, "overrides": overrides}
    return raw


def test_what_frames_show_is_learnt_of_generated_people_and_kept_elsewhere() -> None:
    learnt = {"visibility": "learnt"}
    kept = {"visibility": "kept", "dataset": "real"}
    plan = plan_of(showing(one=learnt, two={**kept, "init": "one"}, three={**kept, "init": "two"}))
    shown = RULES["train_clips"].needs(plan, experiment="one", run="official-1")
    assert shown.inputs["truth"] == ["results/datasets/a/generated"]
    for name in ("two", "mine"):
        job = RULES["train_clips"].needs(plan, experiment=name, run="official-1")
        assert job.inputs["truth"] == []
    assert refusal(showing(one={**learnt, "dataset": "real"})).startswith(
        "experiments.one: aggregation.visibility: learnt needs to know what each frame shows"
    )
    for other in ({}, {"init": "mine"}):
        assert refusal(showing(one={**kept, **other})) == (
            "experiments.one: aggregation.visibility: kept takes what the experiment of init "
            "learnt of frames; start from one with visibility: learnt"
        )


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "transfers.drawn.source",
            "rapp",
            "transfers.drawn.source: 'rapp' does not exist; did you mean 'rap'?",
        ),
        (
            "transfers.drawn.attributes",
            ["hs-Hatt"],
            (
                "config.yaml: 'transfers.drawn.attributes.0': no attribute is called 'hs-Hatt'; "
                'did you mean hs-Hat?, got "hs-Hatt"'
            ),
        ),
        (
            "transfers.sure.loss",
            "bce",
            "config.yaml: unknown key 'transfers.sure.loss'; allowed: labels",
        ),
        (
            "transfers.drawn.batch",
            {"cache_mb": 10},
            (
                "transfers.drawn: batch.cache_mb needs a frozen first stage; add stem to "
                "model.frozen, or "
                "set cache_mb: 0 (and 2 more)"
            ),
        ),
        (
            "methods.seven.aggregation",
            {"name": "groups", "groups": {"shoes": ["shoes-Sport"], "hats": []}},
            (
                "config.yaml: 'methods.seven.aggregation.groups': the group hats has no attribute; "
                "give it one, or leave it out"
            ),
        ),
        (
            "methods.seven.aggregation",
            {"name": "groups", "groups": {"shoes": ["shoes-Sport"], "feet": ["shoes-Sport"]}},
            (
                "config.yaml: 'methods.seven.aggregation.groups': shoes-Sport is in the group feet "
                "and in shoes; keep one"
            ),
        ),
        (
            "methods.seven.aggregation",
            {"name": "groups", "groups": {}},
            (
                "config.yaml: 'methods.seven.aggregation.groups': no group of attributes; leave "
                "`groups` out for ATTR's six"
            ),
        ),
        (
            "methods.seven.model",
            {"dimension": 64},
            (
                "config.yaml: 'methods.seven': model.dimension 64 does not divide into 7 segments, "
                "one for each group of attributes and one for all; take a multiple of 7"
            ),
        ),
        (
            "methods.seven.model",
            {"embedding": "bnneck"},
            (
                "config.yaml: 'methods.seven': aggregation.disentangled cuts the embedding into "
                "segments; set model.embedding: fc (or fc_bn) and a model.dimension"
            ),
        ),
        (
            "methods.clips.image",
            {"height": 64, "width": 32, "resized": [60, 40]},
            (
                "config.yaml: 'methods.clips.image': resized is [60, 40], smaller than height x "
                "width; enlarge it"
            ),
        ),
        (
            "methods.clips.clip",
            3,
            "config.yaml: unknown key 'methods.clips.clip'; did you mean 'clips'?",
        ),
        (
            "experiments.mine.bags",
            "three",
            (
                "experiments.mine.bags: the method seven learns from clips; leave bags out, or "
                "take another method"
            ),
        ),
        (
            "experiments.mine.transfer",
            None,
            (
                "config.yaml: 'experiments.mine.transfer' is missing; the method seven learns "
                "attributes"
            ),
        ),
        (
            "experiments.plain.transfer",
            "drawn",
            (
                "experiments.plain.transfer: the method clips learns no attributes; leave transfer "
                "out, or set aggregation: {name: groups} in its overrides"
            ),
        ),
        (
            "experiments.attributes",
            {"dataset": "a", "method": "clips"},
            "experiments.attributes: results/attributes holds other things; rename it",
        ),
        (
            "shown_attributes",
            {"a": "sure"},
            "shown_attributes.a: sure is the truth; take a transfer that is learnt",
        ),
        (
            "shown_attributes",
            {"aa": "drawn"},
            "shown_attributes: 'aa' does not exist; did you mean 'a'?",
        ),
        (
            "studies.s.rows.bce.transfer",
            "bcee",
            "studies.s.rows.bce.transfer: 'bcee' does not exist; did you mean 'bce'?",
        ),
        (
            "studies.s.transfer",
            None,
            (
                "config.yaml: 'studies.s.transfer' is missing; the method of a row of it learns "
                "attributes"
            ),
        ),
        (
            "tables.ratios.source",
            "rip",
            "tables.ratios.source: 'rip' does not exist; did you mean 'rap'?",
        ),
        (
            "tables.labels.rows",
            {"BCE": "bec"},
            "tables.labels.rows.BCE: 'bec' does not exist; did you mean 'bce'?",
        ),
    ],
)
def test_what_is_refused(key: str, value: Any, line: str) -> None:
    assert refusal(changed(key, value)) == line


def test_a_group_whose_attributes_nobody_transfers() -> None:
    raw = changed("transfers.drawn.attributes", ["Female", "hs-Hat"])
    assert refusal(raw) == (
        "experiments.mine: transfers.drawn.attributes has none of the group up_body; add one, or "
        "leave the group out of aggregation.groups"
    )


def test_maps_of_whole_frames_do_not_go_with_frames_that_are_cut() -> None:
    method = {
        "learns": "clips",
        "model": {"frozen": ["stem"]},
        "image": {"resized": [288, 144]},
        "batch": {"cache_mb": 100},
    }
    assert refusal(changed("methods.clips", method)) == (
        "experiments.plain: batch.cache_mb keeps what frozen stages make of whole frames; set "
        "image.resized: null, or cache_mb: 0"
    )


def test_a_transfer_of_a_name_that_is_taken() -> None:
    raw = changed("transfers.drawn_bce", {"source": "rap"})
    assert refusal(raw) == (
        "studies.s.transfers.bce: transfers.drawn_bce is there already and differs; rename one"
    )


def test_groups_of_overrides_are_the_only_ones() -> None:
    groups = {
        "aggregation": {"name": "groups", "groups": {"shoes": ["shoes-Sport"]}},
        "model": {"dimension": 8},
    }
    loaded = plan_of(changed("experiments.mine.overrides", groups))
    method = loaded.experiments["mine"].method
    assert isinstance(method, methods.ClipMethod) and method.attributes is not None
    assert method.attributes.groups == {"shoes": ["shoes-Sport"]}
    assert method.attributes.sigma == 0.5


def test_shown_attributes_may_be_those_of_a_study_s_transfer() -> None:
    raw = changed("shown_attributes", {"a": "drawn_bce"})
    assert plan_of(raw).config.shown_attributes == {"a": "drawn_bce"}


def test_a_table_of_one_dataset() -> None:
    line = refusal(changed("tables.labels.datasets", ["a", "real"]))
    assert line.startswith("config.yaml: 'tables.labels.datasets': ")


def test_a_table_of_labels_needs_a_row_that_has_some() -> None:
    assert refusal(changed("tables.labels.rows", {"A": "a"})) == (
        "tables.labels.rows.A: s_a_a learns no attributes; take another row of the study"
    )
