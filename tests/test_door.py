"""A trained model for other programs: what it takes, what it refuses, what it leaves alone."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import weakreid
from weakreid.artifacts.decoding import middle_of
from weakreid.artifacts.files import write_json
from weakreid.artifacts.image_store import resize_picture
from weakreid.config.network import Model
from weakreid.config.trained import Trained
from weakreid.errors import ReidError
from weakreid.models.build import build_model
from weakreid.models.clips import ClipHeads, build_clip_network
from weakreid.training.checkpoint import save_weights

NETWORK = {"backbone": "test_resnet", "weights": "none", "dimension": 12}
IMAGE = {"height": 32, "width": 16, "resized": None}


def save_run(
    folder: Path,
    *,
    metric: str = "cosine",
    clips: str | None = None,
    normalise: bool = True,
    **about: object,
) -> Path:
    """Write what is left of an experiment of one training: its weights, and metrics.json."""
    said: dict[str, object] = {"model": NETWORK, "image": IMAGE, "precision": "auto", **about}
    said |= {"heads": [], "persons": [], "device": "cpu"}
    method: dict[str, object] = {"evaluation": {"metric": metric}}
    network: torch.nn.Module = build_model(Model(**NETWORK), seed=1)
    heads: dict[str, torch.Tensor] = {}
    if clips is not None:
        said |= {
            "clips": {"frames": 3},
            "aggregation": {"name": "average"},
            "neck": {"trains": "after"},
        }
        blocks = Trained.model_validate(said)
        network = build_clip_network(blocks, blocks.model, 1)
        heads = ClipHeads(12, 3, neck=True, centers=False, seed=0).state_dict()
        method["clips"] = {"frames": 3, "test": clips, "normalise": normalise}
        method["neck"] = {"trains": "after", "retrieves": "after"}
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"heads.{name}": value for name, value in heads.items()}
    save_weights(folder / "runs" / "dev-1" / "model.safetensors", tensors, said)
    write_json(folder / "metrics.json", {"config": {"method": method}})
    return folder


def pictures(count: int = 5, seed: int = 0) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    sizes = [(40, 20), (32, 16), (9, 30), (64, 64), (128, 50)]
    return [
        generator.integers(0, 256, (*sizes[k % len(sizes)], 3)).astype(np.uint8)
        for k in range(count)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_run(tmp_path_factory.mktemp("results") / "mine")


@pytest.fixture(scope="module")
def model(folder: Path):
    return weakreid.load(folder, device="cpu")


def test_pictures_of_any_size_become_rows_of_length_one(model) -> None:
    found = model.embed(pictures())
    assert (found.dtype, found.shape) == (np.float32, (5, model.dimension))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    # neither what comes along with a picture nor how many at a time is a matter
    np.testing.assert_allclose(model.embed(pictures()[3:4]), found[3:4], atol=1e-6)
    np.testing.assert_allclose(model.embed(pictures(), batch=2), found, atol=1e-6)
    of_one_size = np.stack([resize_picture(p, 32, 16) for p in pictures()])
    np.testing.assert_allclose(model.embed(of_one_size), found, atol=1e-6)
    # as OpenCV's BGR is turned round: a view, not a copy
    turned = [np.ascontiguousarray(p[..., ::-1])[..., ::-1] for p in pictures()]
    np.testing.assert_allclose(model.embed(turned), found, atol=1e-6)


def test_a_model_that_cuts_its_input_from_the_middle(tmp_path: Path, model) -> None:
    image = {**IMAGE, "resized": [36, 20]}
    cut = weakreid.load(save_run(tmp_path, image=image), "cpu").embed(pictures())
    middles = middle_of(np.stack([resize_picture(p, 36, 20) for p in pictures()]), 32, 16)
    np.testing.assert_allclose(cut, model.embed(middles), atol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_tracklet_is_compared_as_the_experiment_does(tmp_path: Path, metric: str) -> None:
    model = weakreid.load(save_run(tmp_path, metric=metric) / "runs" / "dev-1", "cpu")
    mean = model.embed(pictures()).mean(axis=0)
    expected = mean / np.linalg.norm(mean) if metric == "cosine" else mean
    found = model.embed_tracklet(pictures())
    assert (found.dtype, found.shape) == (np.float32, (model.dimension,))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("test", ["chunks", "all"])
def test_a_model_of_clips_embeds_clips(tmp_path: Path, test: str, normalise: bool) -> None:
    saved = save_run(tmp_path, clips=test, metric="euclidean", normalise=normalise)
    model = weakreid.load(saved, "cpu")
    assert model.sees_clips
    # of one frame, T times
    single = model.embed(pictures())
    assert single.shape == (5, model.dimension)
    np.testing.assert_allclose(np.linalg.norm(single, axis=1), 1, atol=1e-6)
    one = model.embed_tracklet(pictures()[:1])
    assert normalise == bool(np.isclose(np.linalg.norm(one), 1))
    np.testing.assert_allclose(one / np.linalg.norm(one), single[0], atol=1e-6)
    # chunks of 5 frames: 0, 1-2, 3-4, and a middle frame of each; all: the first one again
    clips = {"chunks": [[0, 2, 4]], "all": [[0, 1, 2], [3, 4, 0]]}[test]
    with torch.inference_mode():
        of_clips = [
            model._network.extract(
                torch.from_numpy(
                    np.stack([resize_picture(pictures()[place], 32, 16) for place in clip])
                )
            )[0].numpy()[0]
            for clip in clips
        ]
    expected = np.mean(of_clips, axis=0)
    np.testing.assert_allclose(model.embed_tracklet(pictures()), expected, atol=1e-6)
    np.testing.assert_allclose(model.embed_tracklet(pictures(), batch=1), expected, atol=1e-6)


GOOD = pictures()[0]
BAD = {
    "normalised": ([GOOD / 255], "picture 0: is of type float64; .*do not scale or normalise"),
    "floats to 255": ([GOOD.astype(np.float32)], "is of type float32"),
    "16 bits": ([GOOD.astype(np.uint16)], "is of type uint16"),
    "scaled, then uint8": ([(GOOD / 255).astype(np.uint8)], "no picture has a value above 1"),
    "black": (np.zeros((2, 8, 8, 3), np.uint8), "no picture has a value above 0"),
    "grey": ([GOOD, GOOD[..., 0]], r"picture 1: is grey \(shape \[40, 20\]\)"),
    "grey with an axis": ([GOOD[..., :1]], "is grey"),
    "grey batch": (np.full((2, 8, 8), 9, np.uint8), r"one array of shape \[2, 8, 8\]"),
    "alpha": ([np.full((8, 8, 4), 9, np.uint8)], "alpha channel .*picture\\[..., :3\\]"),
    "channels first": ([GOOD.transpose(2, 0, 1)], "channels first .*transpose"),
    "one picture": (GOOD, r"one array of shape \[40, 20, 3\] was given; .*\[picture\]"),
    "no pixel": ([GOOD[:0]], "has no pixel"),
    "none": ([], "no picture was given"),
    "empty array": (np.zeros((0, 8, 8, 3), np.uint8), "no picture was given"),
    "a path": (["a.jpg"], "picture 0: is a str, not a NumPy array"),
    "a tensor": (torch.zeros(2, 8, 8, 3), "a Tensor was given"),
    "a tensor in a list": ([torch.zeros(8, 8, 3)], "is a Tensor, not a NumPy array"),
    "a name": ("a.jpg", "a str was given"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_picture_is_refused_with_what_is_expected(model, kind: str) -> None:
    given, words = BAD[kind]
    for method in (model.embed, model.embed_tracklet):
        with pytest.raises(ReidError, match=words) as found:
            method(given)
        assert "\n" not in str(found.value)
        assert len(str(found.value)) <= 300


def test_a_black_frame_among_others_is_a_picture(model) -> None:
    assert np.isfinite(model.embed([GOOD, np.zeros((8, 8, 3), np.uint8)])).all()


def test_which_model(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ReidError, match="holds no trained model"):
        weakreid.load(tmp_path)
    with pytest.raises(ReidError, match="no such file"):
        weakreid.load(tmp_path / "model.safetensors")
    several = save_run(tmp_path / "several")
    (several / "runs" / "dev-2").mkdir()
    weights = (several / "runs" / "dev-1" / "model.safetensors").read_bytes()
    (several / "runs" / "dev-2" / "model.safetensors").write_bytes(weights)
    with pytest.raises(ReidError, match=r"holds 2 trainings \(dev-1, dev-2\)"):
        weakreid.load(several)
    with pytest.raises(ReidError, match="learnt attributes, not who is who"):
        weakreid.load(save_run(tmp_path / "transfer", ratios=[0.5]))
    with pytest.raises(ReidError, match="device 'gpu' is unknown"):
        weakreid.load(folder, device="gpu")


def test_weights_that_were_copied_away_need_the_experiments_metrics(tmp_path: Path, folder) -> None:
    alone = tmp_path / "a" / "b" / "c" / "mine.safetensors"
    alone.parent.mkdir(parents=True)
    alone.write_bytes((folder / "runs" / "dev-1" / "model.safetensors").read_bytes())
    model = weakreid.load(alone, device="cpu")
    assert len(model.embed(pictures())) == 5
    with pytest.raises(ReidError, match=r"metrics.json: not there.*load\(\.\.\., metrics=\)"):
        model.embed_tracklet(pictures())
    found = weakreid.load(alone, "cpu", metrics=folder / "metrics.json").embed_tracklet(pictures())
    np.testing.assert_array_equal(
        found, weakreid.load(folder, device="cpu").embed_tracklet(pictures())
    )
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"config": {"method": {"evaluation": {}, "clips": {}}}}))
    with pytest.raises(ReidError, match="not of the experiment of"):
        weakreid.load(alone, "cpu", metrics=other).embed_tracklet(pictures())
    # where nothing can be measured there is no such file
    np.testing.assert_allclose(
        weakreid.load(alone, "cpu").embed_tracklet(pictures(), metric="cosine"), found, atol=1e-6
    )
    with pytest.raises(ReidError, match="metric is 'l2'; it must be cosine or euclidean"):
        weakreid.load(alone, "cpu").embed_tracklet(pictures(), metric="l2")


def test_a_programs_own_settings_of_torch_stay(folder: Path) -> None:
    program = (
        "import numpy as np, torch, weakreid\n"
        "torch.set_num_threads(1)\n"
        "def settings():\n"
        "    fill = torch.utils.deterministic.fill_uninitialized_memory\n"
        "    return (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), fill,\n"
        "            torch.get_float32_matmul_precision(), torch.is_grad_enabled())\n"
        "before = settings()\n"
        f"model = weakreid.load({str(folder)!r})\n"
        "model.embed(np.full((2, 8, 8, 3), 99, np.uint8))\n"
        "assert settings() == before, (settings(), before)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_the_package_is_light() -> None:
    program = "import sys, weakreid; print(*sys.modules); help(weakreid.load)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(done.stdout.splitlines()[0].split())
    assert not loaded & {"torch", "numpy", "pandas", "cv2", "pyarrow", "weakreid.door"}
    assert re.search(r"load\(.*device.*\)", done.stdout)


def test_it_says_how_likely_two_tracklets_show_one_person(tmp_path: Path) -> None:
    model = weakreid.load(save_run(tmp_path))
    one, other = np.eye(12, dtype=np.float32)[:2], np.eye(12, dtype=np.float32)[1:4]
    path = tmp_path / "runs" / "dev-1" / "calibration.json"
    with pytest.raises(ReidError, match=r"calibration\.json: not there; copy it from beside"):
        model.probability(one, other)
    odds = {"intercept": 2.0, "distance": -4.0, "logarithm": 0.0}
    meaning = {"metric": "cosine", "odds": odds, "bounds": [0.2, 0.9]}
    write_json(path, {**meaning, "thresholds": {}, "prior": 0.1, "pairs": {}, "cameras": "any"})
    found = model.probability(one, other)
    # distances of 1 and of 0
    far, near = max(0.2, 1 / (1 + np.exp(2))), 1 / (1 + np.exp(-2))
    np.testing.assert_allclose(found, [[far, far, far], [near, far, far]], atol=1e-3)
    for wrong in (one[:, :10], [one[0], one[0, :3]], one[0], []):
        with pytest.raises(ReidError, match=r"one: not \[N, 12\] numbers; give rows that embed_tr"):
            model.probability(wrong, other)
    write_json(path, {"why": "of the 3 training tracklets no two are taken for one person"})
    with pytest.raises(ReidError, match="no two are taken for one person"):
        model.probability(one, other)
