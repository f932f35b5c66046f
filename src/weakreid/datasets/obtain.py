"""A distributed dataset comes into its place: fetched, unpacked, or found there as it is."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from weakreid.config.datasets import Archive
from weakreid.console import say, warn
from weakreid.datasets.fetch import discard, expected_digest, fetch, remember
from weakreid.datasets.layout import name_some
from weakreid.datasets.lookup import advice, lacking
from weakreid.datasets.unpack import WrongArchiveError, unpack_all, unpacked
from weakreid.errors import ReidError


def bring(
    archives: Mapping[str, Archive],
    root: Path,
    lock_path: Path,
    *,
    required: Sequence[str],
    optional: Sequence[str],
    dataset: str,
    how_to_get: str,
) -> None:
    """Put what `archives` hold below `root` where a reader looks, and check that it is there.

    A digest is recorded, and a download kept, only when the archive has proved to be the right one.

    Args:
        archives: by file name; none: the data is in its place already.
        root: the folder of the data.
        lock_path: as for `fetch`.
        required: paths below `root` that a reader needs.
        optional: paths that it takes where they are.
        dataset: its name, for messages.
        how_to_get: what to do where something is lacking and there is no archive.

    Raises:
        ReidError: something required is lacking in the end, or what `fetch` and `unpack_all` raise.
    """
    root = Path(root)
    if archives and _is_others(root):
        _use_as_it_is(archives, root, lock_path, required, dataset)
    elif archives:
        found = fetch(archives, root, lock_path, dataset=dataset)
        try:
            packed = {each.name: (each.path, each.digest) for each in found}
            unpack_all(packed, root, required=required, optional=optional)
        except WrongArchiveError as error:
            wrong = [each for each in found if each.name in error.names]
            gone = [each.name for each in wrong if discard(each)]
            kept = [each for each in wrong if each.name not in gone and each.path.parent == root]
            text = f"{dataset}: {error}"
            if gone:
                text += f"; {name_some(gone)} was not kept, so running again fetches it anew"
            if kept:
                text += f"; delete {kept[0].path} first, and its entry in {lock_path}"
            raise ReidError(text) from error
        for each in found:
            remember(each, lock_path, dataset=dataset)
    gone_for_good = lacking(root, required)
    if gone_for_good:
        there = advice(root, required) or f"; {how_to_get}"
        raise ReidError(f"{dataset}: {root} lacks {name_some(gone_for_good)}{there}")


def _is_others(root: Path) -> bool:
    """Return whether a folder is there in which nothing can be made, such as a team's."""
    return root.is_dir() and not os.access(root, os.W_OK | os.X_OK)


def _use_as_it_is(
    archives: Mapping[str, Archive],
    root: Path,
    lock_path: Path,
    required: Sequence[str],
    dataset: str,
) -> None:
    """Make sure that a folder that cannot be written to holds what the archives would bring."""
    gone = lacking(root, required)
    if gone:
        raise ReidError(
            f"{dataset}: {root} lacks {name_some(gone)}, and nothing can be written there; ask its"
            " owner to unpack the archives, or set root to a folder of your own"
        )
    unknown = []
    for name, archive in archives.items():
        digest = unpacked(root, name)
        expected = expected_digest(dataset, name, archive, lock_path)
        if digest is None:
            unknown.append(name)
        elif expected not in (None, digest):
            raise ReidError(
                f"{dataset}: {root} holds what another {name} (sha256 {digest}) unpacked to, not"
                f" {expected}, and nothing can be written there; set root to a folder of your own,"
                " or leave archives out to take it as it is"
            )
    say(f"{dataset}: {root} is not mine to write to, and is used as it is")
    if unknown:
        warn(
            f"{dataset}: {root} cannot be written to and is used as it is, though nothing there"
            f" says that {name_some(unknown)} was unpacked"
        )
