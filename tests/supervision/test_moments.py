"""Which tracklets of a tracker's output are seen at the same time."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.errors import ReidError
from weakreid.supervision.moments import moments_of, seen_together

SPANS = st.tuples(st.sampled_from(["hall", "door"]), st.integers(1, 30), st.integers(1, 12))


@settings(max_examples=100, deadline=None)
@given(st.lists(SPANS, min_size=1, max_size=8), st.integers(1, 3))
def test_tracklets_that_share_a_frame_of_a_video(spans, step):
    shown = [
        {(video, frame) for frame in range(first, first + length, step)}
        for video, first, length in spans
    ]
    rows = [(name, *moment) for name, own in enumerate(shown) for moment in sorted(own)]
    table = pd.DataFrame(rows, columns=["tracklet_id", "video", "frame"])
    images = np.random.default_rng(1).permutation(len(table)) + 50
    files = [f"{v}/{t:06d}/{f:06d}.jpg" for t, v, f in rows]
    pairs = seen_together(table.assign(image=images), pd.Series(files, images))
    numbers = range(len(spans))
    expected = [[i, j] for i, j in itertools.combinations(numbers, 2) if shown[i] & shown[j]]
    assert pairs.tolist() == expected


def test_a_file_that_says_nothing_of_time_is_refused() -> None:
    files = pd.Series(["hall/000001/000012.jpg", "0001C1T0001F001.jpg"])
    assert moments_of(files[:1]).to_numpy().tolist() == [["hall", 12]]
    with pytest.raises(ReidError, match=r"'0001C1T0001F001.jpg' is not SEQUENCE/TRACK/FRAME.jpg"):
        moments_of(files)
