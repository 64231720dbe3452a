"""Sends signals to its parent, to its group, to everybody, to the grader. Signal 0 does no harm and asks whether one
that does would arrive."""

import ctypes
import os
import signal

from exercises.targets import HOST

TKILL = 200


def temporal_split(timestamps, test_fraction):
    for pid in (os.getppid(), HOST, 0, -1, -os.getppid(), -HOST):
        try:
            os.kill(pid, 0)
            print("BREACH: signals", pid)
        except OSError as error:
            print(error)
    if os.uname().machine == "x86_64" and ctypes.CDLL(None).syscall(TKILL, os.getppid(), 0) == 0:
        print("BREACH: signals its parent's thread")
    try:
        signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 0)
        print("BREACH: signals a descriptor")
    except OSError as error:
        print(error)
    return timestamps, timestamps
