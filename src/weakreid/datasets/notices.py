"""What a person should know of many files, without the same line a hundred times, and from when.

A loss goes to the terminal where it is more than a person expects: `SHARE` of a sequence's boxes,
`slack` of its frames.
"""

from collections import Counter

from weakreid.console import say, warn

MOST = 5
SHARE = 0.1
"""More than this share of a sequence's boxes is more than anybody expects: on seven MOT17 videos
and PETS09, no tracker has 5 % that lean out by over a tenth, nor 2 % in tracks of under 6 boxes."""


def slack(frames: int) -> int:
    """Return how many frames one file may go on after another: a twentieth, 25 at least."""
    return max(25, frames // 20)


class Notices:
    """Warnings of one stage: each text once, of each kind the first few on the terminal.

    The log has all of them. `close` says how many there are beyond those.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._count: Counter[str] = Counter()

    def add(self, kind: str, text: str) -> None:
        """Warn of something, unless the same was said before."""
        if text in self._seen:
            return
        self._seen.add(text)
        self._count[kind] += 1
        if self._count[kind] <= MOST:
            warn(text)
        else:
            say(f"warning: {text}")

    def close(self) -> None:
        """Say what the terminal has not seen."""
        for kind, count in self._count.items():
            if count > MOST:
                warn(f"{count - MOST} more warnings like these ({kind}) are in the log")
