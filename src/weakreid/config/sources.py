"""The files that the config is read from by default, and how Snakemake merges them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any


def default_files(checkout: Path) -> list[Path]:
    """Return the files of keys in the order in which they are read; later ones win.

    Args:
        checkout: The folder of the Snakefile.
    """
    return [*sorted(checkout.glob("workflow/papers/*.yaml")), checkout / "config.yaml"]


def read_merged(paths: Iterable[Path]) -> dict[str, Any]:
    """Return files of keys as Snakemake merges them: blocks key by key, lists as a whole.

    Raises:
        WorkflowError: a file is not there, or is neither JSON nor YAML.
    """
    # a stage reads no file of keys and does without Snakemake
    from snakemake.common.configfile import load_configfile
    from snakemake.utils import update_config

    merged: dict[str, Any] = {}
    for path in paths:
        update_config(merged, load_configfile(path))
    return merged
