"""Whether a tracker's output and a video belong together, as far as numbers tell.

Boxes of another video of the same size fit as well: only looking at `crops.png` tells. What is
found here goes to the terminal (`Notices`) and stops nothing.
"""

import configparser
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from weakreid.datasets.footage import Footage
from weakreid.datasets.motchallenge import BOX
from weakreid.datasets.notices import SHARE, Notices, slack
from weakreid.datasets.video import About, Frames

_LEAST = 20
# a bit more than 2/3: a tracker that was given 1280 x 720 of a video of 1920 x 1080
_SMALLER = 0.7
_SEQINFO = "seqinfo.ini"


def question(about: About, boxes: Path) -> str:
    """Return what to ask first where boxes and frames do not fit."""
    return f"is {about.path} ({about.say()}) what the tracker saw for {boxes}?"


def doubts(boxes: pd.DataFrame, about: About) -> str:
    """Return in words what is odd about the boxes of a sequence in its images; "" if nothing is.

    Args:
        boxes: left, top, width, height; all of them.
        about: the images.
    """
    sized = boxes.loc[~boxes["bad"], list(BOX)].to_numpy(np.float64)
    if len(sized) < _LEAST:
        return ""
    start, size = sized[:, :2], sized[:, 2:]
    image = np.array([about.width, about.height], np.float64)
    inside = np.clip(np.clip(start + size, 0, image) - np.clip(start, 0, image), 0, None)
    left = inside.prod(axis=1) / size.prod(axis=1)
    leaning = left < 1 - SHARE
    end = (start + size).max(axis=0)
    if end.max() <= 2:
        return (
            f"all {len(sized):,} boxes lie in the first 2 pixels, as shares of the image do:"
            " multiply them by its width and height"
        )
    if leaning.mean() > SHARE:
        text = (
            f"{int(leaning.sum()):,} of {len(sized):,} boxes lean out of the image by more than"
            f" a tenth, as far as {end[0]:.0f}, {end[1]:.0f}"
        )
        if (size > start).all():
            text += "; the file may have right, bottom in the places of width, height"
        elif about.turned % 180:
            text += "; the video is stored turned, and is read upright"
        return text
    if (end < _SMALLER * image).all():
        return (
            f"all {len(sized):,} boxes lie in the upper left part, as far as {end[0]:.0f},"
            f" {end[1]:.0f}: the tracker may have seen smaller images"
        )
    return ""


def compare_lengths(
    item: Footage, boxes: Path, last: int, about: About, frames: Frames, notices: Notices
) -> None:
    """Warn where a video is longer or shorter than what the tracker saw.

    Args:
        item: the sequence.
        boxes: the tracker's output.
        last: the frame of its last box, whether in the sequence's window or not.
        about: the video.
        frames: what was read of it.
        notices: told of it.
    """
    known = frames.read if frames.ended else about.length
    header = about.stated if about.stated and about.stated >= frames.read else None
    length, least = known or header, max(frames.read, known or header or 0)
    more = least - last
    if more > slack(last):
        times = f", {least / last:.1f} times as many" if least > 1.5 * last else ""
        count = f"has {length:,} frames{times}" if length else f"goes on to frame {least:,} or more"
        notices.add(
            "videos longer than their tracks",
            f"{about.path} {count}, but the last box of {boxes} is in frame {last:,}: is it the"
            " video that the tracker saw, whole and at the same rate? If it is, nobody was found in"
            " the rest; compare the boxes with the frames in crops.png",
        )
    if length is not None and length < last:
        notices.add(
            "videos shorter than their tracks",
            f"{about.path} has {length:,} frames{'' if known else ' by its header'}, but"
            f" {boxes} goes on to frame {last:,}: is it the video that the tracker saw?",
        )
    if length is not None and item.last_frame is not None and item.last_frame > length:
        notices.add(
            "windows beyond the video",
            f"sequence {item.name}: last_frame is {item.last_frame:,}, but {about.path} has"
            f" {length:,} frames{'' if known else ' by its header'}",
        )
    if frames.ended and about.stated and about.stated - frames.read > slack(frames.read):
        notices.add(
            "videos cut short",
            f"{about.path}: its header says {about.stated:,} frames, {frames.read:,} can be read;"
            " it may be cut short or damaged: copy it again",
        )
    uneven = frames.uneven()
    if uneven:
        notices.add(
            "uneven videos",
            f"{about.path}: {uneven}: its rate varies, or frames are lacking. Counted is each frame"
            " that the file holds; if the tracker's program went by time, its numbers are others:"
            " compare the boxes with the frames in crops.png",
        )


def seqinfo_of(footage: Sequence[Footage], data: Path) -> dict[str, Path]:
    """Return the seqinfo.ini of each sequence that has one, by name.

    It lies beside the tracker's output, beside the video, or beside the folder of frames. One that
    lies beside two videos is of neither.
    """
    found: dict[str, Path] = {}
    owners: dict[Path, set[Path]] = {}
    for item in footage:
        source = item.source(data)
        for folder in (source.parent, (data / item.boxes).parent):
            path = folder / _SEQINFO
            if path.is_file():
                found.setdefault(item.name, path)
                owners.setdefault(path, set()).add(source)
    return {name: path for name, path in found.items() if len(owners[path]) == 1}


def compare_seqinfo(path: Path, last: int, about: About, frames: Frames, notices: Notices) -> None:
    """Warn where a video is not as a seqinfo.ini of the MOTChallenge says.

    Args:
        path: the file.
        last: the frame of the tracker's last box.
        about: the video.
        frames: what was read of it.
        notices: told of it.
    """
    says, reason = _read_seqinfo(path)
    if reason:
        notices.add("seqinfo.ini", f"{path}: not used ({reason})")
        return
    known = frames.read if frames.ended else about.length
    wrong = []
    size = (says.get("imwidth", about.width), says.get("imheight", about.height))
    if size != (about.width, about.height):
        wrong.append(f"{size[0]:g} x {size[1]:g} pixels, not {about.width} x {about.height}")
    length = says.get("seqlength")
    if length is not None and known is not None and length != known:
        wrong.append(f"{length:g} frames, not {known}")
    elif length is not None and not known and about.stated:
        # a header may be wrong by some
        far = abs(length - about.stated) > slack(about.stated)
        wrong += [f"{length:g} frames, not {about.stated}"] * far
    if length is not None and last > length:
        wrong.append(f"{length:g} frames, and the last box is in frame {last}")
    rate = says.get("framerate")
    # at another rate, the same number of frames is the same frames
    same_length = length is not None and length == (known or about.stated)
    if rate and about.rate and abs(rate / about.rate - 1) > 0.01 and not same_length:
        wrong.append(f"{rate:g} frames per second, not {about.rate:.4g}")
    if wrong:
        notices.add(
            "seqinfo.ini",
            f"{path} says {'; '.join(wrong)}: is {about.path} the video that it is of?",
        )


def _read_seqinfo(path: Path) -> tuple[dict[str, float], str]:
    """Return the numbers of a seqinfo.ini, or why it is of no use."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
        section = parser["Sequence"]
        keys = ("framerate", "seqlength", "imwidth", "imheight")
        return {key: float(section[key]) for key in keys if key in section}, ""
    except (OSError, configparser.Error, KeyError, ValueError) as error:
        return {}, " ".join(str(error).split())
