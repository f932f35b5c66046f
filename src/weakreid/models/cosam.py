"""COSAM: the frames of a clip agree on what they have in common (COSAM, section 4).

Shapes: n clips of T frames, maps of c channels and h x w places, D_R reduced channels.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from weakreid.config import network as config
from weakreid.errors import ReidError
from weakreid.losses.precision import precise, without_autocast
from weakreid.models.initial import seeded

EPS = 1e-4
"""Added to a descriptor's deviation (section 4.1)."""
HIDDEN = 64
"""Channels between the two layers of the summary in the authors' program."""


def standardised(reduced: Tensor, deviation: str) -> Tensor:
    """Return descriptors whose products are their NCC (Eq. 2).

    Args:
        reduced: [n, D_R, h, w].
        deviation: "population": a descriptor's correlation with itself is 1; "sample": (D_R - 1) /
            D_R, as in the authors' program.

    Returns:
        float32 (or float64) [n, h * w, D_R]: each without its mean, divided by its deviation + 1e-4
        and by the root of D_R. One that is the same everywhere is 0, with a finite gradient.
    """
    values = precise(reduced).flatten(2).mT
    channels = values.shape[2]
    centred = values - values.mean(2, keepdim=True)
    divisor = channels - 1 if deviation == "sample" else channels
    variance = centred.square().sum(2, keepdim=True) / divisor
    # the root's gradient is infinite at 0: there the deviation is a constant
    flat = variance == 0
    spread = variance.masked_fill(flat, 1.0).sqrt().masked_fill(flat, 0.0)
    return centred / ((spread + EPS) * channels**0.5)


def consensus(descriptors: Tensor, weight: Tensor) -> Tensor:
    """Return the cost volume (Eq. 1) after a 1x1 convolution, without ever making the volume.

    The volume of frame f has a channel for each place q of each other frame m: z_f(p) · z_m(q). A
    convolution sums over these channels, and a sum of products with z_f(p) is the product with a
    sum: z_f(p) · Σ_m Σ_q w(m, q) z_m(q). So each frame has one filter of D_R numbers per output,
    which costs (T - 1) h w times less than the volume. Other frame m is the m-th of the others to
    the frames after it and the (m - 1)-th to those before, so the filters are running sums.

    Args:
        descriptors: [n, T, h * w, D_R], from `standardised`.
        weight: [K, (T - 1) * h * w], of the convolution: the other frames in their order, then
            their rows, then their columns.

    Returns:
        [n, T, K, h * w].
    """
    places = descriptors.shape[2]
    of_frames = precise(weight).unflatten(1, (-1, places))
    with without_autocast(descriptors):
        earlier = torch.einsum("kmq,nmqd->nmkd", of_frames, descriptors[:, :-1])
        later = torch.einsum("kmq,nmqd->nmkd", of_frames, descriptors[:, 1:])
        nothing = torch.zeros_like(earlier[:, :1])
        from_earlier = torch.cat([nothing, earlier.cumsum(1)], dim=1)
        from_later = torch.cat([later.flip(1).cumsum(1).flip(1), nothing], dim=1)
        return torch.einsum("nfkd,nfpd->nfkp", from_earlier + from_later, descriptors)


class CosamOutput(NamedTuple):
    """What the module makes of clips."""

    maps: Tensor  # [n * T, c, h, w]
    masks: Tensor  # [n * T, 1, h, w], in 0..1


class Cosam(nn.Module):
    """The co-segmentation activation module between two blocks of a network.

    The spatial step reduces the maps to D_R channels, correlates every place of a frame with every
    place of the clip's other frames (NCC), and makes a mask of the correlations, by which the
    frame's maps are multiplied (section 4.1). The channel step weighs the channels by what the
    clip's frames, pooled, make of them on average (section 4.2).

    Args:
        channels: c.
        height: h, of the maps.
        width: w.
        frames: T, at least 2; with h and w it fixes the layer that summarises correlations.
        options: `reduced` is D_R, of the descriptors and of the layer between the two of the
            channel step. `deviation`: see `standardised`. `summary`: "one_layer", as printed;
            "two_layers": to 64 channels, batch norm, ReLU, to 1. `activation` stands between the
            two layers of the channel step; the paper is silent, the authors' program has tanh.
            `enrichment`: "multiply": channels times their weights, as printed; "add": plus the
            channels themselves, as in the authors' program. `initial` is what masks and channel
            weights are near before training; the paper is silent, and torch's layers give 0.5.
        seed: of the initial weights, with the name of the block that comes before.
        after: that name.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        frames: int,
        options: config.Cosam,
        *,
        seed: int,
        after: str,
    ) -> None:
        super().__init__()
        assert frames > 1, "the config refuses clips of one frame, which has nothing to agree with"
        reduced, two_layers = options.reduced, options.summary == "two_layers"
        self.frames, self.size = frames, (height, width)
        self.deviation, self.enrichment = options.deviation, options.enrichment
        volume = (frames - 1) * height * width
        with seeded(seed, "cosam", after):
            self.reduce = nn.Sequential(
                nn.Conv2d(channels, reduced, 1), nn.BatchNorm2d(reduced), nn.ReLU()
            )
            first = nn.Conv2d(volume, HIDDEN if two_layers else 1, 1)
            self.summary_weight, self.summary_bias = first.weight, first.bias
            # the layers whose outputs a sigmoid makes masks and channel weights of
            to_mask: nn.Conv2d = first
            self.summary_rest: nn.Module = nn.Identity()
            if two_layers:
                to_mask = nn.Conv2d(HIDDEN, 1, 1)
                self.summary_rest = nn.Sequential(nn.BatchNorm2d(HIDDEN), nn.ReLU(), to_mask)
            to_hidden = nn.Linear(channels, reduced)
            to_weights = nn.Linear(reduced, channels)
            between = nn.Tanh() if options.activation == "tanh" else nn.ReLU()
            self.channel_weights = nn.Sequential(to_hidden, between, to_weights, nn.Sigmoid())
        for layer in (to_mask, to_weights):
            assert layer.bias is not None
            with torch.no_grad():
                layer.bias += math.log(options.initial / (1 - options.initial))

    def forward(self, maps: Tensor) -> CosamOutput:
        """Map the maps [n * T, c, h, w] of clips, clip after clip.

        Raises:
            ReidError: the maps are of another size, or do not make up clips of T frames.
        """
        count, _, height, width = maps.shape
        if (height, width) != self.size or count % self.frames:
            raise ReidError(
                f"COSAM was made for clips of {self.frames} frames and maps of {self.size[0]} x "
                f"{self.size[1]}; {count} maps of {height} x {width} came; give the clips and the "
                "image size that it was trained with"
            )
        masks = self.masks(maps)
        attended = maps * masks.to(maps.dtype)
        weights = self.weights(attended)
        if self.enrichment == "add":
            weights = 1 + weights
        return CosamOutput(attended * weights.to(maps.dtype), masks)

    def masks(self, maps: Tensor) -> Tensor:
        """Return the spatial step's masks [n * T, 1, h, w] of maps [n * T, c, h, w]."""
        descriptors = standardised(self.reduce(maps), self.deviation)
        kernel = self.summary_weight.flatten(1)
        values = consensus(descriptors.unflatten(0, (-1, self.frames)), kernel)
        values = values.flatten(0, 1).unflatten(2, self.size)
        assert self.summary_bias is not None
        values = values + precise(self.summary_bias)[:, None, None]
        with without_autocast(values):
            return self.summary_rest(values).sigmoid()

    def weights(self, attended: Tensor) -> Tensor:
        """Return the channel step's weights [n * T, c, 1, 1], the same for a clip's frames."""
        pooled = precise(attended).mean(dim=(2, 3))
        with without_autocast(pooled):
            of_frames = self.channel_weights(pooled).unflatten(0, (-1, self.frames))
        of_clips = of_frames.mean(1, keepdim=True).expand_as(of_frames)
        return of_clips.flatten(0, 1)[:, :, None, None]
