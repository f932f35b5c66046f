"""`weakreid plan`: the experiments of the config, and what one is made of."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from weakreid.cli.main import app


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a folder without a config of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(*arguments: str) -> str:
    """Return what the command says."""
    done = CliRunner().invoke(app, ["plan", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def refused(*arguments: str) -> str:
    done: Result = CliRunner().invoke(app, ["plan", *arguments])
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    return line.removeprefix("error: ")


def test_experiments_in_a_line_each() -> None:
    lines = told("wl_walkers*").splitlines()
    found = {line.split()[0]: line for line in lines}
    assert len(found) == len(lines)
    assert "walkers, method small, bags wl, 3 runs" in found["wl_walkers"]
    assert found["wl_walkers_ours"].split(maxsplit=1)[1] == "is wl_walkers"
    assert "refused: loss.k = 20 is larger than" in found["wl_walkers_k_20"]
    assert len(told().splitlines()) > 1000


def test_one_experiment() -> None:
    text = told("wl_walkers_ours")
    assert text.startswith("wl_walkers_ours is the experiment wl_walkers.\n")
    assert "study wl, dataset walkers, its own method" in text
    (k,) = [line for line in text.splitlines() if line.startswith("  loss.k: ")]
    assert k.split()[1:] == ["4", "studies.wl.datasets.walkers.overrides"]
    assert "  - results/wl_walkers/metrics.json" in text
    assert "snakemake results/wl_walkers/metrics.json would run:\n  generate\n" in text
    assert "  train_bags (3 jobs)" in text


def test_what_is_there_would_not_run(here: Path) -> None:
    made = here / "results/datasets/walkers"
    for name in ("generated.json", "tracklets.parquet", "frames.parquet", "partitions.parquet"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text("{}")
    (made / "generated").mkdir()
    text = told("demo")
    assert "  generate\n" not in text and "  dataset\n" in text
    (made / "images.arrow").write_text("{}")
    assert "  dataset\n" not in told("demo")


def test_what_cannot_run_says_why() -> None:
    assert "cannot run: dataset mars: data/mars/bbox_train is not there" in told("wl_mars")
    text = told("wl_walkers_k_20")
    assert "refused: loss.k = 20 is larger than" in text
    assert "would run" not in text


def test_files_of_one_s_own(here: Path) -> None:
    mine = {"experiments": {"mine": {"dataset": "walkers", "bags": "wl", "method": "small"}}}
    (here / "mine.yaml").write_text(yaml.safe_dump(mine))
    assert "walkers, method small, bags wl, 1 run" in told("mine", "--configfile", "mine.yaml")
    assert refused("deno") == "experiments.deno does not exist; did you mean 'demo'?"
    assert refused("hall").endswith("if a file of your own has it, name that with --configfile")
    assert "--configfile" not in refused("hall", "--configfile", "mine.yaml")
    assert "there.yaml is not there" in refused("mine", "--configfile", "there.yaml")
    assert refused("mine.yaml").startswith("mine.yaml is a file, no experiment; say --configfile")
    # a config of this folder takes the place of the checkout's
    (here / "config.yaml").write_text((here / "mine.yaml").read_text())
    assert refused("demo") == "config.yaml: 'datasets' is missing; it must be given"


def test_own_cameras_need_no_truth(here: Path) -> None:
    film = {"name": "a", "boxes": "a.txt", "video": "a.mp4"}
    mine = {
        "datasets": {"hall": {"kind": "mot", "root": ".", "sequences": [film]}},
        "experiments": {
            "hall": {"dataset": "hall", "noise": "clean", "method": "contrast_small"},
        },
    }
    (here / "hall.yaml").write_text(yaml.safe_dump(mine))
    text = told("hall", "--configfile", "hall.yaml")
    for name in ("search.png", "identities.png"):
        assert f"  - results/hall/runs/official-1/{name}" in text
    assert "cannot run: " in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", "mine.yaml, line 2, column 1: did not find expected"),
        ("", "mine.yaml: holds no keys"),
        ("[1, 2]", "mine.yaml: holds no keys"),
        ("seed: 1\nexperiments: &x {x: *x}", "mine.yaml, line 2: a block with an anchor"),
        ("bags: {x: {}}\nbags: {y: {}}", "mine.yaml: line 2: the key 'bags' is on line 1 already"),
        ("bags: {x: {}, x: {}}", "mine.yaml: line 1: the key 'x' is on line 1 already"),
        ("bags: {off: {}}", "mine.yaml: 'bags': YAML reads a name in it as false; write it in"),
        ("sead: 1", "mine.yaml: unknown key 'sead'; did you mean 'seed'?"),
    ],
)
def test_a_file_with_a_fault_is_named(here: Path, text: str, said: str) -> None:
    (here / "mine.yaml").write_text(text)
    assert refused("demo", "--configfile", "mine.yaml").startswith(said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_output_that_takes_nothing_is_a_line() -> None:
    with Path("/dev/full").open("w") as full:
        call = [sys.executable, "-m", "weakreid.cli.main", "plan", "demo"]
        done = subprocess.run(call, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: [Errno 28] No space left on device\n"
