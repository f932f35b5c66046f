"""Stage: a table, a plot or a picture of any kind (`weakreid.report.kinds`)."""

import importlib
import shutil
from pathlib import Path
from typing import Annotated, cast

import typer

from weakreid.artifacts.files import replacing
from weakreid.report import pages
from weakreid.report.protocol import Kind


def main(
    inputs: typer.Context,
    kind: Annotated[str, "the kind's module"],
    out: Path,
    params: Annotated[str | None, "none: the one input is copied"] = None,
) -> None:
    """Write a file of a table; its inputs are further options, `--NAME=PATH`."""
    files: dict[str, list[Path]] = {}
    for argument in inputs.args:
        name, _, path = argument.removeprefix("--").partition("=")
        files.setdefault(name.replace("-", "_"), []).append(Path(path))
    if params is None:
        ((source,),) = files.values()
        with replacing(out) as aside:
            shutil.copyfile(source, aside)
        return
    made = cast("Kind", importlib.import_module(f"weakreid.report.kinds.{kind}"))
    drawn = made.render(out.name, made.Params.parse(params), files)
    if isinstance(drawn, str):
        pages.write(out, drawn)
        return
    # matplotlib takes a second to import
    from weakreid.report import figures

    figures.save(drawn, out)
