"""The profiles: known keys, known rules, loaded as their head comments say, and one of them run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.rule_files import written
from tests.workflow.conftest import lay_out

REPOSITORY = Path(__file__).resolve().parents[2]
PROFILES = REPOSITORY / "workflow/profiles"
CLUSTERS = ("generic", "kubernetes", "slurm")

TOY = """
rule all:
    input: "features.txt", "train.txt"

rule features:
    output: "features.txt"
    threads: 2
    resources: mem_mb=4000, runtime=7
    shell: "echo {threads} > {output}"

rule train:
    output: "train.txt"
    resources: mem_mb=lambda wildcards, attempt: 16000 * attempt, runtime=9, gpu=1
    # enough memory is had at the second attempt only
    shell: "test {resources.mem_mb} -gt 16000; echo {threads} > {output}"
"""

# Grid Engine's qsub, as far as the profile calls it: notes how, and runs the script.
QSUB = """#!/bin/sh
echo "$@" >> {folder}/submitted
for script; do :; done
sh "$script" > {folder}/job.log 2>&1 &
echo $!
"""


# rsync, as far as the plugin for a mounted volume calls it: one file, or what is in one folder.
RSYNC = """#!/bin/sh
while [ $# -gt 2 ]; do shift; done
case "$1" in
  */) mkdir -p "$2" && cp -RL --preserve=timestamps "$1". "$2" ;;
  *) cp -L --preserve=timestamps "$1" "$2" ;;
esac
"""


def settings_of(profile):
    return yaml.safe_load((PROFILES / profile / "config.yaml").read_text())


def snakemake(folder, *arguments, path=None, source=REPOSITORY / "src", patience=300):
    environment = {key: value for key, value in os.environ.items() if key != "SNAKEMAKE_PROFILE"}
    programs = [str(path)] if path else []
    programs += [str(Path(sys.executable).parent), os.environ["PATH"]]
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *(str(word) for word in arguments)],
        cwd=folder,
        env={**environment, "PATH": ":".join(programs), "PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=patience,
        check=False,
    )


@pytest.fixture
def toy(tmp_path):
    (tmp_path / "Snakefile").write_text(TOY)
    return tmp_path


@pytest.mark.parametrize("profile", ["default", *CLUSTERS])
def test_every_key_is_an_option_of_snakemake(profile):
    from snakemake.cli import get_argument_parser

    options = {
        option.removeprefix("--")
        for action in get_argument_parser()._actions
        for option in action.option_strings
    }
    assert set(settings_of(profile)) <= options


@pytest.mark.parametrize("profile", CLUSTERS)
def test_what_every_profile_wants_is_the_same_in_all(profile):
    """A profile named with --workflow-profile replaces default/, so it repeats these."""
    own_machine = {"cores", "resources"}
    common = {key: value for key, value in settings_of("default").items() if key not in own_machine}
    assert common.items() <= settings_of(profile).items()
    assert "resources" not in settings_of(profile)
    most = max(rule.threads for rule in written().values())
    assert settings_of(profile)["cores"] >= settings_of(profile)["jobs"] * most


def test_the_default_profile_is_loaded_by_itself():
    run = snakemake(REPOSITORY, "--list-rules")
    assert "Using workflow specific profile profiles/default" in run.stdout


def test_the_slurm_profile_is_found_by_its_name():
    run = snakemake(REPOSITORY, "--workflow-profile", "slurm", "--list-rules")
    assert "profile profiles/slurm" in run.stdout, run.stdout


REAL = ("results/wl_walkers/metrics.json", "results/tables/tmc_table3/walkers/table.md")
PICTURES = (
    "results/datasets/walkers/contact_sheet.png",
    "results/tables/wl_table4/walkers/plot.svg",
)


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["default", *CLUSTERS])
def test_the_profile_plans_the_real_targets(checkout, tmp_path, profile):
    """From data to tables and pictures, each job with what its rule asks for."""
    more = ["--cores", "16"] if profile == "default" else []
    if profile == "kubernetes":
        more = ["--default-storage-prefix", tmp_path / "volume"]
    run = snakemake(
        checkout.folder,
        "--workflow-profile",
        profile,
        "--dry-run",
        *more,
        "--",
        *REAL,
        *PICTURES,
        source=checkout.folder / "src",
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert "expand()" not in run.stdout
    threads = dict(re.findall(r"-m weakreid\.stages (\w+) .*--threads (\d+)", run.stdout))
    assert {"generate": "16", "train_bags": "8", "train_tracklets": "8"}.items() <= threads.items()
    for name in ("train_bags", "train_tracklets"):
        line = re.search(rf"rule {name}:\n(?: .*\n)*? +resources: (.*)", run.stdout)[1]
        asked = dict(word.split("=") for word in line.split(", "))
        assert {"mem_mb": "16000", "runtime": "1440", "gpu": "1"}.items() <= asked.items()
        assert (asked.get("gpu_manufacturer") == "nvidia") == (profile == "kubernetes")
    if profile == "kubernetes":
        read = re.findall(r"--(?:metrics|tracklets|published)=(\S+)", run.stdout)
        beside = {path for path in read if not path.startswith(".snakemake/storage/fs/")}
        assert beside == {"workflow/resources/published.csv"}


@pytest.mark.slow
def test_jobs_find_what_a_storage_brings_them(checkout, tmp_path):
    """Really run, with the storage of the kubernetes profile: folders and files travel alike."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/rsync").write_text(RSYNC)
    (tmp_path / "bin/rsync").chmod(0o755)
    volume, folder = tmp_path / "volume", tmp_path / "run"
    shutil.copytree(checkout.folder, folder, symlinks=True)
    wanted = [
        "datasets/walkers_tiny/contact_sheet.png",
        "datasets/film/official/bags/named.parquet",
    ]
    wanted += ["tables/mini_noise/table.md", "sources/tiny/pictures.parquet"]
    kept = ("--default-storage-provider", "fs", "--default-storage-prefix", volume)
    run = snakemake(
        folder,
        *("--cores", 2, *kept, "--configfile", "tiny.yaml", "--set-threads", "generate=1"),
        *("--", *(f"results/{name}" for name in wanted)),
        path=tmp_path / "bin",
        source=folder / "src",
        patience=900,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert all((volume / "results" / name).is_file() for name in wanted)
    assert not list((folder / "results").rglob("*.parquet"))


@pytest.mark.slow
@pytest.mark.parametrize("where", ["another folder", "--directory"])
def test_it_runs_from_another_folder(checkout, tmp_path, where):
    """With the checkout's config, profile and published figures, and a config of that folder."""
    (tmp_path / "my.yaml").write_text("experiments: {demo: {method: wl}}\n")
    given = ("-s", checkout.folder / "Snakefile", "--configfile", "my.yaml", "--dry-run")
    folder, more = tmp_path, ()
    if where == "--directory":
        folder, more = tmp_path.parent, ("--directory", tmp_path)
        given = (*given[:2], "--configfile", tmp_path / "my.yaml", "--dry-run")
    run = snakemake(
        folder, *given, *more, "--cores", 1, "--", *REAL, source=checkout.folder / "src"
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert f"profile {checkout.folder}/profiles/default" in run.stdout
    assert f"--published={checkout.folder}/workflow/resources/published.csv" in run.stdout
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_in_another_folder_it_is_said_from_where_paths_are_taken(checkout, tmp_path):
    given = ("-s", checkout.folder / "Snakefile", "--dry-run", "--cores", 1)
    run = snakemake(
        tmp_path, *given, "results/wl_mars/metrics.json", source=checkout.folder / "src"
    )
    line = run.stdout.strip().splitlines()[-1]
    assert line.startswith("error: dataset mars: data/mars/bbox_train is not there; ")
    assert line.endswith(f" (relative paths are from {tmp_path})")


@pytest.mark.slow
def test_a_job_runs_the_python_that_runs_snakemake(tmp_path):
    """However little PATH says, as where cron or ssh calls it."""
    made = "results/sources/tiny/ratios.svg"
    project = lay_out(tmp_path)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "tiny.yaml"),
            "--",
            made,
        ],
        cwd=project.folder,
        env={**project.environment, "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert (project.folder / made).exists()


def test_slurm_s_partitions_are_readable_and_hold_the_jobs_of_every_rule():
    from snakemake_executor_plugin_slurm.partitions import read_partition_file

    partitions = read_partition_file(PROFILES / "slurm/partitions.yaml")
    limits = {partition.name: partition.limits for partition in partitions}
    assert {"cpu", "gpu"} == set(limits)
    attempts = 1 + settings_of("slurm")["retries"]
    for name, rule in written().items():
        longest = rule.minutes * (1 if rule.goes_on else attempts)
        partition = limits["gpu" if rule.gpu else "cpu"]
        assert longest <= partition.max_runtime, name
        assert partition.max_gpu >= rule.gpu, name


def test_the_generic_profile_submits_and_resubmits_with_more_memory(toy):
    """With a stand-in for the scheduler's qsub that runs the job at once."""
    programs = toy / "bin"
    programs.mkdir()
    (programs / "qsub").write_text(QSUB.format(folder=toy))
    (programs / "qsub").chmod(0o755)
    run = snakemake(
        toy,
        *("--workflow-profile", PROFILES / "generic"),
        *("--seconds-between-status-checks", 1, "--latency-wait", 5),
        path=programs,
    )
    assert run.returncode == 0, run.stdout
    submitted = (toy / "submitted").read_text().splitlines()
    asked = {
        rule: [line for line in submitted if f"-N {rule} " in line]
        for rule in ("features", "train")
    }
    assert [len(lines) for lines in asked.values()] == [1, 2]
    assert "-pe smp 2 -l mem_free=4000M " in asked["features"][0]
    assert "-l h_rt=0:7:0 -l gpu=0 " in asked["features"][0]
    assert "mem_free=16000M -l h_rt=0:9:0 -l gpu=1 " in asked["train"][0]
    assert "mem_free=32000M " in asked["train"][1]
