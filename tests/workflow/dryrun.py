"""Dry runs of the workflow in this process, and the jobs that they announce."""

import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from snakemake.api import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    ResourceSettings,
    SnakemakeApi,
)
from snakemake.logging import logger
from snakemake.settings.enums import Quietness


class Jobs(logging.Handler):
    """Collects the jobs that a dry run announces: by rule, what is said of each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[dict[str, Any]]] = defaultdict(list)

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
) -> dict[str, list[dict[str, Any]]]:
    """Return the jobs that asking for `targets` here would run, the config changed."""
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
            DAGSettings(targets=set(targets), max_checksum_file_size=20 * 2**20)
        ).execute_workflow(executor="dryrun")
    return jobs.found
