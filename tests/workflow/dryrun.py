"""Dry runs of the workflow, each in a process of its own, and the jobs that they announce.

What a dry run builds stays in memory, as Snakemake's caches hold on to it: a few hundred of them
keep gigabytes. So each runs in a fork of this process and goes with it. A fork has what the tests
have imported and patched, and what all dry runs of a folder read, which is read here once.
"""

import contextlib
import gc
import logging
import multiprocessing
import pickle
import sys
import traceback
import warnings
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

from snakemake.api import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    ResourceSettings,
    SnakemakeApi,
)
from snakemake.common import configfile
from snakemake.logging import logger
from snakemake.parser import parse
from snakemake.settings.enums import Quietness

from weakreid.config.whole import whole

Found = dict[str, list[dict[str, Any]]]

FORKS = sys.platform == "linux"
"""Whether to fork: elsewhere what this process has loaded may not bear it."""
PATIENCE = 900
"""Seconds after which a fork that says nothing counts as stuck."""


class Jobs(logging.Handler):
    """Collects the jobs that a dry run announces: by rule, what is said of each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Found = defaultdict(list)

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event is not None and event.value == "job_info":
            about = {name: getattr(record, name) for name in ("input", "output", "shellcmd")}
            wildcards = dict(getattr(record, "wildcards", None) or {})
            self.found[record.rule_name].append({**about, "wildcards": wildcards})


@contextlib.contextmanager
def listening() -> Iterator[Jobs]:
    """Collect jobs, and leave Snakemake's logger as it was."""
    jobs, filters = Jobs(), list(logger.filters)
    logger.addHandler(jobs)
    try:
        yield jobs
    finally:
        logger.removeHandler(jobs)
        logger.filters[:] = filters


def dry_run(
    targets: Iterable[str],
    change: Mapping[str, Any] | None = None,
    configfiles: Iterable[str] = ("tiny.yaml",),
) -> Found:
    """Return the jobs that asking for `targets` here would run, the config changed.

    Raises:
        BaseException: what Snakemake raises; a SystemExit where a rule file refuses the config.
    """
    asked, names = set(targets), tuple(configfiles)
    if not FORKS:
        return planned(asked, change, names)
    prepare(asked, names)
    with reading_once():
        return in_a_fork(lambda: planned(asked, change, names))


def planned(
    targets: set[str], change: Mapping[str, Any] | None, configfiles: tuple[str, ...]
) -> Found:
    """Do a dry run in this process."""
    output = OutputSettings(quiet={Quietness.ALL}, enable_file_logging=False)
    with SnakemakeApi(output) as api, listening() as jobs:
        api.workflow(
            resource_settings=ResourceSettings(cores=2),
            config_settings=ConfigSettings(
                config=change or {}, configfiles=[Path(name) for name in configfiles]
            ),
            snakefile=Path("Snakefile"),
        ).dag(
            # as in workflow/profiles/default, which only the command line reads
            DAGSettings(targets=targets, max_checksum_file_size=20 * 2**20)
        ).execute_workflow(executor="dryrun")
    return jobs.found


# --- in a process of its own ----------------------------------------------------------------------


def in_a_fork(work: Callable[[], Any]) -> Any:
    """Return what `work` returns, or raise what it raises, in a fork of this process.

    Raises:
        RuntimeError: the fork ended, or took longer than `PATIENCE`, and did not say anything.
    """
    forking = multiprocessing.get_context("fork")
    here, there = forking.Pipe(duplex=False)
    process = forking.Process(target=answer, args=(there, work))
    with warnings.catch_warnings():
        # of threads that libraries started here: a dry run calls none of these libraries
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    there.close()
    try:
        if not here.poll(PATIENCE):
            raise RuntimeError(f"no answer of a fork after {PATIENCE} s")
        done, result = pickle.loads(here.recv_bytes())
    except EOFError:
        process.join()
        raise RuntimeError(f"a fork ended with status {process.exitcode}") from None
    finally:
        # it has said all: to take what it built apart again would only take time
        process.kill()
        process.join()
        process.close()
        here.close()
    if not done:
        raise result
    return result


def answer(pipe: Connection, work: Callable[[], Any]) -> None:
    """Send what `work` returns or raises, and whether it returned."""
    # what is there stays there: looking for garbage in it would copy its pages
    gc.freeze()
    gc.disable()
    try:
        told = pickle.dumps((True, work()))
    except BaseException as error:
        told = pickle.dumps((False, as_sent(error)))
    sys.stdout.flush()
    sys.stderr.flush()
    pipe.send_bytes(told)


def as_sent(error: BaseException) -> BaseException:
    """Return an error with a note on where it was raised; a RuntimeError if it cannot be sent."""
    try:
        sent = pickle.loads(pickle.dumps(error))
    except Exception:
        sent = RuntimeError(f"{type(error).__name__}: {error}")
    sent.add_note("".join(traceback.format_exception(error)))
    return sent


# --- what dry runs have in common -----------------------------------------------------------------

KNOWN: dict[Hashable, Any] = {}
"""What was read from a text, by the text and the function that read it."""
PREPARED: set[Hashable] = set()


def prepare(targets: set[str], configfiles: tuple[str, ...]) -> None:
    """Do a dry run of the config as it is, once in a folder: forks know what was read in it."""
    place = (Path.cwd(), configfiles, whole.load)
    if place in PREPARED:
        return
    PREPARED.add(place)
    path = list(sys.path)
    # what is wrong here is wrong in the fork too, where it is said
    with contextlib.suppress(Exception, SystemExit), reading_once():
        planned(targets, None, configfiles)
    sys.path[:] = path


def once(make: Callable[[], Any], *key: Hashable) -> Any:
    """Return what `make` makes of what the key says, made at most once."""
    if key not in KNOWN:
        KNOWN[key] = make()
    return KNOWN[key]


@contextlib.contextmanager
def reading_once() -> Iterator[None]:
    """Let the same text of a config or of a rule file be read once."""
    read, load = configfile._load_configfile, whole.load

    def read_once(path: Any, filetype: str = "Config") -> Any:
        key = (read, str(path), filetype, Path(path).read_bytes())
        # a copy for each: configs are merged into one another
        return pickle.loads(once(lambda: pickle.dumps(read(path, filetype)), *key))

    def parse_once(path: Any, workflow: Any, linemap: dict[int, int], rulecount: int = 0) -> Any:
        def parsed() -> Any:
            lines: dict[int, int] = {}
            return *parse(path, workflow, lines, rulecount=rulecount), lines

        name = path.get_path_or_uri(secret_free=True)
        code, count, lines = once(parsed, parse, name, rulecount, Path(name).read_bytes())
        linemap |= lines
        return code, count

    def load_once(raw: Mapping[str, Any]) -> whole.Config:
        return once(lambda: load(raw), load, pickle.dumps(raw))

    with (
        mock.patch.object(configfile, "_load_configfile", read_once),
        mock.patch("snakemake.workflow.parse", parse_once),
        mock.patch.object(whole, "load", load_once),
    ):
        yield
