"""Several processes train as one does (gloo, CPU)."""

import importlib
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file
from tests.training.helpers import (
    HEIGHT,
    WIDTH,
    arguments,
    history_rows,
    interrupted_here,
    make_data,
    method,
    run_here,
    start,
)
from tests.training.together import in_one_and_in_two

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import TrainBags
from weakreid.losses.bags import cpal
from weakreid.models.reid import Heads
from weakreid.training.bag_task import BagTask, bags_of
from weakreid.training.images import TrainingImages

STEPS = 3


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


class Net(torch.nn.Module):
    """Colours and edges, mapped to 12 features that differ from frame to frame."""

    def __init__(self):
        super().__init__()
        self.backbone = SimpleNamespace(mean=(128.0,) * 3, std=(64.0,) * 3)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.frozen = torch.nn.Conv2d(3, 16, 3).requires_grad_(False)
            self.first = torch.nn.Conv2d(16, 24, 4, stride=4)
            self.second = torch.nn.Linear(24, 12)

    def forward(self, images):
        return self.second(self.first(self.frozen(images)).relu().amax(dim=(2, 3)))


def steps_of(data: Path, out: Path, loss: str, instances: str, fabric: Fabric) -> None:
    """Train for some steps; write losses, the first gradients and the last weights."""
    fabric.launch()
    torch.set_num_threads(1)
    base = importlib.import_module(f"weakreid.losses.bags.{loss}")
    rows = schemas.read_frame(data / "bags.parquet", "bags", ["frames", "labels"])
    # 6, 3 or 2 tracklets in a bag: the processes' shares differ
    tracklets = [
        np.arange(len(frames)) // (1 + bag % 3) for bag, frames in enumerate(rows["frames"])
    ]
    shown = tracklets if instances == "tracklets" else None
    bags = bags_of(list(rows["frames"]), list(rows["labels"]), shown)
    model, heads = Net(), Heads(base.HEADS, 12, len(bags.persons), 5)
    optimiser = torch.optim.SGD(
        [*(p for p in model.parameters() if p.requires_grad), *heads.parameters()], 0.1, 0.9
    )
    learner, optimiser = fabric.setup(model, optimiser)
    with ImageStore(data / "images.arrow") as store:
        params = TrainBags.model_validate(
            {
                "image": {"height": HEIGHT, "width": WIDTH},
                "augment": {"flip": 0.5, "pad": 2, "erase": 0.5},
                "loss": {"name": loss},
                "cpal": {"weight": 0.7, "margin": 0.5},
                "batch": {"bags": 4, "frames": 5, "pairs": 2},
                "schedule": {"steps_per_epoch": STEPS},
                "seed": 2,
            }
        )
        task = BagTask(
            bags,
            params,
            TrainingImages(store, params.image, model.backbone.mean, params.augment, 1),
            fabric=fabric, network=model, model=learner, heads=fabric.setup_module(heads),
            base=base, cpal=cpal,
        )  # fmt: skip
        losses, gradients = [], []
        for batch in task.batches(0):
            value, terms = task.loss(batch)
            optimiser.zero_grad()
            fabric.backward(value)
            parts = [*model.parameters(), *heads.parameters()]
            gradients.append([p.grad.clone() for p in parts if p.grad is not None])
            optimiser.step()
            losses.append([value.item(), *(term.item() for term in terms.values())])
    weights = [p.detach() for p in [*model.parameters(), *heads.parameters()]]
    found = {"losses": losses, "gradients": gradients[0], "weights": weights}
    torch.save(found, out / f"{fabric.global_rank}-of-{fabric.world_size}.pt")


@pytest.mark.parametrize(
    ("loss", "instances"), [("mil", "frames"), ("wsddn", "frames"), ("mil", "tracklets")]
)
def test_two_processes_make_the_loss_and_gradients_of_one(data, tmp_path, loss, instances):
    in_one_and_in_two(steps_of, data, tmp_path, loss, instances)
    one = torch.load(tmp_path / "0-of-1.pt")
    assert any(terms[2] > 0.01 for terms in one["losses"]), "CPAL has nothing to compare"
    assert any(gradient.abs().max() > 1e-3 for gradient in one["gradients"])
    for rank in range(2):
        two = torch.load(tmp_path / f"{rank}-of-2.pt")
        torch.testing.assert_close(two["losses"], one["losses"], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(two["gradients"], one["gradients"], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(two["weights"], one["weights"], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_two_processes_go_on_where_one_stopped(data, tmp_path):
    values = method(
        model__embedding="fc",
        model__batch_norm="eval",
        optimiser__name="sgd",
        optimiser__lr=1e-3,
        schedule__epochs=3,
        schedule__steps_per_epoch=2,
    )
    alone = run_here(data, tmp_path / "one", values)
    out = tmp_path / "two"
    out.mkdir()
    shutil.copy(interrupted_here(data, tmp_path / "stopped", values, 1), out)
    process = start(
        arguments(data, out, values, devices="2", threads="2"), "tests.training.helpers"
    )
    _, said = process.communicate()
    assert process.returncode == 0, said
    # one process writes and speaks
    assert re.findall(r"^epoch (.) of 3: base", said, re.MULTILINE) == ["2", "3"]
    assert said.count("going on after epoch 1 of 3") == said.count("trained in") == 1
    assert "Warning" not in said
    assert "deprecated" not in said
    assert {path.name for path in out.iterdir()} == {path.name for path in alone.iterdir()}
    expected = load_file(alone / "model.safetensors")
    for name, value in load_file(out / "model.safetensors").items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-5, msg=name)
    rows = zip(
        history_rows(out / "history.parquet"), history_rows(alone / "history.parquet"), strict=True
    )
    for found, wanted in rows:
        assert found[:3] == wanted[:3]
        assert found[3] == pytest.approx(wanted[3], rel=1e-3)
