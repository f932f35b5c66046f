"""The config: what it takes, and the one line that says why it does not."""

import copy
import csv
import functools
import json
from pathlib import Path
from typing import Any, get_origin

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from weakreid import config_blocks, config_methods, config_studies
from weakreid.config import whole
from weakreid.config.sources import default_files, read_merged
from weakreid.errors import ReidError
from weakreid.supervision import bags

ROOT = Path(__file__).resolve().parents[1]


@functools.cache
def own() -> dict[str, Any]:
    """Return the project's config, its YAML anchors written out."""
    return json.loads(json.dumps(read_merged(default_files(ROOT))))


@functools.cache
def stored() -> dict[str, Any]:
    """Return that with an explicit experiment of the paper's method."""
    mine = {"dataset": "mars", "bags": "wl", "method": "wl"}
    return {**own(), "experiments": {**own()["experiments"], "mine": mine}}


def changed(key: str, value: Any) -> dict[str, Any]:
    """Return that with one key set, its blocks made where they are not there."""
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
        whole.load(raw)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def test_the_projects_own_config_loads() -> None:
    found = whole.load(own())
    assert found.experiments["wl_mars"].seeds == [1, 2, 3]
    assert found.bags["wl"].tracklets_per_bag == (3, 5)


def test_the_schema_is_that_of_the_models() -> None:
    path = ROOT / "workflow" / "schemas" / "config.schema.json"
    assert path.read_text(encoding="utf-8") == whole.json_schema(), "run make docs"


MILDEST = {"datasets": {}, "bags": {}, "methods": {}, "experiments": {}}


def test_the_least_that_a_config_may_hold() -> None:
    assert whole.load(MILDEST).seed == 1
    assert whole.load({k: v for k, v in MILDEST.items() if k != "experiments"}).experiments == {}


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
        ({"root": "x"}, "'{}.source' is missing; allowed: dukev, ilids, mars, mot, prid, walkers"),
        ({"source": "mars"}, "'{}.root' is missing; it must be given"),
        ({"source": "mars", "root": 5}, "'{}.root': Input should be a valid string, got 5"),
        (
            {"source": "dukev", "root": "x", "size": "tiny"},
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
            {"source": "mars", "root": "$SCRATCH/mars"},
            (
                "'{}.root': $SCRATCH is not expanded, only ~ is; write the path in full, "
                'got "$SCRATCH/mars"'
            ),
        ),
        (
            {"source": "prid", "root": "x", "archives": {"a": {"url": "file:${HOME}/a"}}},
            (
                "'{}.archives.a.url': ${{HOME}} is not expanded, only ~ is; write the path in full"
                ', got "file:${{HOME}}/a"'
            ),
        ),
        (
            {"source": "mars", "root": "~nobody_of_this_name/mars"},
            (
                "'{}.root': No home folder is known for ~nobody_of_this_name; write the path in "
                'full, got "~nobody_of_this_name/mars"'
            ),
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


def test_home_in_every_place_of_the_user_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    archives = {
        "a.zip": {"url": "file:~/a.zip"},
        "b.zip": {"url": "https://example.org/~ada/b.zip?$top=1"},
    }
    raw = changed("datasets.mine", {"source": "mars", "root": "~/mars", "archives": archives})
    found = whole.load(raw).datasets["mine"]
    assert found.root == "/home/ada/mars"
    urls = [archive.url for archive in found.archives.values()]
    assert urls == ["file:/home/ada/a.zip", "https://example.org/~ada/b.zip?$top=1"]
    for key, block in (
        (
            "datasets.mine",
            {"source": "mot", "sequences": [{"name": "a", "boxes": "b", "video": "v"}]},
        ),
        ("sources.mine", {"source": "rap"}),
        ("trackers.mine", {"sequences": ["a"]}),
    ):
        loaded = whole.load(changed(key, {**block, "root": "~"}))
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
        ("tables.wl_table2.datasets", [], "'{}': Input should not be empty"),
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
        (
            "tables.demo",
            {"kind": "experiments"},
            "'tables.demo.title' is missing; it must be given (and 1 more)",
        ),
        (
            "tables.demo",
            {"title": "Mine", "rows": {"a row": "demo"}},
            (
                "'tables.demo.kind' is missing; allowed: attention, audit, by_attribute, cost, "
                "counts, examples, experiments, grid, groups, isolation, labels, masks, matches, "
                "noise, ratios, study, weights"
            ),
        ),
        (
            "tables.demo.kind",
            "stduy",
            "'tables.demo.kind': 'stduy' does not exist; did you mean 'study'?",
        ),
        (
            "tables.wl_table2.ranks",
            [1, 2],
            "'tables.wl_table2.ranks.1': Input should be 1, 5, 10 or 20, got 2",
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
            {"beside": "WL-MARS", "bags": "wl", "method": "wl"},
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
                "'mine' does not exist; allowed: attention, attention_small, attn_cl, "
                "attn_cl_small, attr, attr_small, cosam, cosam_small, small, small_tracklets, "
                "tmc, tmc_small, wl, wl_tracklets"
            ),
        ),
    ],
)
def test_a_name_that_does_not_exist(key: str, value: str, line: str) -> None:
    place = f"experiments.mine.{key}"
    assert refusal(changed(place, value)) == f"{place}: {line}"


def test_a_row_of_no_experiment() -> None:
    assert refusal(changed("tables.demo.rows", {"a row": "wl_walker"})) == (
        "tables.demo.rows.a row: 'wl_walker' does not exist; did you mean 'wl_walkers'?"
    )


TABLES = {
    "study": "wl_table2",
    "counts": "wl_table1",
    "cost": "wl_cost",
    "audit": "wl_audit",
    "matches": "wl_figure5",
    "grid": "tmc_table3",
    "noise": "tmc_table1",
    "isolation": "tmc_figure3",
    "examples": "attr_figure5",
    "weights": "attr_figure6",
    "labels": "attr_labels",
    "by_attribute": "attr_by_attribute",
    "masks": "cosam_masks",
    "attention": "attn_cl_attention",
}
"""Of every kind of table that shows a study, one."""


@pytest.mark.parametrize(
    ("table", "row", "line"),
    [
        ("cosam_masks", "frames_3", "'frames_3' does not exist; did you mean 'frames_8'?"),
        ("attn_cl_attention", "base", "attn_cl_walkers_base attends to no frames, or its training"),
        ("attn_cl_attention", "untrained", "attn_cl_walkers_untrained attends to no frames"),
    ],
)
def test_a_row_that_has_nothing_to_look_at(table: str, row: str, line: str) -> None:
    found = refusal(changed(f"tables.{table}.rows", {"one": row}))
    assert found.startswith(f"tables.{table}.rows.one: {line}")


def test_masks_of_what_learns_from_no_clips() -> None:
    found = refusal(
        changed("tables.cosam_masks", {**own()["tables"]["cosam_masks"], "study": "wl"})
    )
    assert "tables.cosam_masks.rows.TP: 'tp' does not exist" in found
    rows = {"MIL": "mil"}
    raw = {**own()["tables"]["cosam_masks"], "study": "wl", "rows": rows}
    line = "tables.cosam_masks.rows.MIL: wl_walkers_mil learns from no clips; take another row"
    assert refusal(changed("tables.cosam_masks", raw)) == line


def test_every_kind_of_table_is_in_the_config() -> None:
    found = whole.load(own())
    others = {"experiments", "ratios", "groups"}
    assert {table.kind for table in found.tables.values()} == {*TABLES, *others}
    assert {kind: found.tables[name].kind for kind, name in TABLES.items()} == dict(
        zip(TABLES, TABLES, strict=True)
    )


@pytest.mark.parametrize("name", TABLES.values())
def test_a_table_of_no_study_or_no_dataset(name: str) -> None:
    place = f"tables.{name}"
    assert refusal(changed(f"{place}.study", "wll")) == (
        f"{place}.study: 'wll' does not exist; did you mean 'wl'?"
    )
    assert refusal(changed(f"{place}.datasets", ["marss"])) == (
        f"{place}.datasets: 'marss' does not exist; did you mean 'mars'?"
    )


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("wl_table2.rows", {"MIL": "ml"}, "tables.wl_table2.rows.MIL: 'ml'{}"),
        ("wl_audit.row", "ml", "tables.wl_audit.row: 'ml'{}"),
    ],
)
def test_a_table_of_no_row(key: str, value: Any, line: str) -> None:
    assert refusal(changed(f"tables.{key}", value)) == line.format(
        " does not exist; did you mean 'mil'?"
    )


def test_a_table_of_an_experiment_that_cannot_be_refuses_no_other() -> None:
    found = whole.load(changed("tables.demo.rows", {"a row": "wl_walkers_k_20"}))
    assert "wl_walkers_k_20" in found.refused
    # nor does one by another name
    raw = changed("tables.demo.rows", {"a row": "wl_walkers_lambda_50"})
    assert whole.load(raw).same["wl_walkers_lambda_50"] == "wl_walkers"


@pytest.mark.parametrize("row", ["ours", "noisy"])
def test_an_audit_of_labels_that_are_right(row: str) -> None:
    name = "wl_walkers" if row == "ours" else "wl_walkers_noisy"
    assert refusal(changed("tables.wl_audit.row", row)) == (
        f"tables.wl_audit.row: no label is wrong in the bags of {name}, so nothing can be scored; "
        "take a row whose bags have planted or missing"
    )


def test_a_row_without_a_place_on_its_table_s_axis() -> None:
    assert refusal(changed("tables.wl_table4.rows", {"five": "k_5"})) == (
        "config.yaml: 'tables.wl_table4': row 'five' has no place on the axis k; call it "
        "'k = NUMBER', or leave axis out"
    )


def test_the_command_line_s_text_in_a_table() -> None:
    raw = changed("tables.wl_table3.ranks", ["1"])
    raw["tables"]["wl_table3"]["rows"]["Baseline"] = "null"
    table = whole.load(raw).tables["wl_table3"]
    assert table.ranks == [1]
    assert table.rows["Baseline"] is None


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


@pytest.mark.parametrize("name", whole.TAKEN)
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
    found: Any = whole.load(changed(key, given))
    for part in key.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert found == value
    assert type(found) is type(value)


def test_splits_may_be_numbers() -> None:
    block = {"dataset": "ilids", "bags": "wl", "method": "wl", "splits": [0, 9]}
    found = whole.load(changed("experiments.mine", block))
    assert found.experiments["mine"].splits == ["0", "9"]


def test_names_may_be_numbers() -> None:
    raw = changed("bags.wl", {})
    raw["bags"][7] = {"max_frames": 7}
    raw["experiments"]["mine"]["bags"] = 7
    found = whole.load(raw)
    assert found.bags[found.experiments["mine"].bags].max_frames == 7


def test_overrides_replace_single_values() -> None:
    raw = changed("experiments.mine.overrides", {"optimiser": {"lr": "0.5"}})
    found = whole.load(raw)
    before = found.methods["wl"]
    after = whole.method_of(found, "mine")
    assert after.optimiser == before.optimiser.model_copy(update={"lr": 0.5})
    assert after.model == before.model


def test_another_loss_brings_its_own_keys() -> None:
    raw = changed("experiments.mine.overrides", {"loss": {"name": "wsddn"}})
    found = whole.load(raw)
    assert whole.method_of(found, "mine").loss == config_methods.Wsddn(name="wsddn")


# --- studies --------------------------------------------------------------------------------------


def study(**changes: Any) -> dict[str, Any]:
    """Return a small config with the study `s`, whose blocks `changes` adds to."""
    block: dict[str, Any] = {
        "beside": "The Paper's",
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
            "a": {"source": "walkers", "size": "tiny"},
            "b": {"source": "walkers", "size": "tiny", "seed": 2},
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
    found = whole.load(study(seeds=[4, 5]))
    assert list(found.experiments) == ["s_a", "s_a_alone", "s_b", "s_b_alone"]
    assert found.refused == {}
    for name, experiment in found.experiments.items():
        assert experiment.dataset == name[2]
        assert (experiment.bags, experiment.method) == ("three", "quick")
        assert (experiment.splits, experiment.seeds) == (["official"], [4, 5])
    assert whole.method_of(found, "s_a") == found.methods["quick"]
    alone = whole.method_of(found, "s_b_alone")
    assert alone.cpal.weight == 0
    assert alone.model_copy(update={"cpal": config_methods.Cpal()}) == found.methods["quick"]


def test_a_row_that_changes_nothing_is_the_experiment_that_it_equals() -> None:
    rows = {
        "again": {"overrides": {"loss": {"k": 2}}},
        "off": {"overrides": {"cpal": {"weight": 0.0}}},
    }
    # on b, k is 3: there a row that says 2 is something else
    found = whole.load(study(rows=rows, datasets={"b": {"overrides": {"loss": {"k": 3}}}}))
    assert found.same == {
        "s_a_plain": "s_a",
        "s_a_again": "s_a",
        "s_a_off": "s_a_alone",
        "s_b_plain": "s_b",
        "s_b_off": "s_b_alone",
    }
    assert not found.same.keys() & found.experiments.keys()
    assert whole.experiment_of_row(found, "s", "a", "") == "s_a"
    assert whole.experiment_of_row(found, "s", "a", "again") == "s_a"
    assert whole.experiment_of_row(found, "s", "b", "again") == "s_b_again"
    assert whole.method_of(found, "s_b_again").loss == config_methods.Mil(name="mil", k=2)


def test_a_table_may_name_a_row_that_changes_nothing() -> None:
    raw = study()
    table = {"kind": "experiments", "title": "T", "rows": {"a row": "s_a_plain"}}
    whole.load({**raw, "tables": {"t": table}})
    assert refusal({**raw, "tables": {"t": {**table, "rows": {"a row": "s_a_plian"}}}}) == (
        "tables.t.rows.a row: 's_a_plian' does not exist; did you mean 's_a_alone'?"
    )


def test_a_change_makes_bags_of_a_dataset_s_own() -> None:
    rows = {"shuffled": {"bags": "noisy"}, "labelled": {"bags": "single"}}
    found = whole.load(study(rows=rows, datasets={"b": {"bags": "four"}}))
    assert set(found.bags) == {
        *("three", "three_noisy", "three_single"),
        *("four", "four_noisy", "four_single"),
    }
    assert found.experiments["s_a_shuffled"].bags == "three_noisy"
    assert found.experiments["s_b_labelled"].bags == "four_single"
    three, four = found.bags["three"], found.bags["four"]
    assert found.bags["three_noisy"] == three.model_copy(update={"noisy_parts": 2})
    assert found.bags["four_single"] == four.model_copy(update={"tracklets_per_bag": (1, 1)})


def test_a_dataset_s_change_stands_in_the_place_of_the_study_s() -> None:
    rows = {"shuffled": {"bags": "noisy"}}
    place = {"bags": "four", "changes": {"noisy": {"max_frames": 9}}}
    found = whole.load(study(rows=rows, datasets={"b": place}))
    assert found.bags["three_noisy"].noisy_parts == 2
    assert found.bags["four_noisy"].noisy_parts is None
    assert found.bags["four_noisy"].max_frames == 9


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
    found = whole.load(study(rows=rows, datasets={"b": place}))

    def told(name: str) -> tuple[int, int, str]:
        method = whole.method_of(found, name)
        assert isinstance(method.loss, config_methods.Mil)
        return method.loss.k, method.schedule.epochs, method.precision

    assert told("s_a") == (2, 20, "auto")
    assert told("s_a_mine") == (2, 8, "bf16")
    assert told("s_b") == (3, 7, "32")
    assert told("s_b_mine") == (3, 9, "bf16")
    assert found.experiments["s_b_mine"].seeds == [9]
    assert found.experiments["s_b_mine"].splits == ["dev"]
    assert found.experiments["s_a_mine"].seeds == [1]


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
            "kind": "study",
            "study": "s",
            "title": "T",
            "datasets": ["a"],
            "paper": "P",
            "table": "I",
            "protocols": ["fine"],
            "rows": {"a row": "new"},
        }
    }
    found = whole.load(raw)
    assert found.refused == {name: f"experiments.{name}: {why}" for name in ("s_a_new", "s_b_new")}
    # asked for by a name of its own it is refused at once, its bags being there
    made = {name: block.model_dump(mode="json") for name, block in found.bags.items()}
    block = {"dataset": "a", "bags": bags, "method": "quick", "overrides": row["overrides"]}
    explicit = {**study(), "bags": made, "experiments": {"mine": block}}
    assert refusal(explicit) == f"experiments.mine: {why}"


def test_parts_longer_than_the_tracklets_that_are_generated() -> None:
    raw = study(changes={"cut": {"tracklet_parts": 6}}, rows={"new": {"bags": "cut"}})
    raw["datasets"]["b"]["frames"] = [5, 9]
    found = whole.load(raw)
    assert found.refused == {
        "s_b_new": (
            "experiments.s_b_new: bags.three_cut cuts a tracklet in 6 parts, dataset b has "
            "tracklets of 5 frames; lower tracklet_parts or raise datasets.b.frames"
        )
    }
    raw["datasets"]["b"]["frames"] = [6, 9]
    assert whole.load(raw).refused == {}


def test_an_alias_of_what_cannot_be_is_refused_with_it() -> None:
    rows = {"one": {"overrides": {"loss": {"k": 9}}}, "two": {"overrides": {"loss": {"k": 9}}}}
    found = whole.load(study(rows=rows))
    assert found.same["s_a_two"] == "s_a_one"
    assert whole.experiment_of_row(found, "s", "a", "two") in found.refused


@pytest.mark.parametrize(
    ("before", "override", "after"),
    [
        (
            {"name": "mil", "k": 3},
            {"name": "hslr"},
            config_methods.Hslr(name="hslr", k=3),
        ),
        (
            {"name": "hslr", "k": 3, "alpha": 0.5, "m": 0.2},
            {"name": "sslr"},
            config_methods.Sslr(name="sslr", k=3, alpha=0.5),
        ),
        (
            {"name": "sslr", "k": 3, "alpha": 0.5},
            {"name": "mil", "k": 4},
            config_methods.Mil(name="mil", k=4),
        ),
        ({"name": "mil", "k": 3}, {"name": "wsddn"}, config_methods.Wsddn(name="wsddn")),
        ({"name": "wsddn"}, {"name": "mil"}, config_methods.Mil(name="mil")),
        ({"name": "mil", "k": 3}, {"k": 4}, config_methods.Mil(name="mil", k=4)),
    ],
)
def test_another_loss_keeps_the_keys_that_both_have(before: Any, override: Any, after: Any) -> None:
    raw = changed("methods.wl.loss", before)
    raw["experiments"]["mine"]["overrides"] = {"loss": override}
    # the study's rows say k, which not every loss has
    del raw["studies"], raw["tuning"], raw["tables"]
    assert whole.method_of(whole.load(raw), "mine").loss == after


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(2, 9), min_size=4, max_size=25),
    per_bag=st.tuples(st.integers(1, 4), st.integers(0, 3)).map(lambda x: (x[0], x[0] + x[1])),
    parts=st.integers(1, 2),
    cap=st.none() | st.integers(1, 6),
    missing=st.none() | st.just(config_blocks.Missing(tracklets=(1, 3), frames=(2, 4))),
    noisy=st.none() | st.integers(1, 5),
)
def test_no_bag_holds_more_than_what_k_is_compared_with(
    counts: list[int],
    per_bag: tuple[int, int],
    parts: int,
    cap: int | None,
    missing: config_blocks.Missing | None,
    noisy: int | None,
) -> None:
    people = [1 + number % 7 for number in range(len(counts))]
    tracklets = pd.DataFrame(
        {
            "tracklet_id": range(len(counts)),
            "person_id": people,
            "camera_id": 1,
            "split": "train",
            "first_frame": np.cumsum([0, *counts[:-1]]),
            "frame_count": counts,
        }
    )
    owners = np.repeat(np.arange(len(counts)), counts)
    frames = pd.DataFrame({"tracklet_id": owners, "image": np.arange(len(owners))})
    block = config_blocks.Bags(
        tracklets_per_bag=per_bag,
        tracklet_parts=parts,
        max_frames=cap,
        missing=missing,
        noisy_parts=noisy,
    )
    values = block.model_dump(exclude={"noisy_parts", "planted", "noise", "majority", "videos"})
    made = bags.training_bags(tracklets, frames, seed=1, **values)
    if noisy is not None:
        made = bags.noisy_tracking(made, seed=1, parts=noisy)
    sampled = 1000
    method = whole.Method(batch=config_methods.Batch(frames=sampled))
    most, of_what = whole._largest_bag(block, method)
    assert made["frames"].map(len).max() <= most
    assert most == sampled or "max_frames" in of_what
    most, _ = whole._largest_bag(block, method.model_copy(update={"instances": "tracklets"}))
    assert made["tracklet_ids"].map(len).max() <= most


# --- the paper ------------------------------------------------------------------------------------


@functools.cache
def published() -> list[dict[str, str]]:
    path = ROOT / "workflow" / "resources" / "published.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


STUDY_TABLES = [name for name, table in own()["tables"].items() if table["kind"] == "study"]


@pytest.mark.parametrize("name", STUDY_TABLES)
def test_a_table_s_rows_and_columns_are_those_of_the_paper(name: str) -> None:
    table = whole.load(own()).tables[name]
    assert isinstance(table, config_studies.StudyTable)
    of_paper = [
        row for row in published() if (row["paper"], row["table"]) == (table.paper, table.table)
    ]
    labels = {row["row"] for row in of_paper}
    assert labels <= set(table.rows)
    # a sweep may go through more values than the paper prints
    assert table.axis is not None or labels == set(table.rows)
    metrics = {row["metric"] for row in of_paper}
    kinds = {metric.split()[0] for metric in metrics if " " in metric}
    assert kinds == set(table.protocols)
    printed = {int(metric.rpartition("-")[2]) for metric in metrics if "R-" in metric}
    # Figure 4 is a plot: of its points the text gives some, and those are Table VIII's
    assert set(table.ranks) == printed or table.axis == "λ"


def test_every_table_of_the_paper_is_in_the_config() -> None:
    found = [table for table in own()["tables"].values() if "table" in table]
    assert {(table["paper"], table["table"]) for table in found} == {
        (row["paper"], row["table"]) for row in published()
    }


def test_every_comparison_row_is_in_the_tables_and_empty() -> None:
    rows = [table["rows"] for table in own()["tables"].values() if table["kind"] == "study"]
    empty = {label for of_table in rows for label, row in of_table.items() if row is None}
    of_wl, of_tmc = {"BUC", "EUG", "UGA", "CV-MIML", "CV-MIML*"}, {"DAL", "RACE", "UTAL"}
    of_tmc |= {"DGM", "DGM+", "STAN", "SDM"}
    of_attr = {"ASTPN", "Joint-ST", "Seq-Decision", "Set2set", "TriNet", "DRSA", "Snippet"}
    of_attr |= {"k-reciprocal (CaffeNet)", "k-reciprocal (Res-50)"}
    of_cosam = {"LOMO+XQDA", "JST-RNN", "QAN", "Context Aware Parts", "IDE+XQDA+ReRanking"}
    of_cosam |= {"Region QEN", "Comp. Snippet Sim.", "Part-Aligned", "ETAP-Net"}
    of_attn_cl = {"SOTA", "SOTA without re-ranking", "SOTA with re-ranking"}
    assert empty == of_wl | of_tmc | of_attr | of_cosam | of_attn_cl


def test_the_datasets_of_the_paper_are_those_that_a_study_stands_beside() -> None:
    found = whole.load(own()).studies["wl"]
    beside = {place.published for place in found.datasets.values() if place.published}
    assert beside == {row["dataset"] for row in published() if row["paper"] == "WL"}
    assert found.beside in beside


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
NAMED = {("studies", "changes"), ("studies", "rows"), ("tables", "rows")}
"""Blocks below a study or a table whose keys people name."""
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
    name
    for name, field in whole.Config.model_fields.items()
    if get_origin(field.annotation) is dict
}


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
        whole.load(raw)
    except ReidError as error:
        assert len(str(error).splitlines()) == 1
    else:
        # blocks that people name: a new name is as good as the old one, where nobody uses it
        named = len(place) == 2 and place[0] in NAMED_BLOCKS
        named |= len(place) == 4 and (place[0], place[2]) in NAMED
        assert named, place


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), VALUES)
@example(("studies", "wl", "changes", "missing"), {})
def test_no_value_ends_in_a_traceback(place: tuple[str, ...], value: Any) -> None:
    raw = copy.deepcopy(stored())
    block = raw
    for part in place[:-1]:
        block = block[part]
    block[place[-1]] = value
    try:
        whole.load(raw)
    except ReidError as error:
        assert len(str(error).splitlines()) == 1
