"""Stage: a network learns attributes from a source; weights, history, timing out."""

from pathlib import Path
from typing import Annotated

import numpy as np

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.params import LearnTransfer
from weakreid.models.attribute_head import attribute_head
from weakreid.supervision.attribute_pictures import lesson
from weakreid.supervision.views import read_frames_only
from weakreid.training.frame import Kept, Run, Seen
from weakreid.training.options import TrainingOptions, with_options
from weakreid.training.transfer_task import TransferTask

LESS_MEMORY = "lower batch.source, batch.target or batch.cache_mb, or image.height and image.width"


@with_options
def main(
    pictures: Annotated[Path, "of the source, with attributes"],
    source_images: Path,
    tracklets: Annotated[Path, "of a split of the target"],
    frames: Annotated[Path, "of the target"],
    images: Annotated[Path, "of the target"],
    params: LearnTransfer,
    options: TrainingOptions,
    source_maps: Annotated[Path | None, "as --maps, of the source"] = None,
) -> None:
    """Train from the last checkpoint of this very training, if there is one."""
    lessons = lesson(
        schemas.read_frame(pictures, "pictures", ["image", "split", "labels"]),
        schemas.read_params(pictures)["attributes"],
        params.attributes,
        params.on_constant,
    )
    target_rows = read_frames_only(tracklets, frames) if params.mmd > 0 else np.empty(0, np.int64)
    run = Run(params, options)
    if lessons.left_out:
        names = ", ".join(lessons.left_out)
        run.say(f"left out, the same in all training pictures of the source: {names}")
    network = run.network()
    head = attribute_head(network.dimension, len(lessons.attributes), params.seed)
    head.to(run.fabric.device)
    said = {
        "attributes": list(lessons.attributes),
        "ratios": lessons.ratios.tolist(),
        "left_out": lessons.left_out,
    }
    kept = Kept({"model": network, "heads": head}, also=said)
    model = run.set_up(network, head)
    with ImageStore(source_images) as source, ImageStore(images) as target:
        of_source, of_target = run.images(
            network,
            Seen(source, lessons.images if run.learns else None, source_maps),
            Seen(target, target_rows if run.learns and params.mmd > 0 else None, options.maps),
        )
        task = TransferTask(
            lessons,
            target_rows,
            params,
            of_source,
            of_target,
            fabric=run.fabric,
            network=network,
            model=model,
            head=head,
        )
        inputs = [pictures, target_rows.tolist(), source, *([target] if params.mmd > 0 else [])]
        history = run.learn(task, {"model": model, "heads": head}, inputs, kept)
    run.say(f"{len(lessons.attributes)} attributes of {len(lessons.images):,} pictures learnt")
    run.finish(history, kept)
