"""The training loop on a network of a moment's work."""

import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.training.helpers import make_data, method, run_here, settings_put_back

from weakreid.config.network import Model
from weakreid.errors import ReidError
from weakreid.models.build import build_model
from weakreid.seeding import derive
from weakreid.training import checkpoint as checkpoints
from weakreid.training.loop import fit
from weakreid.training.processes import fabric_for
from weakreid.training.task import Task

EPOCHS, STEPS = 4, 3


class Killed(BaseException):
    """Stands for a kill in the middle of a step."""


class Regression(Task):
    """A task: random inputs, their sum to be learnt; breaks where it is told to."""

    steps_per_epoch = STEPS

    def __init__(self, model, killed_at=None, nan_at=None, broken_at=None, scale=1.0):
        self.model, self.scale = model, scale
        self.killed_at, self.nan_at, self.broken_at = killed_at, nan_at, broken_at
        self.step = None

    def batches(self, epoch):
        for step in range(epoch * STEPS, (epoch + 1) * STEPS):
            if step == self.broken_at:
                raise ReidError("images.arrow: row 5 cannot be decoded")
            inputs = torch.randn(
                8, 6, generator=torch.Generator().manual_seed(derive(1, "inputs", step))
            )
            yield step, inputs

    def loss(self, batch):
        step, inputs = batch
        if step == self.killed_at:
            raise Killed
        loss = self.scale * (self.model(inputs).sum(1) - inputs.sum(1)).square().mean()
        return loss * (float("nan") if step == self.nan_at else 1.0), {"square": loss}

    def size(self, batch):
        return len(batch[1])


def network(dropout=0.5):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (torch.nn.Linear(6, 16), torch.nn.ReLU(), torch.nn.Dropout(dropout))
        return torch.nn.Sequential(*layers, torch.nn.Linear(16, 1))


@pytest.fixture(autouse=True)
def _settings_put_back():
    with settings_put_back():
        yield


def train(
    path: Path, *, epochs=EPOCHS, optimiser=torch.optim.Adam, lr=1e-2, clip=None, seed=1,
    factor=lambda step: 1 / (1 + step), mark="mark", model=None, **broken
):  # fmt: skip
    """Train, from the checkpoint at `path` if there is one; return history and network."""
    fabric = fabric_for("cpu", 1, "32", 1)
    model = model or network()
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    learner, made = fabric.setup(model, optimiser(learning, lr=lr))
    history = fit(
        Regression(learner, **broken),
        fabric=fabric,
        parts={"model": learner},
        optimiser=made,
        factor=factor,
        epochs=epochs,
        seed=seed,
        clip=clip,
        checkpoint_path=path,
        mark=mark,
    )
    return [row for row in history if row[2] != "images_per_s"], model


def same(first, second) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("killed_at", [0, STEPS - 1, STEPS, 2 * STEPS + 1, EPOCHS * STEPS - 1])
def test_killed_with_dropout_goes_on_bit_for_bit(tmp_path, killed_at):
    history, model = train(tmp_path / "whole.pt")
    with pytest.raises(Killed):
        train(tmp_path / "killed.pt", killed_at=killed_at)
    assert (tmp_path / "killed.pt").exists() == (killed_at >= STEPS)
    again, resumed = train(tmp_path / "killed.pt")
    assert again == history
    assert same(resumed, model)


def test_a_finished_training_is_not_trained_further(tmp_path):
    history, model = train(tmp_path / "a.pt")
    again, other = train(tmp_path / "a.pt", killed_at=0)
    assert again == history
    assert same(other, model)


def test_the_seed_and_the_epoch_decide_the_dropout(tmp_path):
    histories = [train(tmp_path / f"{n}.pt", seed=seed)[0] for n, seed in enumerate([1, 1, 2])]
    assert histories[0] == histories[1] != histories[2]
    frozen = {"lr": 0.0, "epochs": 2}
    losses = [row[3] for row in train(tmp_path / "frozen.pt", **frozen)[0] if row[2] == "loss"]
    assert len(set(losses)) == len(losses)


def test_the_global_generator_is_left_alone(tmp_path):
    before = torch.get_rng_state()
    train(tmp_path / "a.pt")
    assert torch.equal(torch.get_rng_state(), before)


def test_history_and_rates(tmp_path):
    history, _ = train(tmp_path / "a.pt", lr=0.5, factor=lambda step: 1 / (1 + step))
    assert [row[:3] for row in history] == [
        (step // STEPS, step, term)
        for step in range(EPOCHS * STEPS)
        for term in ("square", "loss", "lr")
    ]
    rates = [row[3] for row in history if row[2] == "lr"]
    assert rates == [0.5 / (1 + step) for step in range(EPOCHS * STEPS)]


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_loss_that_is_not_finite_is_one_line(tmp_path, clip):
    path = tmp_path / "a.pt"
    with pytest.raises(ReidError, match=r"loss is nan at step 4 \(epoch 2\)") as caught:
        train(path, nan_at=4, clip=clip)
    assert "\n" not in str(caught.value)
    # what the last good epoch left can still be gone on from
    assert checkpoints.load(path, "mark").epoch == 1
    assert [thread for thread in threading.enumerate() if thread.name == "prefetch"] == []


def test_weights_that_are_not_finite_after_the_last_step_are_one_line(tmp_path):
    last = STEPS - 1
    rise = {"epochs": 1, "optimiser": torch.optim.SGD, "lr": 1e37, "scale": 1e6}
    with pytest.raises(ReidError, match="weights are not finite after step 2") as caught:
        train(tmp_path / "a.pt", factor=lambda step: float(step == last), **rise)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "a.pt").exists()


def test_an_error_of_the_loader_comes_through(tmp_path):
    with pytest.raises(ReidError, match="row 5 cannot be decoded"):
        train(tmp_path / "a.pt", broken_at=4)
    assert checkpoints.load(tmp_path / "a.pt", "mark").epoch == 1
    assert [thread for thread in threading.enumerate() if thread.name == "prefetch"] == []


def test_clip_bounds_the_norm_of_the_whole_gradient(tmp_path):
    options = {"epochs": 1, "optimiser": torch.optim.SGD, "lr": 1.0, "scale": 1e4}
    only_first = {"factor": lambda step: float(step == 0)}
    start = network()
    _, model = train(tmp_path / "a.pt", clip=0.01, **options, **only_first)
    pairs = zip(model.parameters(), start.parameters(), strict=True)
    moved = torch.cat([(a - b).detach().flatten() for a, b in pairs]).norm()
    assert moved.item() == pytest.approx(0.01, rel=1e-3)


def test_frozen_parameters_stay(tmp_path):
    model = network()
    model[0].requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train(tmp_path / "a.pt", model=model, clip=1.0)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("0.")


def test_frozen_stages_stay_through_the_stage(tmp_path):
    frozen = ["stem", "layer1", "layer2", "layer3"]
    values = method(model__frozen=frozen, schedule__epochs=1, schedule__steps_per_epoch=2)
    values["precision"] = "bf16"
    # oneDNN's bf16 convolutions of tiny maps give NaN once in a while
    with torch.backends.mkldnn.flags(enabled=False):
        out = run_here(make_data(tmp_path), tmp_path / "out", values)
    found = load_file(out / "model.safetensors")
    start = build_model(Model(**values["model"]), values["seed"]).state_dict()
    moved = {
        name for name, value in start.items() if not torch.equal(found[f"model.{name}"], value)
    }
    assert moved
    assert not any(
        name.startswith(f"backbone.stages.{stage}.") for name in moved for stage in frozen
    )
    assert all(value.isfinite().all() for value in found.values())
    assert all(value.dtype != torch.bfloat16 for value in found.values())
