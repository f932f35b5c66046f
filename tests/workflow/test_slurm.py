"""The Slurm profile on a real Slurm of one node: submission, resubmission, GPUs, same results."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from tests.workflow.conftest import lay_out

REPOSITORY = Path(__file__).resolve().parents[2]
PROFILE = REPOSITORY / "workflow/profiles/slurm"
TINY = REPOSITORY / "tests/workflow/tiny.yaml"

pytestmark = pytest.mark.slow

TOY = """
rule all:
    input: "split.env", "features.env", "train.env"

rule split:
    output: "split.env"
    resources: mem_mb=2000, runtime=20
    shell: "env > {output}"

rule features:
    output: "features.env"
    threads: 8
    resources: mem_mb=1000, runtime=1, gpu=1
    shell: "env > {output}"

rule train:
    output: "train.env"
    threads: 2
    resources: mem_mb=lambda wildcards, attempt: 16000 * attempt, runtime=1, gpu=1
    # enough memory is had at the second attempt only
    shell: "env > train-$SLURM_JOB_ID.env; test {resources.mem_mb} -gt 16000; env > {output}"
"""


def load_slurm_node():
    path = Path(__file__).with_name("slurm_node.py")
    spec = importlib.util.spec_from_file_location("slurm_node", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def slurm():
    """The environment of a running one-node Slurm; installs Slurm where that is asked for."""
    node = load_slurm_node()
    asked = os.environ.get("CI") == "true" or os.environ.get("WEAKREID_INSTALL_SLURM") == "1"
    if node.missing_programs() and asked and os.geteuid() == 0 and shutil.which("apt-get"):
        node.install()
    if missing := node.missing_programs():
        pytest.skip(
            f"no Slurm here ({', '.join(missing)} not found): install slurm-wlm and munge, or set "
            "WEAKREID_INSTALL_SLURM=1 to have it done (Debian, as root)"
        )
    # not pytest's own folder: munged wants a short path that no one else may enter
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, node.running(Path(folder)) as env:
        programs = f"{Path(sys.executable).parent}:{env['PATH'].partition(':')[2]}"
        yield {**os.environ, **env, "PATH": f"{folder}/bin:{programs}", "OMP_NUM_THREADS": "1"}


def snakemake(folder, environment, *arguments, profile=PROFILE, timeout=300):
    """Run Snakemake in a folder; return all that it wrote."""
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", profile, *arguments]
    run = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:]
    return run.stdout


QUICK = (
    *("--slurm-init-seconds-before-status-checks", 1),
    *("--seconds-between-status-checks", 1),
    *("--latency-wait", 10),
)


def environment_of(path):
    """Read what `env` wrote."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def requests(environment):
    """Ask Slurm what each job of the toy had asked for: {job id: {field: value}}."""
    text = subprocess.run(
        ["scontrol", "show", "jobs", "--oneliner"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    jobs = [dict(w.split("=", 1) for w in line.split() if "=" in w) for line in text.splitlines()]
    return {job["JobId"]: job for job in jobs if "JobId" in job}


@pytest.fixture(scope="module")
def toy(slurm, tmp_path_factory):
    """A finished run of the toy workflow: its folder, and what Slurm noted of its jobs."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "Snakefile").write_text(TOY)
    snakemake(folder, slurm, *QUICK)
    jobs = {job["Comment"]: job for job in requests(slurm).values()}
    return folder, jobs, requests(slurm)


def test_a_job_runs_in_slurm_with_what_its_rule_asks_for(toy):
    folder, jobs, _ = toy
    assert environment_of(folder / "split.env")["SLURM_JOB_ID"] == jobs["rule_split"]["JobId"]
    assert jobs["rule_split"]["JobState"] == "COMPLETED"
    assert jobs["rule_split"]["Partition"] == "cpu"
    assert "mem=2000M" in jobs["rule_split"]["TRES"]
    assert jobs["rule_split"]["TimeLimit"] == "00:20:00"


def test_a_job_has_its_rule_s_threads_however_few_cores_this_machine_has(toy):
    _, jobs, _ = toy
    assert jobs["rule_features"]["CPUs/Task"] == "8"
    assert jobs["rule_split"]["CPUs/Task"] == "1"


def test_a_failed_job_is_submitted_again_and_asks_for_more_memory(toy):
    folder, _, jobs = toy
    attempts = sorted(
        (environment_of(path)["SLURM_JOB_ID"] for path in folder.glob("train-*.env")), key=int
    )
    assert [jobs[attempt]["JobState"] for attempt in attempts] == ["FAILED", "COMPLETED"]
    memory = [jobs[attempt]["MinMemoryNode"] for attempt in attempts]
    assert memory == ["16000M", "32000M"]


def test_a_gpu_job_goes_to_a_gpu_partition_and_sees_the_gpu_that_slurm_gave_it(toy):
    folder, jobs, _ = toy
    assert jobs["rule_features"]["Partition"] == "gpu"
    assert jobs["rule_features"]["TresPerJob"] == "gres:gpu:1"
    seen = environment_of(folder / "features.env")
    assert seen["CUDA_VISIBLE_DEVICES"] in {"0", "1"}
    assert seen["CUDA_VISIBLE_DEVICES"] == seen["SLURM_STEP_GPUS"]
    assert "CUDA_VISIBLE_DEVICES" not in environment_of(folder / "split.env")


def test_a_second_call_has_nothing_to_do(toy, slurm):
    folder, _, _ = toy
    assert "Nothing to be done" in snakemake(folder, slurm, *QUICK)


RULES = ("generate", "dataset", "train_bags", "features", "evaluate")
ONE_THREAD_ON_CPU = {
    "set-threads": dict.fromkeys(RULES, 1),
    "set-resources": {rule: {"device": "cpu"} for rule in ("train_bags", "features")},
}
"""So that numbers can be compared."""


@pytest.fixture
def local(tmp_path):
    folder = tmp_path / "local"
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump({"cores": "all", **ONE_THREAD_ON_CPU}))
    return folder


@pytest.fixture
def submitting(tmp_path):
    """The Slurm profile."""
    folder = tmp_path / "slurm"
    shutil.copytree(PROFILE, folder)
    with (folder / "config.yaml").open("a") as settings:
        settings.write(yaml.safe_dump(ONE_THREAD_ON_CPU))
    return folder


def test_slurm_trains_and_measures_what_this_machine_does(
    slurm, local, submitting, tmp_path, warm_caller
):
    """Byte-identical metrics; the data are made once, as they are before any training."""
    run = ("--snakefile", REPOSITORY / "Snakefile", "--configfile", TINY)
    target = "results/wl_tiny/metrics.json"
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    source = str(lay_out(here, warm_caller).folder / "src")
    warm = {**slurm, "PYTHONPATH": source}
    snakemake(here, warm, "--configfile", "tiny.yaml", "--", target, profile=local)

    shutil.copytree(here, there, symlinks=True)
    shutil.rmtree(there / "results/wl_tiny")
    # what is there stays, even if someone edits the source meanwhile
    options = (*QUICK, "--rerun-triggers", "mtime", "--")
    written = snakemake(there, slurm, *run, *options, target, profile=submitting)
    submitted = {"train_bags", "features", "evaluate", "collect"}
    assert {rule for rule in submitted if f"slurm_logs/rule_{rule}/" in written} == submitted, (
        "ran elsewhere than in Slurm"
    )
    assert "rule generate" not in written
    assert (there / target).read_bytes() == (here / target).read_bytes()
