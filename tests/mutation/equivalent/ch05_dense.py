"""Mutants of ch05_dense that no case can tell from the solution."""

from __future__ import annotations

from .reasons import BOTH_SIDES_AT_ZERO, EMPTY_TURN, LAYOUT, SAME_SCALAR

EQUIVALENT: dict[str, str] = {
    "ch05_dense.perceptron:1 zero, one = (np.float32(0), np.float32(1)) -> zero, one = (0, np.float32(1))": SAME_SCALAR,
    "ch05_dense.perceptron:1 zero, one = (np.float32(0), np.float32(1)) -> zero, one = (np.float32(0), 1)": SAME_SCALAR,
    "ch05_dense.perceptron:2 z = np.float32(b) -> z = b": SAME_SCALAR,
    "ch05_dense.perceptron:13 z >= 0 -> z > 0": BOTH_SIDES_AT_ZERO,
    "ch05_dense.matmul:4 prange((n + BLOCK_ROWS - 1) // BLOCK_ROWS) -> prange((n + BLOCK_ROWS - 1) // BLOCK_ROWS + 1)": EMPTY_TURN,
    "ch05_dense.matmul:4 (n + BLOCK_ROWS - 1) // BLOCK_ROWS -> (n + BLOCK_ROWS - 1) * BLOCK_ROWS": EMPTY_TURN,
    "ch05_dense.matmul:4 (n + BLOCK_ROWS - 1) // BLOCK_ROWS -> n + BLOCK_ROWS - 1": EMPTY_TURN,
    "ch05_dense.matmul:4 n + BLOCK_ROWS - 1 -> n + BLOCK_ROWS + 1": EMPTY_TURN,
    "ch05_dense.matmul:4 n + BLOCK_ROWS - 1 -> n + BLOCK_ROWS": EMPTY_TURN,
    "ch05_dense.matmul:4 n + BLOCK_ROWS - 1 -> n + BLOCK_ROWS - 0": EMPTY_TURN,
    "ch05_dense.matmul:6 range(0, inner, BLOCK_DEPTH) -> range(0, inner + 1, BLOCK_DEPTH)": EMPTY_TURN,
    "ch05_dense.matmul:7 range(0, m, BLOCK_WIDTH) -> range(0, m + 1, BLOCK_WIDTH)": EMPTY_TURN,
    "ch05_dense.matmul:12 b[k, j0:j0 + BLOCK_WIDTH] -> b[k, j0:j0 + BLOCK_WIDTH + 1]": "The innermost loop runs over c_row, and never reads the one element more.",
    "ch05_dense.dense_backward:1 matmul(dy, np.ascontiguousarray(w.T)) -> matmul(dy, w.T)": LAYOUT,
    "ch05_dense.dense_backward:2 matmul(np.ascontiguousarray(x.T), dy) -> matmul(x.T, dy)": LAYOUT,
}
