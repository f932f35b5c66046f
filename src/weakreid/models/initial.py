"""Layers whose initial weights come from a seed of their own."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from weakreid.seeding import derive


@contextlib.contextmanager
def seeded(seed: int, *items: str) -> Iterator[None]:
    """Let what is built inside draw its weights from a seed of its own.

    PyTorch's layers draw from the global CPU generator, which is as before afterwards; no other
    device's is touched.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(seed, *items))
        yield


def seeded_linear(
    inputs: int, outputs: int, seed: int, *items: str, bias: bool = True
) -> nn.Linear:
    """Return a linear layer with PyTorch's own initialisation, drawn from a seed of its own."""
    with seeded(seed, *items):
        return nn.Linear(inputs, outputs, bias=bias)


def seeded_normal(rows: int, columns: int, seed: int, *items: str) -> nn.Parameter:
    """Return a parameter [rows, columns] of standard normal numbers from a seed of its own."""
    with seeded(seed, *items):
        return nn.Parameter(torch.randn(rows, columns))
