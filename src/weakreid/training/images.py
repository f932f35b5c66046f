"""The images of a step: decoded and augmented, or what frozen stages made of them before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from weakreid.artifacts.decoding import middle_of
from weakreid.artifacts.image_store import ImageStore
from weakreid.models.backbones import Triple
from weakreid.training.augment import augment, random_cuts
from weakreid.training.frozen import FrozenMaps


@dataclass(frozen=True)
class Pictures:
    """Where a training's images come from, and how they are changed.

    Attributes:
        store: holds the frames.
        height: of the network's input in pixels.
        width: likewise.
        fill: RGB in 0..255 for what has no picture: the network's mean.
        augmenting: flip, pad and erase, as `weakreid.training.augment.augment` takes them.
        threads: for decoding.
        maps: of all frames; with them nothing is decoded, and flips are the only augmentation.
        resized: (height, width) a picture gets before the network's input is cut out of it: at a
            random place of its own when it is augmented, else from the middle; None: the whole
            picture is the input. Not with `maps`.
    """

    store: ImageStore
    height: int
    width: int
    fill: Triple
    augmenting: Mapping[str, Any]
    threads: int
    maps: FrozenMaps | None = None
    resized: tuple[int, int] | None = None

    def augmented(
        self,
        rows: Sequence[np.ndarray],
        generators: Sequence[np.random.Generator],
        erased: np.ndarray | None = None,
    ) -> Tensor:
        """Return groups of frames, one after the other, each changed by its own generator.

        Args:
            rows: per group, rows of the store.
            generators: one per group.
            erased: bool [N] to fill: which frames lost a rectangle; none with `maps`.

        Returns:
            uint8 [N, H, W, 3], or with `maps` float [N, c, h, w].
        """
        if erased is None:
            erased = np.empty(sum(map(len, rows)), bool)
        if self.maps is not None:
            erased[:] = False
            flip = self.augmenting["flip"]
            mirrored = [
                np.less(generator.random(len(of_group)), flip)
                for of_group, generator in zip(rows, generators, strict=True)
            ]
            return self.maps.take(np.concatenate(rows), np.concatenate(mirrored))
        images = self._decoded(np.concatenate(rows))
        changed = np.empty((len(images), self.height, self.width, 3), np.uint8)
        first = 0
        for of_group, generator in zip(rows, generators, strict=True):
            frames = slice(first, first + len(of_group))
            first = frames.stop
            pictures = images[frames]
            if self.resized is not None:
                pictures = random_cuts(pictures, generator, self.height, self.width)
            augment(
                pictures,
                generator,
                fill=self.fill,
                out=changed[frames],
                erased=erased[frames],
                **self.augmenting,
            )
        return torch.from_numpy(changed)

    def plain(self, rows: np.ndarray) -> Tensor:
        """Return frames as they are: uint8 [N, H, W, 3], or with `maps` float [N, c, h, w]."""
        if self.maps is not None:
            return self.maps.take(rows, np.zeros(len(rows), bool))
        images = self._decoded(rows)
        if self.resized is not None:
            images = middle_of(images, self.height, self.width)
        return torch.from_numpy(images)

    def _decoded(self, rows: np.ndarray) -> np.ndarray:
        height, width = self.resized or (self.height, self.width)
        return self.store.batch(rows, height, width, threads=self.threads)
