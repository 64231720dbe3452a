"""The simulated device: what right kernels may do, and what it finds in wrong ones, by name."""

import subprocess
import sys

import numpy as np
import pytest
from kernels import judged, line, numbers, poison

from grader import kit
from grader.exercise import Case, Launch
from grader.result import ERROR, FAILED, PASSED, TIMEOUT


def doubled(x, out):
    out[...] = 2 * x


def summed(x, out):
    out[0] = x.sum()


def transposed(x, out):
    out[...] = x.T


def vector_case(size=100, blocks=2, threads=64):
    return Case("a vector", launch=line(blocks, threads), x=numbers(size), out=poison(size))


def sum_case(size=90, blocks=2, threads=64, start=0.0):
    return Case("a sum", launch=line(blocks, threads), x=numbers(size), out=np.full(1, start, np.float32))


def test_a_right_kernel_passes_and_says_at_which_level():
    result = judged(
        """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = np.float32(2) * x[i]
""",
        doubled,
        vector_case(),
        vector_case(5),
        vector_case(0),
    )
    assert (result.status, result.level) == (PASSED, "simulated")
    assert "no compiler in this test" in result.message  # why it was not judged any further


WRONG = {
    "a missing guard": (
        """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    out[i] = np.float32(2) * x[i]
""",
        (ERROR, "thread 36 of block 1 asks for x[100], which has the shape (100,)", "if i < n"),
    ),
    "a guard that lets one more in": (
        """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    if i <= x.size:
        out[i] = np.float32(2) * x[i]
""",
        (ERROR, "x[100]", "if i < n"),
    ),
    "an index below zero": (
        """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1) - 1
    if i < x.size:
        out[i] = np.float32(2) * x[i]
""",
        (ERROR, "x[-1], which lies before its beginning", "if i >= 0"),
    ),
    "an index that is no whole number": (
        """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i / 1] = np.float32(2) * x[i]
""",
        (ERROR, "no whole number", "//"),
    ),
    "array arithmetic": (
        """
@cuda.jit
def kernel(x, out):
    out[:] = x
""",
        (ERROR, "used as a whole", "out[i]"),
    ),
    "NumPy's methods": (
        """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = x.sum()
""",
        (ERROR, "array x has no sum", "loop"),
    ),
    "too many indices": (
        """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i, 0] = x[i]
""",
        (ERROR, "out[0, 0] has 2 indices", "axes"),
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_kernel_that_leaves_its_arrays_is_told_where(what):
    source, (status, message, advice) = WRONG[what]
    result = judged(source, doubled, vector_case())
    assert result.status == status, result.message
    assert message in result.message
    assert advice in result.help
    assert "line" in result.message or status == FAILED


BLOCK_SUM = """
@cuda.jit
def kernel(x, out):
    sums = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    total = np.float32(0)
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        total += x[i]
    sums[t] = total
    cuda.syncthreads()
    step = 32
    while step:
        if t < step:
            sums[t] += sums[t + step]
        cuda.syncthreads()
        step //= 2
    if t == 0:
        cuda.atomic.add(out, 0, sums[0])
"""


def test_shared_memory_barriers_and_atomics_work_together():
    result = judged(BLOCK_SUM, summed, sum_case(), sum_case(200, 3))
    assert result.status == PASSED, result.message


def replaced(old, new):
    assert old in BLOCK_SUM
    return BLOCK_SUM.replace(old, new)


BROKEN_SUMS = {
    "no barrier behind the filling": (
        replaced("    sums[t] = total\n    cuda.syncthreads()\n", "    sums[t] = total\n"),
        ("a race on sums[", "syncthreads() between filling"),
    ),
    "no barrier between the steps": (
        replaced("        cuda.syncthreads()\n        step //= 2", "        step //= 2"),
        ("a race on sums[", "syncthreads()"),
    ),
    "a barrier that some never reach": (
        replaced(
            "            sums[t] += sums[t + step]\n        cuda.syncthreads()",
            "            sums[t] += sums[t + step]\n            cuda.syncthreads()",
        ),
        ("threads 0 to 31 of block 0 wait at syncthreads, line 19", "All threads of a block"),
    ),
    "threads that return before the barrier": (
        replaced(
            "    total = np.float32(0)\n", "    total = np.float32(0)\n    if cuda.grid(1) >= 90:\n        return\n"
        ),
        ("threads 26 to 63 ended before", "let no thread return before it"),
    ),
    "two barriers for one": (
        replaced(
            "    cuda.syncthreads()\n    step = 32",
            "    if t < 7:\n        cuda.syncthreads()\n    else:\n        cuda.syncthreads()\n    step = 32",
        ),
        ("threads 0 to 6 of block 0 wait", "syncthreads"),
    ),
    "no atomic on the sum": (
        replaced("cuda.atomic.add(out, 0, sums[0])", "out[0] += sums[0]"),
        ("a race on out[0]: thread 0 of block 0 writes it", "cuda.atomic"),
    ),
    "a tile that is too small": (
        replaced("cuda.shared.array(64", "cuda.shared.array(32"),
        ("the shared array has the shape (32,)", "too small for this block"),
    ),
}


@pytest.mark.parametrize("what", BROKEN_SUMS)
def test_what_is_wrong_between_threads_is_named(what):
    source, (message, advice) = BROKEN_SUMS[what]
    result = judged(source, summed, sum_case())
    assert result.status in (FAILED, ERROR)
    assert message in result.message, result.message
    assert advice in result.help


def test_a_part_of_a_tile_that_nobody_filled_is_told():
    source = replaced("    sums[t] = total\n", "    if t < 50:\n        sums[t] = total\n")
    result = judged(source, summed, sum_case())
    assert result.status == FAILED
    assert "nan" in result.message.lower()
    assert "was never written" in result.help


def test_what_one_block_writes_and_another_reads_is_a_race_in_every_order():
    result = judged(
        """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = np.float32(2) * x[i]
    cuda.syncthreads()
    if i > 0 and i < x.size:
        before = out[i - 1]
        if before != before:
            out[i] = before
""",
        doubled,
        vector_case(),
    )
    assert result.status == FAILED
    assert "a race on out[63]: thread 63 of block 0 writes it" in result.message
    assert "thread 0 of block 1 reads it" in result.message


def test_threads_that_all_write_the_same_do_not_race():
    result = judged(
        """
@cuda.jit
def kernel(x, out):
    out[0] = x[0]
""",
        lambda x, out: out.__setitem__(0, x[0]),
        sum_case(),
    )
    assert result.status == PASSED, result.message


WARP_SUM = """
@cuda.jit(device=True)
def over_the_warp(value):
    for delta in (16, 8, 4, 2, 1):
        value += cuda.shfl_down_sync(0xFFFFFFFF, value, delta)
    return value

@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    value = over_the_warp(x[i] if i < x.size else np.float32(0))
    if cuda.laneid == 0:
        cuda.atomic.add(out, 0, value)
"""


def test_a_warp_passes_values_between_its_lanes():
    assert judged(WARP_SUM, summed, sum_case(), sum_case(20, 1, 32)).status == PASSED


def test_votes_and_ballots_count_the_lanes():
    def votes(x, out):
        for warp in range(2):
            positive = x[32 * warp : 32 * (warp + 1)] > 0
            bits = int(sum(1 << i for i, one in enumerate(positive) if one))
            out[warp] = [positive.all(), positive.any(), bits & 0xFFFF, bits >> 16, positive.sum()]

    result = judged(
        """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    positive = x[i] > 0
    bits = cuda.ballot_sync(0xFFFFFFFF, positive)
    everyone = cuda.all_sync(0xFFFFFFFF, positive)
    anyone = cuda.any_sync(0xFFFFFFFF, positive)
    cuda.syncwarp()
    if cuda.laneid == 0:
        out[i // 32, 0] = everyone
        out[i // 32, 1] = anyone
        out[i // 32, 2] = bits & 0xFFFF
        out[i // 32, 3] = bits >> 16
        out[i // 32, 4] = cuda.popc(bits)
""",
        votes,
        Case("two warps", launch=line(1, 64), x=numbers(64), out=poison(2, 5)),
        Case("all of them", launch=line(2, 32), x=np.abs(numbers(64)), out=poison(2, 5)),
    )
    assert result.status == PASSED, result.message


def test_a_lane_that_stays_away_from_its_warp_is_told():
    source = WARP_SUM.replace(
        "    value = over", "    if cuda.laneid > 20:\n        cuda.syncthreads()\n    value = over"
    )
    result = judged(source, summed, sum_case())
    assert result.status == FAILED
    assert "threads 0 to 20" in result.message
    assert "wait at shfl_down_sync" in result.message


def test_a_mask_that_leaves_its_caller_out_is_told():
    result = judged(WARP_SUM.replace("0xFFFFFFFF", "0x0000FFFF"), summed, sum_case())
    assert result.status == ERROR
    assert "mask 0xffff, which leaves it out" in result.message


def test_two_shared_arrays_on_one_line_are_two():
    result = judged(
        """
@cuda.jit
def kernel(x, out):
    a = cuda.shared.array(64, float32); b = cuda.shared.array(64, float32)
    t, i = cuda.threadIdx.x, cuda.grid(1)
    a[t] = x[i] if i < x.size else np.float32(0)
    b[t] = np.float32(-1)
    cuda.syncthreads()
    if i < x.size:
        out[i] = a[t] * np.float32(2)
""",
        doubled,
        vector_case(),
    )
    assert result.status == PASSED, result.message


def test_arithmetic_overflows_as_on_a_device():
    def sigmoid(x, out):
        with np.errstate(over="ignore"):
            out[...] = 1 / (1 + np.exp(-x))

    result = judged(
        """
from math import exp

@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = np.float32(1) / (np.float32(1) + (exp(-x[i]) if i % 2 else math.exp(-x[i])))
""",
        sigmoid,
        Case("extremes", launch=line(1, 32), x=np.array([-1e3, -200, 0, 200, 1e3], np.float32), out=poison(5)),
    )
    assert result.status == PASSED, result.message


TRANSPOSE = """
@cuda.jit
def kernel(x, out):
    tile = cuda.shared.array((8, 9), float32)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    i, j = cuda.blockIdx.y * 8 + ty, cuda.blockIdx.x * 8 + tx
    if i < x.shape[0] and j < x.shape[1]:
        tile[ty, tx] = x[i, j]
    cuda.syncthreads()
    i, j = cuda.blockIdx.x * 8 + ty, cuda.blockIdx.y * 8 + tx
    if i < out.shape[0] and j < out.shape[1]:
        out[i, j] = tile[tx, ty]
"""
DIRECT = """
@cuda.jit
def kernel(x, out):
    j, i = cuda.grid(2)
    if i < x.shape[0] and j < x.shape[1]:
        out[j, i] = x[i, j]
"""


def matrix_case():
    return Case("a matrix", launch=Launch((3, 2), (8, 8)), x=numbers(16, 24), out=poison(24, 16))


def test_a_budget_of_sectors_tells_scattered_accesses():
    budget = {"sectors": {"x": 1.2, "out": 1.2}}
    assert judged(TRANSPOSE, transposed, matrix_case(), **budget).status == PASSED
    assert judged(DIRECT, transposed, matrix_case()).status == PASSED
    result = judged(DIRECT, transposed, matrix_case(), **budget)
    assert result.status == FAILED
    assert "accesses to out are scattered: 2.0 times" in result.message
    assert "threadIdx.x" in result.help


def test_a_budget_of_reads_tells_how_often_an_element_is_read():
    source = """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = np.float32(2) * x[i] + np.float32(0) * (x[i - 1 if i else 0] + x[0])
"""
    result = judged(source, doubled, vector_case(), vector_case(0), reads={"x": lambda x, out: 1}, writes={"out": 1})
    assert result.status == FAILED
    assert "x is read 2.97 times per element; 1 is enough" in result.message
    assert judged(source, doubled, vector_case(), reads={"x": 3}).status == PASSED


READ_AGAIN = """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = x[i] + x[i] if x[i] == x[i] else np.float32(0)
"""


def test_an_element_that_is_read_again_at_once_is_loaded_once():
    result = judged(READ_AGAIN, doubled, vector_case(), reads={"x": 1}, sectors={"x": 1.1})
    assert result.status == PASSED, result.message


def test_an_element_that_is_read_again_behind_a_store_is_loaded_again():
    source = READ_AGAIN.replace("        out[i] =", "        out[i] = x[i]\n        out[i] =")
    result = judged(source, doubled, vector_case(), reads={"x": 1})
    assert "x is read 2 times per element" in result.message


LONE = """
@cuda.jit
def kernel(x, out):
    if cuda.grid(1) == 0:
        for i in range(x.size):
            out[i] = np.float32(2) * x[i]
"""


def test_one_thread_that_does_all_the_work_is_told():
    result = judged(LONE, doubled, vector_case(), reads={"x": 1}, writes={"out": 1})
    assert result.status == FAILED
    assert "of 128 threads, thread 0 of block 0 does all the work on out" in result.message


def test_one_thread_alone_or_with_few_elements_may_do_all_the_work():
    alone = Case("one thread", launch=line(1, 1), x=numbers(100), out=poison(100))
    assert judged(LONE, doubled, alone, vector_case(64)).status == PASSED


def test_small_integers_and_bools_are_numbas_and_not_numpys():
    source = """
@cuda.jit
def kernel(pixels, mask, out):
    i = cuda.grid(1)
    if i < pixels.size and mask[i]:
        base = 256 * (i % 2)
        cuda.atomic.add(out, base + pixels[i], 1)
"""

    def counted(pixels, mask, out):
        for i in np.flatnonzero(mask):
            out[256 * (i % 2) + pixels[i]] += 1

    pixels = np.array([255, 255, 0, 200, 7], np.uint8)
    case = Case("pixels", launch=line(1, 32), pixels=pixels, mask=pixels > 8, out=np.zeros(512, np.int32))
    assert judged(source, counted, case).status == PASSED


LOCAL = """
@cuda.jit
def kernel(x, out):
    own = cuda.local.array(2, float32)
    i = cuda.grid(1)
    if i < x.size:
        own[0] = x[i]
        own[1] = x[i]
        out[i] = own[0] + own[1]
"""


@pytest.mark.parametrize(
    ("line_of_code", "told"),
    [
        ("own[-1] = x[i]", "thread 0 of block 0 asks for own[-1]"),
        ("own[2] = x[i]", "thread 0 of block 0 asks for own[2]"),
        ("own[:] = x[i]", "own is used as a whole"),
        ("own.fill(x[i])", "array own has no fill"),
    ],
)
def test_a_threads_own_array_is_one_of_a_device_too(line_of_code, told):
    assert judged(LOCAL, doubled, vector_case()).status == PASSED
    result = judged(LOCAL.replace("own[1] = x[i]", line_of_code), doubled, vector_case())
    assert result.status == ERROR
    assert told in result.message


SWAP = """
@cuda.jit
def kernel(x, out):
    tile = cuda.shared.array(32, float32)
    lane = cuda.laneid
    tile[lane] = x[lane]
    BARRIER
    out[lane] = x[lane] + tile[lane ^ 16]
"""
NO_BARRIERS = {
    "a shuffle": "cuda.shfl_sync(0xFFFFFFFF, x[lane], 0)",
    "a vote": "cuda.any_sync(0xFFFFFFFF, True)",
    "a barrier of each half": "cuda.syncwarp(0xFFFF if lane < 16 else 0xFFFF0000)",
}


def swapped(x, out):
    out[...] = x + np.roll(x, 16)


@pytest.mark.parametrize("what", NO_BARRIERS)
def test_what_is_no_barrier_of_the_lanes_that_meet_orders_nothing(what):
    case = Case("a warp", launch=line(1, 32), x=numbers(32), out=poison(32))
    result = judged(SWAP.replace("BARRIER", NO_BARRIERS[what]), swapped, case)
    assert result.status == FAILED
    assert "a race on tile" in result.message
    assert judged(SWAP.replace("BARRIER", "cuda.syncwarp()"), swapped, case).status == PASSED


@pytest.mark.parametrize(
    ("imports", "prefix"),
    [
        ("import numba", "numba.cuda."),
        ("import numba.cuda as nc", "nc."),
        ("from numba.cuda import grid, threadIdx", ""),
    ],
)
def test_every_way_to_write_what_a_kernel_calls_is_simulated(imports, prefix):
    source = f"""
{imports}

@cuda.jit
def kernel(x, out):
    i = {prefix}grid(1)
    if {prefix}threadIdx.x >= 0 and i < x.size:
        out[i] = np.float32(2) * x[i]
"""
    result = judged(source, doubled, vector_case())
    assert result.status == PASSED, result.message


def test_a_walk_of_each_block_over_everything_is_told_by_its_writes():
    source = """
@cuda.jit
def kernel(x, out):
    for i in range(cuda.threadIdx.x, x.size, cuda.blockDim.x):
        out[i] = np.float32(2) * x[i]
"""
    result = judged(source, doubled, vector_case(), writes={"out": 1})
    assert result.status == FAILED
    assert "out is written 2 times per element" in result.message


STEP = """
@cuda.jit
def double(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = np.float32(2) * x[i]

def kernel(x, out):
    between = cuda.device_array(x.shape, np.float32)
    double[2, 64](x, between)
    double[2, 64](between, out)
    return between
"""


def quadrupled(x, out):
    out[...] = 4 * x
    return 2 * x


def host_case():
    return Case("a vector", x=numbers(100), out=poison(100))


def test_a_host_function_launches_kernels_on_device_arrays():
    result = judged(STEP, quadrupled, host_case(), cuda="host", returns=("between",))
    assert result.status == PASSED, result.message


def test_a_host_function_that_launches_nothing_is_told():
    lines = STEP.partition("    between")[0] + "    return x\n"
    result = judged(lines, lambda x, out: x, host_case(), cuda="host", returns=("same",))
    assert (result.status, result.message) == (FAILED, "kernel: it launches no kernel.")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    return between", "    between = between.copy_to_host()\n    return between"),
        ("cuda.device_array(x.shape, np.float32)", "cuda.to_device(np.zeros(100, np.float32))"),
        ("cuda.device_array(x.shape, np.float32)", "np.zeros(100, np.float32)"),
    ],
)
def test_copies_between_host_and_device_are_counted(old, new):
    result = judged(STEP.replace(old, new), quadrupled, host_case(), cuda="host", returns=("between",))
    assert result.status == FAILED
    assert "goes between host and device" in result.message
    allowed = judged(STEP.replace(old, new), quadrupled, host_case(), cuda="host", returns=("between",), copies=4)
    assert allowed.status == PASSED, allowed.message


@pytest.mark.parametrize(
    "lines",
    [
        "    out[:] = x * 4\n",
        "    x += x\n",
        "    total = x.sum()\n",
        "    same = x == out\n",
        "    y = x.astype(np.float64)\n",
    ],
)
def test_a_device_array_computes_nothing_by_itself(lines):
    result = judged(STEP.replace("    return", f"{lines}    return"), quadrupled, host_case(), cuda="host", copies=9)
    assert result.status == ERROR
    assert "it asks a device array for" in result.message
    assert "Launch a kernel" in result.help


@pytest.mark.parametrize(
    "lines", ["    first = x[0]\n", "    out[0] = out[0]\n", "    y = np.exp(x)\n", "    y = np.asarray(x)\n"]
)
def test_what_reaches_a_device_array_from_the_host_is_a_copy(lines):
    source = STEP.replace("    return", f"{lines}    return")
    result = judged(source, quadrupled, host_case(), cuda="host", returns=("between",))
    assert result.status == FAILED
    assert "goes between host and device" in result.message


def test_memory_that_a_host_function_asks_for_is_poisoned():
    source = STEP.replace("    double[2, 64](x, between)\n", "")
    result = judged(source, quadrupled, host_case(), cuda="host", returns=("between",))
    assert result.status == FAILED
    assert "nan" in result.message


@pytest.mark.parametrize(("grid", "block"), [((0,), (32,)), ((1,), (0,)), ((1,), (1025,))])
def test_a_launch_that_no_device_takes_is_refused(grid, block):
    source = STEP.replace("[2, 64](x, between)", f"[{grid[0]}, {block[0]}](x, between)")
    result = judged(source, quadrupled, host_case(), cuda="host", returns=("between",))
    assert result.status == ERROR
    assert "it is launched with a" in result.message


def test_more_shared_memory_than_a_block_has_is_refused():
    result = judged(BLOCK_SUM.replace("array(64", "array(20000"), summed, sum_case())
    assert result.status == ERROR
    assert "80000 bytes, and a block has 49152" in result.message


def test_a_loop_without_end_is_told_with_its_line():
    result = judged(
        """
@cuda.jit
def kernel(x, out):
    while cuda.atomic.add(out, 0, np.float32(0)) < np.float32(5):
        pass
""",
        summed,
        sum_case(),
    )
    assert result.status == TIMEOUT
    assert "line 8" in result.message


def test_random_numbers_of_numba_are_drawn_on_the_simulated_device():
    result = judged(
        """
from numba.cuda.random import create_xoroshiro128p_states, xoroshiro128p_uniform_float32

@cuda.jit
def draw(states, out):
    i = cuda.grid(1)
    if i < out.size:
        out[i] = xoroshiro128p_uniform_float32(states, i)

def kernel(out):
    states = create_xoroshiro128p_states(50, seed=1)
    draw[1, 64](states, out)
    got = out.copy_to_host()
    return bool((got >= 0).all() and (got < 1).all() and len(np.unique(got)) > 40)
""",
        lambda out: True,
        Case("64 numbers", out=poison(50)),
        cuda="host",
        returns=("uniform",),
        changes=(),
        copies=9,
    )
    assert result.message == "kernel: the argument out was changed."  # the draws are right, and nobody asked for out


ALONE = """
import sys
{before}
sys.path.insert(0, "grader/worker/guest")
import numba
numba.config.ENABLE_CUDASIM = True
import numpy as np
from gpu.simulator import Simulator
simulator = Simulator()
simulator.install()
from numba import cuda, float32, int32
{source}
x = np.arange(90, dtype=np.float32)
out = np.zeros(1, np.float32)
simulator.run(kernel, {{"x": x, "out": out}}, {{"grid": [2], "block": [64], "shared": 0, "seed": 3}})
print(out[0], simulator.report()["threads"], cuda.implementation)
"""
PARTS = {
    "without greenlets": ('sys.modules["greenlet"] = None', "threads"),
    "without numba-cuda": (
        "sys.meta_path[:] = [one for one in sys.meta_path if 'Numba' not in type(one).__name__]",
        "Built-in",
    ),
    "with a numba-cuda that lacks its libraries": ('sys.modules["cuda.bindings"] = None', "Built-in"),
}


@pytest.mark.parametrize("what", PARTS)
def test_the_simulator_does_the_same_whatever_is_missing(what):
    before, told = PARTS[what]
    command = [sys.executable, "-c", ALONE.format(before=before, source=BLOCK_SUM)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=kit.ROOT)
    assert run.stdout.split()[:1] == [str(float(np.arange(90).sum()))], run.stderr
    assert told in run.stdout
