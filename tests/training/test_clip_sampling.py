"""Which tracklets make a batch of clips, and which frames a clip."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.errors import ReidError
from weakreid.seeding import numpy_generator
from weakreid.training.clip_sampling import (
    chunks_of,
    clip_of,
    clips_of_tracklet,
    clips_of_tracklets,
)
from weakreid.training.task import steps_of
from weakreid.training.tracklet_sampling import cluster_batches

COUNTS = st.integers(1, 60)
FRAMES = st.integers(1, 12)


@given(
    persons=st.lists(st.integers(0, 5), min_size=4, max_size=30),
    together=st.integers(2, 7),
    clips=st.integers(1, 4),
    steps=st.integers(1, 8),
)
def test_batches_take_persons_and_their_tracklets_in_turn(persons, together, clips, steps):
    names, persons = np.unique(persons, return_inverse=True)
    if len(names) < 2:
        return
    batches = cluster_batches(
        persons,
        clusters=together,
        tracklets=clips,
        steps=steps,
        generator=numpy_generator(1, "batches"),
    )
    assert len(batches) == steps
    together = min(together, len(names))
    order: list[int] = []
    for batch in batches:
        of_batch = persons[batch].reshape(together, clips)
        assert (of_batch == of_batch[:, :1]).all()
        assert len(set(of_batch[:, 0].tolist())) == together
        order += of_batch[:, 0].tolist()
        for chosen in batch.reshape(together, clips):
            size = int((persons == persons[chosen[0]]).sum())
            assert len(set(chosen.tolist())) == min(size, clips)
    # nobody comes again before all came; where a batch goes on into the next round, one person may
    # wait for the next batch
    counts = np.bincount(order, minlength=len(names))
    assert counts.max() - counts.min() <= 1 + (together > 1)
    if len(names) % together == 0:
        for at in range(0, len(order) - len(names) + 1, len(names)):
            assert set(order[at : at + len(names)]) == set(range(len(names)))


def test_batches_come_from_the_generator_alone():
    persons = np.repeat(np.arange(6), 3)
    options = {"clusters": 3, "tracklets": 2, "steps": 4}

    def made(seed: int) -> list[list[int]]:
        generator = numpy_generator(seed)
        return [b.tolist() for b in cluster_batches(persons, generator=generator, **options)]

    assert made(1) == made(1) != made(2)


def test_an_epoch_without_steps_given_shows_every_tracklet_about_once():
    assert steps_of(None, 416, 32) == 13
    assert steps_of(None, 417, 32) == 14
    assert steps_of(5, 417, 32) == 5


@given(count=COUNTS, frames=FRAMES)
def test_chunks_are_equal_and_together_the_tracklet(count, frames):
    starts, stops = chunks_of(count, frames)
    assert len(starts) == len(stops) == frames
    sizes = stops - starts
    assert sizes.min() >= 1
    assert sizes.max() - sizes.min() <= 1
    covered = np.concatenate([np.arange(a, b) for a, b in zip(starts, stops, strict=True)])
    assert (np.diff(covered) >= 0).all()
    assert np.unique(covered).tolist() == list(range(count))
    if count >= frames:
        assert len(covered) == count


@given(count=COUNTS, frames=FRAMES, seed=st.integers(0, 99))
def test_a_clip_has_a_frame_of_each_chunk(count, frames, seed):
    clip = clip_of(count, frames, "chunks", numpy_generator(seed))
    starts, stops = chunks_of(count, frames)
    assert ((starts <= clip) & (clip < stops)).all()


@given(count=COUNTS, frames=FRAMES, seed=st.integers(0, 99))
def test_a_consecutive_clip_is_frames_in_a_row(count, frames, seed):
    clip = clip_of(count, frames, "consecutive", numpy_generator(seed))
    assert len(clip) == frames
    assert 0 <= clip.min() <= clip.max() < count
    steps = np.diff(clip)
    assert ((steps == 1) | ((count < frames) & (steps == 1 - count))).all()


def test_every_frame_of_a_chunk_is_drawn():
    drawn = [clip_of(9, 3, "chunks", numpy_generator(seed)) for seed in range(60)]
    assert [set(of.tolist()) for of in np.stack(drawn).T] == [{0, 1, 2}, {3, 4, 5}, {6, 7, 8}]
    starts = {int(clip_of(5, 3, "consecutive", numpy_generator(seed))[0]) for seed in range(60)}
    assert starts == {0, 1, 2}


@pytest.mark.parametrize("sampling", ["chunks", "consecutive"])
def test_a_tracklet_of_one_frame_is_that_frame(sampling):
    assert clip_of(1, 4, sampling, numpy_generator(1)).tolist() == [0] * 4


@given(count=COUNTS, frames=FRAMES)
def test_a_tracklet_is_seen_by_the_middles_of_its_chunks(count, frames):
    (clip,) = clips_of_tracklet(count, frames, "chunks")
    starts, stops = chunks_of(count, frames)
    assert ((starts <= clip) & (clip < stops)).all()
    # as many frames of the chunk before as after, or one more
    assert (np.isin((clip - starts) - (stops - 1 - clip), (0, 1))).all()


@given(count=COUNTS, frames=FRAMES)
def test_or_by_all_its_frames(count, frames):
    clips = clips_of_tracklet(count, frames, "all")
    assert clips.shape == (-(-count // frames), frames)
    flat = clips.reshape(-1)
    assert flat[:count].tolist() == list(range(count))
    assert flat.tolist() == [place % count for place in range(len(flat))]


def test_clips_of_several_tracklets_stand_one_after_the_other():
    rows = pd.DataFrame(
        {
            "tracklet_id": [7, 7, 3, 3, 3, 9],
            "position": [1, 0, 0, 2, 1, 0],
            "image": [51, 50, 30, 32, 31, 90],
        }
    )
    found = clips_of_tracklets(rows, 2, "all")
    assert found.tracklet_ids.tolist() == [3, 3, 7, 9]
    assert found.numbers.tolist() == [0, 1, 0, 0]
    assert found.positions.tolist() == [[0, 1], [2, 0], [0, 1], [0, 0]]
    assert found.images.tolist() == [[30, 31], [32, 30], [50, 51], [90, 90]]
    assert found.middles.tolist() == [31, 30, 51, 90]
    found = clips_of_tracklets(rows, 3, "chunks")
    assert found.images.tolist() == [[30, 31, 32], [50, 50, 51], [90] * 3]
    assert found.numbers.tolist() == [0, 0, 0]


@given(count=st.integers(1, 20), frames=st.integers(1, 12), seed=st.integers(0, 99))
def test_random_frames_are_in_order_and_as_often_as_can_be(count, frames, seed):
    found = clip_of(count, frames, "random", numpy_generator(seed))
    assert found.tolist() == sorted(found) and len(found) == frames
    times = np.bincount(found, minlength=count)
    assert len(times) == count and times.max() - times.min() <= 1


def test_unknown_words_and_nothing_to_see_are_refused():
    with pytest.raises(ReidError, match=r"clips\.sampling is 'all'; choose chunks,"):
        clip_of(3, 2, "all", numpy_generator(1))
    with pytest.raises(ReidError, match=r"clips\.test is 'random'; it must be 'chunks' or 'all'"):
        clips_of_tracklet(3, 2, "random")
    rows = pd.DataFrame({"tracklet_id": [], "position": [], "image": []})
    with pytest.raises(ReidError, match="no tracklet to extract features of"):
        clips_of_tracklets(rows, 2, "all")
