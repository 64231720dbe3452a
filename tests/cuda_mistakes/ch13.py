"""Wrong kernels of ch13_cuda_layers."""

from . import Faults
from .ch12 import GUARD, NOT_REACHED, SHARED_RACE

faults = Faults()
add = faults.add

FILLED = """
        cuda.syncthreads()
        for k in range(TILE):
"""
UNFILLED = """
        for k in range(TILE):
"""
USED = """
        cuda.syncthreads()
    if row < n
"""
AGAIN = """
    if row < n
"""

add("matmul_kernel", "no barrier between filling and using the tiles", FILLED, UNFILLED, SHARED_RACE)
add("matmul_kernel", "no barrier between using the tiles and filling them", USED, AGAIN, SHARED_RACE)
add("matmul_kernel", "no guard where a is loaded", " if row < n and first + tx < inner else np.float32(0)", "", GUARD)
add(
    "matmul_kernel", "no guard where b is loaded", " if first + ty < inner and column < m else np.float32(0)", "", GUARD
)
add("matmul_kernel", "no guard where c is written", "    if row < n and column < m:", "    if True:", GUARD)
add(
    "matmul_kernel",
    "tiles that are too small",
    "left = cuda.shared.array((TILE, TILE)",
    "left = cuda.shared.array((4, TILE)",
    "too small",
)
add(
    "matmul_kernel",
    "threads without an element end early",
    "    total = np.float32(0)\n",
    "    total = np.float32(0)\n    if row >= n or column >= m:\n        return\n",
    NOT_REACHED,
)
add(
    "matmul_kernel",
    "no tiles",
    "total += left[ty, k] * right[k, tx]",
    "total += a[row, first + k] * b[first + k, column] if row < n and column < m and first + k < inner else 0",
    "per element",
)
add("matmul_kernel", "the place in the tile exchanged", "left[ty, tx] =", "left[tx, ty] =", "should be")
add(
    "matmul_registers_kernel",
    "no barrier between filling and using the tiles",
    "        cuda.syncthreads()\n        for k in range(DEPTH):",
    "        for k in range(DEPTH):",
    SHARED_RACE,
)
add("matmul_registers_kernel", "no guard where c is written", "if row < n and column < m:", "if True:", GUARD)
add("matmul_registers_kernel", "a tile that is too small", "(DEPTH, PADDED_SPAN)", "(DEPTH, SIDE)", "too small")
add("matmul_registers_kernel", "sums that were never cleared", "sums[i, j] = np.float32(0)", "pass", "nan")
add(
    "dense_forward_kernel",
    "the bias before the guard",
    "    if row < n and column < d_out:\n        total += b[column]\n",
    "    total += b[column]\n    if row < n and column < d_out:\n",
    GUARD,
)
add(
    "dense_dx_kernel",
    "w read down its columns",
    """
        inside = begin + ty < d_in and first + tx < d_out
        weights[ty, tx] = w[begin + ty, first + tx] if inside else np.float32(0)
    """,
    """
        inside = begin + tx < d_in and first + ty < d_out
        weights[tx, ty] = w[begin + tx, first + ty] if inside else np.float32(0)
    """,
    "accesses to w are scattered",
)
add(
    "dense_dw_kernel",
    "no guard where x is loaded",
    " if first + ty < n and begin + tx < d_in else np.float32(0)",
    "",
    GUARD,
)
add("column_sum_kernel", "no atomic", "cuda.atomic.add(sums, column, total)", "sums[column] += total", "a race on sums")
add(
    "column_sum_kernel",
    "threads without a column end early",
    "    total = np.float32(0)\n    if column < columns:\n",
    "    total = np.float32(0)\n    if column >= columns:\n        return\n    if column < columns:\n",
    NOT_REACHED,
)
add(
    "column_sum_kernel",
    "every block reads all the rows",
    "cuda.gridDim.y * cuda.blockDim.y",
    "cuda.blockDim.y",
    "step by the whole grid",
)
add("column_sum_kernel", "a walk that goes too far", "range(first, n,", "range(first, n + 1,", GUARD)
add("relu_backward_kernel", "a walk that goes too far", "dy.size,", "dy.size + 1,", GUARD)
add("relu_backward_kernel", "steps of a block", "cuda.gridsize(1)", "cuda.blockDim.x", "per element")
add(
    "conv2d_forward_kernel",
    "padding read above the image",
    "range(max(0, first_row),",
    "range(first_row,",
    "before its beginning",
)
add("conv2d_forward_kernel", "padding read below the image", "min(h, first_row + kh)", "first_row + kh", GUARD)
add("conv2d_forward_kernel", "steps of a block", "cuda.gridsize(1)", "cuda.blockDim.x", "per element")
add("conv2d_dx_kernel", "windows before the first one", "down < 0 or ", "", "before its beginning")
add("conv2d_dx_kernel", "windows behind the last one", " or j >= columns", "", GUARD)
add(
    "conv2d_dx_kernel",
    "scattered without atomics",
    """
                for f in range(filters):
                    total += dy[s, i, j, f] * kernel[a, b, c, f]
        dx[s, row, column, c] = total
    """,
    """
                for f in range(filters):
                    dx[s, 0, 0, c] += dy[s, i, j, f] * kernel[a, b, c, f]
    """,
    "a race on dx",
)
add(
    "conv2d_dkernel_kernel",
    "no atomic",
    "cuda.atomic.add(dkernel, (a, b, c, f), total)",
    "dkernel[a, b, c, f] += total",
    "a race on dkernel",
)
add(
    "conv2d_dkernel_kernel",
    "threads without a filter end early",
    "    total = np.float32(0)\n    if f < filters:\n",
    "    total = np.float32(0)\n    if f >= filters:\n        return\n    if f < filters:\n",
    NOT_REACHED,
)
add("conv2d_dkernel_kernel", "padding read above the image", "0 <= row < h", "row < h", "before its beginning")
add("conv2d_dkernel_kernel", "room for too few parts", "(ROWS, WARP)", "(ROWS, 16)", "too small")
add(
    "maxpool_forward_kernel",
    "padding read left of the image",
    "range(max(0, first_column),",
    "range(first_column,",
    "before its beginning",
)
add("maxpool_forward_kernel", "steps of a block", "cuda.gridsize(1)", "cuda.blockDim.x", "per element")
add(
    "maxpool_backward_kernel",
    "no atomic",
    "cuda.atomic.add(dx, (s, winner // w, winner % w, c), dy[s, i, j, c])",
    "dx[s, winner // w, winner % w, c] += dy[s, i, j, c]",
    "a race on dx",
)
add("maxpool_backward_kernel", "the width of dy", "w = dx.shape[2]", "w = dy.shape[2]", "should be")
add("softmax_crossentropy_kernel", "no atomic", "cuda.atomic.add(loss, 0, (math", "loss[0] += ((math", "a race on loss")
add("softmax_crossentropy_kernel", "no guard", "    if i >= n:\n        return\n", "", GUARD)
add(
    "softmax_crossentropy_kernel",
    "a shuffle that idle lanes miss",
    "    largest = warp_max(largest)\n",
    "    if lane < classes:\n        largest = warp_max(largest)\n",
    "nan",
)
add("softmax_crossentropy_kernel", "every lane adds the loss", "if lane == 0:", "if lane >= 0:", "counts 32 times")
add("dropout_kernel", "a walk that goes too far", "x.size,", "x.size + 1,", GUARD)
add("dropout_kernel", "steps of a block", "cuda.gridsize(1)", "cuda.blockDim.x", "per element")
add(
    "batchnorm_forward_kernel",
    "threads without a feature end early",
    "    mean = sum_in_y(total, parts) / size\n",
    "    if j >= d:\n        return\n    mean = sum_in_y(total, parts) / size\n",
    NOT_REACHED,
)
add("batchnorm_forward_kernel", "every thread of a column remembers", "if first == 0:", "if first >= 0:", "a race on")
add("batchnorm_forward_kernel", "no guard", "    if j >= d:\n        return\n", "", GUARD)
add(
    "batchnorm_backward_kernel",
    "threads without a feature end early",
    "    scale_slope = sum_in_y(scale_slope, parts)\n",
    "    if j >= d:\n        return\n    scale_slope = sum_in_y(scale_slope, parts)\n",
    NOT_REACHED,
)
add("batchnorm_backward_kernel", "room for too few parts", "(ROWS, WARP)", "(2, WARP)", "too small")
