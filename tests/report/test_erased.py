"""Attention on erased and on hidden frames: the table and the picture."""

from pathlib import Path
from typing import Any

import numpy as np

from weakreid.report import figures
from weakreid.report.erased import attention_table, picture


def bounds(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def run_of(erased: float, weights: list[float]) -> dict[str, Any]:
    example = {
        "number": 3,
        "tracklet_id": 7,
        "images": [0, 1, 2, 3],
        "erased": [True, False, False, True],
        "weights": weights,
    }
    return {
        "clips": 20,
        "erased_frames": 40,
        "erased": bounds(erased),
        "before": bounds(1.0),
        "kept": bounds(2 - erased),
        "fall": bounds(1 - erased),
        "follows": 75.0,
        "examples": [example],
        "drawing": {
            "image": {},
            "fill": [0, 0, 0],
            "erase": 0.5,
            "erase_aspect": "uniform",
            "seed": 1,
        },
    }


def visible_of(within: float | None) -> dict[str, Any]:
    bins = [
        {
            "visible_from": place / 8,
            "visible_to": (place + 1) / 8,
            "frames": 5,
            "tracklets": 3,
            "weight": bounds(0.5 + place / 8) if place != 2 else None,
        }
        for place in range(8)
    ]
    found = None if within is None else bounds(within)
    return {
        "groups": {
            "all": {"within": found, "hidden": bounds(0.9), "seen": bounds(1.1), "bins": bins}
        }
    }


UNEVEN, EVEN = [0.1, 0.4, 0.4, 0.1], [0.25] * 4


def cells(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines][1:]


def test_the_table() -> None:
    rows = {
        "with": ([run_of(0.4, UNEVEN), run_of(0.6, UNEVEN)], [visible_of(0.2), visible_of(0.4)]),
        "without": ([run_of(1.0, EVEN)], [visible_of(None)]),
    }
    text = attention_table("Attention", rows, ["A note."])
    first, second = cells(text)
    assert first == [
        *("with", "2", "0.500 ± 0.141", "1.000 ± 0.000", "1.500 ± 0.141", "0.500 ± 0.141"),
        *("75.0 ± 0.0 %", "0.900 ± 0.000", "1.100 ± 0.000", "0.300 ± 0.141"),
    ]
    assert second == [
        *("without", "1", "1.000", "1.000", "1.000", "0.000", "75.0 %", "0.900", "1.100", ""),
    ]
    assert "All frames of a clip weigh the same in: without." in text
    assert text.endswith("A note.\n")


def test_where_nobody_knows_what_is_visible() -> None:
    text = attention_table("Attention", {"with": ([run_of(0.4, UNEVEN)], [])})
    assert len(cells(text)[0]) == 7
    assert "Hidden" not in text


def test_the_picture(tmp_path: Path) -> None:
    def frames(example: Any, drawing: Any) -> np.ndarray:
        assert (example["number"], drawing["seed"]) == (3, 1)
        return np.zeros((4, 16, 8, 3), np.uint8)

    for name, visible in (("known", visible_of(0.2)), ("unknown", None)):
        rows = {"with, it": (run_of(0.4, UNEVEN), visible), "without": (run_of(1.0, EVEN), visible)}
        path = tmp_path / f"{name}.svg"
        figures.save(picture("Attention", rows, frames), path)
        drawn = path.read_text()
        for words in ("Attention", "tracklet 7", "without", "erased frames", "other frames"):
            assert words in drawn
        assert ("visible share of the body" in drawn) == (visible is not None)
