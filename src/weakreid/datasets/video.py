"""The frames of a video file or of a folder of images, one after another, and what is known.

What a video's header says of its length may be wrong: only reading tells. Every frame that the file
holds counts, whenever it is shown; a file that says that its images are turned is read upright.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from weakreid.artifacts.files import read_fault
from weakreid.artifacts.image_store import Pixels, decode_picture
from weakreid.datasets import layout
from weakreid.datasets.footage import Footage
from weakreid.datasets.notices import Notices
from weakreid.errors import ReidError

_LARGEST = 10**9
# times the usual time between two frames: more is no rounding
_UNEVEN = 1.5


@dataclass(frozen=True)
class About:
    """What is known of frames before they are read."""

    path: Path  # the video, or the folder
    width: int  # of the first frame
    height: int  # of the first frame
    length: int | None = None  # number of frames where it is certain (a folder), else None
    stated: int | None = None  # number of frames as a video's header says, if it does
    rate: float | None = None  # frames per second as the header says, None where nobody does
    turned: int = 0  # degrees by which a video says that its images are turned

    def say(self) -> str:
        """Return it in words."""
        words = [f"{self.width} x {self.height}"]
        known = self.length or self.stated
        if known:
            words.append(f"{known:,} frames")
        if self.rate:
            words.append(f"{self.rate:.4g} per second")
        return ", ".join(words)


class EndedError(Exception):
    """The frames ended before the one that was wanted; there are `length`."""

    def __init__(self, length: int) -> None:
        """Take the number of frames."""
        super().__init__(length)
        self.length = length


def about(item: Footage, data: Path, notices: Notices) -> About:
    """Return what is known of a sequence's frames, and warn of what may make them others.

    Raises:
        ReidError: they are not there, cannot be read, or are in no order.
    """
    source = item.source(data)
    if item.video is None:
        return _about_folder(source, item, notices)
    video = _open(source)
    try:
        good, image = video.read()
        stated, rate = video.get(cv2.CAP_PROP_FRAME_COUNT), video.get(cv2.CAP_PROP_FPS)
        turned = int(video.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
    finally:
        video.release()
    if not good:
        raise ReidError(f"{source}: not one frame can be read; re-encode it, or give frames")
    height, width = image.shape[:2]
    if turned:
        lying = f", {height} x {width}" if turned % 180 else ""
        notices.add(
            "turned videos",
            f"{source}: says that its images are turned by {turned} degrees, so they are read"
            f" upright, {width} x {height}; if the tracker saw them as they are stored{lying}, its"
            " boxes do not fit: give it the frames as images (ffmpeg -noautorotate)",
        )
    return About(
        source,
        width,
        height,
        stated=int(stated) if 0 < stated < _LARGEST else None,
        rate=rate if 0 < rate < _LARGEST else None,
        turned=turned,
    )


def _about_folder(folder: Path, item: Footage, notices: Notices) -> About:
    found = list_frames(folder)
    first = _read(folder / found[0])
    height, width = _decode(folder / found[0], first).shape[:2]
    numbers = [int(Path(name).stem) for name in found if Path(name).stem.isdecimal()]
    if len(numbers) == len(found):
        if numbers[-1] - numbers[0] + 1 != len(numbers):
            lacking = numbers[-1] - numbers[0] + 1 - len(numbers)
            notices.add(
                "missing frames",
                f"{folder}: {len(found)} images numbered {numbers[0]} to {numbers[-1]},"
                f" {lacking} numbers are missing; frame k is the k-th image that is there",
            )
        calls = item.first_frame_number
        if numbers[0] != calls:
            notices.add(
                "numbers of frames",
                f"{folder}: the first image is {found[0]}, and first_frame_number is {calls}: it"
                f" is taken for frame {calls} of {item.boxes}; if the tracker counted as the names"
                f" of the images do, set first_frame_number: {numbers[0]}",
            )
    if _is_turned(first):
        notices.add(
            "turned images",
            f"{folder}: {found[0]} says (EXIF) that it is turned, and is read as it is stored,"
            f" {width} x {height}; if the tracker saw it upright, save the images upright",
        )
    return About(folder, width, height, length=len(found))


def _is_turned(encoded: bytes) -> bool:
    """Return whether an image is another one where its EXIF orientation is followed."""
    data = np.frombuffer(encoded, np.uint8)
    upright = cv2.imdecode(data, cv2.IMREAD_COLOR)
    stored = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return upright is not None and stored is not None and not np.array_equal(upright, stored)


def list_frames(folder: Path) -> list[str]:
    """Return the names of a folder's images in time order.

    Raises:
        ReidError: there is none, it may not be looked into, or order by name is not in time.
    """
    found = layout.list_images(folder, (".jpg", ".jpeg", ".png"))
    if not found:
        raise ReidError(
            f"{folder}: no such folder, or no JPEG or PNG image in it; put the frames there"
        )
    # the tracker may have counted them by name
    return layout.in_time_order(folder, found, by_name=True)


class Frames:
    """The frames of a sequence, from the first one on, once.

    Attributes:
        read: how many frames were read so far.
        ended: whether there are no more.
        steps: of a video, the milliseconds between frames, where it says them.
    """

    def __init__(self, item: Footage, data: Path) -> None:
        """Take the sequence and the folder that its files are below."""
        self._item, self._source = item, item.source(data)
        self.read = 0
        self.ended = False
        self.steps: list[float] = []
        self._at = 0.0

    def images(self, wanted: Sequence[int], last: int, beyond: int = 0) -> Iterator[Pixels]:
        """Yield the wanted frames (ascending) as uint8 [H, W, 3], RGB, one at a time.

        Args:
            wanted: numbers of frames, from 1.
            last: a frame that must be there, wanted or not.
            beyond: read so many frames after it, where they are, to know whether they are.

        Raises:
            EndedError: a video ends before frame `last`.
            ReidError: an image cannot be read.
        """
        if self._item.video is None:
            found = list_frames(self._source)
            for number in wanted:
                path = self._source / found[number - 1]
                yield _decode(path, _read(path))
            self.read, self.ended = len(found), True
            return
        video = _open(self._source)
        try:
            for number in wanted:
                self._to(video, number)
                good, image = video.retrieve() if self.read == number else (False, None)
                if not good or image is None:
                    raise EndedError(min(self.read, number - 1))
                yield cast(Pixels, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            self._to(video, last)
            if self.read < last:
                raise EndedError(self.read)
            self._to(video, last + beyond)
        finally:
            video.release()

    def _to(self, video: cv2.VideoCapture, number: int) -> None:
        """Go on to a frame, or to the end."""
        while self.read < number and not self.ended:
            if not video.grab():
                self.ended = True
                return
            self.read += 1
            at = video.get(cv2.CAP_PROP_POS_MSEC)
            if self.read > 1:
                self.steps.append(at - self._at)
            self._at = at

    def uneven(self) -> str:
        """Return in words how unevenly a video's frames are shown; "" where they are even."""
        steps = np.array(self.steps)
        usual = float(np.median(steps)) if len(steps) else 0.0
        if usual <= 0:  # the file does not say when
            return ""
        # a shorter step alone is the rest of one that was rounded
        far = np.flatnonzero(steps > _UNEVEN * usual)
        if not len(far):
            return ""
        largest = int(steps.argmax())
        return (
            f"most frames are {usual:.4g} ms apart, {len(far):,} others further, up to"
            f" {steps[largest]:.4g} ms (after frame {largest + 1:,})"
        )


def _open(path: Path) -> cv2.VideoCapture:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise read_fault(path, error, "put the video there, or correct its name") from error
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise ReidError(
            f"{path}: cannot be opened as a video; re-encode it (ffmpeg -i IN out.mp4), or give a"
            " folder of frames"
        )
    return video


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise read_fault(path, error, "put the image there") from error


def _decode(path: Path, encoded: bytes) -> Pixels:
    try:
        return decode_picture(encoded)
    except ValueError as error:
        raise ReidError(f"{path}: cannot be read ({error}); replace the image") from error
