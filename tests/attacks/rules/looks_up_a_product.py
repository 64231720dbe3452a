"""Has NumPy's product looked up by a text that nobody reads as its name."""

import pkgutil

import numba

product = pkgutil.resolve_name("numpy:d" + "ot")


@numba.njit
def matmul(a, b):
    return product(a, b)
