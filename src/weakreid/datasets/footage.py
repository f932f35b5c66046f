"""One camera's frames, the boxes that a tracker found in them, and who they show."""

from pathlib import Path
from typing import cast

from weakreid.config.base import Count
from weakreid.config.datasets import Sequence, Tracked


class Footage(Sequence):
    """A sequence of which it is settled what the tracker's output calls the first frame.

    Retrieval never answers a query with the same camera's tracklets. The images of a folder are
    of one size; sorted by name, the first is frame 1.
    """

    first_frame_number: Count = 1

    def source(self, data: Path) -> Path:
        """Return where the frames are: a video file, or a folder of images."""
        return data / cast(str, self.video if self.video is not None else self.frames)


def footage_of(dataset: Tracked) -> list[Footage]:
    """Return the sequences of a tracker's dataset."""
    number = dataset.first_frame_number
    return [
        Footage(
            **{**dict(item), "first_frame_number": number}
            if item.first_frame_number is None
            else dict(item)
        )
        for item in dataset.sequences
    ]
