"""What a person should know of many files, without the same line a hundred times."""

from collections import Counter

from weakreid.console import say, warn

MOST = 5


class Notices:
    """Warnings of one stage: each text once, of each kind the first few on the terminal.

    The log has all of them. `close` says how many there are beyond those.
    """

    def __init__(self, most: int = MOST) -> None:
        """Take the number of lines of a kind that the terminal gets."""
        self._most = most
        self._seen: set[str] = set()
        self._count: Counter[str] = Counter()

    def add(self, kind: str, text: str) -> None:
        """Warn of something, unless the same was said before."""
        if text in self._seen:
            return
        self._seen.add(text)
        self._count[kind] += 1
        if self._count[kind] <= self._most:
            warn(text)
        else:
            say(f"warning: {text}")

    def close(self) -> None:
        """Say what the terminal has not seen."""
        for kind, count in self._count.items():
            if count > self._most:
                warn(f"{count - self._most} more warnings like these ({kind}) are in the log")
