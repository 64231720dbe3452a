"""Has NumPy's product made of a pickle, in a helper of a helper."""

import pickle

import numba


def made():
    return pickle.loads(b"cnumpy\nd" + b"ot\n.")


PRODUCTS = (made(),)
product = PRODUCTS[0]


@numba.njit
def matmul(a, b):
    return product(a, b)
