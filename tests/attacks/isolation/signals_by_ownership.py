"""Makes its parent the owner of a pipe, whose owner the kernel tells of news by a signal of one's choice. Asks for that
in both ways that the kernel understands: half of the number is not looked at, and may hold anything."""

import ctypes
import os
from fcntl import F_SETOWN

FCNTL, IGNORED_HALF = 72, 1 << 32


def temporal_split(timestamps, test_fraction):
    libc = ctypes.CDLL(None, use_errno=True)
    reading, _ = os.pipe()
    if libc.fcntl(reading, F_SETOWN, os.getppid()) == 0:
        print("BREACH: the parent owns a pipe")
    command = ctypes.c_long(F_SETOWN | IGNORED_HALF)
    if os.uname().machine == "x86_64" and libc.syscall(FCNTL, reading, command, os.getppid()) == 0:
        print("BREACH: the parent owns a pipe")
    return timestamps, timestamps
