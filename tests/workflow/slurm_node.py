"""A real Slurm of one node on this machine, for tests: munged, slurmctld and slurmd.

    python tests/workflow/slurm_node.py FOLDER

runs one with its state in FOLDER until Ctrl-C, and prints what to export to talk to it. It
needs Debian's packages `slurm-wlm` and `munge`, neither systemd nor cgroups, and listens on the
loopback only. The daemons are children of the process that starts them and die with it.
"""

import argparse
import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "setpriv")
# Stand-ins for GPUs: Slurm wants a character device for each and never opens it, as nothing
# confines the jobs' devices here. It counts, schedules and numbers them as it would real ones.
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random")

CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
KillWait=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={mem_mb} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES State=UP
PartitionName=gpu Nodes={host} State=UP
"""

# Inside a job, Snakemake's executor calls srun without SLURM_CONF; srun would then look for its
# configuration in /etc, which is not ours to write.
SRUN = """\
#!/bin/sh
SLURM_CONF={folder}/slurm.conf exec {srun} "$@"
"""

# Snakemake asks for its jobs' states every ten seconds, twenty, thirty, until one has ended.
# Here the answer to that question (and to no other) waits until one more job has ended.
SQUEUE = """\
#!/bin/sh
case "$*" in
    *--states=all*--name*) ;;
    *) exec {squeue} "$@" ;;
esac
for name; do :; done
seen={folder}/ended-$name
for turn in $(seq 200); do
    states=$({squeue} "$@") || exit
    ended=$(echo "$states" | grep -v -E 'PENDING|CONFIGURING|RUNNING|COMPLETING')
    [ "$ended" = "$(cat "$seen" 2>/dev/null)" ] || break
    sleep 0.2
done
echo "$ended" > "$seen"
echo "$states"
"""


def missing_programs() -> list[str]:
    """Return the programs that this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def install() -> None:
    """Install Slurm and munge from Debian's packages; needs root."""
    quiet = {"check": True, "capture_output": True, "text": True}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = ["slurm-wlm", "munge"]
    subprocess.run(["apt-get", "update", "-qq"], env=environment, **quiet)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
        env=environment,
        **quiet,
    )


@contextlib.contextmanager
def running(
    folder: Path, cpus: int = 16, mem_mb: int = 131072, gpus: int = 2
) -> Iterator[dict[str, str]]:
    """Run the node, and yield the environment variables with which to talk to it.

    The node has `cpus` and `mem_mb` whatever the machine has, so that one set of requests fits
    every machine: nothing confines a job to what it asked for.

    Raises:
        RuntimeError: the node did not come up; says what the daemons wrote.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    (folder / "state").mkdir(exist_ok=True)
    (folder / "spool").mkdir(exist_ok=True)
    environment = _configure(folder, cpus, mem_mb, gpus)
    key = folder / "munge.key"
    key.unlink(missing_ok=True)
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    munged = [
        "munged",
        "--foreground",
        "--force",
        f"--key-file={key}",
        f"--socket={folder}/munge.socket",
        f"--pid-file={folder}/munged.pid",
        f"--log-file={folder}/munged.log",
        f"--seed-file={folder}/munged.seed",
    ]
    with contextlib.ExitStack() as daemons:
        daemons.enter_context(_daemon(munged, folder, environment))
        _wait_for((folder / "munge.socket").exists, folder)
        daemons.enter_context(_daemon(["slurmctld", "-D", "-c"], folder, environment))
        daemons.enter_context(_daemon(["slurmd", "-D", "-c"], folder, environment))
        _wait_for(
            lambda: _ask(["sinfo", "-h", "-p", "cpu", "-o", "%T"], environment) == "idle", folder
        )
        # the last in, hence the first out: jobs end while there is a node to end them
        daemons.callback(_cancel_jobs, environment)
        yield environment


def _configure(folder: Path, cpus: int, mem_mb: int, gpus: int) -> dict[str, str]:
    """Write the configuration and what wraps programs; return the environment that selects them."""
    host = socket.gethostname().partition(".")[0]
    config = folder / "slurm.conf"
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        ports = one.getsockname()[1], two.getsockname()[1]
    config.write_text(
        CONFIG.format(
            folder=folder,
            host=host,
            user=getpass.getuser(),
            controller_port=ports[0],
            node_port=ports[1],
            cpus=cpus,
            mem_mb=mem_mb,
            gpus=gpus,
        )
    )
    (folder / "gres.conf").write_text(
        "AutoDetect=off\n"
        + "".join(
            f"NodeName={host} Name=gpu File={device} Flags=nvidia_gpu_env\n"
            for device in DEVICES[:gpus]
        )
    )
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name, text in (("srun", SRUN), ("squeue", SQUEUE)):
        path = programs / name
        path.write_text(text.format(folder=folder, **{name: shutil.which(name)}))
        path.chmod(0o755)
    return {"SLURM_CONF": str(config), "PATH": f"{programs}:{os.environ['PATH']}"}


@contextlib.contextmanager
def _daemon(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a daemon in the foreground as a child; end it at the end, or when this process dies."""
    log = folder / f"{command[0]}.out"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ask(command: list[str], environment: dict[str, str]) -> str:
    run = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    return run.stdout.strip()


def _cancel_jobs(environment: dict[str, str]) -> None:
    """End what still runs, and wait until it has."""
    end = time.monotonic() + 15
    while time.monotonic() < end and _ask(
        ["squeue", "-h", "-t", "R,PD,CG", "-o", "%i"], environment
    ):
        _ask(["scancel", "--user", getpass.getuser()], environment)
        time.sleep(0.3)


def _wait_for(ready: Callable[[], bool], folder: Path, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            said = "".join(
                f"\n--- {path.name}\n{path.read_text(errors='replace')[-2000:]}"
                for path in sorted([*folder.glob("*.log"), *folder.glob("*.out")])
            )
            raise RuntimeError(f"Slurm did not come up in {seconds:.0f} s:{said}")
        time.sleep(0.1)


def main() -> None:
    """Run a node until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="a temporary one, where none is given")
    parser.add_argument("--gpus", type=int, default=2, choices=range(len(DEVICES) + 1))
    arguments = parser.parse_args()
    if missing := missing_programs():
        sys.exit(f"not installed: {', '.join(missing)}; install slurm-wlm and munge")
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="slurm-"))
    with running(folder.resolve(), gpus=arguments.gpus) as environment:
        for name, value in environment.items():
            print(f"export {name}={value}")
        print("# running; Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


if __name__ == "__main__":
    main()
