"""Stage: what the frozen stages of a network make of a dataset's images, for its trainings."""

from pathlib import Path
from typing import Annotated

import numpy as np

from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import MakeFrozenMaps
from weakreid.console import say
from weakreid.models.build import build_model, on_device
from weakreid.supervision.views import read_frames_only
from weakreid.training.devices import device_for
from weakreid.training.frozen import about_maps, megabytes, one_map, write_maps

LESS_MEMORY = "lower image.height and image.width"


def main(
    images: Path,
    params: MakeFrozenMaps,
    device: str,
    threads: int,
    out: Path,
    frames: Annotated[Path | None, "with --tracklets"] = None,
    tracklets: Annotated[
        list[Path] | None, "of splits, whose training frames alone are seen"
    ] = None,
) -> None:
    """Run the stages over every image and its mirror image; a file without any where too large."""
    computer = device_for(device, params.precision, threads)
    network = on_device(build_model(params.model, params.seed), computer.device)
    with ImageStore(images) as store:
        rows = np.arange(len(store))
        if frames is not None:
            rows = np.concatenate([read_frames_only(of, frames) for of in tracklets or ()])
            rows = np.unique(rows)
        needed = megabytes(one_map(network, params.image, computer), len(rows))
        if needed > params.memory_mb:
            say(
                f"the outputs of the frozen stages for {len(rows):,} images take {needed:,.0f} MB, "
                f"more than batch.cache_mb {params.memory_mb:,}: each training makes its own"
            )
            rows = rows[:0]
        write_maps(
            *(out, network, store, rows, params.image),
            computer=computer,
            threads=threads,
            about=about_maps(params, computer),
        )
