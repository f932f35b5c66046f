"""Tracklets of a table, and what a network makes of all of them: mean features of their frames."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import normalize

from weakreid.artifacts.prefetching import prefetch
from weakreid.console import progress
from weakreid.errors import ReidError
from weakreid.models.reid import ReidModel, chunks
from weakreid.training.task import Task

_FRAMES = 256


def tracklets_of(rows: pd.DataFrame) -> list[np.ndarray]:
    """Return the rows of the image store of each tracklet, in its order.

    Args:
        rows: of the table "tracks".

    Raises:
        ReidError: the tracklets are not numbered from 0 without gaps.
    """
    rows = rows.sort_values(["tracklet_id", "position"], kind="stable")
    ids, images = rows["tracklet_id"].to_numpy(), rows["image"].to_numpy()
    found = np.unique(ids)
    wrong = np.flatnonzero(found != np.arange(len(found)))
    if len(wrong):
        raise ReidError(
            f"tracks: tracklet_id {found[wrong[0]]} where {wrong[0]} is due; "
            "number the tracklets from 0 without gaps"
        )
    return np.split(images, np.flatnonzero(np.diff(ids)) + 1)


def features_of(
    task: Task[Any],
    network: ReidModel,
    count: int,
    shown: Callable[[int], np.ndarray],
    together: int = 1,
) -> np.ndarray:
    """Return a network's features of all tracklets: float32 [count, d], of length 1 each.

    Each process makes those of its share, and all get them all.

    Args:
        task: whose images, frozen stages and devices are used.
        network: in training mode, which it is in afterwards too.
        count: of the tracklets.
        shown: tracklet to the rows of the image store that stand for it; asked once, in order.
        together: frames that a feature of the network is of.
    """
    fabric = task.fabric
    own = range(fabric.global_rank, count, fabric.world_size)
    rows = {tracklet: shown(tracklet) for tracklet in own}
    groups = _groups([len(rows[tracklet]) for tracklet in own])
    found = torch.zeros(count, network.dimension)
    batches = (
        task.images.plain(np.concatenate([rows[own[place]] for place in group])) for group in groups
    )
    network.eval()
    with (
        contextlib.closing(prefetch(batches)) as made,
        torch.no_grad(),
        fabric.autocast(),
    ):
        steps: Iterator[Tensor] = made
        if fabric.is_global_zero:
            steps = progress(made, total=len(groups), label="features of tracklets", unit="batches")
        for group, images in zip(groups, steps, strict=True):
            parts = [
                network(task.front(part), after_front=True).float()
                for part in chunks(images.to(fabric.device, non_blocking=True), together)
            ]
            counts = [len(rows[own[place]]) // together for place in group]
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
