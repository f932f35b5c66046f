"""The device of a stage, for those that learn nothing too: Fabric takes long to import."""

import contextlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import torch

from weakreid.console import say, warn
from weakreid.errors import ReidError

DEVICES = ("auto", "cpu", "cuda")
Numbers = Literal["bf16-mixed", "32-true"]


class Computer(Protocol):
    """A device and its precision: `OneDevice`, or a training's Fabric."""

    @property
    def device(self) -> torch.device:
        """The device."""

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context that a network runs forward in."""


@dataclass(frozen=True)
class OneDevice:
    """One device, for a network that does not learn.

    Attributes:
        device: a CPU or a GPU.
        numbers: as Fabric calls its precisions.
    """

    device: torch.device
    numbers: Numbers

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context that a network runs forward in."""
        if self.numbers == "32-true":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


def device_for(device: str, precision: str, threads: int) -> OneDevice:
    """Return one device for a stage that learns nothing; see `chosen`."""
    gpus, numbers = chosen(device, 1, precision, threads)
    return OneDevice(torch.device("cuda", 0) if gpus else torch.device("cpu"), numbers)


def chosen(device: str, devices: int, precision: str, threads: int) -> tuple[int, Numbers]:
    """Return how many GPUs a stage computes on, 0 for the CPU, and its precision.

    On a CPU, deterministic algorithms are switched on: the same input gives the same bytes, with
    the same number of threads.

    Args:
        device: `cpu`, `cuda`, or `auto`: a GPU where one is visible, said in the log otherwise.
        devices: how many GPUs at most. With 0, `auto` is `cpu`.
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
    numbers: Numbers = "bf16-mixed" if precision == "bf16" else "32-true"
    if not use_gpu:
        torch.use_deterministic_algorithms(True)
        # it would fill every new tensor first; no result here depends on unset memory
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        return 0, numbers
    torch.set_float32_matmul_precision("high")
    if devices > visible:
        say(f"{devices} GPUs were asked for, {visible} visible: computing on {visible}")
    return max(1, min(devices, visible)), numbers


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


def device_name(device: torch.device) -> str:
    """Return the kind of device: `cpu`, or a GPU's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
