"""What every training is given beside its data and its method: devices, files, and who looks on."""

import functools
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from weakreid.training.loop import Watch

_BY_PROGRAMS = ("watch", "started")
"""Options that no command line gives."""


@dataclass(frozen=True)
class TrainingOptions:
    """What a training is given, and where its results go; `with_options` puts it on command lines.

    Attributes:
        code: digest of the code, for the checkpoint's fingerprint.
        checkpoint: written while it goes on.
        device, devices, threads: see `weakreid.training.processes.fabric_for`.
        model, history, timing: what it makes.
        init: weights to start from, if any.
        maps: what frozen stages make of the images, if a file has it (`training.frozen`).
        watch: looks at the training; `model` then holds the weights so far.
        started: when the stage began, by the monotonic clock.
    """

    code: Annotated[str, "digest of this stage's code"]
    checkpoint: Path
    device: str
    devices: int
    threads: int
    model: Path
    history: Path
    timing: Path
    init: Annotated[Path | None, "weights to start from"] = None
    maps: Annotated[Path | None, "of frozen stages, made before"] = None
    watch: Watch | None = None
    started: float = field(default_factory=time.monotonic)


def with_options(main: Callable[..., None]) -> Callable[..., None]:
    """Return a stage's `main`, its `options` given one by one, as a command line has them."""
    own, shared = inspect.signature(main).parameters, inspect.signature(TrainingOptions).parameters
    told = [of for name, of in own.items() if name != "options"]
    told += [of for name, of in shared.items() if name not in _BY_PROGRAMS]

    @functools.wraps(main)
    def stage(**given: Any) -> None:
        options = {name: given.pop(name) for name in shared if name in given}
        main(**given, options=TrainingOptions(**options))

    told = [of.replace(kind=inspect.Parameter.KEYWORD_ONLY) for of in told]
    stage.__signature__ = inspect.Signature(told)  # type: ignore[attr-defined]
    return stage
