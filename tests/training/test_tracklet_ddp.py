"""Several processes learn from tracklets as one does (gloo, CPU)."""

from pathlib import Path

import torch
from lightning_fabric import Fabric
from tests.training.helpers import make_images
from tests.training.test_tracklet_task import CHANGED, LABELS, TRACKLETS, Net, params_of
from tests.training.together import in_one_and_in_two

from weakreid.artifacts.image_store import ImageStore
from weakreid.training.images import TrainingImages
from weakreid.training.mean_net import mean_of
from weakreid.training.pseudo_classes import Classifiers
from weakreid.training.tracklet_task import TrackletTask


def steps_of(images: Path, out: Path, fabric: Fabric) -> None:
    """Take some steps; write features, losses, the first gradients, the last weights."""
    fabric.launch()
    torch.set_num_threads(1)
    net = Net()
    mean = mean_of(net)
    classifier = torch.nn.Linear(net.dimension, 1, bias=False)
    groups = [
        {"name": "backbone", "params": list(net.parameters())},
        {"name": "heads", "params": list(classifier.parameters())},
    ]
    learner, optimiser = fabric.setup(net, torch.optim.SGD(groups, 0.05, 0.9))
    with ImageStore(images) as store:
        params = params_of(augment=CHANGED)
        task = TrackletTask(
            TRACKLETS,
            params,
            TrainingImages(store, params.image, net.backbone.mean, params.augment, 1),
            fabric=fabric, network=net, model=learner, mean=mean,
            classes=Classifiers(classifier, optimiser, params.losses),
        )  # fmt: skip
        features = torch.from_numpy(task.extract(0))
        task.labels.append(LABELS)
        task.classes.renew(task._means(features.numpy(), LABELS))
        losses, gradients = [], []
        for step, batch in enumerate(task.batches(0)):
            value, terms = task.loss(batch)
            optimiser.zero_grad()
            fabric.backward(value)
            parts = [*net.parameters(), task.classes.classifier.weight]
            gradients.append([part.grad.clone() for part in parts])
            optimiser.step()
            task.after_step(step)
            losses.append([value.item(), *(term.item() for term in terms.values())])
    weights = [value.detach() for value in [*net.parameters(), task.classes.classifier.weight]]
    weights += [*mean.parameters(), task.classes.mean_classifier]
    found = {"features": features, "losses": losses, "gradients": gradients[0], "weights": weights}
    torch.save(found, out / f"{fabric.global_rank}-of-{fabric.world_size}.pt")


def test_two_processes_make_the_loss_and_gradients_of_one(tmp_path):
    images = tmp_path / "images.arrow"
    make_images(images, 20)
    in_one_and_in_two(steps_of, images, tmp_path)
    one = torch.load(tmp_path / "0-of-1.pt")
    assert all(terms[3] > 0.01 for terms in one["losses"]), "the triplets have nothing to compare"
    assert any(gradient.abs().max() > 1e-3 for gradient in one["gradients"])
    for rank in range(2):
        two = torch.load(tmp_path / f"{rank}-of-2.pt")
        torch.testing.assert_close(two["features"], one["features"], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(two["losses"], one["losses"], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(two["gradients"], one["gradients"], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(two["weights"], one["weights"], rtol=1e-4, atol=1e-6)
