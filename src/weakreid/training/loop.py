"""The training loop: epochs of steps over a task, a checkpoint after each epoch, resume."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from weakreid.artifacts.prefetching import prefetch
from weakreid.console import progress, say
from weakreid.errors import ReidError
from weakreid.seeding import derive
from weakreid.training import checkpoint as checkpoints
from weakreid.training.task import Task

History = list[tuple[int, int, str, float]]


@dataclass(frozen=True)
class Watch:
    """Somebody who looks at a training while it goes on, and may end it by an error.

    Attributes:
        every: epochs between two looks; the last epoch is looked at in any case.
        look: called with the number of epochs that are done, before their checkpoint is written.
    """

    every: int
    look: Callable[[int], None]


class DivergedError(ReidError):
    """A loss or the weights are not finite."""


def fit(
    task: Task[Any],
    *,
    fabric: Fabric,
    parts: Mapping[str, torch.nn.Module],
    optimiser: torch.optim.Optimizer,
    factor: Callable[[int], float],
    epochs: int,
    seed: int,
    clip: float | None,
    checkpoint_path: Path,
    mark: str,
    watch: Watch | None = None,
) -> History:
    """Train `parts` on `task`, from the last whole checkpoint of the same training if there is one.

    Every epoch's randomness is drawn anew from (seed, epoch), so that a training that was killed
    and goes on from its checkpoint ends with the same weights, bit for bit on a CPU, as one that
    was not.

    Args:
        task: makes batches and their loss, and does what lies between steps.
        fabric: the devices; `parts` and `optimiser` are set up with it.
        parts: what learns, by the name it has in a checkpoint.
        optimiser: over the parameters of `parts`; each group's `lr` is its base rate.
        factor: step to what the base rates are multiplied by.
        epochs: in the whole training.
        seed: of this training.
        clip: largest norm of the gradient, None for no limit.
        checkpoint_path: written after every epoch.
        mark: fingerprint of the training; a checkpoint with another one is not used.
        watch: looks at the training after some epochs; it must change nothing of it.

    Returns:
        Rows (epoch, step, term, value); epochs and steps count from 0.

    Raises:
        DivergedError: the loss is not finite.
    """
    base_rates = [group["lr"] for group in optimiser.param_groups]
    history: History = []
    first_epoch = 0
    found = checkpoints.load(checkpoint_path, mark, quiet=not fabric.is_global_zero)
    if found is not None:
        for name, part in parts.items():
            part.load_state_dict(found.state[name])
        optimiser.load_state_dict(found.state["optimiser"])
        task.restore(found.state["task"])
        first_epoch, history = found.epoch, list(found.history)
        if fabric.is_global_zero:
            say(f"going on after epoch {first_epoch} of {epochs}")
    for part in parts.values():
        part.train()
    for epoch in range(first_epoch, epochs):
        history += _epoch(task, fabric, optimiser, base_rates, factor, epoch, epochs, seed, clip)
        if fabric.is_global_zero:
            if watch is not None and ((epoch + 1) % watch.every == 0 or epoch + 1 == epochs):
                watch.look(epoch + 1)
            state = {name: part.state_dict() for name, part in parts.items()}
            state["optimiser"] = optimiser.state_dict()
            state["task"] = task.state()
            done = checkpoints.Checkpoint(epoch + 1, state, history)
            checkpoints.save(checkpoint_path, done, mark)
            _report(history, epoch, epochs)
        fabric.barrier()
    return history


def _epoch(
    task: Task[Any],
    fabric: Fabric,
    optimiser: torch.optim.Optimizer,
    base_rates: list[float],
    factor: Callable[[int], float],
    epoch: int,
    epochs: int,
    seed: int,
    clip: float | None,
) -> History:
    rows: list[tuple[int, str, torch.Tensor | float]] = []
    images = 0
    first, after = task.first_step(epoch), task.first_step(epoch + 1)
    rows += [(first, name, value) for name, value in task.begin_epoch(epoch)]
    started = time.monotonic()
    learning = [value for group in optimiser.param_groups for value in group["params"]]
    devices = [fabric.device] if fabric.device.type == "cuda" else []
    # layers that draw (dropout) use torch's default generator: seeded here, put back after
    with (
        torch.random.fork_rng(devices),
        contextlib.closing(prefetch(task.batches(epoch))) as batches,
    ):
        torch.manual_seed(derive(seed, "layers", epoch, fabric.global_rank))
        steps: Iterator[Any] = batches
        if fabric.is_global_zero:
            label = f"epoch {epoch + 1} of {epochs}"
            later = task.first_step(epochs) - after
            steps = progress(batches, total=after - first, label=label, unit="steps", later=later)
        for step, batch in enumerate(steps, start=first):
            for group, rate in zip(optimiser.param_groups, base_rates, strict=True):
                group["lr"] = rate * factor(step)
            loss, terms = task.loss(batch)
            optimiser.zero_grad(set_to_none=True)
            fabric.backward(loss)
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(learning, clip)
            optimiser.step()
            task.after_step(step)
            # kept as tensors: reading a value would make a GPU wait at every step
            rows += [(step, name, value.detach()) for name, value in terms.items()]
            rows.append((step, "loss", loss.detach()))
            rows.append((step, "lr", _recorded_rate(optimiser)))
            images += task.size(batch)
    values = [(epoch, step, name, float(value)) for step, name, value in rows]
    for _, step, name, value in values:
        if not math.isfinite(value):
            raise DivergedError(
                f"training: {name} is {value} at step {step} (epoch {epoch + 1}); "
                "lower optimiser.lr, or set optimiser.clip"
            )
    last = after - 1
    # the last step may spoil the weights after a loss that was still finite
    if not all(bool(parameter.isfinite().all()) for parameter in learning):
        raise DivergedError(
            f"training: the weights are not finite after step {last} (epoch {epoch + 1}); "
            "lower optimiser.lr, or set optimiser.clip"
        )
    seconds = time.monotonic() - started
    return [*values, (epoch, last, "images_per_s", images * fabric.world_size / seconds)]


def _recorded_rate(optimiser: torch.optim.Optimizer) -> float:
    """Return the rate of the embedding, which the other groups' are factors of, or the first's."""
    groups = optimiser.param_groups
    chosen = next((group for group in groups if group.get("name") == "embedding"), groups[0])
    return float(chosen["lr"])


def _report(history: History, epoch: int, epochs: int) -> None:
    names = list(dict.fromkeys(name for at, _, name, _ in history if at == epoch))
    means = []
    for name in names:
        values = [value for at, _, term, value in history if at == epoch and term == name]
        means.append(f"{name} {sum(values) / len(values):.4g}")
    say(f"epoch {epoch + 1} of {epochs}: " + ", ".join(means))
