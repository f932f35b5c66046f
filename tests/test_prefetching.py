"""Batches made ahead: order, errors where they belong, no thread left behind."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.artifacts.prefetching import prefetch
from weakreid.errors import ReidError


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@settings(deadline=None, max_examples=50)
@given(items=st.lists(st.integers(), max_size=30), depth=st.integers(1, 5))
def test_order_is_kept(items, depth):
    assert list(prefetch(items, depth)) == items
    assert workers() == []


def test_an_error_comes_where_its_batch_would_have_come():
    def batches():
        yield 1
        yield 2
        raise ReidError("row 3 cannot be decoded")

    seen = []
    with pytest.raises(ReidError, match="row 3"):
        for batch in prefetch(batches(), depth=5):
            seen.append(batch)
    assert seen == [1, 2]
    assert workers() == []


def test_an_error_of_making_the_first_batch():
    def batches():
        raise ReidError("none")
        yield

    with pytest.raises(ReidError, match="none"):
        next(prefetch(batches()))


@pytest.mark.parametrize("depth", [1, 2])
def test_leaving_early_stops_the_thread(depth):
    made = []

    def batches():
        for number in range(10**9):
            made.append(number)
            yield number

    ahead = prefetch(batches(), depth)
    assert [next(ahead), next(ahead)] == [0, 1]
    ahead.close()
    assert workers() == []
    # the two that were used, those that waited, and one in the making
    assert len(made) <= 2 + depth + 1


def test_an_error_of_the_user_stops_the_thread():
    with pytest.raises(KeyError):
        for _ in prefetch(range(10**9)):
            raise KeyError
    assert workers() == []


def test_works_ahead_of_the_user():
    second_made = threading.Event()

    def batches():
        yield 1
        second_made.set()
        yield 2

    ahead = prefetch(batches())
    assert next(ahead) == 1
    assert second_made.wait(60)
    assert list(ahead) == [2]


def test_nothing_is_made_before_it_is_asked_for():
    made = []
    ahead = prefetch(made.append(number) for number in range(3))
    assert made == []
    assert workers() == []
    ahead.close()


def test_several_at_once_do_not_mix():
    pairs = zip(prefetch(range(200)), prefetch(range(200, 400)), strict=True)
    assert list(pairs) == [(number, number + 200) for number in range(200)]
