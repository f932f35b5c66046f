"""Long arguments go through a file and come back as they were."""

import json
import subprocess
import sys

import pytest

from weakreid import console
from weakreid.artifacts import arguments
from weakreid.errors import ReidError

LONG = json.dumps({"sequences": [{"name": f"it's camera {n}", "é": n} for n in range(5000)]})


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_short_ones_stay_as_they_are(here) -> None:
    given = ["--metrics=a.json", '{"a": "b c"}', "@home", ""]
    assert arguments.shortened(given) == given
    assert arguments.restored(given) == given
    assert list(here.iterdir()) == []


def test_long_ones_come_back_from_one_file_however_often_they_are_given(here) -> None:
    paths = [f"--metrics=results/{n}/metrics.json" for n in range(2000)]
    for given in ([LONG], paths):
        (short,) = arguments.shortened(given)
        assert len(short) < 100
        assert arguments.shortened(given) == [short]
        assert arguments.restored(["--out", short, "x"]) == ["--out", *given, "x"]
    assert len([path for path in here.rglob("*") if path.is_file()]) == 2


def test_another_content_has_another_name() -> None:
    assert arguments.shortened([LONG]) != arguments.shortened([LONG + " "])


def test_quotes_count_as_what_the_shell_is_given() -> None:
    assert arguments.shortened(["'" * 5000]) != ["'" * 5000]


def test_a_file_that_is_not_what_was_written(here) -> None:
    (short,) = arguments.shortened([LONG])
    path = here / short[1:]
    path.write_text("half")
    with pytest.raises(ReidError, match="is not what was written; delete it and run snakemake"):
        arguments.restored([short])
    path.unlink()
    with pytest.raises(ReidError, match="run snakemake again, which writes it"):
        arguments.restored([short])


def test_a_stage_takes_them(monkeypatch, capsys) -> None:
    def main(params: str, metrics: list[str]) -> None:
        console.say(f"{len(json.loads(params)['sequences'])} {metrics[-1]}")

    monkeypatch.setattr(console.signal, "signal", lambda *_: None)
    (many,) = arguments.shortened([f"--metrics={n}" for n in range(3000)])
    (long,) = arguments.shortened([LONG])
    with pytest.raises(SystemExit) as left:
        console.run_stage(main, [many, "--params", long])
    assert (left.value.code, capsys.readouterr().err) == (0, "5000 2999\n")


def test_a_stage_says_in_one_line_that_the_file_is_gone() -> None:
    gone = f"@{arguments.PLACE}/0123"
    done = subprocess.run(
        [sys.executable, "-m", "weakreid.stages", "split", "--params", gone],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {gone[1:]}: cannot be read (")
    assert len(done.stderr.splitlines()) == 1
