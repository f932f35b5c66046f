"""A stage whose input is not what it should be: one line, exit status 1, nothing written."""

import contextlib
import importlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.workflow.of_stages import INPUTS, SEVERAL, inputs_of, rest_of

from weakreid import console, tables

pytestmark = pytest.mark.slow


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
    options = inputs_of(stage)
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
    yield "something else", bytes(range(256)) * 20
    if path.suffix == ".csv":
        # half of its lines are a table too; half a line is none
        yield "half a line", whole[: whole.rindex(b",")]
        yield "without its heads", whole[whole.index(b"\n") + 1 :]
        return
    yield "half", whole[: len(whole) // 2]
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
    "study_table": "table.md",
    "sweep_plot": "plot.svg",
    "counts_table": "table.md",
    "cost_table": "table.md",
    "audit": "audit.parquet",
    "audit_score": "audit.json",
    "audit_table": "table.md",
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
