"""Splits: the official ones, and the one that settings are chosen on."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from weakreid.datasets.layout import single_partition, tracklet_table
from weakreid.datasets.splits import development, measurable, official
from weakreid.errors import ReidError


def table(rows: list[tuple[int, int, str]]) -> pd.DataFrame:
    persons, cameras, split = zip(*rows, strict=True) if rows else ((), (), ())
    return tracklet_table(persons, cameras, split, np.ones(len(rows), int))


rows = st.lists(
    st.tuples(
        st.integers(-1, 8), st.integers(1, 4), st.sampled_from(["train", "query", "gallery"])
    ),
    min_size=1,
    max_size=60,
).map(
    # as in the official splits: a person is on one side, and who is nobody does not train
    lambda found: [
        (p, c, "train" if p in (1, 2, 3, 4, 5) else "gallery" if s == "train" else s)
        for p, c, s in found
    ]
)


@settings(max_examples=200, deadline=None)
@given(rows, st.integers(0, 5), st.floats(0.05, 0.95))
def test_development_split(found: list[tuple[int, int, str]], seed: int, fraction: float) -> None:
    whole = table(found)
    assume(len({p for p, _, s in found if s == "train"}) >= 2)
    try:
        split = development(whole, seed=seed, name="x", fraction=fraction)
    except ReidError as error:
        assert "none of the" in str(error)
        return
    # nothing of the test set, and nothing of the training set lost
    trained = whole[whole["role"] == "train"]
    assert sorted(split["tracklet_id"]) == sorted(trained["tracklet_id"])
    train = set(split.loc[split["role"] == "train", "person_id"])
    queries = split[split["role"] == "query"]
    gallery = split[split["role"] == "gallery"]
    assert not train & (set(queries["person_id"]) | set(gallery["person_id"]))
    assert train
    assert len(queries)
    for query in queries.itertuples():
        match = gallery[gallery["person_id"] == query.person_id]
        assert (match["camera_id"] != query.camera_id).any()
    assert not queries.duplicated(["person_id", "camera_id"]).any()
    held = split.groupby("person_id")["role"].apply(lambda s: (s == "query").mean())
    assert (held <= 0.5).all()
    again = development(
        whole.sample(frac=1, random_state=1), seed=seed, name="x", fraction=fraction
    )
    pd.testing.assert_frame_equal(split, again)


def test_development_depends_on_seed_and_name() -> None:
    whole = table([(p, c, "train") for p in range(1, 41) for c in (1, 2, 2)])
    held = [
        tuple(development(whole, seed=seed, name=name, fraction=0.2)["role"])
        for seed, name in ((0, "a"), (1, "a"), (0, "b"))
    ]
    assert len(set(held)) == 3


def test_a_query_per_camera_where_there_are_enough_tracklets() -> None:
    whole = table([(p, c, "train") for p in range(1, 11) for c in (1, 2, 3) for _ in range(4)])
    split = development(whole, seed=0, name="x", fraction=0.5)
    assert (split["role"] == "query").sum() == 5 * 3


def test_one_tracklet_per_camera_as_in_a_cut_down_dataset() -> None:
    whole = table([(p, c, "train") for p in range(1, 11) for c in range(1, 1 + (p % 4) + 1)])
    split = development(whole, seed=0, name="x", fraction=0.9)
    asked = split[split["role"] == "query"].groupby("person_id").size()
    for person, size in asked.items():
        assert size == (int(person) % 4 + 1) // 2  # type: ignore[call-overload]
    # seen by one camera: all of it in the gallery
    alone = split[(split["person_id"] % 4 == 0) & (split["role"] != "train")]
    assert set(alone["role"]) <= {"gallery"}


def test_development_refusals() -> None:
    whole = table([(p, 1, "train") for p in range(1, 5)])
    with pytest.raises(ReidError, match="none of the 2 validation persons is seen by two cameras"):
        development(whole, seed=0, name="x", fraction=0.5)
    with pytest.raises(ReidError, match="1 train persons cannot be split"):
        development(table([(1, 1, "train"), (2, 1, "query")]), seed=0, name="x", fraction=0.5)


def test_official_split() -> None:
    whole = table([(1, 1, "train"), (1, 2, "train"), (2, 1, "query"), (3, 1, "junk")])
    partitions = pd.concat(
        [
            single_partition(whole),
            pd.DataFrame(
                {"partition": 1, "tracklet_id": [2, 0, 1], "role": ["train", "query", "gallery"]}
            ),
        ]
    )
    assert official(whole, partitions, 0)["role"].tolist() == whole["role"].tolist()
    other = official(whole, partitions, 1)
    assert other["tracklet_id"].tolist() == [0, 1, 2]
    assert other["role"].tolist() == ["query", "gallery", "train"]
    assert whole["role"].tolist()[0] == "train"
    with pytest.raises(ReidError, match="split 2: the dataset has 2, numbered 0 to 1"):
        official(whole, partitions, 2)


@pytest.mark.parametrize(
    ("rows", "can"),
    [
        ([(1, 1, "query"), (1, 2, "gallery")], True),
        ([(1, 1, "query"), (1, 1, "gallery"), (2, 2, "gallery")], False),
        ([(1, 1, "query"), (-1, 2, "gallery")], False),
        # nobody is known: nothing was to be measured
        ([(-1, 1, "query"), (1, 2, "train")], True),
    ],
)
def test_what_can_be_measured(rows: list[tuple[int, int, str]], can: bool) -> None:
    assert measurable(table(rows)) == can
