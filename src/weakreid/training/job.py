"""What a training is told beside its data: values, devices, files, and who looks at it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weakreid.training.loop import Watch


@dataclass(frozen=True)
class Job:
    """A training, but for what it learns from.

    Attributes:
        block: a method's values and the seed.
        code: digest of the code, for the checkpoint's fingerprint.
        checkpoint: written while it goes on.
        device, devices, threads: see `weakreid.training.devices.fabric_for`.
        model, history, timing: what it makes.
        init: weights to start from, if any.
        watch: looks at the training; `model` then holds the weights so far.
    """

    block: dict[str, Any]
    code: str
    checkpoint: Path
    device: str
    devices: int
    threads: int
    model: Path
    history: Path
    timing: Path
    init: Path | None = None
    watch: Watch | None = None

    def watched(self, keep: Callable[[], None]) -> Watch | None:
        """Return who looks at the training, once `keep` has written the weights so far."""
        watch = self.watch
        if watch is None:
            return None

        def look(epochs: int) -> None:
            keep()
            watch.look(epochs)

        return Watch(watch.every, look)
