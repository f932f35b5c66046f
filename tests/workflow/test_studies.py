"""Targets of studies: what they build, what they do without, and what is said when they cannot."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.workflow.dryrun import dry_run

from weakreid import config

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
CONFIG = config.load(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))
PLACE = "walkers_tiny"
FILES = {
    "study": ["table.md"],
    "counts": ["table.md"],
    "cost": ["table.md"],
    "audit": ["table.md"],
    "matches": ["fine.png", "coarse.png"],
}
"""What each kind of table makes; one with an axis makes plot.svg, too."""


def targets_of(name: str, place: str = "") -> list[str]:
    """Return all targets of a study's table, of one dataset or of the table's own."""
    table = CONFIG.tables[name]
    files = FILES[table.kind] + (["plot.svg"] if getattr(table, "axis", None) else [])
    return [f"results/tables/{name}{place and f'/{place}'}/{file}" for file in files]


OF_STUDY = [name for name, table in CONFIG.tables.items() if table.kind != "experiments"]
TARGETS = [target for name in OF_STUDY for target in targets_of(name, PLACE)]


@pytest.fixture
def plan(checkout, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the jobs that targets need, by rule."""
    monkeypatch.chdir(checkout.folder)
    return lambda *targets, **changes: dry_run(targets, changes, configfiles=())


def test_the_paper_s_tables_and_figures_are_all_there() -> None:
    made = {name.removeprefix("wl_") for name in OF_STUDY}
    assert made == {*(f"table{n}" for n in range(1, 9)), "figure4", "figure5", "cost", "audit"}
    plotted = [target for target in TARGETS if target.endswith(".svg")]
    assert plotted == [
        f"results/tables/wl_{name}/{PLACE}/plot.svg" for name in ("table4", "figure4")
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_builds_what_is_missing(target: str, plan) -> None:
    jobs = plan(target)
    made = [path for of_rule in jobs.values() for job in of_rule for path in job["output"]]
    assert target in made
    name = target.split("/")[2]
    table = CONFIG.tables[name]
    assert isinstance(table, config.OfStudy)
    study = CONFIG.studies[table.study]
    trained = {job["wildcards"]["experiment"] for job in jobs.get("train", [])}
    seeds = (study.datasets[PLACE].seeds or study.seeds) if PLACE in study.datasets else study.seeds
    if isinstance(table, config.StudyTable):
        rows = {
            config.experiment_of_row(CONFIG, table.study, PLACE, row)
            for row in table.rows.values()
            if row is not None
        }
        assert trained == rows - set(CONFIG.refused)
        assert len(jobs["train"]) == len(trained) * len(seeds)
        assert len(jobs["collect"]) == len(trained)
    elif table.kind == "audit":
        assert trained == {f"wl_{PLACE}_planted"}
        assert len(jobs["audit"]) == len(jobs["audit_score"]) == len(seeds)
    elif table.kind == "matches":
        assert trained == {f"wl_{PLACE}"}
        assert len(jobs["matches"]) == 1
    else:
        # counts and costs need data and bags, no network
        assert trained == set()
        assert not {"features", "evaluate"} & set(jobs)


def test_all_targets_at_once_share_what_they_share(plan) -> None:
    jobs = plan(*TARGETS)
    trained = [(job["wildcards"]["experiment"], job["wildcards"]["run"]) for job in jobs["train"]]
    assert len(set(trained)) == len(trained)
    assert len(jobs["generate"]) == len(jobs["dataset"]) == len(jobs["coarse_bags"]) == 1
    bags = {job["wildcards"]["bags"] for job in jobs["bags"]}
    assert bags == {"wl", *(f"wl_{name}" for name in ("missing", "noisy", "planted", "labelled"))}


def test_a_row_that_cannot_be_stands_in_its_table_with_its_reason(plan) -> None:
    (job,) = plan(f"results/tables/wl_table4/{PLACE}/table.md")["study_table"]
    block = json.loads(re.search(r"--params '(.*?)' --published", job["shellcmd"])[1])
    cells = {row["label"]: row["cells"][PLACE] for row in block["rows"]}
    why = CONFIG.refused[f"wl_{PLACE}_k_20"]
    assert why.startswith(f"experiments.wl_{PLACE}_k_20: ")
    assert cells["k = 20"] == {"why": why.partition(": ")[2]}
    paths = [path for path in job["input"] if path.endswith("metrics.json")]
    for label, row in (("k = 1", "k_1"), ("k = 10", "k_10")):
        assert paths[cells[label]["metrics"]] == f"results/wl_{PLACE}_{row}/metrics.json"
    assert not [path for path in paths if "k_20" in path]


def test_rows_that_are_one_experiment_are_one_column_of_figures(plan) -> None:
    # on MARS's method k = 5 and λ = 0.5 are the paper's own
    (job,) = plan("results/tables/wl_figure4/walkers_mars/plot.svg")["sweep_plot"]
    assert "results/wl_walkers_mars/metrics.json" in job["input"]
    assert "results/wl_walkers_mars_mil/metrics.json" in job["input"]
    assert not [path for path in job["input"] if re.search("lambda_(50|100)", path)]


def test_a_change_of_the_study_on_the_command_line(plan) -> None:
    jobs = plan(f"results/tables/wl_table2/{PLACE}/table.md", studies={"wl": {"seeds": [1]}})
    assert {job["wildcards"]["run"] for job in jobs["train"]} == {"official-1"}


def test_with_the_data_in_place_every_table_of_the_paper_is_built(plan, tmp_path: Path) -> None:
    datasets = {}
    for name in ("mars", "dukev"):
        for required in importlib.import_module(f"weakreid.datasets.{name}").REQUIRED:
            (tmp_path / name / required).mkdir(parents=True)
        datasets[name] = {"root": str(tmp_path / name)}
    targets = [target for name in OF_STUDY for target in targets_of(name)]
    jobs = plan(*targets, datasets=datasets)
    made = {path for of_rule in jobs.values() for job in of_rule for path in job["output"]}
    assert set(targets) <= made
    assert {job["wildcards"]["dataset"] for job in jobs["dataset"]} == {"mars", "dukev", "walkers"}


def test_the_default_target(plan) -> None:
    jobs = plan()
    assert {job["wildcards"]["experiment"] for job in jobs["train"]} == {"demo", "demo_untrained"}
    assert {job["wildcards"]["dataset"] for job in jobs["dataset"]} == {"walkers"}


# --- what is said when it cannot be ---------------------------------------------------------------

MARS = "dataset mars: data/mars/bbox_train is not there; get "


@pytest.mark.parametrize(
    ("target", "line", "flags"),
    [
        ("results/tables/wl_table3/table.md", MARS, []),
        (
            f"results/wl_{PLACE}_k_20/metrics.json",
            (
                f"experiments.wl_{PLACE}_k_20: loss.k = 20 is larger than the 16 frames sampled "
                "from a bag (batch.frames); lower k or let a bag hold more"
            ),
            [],
        ),
        (
            f"results/wl_{PLACE}_k_20/runs/official-1/audit.md",
            f"experiments.wl_{PLACE}_k_20: loss.k = 20 is larger than the 16 frames ",
            ["-n"],
        ),
        (
            "results/wl_walkers_mars_lambda_100/metrics.json",
            (
                "results/wl_walkers_mars_lambda_100/metrics.json: that is the experiment "
                "wl_walkers_mars_mil; ask for results/wl_walkers_mars_mil/metrics.json"
            ),
            ["-n"],
        ),
        ("results/tables/wl_table4/plot.svg", MARS, ["-n"]),
        ("results/tables/wl_figure5/coarse.png", MARS, ["-n"]),
        ("results/tables/wl_cost/mars/table.md", MARS, ["-n"]),
        (
            "results/tables/wl_table3/plot.svg",
            (
                "results/tables/wl_table3/plot.svg: nothing makes this file of tables.wl_table3; "
                "see README.md for the files"
            ),
            ["-n"],
        ),
    ],
)
def test_a_target_that_cannot_be(target: str, line: str, flags: list[str], checkout) -> None:
    done = checkout.snakemake(target, "--cores", "1", *flags)
    assert done.returncode == 1
    assert done.stdout.strip().splitlines()[-1].startswith(f"error: {line}")
    assert done.stdout.count("error") == 1
    assert "Traceback" not in done.stdout
    assert not (checkout.folder / "results").exists()
    if line == MARS:
        for part in ("bbox_train.zip", "data/mars", "datasets.mars.root", "wl_walkers"):
            assert part in done.stdout
