"""The devices that a stage computes on."""

import os
import warnings
from pathlib import Path
from typing import Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment

from weakreid.console import say, warn
from weakreid.errors import ReidError
from weakreid.parents import end_with

DEVICES = ("auto", "cpu", "cuda")
_FIRST_PROCESS = "WEAKREID_FIRST_PROCESS"


def fabric_for(device: str, devices: int, precision: str, threads: int) -> Fabric:
    """Return a Fabric for the devices that a stage was given.

    On a CPU, deterministic algorithms are switched on: the same input gives the same bytes, with
    the same number of threads.

    The processes are always started here, on one machine, whatever scheduler started this one: in
    a Slurm step Fabric would otherwise take the step's tasks for its processes.

    Args:
        device: `cpu`, `cuda`, or `auto`: a GPU where one is visible, said in the log otherwise.
        devices: how many GPUs at most; more than one train as one (DDP). With 0, `auto` is `cpu`.
        precision: `32`, `bf16`, or `auto`: bf16 autocast on a GPU that computes in it, 32 bits
            elsewhere.
        threads: of CPU arithmetic.

    Raises:
        ReidError: a GPU was asked for and none is visible, or the device is another word.
    """
    if device not in DEVICES:
        raise ReidError(f"device '{device}' is unknown; it must be {', '.join(DEVICES)}")
    torch.set_num_threads(threads)
    visible, unusable = _gpus() if device != "cpu" else (0, None)
    if device == "cuda" and visible == 0:
        why = "no GPU is visible" if unusable is None else f"no GPU can be used ({unusable})"
        raise ReidError(
            f"device cuda was asked for and {why}; "
            "check nvidia-smi and CUDA_VISIBLE_DEVICES, or set the resource device to cpu"
        )
    if unusable is not None and devices > 0:
        warn(f"the GPU of this machine cannot be used ({unusable}): computing on the CPU")
    use_gpu = device == "cuda" or (device == "auto" and visible > 0 and devices > 0)
    if device == "auto" and not use_gpu:
        why = "no GPU is visible" if visible == 0 else "no GPU was given"
        say(f"{why}: computing on the CPU with {threads} threads")
    if precision == "auto":
        # older GPUs only imitate bf16, at a loss of speed
        native = use_gpu and torch.cuda.is_bf16_supported(including_emulation=False)
        precision = "bf16" if native else "32"
    numbers: Literal["bf16-mixed", "32-true"] = "bf16-mixed" if precision == "bf16" else "32-true"
    environment = LightningEnvironment()
    if not use_gpu:
        torch.use_deterministic_algorithms(True)
        # it would fill every new tensor first; no result here depends on unset memory
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        return Fabric(accelerator="cpu", devices=1, precision=numbers, plugins=[environment])
    torch.set_float32_matmul_precision("high")
    if devices > visible:
        say(f"{devices} GPUs were asked for, {visible} visible: computing on {visible}")
    count = max(1, min(devices, visible))
    return Fabric(
        accelerator="cuda",
        devices=count,
        strategy="ddp" if count > 1 else "auto",
        precision=numbers,
        plugins=[environment],
    )


def _gpus() -> tuple[int, str | None]:
    """Return how many GPUs are visible, and why one that is there cannot be used."""
    # a driver that does not answer, or is too old for this PyTorch, is only warned of
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        visible = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if visible > 0:
        return visible, None
    if told:
        return 0, " ".join(str(told[0].message).split())[:200]
    if torch.version.cuda is None and Path("/dev/nvidia0").exists():
        return 0, f"PyTorch {torch.__version__} is built for the CPU alone"
    return 0, None


def launch(fabric: Fabric, threads: int) -> int:
    """Start a Fabric's processes; return how many of the stage's threads are this one's share."""
    if fabric.local_rank == 0:
        # for those that are started: one may be an orphan before it comes to asking for its parent
        os.environ[_FIRST_PROCESS] = str(os.getpid())
    fabric.launch()
    if fabric.local_rank > 0:
        end_with(int(os.environ.get(_FIRST_PROCESS, os.getppid())))
    share = max(1, threads // fabric.world_size)
    # the launch sets a number of its own where there are several processes
    torch.set_num_threads(share)
    return share


def leave(fabric: Fabric) -> None:
    """End the processes' connection, at the end of a stage that succeeded."""
    if fabric.world_size > 1:
        fabric.barrier()
        torch.distributed.destroy_process_group()


def device_name(fabric: Fabric) -> str:
    """Return the kind of device: `cpu`, or a GPU's name."""
    if fabric.device.type == "cuda":
        return torch.cuda.get_device_name(fabric.device)
    return fabric.device.type
