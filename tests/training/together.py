"""A training's steps in one process, and in two that learn as one (gloo, CPU)."""

import multiprocessing
import os
import socket
from collections.abc import Callable
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from tests.training.helpers import settings_put_back


def in_one_and_in_two(steps: Callable[..., None], *given: Any) -> None:
    """Call `steps(*given, fabric)` with a Fabric of one process, then in two processes."""
    with settings_put_back():
        steps(*given, Fabric(accelerator="cpu", devices=1, plugins=[LightningEnvironment()]))
    context, port = multiprocessing.get_context("fork"), _free_port()
    processes = [
        context.Process(target=_one_of_two, args=(rank, port, steps, given)) for rank in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0


def _one_of_two(rank: int, port: int, steps: Callable[..., None], given: tuple[Any, ...]) -> None:
    os.environ.update(
        LOCAL_RANK=str(rank),
        NODE_RANK="0",
        WORLD_SIZE="2",
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
    )
    torch.set_num_threads(1)
    plugins = [LightningEnvironment()]
    steps(*given, Fabric(accelerator="cpu", devices=2, strategy="ddp", plugins=plugins))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
