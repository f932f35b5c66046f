"""Several processes learn from tracklets as one does (gloo, CPU)."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from tests.training.helpers import make_images
from tests.training.test_tracklet_task import CHANGED, LABELS, TRACKLETS, Net, params_of
from tests.training.together import in_one_and_in_two

from weakreid.artifacts.image_store import ImageStore
from weakreid.training.images import TrainingImages
from weakreid.training.mean_net import mean_of
from weakreid.training.pseudo_classes import Centres, Classifiers, PseudoClasses
from weakreid.training.tracklet_task import TrackletTask


def steps_of(images: Path, out: Path, fabric: Fabric) -> None:
    """Take some steps; write features, losses, the first gradients, the last weights."""
    fabric.launch()
    torch.set_num_threads(1)
    found = {kind: steps_by(kind, images, fabric) for kind in ("tmc", "contrast")}
    torch.save(found, out / f"{fabric.global_rank}-of-{fabric.world_size}.pt")


def steps_by(kind: str, images: Path, fabric: Fabric) -> dict[str, Any]:
    net = Net()
    mean = mean_of(net)
    params = params_of(augment=CHANGED, contrast={} if kind == "contrast" else None)
    classifier = torch.nn.Linear(net.dimension, 1, bias=False)
    groups = [
        {"name": "backbone", "params": list(net.parameters())},
        {"name": "heads", "params": list(classifier.parameters())},
    ]
    learner, optimiser = fabric.setup(net, torch.optim.SGD(groups, 0.05, 0.9))
    classes: PseudoClasses = Classifiers(classifier, optimiser, params.losses)
    if params.contrast is not None:
        classes = Centres(params.contrast)
    with ImageStore(images) as store:
        task = TrackletTask(
            TRACKLETS,
            params,
            TrainingImages(store, params.image, net.backbone.mean, params.augment, 1),
            fabric=fabric, network=net, model=learner, mean=mean, classes=classes,
        )  # fmt: skip
        features = torch.from_numpy(task.extract(0))
        task.labels.append(LABELS)
        task.classes.renew(task._means(features.numpy(), LABELS))
        learning = list(net.parameters())
        if isinstance(classes, Classifiers):
            learning.append(classes.classifier.weight)
        losses, gradients = [], []
        for step, batch in enumerate(task.batches(0)):
            value, terms = task.loss(batch)
            optimiser.zero_grad()
            fabric.backward(value)
            gradients.append([part.grad.clone() for part in learning])
            optimiser.step()
            task.after_step(step)
            losses.append([value.item(), *(term.item() for term in terms.values())])
    weights = [value.detach() for value in [*learning, *mean.parameters()]]
    followed = classes.centres if isinstance(classes, Centres) else classes.mean_classifier
    weights.append(followed)
    return {
        "features": features, "losses": losses, "gradients": gradients[0], "weights": weights
    }  # fmt: skip


@pytest.fixture(scope="module")
def taken(tmp_path_factory) -> Path:
    """What one process, and each of two, found."""
    out = tmp_path_factory.mktemp("steps")
    images = out / "images.arrow"
    make_images(images, 20)
    in_one_and_in_two(steps_of, images, out)
    return out


@pytest.mark.parametrize("kind", ["tmc", "contrast"])
def test_two_processes_make_the_loss_and_gradients_of_one(taken, kind):
    one = torch.load(taken / "0-of-1.pt")[kind]
    if kind == "tmc":
        assert all(terms[3] > 0.01 for terms in one["losses"]), "the triplets have nothing to do"
    assert any(gradient.abs().max() > 1e-3 for gradient in one["gradients"])
    for rank in range(2):
        two = torch.load(taken / f"{rank}-of-2.pt")[kind]
        torch.testing.assert_close(two["features"], one["features"], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(two["losses"], one["losses"], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(two["gradients"], one["gradients"], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(two["weights"], one["weights"], rtol=1e-4, atol=1e-6)
