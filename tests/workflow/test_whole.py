"""The tiny experiment from the command line: what comes out, twice the same, and what is said."""

import csv
import importlib.metadata
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.workflow.steps import ALSO, call, steps

from weakreid.artifacts import schemas

pytestmark = pytest.mark.slow

RANKS = {"1", "5", "10", "20"}
MEASURED = {"timing.json", ".snakemake_timestamp"}
"""Names of what holds times."""
MADE = [name for name, step in steps().items() if step.outputs[0] not in ALSO]


def content(path: Path) -> Any:
    """Return what a result holds, without measured times; of a folder, by its files' names."""
    if path.is_dir():
        inside = (file for file in path.rglob("*") if file.is_file() and file.name not in MEASURED)
        return {str(file.relative_to(path)): content(file) for file in inside}
    if path.name == "history.parquet":
        rows = schemas.read_frame(path, "history")
        return rows[rows["term"] != "images_per_s"].to_dict()
    return path.read_bytes()


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
    size = {"height": 32, "width": 16, "resized": None}
    assert metrics["config"]["method"]["image"] == size
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


@pytest.mark.parametrize("name", MADE)
def test_a_stage_that_is_called_again_makes_the_same(
    name: str, tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the same inputs the same bytes: so it is with a whole workflow."""
    monkeypatch.chdir(tiny.folder)
    call(name, tmp_path)
    made = [Path(path) for path in steps()[name].outputs if Path(path).name not in MEASURED]
    assert [path for path in made if content(path) != content(tmp_path / path.name)] == []


def test_every_target_is_there(tiny) -> None:
    assert [path for path in tiny.targets if not (tiny.folder / path).exists()] == []


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
    bags = schemas.read_frame(
        tiny.folder / "results/datasets/walkers_tiny/official/bags/wl_spoilt.parquet",
        "bags",
        truth=True,
    )
    wrong = [
        set(labels) != set(persons)
        for labels, persons in zip(bags["labels"], bags["truth_frame_persons"], strict=True)
    ]
    assert 0 < sum(wrong) < len(bags)
    found = schemas.read_frame(run / "audit.parquet", "audit")
    assert set(found["bag_id"]) == set(bags["bag_id"])
    text = (run / "audit.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    # in words of the attributes that `looks` names
    assert lines_of(text)["rank"][-1] == "looks like"
    assert lines_of(text)["1"][-1]
    assert (run / "audit.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((run / "audit.json").read_text(encoding="utf-8"))["run"] == "official-1"


def test_examples_of_a_study_are_those_of_its_own_method(tiny) -> None:
    for kind in ("fine", "coarse"):
        shown = tiny.folder / f"results/tables/mini_matches/walkers_tiny/{kind}.png"
        drawn = tiny.folder / f"results/mini_walkers_tiny/runs/official-1/matches_{kind}.png"
        assert shown.read_bytes() == drawn.read_bytes()


# --- tracklets ------------------------------------------------------------------------------------

SPLIT = "results/datasets/walkers_tiny/official"
OF_TRACKLETS = "results/mini_tmc_walkers_tiny_intra_50_noisy"


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_metrics_of_learning_from_tracklets(tiny) -> None:
    metrics = read_json(tiny.folder / OF_TRACKLETS / "metrics.json")
    named = {name: metrics.get(name) for name in ("bags", "noise", "isolation", "method")}
    assert named == {
        "bags": None,
        "noise": "tiny",
        "isolation": "tiny_near",
        "method": "tiny_tracklets",
    }
    noise = {"rfm": 1.5, "rsw": 1.2, "observed": None, "simulations": 1}
    assert metrics["config"]["noise"] == noise
    assert metrics["config"]["isolation"]["eps"] == 0.11
    assert metrics["config"]["extractor"]["model"]["backbone"] == "test_resnet"
    assert metrics["config"]["method"]["learns"] == "tracklets"
    assert 0 < metrics["fine"]["mAP"] < 100


def test_metrics_of_learning_from_bags_of_noisy_tracklets(tiny) -> None:
    metrics = read_json(tiny.folder / "results/mini_tmc_walkers_tiny_majority_noisy/metrics.json")
    assert metrics["bags"] == "wl_majority_tiny"
    assert metrics["config"]["bags"]["noise"] == "tiny"
    assert metrics["config"]["noise"]["rsw"] == 1.2
    bags = schemas.read_frame(
        tiny.folder / SPLIT / "bags/wl_majority_tiny.parquet", "bags", truth=True
    )
    tracks = schemas.read_frame(tiny.folder / SPLIT / "noise/tiny.parquet", "tracks", truth=True)
    assert len(bags) == tracks["tracklet_id"].nunique()
    shown = bags.explode("truth_frame_persons").groupby("bag_id")["truth_frame_persons"]
    for (person,), counts in zip(
        bags["labels"], (of.value_counts() for _, of in shown), strict=True
    ):
        assert counts[person] == counts.max()
    # some frames carry another person's label: that is what the noise does
    assert any(len(set(persons)) > 1 for persons in bags["truth_frame_persons"])


def test_no_frame_is_lost_or_doubled_on_the_way_to_a_training(tiny) -> None:
    rows = schemas.read_frame(tiny.folder / SPLIT / "tracklets.parquet", "tracklets")
    frames = schemas.read_frame(
        tiny.folder / "results/datasets/walkers_tiny/frames.parquet", "frames", truth=True
    )
    train = rows.loc[rows["role"] == "train", ["tracklet_id", "camera_id"]]
    wanted = frames.merge(train, on="tracklet_id")
    columns = ["image", "camera_id", "truth_person_id"]
    expected = sorted(wanted[columns].to_numpy().tolist())
    counts = {}
    for name in ("noise/clean", "noise/tiny", "isolated/tiny-tiny", "isolated/tiny-tiny_near"):
        found = schemas.read_frame(tiny.folder / SPLIT / f"{name}.parquet", "tracks", truth=True)
        assert sorted(found[columns].to_numpy().tolist()) == expected
        assert (found.groupby("tracklet_id")["camera_id"].nunique() == 1).all()
        counts[name] = found["tracklet_id"].nunique()
    assert counts["noise/clean"] == len(train)
    assert counts["noise/tiny"] < counts["isolated/tiny-tiny"] < counts["isolated/tiny-tiny_near"]
    # one of a single frame is learned from as well
    assert found.groupby("tracklet_id").size().min() == 1


def test_what_isolation_reports_is_in_the_table(tiny) -> None:
    report = read_json(tiny.folder / SPLIT / "isolated/tiny-tiny_near.json")
    assert report["before"]["impurity"] > report["after"]["impurity"]
    text = (tiny.folder / "results/tables/mini_grid/table.md").read_text(encoding="utf-8")
    assert text.startswith("# Tiny grid\n")
    lines = lines_of(text)
    cells = dict(zip(lines[""], lines["eps = 0.5"], strict=True))
    metrics = read_json(tiny.folder / OF_TRACKLETS / "metrics.json")["fine"]
    # TMC, Table 4 at (1.7, 1.2), and ours
    assert cells == {
        "runs": "1",
        "impurity paper": "0.84",
        "impurity ours": f"{report['after']['impurity']:.2f}",
        "clusters paper": "13847",
        "clusters ours": str(report["after"]["tracklets"]),
        "mAP paper": "54.5",
        "mAP ours": f"{metrics['mAP']:.1f}",
        "R-1 paper": "66.2",
        "R-1 ours": f"{metrics['cmc']['1']:.1f}",
    }
    cells = dict(zip(lines[""], lines["a label per tracklet"], strict=True))
    assert [cells[f"{name} ours"] for name in ("impurity", "clusters")] == ["", ""]
    assert cells["mAP ours"]


def test_the_board_has_every_level(tiny) -> None:
    text = (tiny.folder / "results/tables/mini_board/table.md").read_text(encoding="utf-8")
    heads, row = (lines_of(text)[label] for label in ("", "TMC"))
    levels = ("clean", "noisy")
    assert heads == ["runs", *(f"{level}: {name}" for level in levels for name in ("R-1", "mAP"))]
    for number, end in enumerate(("", "_noisy")):
        path = tiny.folder / f"results/mini_tmc_walkers_tiny_intra_50{end}/metrics.json"
        assert row[2 + 2 * number].strip("*") == f"{read_json(path)['fine']['mAP']:.1f}"


def test_what_was_asked_of_a_simulation_and_what_came_back(tiny) -> None:
    text = (tiny.folder / "results/tables/mini_noise/table.md").read_text(encoding="utf-8")
    lines = lines_of(text)
    for label, noise in (("clean", "clean"), ("noisy", "tiny")):
        summary = read_json(tiny.folder / SPLIT / f"noise/{noise}.json")
        assert f"{summary['rfm']:.3f}" in lines[label]
        assert f"{summary['rsw']:.3f}" in lines[label]
        assert str(summary["tracklets"]) in lines[label]
    assert lines["clean"][0] == ""
    assert lines["noisy"][0] == "1.5"


def test_clusters_are_kept_and_measured(tiny) -> None:
    run = tiny.folder / OF_TRACKLETS / "runs/official-1"
    tracks = schemas.read_frame(tiny.folder / SPLIT / "isolated/tiny-tiny_near.parquet", "tracks")
    clusters = schemas.read_frame(run / "clusters.parquet", "clusters")
    assert clusters["tracklet_id"].tolist() == sorted(set(tracks["tracklet_id"]))
    history = schemas.read_frame(run / "history.parquet", "history")
    for term in ("clusters", "unclustered", "nmi", "ari", "purity"):
        # before the only epoch, and after it
        assert history.loc[history["term"] == term, "epoch"].tolist() == [0, 1], term
    assert history.loc[history["term"] == "clusters", "value"].min() >= 2
    assert read_json(run / "timing.json")["association_s"] >= 0


def test_who_is_who_and_who_is_near(tiny) -> None:
    run = tiny.folder / OF_TRACKLETS / "runs/official-1"
    clusters = schemas.read_frame(run / "clusters.parquet", "clusters")
    with (run / "identities.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(clusters)
    with (run / "search.csv").open(encoding="utf-8", newline="") as file:
        found = {row["query_id"] for row in csv.DictReader(file)}
    rows = schemas.read_frame(tiny.folder / SPLIT / "tracklets.parquet", "tracklets")
    assert found == {str(query) for query in rows.loc[rows["role"] == "query", "tracklet_id"]}


def test_the_noise_of_a_tracker(tiny) -> None:
    rates = read_json(tiny.folder / "results/trackers/tiny/rates.json")
    # 4 tracklets, one of which shows two of the 3 people
    assert rates["pooled"]["rfm"] == pytest.approx(5 / 3)
    assert rates["pooled"]["rsw"] == pytest.approx(5 / 4)
    text = (tiny.folder / "results/trackers/tiny/rates.md").read_text(encoding="utf-8")
    assert lines_of(text)["hall"][-1] == "1.25"


def test_bags_of_videos_whose_people_were_named(tiny) -> None:
    bags = schemas.read_frame(
        tiny.folder / "results/datasets/film/official/bags/named.parquet", "bags", truth=True
    )
    # Ada and Bob in the first half, Bob in the second; three people in each frame
    assert [sorted(labels) for labels in bags["labels"]] == [[1, 2], [2]]
    assert [len(frames) for frames in bags["frames"]] == [12, 12]
    assert [sorted(set(persons)) for persons in bags["truth_frame_persons"]] == [[1, 2, 3]] * 2


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
            "unknown key 'sed'; did you mean 'seed'?",
        ),
        (
            ["--config", "methods={wl: {schedule: {epoch: 3}}}"],
            "unknown key 'methods.wl.schedule.epoch'; did you mean 'epochs'?",
        ),
        (
            ["--config", "experiments={demo: {dataset: marss}}"],
            "experiments.demo.dataset: 'marss' does not exist; did you mean 'mars'?",
        ),
        (
            ["--config", "studies={wl: {rows: {mil: {overrides: {loss: {kk: 3}}}}}}"],
            "studies.wl.rows.mil.overrides: unknown key 'loss.kk'; did you mean 'k'?",
        ),
        (
            ["--config", "tables={wl_audit: {row: plantd}}"],
            "tables.wl_audit.row: 'plantd' does not exist; did you mean 'planted'?",
        ),
    ],
)
def test_a_config_that_is_refused(arguments: list[str], line: str, empty) -> None:
    done = empty.snakemake("--cores", "1", "results/wl_walkers/metrics.json", "-n", *arguments)
    assert done.returncode == 1
    assert last_line(done) == f"error: --config: {line}"
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
