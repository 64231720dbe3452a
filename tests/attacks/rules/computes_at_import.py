"""Has a decorator of its own, which hands numba another function than the one that is read."""

import numba
import numpy as np


def other(function):
    return numba.njit(lambda x: np.maximum(x, np.float32(0)))


@other
def relu(x):
    return x
