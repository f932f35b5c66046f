"""Processes that must not outlive the one that started them."""

import os
import threading
import time


def end_with(parent: int) -> None:
    """End this process, from now on, once the process that started it is gone.

    A parent that is killed cannot end its processes itself. One that stayed would wait for work, or
    for the others of a training, with its memory and its GPU, for half an hour or for ever.

    Args:
        parent: its process id. What was started and orphaned before this call ends too.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
