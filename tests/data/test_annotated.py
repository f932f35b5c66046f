"""Annotated images: the generated source, the tables, and packing of images."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import simplejpeg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.attributes import NAMES
from weakreid.config.params import PackImages, ReadAnnotation
from weakreid.datasets.annotated import (
    Annotation,
    pack_images,
    read_annotation,
    read_generated,
    write_annotation,
)
from weakreid.datasets.walkers.attributes import ATTRIBUTES, LEFT_OUT
from weakreid.datasets.walkers.layout import SIZES, generate
from weakreid.errors import ReidError
from weakreid.stages import annotation as annotation_stage
from weakreid.stages import source_images as images_stage


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("walkers") / "generated"
    generate(root, SIZES["tiny"], seed=3, style="studio", workers=1)
    return root


# ------------------------------------------------------------------ generated people


def test_the_names_of_walkers_in_the_order_of_raps_table() -> None:
    assert len(ATTRIBUTES) == len(set(ATTRIBUTES)) == 64
    assert set(ATTRIBUTES) == set(NAMES) - set(LEFT_OUT)
    # columns of persons.parquet: data that was generated earlier has them in this order
    assert ATTRIBUTES[:3] == ("Female", "AgeLess16", "hs-BaldHead")
    assert ATTRIBUTES[22:29] == (
        "lb-TightTrousers", "shoes-Leather", "shoes-Sport", "shoes-Boots", "shoes-Cloth",
        "shoes-Casual", "attach-Backpack",
    )  # fmt: skip
    assert ATTRIBUTES[35:38] == ("attach-Other", "up-Black", "up-White")
    assert ATTRIBUTES[46:50] == ("up-Orange", "up-Mixture", "low-Black", "low-White")
    assert ATTRIBUTES[55:58] == ("low-Mixture", "shoes-Black", "shoes-White")
    assert ATTRIBUTES[-1] == "shoes-Brown"


def test_generated_people(generated: Path) -> None:
    found = read_generated(generated)
    assert found.attributes == tuple(name for name in NAMES if name not in LEFT_OUT)
    frames = pd.read_parquet(generated / "truth" / "frames.parquet")
    persons = pd.read_parquet(generated / "truth" / "persons.parquet").set_index("person_id")
    frames = frames[frames["person_id"] > 0]
    assert len(found) == len(frames)
    assert found.person_id.tolist() == frames["person_id"].tolist()
    assert set(found.split) == {"train", "test"}
    for file, split, person, labels in zip(
        found.file, found.split, found.person_id, found.labels, strict=True
    ):
        assert (generated / file).is_file()
        assert file.startswith(f"bbox_{split}/{person:04d}/{person:04d}C")
        assert labels.tolist() == persons.loc[person, list(found.attributes)].tolist()


def test_no_truth_at_all(generated: Path, tmp_path: Path) -> None:
    with pytest.raises(ReidError, match=r"persons\.parquet: no such file; give a generated folder"):
        read_generated(tmp_path)
    shutil.copytree(generated / "truth", tmp_path / "truth")
    (tmp_path / "truth" / "frames.parquet").write_bytes(b"PAR1")
    with pytest.raises(ReidError, match=r"frames\.parquet: not a whole .*; generate the dataset"):
        read_generated(tmp_path)


# ------------------------------------------------------------------ the tables


def small(labels: np.ndarray, suffix: str = "jpg") -> Annotation:
    count = len(labels)
    return Annotation(
        NAMES[: labels.shape[1]],
        [f"{row:02d}.{suffix}" for row in range(count)],
        ["train" if row % 3 else "test" for row in range(count)],
        np.arange(count, dtype=np.int32) - 1,
        labels.astype(np.int8),
    )


@given(
    labels=hnp.arrays(
        np.int8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(-1, 1)
    )
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_annotation_comes_back(tmp_path: Path, labels: np.ndarray) -> None:
    written = small(labels)
    write_annotation(tmp_path / "a.parquet", written, {"source": "small"})
    found = read_annotation(tmp_path / "a.parquet")
    assert (found.attributes, list(found.file)) == (written.attributes, list(written.file))
    assert list(found.split) == list(written.split)
    np.testing.assert_array_equal(found.person_id, written.person_id)
    np.testing.assert_array_equal(found.labels, labels)


# ------------------------------------------------------------------ images


def picture(seed: int, suffix: str = "jpg") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 12, 3), dtype=np.uint8)
    if suffix == "png":
        return bytes(cv2.imencode(".png", pixels[..., ::-1])[1])
    return bytes(simplejpeg.encode_jpeg(pixels))


def laid_out(folder: Path, annotation: Annotation, suffix: str = "jpg") -> Annotation:
    folder.mkdir()
    for row, file in enumerate(annotation.file):
        (folder / file).write_bytes(picture(row, suffix))
    return annotation


LABELS = np.random.default_rng(1).integers(-1, 2, (11, 4))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_packed(tmp_path: Path, suffix: str) -> None:
    annotation = laid_out(tmp_path / "in", small(LABELS, suffix), suffix)
    for threads in (1, 3):
        out = tmp_path / str(threads)
        left_out = pack_images(
            annotation, tmp_path / "in", out / "images.arrow", out / "pictures.parquet",
            {"kind": "small"}, source="small", on_bad_frame="stop", threads=threads,
        )  # fmt: skip
        assert left_out == 0
    for name in ("images.arrow", "pictures.parquet"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()
    path = tmp_path / "1" / "pictures.parquet"
    frame = schemas.read_frame(path, "pictures")
    assert frame["image"].tolist() == list(range(11))
    assert schemas.read_params(path) == {"kind": "small", "attributes": list(NAMES[:4])}
    np.testing.assert_array_equal(read_annotation(path, "pictures").labels, LABELS)
    with ImageStore(tmp_path / "1" / "images.arrow") as store:
        for row, file in zip(frame["image"], frame["file"], strict=True):
            assert bytes(store.encoded(row)) == (tmp_path / "in" / file).read_bytes()
        if suffix == "png":  # RAP's: nothing is lost
            drawn = np.random.default_rng(7).integers(0, 256, (24, 12, 3), dtype=np.uint8)
            np.testing.assert_array_equal(store.decode(7), drawn)


def pack_refusal(annotation: Annotation, folder: Path, out: Path) -> str:
    with pytest.raises(ReidError) as caught:
        pack_images(
            annotation, folder, out / "images.arrow", out / "pictures.parquet", {},
            source="rap", on_bad_frame="stop", threads=1,
        )  # fmt: skip
    assert not out.exists() or not list(out.iterdir())
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_missing_pictures(tmp_path: Path) -> None:
    annotation = laid_out(tmp_path / "in", small(LABELS))
    for row in (2, 3, 5, 10):
        (tmp_path / "in" / f"{row:02d}.jpg").unlink()
    assert pack_refusal(annotation, tmp_path / "in", tmp_path / "out") == (
        f"rap: 4 of 11 images are missing in {tmp_path / 'in'}: 02.jpg, 03.jpg, 05.jpg and 1"
        " more; put them there, or set on_bad_frame: leave_out"
    )


def test_a_picture_that_cannot_be_read(tmp_path: Path) -> None:
    annotation = laid_out(tmp_path / "in", small(LABELS))
    (tmp_path / "in" / "04.jpg").write_bytes(b"")
    (tmp_path / "in" / "08.jpg").write_bytes(picture(8)[:-60])
    text = pack_refusal(annotation, tmp_path / "in", tmp_path / "out")
    assert text == (
        "rap: 2 of 11 images are unreadable (empty file): 04.jpg, 08.jpg; get them again, or set"
        " on_bad_frame: leave_out"
    )


def test_bad_pictures_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    annotation = laid_out(tmp_path / "in", small(LABELS))
    (tmp_path / "in" / "00.jpg").unlink()
    (tmp_path / "in" / "04.jpg").write_bytes(b"")
    left_out = pack_images(
        annotation, tmp_path / "in", tmp_path / "i.arrow", tmp_path / "p.parquet", {},
        source="rap", on_bad_frame="leave_out", threads=1,
    )  # fmt: skip
    assert left_out == 2
    said = capsys.readouterr().err
    assert "rap: 1 of 11 images are missing in" in said
    assert "rap: 1 of 11 images are unreadable (empty file): 04.jpg; left out" in said
    frame = schemas.read_frame(tmp_path / "p.parquet", "pictures")
    kept = [row for row in range(11) if row not in (0, 4)]
    assert frame["file"].tolist() == [f"{row:02d}.jpg" for row in kept]
    assert frame["image"].tolist() == list(range(9))
    assert np.stack(frame["labels"].tolist()).tolist() == LABELS[kept].tolist()
    with ImageStore(tmp_path / "i.arrow") as store:
        assert len(store) == 9
        for row, image in zip(kept, frame["image"], strict=True):
            assert bytes(store.encoded(image)) == picture(row)


@pytest.mark.parametrize("damage", ["gone", "empty"])
def test_no_picture_is_left(tmp_path: Path, damage: str) -> None:
    annotation = laid_out(tmp_path / "in", small(LABELS))
    for file in annotation.file:
        if damage == "gone":
            (tmp_path / "in" / file).unlink()
        else:
            (tmp_path / "in" / file).write_bytes(b"")
    with pytest.raises(
        ReidError,
        match=r"rap: 11 of 11 images are .* leave_out stops where more than half would go",
    ):
        pack_images(
            annotation, tmp_path / "in", tmp_path / "i.arrow", tmp_path / "p.parquet", {},
            source="rap", on_bad_frame="leave_out", threads=1,
        )  # fmt: skip
    assert not (tmp_path / "p.parquet").exists()


def test_no_folder_at_all(tmp_path: Path) -> None:
    text = pack_refusal(small(LABELS), tmp_path / "in", tmp_path / "out")
    assert text.startswith(f"rap: {tmp_path / 'in'} is not there; put the annotation's 11 images")


def test_the_stages(generated: Path, tmp_path: Path) -> None:
    source = tmp_path / "generated.json"
    write_json(source, {"root": str(generated)})
    annotation_stage.main(source, ReadAnnotation(kind="walkers"), tmp_path / "annotation.parquet")
    params = {"name": "drawn", "pictures": ".", "on_bad_frame": "stop"}
    images_stage.main(
        source, tmp_path / "annotation.parquet", PackImages.model_validate(params), 2,
        tmp_path / "images.arrow", tmp_path / "pictures.parquet",
    )  # fmt: skip
    expected = read_generated(generated)
    found = read_annotation(tmp_path / "pictures.parquet", "pictures")
    assert found.attributes == expected.attributes
    assert list(found.file) == list(expected.file)
    np.testing.assert_array_equal(found.labels, expected.labels)
    with ImageStore(tmp_path / "images.arrow") as store:
        assert len(store) == len(expected)
    # the same bytes wherever it lies
    assert schemas.read_params(tmp_path / "pictures.parquet") == {
        **params, "attributes": list(expected.attributes),
    }  # fmt: skip
