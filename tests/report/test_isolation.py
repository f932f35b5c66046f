"""Figures of isolation: which tracklets, and what is drawn of them."""

import numpy as np
import pandas as pd
import pytest

from weakreid.errors import ReidError
from weakreid.report import isolation as report
from weakreid.report.figures import WRONG
from weakreid.report.isolation import (
    Example,
    candidates,
    clusters_figure,
    embedding,
    examples,
    similarity_figure,
)
from weakreid.seeding import numpy_generator


def tracks_of(*tracklets: list[int]) -> pd.DataFrame:
    rows = [
        (number, position, number, person)
        for number, persons in enumerate(tracklets)
        for position, person in enumerate(persons)
    ]
    made = pd.DataFrame(rows, columns=["tracklet_id", "position", "source_id", "truth_person_id"])
    return made.assign(image=np.arange(len(made))[::-1], camera_id=1)


def test_candidates() -> None:
    tracks = tracks_of([1] * 6, [1, 1, 1, 2, 2, 2], [1, 1, 2, 2, 2], [1, 2, 3], [0, 0, 0, 1, 1, 1])
    # three frames of each person where there are such tracklets; nobody is no person
    assert candidates(tracks, 1)["tracklet_id"].unique().tolist() == [1]
    fewer = tracks[tracks["tracklet_id"] != 1]
    assert candidates(fewer, 1)["tracklet_id"].unique().tolist() == [2]
    nothing = fewer[fewer["tracklet_id"] != 2]
    with pytest.raises(ReidError, match="no tracklet of 4 frames or more is known to show two"):
        candidates(nothing, 1)


def test_candidates_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    tracks = tracks_of(*([[1, 1, 1, 2, 2, 2]] * 20))
    monkeypatch.setattr(report, "CANDIDATES", 5)
    found = candidates(tracks, 1)
    assert len(found) == 5 * 6
    pd.testing.assert_frame_equal(found, candidates(tracks, 1))
    assert set(found["tracklet_id"]) != set(candidates(tracks, 2)["tracklet_id"])


PERSONS = [1, 1, 1, 2, 2, 2]
# angles: a clear switch, one between look-alikes, and one that a turn within a person hides
ANGLES = [[0, 5, 10, 90, 95, 99], [0, 5, 10, 16, 20, 25], [0, 80, 85, 90, 95, 99]]


def found_in(count: int, seed: int = 1) -> list[Example]:
    tracks = tracks_of(PERSONS, PERSONS, PERSONS)
    angles = np.radians(np.concatenate(ANGLES))
    features = 3 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    part = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 4, 4, 4, 4, 4]
    isolated = tracks.assign(tracklet_id=part)
    # one frame was left out
    isolated = isolated[isolated["tracklet_id"] != 3]
    return examples(tracks, features, isolated, count=count, seed=seed)


def test_examples_from_the_clearest_to_the_most_misleading() -> None:
    one, two = found_in(2)
    assert (one.tracklet, two.tracklet) == (0, 2)
    assert [own.tracklet for own in found_in(3)] == [0, 1, 2]
    assert [own.tracklet for own in found_in(9)] == [0, 1, 2]
    assert [own.tracklet for own in found_in(1)] == [0]
    assert one.switches.tolist() == [False, False, True, False, False]
    steps = np.cos(np.radians([5, 5, 80, 5, 4]))
    np.testing.assert_allclose(one.similarity, steps, atol=1e-12)
    assert one.persons.tolist() == PERSONS
    assert one.parts.tolist() == [0, 0, 0, 1, 1, 1]
    assert two.parts.tolist() == [-1, 4, 4, 4, 4, 4]
    assert one.places.shape == (6, 2)
    assert np.isfinite(one.places).all()


def test_long_tracklets_are_thinned_in_the_embedding_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report, "SHOWN", 4)
    (one,) = found_in(1)
    assert one.shown.tolist() == [0, 2, 3, 5]
    assert one.places.shape == (4, 2)
    assert len(one.similarity) == 5
    figure = similarity_figure([one], "Title")
    assert figure.axes[0].get_title() == "tracklet 0 (6 frames, 4 shown), by person"


@pytest.mark.parametrize("frames", [4, 5, 40])
def test_embedding(frames: int) -> None:
    features = numpy_generator(0, "features").normal(size=(frames, 5))
    places = embedding(features, 1)
    assert places.shape == (frames, 2)
    assert np.isfinite(places).all()
    np.testing.assert_array_equal(places, embedding(7 * features, 1))
    assert not np.array_equal(places, embedding(features, 2))


def test_similarity_figure() -> None:
    figure = similarity_figure(found_in(2), "Title")
    assert len(figure.axes) == 4
    left, right = figure.axes[:2]
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["person 1", "person 2"]
    line, switch = right.lines
    assert line.get_xdata().tolist() == [1, 2, 3, 4, 5]
    assert switch.get_xdata().tolist() == [3]
    assert switch.get_color() == WRONG
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["switch of identity"]
    assert right.get_xlabel() == "frame of the tracklet, with the next one"
    assert right.get_ylabel() == "cosine similarity"
    assert left.get_xlabel().startswith("t-SNE")


def test_clusters_figure() -> None:
    found = found_in(2)
    figure = clusters_figure(found, "Title")
    titles = [panel.get_title() for panel in figure.axes]
    assert titles == [
        "tracklet 0 (6 frames), by person",
        "by isolation: 2 in all",
        "tracklet 2 (6 frames), by person",
        "by isolation: 1 in all",
    ]
    by_person, by_part = figure.axes[2:]
    # the same places in both, in other groups
    for panel, sizes in ((by_person, [3, 3]), (by_part, [5, 1])):
        points = [line.get_xydata() for line in panel.lines]
        assert [len(own) for own in points] == sizes
        every = np.concatenate(points)
        assert sorted(map(tuple, every)) == sorted(map(tuple, found[1].places.astype(float)))
    texts = [text.get_text() for text in by_part.get_legend().get_texts()]
    assert texts == ["part 1", "left out"]
    assert by_part.lines[1].get_marker() == "x"


def test_many_parts_differ_by_colour_or_marker() -> None:
    (one,) = found_in(1)
    count = 20
    many = Example(
        tracklet=0,
        persons=np.r_[0, np.ones(count - 1, np.int64)],
        similarity=np.ones(count - 1),
        shown=np.arange(count),
        places=np.arange(2.0 * count).reshape(count, 2),
        parts=np.arange(count),
    )
    figure = clusters_figure([many, one], "Title")
    lines = figure.axes[1].lines
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == count
    assert len(figure.axes[1].get_legend().get_texts()) == 8
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts == ["person 1", "nobody"]
