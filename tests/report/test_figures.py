"""What all figures share: text that fits, and files that are not too large."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from weakreid.report import figures
from weakreid.report.figures import Canvas, Mark


def test_no_picture_is_larger_than_a_screen_or_two(tmp_path: Path) -> None:
    for size in ((4, 60), (60, 4), (4, 3)):
        figure = Figure(figsize=size)
        figure.text(0, 0, "a")
        figure.text(1, 1, "b")
        figures.save(figure, tmp_path / "a.png")
        height, width, _ = cv2.imread(str(tmp_path / "a.png")).shape
        # and a rim
        assert height <= figures.TALLEST + 40
        assert width <= figures.WIDEST + 40


def test_lines_differ_by_more_than_colour() -> None:
    styles = [tuple(figures.style(number).values()) for number in range(84)]
    assert len(set(styles)) == len(styles)
    assert len({marker for _, marker, _ in styles[:12]}) == 12


@pytest.mark.parametrize("title", ["short", "a_long_name_" * 20 + "and more words " * 10])
def test_a_title_and_a_legend_stay_in_the_figure(title: str) -> None:
    notes = [Mark("left: the query", "#0072b2"), Mark("right " * 40), Mark("end")]
    canvas = Canvas(title, notes, width=4.0, body=1.0)
    written = " ".join(text.get_text() for text in canvas.figure.texts)
    assert re.sub(r"\s", "", title) in re.sub(r"\s", "", written)
    for mark in notes:
        assert re.sub(r"\s", "", mark.text) in re.sub(r"\s", "", written)
    canvas.figure.set_dpi(figures.DPI)
    canvas.figure.draw_without_rendering()
    for text in canvas.figure.texts:
        box = text.get_window_extent()
        assert box.x1 <= 1.04 * canvas.figure.bbox.x1
        # above the pictures
        assert box.y0 >= 1.0 * canvas.figure.dpi - 1


def test_a_strip_is_where_it_was_asked_for() -> None:
    canvas = Canvas("title", [], width=3.0, body=2.0)
    axis = canvas.strip(0.5, canvas.top, (0.5, 1.0), [np.zeros((4, 2, 3), np.uint8)] * 3)
    box = axis.get_position()
    assert box.x0 * canvas.width == pytest.approx(0.5)
    assert box.width * canvas.width == pytest.approx(1.5)
    assert (1 - box.y1) * canvas.height == pytest.approx(canvas.top)


def test_names_are_shortened_and_cameras_may_be_unknown() -> None:
    assert figures.shorten("entrance", 8) == "entrance"
    assert figures.shorten("entrance", 5) == "entr…"
    assert figures.camera_name(3) == "camera 3"
    for unknown in (None, float("nan")):
        assert figures.camera_name(unknown) == "camera unknown"
