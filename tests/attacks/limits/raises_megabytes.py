"""Raises an exception whose message is a hundred megabytes long, with a chain as long."""


def temporal_split(timestamps, test_fraction):
    raise ValueError("x" * (100 << 20)) from ValueError("y" * (100 << 20))
