"""Stages and Snakemake with their libraries loaded already, for the hundreds that tests run.

Most of a tiny stage's time is Python's start and `import torch`, and half of a dry run's is
`import snakemake`. Here one process imports the libraries and forks. Where `CALLER` is a checkout's
`src/sitecustomize.py`, what is started there is handed to that process. The package itself is
imported after the fork, from the checkout. Not for what is killed: a forked program ends a moment
after its caller.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

LIBRARIES = (
    *("torch", "lightning_fabric", "numpy", "pandas", "pyarrow.parquet", "cv2"),
    *("sklearn.cluster", "pydantic", "typer", "yaml", "simplejpeg", "safetensors.torch"),
    *("matplotlib.pyplot", "optuna", "snakemake.cli"),
)

CALLER = """
import json, os, socket, sys
names = ("weakreid.stages", "snakemake", "tests.training")
# the second of two processes looks for the first among its parents
first = "LOCAL_RANK" not in os.environ
if first and sys.orig_argv[1:2] == ["-m"] and sys.orig_argv[2].startswith(names):
    with socket.socket(socket.AF_UNIX) as server:
        server.connect({address!r})
        asked = json.dumps([sys.orig_argv[2:], os.getcwd(), dict(os.environ)]).encode()
        socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
        server.sendall(asked)
        status = server.recv(1)
    os._exit(status[0] if status else 1)
"""


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve programs at a socket in a folder; yield a checkout's `src/sitecustomize.py`."""
    address = str(folder / "socket")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    command = [sys.executable, __file__, address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdout is not None and server.stdout.readline() == b"ready\n"
        try:
            yield CALLER.format(address=address)
        finally:
            server.kill()


def serve(address: str) -> None:
    """Fork a process for every program that is asked for; return in that process alone."""
    for library in LIBRARIES:
        importlib.import_module(library)
    # it declares what torchvision lacks where its operators do not load, and has to stay
    _kept = importlib.import_module("weakreid.models._torchvision")
    importlib.import_module("timm")
    for name in [name for name in sys.modules if name.split(".")[0] == "weakreid"]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()  # else every child's collector goes through the libraries, and copies their pages
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        print("ready", flush=True)
        while True:
            caller, _ = listening.accept()
            head, streams, *_ = socket.recv_fds(caller, 4, 3)
            asked = b""
            while len(asked) < int.from_bytes(head, "big"):
                asked += caller.recv(65536)
            child = os.fork()
            if child == 0:
                become(*json.loads(asked), streams)
                return
            for stream in streams:
                os.close(stream)
            threading.Thread(target=attend, args=(child, caller), daemon=True).start()


def become(words: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> None:
    """Take a caller's place: the module it runs and its options, folder, environment, streams."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    sys.path[:1] = environment.get("PYTHONPATH", "").split(os.pathsep)


def attend(child: int, caller: socket.socket) -> None:
    """Tell a caller how its program ended; kill the program of a caller that is gone."""
    ended = os.pidfd_open(child)
    with caller:
        gone = caller in select.select([caller, ended], [], [])[0]
        if gone:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(ended)
        if not gone:
            caller.sendall(bytes([abs(os.waitstatus_to_exitcode(status)) % 256]))


def run() -> int:
    """Run the module that `sys.argv` begins with; return its exit status."""
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
    ended_with = run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ended_with)  # taking the libraries down takes 1 s
