"""Mutants of ch03_activations that no case can tell from the solution."""

from __future__ import annotations

from .reasons import BOTH_SIDES_AT_ZERO, CYCLIC, INT_WITH_ARRAY, START_OF_SUM, WIDER

EQUIVALENT: dict[str, str] = {
    "ch03_activations.relu:3 max(x.flat[i], np.float32(0)) -> max(x.flat[i], 0)": WIDER,
    "ch03_activations.relu_backward:3 dy.flat[i] if x.flat[i] > 0 else np.float32(0) -> dy.flat[i] if x.flat[i] > 0 else 0": WIDER,
    "ch03_activations.leaky_relu:4 value > 0 -> value >= 0": BOTH_SIDES_AT_ZERO,
    "ch03_activations.sigmoid:2 one = np.float32(1) -> one = 1": WIDER,
    "ch03_activations.sigmoid:6 value >= 0 -> value > 0": BOTH_SIDES_AT_ZERO,
    "ch03_activations.sigmoid_backward:1 np.float32(1) - y -> 1 - y": INT_WITH_ARRAY,
    "ch03_activations.tanh_backward:1 np.float32(1) - y * y -> 1 - y * y": INT_WITH_ARRAY,
    "ch03_activations.softmax:5 total = np.float32(0) -> total = 0": START_OF_SUM,
    "ch03_activations.softmax:7 y[i, j] = np.exp(x[i, j] - largest) -> y[i, j] = -np.exp(x[i, j] - largest)": "The row's sum turns its sign too, and the quotient is the same.",
    "ch03_activations.softmax:10 y[i, j] -> y[i, j - 1]": CYCLIC,
    "ch03_activations.softmax_backward:4 weighted = np.float32(0) -> weighted = 0": START_OF_SUM,
}
