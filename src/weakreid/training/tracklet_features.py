"""Features of whole tracklets, which several ways of learning look at between two epochs."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from weakreid.artifacts.prefetching import prefetch
from weakreid.console import progress
from weakreid.models.reid import ReidModel, chunks
from weakreid.training.task import Task

_FRAMES = 256


def features_of_tracklets(
    task: Task[Any],
    network: ReidModel,
    rows_of: Callable[[int], np.ndarray],
    count: int,
    together: int = 1,
) -> np.ndarray:
    """Return the mean feature of each tracklet's frames: float32 [N, d], of length 1 each.

    With several processes each makes those of its share, and all get all.

    Args:
        task: of the training; its images are shown.
        network: on the task's device; in eval mode while it is asked, in training mode after.
        rows_of: tracklet to the rows of the image store that are looked at.
        count: N.
        together: frames that a feature of the network is of.
    """
    fabric = task.fabric
    own = range(fabric.global_rank, count, fabric.world_size)
    rows = [rows_of(tracklet) for tracklet in own]
    groups = _groups([len(of_tracklet) for of_tracklet in rows])
    found = torch.zeros(count, network.dimension)
    batches = (
        task.images.plain(np.concatenate([rows[place] for place in group])) for group in groups
    )
    network.eval()
    with contextlib.closing(prefetch(batches)) as made, torch.no_grad(), fabric.autocast():
        steps: Iterator[Tensor] = made
        if fabric.is_global_zero:
            steps = progress(made, total=len(groups), label="features of tracklets", unit="batches")
        for group, images in zip(groups, steps, strict=True):
            parts = [
                network(task.front(part), after_front=True).float()
                for part in chunks(images.to(fabric.device, non_blocking=True), together)
            ]
            counts = [len(rows[place]) // together for place in group]
            means = torch.stack([f.mean(0) for f in torch.cat(parts).split(counts)])
            found[[own[place] for place in group]] = normalize(means, dim=1).cpu()
    network.train()
    if fabric.world_size > 1:
        # each row is one process's, 0 elsewhere
        found = fabric.all_reduce(found.to(fabric.device), reduce_op="sum").cpu()  # type: ignore[union-attr]
    return found.numpy()


def _groups(counts: Sequence[int]) -> list[list[int]]:
    """Cut tracklets into runs of about so many frames as go through the network at once."""
    ends = np.cumsum(counts)
    starts = ends - counts
    of_group = starts // _FRAMES
    return [np.flatnonzero(of_group == name).tolist() for name in np.unique(of_group)]
