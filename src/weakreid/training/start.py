"""A training that starts from the weights of another experiment (`init`)."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from weakreid.errors import ReidError
from weakreid.training.checkpoint import load_weights, part_of

_OF_FRAMES = "network."
"""What the network of frames is called within one of clips."""


def start_from(
    path: Path,
    network: nn.Module,
    *,
    aggregation: nn.Module | None = None,
    neck: nn.Module | None = None,
) -> None:
    """Load the weights of another training, of whatever way of learning; its classifier stays.

    Args:
        path: its model.safetensors.
        network: `ReidModel`, changed in place.
        aggregation: of clips, where the training has one.
        neck: likewise.

    Raises:
        ReidError: the file is not one of ours, or a tensor has another shape, is not there, or has
            no place here; the first is named.
    """
    tensors, about = load_weights(path)
    model, heads = part_of(tensors, "model"), part_of(tensors, "heads")
    if about.clips is not None:
        parts = {"network": _below(model, _OF_FRAMES)}
        parts |= {"aggregation": _below(model, "aggregation."), "neck": _below(heads, "neck.")}
    else:
        # nothing of clips is there to start from: these layers begin anew
        parts, aggregation, neck = {"network": model}, None, None
    for name, module in (("network", network), ("aggregation", aggregation), ("neck", neck)):
        if module is not None:
            _load(path, name, module, parts[name])


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    found = {name: of for name, of in tensors.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): of for name, of in found.items()}


def _load(path: Path, part: str, module: nn.Module, given: Mapping[str, Tensor]) -> None:
    own = module.state_dict()
    for name in dict.fromkeys([*own, *given]):
        there, here = (list(of[name].shape) if name in of else None for of in (given, own))
        if there != here:
            raise ReidError(
                f"init: {path}: {part}.{name} is {_said(there)} there and {_said(here)} here; "
                "start from an experiment of the same model, aggregation, neck, clips.frames and "
                "image size, or leave init out"
            )
    module.load_state_dict(dict(given))


def _said(shape: list[int] | None) -> str:
    if shape is None:
        return "absent"
    return " x ".join(map(str, shape)) or "a number"
