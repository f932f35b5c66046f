"""What the papers' tables and experiments need, by the plan of the project's own config."""

import importlib
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests import configs

from weakreid.config.tables import OfSource, OfStudy, ResultsTable, Table
from weakreid.plan import paths
from weakreid.plan.graph import Step, steps_to
from weakreid.plan.plan import Plan
from weakreid.plan.read import plan_of

PLAN = plan_of(configs.own())
PLACE = "walkers_tiny"


def targets_of(name: str, place: str = "") -> list[str]:
    """Return all files of a table, on one dataset or on the table's own."""
    block = PLAN.config.tables[name]
    return [paths.of_table(name, place and f"/{place}", file) for file in block.outputs()]


def steps(targets: Iterable[str], plan: Plan = PLAN) -> dict[str, list[Step]]:
    """Return the jobs that targets need, by rule."""
    found: dict[str, list[Step]] = defaultdict(list)
    for step in steps_to(plan, targets):
        found[step.rule.name].append(step)
    return found


def runs_trained(found: dict[str, list[Step]]) -> list[tuple[str, str]]:
    """Return the experiment and the run of every training."""
    return [
        (step.wildcards["experiment"], step.wildcards["run"])
        for rule, of_rule in found.items()
        if rule.startswith("train_")
        for step in of_rule
    ]


def started_from(names: Iterable[str]) -> set[str]:
    """Return experiments, and those whose weights they start from."""
    found, todo = set[str](), list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            init = PLAN.experiments[name].init
            todo += [] if init is None else [PLAN.same.get(init, init)]
    return found


OF_STUDY = [
    name
    for name, table in PLAN.config.tables.items()
    if isinstance(table, OfStudy) or (isinstance(table, ResultsTable) and table.study)
]
# a row of it starts from weights of MARS on any dataset
FROM_MARS = "attn_cl_table2"
ON_WALKERS = [name for name in OF_STUDY if name != FROM_MARS]


def expected(table: Table) -> set[str]:
    """Return the experiments that a table shows on a dataset."""
    assert isinstance(table, OfStudy | ResultsTable) and table.study
    if isinstance(table, ResultsTable) or hasattr(table, "rows"):
        rows = [row for row in table.rows.values() if row is not None]
    else:
        rows = [getattr(table, "row", "")]
    levels = getattr(table, "levels", None) or [None]
    names = {PLAN.row(table.study, PLACE, row, level) for row in rows for level in levels}
    return names - set(PLAN.refused)


@pytest.mark.parametrize("name", ON_WALKERS)
def test_a_table_trains_its_rows_and_nothing_else(name: str) -> None:
    table = PLAN.config.tables[name]
    found = steps(targets_of(name, PLACE))
    trained = {experiment for experiment, _ in runs_trained(found)}
    learning = {"results", "audit", "matches", "weights", "visibility", "by_attribute"}
    learning |= {"masks", "attention"}
    if table.kind not in learning:
        # they need data, labels, noise or isolation, and no network that tells people apart
        assert trained == set()
        assert not found["features"] and not found["clip_features"]
        return
    shown = expected(table)
    if isinstance(table, ResultsTable) and not set(table.metrics) - {"impurity", "clusters"}:
        shown = set()
    assert trained == started_from(shown)
    if table.kind in ("matches", "weights"):
        assert len(runs_trained(found)) == 1
    elif table.kind == "results":
        runs = {(name, run) for name in shown for run in PLAN.experiments[name].runs}
        assert runs <= set(runs_trained(found))
        assert {step.wildcards["experiment"] for step in found["collect"]} == shown


def test_examples_of_labels_need_no_training_by_them() -> None:
    for name in ("attr_labels", "attr_figure5"):
        table = PLAN.config.tables[name]
        found = steps(targets_of(name, PLACE))
        transfers = {step.wildcards["transfer"] for step in found["transfer"]}
        assert len(transfers) == len(table.rows)


def test_masks_over_epochs_need_another_training_whose_weights_are_kept() -> None:
    table, plot = targets_of("cosam_masks", PLACE)
    assert plot.endswith("plot.svg")
    found = steps([plot])
    assert [step.wildcards["experiment"] for step in found["clip_epochs"]] == [f"cosam_{PLACE}"]
    assert not runs_trained(found)
    assert not steps([table])["clip_epochs"]


@pytest.mark.parametrize("paper", ["wl", "tmc", "attr", "cosam", "attn_cl"])
def test_tables_of_a_paper_share_what_they_share(paper: str) -> None:
    names = [name for name in ON_WALKERS if name.startswith(f"{paper}_")]
    found = steps(target for name in names for target in targets_of(name, PLACE))
    jobs = [step.outputs[0] for of_rule in found.values() for step in of_rule]
    assert len(set(jobs)) == len(jobs)
    for rule in ("generate", "dataset", "coarse_bags", "split", "frame_features"):
        assert len(found[rule]) <= 1, rule


def test_the_attributes_that_a_row_learns_from() -> None:
    transferred = "results/attributes/studio_tiny{}/walkers_tiny/official-1/labels.parquet"
    for end, labels in {
        "": transferred.format(""),
        "_bce": transferred.format("_bce"),
        "_truth": f"results/datasets/{PLACE}/attributes.parquet",
        "_a": None,
        "_untrained": None,
    }.items():
        found = steps([paths.of_run(f"attr_{PLACE}{end}", "official-1", "features.parquet")])
        (step,) = found["train_clips"]
        assert step.job.inputs["attributes"] == ([] if labels is None else [labels])
        assert bool(found["transfer"]) == bool(labels and "attributes/" in labels)


def test_the_tracklets_that_a_row_learns_from_at_a_level() -> None:
    for name, tracks in {
        f"tmc_{PLACE}": "isolated/clean-lite0",
        f"tmc_{PLACE}_n25_15": "isolated/n25_15-lite0",
        f"tmc_{PLACE}_minus": "noise/clean",
        f"tmc_{PLACE}_minus_n25_15": "noise/n25_15",
        f"tmc_{PLACE}_intra_60_n17_12": "isolated/n17_12-lite0_eps_60",
    }.items():
        (step,) = steps([paths.of_run(name, "official-1", "identities.png")])["train_tracklets"]
        assert step.job.inputs["tracks"] == paths.of_split(PLACE, "official", f"{tracks}.parquet")


def test_a_simulation_that_follows_a_tracker(tmp_path: Path) -> None:
    for name in ("truth.txt", "boxes.txt"):
        (tmp_path / name).touch()
    raw = configs.changed(configs.own(), "noise.mine", {"rfm": 1.5, "rsw": 1.2})
    own = {"root": str(tmp_path), "sequences": ["hall"]}
    raw["trackers"]["own"] = {**own, "truth": "truth.txt", "output": "boxes.txt"}
    target = paths.noisy(PLACE, "official", "mine", "json")
    (step,) = steps([target], plan_of(raw))["noise"]
    assert step.job.inputs["observed"] == []
    raw["noise"]["mine"]["observed"] = "own"
    found = steps([target], plan_of(raw))
    (step,) = found["noise"]
    assert step.job.inputs["observed"] == ["results/trackers/own/distribution.parquet"]
    (rates,) = found["noise_rates"]
    assert rates.job.paths() == [str(tmp_path / name) for name in ("truth.txt", "boxes.txt")]


def test_a_refused_row_stands_in_its_table_with_its_reason() -> None:
    (step,) = steps(targets_of("wl_table4", PLACE))["table"]
    (block,) = step.job.params.blocks
    cells = {row.label: row.cells[0] for row in block.rows}
    why = PLAN.refused[f"wl_{PLACE}_k_20"]
    assert why.startswith(f"experiments.wl_{PLACE}_k_20: ")
    assert cells["k = 20"].why == why.partition(": ")[2]
    metrics = step.job.inputs["metrics"]
    for label, row in (("k = 1", "k_1"), ("k = 10", "k_10")):
        assert metrics[cells[label].metrics] == f"results/wl_{PLACE}_{row}/metrics.json"
    assert not [path for path in metrics if "k_20" in path]


def test_rows_that_are_one_experiment_are_one_input() -> None:
    # on MARS's method k = 5 and λ = 0.5 are the paper's own
    plot = next(path for path in targets_of("wl_figure4", "walkers_mars") if "plot" in path)
    (step,) = steps([plot])["plot"]
    assert "results/wl_walkers_mars/metrics.json" in step.job.inputs["metrics"]
    assert "results/wl_walkers_mars_mil/metrics.json" in step.job.inputs["metrics"]
    assert not [path for path in step.job.paths() if re.search("lambda_(50|100)", path)]


@pytest.mark.parametrize("paper", ["wl", "tmc", "attr", "cosam", "attn_cl"])
def test_with_the_data_in_place_every_table_of_a_paper_can_be_asked_for(
    paper: str, tmp_path: Path
) -> None:
    raw = configs.own()
    for name in ("mars", "dukev", "ilids", "prid"):
        for required in importlib.import_module(f"weakreid.datasets.{name}").REQUIRED:
            (tmp_path / name / required).mkdir(parents=True)
        raw["datasets"][name]["root"] = str(tmp_path / name)
    rap = tmp_path / "rap"
    for name in ("RAP_dataset", "RAP_annotation"):
        (rap / name).mkdir(parents=True)
    (rap / "RAP_annotation" / "RAP_annotation.mat").touch()
    (rap / "mars_attributes.csv").touch()
    raw["attribute_sources"]["rap"]["root"] = str(rap)
    raw["attribute_sources"]["mars_attributes"]["root"] = str(rap)
    raw["datasets"]["mars"]["attributes"] = "mars_attributes"
    plan = plan_of(raw)
    names = [
        name
        for name, table in plan.config.tables.items()
        if name.startswith(f"{paper}_") and not isinstance(table, OfSource)
    ]
    targets = [target for name in names for target in targets_of(name)]
    found = steps(targets, plan)
    made = {path for of_rule in found.values() for step in of_rule for path in step.outputs}
    assert set(targets) <= made
