"""What Snakemake loads of this project before it reads its command line.

Snakemake imports every package that is called snakemake_logger_plugin_*. Only here can be mended
what fails before it opens a Snakefile: options that swallow targets, profiles that are not there,
a home folder that cannot be written to. `--logger weakreid` says what went wrong and no more.
"""

import logging
import sys

from snakemake_interface_logger_plugins.base import LogHandlerBase

from snakemake_logger_plugin_weakreid.commandline import prepare


class LogHandler(LogHandlerBase):
    """Writes errors to standard error, and nothing else."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record that tells of an error."""
        if record.levelno >= logging.ERROR and record.msg:
            print(record.getMessage(), file=sys.stderr, flush=True)

    @property
    def writes_to_stream(self) -> bool:
        """Standard error."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Snakemake keeps its own log beside it."""
        return False

    @property
    def has_filter(self) -> bool:
        """The workflow's own makes one line of an error."""
        return True

    @property
    def has_formatter(self) -> bool:
        """None is needed."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """No."""
        return False


prepare(sys.argv)
