"""RAP's annotation: a small one in the official layout, and the real one where it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weakreid.artifacts import schemas
from weakreid.attributes import NAMES, UNSURE
from weakreid.config.params import ReadAnnotation
from weakreid.datasets import rap
from weakreid.datasets.annotated import Annotation
from weakreid.errors import ReidError
from weakreid.stages.annotation import main
from weakreid.supervision.ratios import label_counts, positive_ratios

ROWS = 10
# what RAP has beside those that are taken, among them and out of their order
TABLE = ("faceFront", *reversed(NAMES), "BodyFat")
LABELS = np.random.default_rng(0).integers(0, 2, (ROWS, len(TABLE)))


def cells(values: Any) -> np.ndarray:
    held = np.empty((len(values), 1), object)
    held[:, 0] = values
    return held


def content() -> dict[str, Any]:
    """Return RAP_annotation as `savemat` takes it: images, identities, labels, five splits."""
    splits = [np.roll(np.arange(1, ROWS + 1), shift)[None] for shift in range(PARTITIONS)]
    labels = LABELS.copy()
    labels[3, TABLE.index("Female")] = 2
    return {
        "partion": cells(
            [{"train_index": rows[:, :7], "test_index": rows[:, 7:]} for rows in splits]
        ),
        "label": labels,
        "attribute_eng": cells(list(TABLE)),
        "imagesname": cells([f"CAM01_{row}.png" for row in range(ROWS)]),
        "identity": np.array([[5, -1, 5, 7, -2, 0, 1, 1, 2, 3]]).T.astype(np.int16),
    }


def save(root: Path, held: dict[str, Any], name: str = "RAP_annotation") -> Path:
    path = root / ANNOTATION
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {name: held}, do_compression=True)
    return path


ANNOTATION, PARTITIONS = "RAP_annotation/RAP_annotation.mat", 5


def read(root: Path, **changes: Any) -> Annotation:
    return rap.read(root, **{"annotation": ANNOTATION, "partition": 1, **changes})


def refusal(root: Path, **changes: Any) -> str:
    with pytest.raises(ReidError) as caught:
        read(root, **changes)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 600
    return text


def test_the_small_one(tmp_path: Path) -> None:
    save(tmp_path, content())
    found = read(tmp_path)
    assert found.attributes == NAMES
    assert found.file == [f"CAM01_{row}.png" for row in range(ROWS)]
    assert found.person_id.tolist() == [5, -1, 5, 7, -1, 0, 1, 1, 2, 3]
    assert list(found.split) == ["train"] * 7 + ["test"] * 3
    assert found.labels.dtype == np.int8
    for column, name in enumerate(NAMES):
        expected = LABELS[:, TABLE.index(name)].tolist()
        if name == "Female":
            expected[3] = UNSURE
        assert found.labels[:, column].tolist() == expected


def test_the_partition_says_what_is_train(tmp_path: Path) -> None:
    save(tmp_path, content())
    for number in range(1, PARTITIONS + 1):
        split = read(tmp_path, partition=number).split
        # rolled by one less than the number, the last three are tested
        tested = [(row + number - 1) % ROWS >= 7 for row in range(ROWS)]
        assert [side == "test" for side in split] == tested


def test_chosen_attributes_in_the_order_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, content())
    monkeypatch.setattr(rap, "NAMES", ("up-Red", "BodyFat"))
    found = read(tmp_path)
    assert found.attributes == ("up-Red", "BodyFat")
    columns = [TABLE.index(name) for name in found.attributes]
    assert found.labels.tolist() == LABELS[:, columns].tolist()


def test_no_annotation_says_what_to_get(tmp_path: Path) -> None:
    text = refusal(tmp_path)
    assert f"{tmp_path} lacks {ANNOTATION}; ask for RAP" in text
    assert "other.mat" in refusal(tmp_path, annotation="other.mat")


def test_an_attribute_that_the_table_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, content())
    with monkeypatch.context() as patch:
        patch.setattr(rap, "NAMES", ("Female", "up-black"))
        text = refusal(tmp_path)
    assert text.startswith(f"{path}: no attribute is called 'up-black'; the nearest of its 68 are ")
    assert "up-Black" in text
    held = content()
    held["attribute_eng"][TABLE.index("hs-Hat"), 0] = "hs-Cap"
    save(tmp_path, held)
    assert "'hs-Hat'; the nearest of its 68 are hs-" in refusal(tmp_path)
    held["attribute_eng"][TABLE.index("faceFront"), 0] = "hs-Hat"
    held["attribute_eng"][TABLE.index("BodyFat"), 0] = "hs-Hat"
    save(tmp_path, held)
    assert "attribute_eng has hs-Hat twice" in refusal(tmp_path)
    monkeypatch.setattr(rap, "NAMES", ("qqqq",))
    assert "'qqqq'; the nearest of its 68 are hs-Hat, " in refusal(tmp_path)


@pytest.mark.parametrize("value", [3, -1, 255])
def test_another_label_names_picture_and_attribute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: int
) -> None:
    held = content()
    held["label"][4, TABLE.index("up-Red")] = value
    save(tmp_path, held)
    expected = f"up-Red of CAM01_4.png (row 5) is {value}, none of 0, 1 and 2 (unsure); 1 such"
    assert expected in refusal(tmp_path)
    # what is not taken is not looked at
    monkeypatch.setattr(rap, "NAMES", ("up-Blue",))
    assert len(read(tmp_path)) == ROWS


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda held: held.pop(name)


def _with(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda held: held.update({name: value})


def _partition(**sides: Any) -> Callable[[dict[str, Any]], None]:
    whole = {"train_index": np.arange(1, 8)[None], "test_index": np.arange(8, 11)[None]}
    return lambda held: held["partion"].__setitem__((0, 0), {**whole, **sides})


FILES = [f"CAM01_{row}.png" for row in range(ROWS)]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without("label"), "no field label;"),
        (_without("partion"), "no field partion;"),
        (_without("identity"), "no field identity;"),
        (_with("label", LABELS[:-1]), "label is 9 x 68, but there are 10 imagesname and 68 attr"),
        (_with("label", LABELS[:, 1:]), "label is 10 x 67, but there are"),
        (_with("label", LABELS * 0.5), "label does not hold whole numbers"),
        (_with("label", "text"), "label does not hold whole numbers"),
        (_with("label", np.zeros((0, 0))), "label does not hold whole numbers"),
        (_with("identity", np.arange(9)), "9 identity for 10 imagesname"),
        (_with("identity", np.full(ROWS, np.nan)), "identity does not hold whole numbers"),
        (_with("imagesname", cells(FILES[:-1])), "label is 10 x 68, but there are 9 imagesname"),
        (_with("imagesname", cells([*FILES[:-1], FILES[0]])), "CAM01_0.png stands in rows 1 and"),
        (_with("imagesname", cells([*FILES[:-1], "../x"])), "'../x' (row 10) is no file's name"),
        (_with("imagesname", cells([*FILES[:-1], 5.0])), "row 10 of imagesname is not a text"),
        (_with("imagesname", np.zeros((0, 0))), "imagesname is empty"),
        (_with("partion", np.zeros((0, 0))), "no partition 1, it has 0; correct `partition`"),
        (_with("partion", cells([5.0])), "partion 1 lacks train_index or test_index"),
        (_partition(test_index=np.arange(8, 12)[None]), "test_index reaches from 8 to 11, but"),
        (_partition(train_index=np.arange(0, 8)[None]), "train_index reaches from 0 to 7, but"),
        (_partition(test_index=np.arange(8, 10)[None]), "partion 1 names 9 of 10 images in 9"),
        (_partition(test_index=np.arange(7, 11)[None]), "names 10 of 10 images in 11 rows;"),
        (_partition(test_index=np.zeros((0, 0))), "test_index does not hold whole numbers"),
    ],
)  # fmt: skip
def test_fields_that_do_not_fit(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], message: str
) -> None:
    held = content()
    spoil(held)
    path = save(tmp_path, held)
    text = refusal(tmp_path)
    assert text.startswith(f"{path}: ")
    assert message in text


def test_a_partition_that_is_not_there(tmp_path: Path) -> None:
    save(tmp_path, content())
    for number in (0, 6):
        text = refusal(tmp_path, partition=number)
        assert f"no partition {number}, it has 5; correct `partition`" in text


def test_another_file(tmp_path: Path) -> None:
    path = save(tmp_path, content(), "RAP")
    assert "no structure RAP_annotation; get the official file" in refusal(tmp_path)
    path.write_bytes(b"")
    assert "not a whole MATLAB file" in refusal(tmp_path)
    path.write_text("RAP")
    assert "not a whole MATLAB file" in refusal(tmp_path)
    # without compression there is no checksum, and damage might end the whole process
    scipy.io.savemat(path, {"RAP_annotation": content()})
    assert "not compressed, so that nothing tells whether it is damaged; save it anew" in refusal(
        tmp_path
    )
    scipy.io.savemat(path, {"RAP_annotation": content()}, do_compression=True)
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:200], whole[:132], whole[:128], whole + b"x"):
        path.write_bytes(damaged)
        assert "not a whole MATLAB file (" in refusal(tmp_path)
    path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    assert "not a whole MATLAB file (" in refusal(tmp_path)


@given(data=st.data())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_one_line(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / ANNOTATION
    whole = path.with_suffix(".whole")
    if not whole.exists():
        whole.write_bytes(save(tmp_path, content()).read_bytes())
    held = bytearray(whole.read_bytes())
    if data.draw(st.booleans()):
        held = held[: data.draw(st.integers(0, len(held) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            held[data.draw(st.integers(0, len(held) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(held))
    try:
        found = read(tmp_path)
    except ReidError as error:
        assert str(tmp_path) in str(error)
        assert "\n" not in str(error)
    else:  # the damage did not matter
        assert found.labels.shape == (ROWS, len(NAMES))


def test_the_stage_needs_no_picture(tmp_path: Path) -> None:
    save(tmp_path, content())
    out = tmp_path / "annotation.parquet"
    params = ReadAnnotation(kind="rap", annotation=ANNOTATION, partition=3)
    (tmp_path / "fetched.json").write_text('{"root": "."}')
    main(tmp_path / "fetched.json", params, out)
    frame = schemas.read_frame(out, "annotation")
    assert frame["file"].tolist() == FILES
    assert np.stack(frame["labels"].tolist()).tolist() == read(tmp_path).labels.tolist()
    # where the data lies is not part of what it is
    assert schemas.read_params(out) == {
        "kind": "rap",
        "annotation": ANNOTATION,
        "partition": 3,
        "attributes": list(NAMES),
    }


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Annotation:
    return rap.read(shared_data / "rap", annotation="RAP_annotation.mat", partition=1)


@pytest.mark.shared
def test_the_real_one(real: Annotation, shared_data: Path) -> None:
    assert real.labels.shape == (41_585, 66)
    assert real.split.count("train") == 33_268
    assert real.split.count("test") == 8_317
    assert (real.person_id == -1).sum() == 18_920
    # 2,647 persons and those whom nobody knows
    assert len(set(real.person_id.tolist())) == 2_648
    assert all(file.endswith(".png") for file in real.file)
    for number in range(2, PARTITIONS + 1):
        other = rap.read(shared_data / "rap", annotation="RAP_annotation.mat", partition=number)
        assert other.split.count("test") == 8_317
        assert other.split != real.split
        np.testing.assert_array_equal(other.labels, real.labels)


@pytest.mark.shared
def test_the_ratios_of_the_real_one(real: Annotation) -> None:
    ratios = dict(zip(NAMES, positive_ratios(real.labels).tolist(), strict=True))
    assert ratios["hs-BlackHair"] == max(ratios.values()) == pytest.approx(0.9448, abs=5e-5)
    assert ratios["hs-BaldHead"] == min(ratios.values()) == pytest.approx(0.0038, abs=5e-5)
    # ATTR names these two as rare (section 3.2)
    assert ratios["ub-SuitUp"] < 0.03
    assert ratios["low-Red"] < 0.03
    unsure = (real.labels == UNSURE).sum(axis=0)
    assert dict(zip(NAMES, unsure.tolist(), strict=True)) == {
        name: 125 if name == "Female" else 0 for name in NAMES
    }
    positive, known = label_counts(real.labels)
    assert known[NAMES.index("Female")] == 41_585 - 125
    assert positive[NAMES.index("Female")] == (real.labels[:, 0] == 1).sum()
