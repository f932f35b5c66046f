"""Which frames of a tracklet make a clip (ATTR, section 3.1)."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from weakreid.errors import ReidError
from weakreid.training.tracklet_sampling import chunk_of, repeated


def chunks_of(count: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide a tracklet into equal chunks in the order of time.

    Args:
        count: frames of the tracklet, at least 1.
        frames: T, the chunks.

    Returns:
        The first position of each chunk [T], and the one after its last [T]. No chunk is empty:
        chunks of a tracklet that is shorter than T share frames, and every frame is in one.
    """
    edges = np.arange(frames + 1) * count // frames
    return edges[:-1], np.maximum(edges[1:], edges[:-1] + 1)


def clip_of(count: int, frames: int, sampling: str, generator: np.random.Generator) -> np.ndarray:
    """Return the positions [T] of a training clip's frames in their tracklet.

    Args:
        count: frames of the tracklet, at least 1.
        frames: T.
        sampling: "chunks": a random frame of each of T equal chunks; "consecutive": T in a row
            from a random one on, which start over where the tracklet is shorter; "random": any T,
            in the order of time, each at most once where there are as many.
        generator: where every choice comes from.

    Raises:
        ReidError: the sampling is unknown.
    """
    if sampling == "chunks":
        return generator.integers(*chunks_of(count, frames))
    if sampling == "consecutive":
        return repeated(chunk_of(count, frames, generator), frames)
    if sampling == "random":
        # every frame as often as any other, give or take one
        whole, rest = divmod(frames, count)
        chosen = generator.choice(count, rest, replace=False)
        return np.sort(np.concatenate([np.repeat(np.arange(count), whole), chosen]))
    raise ReidError(f"clips.sampling is '{sampling}'; choose chunks, consecutive or random")


def clips_of_tracklet(count: int, frames: int, test: str) -> np.ndarray:
    """Return the positions [C, T] of the frames of a tracklet's clips for retrieval.

    Args:
        count: frames of the tracklet, at least 1.
        frames: T.
        test: "chunks": one clip, the middle frame of each of T equal chunks; "all": all frames, T
            in a row to a clip; the tracklet's first frames again fill up the last.

    Raises:
        ReidError: `test` is unknown.
    """
    if test == "chunks":
        starts, stops = chunks_of(count, frames)
        return ((starts + stops) // 2)[None]
    if test == "all":
        clips = -(-count // frames)
        return np.resize(np.arange(count), clips * frames).reshape(clips, frames)
    raise ReidError(f"clips.test is '{test}'; it must be 'chunks' or 'all'")


class TrackletClips(NamedTuple):
    """The clips of tracklets for retrieval, tracklet after tracklet.

    Attributes:
        tracklet_ids: int64 [C].
        numbers: int64 [C], of a clip within its tracklet, from 0.
        positions: int64 [C, T], of its frames within the tracklet.
        images: int64 [C, T], their rows of the image store.
    """

    tracklet_ids: np.ndarray
    numbers: np.ndarray
    positions: np.ndarray
    images: np.ndarray

    @property
    def middles(self) -> np.ndarray:
        """The image [C] of each clip's middle frame."""
        return self.images[:, self.images.shape[1] // 2]


def clips_of_tracklets(rows: pd.DataFrame, frames: int, test: str) -> TrackletClips:
    """Return the clips of tracklets for retrieval.

    Args:
        rows: of the table "frames" (tracklet_id, position, image), of at least one tracklet.
        frames: T.
        test: see `clips_of_tracklet`.

    Raises:
        ReidError: there is no frame, or `test` is unknown.
    """
    if rows.empty:
        raise ReidError(
            "no tracklet to extract features of: the split has no query and no gallery tracklets"
        )
    rows = rows.sort_values(["tracklet_id", "position"], kind="stable")
    ids, firsts, counts = np.unique(
        rows["tracklet_id"].to_numpy(), return_index=True, return_counts=True
    )
    found = [clips_of_tracklet(int(count), frames, test) for count in counts]
    lengths = [len(clips) for clips in found]
    places = np.concatenate(found) + np.repeat(firsts, lengths)[:, None]
    return TrackletClips(
        np.repeat(ids, lengths).astype(np.int64),
        np.concatenate([np.arange(length) for length in lengths]),
        rows["position"].to_numpy()[places].astype(np.int64),
        rows["image"].to_numpy()[places],
    )
