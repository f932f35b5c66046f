"""The profiles: known keys, known rules, loaded as their head comments say, and one of them run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PROFILES = REPOSITORY / "workflow/profiles"
CLUSTERS = ("generic", "kubernetes", "slurm")

TOY = """
rule all:
    input: "features.txt", "train.txt"

rule features:
    output: "features.txt"
    threads: 2
    resources: mem_mb=1, runtime=7
    shell: "echo {threads} > {output}"

rule train:
    output: "train.txt"
    resources: mem_mb=1, runtime=9, gpu=1
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


def rules(saying=r"^    shell:"):
    """The names of the workflow's rules that run a command, or say something else."""
    names = set()
    for path in [REPOSITORY / "Snakefile", *(REPOSITORY / "workflow/rules").glob("*.smk")]:
        for block in re.split(r"^(?=rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            if re.search(saying, block, flags=re.MULTILINE):
                names.add(re.match(r"rule (\w+):", block)[1])
    return names


def snakemake(folder, *arguments, path=None, patience=300):
    environment = {key: value for key, value in os.environ.items() if key != "SNAKEMAKE_PROFILE"}
    programs = [str(path)] if path else []
    programs += [str(Path(sys.executable).parent), os.environ["PATH"]]
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *(str(word) for word in arguments)],
        cwd=folder,
        env={**environment, "PATH": ":".join(programs)},
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
def test_the_rules_that_a_profile_names_exist(profile):
    settings = settings_of(profile)
    assert set(settings["set-resources"]) <= rules()
    assert set(settings["set-threads"]) <= rules()


def test_the_slurm_profile_covers_every_rule():
    assert set(settings_of("slurm")["set-resources"]) == rules()


@pytest.mark.parametrize("profile", ["kubernetes", "slurm"])
def test_a_rule_that_can_use_a_gpu_asks_for_one(profile):
    wanted = settings_of(profile)["set-resources"]
    asking = {rule for rule, request in wanted.items() if request.get("gpu")}
    expected = {"frame_features", "train", "train_tracklets", "features", "audit"}
    expected |= {"transfer", "attribute_votes", "train_clips", "clip_features", "tune"}
    expected |= {"clip_epochs"}
    assert asking == rules(r"^        gpu=1,") == expected


@pytest.mark.parametrize("profile", CLUSTERS)
def test_threads_are_set_where_a_rule_uses_several(profile):
    assert set(settings_of(profile)["set-threads"]) == rules(r"^    threads:")


@pytest.mark.parametrize("profile", CLUSTERS)
def test_memory_grows_with_the_attempts_that_the_profile_allows(profile):
    settings = settings_of(profile)
    assert settings["retries"] >= 1
    wanted = [settings["default-resources"], *settings["set-resources"].values()]
    for memory in (request["mem_mb"] for request in wanted if "mem_mb" in request):
        megabytes = [eval(memory, {"attempt": attempt}) for attempt in (1, 2, 3)]
        assert megabytes == sorted(set(megabytes)), memory


@pytest.mark.parametrize("profile", CLUSTERS)
def test_profiles_agree_on_what_a_rule_needs(profile):
    """A user who moves to another scheduler asks for as much there."""
    slurm, other = settings_of("slurm"), settings_of(profile)
    assert other["set-threads"] == slurm["set-threads"]
    for rule, request in other["set-resources"].items():
        assert request.get("mem_mb") == slurm["set-resources"][rule]["mem_mb"], rule


@pytest.mark.parametrize("profile", CLUSTERS)
def test_what_every_profile_wants_is_the_same_in_all(profile):
    """A profile named with --workflow-profile replaces default/, so it repeats these."""
    own_machine = {"cores", "resources"}
    common = {key: value for key, value in settings_of("default").items() if key not in own_machine}
    assert common.items() <= settings_of(profile).items()
    assert "resources" not in settings_of(profile)
    most = settings_of(profile)["jobs"] * max(settings_of(profile)["set-threads"].values())
    assert settings_of(profile)["cores"] >= most


def test_the_default_profile_is_loaded_by_itself():
    run = snakemake(REPOSITORY, "--list-rules")
    assert "Using workflow specific profile profiles/default" in run.stdout


@pytest.mark.parametrize("profile", ["default", "generic", "slurm"])
def test_a_dry_run_accepts_the_profile(toy, profile):
    run = snakemake(toy, "--workflow-profile", PROFILES / profile, "--dry-run")
    assert run.returncode == 0, run.stdout
    assert f"profile {PROFILES / profile}" in run.stdout
    if profile != "default":
        assert "mem_mb=16000" in run.stdout


def test_the_slurm_profile_is_found_by_its_name():
    run = snakemake(REPOSITORY, "--workflow-profile", "slurm", "--list-rules")
    assert "profile profiles/slurm" in run.stdout, run.stdout


def test_a_dry_run_accepts_the_kubernetes_profile(toy):
    pytest.importorskip(
        "snakemake_storage_plugin_fs", reason="needs snakemake-storage-plugin-fs (.[kubernetes])"
    )
    run = snakemake(
        toy,
        *("--workflow-profile", PROFILES / "kubernetes"),
        *("--default-storage-prefix", toy / "volume"),
        "--dry-run",
    )
    assert run.returncode == 0, run.stdout
    assert "gpu_manufacturer=nvidia" in run.stdout


REAL = ("results/wl_walkers/metrics.json", "results/tables/tmc_table3/walkers/table.md")
PICTURES = (
    "results/datasets/walkers/contact_sheet.png",
    "results/tables/wl_table4/walkers/plot.svg",
)


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["default", *CLUSTERS])
def test_the_profile_plans_the_real_targets(checkout, tmp_path, profile):
    """From data to tables and pictures, each command with the profile's threads."""
    more = ["--cores", "16"] if profile == "default" else []
    if profile == "kubernetes":
        pytest.importorskip(
            "snakemake_storage_plugin_fs", reason="needs snakemake-storage-plugin-fs"
        )
        more = ["--default-storage-prefix", tmp_path / "volume"]
    run = snakemake(
        checkout.folder, "--workflow-profile", profile, "--dry-run", *more, "--", *REAL, *PICTURES
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert "expand()" not in run.stdout
    jobs = dict(re.findall(r"-m weakreid\.stages\.(\w+) .*--(?:threads|workers) (\d+)", run.stdout))
    threads = settings_of(profile).get("set-threads", {"generate": 16, "train": 8})
    assert {"generate", "dataset", "train", "train_tracklets", "isolation"} <= jobs.keys()
    for rule in jobs.keys() & threads.keys():
        assert int(jobs[rule]) == threads[rule], rule
    if profile == "kubernetes":
        read = re.findall(r"--(?:metrics|tracklets|published)[= ](\S+)", run.stdout)
        beside = {path for path in read if not path.startswith(".snakemake/storage/fs/")}
        assert beside == {"workflow/resources/published.csv"}


@pytest.mark.slow
def test_jobs_find_what_a_storage_brings_them(checkout, tmp_path):
    """Really run, with the storage of the kubernetes profile: folders and files travel alike."""
    pytest.importorskip("snakemake_storage_plugin_fs", reason="needs snakemake-storage-plugin-fs")
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
    run = snakemake(folder, *given, *more, "--cores", 1, "--", *REAL)
    assert run.returncode == 0, run.stdout[-3000:]
    assert f"profile {checkout.folder}/profiles/default" in run.stdout
    assert f"--published {checkout.folder}/workflow/resources/published.csv" in run.stdout
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_in_another_folder_it_is_said_from_where_paths_are_taken(checkout, tmp_path):
    given = ("-s", checkout.folder / "Snakefile", "--dry-run", "--cores", 1)
    run = snakemake(tmp_path, *given, "results/wl_mars/metrics.json")
    line = run.stdout.strip().splitlines()[-1]
    assert line.startswith("error: dataset mars: data/mars/bbox_train is not there; ")
    assert line.endswith(f" (relative paths are from {tmp_path})")


@pytest.mark.slow
def test_a_job_runs_the_python_that_runs_snakemake(checkout):
    """However little PATH says, as where cron or ssh calls it."""
    made = "results/sources/tiny/ratios.svg"
    environment = {**checkout.environment, "PATH": "/usr/bin:/bin"}
    run = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "tiny.yaml"),
            "--",
            made,
        ],
        cwd=checkout.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    try:
        assert run.returncode == 0, run.stdout[-3000:]
        assert (checkout.folder / made).exists()
    finally:
        shutil.rmtree(checkout.folder / "results", ignore_errors=True)


def test_slurm_s_partitions_are_readable_and_hold_the_jobs_of_the_profile():
    from snakemake_executor_plugin_slurm.partitions import read_partition_file

    limits = {
        partition.name: partition.limits
        for partition in read_partition_file(PROFILES / "slurm/partitions.yaml")
    }
    assert {"cpu", "gpu"} == set(limits)
    for rule, request in settings_of("slurm")["set-resources"].items():
        # the longest request, at the last attempt
        runtime = eval(str(request["runtime"]), {"attempt": 3})
        partition = limits["gpu" if request.get("gpu") else "cpu"]
        assert runtime <= partition.max_runtime, rule
        assert request.get("gpu", 0) <= partition.max_gpu, rule


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
    assert "-pe smp 8 " in asked["features"][0]
    assert "-l h_rt=0:7:0 -l gpu=0 " in asked["features"][0]
    assert "mem_free=16000M -l h_rt=0:9:0 -l gpu=1 " in asked["train"][0]
    assert "mem_free=32000M " in asked["train"][1]


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_an_environment_installs_this_project_under_the_constraints(name):
    environment = yaml.safe_load((REPOSITORY / f"envs/{name}.yaml").read_text())
    assert environment["name"] == f"weakreid-{name}"
    assert "python=3.11" in environment["dependencies"]
    (pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert pip == ["--constraint constraints.txt", "--editable ..[slurm,generic]"]
    assert (REPOSITORY / "envs/constraints.txt").is_file()
