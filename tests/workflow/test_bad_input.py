"""A stage whose input is not what it should be: one line, exit status 1, nothing written."""

import contextlib
import importlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from weakreid import config, console, tables

pytestmark = pytest.mark.slow

DATASET = "results/datasets/walkers_tiny"
SPLIT = f"{DATASET}/official"
RUN = "results/wl_tiny/runs/official-1"

INPUTS: dict[str, dict[str, str]] = {
    "dataset": {"source": f"{DATASET}/generated.json"},
    "contact_sheet": {"source": f"{DATASET}/generated.json"},
    "split": {
        "tracklets": f"{DATASET}/tracklets.parquet",
        "partitions": f"{DATASET}/partitions.parquet",
    },
    "bags": {"tracklets": f"{SPLIT}/tracklets.parquet", "frames": f"{DATASET}/frames.parquet"},
    "coarse_bags": {
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
    },
    "train": {"bags": f"{SPLIT}/bags/wl.parquet", "images": f"{DATASET}/images.arrow"},
    "features": {
        "model": f"{RUN}/model.safetensors",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "evaluate": {
        "features": f"{RUN}/features.parquet",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "coarse": f"{SPLIT}/coarse.parquet",
    },
    "collect": {"metrics": f"{RUN}/metrics.json", "timing": f"{RUN}/timing.json"},
    "table": {"metrics": "results/wl_tiny/metrics.json"},
    "learning_curve": {"history": f"{RUN}/history.parquet"},
    "matches": {
        "rankings": f"{RUN}/rankings.parquet",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "coarse": f"{SPLIT}/coarse.parquet",
        "images": f"{DATASET}/images.arrow",
    },
}
"""What each stage reads, by the option's name."""

SEVERAL = {("collect", "metrics"), ("collect", "timing"), ("table", "metrics")}
SEVERAL |= {("learning_curve", "history")}


def rest_of(stage: str, out: Path) -> dict[str, Any]:
    """Return a stage's other options."""
    raw = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))
    method = yaml.safe_load(Path("tiny.yaml").read_text(encoding="utf-8"))["methods"]["tiny"]
    raw["methods"] = {"tiny": method}
    raw["experiments"] = raw["tables"] = {}
    found = config.load(raw)
    blocks: dict[str, Any] = {
        "dataset": {"source": "mars", "options": {"on_bad_frame": "stop"}},
        "contact_sheet": {"persons": 2},
        "split": {"split": "official"},
        "bags": {**found.bags["wl"].model_dump(mode="json"), "seed": 1},
        "coarse_bags": {**found.coarse.model_dump(mode="json"), "seed": 1},
        "train": {
            **found.methods["tiny"].model_dump(mode="json", exclude={"evaluation"}),
            "seed": 1,
        },
        "evaluate": found.methods["tiny"].evaluation.model_dump(mode="json"),
        "collect": {
            "experiment": "e",
            "dataset": "d",
            "bags": "b",
            "method": "m",
            "runs": ["official-1"],
            "config": {},
        },
        "table": {"title": "Title", "rows": [{"label": "row", "experiment": "e"}]},
        "learning_curve": {"experiment": "e", "runs": ["official-1"]},
        "matches": {"experiment": "e", "seed": 1, "queries": 1, "items": 1},
    }
    outputs: dict[str, dict[str, Any]] = {
        "dataset": {"dataset": "d", "threads": 1, "out": out / "tracklets.parquet"},
        "train": {
            "code": "code",
            "checkpoint": out / "checkpoint.pt",
            "device": "cpu",
            "devices": 1,
            "threads": 1,
            "model": out / "model.safetensors",
            "history": out / "history.parquet",
            "timing": out / "timing.json",
        },
        "features": {"device": "cpu", "threads": 1, "out": out / "features.parquet"},
        "evaluate": {
            "threads": 1,
            "metrics": out / "metrics.json",
            "rankings": out / "rankings.parquet",
        },
        "collect": {"out": out / "metrics.json", "timing_out": out / "timing.json"},
        "table": {"out": out / "table.md"},
        "learning_curve": {"out": out / "learning_curve.svg"},
        "contact_sheet": {"out": out / "contact_sheet.png"},
        "matches": {"fine_out": out / "fine.png", "coarse_out": out / "coarse.png"},
    }
    params = {"params": json.dumps(blocks[stage])} if stage in blocks else {}
    return {**params, **outputs.get(stage, {"out": out / "table.parquet"})}


@pytest.fixture
def work(tiny, tmp_path, monkeypatch) -> Path:
    """Be in the tiny project's folder; return a folder to write to."""
    monkeypatch.chdir(tiny.folder)
    return tmp_path


def run(stage: str, options: dict[str, Any]) -> tuple[int, list[str]]:
    """Run a stage; return its exit status and what it said, line by line."""
    module = importlib.import_module(f"weakreid.stages.{stage}")
    said = io.StringIO()
    with contextlib.redirect_stderr(said), pytest.raises(SystemExit) as left:
        console.exit_on_error(lambda: module.main(**options))
    return int(str(left.value.code)), said.getvalue().splitlines()


def refused(stage: str, option: str, path: Path, work: Path) -> str:
    """Run a stage with one input replaced; return the line that refuses it."""
    options: dict[str, Any] = {
        name: [Path(place)] if (stage, name) in SEVERAL else Path(place)
        for name, place in INPUTS[stage].items()
    }
    options[option] = [path] if (stage, option) in SEVERAL else path
    out = work / "out"
    out.mkdir(exist_ok=True)
    status, lines = run(stage, {**options, **rest_of(stage, out)})
    assert status == 1
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:]
    assert list(out.rglob("*")) == []
    return lines[-1]


def with_metadata(path: Path, **changes: str) -> bytes:
    """Return a Parquet file with other metadata."""
    table = pq.read_table(path)
    meta = dict(table.schema.metadata)
    meta |= {f"weakreid.{name}".encode(): value.encode() for name, value in changes.items()}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(meta), sink)
    return sink.getvalue()


def without_a_column(path: Path) -> bytes:
    table = pq.read_table(path)
    sink = io.BytesIO()
    pq.write_table(table.drop_columns([table.column_names[1]]), sink)
    return sink.getvalue()


def damaged(path: Path) -> bytes:
    """Return a Parquet file whose footer is whole and whose first pages are not."""
    data = bytearray(path.read_bytes())
    for place in range(4, 200):
        data[place] ^= 0x5A
    return bytes(data)


def wrong_files(path: Path) -> Iterator[tuple[str, bytes | None]]:
    """Yield kinds of wrong input and the bytes of each; None for no file."""
    whole = path.read_bytes()
    yield "missing", None
    yield "empty", b""
    yield "half", whole[: len(whole) // 2]
    yield "something else", bytes(range(256)) * 20
    if path.suffix == ".parquet":
        yield "another kind", with_metadata(path, kind="other")
        yield "another version", with_metadata(path, version="99")
        yield "without a column", without_a_column(path)
        yield "damaged", damaged(path)
    if path.suffix == ".json":
        yield "without keys", b"{}"
        yield "a list", b"[]"


@pytest.mark.parametrize(
    ("stage", "option"), [(stage, option) for stage in INPUTS for option in INPUTS[stage]]
)
def test_every_wrong_file_is_refused_by_its_name(stage: str, option: str, work: Path) -> None:
    place = Path(INPUTS[stage][option])
    for number, (kind, data) in enumerate(wrong_files(place)):
        path = work / str(number) / place.name
        if data is not None:
            path.parent.mkdir()
            path.write_bytes(data)
        assert str(path) in refused(stage, option, path, work), kind


def test_every_stage_has_its_inputs_listed(tiny) -> None:
    stages = {path.stem for path in (tiny.folder / "src/weakreid/stages").glob("[a-z]*.py")}
    # these two read no artifact: see tests/data
    assert stages == {*INPUTS, "fetch", "generate"}


def test_a_bag_without_labels(work: Path) -> None:
    rows = tables.read_frame(Path(INPUTS["train"]["bags"]), "bags", truth=True)
    rows.at[3, "labels"] = []
    path = work / "bags.parquet"
    tables.write(path, "bags", rows, {})
    line = refused("train", "bags", path, work)
    assert line == "error: bag 3 has no labels; leave it out of the bags"


def test_a_bag_with_frames_of_another_store(work: Path) -> None:
    rows = tables.read_frame(Path(INPUTS["train"]["bags"]), "bags", truth=True)
    rows["frames"] = rows["frames"] + 10_000
    path = work / "bags.parquet"
    tables.write(path, "bags", rows, {})
    line = refused("train", "bags", path, work)
    assert "images.arrow: no row 1" in line


def test_as_a_program_of_its_own(tiny, tmp_path: Path) -> None:
    out = tmp_path / "out" / "tracklets.parquet"
    done = tiny.call(
        *(sys.executable, "-m", "weakreid.stages.split", "--tracklets", "nowhere.parquet"),
        *("--partitions", INPUTS["split"]["partitions"], "--params", '{"split": "official"}'),
        *("--out", str(out)),
    )
    assert done.returncode == 1
    assert done.stderr == "error: nowhere.parquet: no such file; run the stage that makes it\n"
    assert done.stdout == ""
    assert not out.parent.exists()


# --- a full disk, and an end that comes too early -------------------------------------------------

OUTPUTS = {
    "split": "table.parquet",
    "bags": "table.parquet",
    "coarse_bags": "table.parquet",
    "features": "features.parquet",
    "evaluate": "rankings.parquet",
    "collect": "timing.json",
    "table": "table.md",
    "learning_curve": "learning_curve.svg",
    "matches": "fine.png",
    "contact_sheet": "contact_sheet.png",
}
"""The file that each stage writes first."""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("stage", OUTPUTS)
def test_a_full_disk(stage: str, work: Path) -> None:
    option = next(iter(INPUTS[stage]))
    out = work / "out"
    out.mkdir()
    # what `files.replacing` writes to first
    (out / f".{OUTPUTS[stage]}.{os.getpid()}.part").symlink_to("/dev/full")
    line = refused(stage, option, Path(INPUTS[stage][option]), work)
    name = out / OUTPUTS[stage]
    wanted = f"error: the disk is full: {name} was not written; free some space and run again"
    assert line == wanted


def test_told_to_end_it_leaves_nothing_half_written(tiny, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from weakreid.console import run_stage, say\n"
        "from weakreid.files import replacing\n"
        "def main():\n"
        "    with replacing(Path('out.txt')) as aside:\n"
        "        aside.write_text('half'); say('writing'); time.sleep(60)\n"
        "run_stage(main)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=tiny.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "writing\n"
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
