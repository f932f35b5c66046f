"""The images of a step: decoded and augmented, or what frozen stages made of them before."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from weakreid.artifacts.decoding import middle_of
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.network import Augment, Image
from weakreid.models.backbones import Triple
from weakreid.training.augment import augment, random_cuts
from weakreid.training.frozen import FrozenMaps


@dataclass(frozen=True)
class TrainingImages:
    """Where a training's images come from, and how they are changed.

    Attributes:
        store: holds the frames.
        image: of the network's input. Resized images are larger: the input is cut out at a random
            place of its own when it is augmented, else from the middle; not with `maps`.
        fill: RGB in 0..255 for what has no image: the network's mean.
        changes: random ones.
        threads: for decoding.
        maps: of all frames; with them nothing is decoded, and flips are the only change.
    """

    store: ImageStore
    image: Image
    fill: Triple
    changes: Augment
    threads: int
    maps: FrozenMaps | None = None

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
            mirrored = [
                np.less(generator.random(len(of_group)), self.changes.flip)
                for of_group, generator in zip(rows, generators, strict=True)
            ]
            return self.maps.take(np.concatenate(rows), np.concatenate(mirrored))
        images = self._decoded(np.concatenate(rows))
        height, width = self.image.height, self.image.width
        changed = np.empty((len(images), height, width, 3), np.uint8)
        first = 0
        for of_group, generator in zip(rows, generators, strict=True):
            frames = slice(first, first + len(of_group))
            first = frames.stop
            whole = images[frames]
            if self.image.resized is not None:
                whole = random_cuts(whole, generator, height, width)
            augment(
                whole,
                generator,
                flip=self.changes.flip,
                pad=self.changes.pad,
                erase=self.changes.erase,
                aspect=self.changes.erase_aspect,
                fill=self.fill,
                out=changed[frames],
                erased=erased[frames],
            )
        return torch.from_numpy(changed)

    def plain(self, rows: np.ndarray) -> Tensor:
        """Return frames as they are: uint8 [N, H, W, 3], or with `maps` float [N, c, h, w]."""
        if self.maps is not None:
            return self.maps.take(rows, np.zeros(len(rows), bool))
        images = self._decoded(rows)
        if self.image.resized is not None:
            images = middle_of(images, self.image.height, self.image.width)
        return torch.from_numpy(images)

    def _decoded(self, rows: np.ndarray) -> np.ndarray:
        height, width = self.image.resized or (self.image.height, self.image.width)
        return self.store.batch(rows, height, width, threads=self.threads)
