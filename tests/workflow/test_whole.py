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
            ["--config", "experiments={wl_mars: {dataset: marss}}"],
            "error: experiments.wl_mars.dataset: 'marss' does not exist; did you mean 'mars'?",
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
