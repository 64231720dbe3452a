"""Limits that a guest process puts on itself before it sees any of the student's code.

They hold without privileges and survive whatever the code does; where the platform has none (Windows) they are
skipped, and the host's deadlines are what remains.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys

MEMORY = 4 << 30
FILE_SIZE = 16 << 20
OPEN_FILES = 256
CPU_SECONDS = 1800
COLLECTOR = 100_000, 50, 1000  # thresholds of the garbage collector
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_DUMPABLE = 4


def apply(device: bool = False) -> None:
    """Bound memory, file size, open files, CPU time and core dumps of this process and its children.

    A CUDA driver asks for more addresses than any machine has memory: with a `device` they are not bounded.
    """
    try:
        import resource
    except ImportError:
        return
    for kind, bound in (
        *([] if device else [(resource.RLIMIT_AS, MEMORY)]),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS; the deadlines still hold
            resource.setrlimit(kind, (bound, bound))


def die_with_parent() -> None:
    """On Linux, be killed when the parent goes, however it goes."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """On Linux, become the parent of descendants whose own parent has gone, so that none gets out of sight."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1)


def hide_memory() -> None:
    """On Linux, let nobody of the same user look into this process or trace it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0)


def go_first() -> None:
    """On Linux, be what the kernel ends when memory runs out, and not the grader or somebody else's work."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")


def spare_memory() -> None:
    """Let the garbage collector pass over all that is here, which children share, and look at the rest seldom.

    Compiling makes hundreds of thousands of objects that stay. Looking at them as often as Python usually does takes a
    fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR)


def silence() -> None:
    """Point the standard streams' descriptors at nothing: a flood of output from compiled code goes nowhere."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
