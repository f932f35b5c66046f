"""Where a dataset lies: what one stage writes down and the next ones read.

A path is written as it leads from the file by the names of the folders, and followed by names too.
So it is the same whether `results` is a folder or a link to another disk, and stays right when the
checkout is moved with its data.
"""

import os
from pathlib import Path
from typing import Any

from weakreid.artifacts.files import read_json, write_json
from weakreid.errors import ReidError


def note(out: Path, root: Path, **more: Any) -> None:
    """Write to the JSON file `out` where the folder `root` is, and `more` beside it.

    An absolute path stays one, unless it leads to below the file's own folder.
    """
    by_name = os.path.normpath(root)
    if os.path.realpath(by_name) != os.path.realpath(root):
        # link/.. is not the folder that the link stands in
        given = os.path.realpath(root)
    elif Path(root).is_absolute() and Path.cwd() / out.parent not in Path(by_name).parents:
        given = by_name
    else:
        given = os.path.relpath(by_name, out.parent)
    write_json(out, {"root": given, **more})


def find(source: Path) -> Path:
    """Return the folder that a file of `note` names.

    Raises:
        ReidError: the file is missing or is none of these.
    """
    given = read_json(source, ["root"])["root"]
    if not isinstance(given, str):
        raise ReidError(f"{source}: 'root' is not a path; delete it and run again")
    return Path(os.path.normpath(source.parent / given))


def is_beside(root: Path, source: Path) -> bool:
    """Return whether a folder lies below that of the file which names it."""
    return source.parent.resolve() in root.resolve().parents
