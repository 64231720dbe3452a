"""Mutants of ch11_convolution that no case can tell from the solution."""

from __future__ import annotations

from .reasons import CYCLIC_INDEX, INT_WITH_ARRAY, ONE_IMAGE, ONLY_THE_PRODUCT_H, SAME_COUNTS, START_OF_SUM, WIDE_ONES

EQUIVALENT: dict[str, str] = {
    "ch11_convolution.conv2d_backward:17 slope = np.float32(0) -> slope = 0": START_OF_SUM,
    "ch11_convolution.conv2d_backward:44 dy[s, i, j, f] -> dy[s - 1, i, j, f]": CYCLIC_INDEX,
    "ch11_convolution.conv2d_backward:44 dy[s, i, j, f] -> dy[s, i - 1, j, f]": CYCLIC_INDEX,
    "ch11_convolution.conv2d_backward:44 dy[s, i, j, f] -> dy[s, i, j - 1, f]": CYCLIC_INDEX,
    "ch11_convolution.avgpool2d_forward:2 np.ones((1, h, w, 1), np.float32) -> np.ones((1, h, w, 1), np.float64)": WIDE_ONES,
    "ch11_convolution.avgpool2d_forward:2 np.ones((1, h, w, 1), np.float32) -> np.ones((2, h, w, 1), np.float32)": SAME_COUNTS,
    "ch11_convolution.avgpool2d_forward:2 np.ones((1, h, w, 1), np.float32) -> np.ones((1, h, w, 2), np.float32)": SAME_COUNTS,
    "ch11_convolution.avgpool2d_forward:8 y[s, i, j] -> y[s - 1, i, j]": CYCLIC_INDEX,
    "ch11_convolution.avgpool2d_forward:8 counts[0, i, j, 0] -> counts[-1, i, j, 0]": ONE_IMAGE,
    "ch11_convolution.avgpool2d_forward:8 counts[0, i, j, 0] -> counts[0, i, j, -1]": ONE_IMAGE,
    "ch11_convolution.avgpool2d_backward:2 np.ones((1, h, w, 1), np.float32) -> np.ones((1, h, w, 1), np.float64)": WIDE_ONES,
    "ch11_convolution.avgpool2d_backward:2 np.ones((1, h, w, 1), np.float32) -> np.ones((2, h, w, 1), np.float32)": SAME_COUNTS,
    "ch11_convolution.avgpool2d_backward:2 np.ones((1, h, w, 1), np.float32) -> np.ones((1, h, w, 2), np.float32)": SAME_COUNTS,
    "ch11_convolution.avgpool2d_backward:8 counts[0, i, j, 0] -> counts[-1, i, j, 0]": ONE_IMAGE,
    "ch11_convolution.avgpool2d_backward:8 counts[0, i, j, 0] -> counts[0, i, j, -1]": ONE_IMAGE,
    "ch11_convolution.global_average_pool_forward:7 x[s, row, column, c] -> x[s, row - 1, column, c]": CYCLIC_INDEX,
    "ch11_convolution.global_average_pool_forward:7 x[s, row, column, c] -> x[s, row, column - 1, c]": CYCLIC_INDEX,
    "ch11_convolution.global_average_pool_forward:8 np.float32(h * w) -> h * w": INT_WITH_ARRAY,
    "ch11_convolution.global_average_pool_backward:2 np.float32(h * w) -> h * w": INT_WITH_ARRAY,
    "ch11_convolution.global_average_pool_backward:8 dx[s, row, column, c] -> dx[s, row - 1, column, c]": CYCLIC_INDEX,
    "ch11_convolution.global_average_pool_backward:8 dx[s, row, column, c] -> dx[s, row, column - 1, c]": CYCLIC_INDEX,
    "ch11_convolution.flatten:1 n, h, w, c = x.shape -> n, w, h, c = x.shape": ONLY_THE_PRODUCT_H,
    "ch11_convolution.flatten:1 n, h, w, c = x.shape -> n, h, c, w = x.shape": ONLY_THE_PRODUCT_H,
}
