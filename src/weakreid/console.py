"""What a stage says while it works: progress with rate and time left, and one line on failure."""

import functools
import inspect
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO, TypeVar, get_args, get_origin

import typer

from weakreid import machine
from weakreid.artifacts.arguments import restored
from weakreid.errors import ReidError

T = TypeVar("T")
_LINE_EVERY_SECONDS = 10.0


def say(text: str) -> None:
    """Print one line to the log (standard error) at once."""
    print(text, file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Say in one line what a person should know of what was read or left out, with its number."""
    tell(f"warning: {text}")


def tell(text: str) -> None:
    """Say one line to the person at the terminal, and to the log.

    A rule sends standard error to its log file, which nobody is pointed to while all goes well; so
    the line goes to standard output, the person's terminal, too.
    """
    line = " ".join(text.split())
    say(line)
    if not _same_file(sys.stdout, sys.stderr):
        # a name of a file may have letters that this terminal cannot show
        encoding = sys.stdout.encoding or "utf-8"
        print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def _same_file(one: TextIO, other: TextIO) -> bool:
    """Return whether what is written to both comes out in one place."""
    try:
        return os.path.sameopenfile(one.fileno(), other.fileno())
    except (OSError, ValueError):  # closed, or no file of the system at all
        return one is other


def progress(
    items: Iterable[T],
    *,
    total: int | None = None,
    label: str,
    unit: str = "items",
    later: int = 0,
) -> Iterator[T]:
    """Yield `items`, showing how far it is, the rate and the time left.

    The time left is that of these items and of `later` ones, which the job has after them.

    On a terminal this is a bar; in a log, a plain line about every ten seconds and one at the end.
    Where a rule sends standard error to its log, the person at the terminal gets these lines too:
    several jobs may run at once, and lines, unlike bars, do not overwrite one another.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    if sys.stderr.isatty():
        yield from _bar(items, total, label, unit, later)
    else:
        yield from _plain(items, total, label, unit, later)


def _bar(items: Iterable[T], total: int | None, label: str, unit: str, later: int) -> Iterator[T]:
    # a log sees no bar, and every stage that writes one starts sooner without this library
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)
        started = time.monotonic()
        for done, item in enumerate(items, start=1):
            yield item
            line = _line(label, done, total, unit, time.monotonic() - started, later)
            bar.update(task, completed=done, description=line)


def _plain(items: Iterable[T], total: int | None, label: str, unit: str, later: int) -> Iterator[T]:
    started = last = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - last >= _LINE_EVERY_SECONDS:
            last = now
            _report(_line(label, done, total, unit, now - started, later))
    _report(_line(label, done, total, unit, time.monotonic() - started, later))


_shown = time.monotonic()
"""When the person at the terminal was last shown how far this job is."""


def _report(line: str) -> None:
    """Say a line of progress; now and then to a person at a terminal too, with its job."""
    global _shown
    say(line)
    if sys.stdout.isatty() and time.monotonic() - _shown >= _LINE_EVERY_SECONDS:
        _shown = time.monotonic()
        print(f"{job_in_short(sys.argv[1:])}: {line}", flush=True)


def job_in_short(arguments: Sequence[str]) -> str:
    """Return what a stage is and what it makes: its name, the first, and its output's folder."""
    made = [text.partition("=")[2] for text in arguments if text.startswith(("--out=", "--model="))]
    place = f" {Path(made[0]).parent.as_posix().removeprefix('results/')}" if made else ""
    return arguments[0] + place


def _line(
    label: str, done: int, total: int | None, unit: str, seconds: float, later: int = 0
) -> str:
    rate = done / max(seconds, 1e-9)
    speed = f"{rate:,.1f}/s" if rate >= 0.1 or not done else f"{1 / rate:,.0f} s each"
    text = f"{label}: {done}" + (f"/{total}" if total else "") + f" {unit}, {speed}"
    left = (total or 0) - done + later
    # the first one waits for what starts beside it, and says nothing of the others
    if total and left > 0 and done > 1:
        text += f", {_duration(left / max(rate, 1e-9))} left"
    return text


def _duration(seconds: float) -> str:
    """Return a time as people say it: "90 s", "12 min", "3.5 h"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def exit_on_error(main: Callable[[], object], less_memory: str | None = None) -> NoReturn:
    """Run a stage; what a person can mend becomes one line on standard error and exit status 1.

    That is a `ReidError`, and what the machine lacks (see `weakreid.machine`). Any other error is
    the program's own and keeps its traceback.
    """
    try:
        main()
    except ReidError as error:
        # a library's own words, quoted in it, may be several lines
        say("error: " + " ".join(str(error).split()))
        sys.exit(1)
    except machine.faults() as error:
        text = machine.explain(error, less_memory)
        if text is None:
            raise
        say(f"error: {text}")
        sys.exit(1)
    sys.exit(0)


def run_stage(
    main: Callable[..., object], options: Sequence[str], *, less_memory: str | None = None
) -> NoReturn:
    """Run a stage's `main` with the options of a command line (see `program_of`).

    `less_memory` names the settings that make it need less, for when memory runs out.

    Told to end (SIGTERM: a cancelled job, its time used up), it removes what is half-written.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    name = f"python -m weakreid.stages {main.__module__.rpartition('.')[2]}"
    exit_on_error(lambda: program_of(main)(restored(options), prog_name=name), less_memory)


def program_of(main: Callable[..., object]) -> typer.Typer:
    """Return the program of a stage: every parameter of `main` is an option.

    A text that annotates a parameter is its help. What is of a class of `Params` is read from JSON.
    Options that `main` does not name are the `args` of its `typer.Context`, if it has one.
    """

    @functools.wraps(main)
    def command(**given: Any) -> None:
        main(**given)

    parameters = [_as_option(of) for of in inspect.signature(main).parameters.values()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    program = typer.Typer(add_completion=False)
    more = any(of.annotation is typer.Context for of in parameters)
    settings = {"ignore_unknown_options": more, "allow_extra_args": more}
    program.command(context_settings=settings)(command)
    return program


def _as_option(of: inspect.Parameter) -> inspect.Parameter:
    # only who runs a stage needs it
    from weakreid.config.params import Params

    if of.annotation is typer.Context:
        return of
    kind, text = of.annotation, ""
    if get_origin(kind) is Annotated:
        kind, text = get_args(kind)
    option = typer.Option(help=text)
    if isinstance(kind, type) and issubclass(kind, Params):
        option = typer.Option(help=", ".join(kind.model_fields), parser=kind.parse, metavar="JSON")
    return of.replace(annotation=Annotated[kind, option], kind=inspect.Parameter.KEYWORD_ONLY)
