"""Checkpoints that a killed training continues from."""

import contextlib
import hashlib
import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised

from weakreid.artifacts.files import read_fault, replacing
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.trained import Trained
from weakreid.console import say
from weakreid.errors import ReidError

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
    """Return a digest of what a training depends on; files and stores go in by their content.

    Raises:
        ReidError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, ImageStore):
            digest.update(digest_of(part).encode())
        elif isinstance(part, Path):
            try:
                with part.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise read_fault(part, error, "run the stage that makes it") from error
        else:
            digest.update(json.dumps(part, sort_keys=True).encode() + b"\0")
    return digest.hexdigest()


def digest_of(store: ImageStore, sample: int = 256) -> str:
    """Return what tells a store from another without reading all of it.

    The size of every picture, and the encoded bytes of some, spread over the store.
    """
    found = hashlib.sha256(store.sizes().tobytes())
    lengths = np.fromiter((len(store.encoded(row)) for row in range(len(store))), np.int64)
    found.update(lengths.tobytes())
    for row in np.linspace(0, len(store) - 1, min(sample, len(store))).astype(int):
        found.update(store.encoded(int(row)))
    return found.hexdigest()


def save(path: Path, checkpoint: Checkpoint, mark: str) -> None:
    """Write a checkpoint, whole or not at all, marked with the training's fingerprint."""
    # to a file of Python's, whose write says that the disk is full; torch's own does not
    with replacing(path) as aside, aside.open("wb") as file:
        torch.save({"fingerprint": mark, **vars(checkpoint)}, file)


def load(path: Path, mark: str, quiet: bool = False) -> Checkpoint | None:
    """Return the checkpoint of this very training, None if there is none.

    One that another config, code or input made, or that cannot be read, is not used, and a line
    says so unless `quiet` is set.
    """
    if not path.exists():
        return None
    raw, why = None, "not a whole checkpoint"
    # a zip file's directory stands at its end: cut short, it is none
    if zipfile.is_zipfile(path):
        with contextlib.suppress(RuntimeError, pickle.UnpicklingError):
            raw = torch.load(path, map_location="cpu", weights_only=True)
            why = "a checkpoint of another config, code or input"
    if not isinstance(raw, dict) or raw.get("fingerprint") != mark:
        if not quiet:
            say(f"{path}: {why}; training starts anew")
        return None
    history = [tuple(row) for row in raw["history"]]
    return Checkpoint(raw["epoch"], raw["state"], history)


def save_weights(path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
    """Write weights as safetensors, with `about` as JSON in the file's metadata.

    One metadata key only: the order of several is not fixed, and the same weights must give the
    same bytes.
    """
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    data = serialised(whole, metadata={_METADATA_KEY: json.dumps(about, sort_keys=True)})
    with replacing(path) as aside:
        aside.write_bytes(data)


def part_of(tensors: Mapping[str, torch.Tensor], part: str) -> dict[str, torch.Tensor]:
    """Return the tensors of one part of a training ("model", "heads"), by their names in it."""
    prefix = f"{part}."
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def load_weights(path: Path) -> tuple[dict[str, torch.Tensor], Trained]:
    """Return the tensors of a file of `save_weights`, and what it says of them.

    Raises:
        ReidError: the file is missing or is not one of ours.
    """
    if not path.exists():
        raise ReidError(f"{path}: no such file; run the training first")
    try:
        with safe_open(path, framework="pt") as file:
            about = (file.metadata() or {}).get(_METADATA_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ReidError(f"{path}: not a whole weights file; delete it and run again") from error
    if about is None:
        raise ReidError(f"{path}: not weights that this program wrote; give a trained model")
    try:
        return tensors, Trained.model_validate_json(about)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = ".".join(map(str, fault["loc"]))
        raise ReidError(
            f"{path}: of another version of this program ({key}: {fault['msg']}); train again"
        ) from None
