"""Importing torchvision beside a torch whose operators it was not built for."""

import subprocess
import sys

import pytest

USE = """
import timm, torch, torchvision
from torchvision.transforms import functional
assert torchvision.models.resnet18() is not None
assert torchvision.models.resnet18 is _torchvision.resnets["resnet18"][0]
if torchvision.extension._has_ops():
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    assert torchvision.ops.nms(boxes, torch.ones(1), 0.5).tolist() == [0]
    assert _torchvision._declared is None
"""


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(
            # fails beside a CPU-only torch, and must leave nothing that stops the second try
            "try:\n    import torchvision\nexcept RuntimeError:\n    pass\n"
            "from weakreid.models import _torchvision",
            id="torchvision-first",
        ),
        pytest.param(
            # operators that are there already, as where the compiled ones load
            "import torch\n"
            "library = torch.library.Library('torchvision', 'FRAGMENT')\n"
            "for name in ('nms', 'qnms'):\n"
            "    if not hasattr(torch.ops.torchvision, name):\n"
            "        library.define(name + '(Tensor a, Tensor b, float c) -> Tensor')\n"
            "        library.impl(name, lambda a, b, c: a + c, 'CPU')\n"
            "        stood_in = True\n"
            "from weakreid.models import _torchvision\n"
            "assert _torchvision._declared is None\n"
            "one = torch.ones(1)\n"
            "assert 'stood_in' not in globals() or torch.ops.torchvision.nms(one, one, 2.0) == 3",
            id="operators-there",
        ),
    ],
)
def test_torchvision_and_timm_import_after_ours_whatever_came_before(first):
    done = subprocess.run(
        [sys.executable, "-c", first + "\n" + USE], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
