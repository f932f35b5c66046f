"""Targets of studies: what they build, what they do without, and what is said when they cannot."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.workflow.dryrun import dry_run

from weakreid import config_studies
from weakreid.config import whole
from weakreid.config.sources import default_files, read_merged

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
CONFIG = whole.load(read_merged(default_files(ROOT)))
PLACE = "walkers_tiny"
FILES = {
    "study": ["table.md"],
    "counts": ["table.md"],
    "cost": ["table.md"],
    "audit": ["table.md"],
    "matches": ["fine.png", "coarse.png"],
    "grid": ["table.md", "plot.svg"],
    "noise": ["table.md"],
    "isolation": ["plot.svg"],
    "ratios": ["plot.svg"],
    "groups": ["table.md"],
    "examples": ["sheet.png"],
    "weights": ["weights.png"],
    "labels": ["table.md"],
    "by_attribute": ["table.md"],
    "masks": ["table.md", "plot.svg"],
    "attention": ["table.md", "attention.png"],
}
"""What each kind of table makes; a study's with an axis makes plot.svg, too."""


def targets_of(name: str, place: str = "") -> list[str]:
    """Return all targets of a study's table, of one dataset or of the table's own."""
    table = CONFIG.tables[name]
    plotted = isinstance(table, config_studies.StudyTable) and table.axis is not None
    files = FILES[table.kind] + (["plot.svg"] if plotted else [])
    return [f"results/tables/{name}{place and f'/{place}'}/{file}" for file in files]


OF_STUDY = [
    name for name, table in CONFIG.tables.items() if isinstance(table, config_studies.OfStudy)
]
OF_SOURCE = [
    name for name, table in CONFIG.tables.items() if isinstance(table, config_studies.OfSource)
]
# a row of it starts from weights of MARS on any dataset
FROM_MARS = "attn_cl_table2"
TARGETS = [target for name in OF_STUDY if name != FROM_MARS for target in targets_of(name, PLACE)]
OF_WL = [name for name in OF_STUDY if name.startswith("wl_")]
OF_TMC = [name for name in OF_STUDY if name.startswith("tmc_")]
OF_ATTR = [name for name in OF_STUDY if name.startswith("attr_")]
OF_COSAM = [name for name in OF_STUDY if name.startswith("cosam_")]
OF_ATTN_CL = [name for name in OF_STUDY if name.startswith("attn_cl_")]


@pytest.fixture
def plan(checkout, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the jobs that targets need, by rule."""
    monkeypatch.chdir(checkout.folder)
    return lambda *targets, **changes: dry_run(targets, changes, configfiles=())


def test_the_papers_tables_and_figures_are_all_there() -> None:
    assert set(OF_STUDY) == {
        *(*OF_WL, *OF_TMC, *OF_ATTR, *OF_COSAM, *OF_ATTN_CL),
        "noise_board",
    }
    made = {name.removeprefix("cosam_") for name in OF_COSAM}
    assert made == {*(f"table{n}" for n in range(2, 8)), "small_attributes", "masks"}
    made = {name.removeprefix("attn_cl_") for name in OF_ATTN_CL}
    assert made == {"table1", "table2", "attention"}
    made = {name.removeprefix("wl_") for name in OF_WL}
    assert made == {*(f"table{n}" for n in range(1, 9)), "figure4", "figure5", "cost", "audit"}
    made = {name.removeprefix("tmc_") for name in OF_TMC}
    figures = {f"figure{n}" for n in (3, 4, 7)}
    # of small data: the sweeps around what it gives
    small = {"isolation_lite0", "association_small"}
    assert made == {*(f"table{n}" for n in range(1, 6)), *figures, *small}
    made = {name.removeprefix("attr_") for name in (*OF_ATTR, *OF_SOURCE)}
    figures = {f"figure{n}" for n in (4, 5, 6)}
    assert made == {*(f"table{n}" for n in range(1, 5)), *figures, "labels", "by_attribute"}
    plotted = [target for target in TARGETS if target.endswith(".svg")]
    assert plotted == [
        f"results/tables/{name}/{PLACE}/plot.svg"
        for name in OF_STUDY
        if CONFIG.tables[name].kind in ("grid", "isolation", "masks")
        or name in ("wl_table4", "wl_figure4", "cosam_table6")
    ]


def trained_by(jobs: dict[str, list[dict[str, Any]]]) -> list[tuple[str, str]]:
    """Return the experiment and the run of every training."""
    rules = ("train", "train_tracklets", "train_clips")
    learning = [job for rule in rules for job in jobs.get(rule, [])]
    return [(job["wildcards"]["experiment"], job["wildcards"]["run"]) for job in learning]


def rows_of(table: Any) -> set[str]:
    """Return the experiments of a table's rows."""
    rows = table.rows.values()
    return {whole.experiment_of_row(CONFIG, table.study, PLACE, row, None) for row in rows}


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_builds_what_is_missing(target: str, plan) -> None:
    jobs = plan(target)
    made = [path for of_rule in jobs.values() for job in of_rule for path in job["output"]]
    assert target in made
    name = target.split("/")[2]
    table = CONFIG.tables[name]
    assert isinstance(table, config_studies.OfStudy)
    study = CONFIG.studies[table.study]
    runs = trained_by(jobs)
    trained = {experiment for experiment, _ in runs}
    seeds = (study.datasets[PLACE].seeds or study.seeds) if PLACE in study.datasets else study.seeds
    if isinstance(table, config_studies.StudyTable | config_studies.GridTable):
        rows = {
            whole.experiment_of_row(CONFIG, table.study, PLACE, row, level)
            for row in table.rows.values()
            for level in getattr(table, "levels", [None])
            if row is not None
        }
        assert trained == rows - set(CONFIG.refused)
        assert len(runs) == len(trained) * len(seeds)
        assert len(jobs["collect"]) == len(trained)
    elif table.kind == "audit":
        assert trained == {f"wl_{PLACE}_planted"}
        assert len(jobs["audit"]) == len(jobs["audit_score"]) == len(seeds)
    elif table.kind == "matches":
        assert trained == {f"wl_{PLACE}"}
        assert len(jobs["matches"]) == 1
    elif table.kind == "weights":
        assert trained == {f"attr_{PLACE}"}
        assert len(runs) == len(jobs["temporal_weights"]) == 1
    elif table.kind == "by_attribute":
        assert trained == rows_of(table)
        assert len(jobs["attribute_metrics"]) == len(runs) == len(trained) * len(seeds)
        # of all persons the truth is known
        (job,) = jobs["true_attributes"]
        assert all(job["output"][0] in of["input"] for of in jobs["attribute_metrics"])
    elif target.endswith("masks/walkers_tiny/plot.svg"):
        # another training of the first row, whose every epoch is kept
        again = {job["wildcards"]["experiment"] for job in jobs["clip_epochs"]}
        assert again == {f"cosam_{PLACE}"} and not trained
    elif table.kind in ("masks", "attention"):
        assert trained == rows_of(table)
    elif table.kind in ("labels", "examples"):
        # labels of every loss, and nobody who learns from them
        assert trained == set()
        transfers = {job["wildcards"]["transfer"] for job in jobs["transfer"]}
        assert len(transfers) == len(table.rows)
        of_each = len(seeds) if table.kind == "labels" else 1
        assert len(jobs["attribute_labels"]) == of_each * len(transfers)
        assert len(jobs.get("label_quality", [])) == (len(transfers) * len(seeds)) * (
            table.kind == "labels"
        )
    else:
        # counts and costs need data and bags, noise and isolation tracklets, and no network
        assert trained == set()
        assert not {"features", "evaluate"} & set(jobs)
        assert bool(jobs.get("frame_features")) == (table.kind == "isolation")


def test_all_targets_at_once_share_what_they_share(plan) -> None:
    targets = [target for name in OF_WL for target in targets_of(name, PLACE)]
    jobs = plan(*targets)
    trained = trained_by(jobs)
    assert len(set(trained)) == len(trained)
    assert len(jobs["generate"]) == len(jobs["dataset"]) == len(jobs["coarse_bags"]) == 1
    bags = {job["wildcards"]["bags"] for job in jobs["bags"]}
    assert bags == {"wl", *(f"wl_{name}" for name in ("missing", "noisy", "planted", "labelled"))}


def test_so_do_those_of_noisy_tracklets(plan) -> None:
    names = [*OF_TMC, "noise_board"]
    jobs = plan(*(target for name in names for target in targets_of(name, PLACE)))
    trained = trained_by(jobs)
    assert len(set(trained)) == len(trained)
    assert len(jobs["frame_features"]) == len(jobs["split"]) == len(jobs["coarse_bags"]) == 1
    levels = CONFIG.studies["tmc"].levels.values()
    noises = [job["wildcards"]["noise"] for job in jobs["noise"]]
    assert sorted(noises) == sorted(level.noise for level in levels)
    isolated = [
        (job["wildcards"]["noise"], job["wildcards"]["isolation"]) for job in jobs["isolation"]
    ]
    assert len(set(isolated)) == len(isolated)
    bags = {job["wildcards"]["bags"] for job in jobs["bags"]}
    noisy = [level.noise for level in levels if CONFIG.noise[level.noise].rfm is not None]
    assert bags == {
        *(name + end for name in ("wl", "wl_labelled") for end in ("", *(f"_{n}" for n in noisy)))
    }
    for job in jobs["bags"]:
        noise = CONFIG.bags[job["wildcards"]["bags"]].noise
        path = f"results/datasets/{PLACE}/official/noise/{noise}.parquet"
        assert (path in job["input"]) == (noise is not None)
        assert ("--tracks" in job["shellcmd"]) == (noise is not None)


def test_those_of_attributes_share_their_transfers(plan) -> None:
    targets = [target for name in OF_ATTR for target in targets_of(name, PLACE)]
    jobs = plan(*targets, "results/attr_walkers_tiny_truth/metrics.json")
    trained = trained_by(jobs)
    assert len(set(trained)) == len(trained)
    for rule in ("generate_source", "annotation", "pictures", "true_annotation", "true_attributes"):
        assert len(jobs[rule]) == 1, rule
    for rule in ("transfer", "attribute_votes", "attribute_labels"):
        runs = [(job["wildcards"]["transfer"], job["wildcards"]["run"]) for job in jobs[rule]]
        assert sorted(runs) == sorted(
            (f"studio_tiny{end}", f"official-{seed}")
            for end in ("", "_bce", "_bce_mmd", "_wbce")
            for seed in CONFIG.studies["attr"].seeds
        )


def test_the_attributes_that_a_row_learns_from(plan) -> None:
    for end, labels in {
        "": ["results/attributes/studio_tiny/walkers_tiny/official-1/labels.parquet"],
        "_bce": ["results/attributes/studio_tiny_bce/walkers_tiny/official-1/labels.parquet"],
        "_truth": [f"results/datasets/{PLACE}/attributes.parquet"],
        "_a": [],
        "_untrained": [],
    }.items():
        jobs = plan(f"results/attr_{PLACE}{end}/runs/official-1/features.parquet")
        (job,) = jobs["train_clips"]
        assert job["input"][3:] == labels
        assert ("--attributes" in job["shellcmd"]) == bool(labels)
        assert bool(jobs.get("transfer")) == ("labels.parquet" in "".join(labels))


def test_what_a_row_learns_from_at_a_level(plan) -> None:
    folder = f"results/datasets/{PLACE}/official"
    for name, tracks in {
        f"tmc_{PLACE}": "isolated/clean-lite0",
        f"tmc_{PLACE}_n25_15": "isolated/n25_15-lite0",
        f"tmc_{PLACE}_minus": "noise/clean",
        f"tmc_{PLACE}_minus_n25_15": "noise/n25_15",
        f"tmc_{PLACE}_intra_60_n17_12": "isolated/n17_12-lite0_eps_60",
    }.items():
        jobs = plan(f"results/{name}/runs/official-1/identities.png")
        (job,) = jobs["train_tracklets"]
        assert job["input"][0] == f"{folder}/{tracks}.parquet"


def test_a_simulation_that_follows_a_tracker(plan) -> None:
    path = "results/datasets/walkers_tiny/official/noise/tiny.json"
    noise = {"tiny": {"rfm": 1.5, "rsw": 1.2}}
    trackers = {"own": {"root": "film", "sequences": ["hall"], "truth": "truth.txt"}}
    trackers["own"]["output"] = "boxes.txt"
    jobs = plan(path, noise=noise, trackers=trackers)
    assert "noise_rates" not in jobs
    (job,) = jobs["noise"]
    assert '"distribution": "fitted"' in job["shellcmd"]
    assert "--observed" not in job["shellcmd"]
    noise["tiny"]["observed"] = "own"
    jobs = plan(path, noise=noise, trackers=trackers)
    (job,) = jobs["noise_rates"]
    assert job["input"] == ["film/truth.txt", "film/boxes.txt"]
    (job,) = jobs["noise"]
    assert '"distribution": "observed"' in job["shellcmd"]
    assert "--observed=results/trackers/own/distribution.parquet" in job["shellcmd"]


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


@pytest.mark.parametrize(
    ("tables", "places"),
    [
        (OF_WL, {"mars", "dukev", "walkers"}),
        (OF_TMC, {"mars", "prid", "walkers"}),
        ([*OF_ATTR, *OF_SOURCE], {"mars", "ilids", "prid", "walkers"}),
    ],
    ids=["wl", "tmc", "attr"],
)
def test_with_the_data_in_place_every_table_of_a_paper_is_built(
    tables: list[str], places: set[str], plan, tmp_path: Path
) -> None:
    datasets = {}
    for name in places - {"walkers"}:
        for required in importlib.import_module(f"weakreid.datasets.{name}").REQUIRED:
            (tmp_path / name / required).mkdir(parents=True)
        datasets[name] = {"root": str(tmp_path / name)}
    (tmp_path / "rap" / "RAP_dataset").mkdir(parents=True)
    (tmp_path / "rap" / "RAP_annotation").mkdir()
    (tmp_path / "rap" / "RAP_annotation" / "RAP_annotation.mat").touch()
    sources = {"rap": {"root": str(tmp_path / "rap")}}
    targets = [target for name in tables for target in targets_of(name)]
    studies = {name: {"seeds": [1]} for name in ("wl", "tmc", "attr")}
    jobs = plan(*targets, datasets=datasets, sources=sources, studies=studies)
    made = {path for of_rule in jobs.values() for job in of_rule for path in job["output"]}
    assert set(targets) <= made
    assert {job["wildcards"]["dataset"] for job in jobs["dataset"]} == places


def test_the_default_target(plan) -> None:
    jobs = plan()
    assert {job["wildcards"]["experiment"] for job in jobs["train"]} == {"demo", "demo_untrained"}
    assert {job["wildcards"]["dataset"] for job in jobs["dataset"]} == {"walkers"}


# --- what is said when it cannot be ---------------------------------------------------------------

MARS = "dataset mars: data/mars/bbox_train is not there; get "
RAP = "source rap: data/rap/RAP_annotation/RAP_annotation.mat is not there; ask for RAP "


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
        (
            f"results/tmc_{PLACE}_intra_70_n17_12/metrics.json",
            (
                f"results/tmc_{PLACE}_intra_70_n17_12/metrics.json: that is the experiment "
                f"tmc_{PLACE}_n17_12; ask for results/tmc_{PLACE}_n17_12/metrics.json"
            ),
            ["-n"],
        ),
        (
            f"results/tmc_{PLACE}_n17_13/metrics.json",
            (
                f"results/tmc_{PLACE}_n17_13/metrics.json: experiments.tmc_{PLACE}_n17_13 does not "
                f"exist; did you mean 'tmc_{PLACE}_n17_12'?"
            ),
            ["-n"],
        ),
        (
            "results/trackers/mot17_deepsort/rates.md",
            (
                "trackers.mot17_deepsort: data/mot17/gt/MOT17-02-FRCNN/gt/gt.txt is not there; put "
                "it there, or correct trackers.mot17_deepsort"
            ),
            ["-n"],
        ),
        (
            "results/trackers/mot17_depsort/rates.md",
            (
                "results/trackers/mot17_depsort/rates.md: trackers.mot17_depsort does not exist; "
                "did you mean 'mot17_deepsort'?"
            ),
            ["-n"],
        ),
        ("results/tables/tmc_table1/table.md", MARS, ["-n"]),
        ("results/tables/tmc_table3/plot.svg", MARS, ["-n"]),
        ("results/tables/tmc_figure3/plot.svg", MARS, ["-n"]),
        ("results/tables/wl_table4/plot.svg", MARS, ["-n"]),
        ("results/tables/wl_figure5/coarse.png", MARS, ["-n"]),
        ("results/tables/attr_figure4/plot.svg", RAP, []),
        # a transfer needs the pictures too
        (
            "results/attributes/rap/walkers_tiny/official-1/labels.parquet",
            "source rap: data/rap/RAP_dataset is not there; ask for RAP ",
            ["-n"],
        ),
        (
            "results/tables/attr_labels/mars/table.md",
            (
                "tables.attr_labels: nobody knows the true attributes of dataset mars; ask for "
                "results/tables/attr_labels/walkers/table.md"
            ),
            ["-n"],
        ),
        (
            "results/tables/attr_by_attribute/mars/table.md",
            ("nobody knows the true attributes of dataset mars; take a transfer that is learnt"),
            ["-n"],
        ),
        ("results/tables/wl_cost/mars/table.md", MARS, ["-n"]),
        (
            "results/tables/wl_table3/plot.svg",
            (
                "results/tables/wl_table3/plot.svg: nothing makes this file of tables.wl_table3; "
                "docs/artifacts.md lists the files"
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
    if line == RAP:
        for part in ("RAP_dataset", "data/rap", "sources.rap.root", "studio is generated"):
            assert part in done.stdout
