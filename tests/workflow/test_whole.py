"""The tiny experiment from the command line: what comes out, twice the same, and what is said."""

import importlib.metadata
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from weakreid import tables

pytestmark = pytest.mark.slow

RANKS = {"1", "5", "10", "20"}


def files(folder: Path) -> dict[str, Any]:
    """Return the content of every result, without logs and measured times."""
    root = folder / "results"
    found: dict[str, Any] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.name == "history.parquet":
            rows = tables.read_frame(path, "history")
            found[str(name)] = rows[rows["term"] != "images_per_s"].to_dict()
        elif path.is_file() and not {"logs", "benchmarks", "timing.json"} & set(name.parts):
            found[str(name)] = path.read_bytes()
    return found


def last_line(done) -> str:
    return done.stdout.strip().splitlines()[-1]


def test_metrics_are_complete(tiny) -> None:
    metrics = json.loads((tiny.folder / tiny.metrics).read_text(encoding="utf-8"))
    assert metrics["experiment"] == "wl_tiny"
    assert metrics["dataset"] == "walkers_tiny"
    assert metrics["bags"] == "wl"
    assert metrics["method"] == "tiny"
    assert list(metrics["runs"]) == ["official-1"]
    for found in (metrics, metrics["runs"]["official-1"]):
        for protocol in ("fine", "coarse"):
            figures = found[protocol]
            for of in (figures, figures["chance"]):
                assert set(of["cmc"]) >= RANKS
                assert all(0 <= value <= 100 for value in (of["mAP"], *of["cmc"].values()))
            assert figures["queries"] > 0
            assert figures["gallery"] > 0
            assert figures["skipped"] == 0
    assert metrics["config"]["method"]["image"] == {"height": 32, "width": 16}
    assert metrics["config"]["bags"]["tracklets_per_bag"] == [3, 5]
    assert metrics["config"]["dataset"]["size"] == "tiny"
    assert metrics["config"]["seed"] == 1
    assert metrics["versions"]["torch"] == importlib.metadata.version("torch")
    assert metrics["device"]


def test_metrics_hold_no_time_host_or_path(tiny) -> None:
    text = (tiny.folder / tiny.metrics).read_text(encoding="utf-8")
    assert not re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d|seconds|/", text)
    # a name such as "vm" may be part of another word
    assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", text)


def test_repeated_from_scratch_it_is_the_same(tiny, repeated) -> None:
    first, second = files(tiny.folder), files(repeated.folder)
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []
    for target in tiny.targets:
        assert target.removeprefix("results/") in first


def test_nothing_half_written_is_left(tiny) -> None:
    assert list((tiny.folder / "results").rglob(".*.part")) == []
    assert list((tiny.folder / "results").rglob("checkpoint*")) == []


def test_a_second_call_does_nothing(tiny) -> None:
    done = tiny.tiny(*tiny.targets)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


def test_the_table_and_the_figures(tiny) -> None:
    text = (tiny.folder / tiny.table).read_text(encoding="utf-8")
    assert text.startswith("# Tiny\n")
    assert "| tiny " in text
    assert "| chance " in text
    for figure in tiny.figures:
        start = (tiny.folder / figure).read_bytes()[:8]
        assert start.startswith(b"<?xml" if figure.endswith(".svg") else b"\x89PNG")


def lines_of(text: str) -> dict[str, list[str]]:
    """Return the cells of a Markdown table's lines, by their first."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return {label: rest for label, *rest in cells}


def test_a_study_s_table_has_the_paper_s_figures_and_ours(tiny) -> None:
    text = (tiny.folder / "results/tables/mini_k/table.md").read_text(encoding="utf-8")
    assert text.startswith("# Tiny k\n")
    lines = lines_of(text)
    paper = [number for number, head in enumerate(lines[""]) if "paper" in head]
    ours = [number for number, head in enumerate(lines[""]) if "ours" in head]
    # and mAP of each
    assert len(paper) == len(ours) == 4
    for label, shown in (("k = 1", True), ("k = 5", True), ("k = 10", False)):
        assert all(lines[label][number] for number in paper)
        assert all(bool(lines[label][number]) == shown for number in ours)
    assert [lines["k = 5"][number] for number in paper] == ["65.0", "81.5", "86.1", "46.0"]
    metrics = (tiny.folder / "results/mini_walkers_tiny/metrics.json").read_text(encoding="utf-8")
    figures = json.loads(metrics)["fine"]
    expected = [*(figures["cmc"][rank] for rank in ("1", "5", "10")), figures["mAP"]]
    assert [lines["k = 5"][number] for number in ours] == [f"{value:.1f}" for value in expected]
    # k = 20 cannot be, and says why
    assert "loss.k = 20 is larger than the 6 frames sampled from a bag" in text
    # k = 5 is the study's own method, which is trained once
    assert not (tiny.folder / "results/mini_walkers_tiny_k_5").exists()


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("counts", ["coarse train bags", "fine gallery tracklets"]),
        ("cost", ["videos (bags), n"]),
        ("audit", ["chance", "bag loss", "label audit"]),
    ],
)
def test_the_other_tables_of_a_study(name: str, rows: list[str], tiny) -> None:
    path = tiny.folder / f"results/tables/mini_{name}/walkers_tiny/table.md"
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# Tiny {name}\n")
    lines = lines_of(text)
    for row in rows:
        assert any(lines[row]), row


def test_the_audit_of_planted_errors(tiny) -> None:
    run = tiny.folder / "results/mini_walkers_tiny_planted/runs/official-1"
    bags = tables.read_frame(
        tiny.folder / "results/datasets/walkers_tiny/official/bags/wl_spoilt.parquet",
        "bags",
        truth=True,
    )
    wrong = [
        set(labels) != set(persons)
        for labels, persons in zip(bags["labels"], bags["truth_frame_persons"], strict=True)
    ]
    assert 0 < sum(wrong) < len(bags)
    found = tables.read_frame(run / "audit.parquet", "audit")
    assert set(found["bag_id"]) == set(bags["bag_id"])
    assert (run / "audit.md").read_text(encoding="utf-8").startswith("# ")
    assert (run / "audit.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((run / "audit.json").read_text(encoding="utf-8"))["run"] == "official-1"


def test_examples_of_a_study_are_those_of_its_own_method(tiny) -> None:
    for kind in ("fine", "coarse"):
        shown = tiny.folder / f"results/tables/mini_matches/walkers_tiny/{kind}.png"
        drawn = tiny.folder / f"results/mini_walkers_tiny/runs/official-1/matches_{kind}.png"
        assert shown.read_bytes() == drawn.read_bytes()


def test_lint(tiny) -> None:
    done = tiny.snakemake("--lint")
    assert done.returncode == 0, done.stdout
    assert "Congratulations" in done.stdout


# --- what is said when it cannot be ---------------------------------------------------------------


@pytest.mark.parametrize("flags", [[], ["-n"]], ids=["run", "dry run"])
def test_data_that_is_not_there(flags: list[str], empty) -> None:
    done = empty.snakemake("--cores", "8", "results/wl_mars/metrics.json", *flags)
    assert done.returncode == 1
    line = last_line(done)
    assert line.startswith("error: dataset mars: data/mars/bbox_train is not there; get ")
    for part in ("bbox_train.zip", "http://", "data/mars", "datasets.mars.root", "wl_walkers"):
        assert part in line
    assert done.stdout.count("error") == 1
    assert "Traceback" not in done.stdout
    assert not (empty.folder / "results").exists()
    assert not (empty.folder / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--config", "sed=1"],
            "error: config.yaml: unknown key 'sed'; did you mean 'seed'?",
        ),
        (
            ["--config", "methods={wl: {schedule: {epoch: 3}}}"],
            "error: config.yaml: unknown key 'methods.wl.schedule.epoch'; did you mean 'epochs'?",
        ),
        (
            ["--config", "experiments={demo: {dataset: marss}}"],
            "error: experiments.demo.dataset: 'marss' does not exist; did you mean 'mars'?",
        ),
        (
            ["--config", "studies={wl: {rows: {mil: {overrides: {loss: {kk: 3}}}}}}"],
            "error: studies.wl.rows.mil.overrides: unknown key 'loss.kk'; did you mean 'k'?",
        ),
        (
            ["--config", "tables={wl_audit: {row: plantd}}"],
            "error: tables.wl_audit.row: 'plantd' does not exist; did you mean 'planted'?",
        ),
    ],
)
def test_a_config_that_is_refused(arguments: list[str], line: str, empty) -> None:
    done = empty.snakemake("--cores", "1", "results/wl_walkers/metrics.json", "-n", *arguments)
    assert done.returncode == 1
    assert last_line(done) == line
    assert "Traceback" not in done.stdout
    assert not (empty.folder / "results").exists()


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (
            "results/wl_marz/metrics.json",
            "experiments.wl_marz does not exist; did you mean 'wl_mars'?",
        ),
        ("results/tables/dmeo/table.md", "tables.dmeo does not exist; did you mean 'demo'?"),
        (
            "metrics.json",
            (
                "nothing makes this; ask for results/EXPERIMENT/metrics.json or "
                "results/tables/TABLE/table.md"
            ),
        ),
    ],
)
def test_a_target_that_nothing_makes(target: str, line: str, tiny) -> None:
    done = tiny.snakemake("--cores", "1", "-n", target)
    assert done.returncode == 1
    assert last_line(done) == f"error: {target}: {line}"


def test_values_on_the_command_line(tiny) -> None:
    change = "methods={tiny: {optimiser: {clip: null}, evaluation: {rerank: false}}}"
    done = tiny.tiny(tiny.metrics, "-n", "--config", change)
    assert done.returncode == 0, done.stdout
    assert "Nothing to be done" in done.stdout
