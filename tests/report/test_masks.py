"""COSAM's masks over frames: colours, layout, and what the picture says."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import Normalize

from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.masks import MaskedClip, covered, picture
from weakreid.seeding import numpy_generator


def clip_of(number: int, frames: int = 4) -> MaskedClip:
    generator = numpy_generator(number, "clip")
    shown = generator.integers(0, 256, (frames, 32, 16, 3)).astype(np.uint8)
    masks = {
        "layer3": generator.random((frames, 4, 2)).astype(np.float32),
        "layer4": np.full((frames, 2, 1), 0.5, np.float32),
    }
    return MaskedClip(f"person {number}, camera 1", shown, masks)


def test_colours_follow_the_mask() -> None:
    frame = np.full((8, 4, 3), 100, np.uint8)
    mask = np.array([[0.0, 0.0], [1.0, 1.0]], np.float32)
    shown = covered(frame, mask, Normalize(0, 1))
    assert shown.shape == frame.shape
    # viridis goes from dark blue to yellow
    top, bottom = shown[0, 0].astype(int), shown[-1, 0].astype(int)
    assert top[2] > top[0] * 0.9
    assert bottom[0] > bottom[2] + 60
    even = covered(frame, np.full((2, 2), 0.5, np.float32), Normalize(0, 1))
    assert (even == even[0, 0]).all()


@pytest.mark.parametrize("count", [1, 3, 4])
def test_the_picture_names_clips_and_modules(count: int, tmp_path: Path) -> None:
    figures.save(
        picture([clip_of(n) for n in range(count)], "Where COSAM looks"), tmp_path / "m.svg"
    )
    drawn = (tmp_path / "m.svg").read_text()
    for number in range(count):
        assert f"person {number}, camera 1" in drawn
    for words in ("Where COSAM looks", "layer3", "(4 x 2 places)", "(2 x 1 places)", "frames"):
        assert words in drawn


def test_without_masks_there_is_no_picture() -> None:
    bare = MaskedClip("person 1", np.zeros((2, 4, 4, 3), np.uint8), {})
    for clips in ([], [bare]):
        with pytest.raises(ReidError, match="no mask: there is nothing to show"):
            picture(clips, "T")
