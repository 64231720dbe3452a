"""Pretends that somebody has pressed Ctrl+C."""


def temporal_split(timestamps, test_fraction):
    raise KeyboardInterrupt
