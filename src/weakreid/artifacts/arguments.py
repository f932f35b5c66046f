"""Arguments that are too long for a command line, kept in files that their content names.

The system takes 128 KiB as one argument at most, and a rule's whole command is one argument of the
shell. So what is long stands in a file, a line per argument, and the command names that file. The
name is the digest of the content: what has not changed changes no command, and reruns nothing.
"""

import hashlib
import shlex
from collections.abc import Sequence
from pathlib import Path

from weakreid.artifacts.files import replacing
from weakreid.errors import ReidError

LONGEST = 16 * 1024
"""Bytes, as the shell is given them, up to which arguments stay in the command."""

PLACE = Path(".snakemake/weakreid")
"""Below the folder that a workflow runs in, and so its jobs."""


def shortened(arguments: Sequence[str]) -> list[str]:
    """Return the arguments, or where they are long the one argument that names their file.

    Raises:
        ReidError: that file cannot be written.
    """
    if len(shlex.join(arguments).encode()) <= LONGEST:
        return list(arguments)
    text = "".join(f"{argument}\n" for argument in arguments)
    path = PLACE / _digest(text)
    if not path.exists():
        with replacing(path) as aside:
            aside.write_text(text, encoding="utf-8")
    return [f"@{path}"]


def restored(arguments: Sequence[str]) -> list[str]:
    """Return the arguments that were given to `shortened`.

    Raises:
        ReidError: a file that is named is not there, or not what it was.
    """
    return [whole for argument in arguments for whole in _restored(argument)]


def _restored(argument: str) -> list[str]:
    if not argument.startswith(f"@{PLACE}/"):
        return [argument]
    path = Path(argument[1:])
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReidError(
            f"{path}: cannot be read ({error}); run snakemake again, which writes it"
        ) from error
    if _digest(text) != path.name:
        raise ReidError(
            f"{path}: is not what was written; delete it and run snakemake again, which writes it"
        )
    return text.splitlines()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
