"""The devices that a stage computes on."""

from typing import Literal

import torch
from lightning_fabric import Fabric

from weakreid.console import say
from weakreid.errors import ReidError


def fabric_for(device: str, devices: int, precision: str, threads: int) -> Fabric:
    """Return a Fabric for the devices that a stage was given.

    On a CPU, deterministic algorithms are switched on: the same input gives the same bytes, with
    the same number of threads.

    Args:
        device: `cpu`, `cuda`, or `auto`: a GPU where one is visible, said in the log otherwise.
        devices: how many GPUs at most; more than one train as one (DDP).
        precision: `32`, `bf16`, or `auto`: bf16 autocast on a GPU, 32 bits on a CPU.
        threads: of CPU arithmetic.

    Raises:
        ReidError: a GPU was asked for and none is visible.
    """
    torch.set_num_threads(threads)
    visible = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "cuda" and visible == 0:
        raise ReidError(
            "device cuda was asked for and no GPU is visible; "
            "check nvidia-smi and CUDA_VISIBLE_DEVICES, or set the resource device to cpu"
        )
    use_gpu = device == "cuda" or (device == "auto" and visible > 0)
    if device == "auto" and not use_gpu:
        say(f"no GPU is visible: computing on the CPU with {threads} threads")
    if precision == "auto":
        precision = "bf16" if use_gpu else "32"
    numbers: Literal["bf16-mixed", "32-true"] = "bf16-mixed" if precision == "bf16" else "32-true"
    if not use_gpu:
        torch.use_deterministic_algorithms(True)
        return Fabric(accelerator="cpu", devices=1, precision=numbers)
    torch.set_float32_matmul_precision("high")
    count = max(1, min(devices, visible))
    strategy = "ddp" if count > 1 else "auto"
    return Fabric(accelerator="cuda", devices=count, strategy=strategy, precision=numbers)


def device_name(fabric: Fabric) -> str:
    """Return the kind of device: `cpu`, or a GPU's name."""
    if fabric.device.type == "cuda":
        return torch.cuda.get_device_name(fabric.device)
    return fabric.device.type
