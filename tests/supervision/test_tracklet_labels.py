"""Which labels of tracklets a method may see, against slow versions that say what is meant."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from weakreid.supervision.tracklet_labels import intra_camera, one_shot


@st.composite
def tracks(draw: st.DrawFn) -> pd.DataFrame:
    """Tracklets of up to four frames, some of nobody known (0, or junk of -1)."""
    rows = []
    for tracklet in range(draw(st.integers(1, 12))):
        camera = draw(st.integers(1, 3))
        for person in draw(st.lists(st.integers(-1, 4), min_size=1, max_size=4)):
            rows.append((tracklet, camera, person))
    return pd.DataFrame(rows, columns=["tracklet_id", "camera_id", "truth_person_id"])


def main_person(of_tracklet: pd.DataFrame) -> int:
    counts = {p: (of_tracklet["truth_person_id"] == p).sum() for p in range(1, 5)}
    most = max(counts.values())
    return min(p for p in counts if counts[p] == most) if most else 0


def described(rows: pd.DataFrame) -> list[tuple[int, int, int]]:
    """Return camera, tracklet and person of each tracklet."""
    return [
        (int(own["camera_id"].iloc[0]), int(tracklet), main_person(own))
        for tracklet, own in rows.groupby("tracklet_id")
    ]


@given(tracks())
def test_one_tracklet_of_each_person_is_labelled(rows: pd.DataFrame) -> None:
    expected = dict.fromkeys(rows["tracklet_id"].unique().tolist(), -1)
    people = sorted({person for _, _, person in described(rows)} - {0})
    for label, person in enumerate(people):
        _, first, _ = min(own for own in described(rows) if own[2] == person)
        expected[first] = label
    found = one_shot(rows)
    assert dict(zip(found["tracklet_id"], found["label"], strict=True)) == expected


@given(tracks())
def test_labels_hold_within_a_camera(rows: pd.DataFrame) -> None:
    labels = intra_camera(rows)["label"].to_numpy()
    own = described(rows)
    assert [label < 0 for label in labels] == [person == 0 for _, _, person in own]
    for one, (camera, _, person) in zip(labels, own, strict=True):
        for other, (elsewhere, _, who) in zip(labels, own, strict=True):
            if one >= 0 and other >= 0:
                assert (one == other) == ((camera, person) == (elsewhere, who))
    assert set(labels) - {-1} == set(range(labels.max() + 1))


@given(tracks(), st.permutations(range(1, 5)))
def test_who_is_who_across_cameras_is_hidden(rows: pd.DataFrame, names: list[int]) -> None:
    """People of one camera under other names: the labels stay."""
    other = rows.copy()
    inside = (rows["camera_id"] == 2) & (rows["truth_person_id"] > 0)
    renamed = dict(enumerate(names, start=1))
    other.loc[inside, "truth_person_id"] = rows.loc[inside, "truth_person_id"].map(renamed)
    if [main_person(own) > 0 for _, own in other.groupby("tracklet_id")] == [
        main_person(own) > 0 for _, own in rows.groupby("tracklet_id")
    ] and not ties(rows):
        np.testing.assert_array_equal(intra_camera(other)["label"], intra_camera(rows)["label"])


def ties(rows: pd.DataFrame) -> bool:
    """Return whether a tracklet shows two people equally often: the lower id wins."""
    for _, own in rows.groupby("tracklet_id"):
        counts = own.loc[own["truth_person_id"] > 0, "truth_person_id"].value_counts()
        if len(counts) > 1 and counts.iloc[0] == counts.iloc[1]:
            return True
    return False
