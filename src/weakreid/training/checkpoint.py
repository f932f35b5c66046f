"""Checkpoints that a killed training continues from."""

import hashlib
import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from weakreid.console import say
from weakreid.errors import ReidError
from weakreid.files import replacing

_METADATA_KEY = "weakreid"


@dataclass(frozen=True)
class Checkpoint:
    """The state at the end of an epoch.

    Attributes:
        epoch: epochs done.
        state: state dicts by part (`model`, `heads`, `optimiser`).
        history: rows so far: (epoch, step, term, value).
    """

    epoch: int
    state: dict[str, Any]
    history: list[tuple[int, int, str, float]]


def fingerprint(*parts: Any) -> str:
    """Return a digest of what a training depends on; files go in by their content."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            with part.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        else:
            digest.update(json.dumps(part, sort_keys=True).encode() + b"\0")
    return digest.hexdigest()


def save(path: Path, checkpoint: Checkpoint, mark: str) -> None:
    """Write a checkpoint, whole or not at all, marked with the training's fingerprint."""
    with replacing(path) as aside:
        torch.save(
            {
                "fingerprint": mark,
                "epoch": checkpoint.epoch,
                "state": checkpoint.state,
                "history": checkpoint.history,
            },
            aside,
        )


def load(path: Path, mark: str) -> Checkpoint | None:
    """Return the checkpoint of this very training, None if there is none.

    One that another config, code or input made, or that cannot be read, is not used, and a line
    says so.
    """
    if not path.exists():
        return None
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
    except (EOFError, RuntimeError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        say(f"{path}: not a whole checkpoint ({error}); training starts anew")
        return None
    if raw["fingerprint"] != mark:
        say(f"{path}: of another config, code or input; training starts anew")
        return None
    history = [tuple(row) for row in raw["history"]]
    return Checkpoint(raw["epoch"], raw["state"], history)


def save_weights(path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
    """Write weights as safetensors, with `about` as JSON in the file's metadata.

    One metadata key only: the order of several is not fixed, and the same weights must give the
    same bytes.
    """
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    with replacing(path) as aside:
        save_file(whole, aside, metadata={_METADATA_KEY: json.dumps(about, sort_keys=True)})


def load_weights(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and the `about` of a file of `save_weights`.

    Raises:
        ReidError: the file is missing or is not one of ours.
    """
    if not path.exists():
        raise ReidError(f"{path}: no such file; run the training first")
    with safe_open(path, framework="pt") as file:
        about = (file.metadata() or {}).get(_METADATA_KEY)
        if about is None:
            raise ReidError(f"{path}: not weights that this program wrote")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return tensors, json.loads(about)
