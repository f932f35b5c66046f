"""Several processes learn from clips as one does (gloo, CPU)."""

from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from tests.training.helpers import make_images
from tests.training.test_clip_task import (
    ALL_LOSSES,
    ATTENTION,
    SHARES,
    clips_of,
    heads_of,
    task_of,
)
from tests.training.together import in_one_and_in_two

from weakreid.artifacts.image_store import ImageStore

WAYS: dict[str, dict[str, Any]] = {
    "groups": {},
    "shown": {"visible": SHARES},
    # a neck sees the whole batch in each process
    "attention": {
        "attributes": {},
        "aggregation": ATTENTION,
        "losses": ALL_LOSSES,
        "neck": {"trains": "after"},
    },
}


def steps_of(images: Path, out: Path, fabric: Fabric) -> None:
    """Take some steps; write losses, the first gradients and the last weights."""
    fabric.launch()
    torch.set_num_threads(1)
    for way, options in WAYS.items():
        clips, heads = clips_of(way), heads_of(neck=way == "attention", centers=way == "attention")
        parts = [p for p in [*clips.parameters(), *heads.parameters()] if p.requires_grad]
        moved = [part for part in parts if part is not heads.centers]
        learner, optimiser = fabric.setup(clips, torch.optim.SGD(moved, 0.05, 0.9))
        behind = fabric.setup_module(heads)
        with ImageStore(images) as store:
            task = task_of(
                store,
                fabric,
                clips=clips,
                heads=heads,
                set_up=(learner, behind),
                augment={"flip": 0.5, "pad": 2, "erase": 0.5},
                **options,
            )
            losses, gradients = [], []
            for step, batch in enumerate(task.batches(0)):
                assert len(batch.persons) == 4 // fabric.world_size
                value, terms = task.loss(batch)
                optimiser.zero_grad()
                fabric.backward(value)
                gradients.append([part.grad.clone() for part in parts])
                optimiser.step()
                task.after_step(step)
                losses.append([value.item(), *(term.item() for term in terms.values())])
        weights = [part.detach() for part in parts]
        found = {"losses": losses, "gradients": gradients[0], "weights": weights}
        torch.save(found, out / f"{way}-{fabric.global_rank}-of-{fabric.world_size}.pt")


def test_two_processes_make_the_loss_and_gradients_of_one(tmp_path):
    images = tmp_path / "images.arrow"
    make_images(images, 20)
    in_one_and_in_two(steps_of, images, tmp_path)
    for way in WAYS:
        one = torch.load(tmp_path / f"{way}-0-of-1.pt")
        assert len(one["losses"]) == 3
        # a score that is 0 after its ReLU teaches attention nothing
        found = [bool(gradient.abs().max() > 1e-4) for gradient in one["gradients"]]
        assert any(found) if way == "attention" else all(found)
        for rank in range(2):
            two = torch.load(tmp_path / f"{way}-{rank}-of-2.pt")
            torch.testing.assert_close(two["losses"], one["losses"], rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(two["gradients"], one["gradients"], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(two["weights"], one["weights"], rtol=1e-4, atol=1e-5)
