"""Calls itself until the machine's own stack overflows, not only Python's."""

import sys


def temporal_split(timestamps, test_fraction):
    sys.setrecursionlimit(2**31 - 1)
    nested = []
    for _ in range(2_000_000):
        nested = [nested]
    return repr(nested)
