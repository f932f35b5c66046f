"""The config: what it takes, and the one line that says why it does not."""

import copy
import functools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from weakreid import config
from weakreid.errors import ReidError

ROOT = Path(__file__).resolve().parents[1]


@functools.cache
def stored() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


def changed(key: str, value: Any) -> dict[str, Any]:
    """Return config.yaml with one key set, its blocks made where they are not there."""
    raw = copy.deepcopy(stored())
    block = raw
    *parents, last = key.split(".")
    for part in parents:
        block = block.setdefault(part, {})
    block[last] = value
    return raw


def refusal(raw: Any) -> str:
    """Return the line that refuses a config."""
    with pytest.raises(ReidError) as caught:
        config.load(raw)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def test_the_projects_own_config_loads() -> None:
    found = config.load(stored())
    assert found.experiments["wl_mars"].seeds == [1]
    assert found.bags["wl"].tracklets_per_bag == (3, 5)


def test_the_schema_is_that_of_the_models() -> None:
    path = ROOT / "workflow" / "schemas" / "config.schema.json"
    assert path.read_text(encoding="utf-8") == config.json_schema(), "run make schema"


MILDEST = {"datasets": {}, "bags": {}, "methods": {}, "experiments": {}}


def test_the_least_that_a_config_may_hold() -> None:
    assert config.load(MILDEST).seed == 1


# --- keys -----------------------------------------------------------------------------------------

SHA = "0" * 64
MISSPELT = {
    # key given: the key meant
    "sed": "seed",
    "validation_fractions": "validation_fraction",
    "dataset": "datasets",
    "coarse.max_frame": "max_frames",
    "datasets.mars.rooot": "root",
    "datasets.dukev.on_bad_frames": "on_bad_frame",
    "datasets.ilids.archive": "archives",
    "datasets.prid.rot": "root",
    "datasets.walkers.siez": "size",
    "bags.wl.tracklets_per_bags": "tracklets_per_bag",
    "bags.wl_missing.missing.trackelts": "tracklets",
    "methods.wl.optimizer": "optimiser",
    "methods.wl.model.backbon": "backbone",
    "methods.wl.image.hight": "height",
    "methods.wl.augment.flop": "flip",
    "methods.wl.loss.kk": "k",
    "methods.wl.cpal.wieght": "weight",
    "methods.wl.batch.frame": "frames",
    "methods.wl.optimiser.momentun": "momentum",
    "methods.wl.schedule.epoch": "epochs",
    "methods.wl.evaluation.metrics": "metric",
    "experiments.wl_mars.metod": "method",
    "experiments.wl_mars.seed": "seeds",
    "tables.demo.tilte": "title",
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
        ({"k": 3}, "'{}.name' is missing; allowed: frame_ce, hslr, mil, sslr, wsddn"),
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
            {"source": "marz", "root": "x"},
            "'{}.source': 'marz' does not exist; did you mean 'mars'?",
        ),
        ({"root": "x"}, "'{}.source' is missing; allowed: dukev, ilids, mars, prid, walkers"),
        ({"source": "mars"}, "'{}.root' is missing; it must be given"),
        ({"source": "mars", "root": 5}, "'{}.root': Input should be a valid string, got 5"),
        (
            {"source": "mars", "root": "x", "size": "tiny"},
            "unknown key '{}.size'; allowed: archives, official, on_bad_frame, root, source",
        ),
        (
            {"source": "prid", "root": "x", "archives": {"a": {"url": "file:a", "sha": SHA}}},
            "unknown key '{}.archives.a.sha'; did you mean 'sha256'?",
        ),
        (
            {"source": "ilids", "root": "x", "archives": {"a": {"sha256": SHA}}},
            "'{}.archives.a.url' is missing; it must be given",
        ),
        (
            {"source": "walkers", "size": "medium"},
            "'{}.size': Input should be 'tiny', 'demo' or 'mars', got \"medium\"",
        ),
        (
            {"source": "walkers", "frames": [9, 3]},
            "'{}.frames': Input should be [smallest, largest], got [9, 3]",
        ),
        (None, "'{}': Input should be a block of keys, got null"),
    ],
)
def test_a_wrong_dataset(dataset: Any, line: str) -> None:
    wanted = "config.yaml: " + line.format("datasets.mine")
    assert refusal(changed("datasets.mine", dataset)) == wanted


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
        ("validation_fraction", 1.5, "'{}': Input should be less than or equal to 1"),
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
        ("bags.wl_missing.missing.frames", [30, 5], "'{}': Input should be [smallest, largest]"),
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
        ("experiments.wl_mars.seeds", [], "'{}': Input should not be empty"),
        ("experiments.wl_mars.seeds", [1, 1], "'{}': Input should hold nothing twice"),
        ("experiments.wl_mars.splits", [], "'{}': Input should not be empty"),
        ("experiments.wl_mars.splits", "dev", "'{}': Input should be a valid list"),
        ("experiments.wl_mars.overrides", None, "'{}': Input should be a block of keys"),
        ("tables.demo.rows", {}, "'{}': Input should not be empty"),
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
            "experiments.wl_mars.splits",
            ["10"],
            (
                "'experiments.wl_mars.splits.0': String should match pattern "
                "'^(official|dev|[0-9])$', got \"10\""
            ),
        ),
        (
            "datasets.My-Set",
            {"source": "walkers"},
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
        ("tables.demo", {}, "'tables.demo.title' is missing; it must be given (and 1 more)"),
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
    raw["experimnts"] = raw.pop("experiments")
    assert refusal(raw) == (
        "config.yaml: unknown key 'experimnts'; did you mean 'experiments'? (and 1 more)"
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
        ("method", "mine", "'mine' does not exist; allowed: small, wl"),
    ],
)
def test_a_name_that_does_not_exist(key: str, value: str, line: str) -> None:
    place = f"experiments.wl_mars.{key}"
    assert refusal(changed(place, value)) == f"{place}: {line}"


def test_a_row_of_no_experiment() -> None:
    assert refusal(changed("tables.demo.rows", {"a row": "wl_walker"})) == (
        "tables.demo.rows.a row: 'wl_walker' does not exist; did you mean 'wl_walkers'?"
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
    place = "experiments.wl_mars.overrides"
    assert refusal(changed(place, overrides)) == f"{place}: {line}"


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "overrides",
            {"loss": {"name": "frame_ce"}},
            (
                "experiments.wl_mars: the loss frame_ce needs a label for every tracklet, but "
                "bags.wl holds several; take bags with tracklets_per_bag: [1, 1]"
            ),
        ),
        (
            "overrides",
            {"loss": {"k": 101}},
            (
                "experiments.wl_mars: loss.k = 101 is larger than batch.frames = 100; lower k or "
                "sample more frames"
            ),
        ),
        (
            "overrides",
            {"batch": {"pairs": 0}},
            "experiments.wl_mars: CPAL needs batch.pairs of at least 1; raise it or turn CPAL off",
        ),
        (
            "overrides",
            {"batch": {"pairs": 6}},
            (
                "experiments.wl_mars: batch.pairs = 6 pairs need 12 bags, a batch has 10; raise "
                "batch.bags or lower batch.pairs"
            ),
        ),
        (
            "splits",
            ["official", "3"],
            "experiments.wl_mars.splits: dataset mars has no split 3; take official or dev",
        ),
    ],
)
def test_a_combination_that_cannot_be(key: str, value: Any, line: str) -> None:
    assert refusal(changed(f"experiments.wl_mars.{key}", value)) == line


def test_cpal_with_a_label_for_every_tracklet() -> None:
    raw = changed("experiments.wl_mars.bags", "tracklets")
    raw["experiments"]["wl_mars"]["overrides"] = {"loss": {"name": "frame_ce"}}
    assert refusal(raw) == (
        "experiments.wl_mars: CPAL needs several persons in a bag, frame_ce allows one; "
        "set cpal.weight: 0 in its overrides"
    )


@pytest.mark.parametrize("name", config.TAKEN)
def test_an_experiment_in_a_folder_that_is_taken(name: str) -> None:
    raw = changed(f"experiments.{name}", stored()["experiments"]["wl_mars"])
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
        ("bags.wl_missing.missing", "null", None),
        ("bags.wl.tracklets_per_bag", ["1", "2"], (1, 2)),
        ("experiments.wl_mars.seeds", ["1", "2"], [1, 2]),
        # as YAML gives them
        ("methods.wl.precision", 32, "32"),
        ("experiments.wl_mars.splits", ["official", "dev"], ["official", "dev"]),
        ("tables.demo.title", 2026, "2026"),
    ],
)
def test_the_value_that_was_meant(key: str, given: Any, value: Any) -> None:
    found: Any = config.load(changed(key, given))
    for part in key.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert found == value
    assert type(found) is type(value)


def test_splits_may_be_numbers() -> None:
    block = {"dataset": "ilids", "bags": "wl", "method": "wl", "splits": [0, 9]}
    found = config.load(changed("experiments.mine", block))
    assert found.experiments["mine"].splits == ["0", "9"]


def test_names_may_be_numbers() -> None:
    raw = changed("bags.wl", {})
    raw["bags"][7] = {"max_frames": 7}
    raw["experiments"]["wl_mars"]["bags"] = 7
    found = config.load(raw)
    assert found.bags[found.experiments["wl_mars"].bags].max_frames == 7


def test_overrides_replace_single_values() -> None:
    raw = changed("experiments.wl_mars.overrides", {"optimiser": {"lr": "0.5"}})
    found = config.load(raw)
    before = found.methods["wl"]
    after = config.method_of(found, "wl_mars")
    assert after.optimiser == before.optimiser.model_copy(update={"lr": 0.5})
    assert after.model == before.model


def test_another_loss_brings_its_own_keys() -> None:
    raw = changed("experiments.wl_mars.overrides", {"loss": {"name": "wsddn"}})
    found = config.load(raw)
    assert config.method_of(found, "wl_mars").loss == config.Wsddn(name="wsddn")


# --- whatever people type -------------------------------------------------------------------------


def paths(block: Any, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the place of every key in a mapping."""
    if not isinstance(block, dict):
        return []
    found = []
    for key, value in block.items():
        found += [(*prefix, key), *paths(value, (*prefix, key))]
    return found


PLACES = paths(stored())
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


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_misspelt_keys_are_refused_in_one_line_or_are_names(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(PLACES))
    word = data.draw(misspelt(place[-1]))
    assume(word != place[-1])
    raw = copy.deepcopy(stored())
    block = raw
    for part in place[:-1]:
        block = block[part]
    block[word] = block.pop(place[-1])
    try:
        config.load(raw)
    except ReidError as error:
        assert len(str(error).splitlines()) == 1
    else:
        # blocks that people name: a new name is as good as the old one, where nobody uses it
        named = len(place) == 2 and place[0] in (*MILDEST, "tables")
        assert named or place[:1] == ("tables",)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), VALUES)
def test_no_value_ends_in_a_traceback(place: tuple[str, ...], value: Any) -> None:
    raw = copy.deepcopy(stored())
    block = raw
    for part in place[:-1]:
        block = block[part]
    block[place[-1]] = value
    try:
        config.load(raw)
    except ReidError as error:
        assert len(str(error).splitlines()) == 1
