"""Batches made ahead of the step that uses them."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")


class _End:
    """Marks the end of the batches, with the error that ended them, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(batches: Iterable[T], depth: int = 2) -> Generator[T, None, None]:
    """Yield `batches` in their order, `depth` of them made ahead by a thread.

    The work that makes a batch (JPEG decoding, array copies) releases the interpreter's lock, so
    a thread serves as well as a process and shares the memory-mapped store. An error in making a
    batch is raised where the batch would have been used. Leaving early stops the thread.
    """
    ready: queue.Queue[T | _End] = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def offer(item: T | _End) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        error: BaseException | None = None
        try:
            for batch in batches:
                if not offer(batch):
                    return
        except BaseException as caught:
            error = caught
        offer(_End(error))

    thread = threading.Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()
        thread.join()
