"""Several processes learn from labels within cameras as one does (gloo, CPU)."""

from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from tests.training.helpers import make_images
from tests.training.intra_camera_helpers import (
    intra_camera_method,
)
from tests.training.test_tracklet_task import TRACKLETS, Net
from tests.training.together import in_one_and_in_two

from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import TrainIntraCamera
from weakreid.models.initial import seeded_linear
from weakreid.training.images import TrainingImages
from weakreid.training.intra_camera_task import IntraCameraTask, LabelledTracklets

LABELLED = LabelledTracklets(TRACKLETS, np.array([0, 1, 2, 0, 3, 1]), np.array([0, 0, 1, 1]))


class Plain(Net):
    """The same network, which takes images."""

    def forward(self, images: torch.Tensor, after_front: bool = False) -> torch.Tensor:
        return super().forward(images, after_front=True)


def steps_of(images: Path, out: Path, fabric: Fabric) -> None:
    """Take an epoch of each stage; write losses, gradients, weights, centres and joins."""
    fabric.launch()
    torch.set_num_threads(1)
    net = Plain()
    classifier = seeded_linear(net.dimension, 4, 1, "head", bias=False)
    parts = [*net.parameters(), classifier.weight]
    learner, optimiser = fabric.setup(net, torch.optim.SGD(parts, 0.05, 0.9))
    with ImageStore(images) as store:
        params = TrainIntraCamera.model_validate(intra_camera_method())
        task = IntraCameraTask(
            LABELLED,
            params,
            TrainingImages(store, params.image, net.backbone.mean, params.augment, 1),
            fabric=fabric,
            network=net,
            model=learner,
            classifier=classifier,
        )
        losses, gradients = [], []
        for epoch in range(2):
            task.begin_epoch(epoch)
            for step, batch in enumerate(task.batches(epoch)):
                value, terms = task.loss(batch)
                optimiser.zero_grad()
                fabric.backward(value)
                gradients.append([part.grad.clone() for part in parts if part.grad is not None])
                optimiser.step()
                task.after_step(step)
                losses.append([value.item(), *(term.item() for term in terms.values())])
        task.finish(2)
    found = {
        "losses": losses,
        "gradients": gradients,
        "weights": [value.detach() for value in parts],
        "centres": task.centres,
        "joins": [torch.from_numpy(pairs) for pairs in task.joins],
    }
    torch.save(found, out / f"{fabric.global_rank}-of-{fabric.world_size}.pt")


def test_two_processes_make_the_loss_and_gradients_of_one(tmp_path):
    images = tmp_path / "images.arrow"
    make_images(images, 20)
    in_one_and_in_two(steps_of, images, tmp_path)
    one = torch.load(tmp_path / "0-of-1.pt")
    # of stage 1, with its classifier, and of stage 2, without
    assert [len(of_step) for of_step in one["gradients"]] == [5, 5, 4, 4]
    assert all(of_step[0].abs().max() > 1e-3 for of_step in one["gradients"])
    assert len(one["joins"][0]) > 0
    for rank in range(2):
        two = torch.load(tmp_path / f"{rank}-of-2.pt")
        for name in ("losses", "gradients", "weights", "centres", "joins"):
            torch.testing.assert_close(two[name], one[name], rtol=1e-4, atol=1e-6)
