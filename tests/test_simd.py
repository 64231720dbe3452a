"""The vectors given to the students: the same numbers in plain Python, checked and fast code, and no wild access."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from grader import kit
from solutions import simd
from solutions.simd import LANES, broadcast, fma, load, maximum, store, zeros

NUMBERS = np.linspace(-3, 5, 3 * LANES, dtype=np.float32)


def combine(x, y, result, index):
    """Every function of the module once."""
    value = fma(broadcast(x, 1), load(y, index), zeros())
    store(result, index, maximum(value, load(x, 0)))


def read_one(x, index):
    return broadcast(x, index)


def read(x, index):
    store(x, 0, load(x, index))


def write(x, index):
    store(x, index, zeros())


def copy_one(x, index):
    store(x, 0, read_one_compiled(x, index))


combine_compiled = njit(combine)
combine_checked = njit(combine, boundscheck=True)
read_one_compiled = njit(read_one, boundscheck=True)
CHECKED = {
    "load": njit(read, boundscheck=True),
    "store": njit(write, boundscheck=True),
    "broadcast": njit(copy_one, boundscheck=True),
}
PLAIN = {"load": read, "store": write, "broadcast": lambda x, index: store(x, 0, broadcast(x, index))}
ROOM = {"load": LANES, "store": LANES, "broadcast": 1}


@pytest.mark.parametrize("function", [combine, combine_compiled, combine_checked], ids=["plain", "fast", "checked"])
def test_the_lanes_are_computed_one_by_one(function):
    x, y, result = NUMBERS, NUMBERS[::-1].copy(), np.zeros_like(NUMBERS)
    function(x, y, result, LANES)
    right = np.maximum(x[1] * y[LANES : 2 * LANES], x[:LANES])
    np.testing.assert_allclose(result[LANES : 2 * LANES], right, rtol=1e-6)
    assert not result[:LANES].any()
    assert not result[2 * LANES :].any()


@pytest.mark.parametrize("function", [combine, combine_compiled], ids=["plain", "fast"])
def test_nan_is_the_maximum_on_either_side(function):
    x, y, result = np.ones(LANES, np.float32), np.ones(LANES, np.float32), np.zeros(LANES, np.float32)
    x[2], y[3] = np.nan, np.nan
    function(x, y, result, 0)
    np.testing.assert_array_equal(np.isnan(result), np.isin(np.arange(LANES), (2, 3)))


@pytest.mark.parametrize("functions", [PLAIN, CHECKED], ids=["plain", "checked"])
@pytest.mark.parametrize("name", ROOM)
def test_an_index_that_leads_out_of_the_array_is_an_index_error(functions, name):
    last = NUMBERS.size - ROOM[name]
    functions[name](NUMBERS.copy(), last)
    for index in (-1, last + 1, 10**6):
        with pytest.raises(IndexError):
            functions[name](NUMBERS.copy(), index)


@pytest.mark.parametrize(
    "array", [NUMBERS[::2], NUMBERS.astype(np.float64), NUMBERS.reshape(3, LANES)], ids=["gaps", "float64", "two axes"]
)
def test_an_array_of_another_kind_is_refused_with_advice(array):
    with pytest.raises(TypingError, match=r"Give it a float32 array of one axis"):
        njit(read)(array, 0)


def test_an_index_that_is_no_integer_is_refused():
    with pytest.raises(TypingError, match="Give it an integer"):
        njit(read)(NUMBERS, 0.5)


def test_a_loaded_vector_is_a_copy():
    x = NUMBERS.copy()
    vector = load(x, 0)
    x[0] = 100
    assert vector[0] == NUMBERS[0]


def test_the_module_works_with_the_compiler_off():
    code = (
        "import numpy as np, numba\nfrom solutions.simd import *\n"
        "@numba.njit\ndef twice(x):\n    store(x, 0, fma(load(x, 0), broadcast(x, 0), zeros()))\n"
        "x = np.full(LANES, 3, np.float32)\ntwice(x)\nassert (x == 9).all()\n"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(kit.ROOT)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_a_vector_is_as_wide_as_the_processor_has_them():
    assert LANES in (8, 16)
    assert simd.vector_type.name == f"float32x{LANES}"
