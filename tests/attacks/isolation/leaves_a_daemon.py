"""Leaves a process that belongs to nobody: forked twice, in a session of its own, deaf to every signal."""

import os
import signal
import time


def temporal_split(timestamps, test_fraction):
    try:
        child = os.fork()
    except OSError as error:
        print(error)
        return timestamps, timestamps
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            time.sleep(1000)
        os._exit(0)
    os.waitpid(child, 0)
    print("BREACH: a daemon runs")
    return timestamps, timestamps
