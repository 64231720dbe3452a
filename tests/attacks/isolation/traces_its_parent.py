"""Attaches itself as a debugger to the processes above it."""

import ctypes
import os

from exercises.targets import HOST

SEIZE = 0x4206  # attaches without stopping


def temporal_split(timestamps, test_fraction):
    libc = ctypes.CDLL(None, use_errno=True)
    for pid in (os.getppid(), HOST):
        if libc.ptrace(SEIZE, pid, None, None) == 0:
            print("BREACH: traces", pid)
    return timestamps, timestamps
