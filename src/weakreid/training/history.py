"""What a training leaves beside its weights: the rows of its history, and what it took."""

import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning_fabric import Fabric

from weakreid.artifacts import schemas
from weakreid.training.devices import device_name
from weakreid.training.loop import History


def write_history(path: Path, record: History, params: Mapping[str, Any]) -> None:
    """Write the rows of a training's history."""
    frame = pd.DataFrame(record, columns=["epoch", "step", "term", "value"])
    schemas.write(path, "history", frame, params)


def timing_of(record: History, seconds: float, fabric: Fabric) -> dict[str, Any]:
    """Return what a training took: seconds, images per second, memory, on which device."""
    rates = [value for _, _, term, value in record if term == "images_per_s"]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found: dict[str, Any] = {
        "seconds": round(seconds, 1),
        "images_per_s": round(sum(rates) / len(rates), 1) if rates else None,
        "peak_memory_mb": round(memory),
        "device": device_name(fabric.device),
        "devices": fabric.world_size,
    }
    if fabric.device.type == "cuda":
        found["peak_gpu_memory_mb"] = round(torch.cuda.max_memory_allocated() / 2**20)
    return found
