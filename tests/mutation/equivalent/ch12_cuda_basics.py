"""Mutants of ch12_cuda_basics that no case can tell from the solution."""

from __future__ import annotations

from .reasons import BOTH_SIDES_AT_ZERO, START_OF_SUM, WIDER

POISON = "The array is written before it is read; what it holds at first does not matter."
TOLD_TO_ALL = "warp_sum and warp_max tell every lane the same number: any of them, or all, may write it."
SIGN_CANCELS = "The sign stands above and below the fraction bar."

EQUIVALENT: dict[str, str] = {
    "ch12_cuda_basics.relu_kernel:3 max(x[i], np.float32(0)) -> max(x[i], 0)": WIDER,
    "ch12_cuda_basics.axpy_kernel:3 np.float32(alpha) * x[i] -> alpha * x[i]": WIDER,
    "ch12_cuda_basics.sigmoid_kernel:1 one = np.float32(1) -> one = 1": WIDER,
    "ch12_cuda_basics.sigmoid_kernel:5 value >= 0 -> value > 0": BOTH_SIDES_AT_ZERO,
    "ch12_cuda_basics.relu_items_kernel:1 values = cuda.local.array(ITEMS, float32) -> values = -cuda.local.array(ITEMS, float32)": POISON,
    "ch12_cuda_basics.relu_items_kernel:10 max(values[item], np.float32(0)) -> max(values[item], 0)": WIDER,
    "ch12_cuda_basics.block_sum_kernel:3 total = np.float32(0) -> total = 0": START_OF_SUM,
    "ch12_cuda_basics.dot_kernel:3 total = np.float32(0) -> total = 0": START_OF_SUM,
    "ch12_cuda_basics.dot_kernel:7 if t % WARP == 0: -> if True:": TOLD_TO_ALL,
    "ch12_cuda_basics.dot_kernel:7 t % WARP == 0 -> t % WARP != 0": TOLD_TO_ALL,
    "ch12_cuda_basics.dot_kernel:7 t % WARP == 0 -> t % WARP == 1": TOLD_TO_ALL,
    "ch12_cuda_basics.dot_kernel:10 t == 0 -> t == 1": TOLD_TO_ALL,
    "ch12_cuda_basics.softmax_kernel:7 np.float32(-math.inf) -> -math.inf": WIDER,
    "ch12_cuda_basics.softmax_kernel:12 if t % WARP == 0: -> if True:": TOLD_TO_ALL,
    "ch12_cuda_basics.softmax_kernel:12 t % WARP == 0 -> t % WARP != 0": TOLD_TO_ALL,
    "ch12_cuda_basics.softmax_kernel:12 t % WARP == 0 -> t % WARP == 1": TOLD_TO_ALL,
    "ch12_cuda_basics.softmax_kernel:17 total = np.float32(0) -> total = 0": START_OF_SUM,
    "ch12_cuda_basics.softmax_kernel:19 row[j] = math.exp(row[j] - largest) -> row[j] = -math.exp(row[j] - largest)": SIGN_CANCELS,
    "ch12_cuda_basics.softmax_kernel:22 if t % WARP == 0: -> if True:": TOLD_TO_ALL,
    "ch12_cuda_basics.softmax_kernel:22 t % WARP == 0 -> t % WARP != 0": TOLD_TO_ALL,
    "ch12_cuda_basics.softmax_kernel:22 t % WARP == 0 -> t % WARP == 1": TOLD_TO_ALL,
    "ch12_cuda_basics.softmax_kernel:25 total = np.float32(0) -> total = 0": START_OF_SUM,
}
