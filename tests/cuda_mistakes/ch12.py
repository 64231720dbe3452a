"""Wrong kernels of ch12_cuda_basics."""

from . import Faults

faults = Faults()
add = faults.add

GUARD = "guard the access"
SHARED_RACE = "Put cuda.syncthreads() between filling a tile and reading it"
NOT_REACHED = "All threads of a block must reach the same"

add("relu_kernel", "no guard", "if i < x.size:", "if True:", GUARD)
add("relu_kernel", "a guard that is off by one", "i < x.size", "i <= x.size", GUARD)
add("axpy_kernel", "no guard", "if i < x.size:", "if i >= 0:", GUARD)
add("axpy_kernel", "all blocks on the first one's elements", "cuda.grid(1)", "cuda.threadIdx.x", "a race on y")
add("add_bias_kernel", "no guard along the columns", " and column < x.shape[1]", "", GUARD)
add("add_bias_kernel", "no guard along the rows", "row < x.shape[0] and ", "", GUARD)
add("add_bias_kernel", "the axes exchanged", "column, row = cuda.grid(2)", "row, column = cuda.grid(2)", "x first")
add("sigmoid_kernel", "steps of a block", "cuda.gridsize(1)", "cuda.blockDim.x", "x is read")
add("sigmoid_kernel", "steps of one", ", cuda.gridsize(1)", "", "x is read")
add("sigmoid_kernel", "a walk that goes too far", "x.size,", "x.size + 1,", GUARD)
add(
    "relu_items_kernel",
    "neighbours for each thread",
    """
    first = cuda.blockIdx.x * cuda.blockDim.x * ITEMS + cuda.threadIdx.x
    for item in range(ITEMS):
        i = first + item * cuda.blockDim.x
        if i < x.size:
            values[item] = x[i]
    for item in range(ITEMS):
        i = first + item * cuda.blockDim.x
    """,
    """
    first = (cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x) * ITEMS
    for item in range(ITEMS):
        i = first + item
        if i < x.size:
            values[item] = x[i]
    for item in range(ITEMS):
        i = first + item
    """,
    "are scattered",
)
add(
    "relu_items_kernel",
    "no guard",
    """
        if i < x.size:
            values[item] = x[i]
    """,
    """
        values[item] = x[i]
    """,
    GUARD,
)
add("relu_items_kernel", "too few places", "array(ITEMS,", "array(3,", "the local array has the shape (3,)")
add(
    "block_sum_kernel",
    "no barrier before the tree",
    """
    sums[t] = total
    cuda.syncthreads()
    """,
    """
    sums[t] = total

    """,
    SHARED_RACE,
)
add(
    "block_sum_kernel",
    "no barrier in the tree",
    """
            sums[t] += sums[t + half]
        cuda.syncthreads()
    """,
    """
            sums[t] += sums[t + half]

    """,
    SHARED_RACE,
)
add(
    "block_sum_kernel",
    "a barrier for half of the block",
    """
            sums[t] += sums[t + half]
        cuda.syncthreads()
    """,
    """
            sums[t] += sums[t + half]
            cuda.syncthreads()
    """,
    NOT_REACHED,
)
add("block_sum_kernel", "a tile that is too small", "array(THREADS,", "array(32,", "too small for this block")
add("block_sum_kernel", "steps of a block", "cuda.gridsize(1)", "cuda.blockDim.x", "steps of one block")
add("block_sum_kernel", "every thread writes", "if t == 0:", "if t >= 0:", "out is written")
add("dot_kernel", "no atomic", "cuda.atomic.add(out, 0, total)", "out[0] += total", "a race on out")
add("dot_kernel", "no barrier", "cuda.syncthreads()", "pass", SHARED_RACE)
add(
    "dot_kernel",
    "a shuffle that some lanes miss",
    "total = warp_sum(total)",
    "total = warp_sum(total) if t < 16 else total",
    "never comes there",
)
add("dot_kernel", "room for too few warps", "array(WARP,", "array(1,", "too small for this block")
add("dot_kernel", "steps of a block", "cuda.gridsize(1)", "cuda.blockDim.x", "steps of one block")
add(
    "softmax_kernel",
    "no barrier before the maxima are read",
    """
            maxima[t // WARP] = largest
        cuda.syncthreads()
    """,
    """
            maxima[t // WARP] = largest

    """,
    SHARED_RACE,
)
add(
    "softmax_kernel",
    "no barrier before the sums are read",
    """
            sums[t // WARP] = total
        cuda.syncthreads()
    """,
    """
            sums[t // WARP] = total

    """,
    SHARED_RACE,
)
add(
    "softmax_kernel",
    "the maxima's array for the sums too",
    "sums = cuda.shared.array(WARP, float32)",
    "sums = maxima",
    SHARED_RACE,
)
add(
    "softmax_kernel",
    "a barrier that threads without a column miss",
    """
        largest = np.float32(-math.inf)
        for j in range(t, classes, step):
    """,
    """
        if t >= classes:
            return
        largest = np.float32(-math.inf)
        for j in range(t, classes, step):
    """,
    "never comes there",
)
add(
    "softmax_kernel",
    "the row read from global memory three times",
    "row[j] = math.exp(row[j] - largest)",
    "row[j] = math.exp(x[i, j] - largest)",
    "x is read 2 times per element",
)
add(
    "histogram_kernel",
    "no barrier after clearing",
    """
        mine[level] = 0
    cuda.syncthreads()
    """,
    """
        mine[level] = 0

    """,
    SHARED_RACE,
)
add(
    "histogram_kernel",
    "no barrier before adding up",
    """
        cuda.atomic.add(mine, pixels[i], 1)
    cuda.syncthreads()
    """,
    """
        cuda.atomic.add(mine, pixels[i], 1)

    """,
    SHARED_RACE,
)
add(
    "histogram_kernel",
    "no atomic in shared memory",
    "cuda.atomic.add(mine, pixels[i], 1)",
    "mine[pixels[i]] += 1",
    "a race on mine",
)
add(
    "histogram_kernel",
    "no atomic between blocks",
    "cuda.atomic.add(counts, level, mine[level])",
    "counts[level] += mine[level]",
    "a race on counts",
)
add(
    "histogram_kernel",
    "only as many bins cleared as there are threads",
    """
    for level in range(t, BINS, cuda.blockDim.x):
        mine[level] = 0
    """,
    """
    if t < BINS:
        mine[t] = 0
    """,
    "was never written",
)
add("histogram_kernel", "too few bins", "array(BINS,", "array(128,", "too small")
add("transpose_kernel", "no barrier", "cuda.syncthreads()", "pass", SHARED_RACE)
add("transpose_kernel", "a tile that is too small", "(TILE, PADDED)", "(16, PADDED)", "too small")
add("transpose_kernel", "no guard", "if top + r < rows and left + tx < columns:", "if True:", GUARD)
add(
    "transpose_kernel",
    "no tile: it writes down the columns",
    """
            tile[r, tx] = x[top + r, left + tx]
    cuda.syncthreads()
    for r in range(ty, TILE, cuda.blockDim.y):
        if left + r < columns and top + tx < rows:
            out[left + r, top + tx] = tile[tx, r]
    """,
    """
            out[left + tx, top + r] = x[top + r, left + tx]
    """,
    "accesses to out are scattered",
)
add(
    "transpose_kernel",
    "no tile: it reads down the columns",
    """
        if top + r < rows and left + tx < columns:
            tile[r, tx] = x[top + r, left + tx]
    cuda.syncthreads()
    for r in range(ty, TILE, cuda.blockDim.y):
        if left + r < columns and top + tx < rows:
            out[left + r, top + tx] = tile[tx, r]
    """,
    """
        if left + r < columns and top + tx < rows:
            out[left + r, top + tx] = x[top + tx, left + r]
    """,
    "accesses to x are scattered",
)
