"""What every training is given beside its data and its method: devices, files, and who looks on."""

import dataclasses
import functools
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from weakreid.training.loop import Watch


@dataclass(frozen=True)
class TrainingOptions:
    """What a training is given, and where its results go; `with_options` puts it on command lines.

    Attributes:
        code: digest of the code, for the checkpoint's fingerprint.
        checkpoint: written while it goes on.
        device, devices, threads: see `weakreid.training.devices.fabric_for`.
        model, history, timing: what it makes.
        init: weights to start from, if any.
        maps: what frozen stages make of the images, if a file has it (`training.frozen`).
        watch: looks at the training; `model` then holds the weights so far.
        started: when the stage began, by the monotonic clock.
    """

    code: Annotated[str, typer.Option(help="digest of this stage's code")]
    checkpoint: Annotated[Path, typer.Option()]
    device: Annotated[str, typer.Option()]
    devices: Annotated[int, typer.Option()]
    threads: Annotated[int, typer.Option()]
    model: Annotated[Path, typer.Option()]
    history: Annotated[Path, typer.Option()]
    timing: Annotated[Path, typer.Option()]
    init: Annotated[Path | None, typer.Option(help="weights to start from")] = None
    maps: Annotated[Path | None, typer.Option(help="of frozen stages, made before")] = None
    watch: Watch | None = None
    started: float = field(default_factory=time.monotonic)


def with_options(main: Callable[..., None]) -> Callable[..., None]:
    """Return a stage's `main`, its `options` given one by one, as a command line has them."""
    hints = get_type_hints(TrainingOptions, include_extras=True)
    shared = [
        inspect.Parameter(
            of.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hints[of.name],
            default=of.default
            if of.default is not dataclasses.MISSING
            else inspect.Parameter.empty,
        )
        for of in dataclasses.fields(TrainingOptions)
        if hasattr(hints[of.name], "__metadata__")
    ]
    own = [of for of in inspect.signature(main).parameters.values() if of.name != "options"]
    own = [of.replace(kind=inspect.Parameter.KEYWORD_ONLY) for of in own]

    @functools.wraps(main)
    def stage(**given: Any) -> None:
        found = {of.name: given.pop(of.name) for of in shared if of.name in given}
        main(**given, options=TrainingOptions(**found))

    stage.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
    return stage
