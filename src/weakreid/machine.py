"""What a machine says when it cannot go on, as one line that a person can act on.

Memory, disk, rights, threads and devices run out or fail below this program, and each library says
so in its own way. What is not known here is no fault of the machine: it keeps its traceback.
"""

import errno
import os
import re
import sys
from concurrent.futures import BrokenExecutor

from weakreid.artifacts.files import FORBIDDEN, FULL

MORE_MEMORY = (
    "run fewer jobs at once (--cores), or take a machine with more memory (a cluster's job: its"
    " rule's mem_mb)"
)

_MEMORY = re.compile(
    r"out of memory|can't allocate memory|Cannot allocate memory|Insufficient memory|bad_alloc"
    r"|STATUS_ALLOC_FAILED|could not create a (?:memory|primitive)|unable to allocate",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"(?:tried to allocate|Unable to allocate|Failed to allocate|malloc of size)"
    r" ([\d.,]+ ?(?:[KMGTP]i?B|bytes)?)",
    re.IGNORECASE,
)
_ON_GPU = re.compile(r"CUDA|CUBLAS|CUDNN|\bGPU\b")
_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_SHARED = re.compile(r"/dev/shm|</?torch_|shared memory")
_NO_THREAD = re.compile(r"can't start new thread|pthread_create|Resource temporarily unavailable")
_DEVICE = re.compile(
    r"NVIDIA driver|No CUDA GPUs are available|no kernel image is available|CUDA driver"
    r"|CUDA unknown error|initialization error|busy or unavailable|invalid device ordinal"
    r"|uncorrectable ECC|GPU is lost|unspecified launch failure|not compiled with CUDA"
    r"|CUDNN_STATUS_NOT_INITIALIZED|CUBLAS_STATUS_NOT_INITIALIZED"
)
_OTHERS = re.compile(r"gloo|NCCL|ProcessGroup", re.IGNORECASE)
_DISK_OR_NETWORK = (
    *(errno.EIO, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN),
    *(errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ECONNRESET),
)


def faults() -> tuple[type[BaseException], ...]:
    """Return the types of error that `explain` may know."""
    # not imported for this: a stage that did not import it cannot have met its errors
    opencv = sys.modules.get("cv2")
    return (MemoryError, OSError, RuntimeError, *((opencv.error,) if opencv else ()))


def explain(error: BaseException, less_memory: str | None = None) -> str | None:
    """Return one line on what the machine lacks and what to do; None for any other error.

    Args:
        error: of one of the types of `faults`.
        less_memory: the settings of what is running that make it need less memory.
    """
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno is not None:
        found = _of_system(error, less_memory)
        if found is not None:
            return found
    if isinstance(error, MemoryError) or _MEMORY.search(text):
        return _memory(text, less_memory)
    if isinstance(error, BrokenExecutor):
        return (
            "a process that this one had started was killed, as happens where memory runs out: "
            + _advice(less_memory, on_gpu=False)
        )
    if _FULL.search(text):
        return _full("/dev/shm" if _SHARED.search(text) else None)
    if _NO_THREAD.search(text):
        return _no_thread()
    if _DEVICE.search(text):
        return (
            f"the GPU cannot be used ({_short(text)}); look at nvidia-smi, the driver and"
            " CUDA_VISIBLE_DEVICES, or compute without one: --set-resources RULE:device=cpu"
        )
    if _is_of_others(error, text):
        return (
            f"another process of this training ended or cannot be reached ({_short(text)}); its own"
            " error is in this log too, unless it was killed, as happens where memory runs out"
        )
    return None


def _of_system(error: OSError, less_memory: str | None) -> str | None:
    """Return what to say of an error that the system numbered; None where it is not known."""
    names = [
        os.fsdecode(n) for n in (error.filename, error.filename2) if isinstance(n, str | bytes)
    ]
    where = names[0] if names else None
    reason = os.strerror(error.errno or 0)
    if error.errno == errno.ENOMEM:
        return _memory(reason, less_memory)
    if error.errno in FULL:
        return _full(where)
    # not of a terminal or pipe that takes no more for now
    if error.errno == errno.EAGAIN and error.strerror == reason:
        return _no_thread()
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{where or 'this process'}: too many files are open at once; raise ulimit -n"
    if error.errno in FORBIDDEN:
        return (
            f"{where or 'a file or device'}: no right to read or write it ({reason}); give yourself"
            " the right (chmod), or ask its owner"
        )
    if error.errno in _DISK_OR_NETWORK:
        return (
            f"{where or 'a file or device'}: {reason}; see to the disk, device or network that it"
            " is on, and run again"
        )
    return None


def _memory(text: str, less_memory: str | None) -> str:
    on_gpu = _ON_GPU.search(text) is not None
    amount = _AMOUNT.search(text)
    asked = ""
    if amount is not None:
        size = amount[1].strip(" .,")
        asked = f" ({size if size[-1] in 'Bs' else f'{size} bytes'} were asked for)"
    place = "memory of the GPU" if on_gpu else "memory"
    return f"out of {place}{asked}: {_advice(less_memory, on_gpu)}"


def _advice(less_memory: str | None, on_gpu: bool) -> str:
    other = (
        "use a GPU with more memory that no other program is using, or --set-resources"
        " RULE:device=cpu"
        if on_gpu
        else MORE_MEMORY
    )
    return f"{less_memory}; or {other}" if less_memory else other


def _full(where: str | None) -> str:
    if where is not None and where.startswith("/dev/shm"):
        return (
            "the shared memory /dev/shm is full; free some, or give the machine or container more"
            " of it (--shm-size)"
        )
    return f"the disk is full{f': {where}' if where else ''}; free some space and run again"


def _no_thread() -> str:
    return (
        "no further thread or process can be started: use fewer threads (--set-threads), or raise"
        " the limits on processes (ulimit -u) and memory"
    )


def _is_of_others(error: BaseException, text: str) -> bool:
    """Return whether a training's processes lost one another."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available():
        return False
    if isinstance(error, torch.distributed.DistError):
        return True
    lost = re.search(r"closed by peer|reset by peer|[Tt]imed? ?out|Broken pipe|refused", text)
    return lost is not None and _OTHERS.search(text) is not None


def _short(text: str) -> str:
    """Return a library's first sentence, at most 160 characters of it."""
    first = re.split(r"(?<=[a-z])\. |; | Compile with | For debugging ", text)[0]
    return first if len(first) <= 160 else first[:157] + "..."
