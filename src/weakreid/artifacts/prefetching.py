"""Batches, and results of workers, made ahead of the step that uses them."""

import itertools
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor
from typing import TypeVar

T = TypeVar("T")
J = TypeVar("J")


def in_order(pool: Executor, work: Callable[[J], T], jobs: Iterable[J], ahead: int) -> Iterator[T]:
    """Yield what a pool makes of jobs, in their order; so many at most wait or are worked on."""
    left = iter(jobs)
    waiting = deque(pool.submit(work, job) for job in itertools.islice(left, ahead))
    try:
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(work, job) for job in itertools.islice(left, 1))
    finally:
        for future in waiting:
            future.cancel()


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
