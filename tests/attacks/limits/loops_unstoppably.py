"""Hangs, and ignores every signal that can be ignored."""

import signal


def temporal_split(timestamps, test_fraction):
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
