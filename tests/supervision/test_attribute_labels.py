"""What a source can teach, whom frames vote what for, and how right that is."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.artifacts import schemas
from weakreid.attributes import NAMES
from weakreid.config.params import LabelAttributes
from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator
from weakreid.stages import attribute_labels as labels_stage
from weakreid.stages import label_quality as quality_stage
from weakreid.stages import true_attributes as truth_stage
from weakreid.supervision.attribute_labels import quality, true_labels, voted_labels
from weakreid.supervision.attribute_pictures import lesson

KNOWN = ("Female", "hs-Hat", "ub-Shirt", "low-Red")


def pictures(*labels: list[int], test: int = 0) -> pd.DataFrame:
    count = len(labels)
    return pd.DataFrame(
        {
            "image": 10 + np.arange(count),
            "split": ["train"] * (count - test) + ["test"] * test,
            "labels": list(labels),
        }
    )


# ------------------------------------------------------------------------------- lessons


def test_the_training_pictures_are_learnt_from() -> None:
    rows = pictures([1, 0, 1, 0], [0, 1, -1, 1], [0, 0, 0, 0], [1, 1, 1, 1], test=1)
    found = lesson(rows, KNOWN, None, "stop")
    assert found.images.tolist() == [10, 11, 12]
    assert found.labels.tolist() == [[1, 0, 1, 0], [0, 1, -1, 1], [0, 0, 0, 0]]
    assert found.attributes == KNOWN
    # what is unsure counts for nobody
    assert found.ratios.tolist() == [1 / 3, 1 / 3, 1 / 2, 1 / 3]
    assert found.left_out == {}


def test_chosen_attributes_come_in_the_order_of_the_source() -> None:
    rows = pictures([1, 0, 1, 0], [0, 1, 0, 1])
    found = lesson(rows, KNOWN, ["low-Red", "Female"], "stop")
    assert found.attributes == ("Female", "low-Red")
    assert found.labels.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("hs-Hut", "attributes: the source has none called 'hs-Hut'; did you mean hs-Hat?"),
        (
            "Age17-30",
            (
                "attributes: the source has none called 'Age17-30'; it has Female, hs-Hat, "
                "ub-Shirt, low-Red"
            ),
        ),
    ],
)
def test_an_attribute_that_the_source_does_not_have(asked: str, message: str) -> None:
    with pytest.raises(ReidError) as caught:
        lesson(pictures([1, 0, 1, 0]), KNOWN, ["Female", asked], "stop")
    assert str(caught.value) == message


CONSTANT = pictures([1, 0, 1, -1], [0, 0, 1, -1], [1, 1, 1, 1], test=1)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["Female", "hs-Hat"], "hs-Hat has a positive ratio of 0 in the 2 training images"),
        (["Female", "ub-Shirt"], "ub-Shirt has a positive ratio of 1 in the 2 training images"),
        (["Female", "low-Red"], "low-Red has no known label in the 2 training images"),
    ],
)
def test_an_attribute_that_never_or_always_holds_stops(asked: list[str], said: str) -> None:
    with pytest.raises(ReidError) as caught:
        lesson(CONSTANT, KNOWN, asked, "stop")
    assert str(caught.value) == (
        f"attribute {said} of the source: nothing can be learnt of it; leave it out of "
        "`attributes`, or set on_constant: leave_out"
    )


def test_several_are_counted_or_left_out() -> None:
    with pytest.raises(ReidError, match=r"of the source \(and 2 more like it\): nothing"):
        lesson(CONSTANT, KNOWN, None, "stop")
    found = lesson(CONSTANT, KNOWN, None, "leave_out")
    assert found.attributes == ("Female",)
    assert found.labels.tolist() == [[1], [0]]
    assert found.left_out == {"hs-Hat": 0.0, "ub-Shirt": 1.0, "low-Red": None}


def test_nothing_left_to_learn() -> None:
    with pytest.raises(ReidError, match="none of the 3 attributes varies among the 2 training"):
        lesson(CONSTANT, KNOWN, KNOWN[1:], "leave_out")
    with pytest.raises(ReidError, match="the source has no training image; take another"):
        lesson(pictures([1, 0, 1, 0], test=1), KNOWN, None, "leave_out")


def test_labels_that_do_not_fit_the_attributes() -> None:
    with pytest.raises(ReidError, match="row 1 has 3 labels for 4 attributes; make the annotation"):
        lesson(pictures([1, 0, 1, 0], [1, 0, 1]), KNOWN, None, "stop")


# --------------------------------------------------------------------------------- votes


def votes_of(*rows: tuple[int, int, int, list[float]]) -> pd.DataFrame:
    columns = ["tracklet_id", "person_id", "frame_count", "probabilities"]
    table = pd.DataFrame(rows, columns=columns)
    table["probabilities"] = [np.array(p, np.float32) for p in table["probabilities"]]
    return table


def test_frames_vote_and_not_tracklets() -> None:
    # person 7: 3 frames of 0.9 and 1 of 0.1, 0.7 on the mean; person 4 has one frame
    votes = votes_of((5, 7, 1, [0.1, 0.0]), (2, 7, 3, [0.9, 0.2]), (3, 4, 1, [0.5, 0.49]))
    found = voted_labels(votes, ["Female", "hs-Hat"], 0.5)
    schemas.conform(found, "attribute_labels")
    assert found["person_id"].tolist() == [4, 4, 7, 7]
    assert found["attribute"] == ["Female", "hs-Hat"] * 2
    np.testing.assert_allclose(found["probability"], [0.5, 0.49, 0.7, 0.15], rtol=1e-6)
    # at the threshold it holds
    assert found["label"].tolist() == [1, 0, 1, 0]
    assert voted_labels(votes, ["Female", "hs-Hat"], 0.1)["label"].tolist() == [1, 1, 1, 1]


@settings(max_examples=40)
@given(
    rows=st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 6), st.floats(0, 1)), min_size=1, max_size=8
    ),
    seed=st.integers(0, 99),
)
def test_votes_are_the_mean_over_frames_in_any_order(rows: list[Any], seed: int) -> None:
    votes = votes_of(*((t, person, n, [p]) for t, (person, n, p) in enumerate(rows)))
    found = voted_labels(votes, ["Female"], 0.5)
    again = voted_labels(votes.sample(frac=1, random_state=seed), ["Female"], 0.5)
    for name in ("person_id", "probability", "label"):
        assert np.array_equal(found[name], again[name])
    for person, probability in zip(found["person_id"], found["probability"], strict=True):
        frames = [np.float32(p) for who, n, p in rows if who == person for _ in range(n)]
        assert probability == pytest.approx(sum(map(float, frames)) / len(frames), abs=1e-6)


def test_the_stage_of_votes(tmp_path: Path) -> None:
    votes = votes_of((1, 3, 2, [0.6, 0.4]))
    schemas.write(tmp_path / "votes.parquet", "attribute_votes", votes, {"attributes": KNOWN[:2]})
    out = tmp_path / "labels.parquet"
    labels_stage.main(tmp_path / "votes.parquet", LabelAttributes(threshold=0.5), out)
    assert schemas.read_params(out) == {"attributes": list(KNOWN[:2]), "threshold": 0.5}
    assert schemas.read_frame(out, "attribute_labels")["label"].tolist() == [1, 0]


# --------------------------------------------------------------------------------- truth


def annotation_of(*rows: tuple[str, int, list[int]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["file", "person_id", "labels"])
    return table.assign(split="train")


def test_a_person_s_pictures_have_one_set_of_labels(tmp_path: Path) -> None:
    rows = annotation_of(
        ("c.jpg", 8, [0, 1]), ("a.jpg", 2, [1, -1]), ("b.jpg", 8, [0, 1]), ("d.jpg", -1, [1, 1])
    )
    path = tmp_path / "annotation.parquet"
    schemas.write(path, "annotation", rows, {"attributes": KNOWN[:2], "kind": "walkers"})
    out = tmp_path / "truth.parquet"
    truth_stage.main(path, out)
    found = schemas.read_frame(out, "attribute_labels")
    assert found["person_id"].tolist() == [2, 2, 8, 8]
    assert found["label"].tolist() == [1, -1, 0, 1]
    assert found["probability"].tolist() == [1.0, 0.5, 0.0, 1.0]
    assert schemas.read_params(out) == {"attributes": list(KNOWN[:2])}


def test_a_person_s_pictures_that_disagree() -> None:
    rows = annotation_of(("c.jpg", 8, [0, 0]), ("a.jpg", 2, [1, 1]), ("b.jpg", 8, [0, 1]))
    with pytest.raises(ReidError) as caught:
        true_labels(rows, KNOWN[:2])
    assert str(caught.value) == (
        "person 8: hs-Hat is 0 in c.jpg and 1 in b.jpg; a person's images must agree: "
        "generate the dataset again"
    )


# ------------------------------------------------------------------------------- quality


def table_of(
    persons: list[int], names: tuple[str, ...], labels: np.ndarray
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    rows = pd.DataFrame(
        {
            "person_id": np.repeat(persons, len(names)),
            "attribute": list(names) * len(persons),
            "probability": 0.0,
            "label": labels.reshape(-1),
        }
    )
    return rows, names


def slow(found: np.ndarray, true: np.ndarray) -> dict[str, float | None]:
    """Count by loops what columns of labels come to together."""

    def cells(j: int) -> dict[tuple[int, int], int]:
        seen = {(a, b): 0 for a in (0, 1) for b in (0, 1)}
        for said, so in zip(found[:, j], true[:, j], strict=True):
            if so != -1:
                seen[int(said), int(so)] += 1
        return seen

    def percent(part: float, whole: float) -> float | None:
        return round(100 * part / whole, 2) if whole else None

    columns = [cells(j) for j in range(found.shape[1])]
    hit, false, missed = (sum(c[key] for c in columns) for key in ((1, 1), (1, 0), (0, 1)))
    means = [
        (c[1, 1] / (c[1, 1] + c[0, 1]) + c[0, 0] / (c[0, 0] + c[1, 0])) / 2
        for c in columns
        if c[1, 1] + c[0, 1] and c[0, 0] + c[1, 0]
    ]
    return {
        "mean_accuracy": percent(sum(means), len(means)),
        "precision": percent(hit, hit + false),
        "recall": percent(hit, hit + missed),
        "f1": percent(2 * hit, 2 * hit + false + missed),
    }


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 9), length=st.integers(1, 12))
def test_figures_are_those_counted_by_loops(seed: int, count: int, length: int) -> None:
    generator = numpy_generator(seed, "quality")
    names = tuple(np.array(NAMES)[np.sort(generator.permutation(len(NAMES))[:length])].tolist())
    persons = np.sort(generator.permutation(40)[:count] + 1).tolist()
    found = generator.integers(0, 2, (count, length)).astype(np.int8)
    true = generator.integers(-1, 2, (count, length)).astype(np.int8)
    ratios = {name: float(generator.random()) / 4 for name in names}
    training = set(persons[::2])
    made = quality(
        table_of(persons, names, found), table_of(persons, names, true), training, ratios
    )
    for role in ("train", "test"):
        own = np.isin(persons, list(training)) == (role == "train")
        part, f, t = made[role], found[own], true[own]
        assert part["persons"] == own.sum()
        known = int((t != -1).sum())
        right = int(((f == t) & (t != -1)).sum())
        assert part["accuracy"] == (round(100 * right / known, 2) if known else None)
        whole = [
            all(a == b or b == -1 for a, b in zip(*p, strict=True)) for p in zip(f, t, strict=True)
        ]
        expected = round(100 * sum(whole) / len(whole), 2) if whole else None
        assert part["whole_persons"] == expected
        # a mean that ends in a 5 is rounded either way
        assert {key: part[key] for key in slow(f, t)} == pytest.approx(slow(f, t), abs=0.011)
        rare = np.array([ratios[name] < 0.1 for name in names])
        for name, chosen in (("rare", rare), ("common", ~rare)):
            counted = slow(f[:, chosen], t[:, chosen])
            assert part[name] == pytest.approx(
                {"attributes": int(chosen.sum()), **counted}, abs=0.011
            )
        for place, name in enumerate(names):
            of_one = slow(f[:, [place]], t[:, [place]])
            assert {key: part["per_attribute"][name][key] for key in of_one} == of_one
        majority = slow(np.zeros_like(f), t)
        assert {key: part["majority"][key] for key in majority} == majority


def test_figures_of_a_few_people() -> None:
    names = ("Female", "hs-Hat", "low-Red")
    found = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 1]], np.int8)
    true = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]], np.int8)
    ratios = {"Female": 0.6, "hs-Hat": 0.05, "low-Red": math.nan}
    made = quality(
        table_of([3, 5, 9], names, found), table_of([3, 5, 9], names, true), {3, 5, 77}, ratios
    )
    assert made["attributes"] == list(names)
    train = made["train"]
    assert train["persons"] == 2
    assert train["accuracy"] == 83.33
    assert train["whole_persons"] == 50.0
    assert train["groups"] == {
        "gender_age": {
            "attributes": 1, "mean_accuracy": None, "precision": 100.0, "recall": 50.0, "f1": 66.67
        },
        "head_shoulder": {
            "attributes": 1, "mean_accuracy": 100.0, "precision": 100.0, "recall": 100.0,
            "f1": 100.0,
        },
        "low_body": {
            "attributes": 1, "mean_accuracy": None, "precision": None, "recall": None, "f1": None
        },
    }  # fmt: skip
    assert train["rare"]["attributes"] == 1
    assert train["per_attribute"]["hs-Hat"] == {
        "mean_accuracy": 100.0, "precision": 100.0, "recall": 100.0, "f1": 100.0,
        "accuracy": 100.0, "found_ratio": 50.0, "truth_ratio": 50.0, "source_ratio": 5.0,
    }  # fmt: skip
    assert train["per_attribute"]["low-Red"]["source_ratio"] is None
    # every person is female, and nothing else
    assert train["majority"]["accuracy"] == 83.33
    assert train["majority"]["recall"] == 66.67
    assert made["test"]["persons"] == 1


def test_the_stage_compares_what_both_have(tmp_path: Path) -> None:
    labels = table_of([1, 2], ("Female", "hs-Hat"), np.array([[1, 0], [0, 0]], np.int8))
    truth = table_of([1, 2, 3], ("hs-Hat", "low-Red"), np.array([[1, 0], [0, 0], [1, 1]], np.int8))
    for name, (rows, names) in (("labels", labels), ("truth", truth)):
        path = tmp_path / f"{name}.parquet"
        schemas.write(path, "attribute_labels", rows, {"attributes": names})
    tracklets = {
        "tracklet_id": [0, 1, 2], "person_id": [1, 2, 0], "camera_id": [1, 1, 1],
        "role": ["train", "gallery", "gallery"], "first_frame": [0, 1, 2],
        "frame_count": [1, 1, 1],
    }  # fmt: skip
    schemas.write(tmp_path / "tracklets.parquet", "tracklets", tracklets, {})
    held = {
        "image": [0, 1, 2, 3], "file": list("abcd"), "split": ["train"] * 3 + ["test"],
        "person_id": [1, 1, 1, 1], "labels": [[1, 0], [1, 1], [1, -1], [0, 0]],
    }  # fmt: skip
    schemas.write(
        tmp_path / "pictures.parquet", "pictures", held, {"attributes": ["Female", "hs-Hat"]}
    )
    paths = [tmp_path / f"{n}.parquet" for n in ("labels", "truth", "tracklets", "pictures")]
    outs = [tmp_path / f"{number}.json" for number in range(2)]
    for out in outs:
        quality_stage.main(*paths, out)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    found = json.loads(outs[0].read_text())
    assert found["attributes"] == ["hs-Hat"]
    assert found["only_in_labels"] == ["Female"]
    assert found["only_in_truth"] == ["low-Red"]
    assert [found[role]["persons"] for role in ("train", "test")] == [1, 1]
    assert found["train"]["accuracy"] == 0.0
    assert found["train"]["per_attribute"]["hs-Hat"]["source_ratio"] == 50.0
    assert found["train"]["majority"]["accuracy"] == 100.0
    assert found["test"]["accuracy"] == 100.0


def test_truth_that_does_not_fit() -> None:
    labels = table_of([1, 2], KNOWN[:1], np.zeros((2, 1), np.int8))
    other = table_of([1], KNOWN[:1], np.zeros((1, 1), np.int8))
    with pytest.raises(ReidError) as caught:
        quality(labels, other, {1}, {})
    assert str(caught.value) == (
        "person 2 has labels but no truth (1 of 2 persons have none); "
        "give the truth of the same dataset"
    )
    with pytest.raises(ReidError, match="no attribute is in both the labels and the truth"):
        quality(labels, table_of([1, 2], KNOWN[1:2], np.zeros((2, 1), np.int8)), {1}, {})
    rows = labels[0].iloc[::-1].assign(attribute="hs-Hat")
    with pytest.raises(ReidError, match="not a row for each person and attribute, in their order"):
        quality((rows, KNOWN[:1]), labels, {1}, {})
