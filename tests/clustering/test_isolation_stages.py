"""The stages of isolation, from pictures to cleaner tracklets and their figures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.training.helpers import make_images, settings_put_back
from typer.testing import CliRunner

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.network import Model
from weakreid.config.params import Isolate
from weakreid.console import program_of
from weakreid.errors import ReidError
from weakreid.models.backbones import preprocess
from weakreid.models.build import build_model
from weakreid.retrieval import feature_table
from weakreid.retrieval.feature_table import batches_of, read_features, write_features
from weakreid.seeding import numpy_generator
from weakreid.stages import frame_features, isolation, isolation_figures, isolation_preview

FRAMES = 12
"""Of each of six tracklets: four that train, a query and a gallery one."""

MODEL = {"backbone": "test_resnet", "weights": "none", "last_stride": 2, "embedding": "none"}
EXTRACTOR: dict[str, Any] = {
    "model": MODEL,
    "image": {"height": 32, "width": 16, "resized": None},
    "precision": "auto",
}
SETTINGS = {
    "eps": 0.4,
    "min_samples": 2,
    "outliers": "join",
    "reach": None,
    "min_frames": 1,
    "centred": False,
    "truth": False,
}


def run(stage: Any, block: dict[str, Any], **options: object) -> str:
    """Call a stage as its command line does; its errors come through. Return its log."""
    app = program_of(stage.main)
    words = ["--params", json.dumps(block)]
    for name, value in options.items():
        words += [f"--{name}", str(value)]
    with settings_put_back():
        done = CliRunner().invoke(app, words, catch_exceptions=False, standalone_mode=False)
    return done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, their tables and the features of the training frames."""
    out = tmp_path_factory.mktemp("isolation")
    make_images(out / "images.arrow", 6 * FRAMES)
    number = np.repeat(np.arange(6), FRAMES)
    split = ["train", "query", "train", "gallery", "train", "train"]
    tracklets = pd.DataFrame(
        {
            "tracklet_id": np.arange(6) + 10,
            "person_id": np.arange(6) + 1,
            "camera_id": 1,
            "role": split,
            "first_frame": np.arange(6) * FRAMES,
            "frame_count": FRAMES,
        }
    )
    frames = pd.DataFrame(
        {
            "tracklet_id": number + 10,
            "position": np.tile(np.arange(FRAMES), 6),
            "file": "",
            # a store in another order than the table's
            "image": np.arange(6 * FRAMES)[::-1],
            "truth_person_id": number + 1,
        }
    )
    schemas.write(out / "tracklets.parquet", "tracklets", tracklets, {})
    schemas.write(out / "frames.parquet", "frames", frames, {})
    extracted(out, out / "features.parquet")
    return out


def extracted(folder: Path, out: Path, **changes: Any) -> str:
    return run(
        frame_features,
        {**EXTRACTOR, **changes},
        tracklets=folder / "tracklets.parquet",
        frames=folder / "frames.parquet",
        images=folder / "images.arrow",
        device="cpu",
        threads=1,
        out=out,
    )


def test_every_training_frame_is_seen_as_the_network_sees_it(folder: Path) -> None:
    path = folder / "features.parquet"
    frames = schemas.read_frame(folder / "frames.parquet", "frames")
    train = frames[frames["tracklet_id"].isin([10, 12, 14, 15])]
    held = schemas.read_frame(path, "features", ["image", "tracklet_id"])
    assert held.to_numpy().tolist() == train[["image", "tracklet_id"]].to_numpy().tolist()
    assert schemas.read_params(path) == EXTRACTOR
    found = read_features(path, held["image"].to_numpy())
    assert found.shape == (4 * FRAMES, 96)
    # averages, not features of length 1
    assert np.linalg.norm(found, axis=1).std() > 0
    model = build_model(Model(**MODEL)).eval()
    model.normalise_features = False
    with ImageStore(folder / "images.arrow") as store, torch.inference_mode():
        pixels = torch.from_numpy(store.batch(held["image"].to_numpy()[:3], 32, 16))
        backbone = model.backbone
        expected = model.extract(preprocess(pixels, backbone.mean, backbone.std)).numpy()
    np.testing.assert_allclose(found[:3], expected, rtol=1e-4, atol=1e-5)


def test_the_same_features_twice(folder: Path, tmp_path: Path) -> None:
    extracted(folder, tmp_path / "again.parquet")
    again = (tmp_path / "again.parquet").read_bytes()
    assert again == (folder / "features.parquet").read_bytes()


def test_a_split_without_training_tracklets_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("frames.parquet", "images.arrow"):
        (tmp_path / name).symlink_to(folder / name)
    rows = schemas.read_frame(folder / "tracklets.parquet", "tracklets").assign(role="query")
    schemas.write(tmp_path / "tracklets.parquet", "tracklets", rows, {})
    with pytest.raises(ReidError, match="no training tracklet; choose a split that has some"):
        extracted(tmp_path, tmp_path / "features.parquet")


def test_missing_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    model = {**MODEL, "weights": str(tmp_path / "none.pth")}
    with pytest.raises(ReidError, match=r"no file .*none\.pth"):
        extracted(folder, tmp_path / "features.parquet", model=model)


def test_features_are_read_by_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = numpy_generator(0, "features")
    images = generator.permutation(900)[:700]
    values = generator.normal(size=(700, 3)).astype(np.float32)
    path = tmp_path / "features.parquet"
    batches = batches_of(images)
    assert np.concatenate(batches).tolist() == images.tolist()
    frames = pd.DataFrame({"image": images, "tracklet_id": 1}).astype({"tracklet_id": "int32"})
    ends = np.cumsum([len(batch) for batch in batches])[:-1]
    write_features(path, frames, np.split(values, ends), dimension=3, params={"a": 1})
    assert schemas.read_params(path) == {"a": 1}
    for block in (4096, 50):
        monkeypatch.setattr(feature_table, "_READ", block)
        chosen = generator.permutation(700)[:120]
        # a frame may be asked for twice
        chosen[5] = chosen[0]
        np.testing.assert_array_equal(read_features(path, images[chosen]), values[chosen])
        assert read_features(path, images[:0]).shape == (0, 3)
    absent = np.setdiff1d(np.arange(900), images)
    wanted = np.concatenate([images[:3], absent[:2]])
    with pytest.raises(ReidError, match=rf"no feature of image {absent[0]} \(2 of 5 frames"):
        read_features(path, wanted)


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """Three tracklets: of two people who look unlike, of two who do not, and of one person."""
    persons = np.array([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5])
    number = np.repeat([0, 1, 2], [8, 6, 4])
    tracks = pd.DataFrame(
        {
            "tracklet_id": number,
            "position": np.concatenate([np.arange(8), np.arange(6), np.arange(4)]),
            "image": np.arange(18)[::-1],
            "camera_id": 1,
            "source_id": number,
            "truth_person_id": persons,
        }
    )
    schemas.write(tmp_path / "tracks.parquet", "tracks", tracks, {})
    generator = numpy_generator(0, "people")
    looks = generator.normal(size=(6, 8))
    looks[4] = looks[3]
    values = (looks[persons] + 0.05 * generator.normal(size=(18, 8))).astype(np.float32)
    write_features(
        tmp_path / "features.parquet",
        pd.DataFrame({"image": tracks["image"], "tracklet_id": number.astype(np.int32)}),
        [values],
        dimension=8,
        params={},
    )
    return tmp_path


def isolated(folder: Path, out: Path, threads: int = 1, **changes: Any) -> str:
    return run(
        isolation,
        {**SETTINGS, **changes},
        tracks=folder / "tracks.parquet",
        features=folder / "features.parquet",
        threads=threads,
        out=out / "isolated.parquet",
        report=out / "isolation.json",
    )


def test_isolation(noisy: Path) -> None:
    log = isolated(noisy, noisy)
    assert "3 tracklets became 4, 100.0 % of frames kept" in log
    assert "purity 61.11 to 83.33 %" in log
    made = schemas.read_frame(noisy / "isolated.parquet", "tracks", truth=True)
    assert made["tracklet_id"].tolist() == [0] * 4 + [1] * 4 + [2] * 6 + [3] * 4
    assert made["source_id"].tolist() == [0] * 8 + [1] * 6 + [2] * 4
    before = schemas.read_frame(noisy / "tracks.parquet", "tracks", truth=True)
    assert made["truth_person_id"].tolist() == before["truth_person_id"].tolist()
    assert schemas.read_params(noisy / "isolated.parquet") == SETTINGS
    report = json.loads((noisy / "isolation.json").read_text())
    assert report["params"] == SETTINGS
    assert (report["before"]["tracklets"], report["after"]["tracklets"]) == (3, 4)
    assert report["after"]["impurity"] == pytest.approx(100 * 0.5 / 4)
    assert (report["mixed"], report["separated"], report["whole"]) == (2, 50, 100)


def test_the_truth_is_not_looked_at_nor_the_threads(noisy: Path, tmp_path: Path) -> None:
    isolated(noisy, noisy)
    before = schemas.read_frame(noisy / "tracks.parquet", "tracks", truth=True)
    (tmp_path / "hidden").mkdir()
    hidden = before.assign(truth_person_id=np.arange(18) % 2)
    schemas.write(tmp_path / "hidden" / "tracks.parquet", "tracks", hidden, {})
    (tmp_path / "hidden" / "features.parquet").symlink_to(noisy / "features.parquet")
    isolated(tmp_path / "hidden", tmp_path / "hidden")
    columns = ["tracklet_id", "position", "image", "camera_id", "source_id"]
    found = [
        schemas.read_frame(place / "isolated.parquet", "tracks", columns)
        for place in (noisy, tmp_path / "hidden")
    ]
    pd.testing.assert_frame_equal(*found)
    isolated(noisy, tmp_path / "threads", threads=3)
    for name in ("isolated.parquet", "isolation.json"):
        assert (tmp_path / "threads" / name).read_bytes() == (noisy / name).read_bytes()


def preview(folder: Path, out: Path, **options: object) -> str:
    """Draw what isolation did to the tracklets of `noisy`; return the page."""
    make_images(folder / "images.arrow", 18)
    file = [f"hall/{place // 6 + 1:06d}/{place:06d}.jpg" for place in range(18)]
    frames = {
        "tracklet_id": 0, "position": range(18), "image": range(18), "file": file,
        "truth_person_id": 0,
    }  # fmt: skip
    schemas.write(folder / "frames.parquet", "frames", pd.DataFrame(frames), {})
    run(
        isolation_preview,
        {"title": "hall, clean, cut", "seed": 1, "tracklets": 2},
        tracks=folder / "tracks.parquet",
        isolated=folder / "isolated.parquet",
        frames=folder / "frames.parquet",
        images=folder / "images.arrow",
        markdown=out / "preview.md",
        picture=out / "preview.png",
        **options,
    )
    assert (out / "preview.html").is_file()
    return (out / "preview.md").read_text()


def test_a_preview_says_what_is_cut_and_beside_whom(noisy: Path, tmp_path: Path) -> None:
    isolated(noisy, noisy)
    text = preview(noisy, tmp_path / "truth")
    assert "1 of 3 tracklets are cut (33 %), all together into 4 pieces (1.33 a tracklet)" in text
    # two people, two and one
    assert (
        "rSW, by the truth of this dataset): cuts between people alone would make about 5" in text
    )
    assert "| hall 3   |      8 |      2 |" in text
    (tmp_path / "rates.json").write_text('{"pooled": {"rsw": 1.2}}')
    text = preview(noisy, tmp_path / "rates", rates=tmp_path / "rates.json")
    assert "shows 1.20 people on average" in text
    for name in ("preview.md", "preview.png"):
        first = (tmp_path / "rates" / name).read_bytes()
        preview(noisy, tmp_path / "again", rates=tmp_path / "rates.json")
        assert (tmp_path / "again" / name).read_bytes() == first


def test_a_preview_without_truth_says_how_to_guess(noisy: Path, tmp_path: Path) -> None:
    tracks = schemas.read_frame(noisy / "tracks.parquet", "tracks", truth=True)
    schemas.write(noisy / "tracks.parquet", "tracks", tracks.assign(truth_person_id=0), {})
    isolated(noisy, noisy)
    text = preview(noisy, tmp_path)
    assert "(rSW) is not known here" in text
    assert "To guess rSW, look at the tracklets at random in the picture" in text
    assert "against the truth" not in text


def test_tracklets_that_shatter_are_warned_of(
    noisy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracks, out = noisy / "tracks.parquet", noisy / "isolated.parquet"
    isolation.main(
        tracks=tracks, features=noisy / "features.parquet", threads=1, out=out,
        params=Isolate(eps=0.01, min_samples=2, outliers="own"),
        report=noisy / "isolation.json",
    )  # fmt: skip
    said = capsys.readouterr()
    for text in said:
        assert "isolation makes 18 pieces of 3 tracklets, 6.0 of each" in text
    assert preview(noisy, noisy).count("That is far more: most cuts are within one person") == 1


def test_an_eps_that_cuts_nothing_says_so(noisy: Path) -> None:
    for eps in (0.001, 2.0):
        log = isolated(noisy, noisy, eps=eps)
        assert f"eps {eps} cut no tracklet: 18 frames, whose neighbours are " in log


def test_features_of_other_frames_are_refused(noisy: Path, folder: Path) -> None:
    tracks = schemas.read_frame(noisy / "tracks.parquet", "tracks", truth=True)
    schemas.write(
        noisy / "tracks.parquet", "tracks", tracks.assign(image=tracks["image"] + 100), {}
    )
    with pytest.raises(ReidError, match=r"features\.parquet: no feature of image 117 \(18 of 18"):
        isolated(noisy, noisy)


def drawn(folder: Path, out: Path) -> None:
    run(
        isolation_figures,
        {"title": "Title", "seed": 1, "tracklets": 2},
        tracks=folder / "tracks.parquet",
        isolated=folder / "isolated.parquet",
        features=folder / "features.parquet",
        figure3=out / "three.svg",
        figure4=out / "four.svg",
    )


def test_figures(noisy: Path, tmp_path: Path) -> None:
    isolated(noisy, noisy)
    drawn(noisy, tmp_path / "one")
    drawn(noisy, tmp_path / "two")
    for name in ("three.svg", "four.svg"):
        data = (tmp_path / "one" / name).read_bytes()
        assert data == (tmp_path / "two" / name).read_bytes()
        assert b"tracklet 0 (8 frames), by person" in data
        assert b"tracklet 1 (6 frames), by person" in data
    assert b"switch of identity" in (tmp_path / "one" / "three.svg").read_bytes()
    assert b"by isolation: 2 in all" in (tmp_path / "one" / "four.svg").read_bytes()


def test_no_figures_without_a_switch(noisy: Path, tmp_path: Path) -> None:
    isolated(noisy, noisy)
    pure = schemas.read_frame(noisy / "tracks.parquet", "tracks", truth=True)
    pure = pure.assign(truth_person_id=pure["tracklet_id"] + 1)
    schemas.write(noisy / "tracks.parquet", "tracks", pure, {})
    with pytest.raises(
        ReidError, match="there is no id switch to draw; take a noise level with rSW"
    ):
        drawn(noisy, tmp_path)
