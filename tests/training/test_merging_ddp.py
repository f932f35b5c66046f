"""Several processes learn from merged tracklets as one does (gloo, CPU)."""

import torch
from tests.training.helpers import make_images
from tests.training.test_merging_task import PlainNet, params_of
from tests.training.test_tracklet_task import CHANGED, TRACKLETS
from tests.training.together import in_one_and_in_two

from weakreid.artifacts.image_store import ImageStore
from weakreid.training.images import TrainingImages
from weakreid.training.merging_task import MergingTask


def steps_of(images, out, fabric):
    """Learn for two epochs, with a merge between; write what was found on the way."""
    fabric.launch()
    torch.set_num_threads(1)
    net, params = PlainNet(), params_of(augment=CHANGED)
    model, optimiser = fabric.setup(net, torch.optim.SGD(net.parameters(), 0.05, 0.9))
    losses, gradients = [], []
    with ImageStore(images) as store:
        seen = TrainingImages(store, params.image, net.backbone.mean, params.augment, 1)
        task = MergingTask(TRACKLETS, params, seen, fabric=fabric, network=net, model=model)
        for epoch in range(2):
            task.begin_epoch(epoch)
            for step, batch in enumerate(task.batches(epoch)):
                value, _ = task.loss(batch)
                optimiser.zero_grad()
                fabric.backward(value)
                gradients.append([part.grad.clone() for part in net.parameters()])
                optimiser.step()
                task.after_step(step)
                losses.append(value.item())
        found = {
            "features": torch.from_numpy(task.extract()),
            "losses": losses,
            "gradients": gradients[0],
            "weights": [value.detach() for value in net.parameters()],
            "table": task.table,
            "clusters": torch.from_numpy(task.clusters),
        }
    torch.save(found, out / f"{fabric.global_rank}-of-{fabric.world_size}.pt")


def test_two_processes_make_the_loss_gradients_and_table_of_one(tmp_path):
    images = tmp_path / "images.arrow"
    make_images(images, 20)
    in_one_and_in_two(steps_of, images, tmp_path)
    one = torch.load(tmp_path / "0-of-1.pt")
    assert any(gradient.abs().max() > 1e-3 for gradient in one["gradients"])
    assert one["table"].shape == (5, 8)
    for rank in range(2):
        two = torch.load(tmp_path / f"{rank}-of-2.pt")
        assert torch.equal(two.pop("clusters"), one["clusters"])
        for name, value in two.items():
            torch.testing.assert_close(value, one[name], rtol=1e-4, atol=1e-6)
