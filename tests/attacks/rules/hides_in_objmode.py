"""Is compiled, but all that it does it does in plain Python inside."""

import numba
import numpy as np


@numba.njit
def relu(x):
    with numba.objmode(y="float32[:]"):
        y = np.maximum(x, np.float32(0)).ravel()
    return y.copy().reshape(x.shape)
