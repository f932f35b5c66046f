"""What systems put into folders by themselves, beside people's files."""

import os
import re
from pathlib import Path

from weakreid.artifacts.files import read_fault

_LITTER = re.compile(
    r"thumbs\.db(:.*)?|ehthumbs\w*\.db|desktop\.ini|icon\r|__macosx|@eadir|\$recycle\.bin"
    r"|system volume information|lost\+found",
    re.IGNORECASE,
)


def is_litter(name: str) -> bool:
    """Return whether systems make a file or folder of this name by themselves: it is not data."""
    return name.startswith(".") or _LITTER.fullmatch(name) is not None


def entries(folder: Path) -> "list[os.DirEntry[str]]":
    """Return what is in a folder but litter; nothing where the folder is not there.

    Raises:
        ReidError: it cannot be told, as there is no right to look.
    """
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not is_litter(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise read_fault(folder, error, "put it there") from error
