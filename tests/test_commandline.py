"""What is wrong with a call of Snakemake is said in one line, before Snakemake reads it."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from snakemake_logger_plugin_weakreid import commandline

TARGET = "results/demo/metrics.json"


BEST = "results/tuning/osm/best.yaml"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with a config, a finished target and two profiles."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "my.yaml",
        TARGET,
        BEST,
        "profiles/slurm/config.yaml",
        "profiles/generic/config.yaml",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["--configfile", "my.yaml", TARGET],
        ["--configfile", "my.yaml", "demo", "-n"],
        ["--configfile=my.yaml", "--cores", "1", "--configfiles", "my.yaml", TARGET],
        ["--config", "seed=2", TARGET],
        ["-C", "seed=2", TARGET],
        ["--set-threads", "train=1", "features=1", TARGET],
        ["--resources", "gpu=2", TARGET],
        ["--default-resources", "mem_mb=2", "demo"],
        ["--set-resources", "train:gpu=2", TARGET],
    ],
    ids=lambda words: words[0],
)
def test_a_target_that_an_option_swallows(words) -> None:
    with pytest.raises(
        commandline.CallError, match="put -- before the targets, or the targets first"
    ) as said:
        commandline.check(words)
    assert TARGET in str(said.value) or "demo" in str(said.value)
    assert len(str(said.value)) < 250
    # a job of a call that went through
    commandline.check([*words, "--mode", "subprocess"])


@pytest.mark.parametrize(
    "words",
    [
        ["--configfile", "my.yaml", "--", TARGET],
        [TARGET, "--configfile", "my.yaml"],
        ["--configfile", "my.yaml", "my.yaml", "-n", TARGET],
        ["--configfile", "my.yaml", BEST, "--", TARGET],
        ["--config", "datasets={mars: {root: /a b}}", "--", TARGET],
        ["--forcerun", TARGET],
        ["--workflow-profile", "slurm", TARGET],
        ["--workflow-profile", "none", TARGET],
        ["--configfile"],
        [],
    ],
    ids=" ".join,
)
def test_what_is_right_is_left_to_snakemake(words) -> None:
    commandline.check(words)


ROOT = Path(__file__).parents[1]
TOLD = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]
TOLD += [*ROOT.glob("benchmarks/*.yaml"), *ROOT.glob("workflow/profiles/*/config.yaml")]


@pytest.mark.parametrize("page", TOLD, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_the_documentation_says_to_call_is_right(page, here) -> None:
    text = re.sub(r"\\\n#? *", "", page.read_text(encoding="utf-8"))
    for profile in re.findall(r"^# (.*)/config.yaml$", text, flags=re.MULTILINE):
        (here / profile).mkdir(parents=True)
    calls = re.findall(r"^(?:#   )?snakemake (.*)", text, flags=re.MULTILINE)
    for words in (shlex.split(call, comments=True) for call in calls):
        for word in words:
            # what a search found is given as a file of keys once it is there
            found = "--configfile" in words and word.endswith("/best.yaml")
            if word.endswith(".yaml") and (found or not word.startswith("results/")):
                (here / word).parent.mkdir(parents=True, exist_ok=True)
                (here / word).write_text("seed: 1\n")
        commandline.check(words)


def test_a_profile_that_is_not_there() -> None:
    with pytest.raises(commandline.CallError, match="no profile slrum; did you mean 'slurm'"):
        commandline.check(["--workflow-profile", "slrum", TARGET])
    with pytest.raises(commandline.CallError, match="no profile pbs; there are generic, slurm"):
        commandline.check(["--workflow-profile=pbs", TARGET])


def test_a_folder_that_takes_no_files() -> None:
    # below a file: root may write into any folder that is there
    for words in (["--directory", "my.yaml/here"], ["-d", "my.yaml/here"]):
        with pytest.raises(commandline.CallError, match=r"my\.yaml/here: no file can be written"):
            commandline.check([*words, TARGET])
    commandline.check(["--directory", "new", TARGET])


def test_a_profile_beside_the_snakefile(here, monkeypatch) -> None:
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    commandline.check(["-s", "../Snakefile", "--workflow-profile", "slurm"])
    with pytest.raises(commandline.CallError, match="did you mean 'slurm'"):
        commandline.check(["-s", "../Snakefile", "--workflow-profile", "slurn"])


def test_caches_lie_beside_the_results_where_the_home_folder_takes_none(here) -> None:
    file = here / "file"
    file.write_text("")
    kept = {"XDG_CACHE_HOME": str(here / "new" / "cache")}
    commandline.ensure_caches(kept)
    assert kept == {"XDG_CACHE_HOME": str(here / "new" / "cache")}
    for refused in (file / "cache", here / "closed" / "cache"):
        (here / "closed").mkdir(mode=0o500, exist_ok=True)
        if refused.parent != file and os.access(here / "closed", os.W_OK):
            continue  # root may write there too
        changed = {"XDG_CACHE_HOME": str(refused)}
        commandline.ensure_caches(changed)
        assert changed == {
            "XDG_CACHE_HOME": str(here / ".snakemake/cache"),
            "MPLCONFIGDIR": str(here / ".snakemake/cache/matplotlib"),
        }


def test_other_programs_are_not_looked_at(monkeypatch) -> None:
    monkeypatch.setattr(commandline, "check", lambda words: pytest.fail("looked at"))
    commandline.prepare(["/usr/bin/pytest", "--config", "x"])
    commandline.prepare([])


def snakemake(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_snakemake_says_so(here) -> None:
    """It loads the package of ours by its name."""
    (here / "Snakefile").write_text("rule all:\n    output: 'made'\n    shell: 'touch made'\n")
    done = snakemake("-n", "--configfile", "my.yaml", TARGET)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: --configfile: {TARGET} is a target, no file of keys; ")
    assert len(done.stderr.splitlines()) == 1
    # a home folder under a file cannot be made by anybody
    (here / "home").write_text("")
    home = str(here / "home" / "of" / "nobody")
    done = snakemake("--cores", "1", HOME=home, XDG_CACHE_HOME="")
    assert done.returncode == 0, done.stderr
    assert (here / "made").exists()


def test_errors_alone_are_said_where_that_is_asked(here) -> None:
    (here / "Snakefile").write_text("rule all:\n    input: 'nowhere'\n")
    done = snakemake("-n", "--logger", "weakreid")
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert "Building DAG" not in done.stderr + done.stdout


@pytest.mark.parametrize("name", ["my.yaml", "config.yaml"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a: [1, 2\nb: {}\n", ", line 2, column 2: did not find expected ',' or ']'"),
        (b"a:\n\t- 1\n", ", line 2, column 1: found character that cannot start any token"),
        (b"a: *nobody\n", ", line 1, column 4: found undefined alias"),
        (b"a: \xff\n", ": 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_a_file_of_keys_that_is_no_yaml(name: str, text: bytes, said: str, here) -> None:
    (here / name).write_bytes(text)
    words = ["--configfile", name, "--", "results/demo/metrics.json"]
    with pytest.raises(commandline.CallError) as error:
        commandline.check(words if name == "my.yaml" else words[2:])
    assert str(error.value).startswith(f"{name}{said}")


def test_a_file_of_keys_may_be_json(here) -> None:
    (here / "my.json").write_text('{\n\t"seed": 2\n}\n')
    commandline.check(["--configfile", "my.json", "--", "results/demo/metrics.json"])
