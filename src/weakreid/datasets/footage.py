"""What a tracker saw and said: one camera's frames, the boxes in them, and who they show."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from weakreid.errors import ReidError

ROLES = ("train", "query", "gallery")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Footage:
    """One camera's frames and the tracks in them; file names are below the data's folder.

    Attributes:
        name: of the sequence and of its folder of crops.
        boxes: a tracker's output, MOTChallenge format.
        video: a file, or None where `frames` is given.
        frames: a folder of JPEG or PNG pictures of one size; sorted by name, the first is frame 1.
        camera: from 1; retrieval never answers a query with the same camera's tracklets.
        first_frame: of the window that is used; the first of the video is 1.
        last_frame: its end, included; None: to the last box.
        role: train, query or gallery.
        truth: ground truth, MOTChallenge format.
        first_frame_number: what the tracker's output calls the first frame.
    """

    name: str
    boxes: str
    video: str | None = None
    frames: str | None = None
    camera: int = 1
    first_frame: int = 1
    last_frame: int | None = None
    role: str = "train"
    truth: str | None = None
    first_frame_number: int = 1

    def source(self, data: Path) -> Path:
        """Return where the frames are: a video file, or a folder of pictures."""
        return data / cast(str, self.video if self.video is not None else self.frames)


def check(footage: Sequence[Footage], taken: Sequence[str]) -> None:
    """Check what can be checked without a file.

    Args:
        footage: the sequences.
        taken: names that no sequence may have, in small letters.

    Raises:
        ReidError: there is none, or one makes no sense.
    """
    if not footage:
        raise ReidError("sequences is empty; name at least one")
    seen = set(taken)
    for item in footage:
        where = f"sequence {item.name}"
        if not _NAME.fullmatch(item.name):
            raise ReidError(
                f"{where}: the name becomes a folder; use letters, digits, '_', '-' and '.', a"
                " letter or digit first"
            )
        # some disks take Hall and hall for one folder
        if item.name.lower() in seen:
            raise ReidError(f"{where}: the name is taken; choose another")
        seen.add(item.name.lower())
        if (item.video is None) == (item.frames is None):
            raise ReidError(f"{where}: give either video (a file) or frames (a folder)")
        if item.role not in ROLES:
            raise ReidError(f"{where}: role '{item.role}' is not one of {', '.join(ROLES)}")
        if item.camera < 1:
            raise ReidError(f"{where}: camera is {item.camera}; cameras are numbered from 1")
        if item.first_frame < 1:
            raise ReidError(
                f"{where}: first_frame is {item.first_frame}; the first frame of a video is 1 here,"
                " whatever the tracker calls it"
            )
        if item.last_frame is not None and item.last_frame < item.first_frame:
            raise ReidError(
                f"{where}: last_frame {item.last_frame} is before first_frame {item.first_frame};"
                " exchange them"
            )
