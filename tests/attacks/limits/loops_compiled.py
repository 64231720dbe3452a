"""Hangs in machine code, which no Python signal handler interrupts."""

from numba import config, njit


@njit
def relu(x):
    i = 0
    while i >= 0 and not INTERPRETED:
        i = i ^ 1
    return x


INTERPRETED = bool(config.DISABLE_JIT)
