"""What a machine lacks becomes one line; the program's own errors keep their traceback."""

import errno
import importlib
import json
import re
import resource
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch
from pydantic import BaseModel
from tests.training.helpers import arguments, environment, make_data, method

from weakreid import console, machine
from weakreid.config.methods import BagMethod, ClipMethod, TrackletMethod, Transfer

LESS = "lower batch.bags"
GIB = 2**30


def caught(make) -> BaseException:
    with pytest.raises(machine.faults()) as found:
        make()
    return found.value


# as the libraries raise them themselves: the words change with their versions
ASKED_TOO_MUCH = {
    "python": lambda: bytearray(2**50),
    "numpy": lambda: np.empty(2**50, np.uint8),
    "torch": lambda: torch.empty(2**50, dtype=torch.uint8),
    "opencv": lambda: cv2.resize(np.zeros((4, 4, 3), np.uint8), (400_000, 400_000)),
    "arrow": lambda: pa.allocate_buffer(2**50),
}


@pytest.mark.parametrize("library", ASKED_TOO_MUCH)
def test_memory_that_no_library_gets_names_what_to_lower(library: str, monkeypatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (32 * GIB, before[1]))
    try:
        error = caught(ASKED_TOO_MUCH[library])
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    told = machine.explain(error, LESS)
    assert told is not None
    assert re.match(r"out of memory( \(.+ were asked for\))?: lower batch.bags; or run fewer", told)
    assert machine.explain(error).startswith("out of memory")  # type: ignore[union-attr]


CUDA_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 7.79 GiB of "
    "which 1.02 GiB is free. Of the allocated memory 6.01 GiB is allocated by PyTorch. "
    "If reserved but unallocated memory is large try setting expandable_segments:True."
)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            torch.OutOfMemoryError(CUDA_MEMORY),
            r"out of memory of the GPU \(2.50 GiB were asked for\): lower batch.bags; or use a GPU",
        ),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(h)`"),
            "out of memory of the GPU: lower batch.bags",
        ),
        (
            RuntimeError(
                "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU"
            ),
            r"the GPU cannot be used \(Found no NVIDIA driver on your system\); look at nvidia-smi",
        ),
        (
            RuntimeError("CUDA error: no kernel image is available for execution on the device\n"),
            "the GPU cannot be used .*device=cpu",
        ),
        (
            RuntimeError("unable to write to file </torch_12_3>: No space left on device (28)"),
            "the shared memory /dev/shm is full",
        ),
        (RuntimeError("can't start new thread"), "no further thread or process .*ulimit -u"),
        (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "no further thread or process"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out of memory: lower batch.bags"),
        (OSError(errno.ENOSPC, "No space left", "/tmp/x"), "the disk is full: /tmp/x; free some"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full; free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "a.mat"), "a.mat: no right to read"),
        (OSError(errno.EROFS, "Read-only file system", "x"), "x: no right to read or write it"),
        (OSError(errno.EMFILE, "Too many open files", "a"), "a: too many files .*ulimit -n"),
        (OSError(errno.EIO, "Input/output error", "a.avi"), "a.avi: Input/output error; see to"),
        (OSError(errno.ESTALE, "Stale file handle", "a"), "a: Stale file handle; see to the disk"),
        (OSError(errno.ENODEV, "No such device", "/dev/x"), "/dev/x: No such device"),
        (BrokenProcessPool("A process in the pool was terminated"), "a process .* was killed"),
        (
            torch.distributed.DistBackendError("NCCL communicator was aborted on rank 1."),
            "another process of this training ended",
        ),
        (
            RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer [::1]:4242"),
            "another process of this training ended",
        ),
    ],
)
def test_what_a_machine_lacks_is_named_with_a_remedy(error: Exception, words: str) -> None:
    told = machine.explain(error, LESS)
    assert told is not None
    assert re.match(words, told), told
    assert len(told) < 400
    assert "\n" not in told


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (4x512 and 128x4)"),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("Expected all tensors to be on the same device, but found cuda:0 and cpu!"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "part"),
        OSError(errno.EINVAL, "Invalid argument"),
        OSError("no number at all"),
        OSError("HTTPSConnectionPool(host='x', port=443): Read timed out. (socket)"),
        BlockingIOError(errno.EAGAIN, "write could not complete without blocking"),
        RecursionError("maximum recursion depth exceeded"),
        NotImplementedError("a bug"),
    ],
)
def test_a_fault_of_the_program_is_not_explained_away(error: Exception) -> None:
    assert machine.explain(error, LESS) is None

    def main() -> None:
        raise error

    with pytest.raises(type(error)) as found:
        console.exit_on_error(main)
    assert found.value is error


def _end() -> None:
    import os

    os._exit(1)


def test_a_killed_worker_is_a_line(capsys) -> None:
    def main() -> None:
        with ProcessPoolExecutor(1) as pool:
            pool.submit(_end).result()

    with pytest.raises(SystemExit) as left:
        console.exit_on_error(main)
    assert left.value.code == 1
    assert capsys.readouterr().err.startswith("error: a process that this one had started was")


def stage(name: str):
    return importlib.import_module(f"weakreid.stages.{name}")


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("train_bags", BagMethod),
        ("train_tracklets", TrackletMethod),
        ("train_clips", ClipMethod),
        ("transfer", Transfer),
    ],
)
def test_a_training_names_every_setting_of_its_batches(name: str, block: type[BaseModel]) -> None:
    named = set(re.findall(r"(\w+)\.(\w+)", stage(name).LESS_MEMORY))
    for group, key in named:
        kind = block.model_fields[group].annotation
        assert key in kind.model_fields, f"{group}.{key}"  # type: ignore[union-attr]
    batch = block.model_fields["batch"].annotation
    assert {key for group, key in named if group == "batch"} == set(batch.model_fields)  # type: ignore[union-attr]


def test_a_training_without_memory_ends_in_one_line_that_names_its_batches(tmp_path: Path) -> None:
    """Under a limit like Grid Engine's h_vmem; the last line is what Snakemake shows last."""
    values = method(image__height=4096, image__width=2048, batch__frames=16, model__frozen=[])
    limited = (
        "import resource, runpy, sys\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({4 * GIB}, {4 * GIB}))\n"
        "sys.argv = ['stages', 'train_bags', *sys.argv[1:]]\n"
        "runpy.run_module('weakreid.stages', run_name='__main__')\n"
    )
    out = tmp_path / "out"
    options = arguments(make_data(tmp_path), out, json.loads(json.dumps(values)))
    command = [sys.executable, "-c", limited, *options]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert re.match(r"error: out of memory( \(.*\))?: lower batch.bags, batch.frames", last), last
    assert not list(out.glob("model*"))
