"""Where in a folder that somebody else packed lies what a reader needs.

A reader names what it needs by the path below its root, `prid_2011/multi_shot/cam_a`. People's
archives and folders have it some folders deeper (`download/prid_2011/multi_shot/cam_a`), or without
the first ones (`multi_shot/cam_a`).
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from weakreid.artifacts.files import there
from weakreid.datasets.litter import entries

DEPTH = 2
"""How many folders deeper it is looked for."""


@dataclass(frozen=True)
class Found:
    """Something that a reader needs, in another place."""

    wanted: str  # its path as the reader names it
    held: str  # where it lies, below the folder that was searched

    @property
    def move(self) -> tuple[str, str]:
        """What to move where, so that the reader finds it: the folder or file at the top of it."""
        wanted, held = self.wanted.split("/"), self.held.split("/")
        same = 0
        while same < min(len(wanted), len(held)) and wanted[-1 - same] == held[-1 - same]:
            same += 1
        return "/".join(held[: len(held) - same + 1]), "/".join(wanted[: len(wanted) - same + 1])


def lacking(root: Path, names: Sequence[str]) -> list[str]:
    """Return which of `names` are not below `root`.

    Raises:
        ReidError: it cannot be told, as there is no right to look.
    """
    return [name for name in names if not there(root / name)]


def locate(root: Path, names: Sequence[str]) -> list[Found]:
    """Return which of `names` lie elsewhere below `root`, and where.

    What lies deeper is known by its whole path, else by the end of it: two names at least, or that
    of a file (a folder cam1 alone may be another one). Of several such places none is taken.
    """
    if not names:
        return []
    folders = ["", *_below(root, DEPTH)]
    found = []
    for name in names:
        parts = name.split("/")
        for start in range(len(parts)):
            end = parts[start:]
            if start and len(end) < 2 and "." not in end[-1]:
                break
            held = ["/".join(filter(None, [folder, *end])) for folder in folders]
            held = [path for path in held if path != name and there(root / path)]
            if held:
                depth = min(path.count("/") for path in held)
                nearest = [path for path in held if path.count("/") == depth]
                if len(nearest) == 1:
                    found.append(Found(name, nearest[0]))
                break
    return found


def advice(root: Path, required: Sequence[str], key: str = "root") -> str:
    """Return what to do about what lies elsewhere below a root, as "; ..."; else nothing.

    Args:
        root: the folder.
        required: what a reader needs below it.
        key: of the config, which says where the root is.
    """
    found = locate(root, lacking(root, required))
    if not found:
        return ""
    held, wanted = found[0].move
    if len(found) == len(required) and held.endswith(f"/{wanted}"):
        return f"; {held} lies there, so set {key} to {root / held.removesuffix(f'/{wanted}')}"
    return f"; {held} lies there, so move it to {root / wanted}"


def tops(root: Path, most: int = 4) -> str:
    """Return what lies in a folder, for a message: names, and how many there are."""
    names = sorted(entry.name for entry in entries(root))
    text = ", ".join(names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most} more"


def _below(root: Path, depth: int) -> Iterator[str]:
    """Yield the folders below one, the near ones first."""
    level = [""]
    for _ in range(depth):
        level = [
            f"{place}/{name}" if place else name
            for place in level
            for name in sorted(entry.name for entry in entries(root / place) if _is_folder(entry))
        ]
        yield from level


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # a link in a circle, or to where nobody may look: nothing is searched there
        return False
