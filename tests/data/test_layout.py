"""What the readers of official layouts share: the order of images, junk, losses."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreid.datasets.layout import in_time_order
from weakreid.errors import ReidError

HERE = Path("cam1/person001")

# ------------------------------------------------------------------ the order of images


@given(st.sets(st.integers(0, 2000), min_size=1), st.integers(0, 6), st.randoms())
def test_pictures_come_by_their_number(numbers: set[int], width: int, draw: object) -> None:
    expected = [f"cam1_person001_{number:0{width}d}.png" for number in sorted(numbers)]
    names = list(expected)
    draw.shuffle(names)  # type: ignore[attr-defined]
    assert in_time_order(HERE, names) == expected


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["one.png"],
        ["9.png", "10.jpg", "11.PNG"],
        ["F0099_X30823.jpg", "F0100_X30831.jpg"],
        ["2024-01-09_23-59-58.png", "2024-01-10_00-00-01.png"],
        ["12.10.png", "12.20.png"],
    ],
)
def test_names_that_tell_the_order(names: list[str]) -> None:
    assert in_time_order(HERE, reversed(names)) == names


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1.png", "01.png"], "01.png and 1.png have one number"),
        (["0001.png", "0001.jpg"], "0001.jpg and 0001.png have one number"),
        (["left.png", "right.png"], "left.png and right.png do not tell which image comes first"),
        (["0001.png", "0002.png", "cover.png"], "0001.png and cover.png do not tell"),
        (["1.png", "-1.png"], "do not tell"),
        (["s1_9.png", "s1_10.png", "s2_1.png"], "by name s1_10.png comes before s1_9.png; number"),
        (["12.5.png", "12.25.png"], "by name 12.25.png comes before 12.5.png; number the frames"),
    ],
)
def test_names_that_do_not_tell_the_order(names: list[str], message: str) -> None:
    with pytest.raises(ReidError, match=message) as caught:
        in_time_order(HERE, names)
    assert str(caught.value).startswith(f"{HERE}: ")


def test_where_others_counted_by_name_the_order_by_name_must_hold() -> None:
    assert in_time_order(HERE, ["f09.jpg", "f10.jpg"], by_name=True) == ["f09.jpg", "f10.jpg"]
    with pytest.raises(ReidError, match="with leading zeros"):
        in_time_order(HERE, ["f9.jpg", "f10.jpg"], by_name=True)
