"""The one place that imports torchvision.

The common wheel of torchvision is built for CUDA. Beside a CPU-only torch its compiled
operators do not load, and then `import torchvision` itself fails: it registers shape functions
for two operators, `torchvision::nms` and `torchvision::qnms`, whose schemas nobody declared.
Models and transforms use neither. So the schemas are declared here, but only where the compiled
operators cannot be loaded: a second declaration would clash with theirs.

Import timm after this module too; it imports torchvision.
"""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import torch

from weakreid.errors import ReidError

_SCHEMA = "{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _operators_load() -> bool:
    """Load torchvision's compiled operators, as its own import would; say whether they are there.

    Raises:
        ReidError: torchvision is not installed.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        raise ReidError("torchvision is not installed; install this project's dependencies again")
    folder = Path(next(iter(spec.submodule_search_locations)))
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        library = folder / f"_C{suffix}"
        if library.is_file():
            try:
                torch.ops.load_library(str(library))
            except OSError:
                return False
            return True
    return False


def _declare_missing() -> torch.library.Library | None:
    """Declare the schemas that the import wants, where nothing else declares them.

    Returns:
        The library that holds them: they live as long as it does. None where none was needed.
    """
    if "torchvision" in sys.modules or _operators_load():
        return None
    missing = [name for name in ("nms", "qnms") if not hasattr(torch.ops.torchvision, name)]
    if not missing:
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in missing:
        library.define(_SCHEMA.format(name=name))
    return library


_declared = _declare_missing()

import torchvision.models  # noqa: E402

resnets = {
    "resnet18": (torchvision.models.resnet18, torchvision.models.ResNet18_Weights.IMAGENET1K_V1),
    "resnet34": (torchvision.models.resnet34, torchvision.models.ResNet34_Weights.IMAGENET1K_V1),
    "resnet50": (torchvision.models.resnet50, torchvision.models.ResNet50_Weights.IMAGENET1K_V1),
}
