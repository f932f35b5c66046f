"""The config: what it takes, and the one line that says why it does not."""

import functools
import json
from typing import Any, get_origin

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests import configs
from tests.configs import ROOT

from weakreid.config import load, losses
from weakreid.config.sources import read_merged
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.read import plan_of


@functools.cache
def stored() -> dict[str, Any]:
    """Return the config of one paper, with an explicit experiment of its method."""
    of_wl = read_merged([ROOT / "workflow/papers/wl.yaml", ROOT / "config.yaml"])
    mine = {"dataset": "mars", "bags": "wl", "method": "wl"}
    return configs.changed(of_wl, "experiments.mine", mine)


def changed(key: str, value: Any) -> dict[str, Any]:
    """Return that with one key set, its blocks made where they are not there."""
    return configs.changed(stored(), key, value)


def refusal(raw: Any) -> str:
    """Return the line that refuses a config."""
    with pytest.raises(ReidError) as caught:
        plan_of(raw)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def test_the_projects_own_config_loads() -> None:
    found = plan_of(configs.own())
    assert found.experiments["wl_mars"].seeds == (1, 2, 3)
    assert found.config.bags["wl"].tracklets_per_bag == (3, 5)


def test_the_schema_is_that_of_the_models() -> None:
    path = ROOT / "workflow" / "schemas" / "config.schema.json"
    assert path.read_text(encoding="utf-8") == load.json_schema(), "run make docs"


MILDEST = {"datasets": {}, "bags": {}, "methods": {}, "experiments": {}}


def test_the_least_that_a_config_may_hold() -> None:
    assert load.read(MILDEST).seed == 1
    assert load.read({k: v for k, v in MILDEST.items() if k != "experiments"}).experiments == {}


# --- keys -----------------------------------------------------------------------------------------

SHA = "0" * 64
MISSPELT = {
    # key given: the key meant
    "sed": "seed",
    "validation_fractions": "validation_fraction",
    "dataset": "datasets",
    "coarse.max_frame": "max_frames",
    "audit.frame": "frames",
    "datasets.mars.rooot": "root",
    "datasets.dukev.on_bad_frames": "on_bad_frame",
    "datasets.ilids.archive": "archives",
    "datasets.prid.rot": "root",
    "datasets.walkers.siez": "size",
    "bags.wl.tracklets_per_bags": "tracklets_per_bag",
    "bags.more.missing.trackelts": "tracklets",
    "bags.more.planted.remved": "removed",
    "bags.wl.noisy_part": "noisy_parts",
    "methods.wl.optimizer": "optimiser",
    "methods.wl.instance": "instances",
    "methods.wl.model.backbon": "backbone",
    "methods.wl.image.hight": "height",
    "methods.wl.augment.flop": "flip",
    "methods.wl.loss.kk": "k",
    "methods.wl.cpal.wieght": "weight",
    "methods.wl.batch.frame": "frames",
    "methods.wl.optimiser.momentun": "momentum",
    "methods.wl.schedule.epoch": "epochs",
    "methods.wl.evaluation.metrics": "metric",
    "experiments.mine.metod": "method",
    "experiments.mine.seed": "seeds",
    "studies.wl.sedes": "seeds",
    "studies.wl.datasets.walkers.metod": "method",
    "studies.wl.rows.mil.bag": "bags",
    "tables.demo.tilte": "title",
    "tables.wl_table1.papr": "paper",
    "tables.wl_table2.protocol": "protocols",
    "tables.wl_figure5.studdy": "study",
    "tables.wl_cost.dataset": "datasets",
    "tables.wl_audit.rows": "row",
}


@pytest.mark.parametrize("key", MISSPELT)
def test_a_misspelt_key_is_named_with_the_right_one(key: str) -> None:
    line = refusal(changed(key, 1))
    assert line == f"config.yaml: unknown key '{key}'; did you mean '{MISSPELT[key]}'?"


@pytest.mark.parametrize(
    ("loss", "line"),
    [
        ({"name": "hslr", "aplha": 1}, "unknown key '{}.aplha'; did you mean 'alpha'?"),
        ({"name": "sslr", "gama": 1}, "unknown key '{}.gama'; did you mean 'gamma'?"),
        (
            {"name": "frame_ce", "smoothin": 0},
            "unknown key '{}.smoothin'; did you mean 'smoothing'?",
        ),
        ({"name": "wsddn", "k": 3}, "unknown key '{}.k'; allowed: name"),
        ({"name": "mill"}, "'{}.name': 'mill' does not exist; did you mean 'mil'?"),
        ({"k": 3}, "'{}.name' is missing; allowed: cv_miml, frame_ce, hslr, mil, sslr, wsddn"),
        ("mil", "'{}': Input should be a block of keys, got \"mil\""),
        ({"name": "sslr", "k": 0}, "'{}.k': Input should be greater than or equal to 1, got 0"),
        (
            {"name": "hslr", "m": 2},
            "'{}.m': Input should be less than or equal to 1, got 2",
        ),
    ],
)
def test_a_wrong_loss(loss: Any, line: str) -> None:
    wanted = "config.yaml: " + line.format("methods.wl.loss")
    assert refusal(changed("methods.wl.loss", loss)) == wanted


@pytest.mark.parametrize(
    ("dataset", "line"),
    [
        (
            {"kind": "marz", "root": "x"},
            "'{}.kind': 'marz' does not exist; did you mean 'mars'?",
        ),
        ({"root": "x"}, "'{}.kind' is missing; allowed: dukev, ilids, mars, mot, prid, walkers"),
        ({"kind": "mars"}, "'{}.root' is missing; it must be given"),
        ({"kind": "mars", "root": 5}, "'{}.root': Input should be a valid string, got 5"),
        (
            {"kind": "dukev", "root": "x", "size": "tiny"},
            "unknown key '{}.size'; allowed: archives, kind, official, on_bad_frame, root",
        ),
        (
            {"kind": "prid", "root": "x", "archives": {"a": {"url": "file:a", "sha": SHA}}},
            "unknown key '{}.archives.a.sha'; did you mean 'sha256'?",
        ),
        (
            {"kind": "ilids", "root": "x", "archives": {"a": {"sha256": SHA}}},
            "'{}.archives.a.url' is missing; it must be given",
        ),
        (
            {"kind": "mars", "root": "$SCRATCH/mars"},
            (
                "'{}.root': $SCRATCH is not expanded, only ~ is; write the path in full, "
                'got "$SCRATCH/mars"'
            ),
        ),
        (
            {"kind": "prid", "root": "x", "archives": {"a": {"url": "file:${HOME}/a"}}},
            (
                "'{}.archives.a.url': ${{HOME}} is not expanded, only ~ is; write the path in full"
                ', got "file:${{HOME}}/a"'
            ),
        ),
        (
            {"kind": "mars", "root": "~nobody_of_this_name/mars"},
            (
                "'{}.root': No home folder is known for ~nobody_of_this_name; write the path in "
                'full, got "~nobody_of_this_name/mars"'
            ),
        ),
        (
            {"kind": "walkers", "size": "medium"},
            "'{}.size': Input should be 'tiny', 'demo' or 'mars', got \"medium\"",
        ),
        (
            {"kind": "walkers", "frames": [9, 3]},
            "'{}.frames': Input should be [smallest, largest], got [9, 3]",
        ),
        (None, "'{}': Input should be a block of keys, got null"),
    ],
)
def test_a_wrong_dataset(dataset: Any, line: str) -> None:
    wanted = "config.yaml: " + line.format("datasets.mine")
    assert refusal(changed("datasets.mine", dataset)) == wanted


def test_home_in_every_place_of_the_user_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    archives = {
        "a.zip": {"url": "file:~/a.zip"},
        "b.zip": {"url": "https://example.org/~ada/b.zip?$top=1"},
    }
    raw = changed("datasets.mine", {"kind": "mars", "root": "~/mars", "archives": archives})
    found = load.read(raw).datasets["mine"]
    assert found.root == "/home/ada/mars"
    urls = [archive.url for archive in found.archives.values()]
    assert urls == ["file:/home/ada/a.zip", "https://example.org/~ada/b.zip?$top=1"]
    for key, block in (
        (
            "datasets.mine",
            {"kind": "mot", "sequences": [{"name": "a", "boxes": "b", "video": "v"}]},
        ),
        ("attribute_sources.mine", {"kind": "rap"}),
        ("trackers.mine", {"sequences": ["a"]}),
    ):
        loaded = load.read(changed(key, {**block, "root": "~"}))
        assert getattr(loaded, key.partition(".")[0])["mine"].root == "/home/ada"


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "seed",
            "x",
            "'{}': Input should be a valid integer, unable to parse string as an integer",
        ),
        ("seed", None, "'{}': Input should be a valid integer"),
        ("seed", True, "'{}': Input should be a number"),
        ("seed", 1.5, "'{}': Input should be a valid integer, got a number with a fractional part"),
        ("seed", -1, "'{}': Input should be greater than or equal to 0"),
        ("validation_fraction", 1, "'{}': Input should be less than 1"),
        ("datasets", [], "'{}': Input should be a block of keys"),
        ("tables", None, "'{}': Input should be a block of keys"),
        ("bags.wl", None, "'{}': Input should be a block of keys"),
        ("bags.wl.tracklets_per_bag", [5, 3], "'{}': Input should be [smallest, largest]"),
        (
            "bags.wl.tracklets_per_bag",
            [3],
            "'{}': Input should be two numbers, [smallest, largest]",
        ),
        ("bags.wl.tracklets_per_bag", 3, "'{}': Input should be two numbers, [smallest, largest]"),
        (
            "bags.wl.tracklets_per_bag",
            [1, 2, 3],
            "'{}': Input should be two numbers, [smallest, largest]",
        ),
        ("bags.wl.missing", "some", "'{}': Input should be a block of keys"),
        ("bags.more.missing.frames", [30, 5], "'{}': Input should be [smallest, largest]"),
        (
            "methods.wl.optimiser.lr",
            "fast",
            "'{}': Input should be a valid number, unable to parse string as a number",
        ),
        ("methods.wl.optimiser.lr", float("inf"), "'{}': Input should be a finite number"),
        ("methods.wl.optimiser.lr", False, "'{}': Input should be a number"),
        (
            "methods.wl.evaluation.rerank",
            "ture",
            "'{}': Input should be a valid boolean, unable to interpret input",
        ),
        ("methods.wl.precision", "16", "'{}': Input should be 'auto', '32' or 'bf16'"),
        ("methods.wl.model.last_stride", 3, "'{}': Input should be 1 or 2"),
        ("methods.wl.model.frozen", "stem", "'{}': Input should be a valid list"),
        ("experiments.mine.seeds", [], "'{}': Input should not be empty"),
        ("experiments.mine.seeds", [1, 1], "'{}': Input should hold nothing twice"),
        ("experiments.mine.splits", [], "'{}': Input should not be empty"),
        ("experiments.mine.splits", "dev", "'{}': Input should be a valid list"),
        ("experiments.mine.overrides", None, "'{}': Input should be a block of keys"),
        ("bags.wl.noisy_parts", 0, "'{}': Input should be greater than or equal to 1"),
        ("bags.more.planted.removed", 1.5, "'{}': Input should be less than or equal to 1"),
        ("methods.wl.instances", "videos", "'{}': Input should be 'frames' or 'tracklets'"),
        ("audit.top", 0, "'{}': Input should be greater than or equal to 1"),
        ("studies.wl.rows.mil", None, "'{}': Input should be a block of keys"),
        ("studies.wl.rows.mil.overrides", 3, "'{}': Input should be a block of keys"),
        ("studies.wl.changes.noisy", [], "'{}': Input should be a block of keys"),
        ("studies.wl.datasets.walkers.rows.mil", 5, "'{}': Input should be a block of keys"),
        ("studies.wl.datasets.walkers.seeds", [], "'{}': Input should not be empty"),
        ("tables.demo.rows", {}, "'{}': Input should not be empty"),
        ("tables.wl_table2.rows", {}, "'{}': Input should not be empty"),
        ("tables.wl_table2.datasets", ["mars"] * 2, "'{}': Input should hold nothing twice"),
        ("tables.wl_table2.protocols", [], "'{}': Input should not be empty"),
    ],
)
def test_a_wrong_value(key: str, value: Any, line: str) -> None:
    wanted = f"config.yaml: {line.format(key)}, got {json.dumps(value)}"
    assert refusal(changed(key, value)) == wanted


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "methods.wl.model.frozen",
            ["stem", "layer9"],
            (
                "'methods.wl.model.frozen.1': Input should be 'stem', 'layer1', 'layer2', 'layer3' "
                "or 'layer4', got \"layer9\""
            ),
        ),
        (
            "experiments.mine.splits",
            ["10"],
            (
                "'experiments.mine.splits.0': String should match pattern "
                "'^(official|dev|[0-9])$', got \"10\""
            ),
        ),
        (
            "datasets.My-Set",
            {"kind": "walkers"},
            "'datasets': the name \"My-Set\" may hold a-z, 0-9 and _ only",
        ),
        (
            "methods.wl.model.weights",
            "package",
            (
                "'methods.wl.model': no package ships weights of resnet50; set weights to 'hub', a "
                "file's path or 'none'"
            ),
        ),
        (
            "tables.demo",
            {"kind": "results"},
            "'tables.demo.title' is missing; it must be given (and 1 more)",
        ),
        (
            "tables.demo",
            {"title": "Mine", "rows": {"a row": "demo"}},
            (
                "'tables.demo.kind' is missing; allowed: attention, audit, by_attribute, cost, "
                "counts, examples, groups, isolation, labels, masks, matches, noise, ratios, "
                "results, visibility, weights"
            ),
        ),
        (
            "tables.demo.kind",
            "reslts",
            "'tables.demo.kind': 'reslts' does not exist; did you mean 'results'?",
        ),
        (
            "tables.wl_table2.metrics",
            ["R-1", "R-2"],
            (
                "'tables.wl_table2.metrics.1': Input should be 'R-1', 'R-5', 'R-10', 'R-20', "
                "'mAP', 'impurity' or 'clusters', got \"R-2\""
            ),
        ),
        (
            "tables.wl_table2.protocols",
            ["fien"],
            (
                "'tables.wl_table2.protocols.0': Input should be 'fine', 'coarse' or 'reranked', "
                'got "fien"'
            ),
        ),
        (
            "studies.Mine",
            {"reference": "WL-MARS", "bags": "wl", "method": "wl"},
            "'studies': the name \"Mine\" may hold a-z, 0-9 and _ only",
        ),
        # --config 'datasets={mars:{root:x}}' without spaces
        (
            "datasets.mars.root:x",
            None,
            "unknown key 'datasets.mars.root:x'; put a space after the colon",
        ),
    ],
)
def test_a_wrong_value_of_its_own_kind(key: str, value: Any, line: str) -> None:
    assert refusal(changed(key, value)) == f"config.yaml: {line}"


def test_a_misspelt_block_is_named_before_the_one_that_lacks() -> None:
    raw = dict(stored())
    raw["metods"] = raw.pop("methods")
    assert refusal(raw) == (
        "config.yaml: unknown key 'metods'; did you mean 'methods'? (and 1 more)"
    )


def test_a_long_value_is_cut() -> None:
    assert len(refusal(changed("methods.wl.loss", "x" * 1000))) < 200


@pytest.mark.parametrize("raw", [None, [], 5, "text"])
def test_a_config_that_is_no_mapping(raw: Any) -> None:
    assert refusal(raw) == "config.yaml: Input should be a block of keys"


# --- names and combinations -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("dataset", "marss", "'marss' does not exist; did you mean 'mars'?"),
        ("bags", "wl_part7", "'wl_part7' does not exist; did you mean 'wl_parts7'?"),
        (
            "method",
            "mine",
            (
                "'mine' does not exist; allowed: buc, buc_small, eug, eug_small, small, uga, "
                "uga_small, wl"
            ),
        ),
    ],
)
def test_a_name_that_does_not_exist(key: str, value: str, line: str) -> None:
    place = f"experiments.mine.{key}"
    assert refusal(changed(place, value)) == f"{place}: {line}"


@pytest.mark.parametrize("change", ["missing", "planted"])
def test_full_supervision_by_labels_that_are_wrong(change: str) -> None:
    raw = changed("bags.wrong", {"tracklets_per_bag": [1, 1], change: {}})
    raw["experiments"]["full"] = {
        "dataset": "walkers",
        "bags": "wrong",
        "method": "wl",
        "overrides": {"loss": {"name": "frame_ce"}, "cpal": {"weight": 0}},
    }
    assert refusal(raw) == (
        "experiments.full: the loss frame_ce takes a bag's label for every frame of it, but in "
        "bags.wrong labels are wrong; leave out missing and planted"
    )


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        ({"schedul": {"epochs": 1}}, "unknown key 'schedul'; did you mean 'schedule'?"),
        ({"optimiser": {"lrr": 1}}, "unknown key 'optimiser.lrr'; did you mean 'lr'?"),
        ({"cpal": 5}, "'cpal': Input should be a block of keys, got 5"),
        ({"cpal": {"weight": 5}}, "'cpal.weight': Input should be less than or equal to 1, got 5"),
        ({"loss": {"gamma": 2}}, "unknown key 'loss.gamma'; allowed: k, name"),
        ({"loss": {"name": "sslrr"}}, "'loss.name': 'sslrr' does not exist; did you mean 'sslr'?"),
        (
            {"model": {"weights": "package"}},
            (
                "'model': no package ships weights of resnet50; set weights to 'hub', a file's "
                "path or 'none'"
            ),
        ),
    ],
)
def test_an_override_that_does_not_fit(overrides: Any, line: str) -> None:
    place = "experiments.mine.overrides"
    assert refusal(changed(place, overrides)) == f"{place}: {line}"


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "overrides",
            {"loss": {"name": "frame_ce"}},
            (
                "experiments.mine: the loss frame_ce needs a label for every tracklet, but "
                "bags.wl holds several; take bags with tracklets_per_bag: [1, 1]"
            ),
        ),
        (
            "overrides",
            {"loss": {"k": 101}},
            (
                "experiments.mine: loss.k = 101 is larger than the 100 frames sampled from a bag "
                "(batch.frames); lower k or let a bag hold more"
            ),
        ),
        (
            "overrides",
            {"batch": {"pairs": 0}},
            "experiments.mine: CPAL needs batch.pairs of at least 1; raise it or turn CPAL off",
        ),
        (
            "overrides",
            {"batch": {"pairs": 6}},
            (
                "experiments.mine: batch.pairs = 6 pairs need 12 bags, a batch has 10; raise "
                "batch.bags or lower batch.pairs"
            ),
        ),
        (
            "splits",
            ["official", "3"],
            "experiments.mine.splits: dataset mars has no split 3; take official or dev",
        ),
    ],
)
def test_a_combination_that_cannot_be(key: str, value: Any, line: str) -> None:
    assert refusal(changed(f"experiments.mine.{key}", value)) == line


def test_cpal_with_a_label_for_every_tracklet() -> None:
    raw = changed("experiments.mine.bags", "tracklets")
    raw["experiments"]["mine"]["overrides"] = {"loss": {"name": "frame_ce"}}
    assert refusal(raw) == (
        "experiments.mine: CPAL needs several persons in a bag, frame_ce allows one; "
        "set cpal.weight: 0 in its overrides"
    )


@pytest.mark.parametrize("name", paths.TAKEN)
def test_an_experiment_in_a_folder_that_is_taken(name: str) -> None:
    raw = changed(f"experiments.{name}", stored()["experiments"]["mine"])
    assert refusal(raw) == f"experiments.{name}: results/{name} holds other things; rename it"


# --- what is taken --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        # as --config gives them: text, whatever was meant
        ("methods.wl.schedule.epochs", "5", 5),
        ("methods.wl.optimiser.lr", "5", 5.0),
        ("methods.wl.optimiser.lr", "1e-3", 0.001),
        ("methods.wl.optimiser.clip", "null", None),
        ("methods.wl.schedule.steps_per_epoch", "null", None),
        ("methods.wl.evaluation.rerank", "true", True),
        ("methods.wl.evaluation.rerank", "false", False),
        ("methods.wl.model.last_stride", "1", 1),
        ("methods.wl.model.weights", "none", "none"),
        ("bags.wl.max_frames", "null", None),
        ("bags.more.missing", "null", None),
        ("bags.wl.tracklets_per_bag", ["1", "2"], (1, 2)),
        ("experiments.mine.seeds", ["1", "2"], [1, 2]),
        # as YAML gives them
        ("methods.wl.precision", 32, "32"),
        ("experiments.mine.splits", ["official", "dev"], ["official", "dev"]),
        ("tables.demo.title", 2026, "2026"),
    ],
)
def test_the_value_that_was_meant(key: str, given: Any, value: Any) -> None:
    found: Any = plan_of(changed(key, given)).config
    for part in key.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert found == value
    assert type(found) is type(value)


def test_splits_may_be_numbers() -> None:
    block = {"dataset": "ilids", "bags": "wl", "method": "wl", "splits": [0, 9]}
    found = plan_of(changed("experiments.mine", block))
    assert found.experiments["mine"].splits == ("0", "9")


def test_names_may_be_numbers() -> None:
    raw = changed("bags.wl", {})
    raw["bags"][7] = {"max_frames": 7}
    raw["experiments"]["mine"]["bags"] = 7
    found = plan_of(raw)
    assert found.config.bags[found.experiments["mine"].bags].max_frames == 7


def test_overrides_replace_single_values() -> None:
    raw = changed("experiments.mine.overrides", {"optimiser": {"lr": "0.5"}})
    found = plan_of(raw)
    before = found.config.methods["wl"]
    after = found.experiments["mine"].method
    assert after.optimiser == before.optimiser.model_copy(update={"lr": 0.5})
    assert after.model == before.model


def test_another_loss_brings_its_own_keys() -> None:
    raw = changed("experiments.mine.overrides", {"loss": {"name": "wsddn"}})
    found = plan_of(raw)
    assert found.experiments["mine"].method.loss == losses.Wsddn(name="wsddn")


# --- whatever people type -------------------------------------------------------------------------


def places(block: Any, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the place of every key in a mapping."""
    if not isinstance(block, dict):
        return []
    found = []
    for key, value in block.items():
        found += [(*prefix, key), *places(value, (*prefix, key))]
    return found


PLACES = places(configs.tiny())
NAMED = {
    *(("studies", "changes"), ("studies", "rows"), ("tables", "rows")),
    *(("datasets", "archives"), ("attribute_sources", "archives")),
}
"""Blocks below a study, a table or data whose keys people name."""
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(SCALARS, inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def misspelt(draw: st.DrawFn, word: str) -> str:
    """Draw a word with a letter left out, doubled, replaced, added, or two swapped."""
    at = draw(st.integers(0, len(word) - 1))
    letter = draw(st.characters(exclude_categories=["Cs"]))
    kind = draw(st.sampled_from(["out", "twice", "other", "more", "swap"]))
    return {
        "out": word[:at] + word[at + 1 :],
        "twice": word[:at] + word[at] + word[at:],
        "other": word[:at] + letter + word[at + 1 :],
        "more": word[:at] + letter + word[at:],
        "swap": word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    }[kind]


NAMED_BLOCKS = {
    name for name, field in load.Config.model_fields.items() if get_origin(field.annotation) is dict
}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_misspelt_keys_are_refused_in_one_line_or_are_names(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(PLACES))
    word = data.draw(misspelt(place[-1]))
    assume(word != place[-1])
    raw = configs.tiny()
    block = raw
    for part in place[:-1]:
        block = block[part]
    block[word] = block.pop(place[-1])
    try:
        plan_of(raw)
    except ReidError as error:
        assert len(str(error).splitlines()) == 1
    else:
        # blocks that people name: a new name is as good as the old one, where nobody uses it
        named = len(place) == 2 and place[0] in NAMED_BLOCKS
        named |= len(place) == 4 and (place[0], place[2]) in NAMED
        assert named, place


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), VALUES)
@example(("studies", "mini", "changes", "spoilt"), {})
def test_no_value_ends_in_a_traceback(place: tuple[str, ...], value: Any) -> None:
    raw = configs.tiny()
    block = raw
    for part in place[:-1]:
        block = block[part]
    block[place[-1]] = value
    try:
        plan_of(raw)
    except ReidError as error:
        assert len(str(error).splitlines()) == 1
