"""The stage train_merging, run on the tracklets of `tracklet_helpers`.

Run as a program (`python -m tests.training.merging_helpers`) it is the stage with as many
processes of the CPU as `--devices` says, which the stage itself never starts.
"""

from typing import Any

from tests.training.helpers import Stage, method, on_cpu_processes
from tests.training.tracklet_helpers import options_of

from weakreid.config.params import TrainMerging
from weakreid.stages import train_merging


def merging_method(**changes: Any) -> dict[str, Any]:
    """Return a resolved method as the stage gets it, with values replaced: `batch__frames=3`.

    Of 24 tracklets 6 are merged before the epochs 1 and 3.
    """
    values = {
        name: value
        for name, value in method().items()
        if name not in ("instances", "loss", "cpal", "batch")
    }
    values |= {
        "learns": "merging",
        "merging": {
            "first_epochs": 1,
            "later_epochs": 2,
            "share": 0.25,
            "distance": "euclidean",
            "size_penalty": 0.003,
            "frames": 4,
        },
        "lookup": {"temperature": 0.1, "momentum": 0.5, "start": "features"},
        "batch": {"tracklets": 8, "frames": 2, "cache_mb": 0},
    }
    for name, value in changes.items():
        *parents, key = name.split("__")
        block = values
        for parent in parents:
            block = block[parent]
        assert key in block
        block[key] = value
    return values


STAGE = Stage(train_merging, TrainMerging, options_of)
learn_here, learn_interrupted = STAGE.learn_here, STAGE.learn_interrupted


if __name__ == "__main__":
    on_cpu_processes(train_merging)
