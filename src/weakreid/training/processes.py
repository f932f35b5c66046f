"""The processes that a network learns in: one, or one for each of several GPUs."""

import os

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment

from weakreid.parents import end_with
from weakreid.training.devices import chosen

_FIRST_PROCESS = "WEAKREID_FIRST_PROCESS"


def fabric_for(device: str, devices: int, precision: str, threads: int) -> Fabric:
    """Return a Fabric for the devices that a stage was given (`devices.chosen`).

    Several GPUs train as one (DDP). The processes are always started here, on one machine, whatever
    scheduler started this one: in a Slurm step Fabric would otherwise take the step's tasks for its
    processes.

    Raises:
        ReidError: a GPU was asked for and none is visible, or the device is another word.
    """
    gpus, numbers = chosen(device, devices, precision, threads)
    return Fabric(
        accelerator="cuda" if gpus else "cpu",
        devices=max(1, gpus),
        strategy="ddp" if gpus > 1 else "auto",
        precision=numbers,
        plugins=[LightningEnvironment()],
    )


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
