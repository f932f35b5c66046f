"""Several processes learn from few labels as one does (gloo, CPU)."""

from pathlib import Path

import torch
from lightning_fabric import Fabric
from tests.training.helpers import make_images
from tests.training.test_one_shot_task import GIVEN, Normalised, params_of
from tests.training.test_tracklet_task import CHANGED, TRACKLETS
from tests.training.together import in_one_and_in_two

from weakreid.artifacts.image_store import ImageStore
from weakreid.models.initial import seeded_linear
from weakreid.training.images import TrainingImages
from weakreid.training.one_shot_task import OneShotTask


def learn(images: Path, out: Path, fabric: Fabric) -> None:
    """Go through two of EUG's steps; write features, labels, losses and weights."""
    fabric.launch()
    torch.set_num_threads(1)
    net, classifier = Normalised(), seeded_linear(8, 2, 1, "classifier")
    groups = [
        {"name": "backbone", "params": list(net.parameters())},
        {"name": "heads", "params": list(classifier.parameters())},
    ]
    learner, optimiser = fabric.setup(net, torch.optim.SGD(groups, 0.05, 0.9))
    with ImageStore(images) as store:
        params = params_of(augment=CHANGED)
        task = OneShotTask(
            TRACKLETS,
            GIVEN,
            params,
            TrainingImages(store, params.image, net.backbone.mean, params.augment, 1),
            fabric=fabric, network=net, model=learner, classifier=classifier, optimiser=optimiser,
        )  # fmt: skip
        losses, gradients = [], []
        for epoch in range(4):
            task.begin_epoch(epoch)
            for batch in task.batches(epoch):
                value, _ = task.loss(batch)
                optimiser.zero_grad()
                fabric.backward(value)
                parts = [*net.parameters(), *classifier.parameters()]
                gradients.append([part.grad.clone() for part in parts])
                optimiser.step()
                losses.append(value.item())
        features = torch.from_numpy(task.extract())
    found = {"features": features, "losses": losses, "gradients": gradients[0]}
    found["labels"] = [labels.tolist() for labels in task.labels]
    found["weights"] = [part.detach() for part in [*net.parameters(), *classifier.parameters()]]
    torch.save(found, out / f"{fabric.global_rank}-of-{fabric.world_size}.pt")


def test_two_processes_make_the_loss_and_gradients_of_one(tmp_path):
    images = tmp_path / "images.arrow"
    make_images(images, 20)
    in_one_and_in_two(learn, images, tmp_path)
    one = torch.load(tmp_path / "0-of-1.pt")
    assert any(gradient.abs().max() > 1e-3 for gradient in one["gradients"])
    for rank in range(2):
        two = torch.load(tmp_path / f"{rank}-of-2.pt")
        assert two["labels"] == one["labels"]
        for name in ("features", "losses"):
            torch.testing.assert_close(two[name], one[name], rtol=1e-5, atol=1e-6)
        for name in ("gradients", "weights"):
            torch.testing.assert_close(two[name], one[name], rtol=1e-4, atol=1e-6)
