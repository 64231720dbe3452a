"""Replaces numba's decorators by some that compile nothing, for itself and for its neighbours."""

import numba


@numba.njit
def relu(x):
    return x * x


numba.njit = numba.jit = lambda *arguments, **options: arguments[0] if arguments else lambda function: None
