"""What a reader is told, but for what a test changes."""

from typing import Any

from weakreid.config.datasets import Reading


def how(**changes: Any) -> Reading:
    """Return what a reader is told that stops at bad frames and takes data as it is."""
    return Reading(**{"on_bad_frame": "stop", "official": False, "split_seed": None, **changes})
