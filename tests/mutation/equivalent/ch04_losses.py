"""Mutants of ch04_losses that no case can tell from the solution."""

from __future__ import annotations

from .reasons import BOTH_SIDES_AT_ZERO, CYCLIC, INT_WITH_ARRAY, START_OF_SUM, THE_DIFFERENCE_IS_SQUARED, WIDER

EQUIVALENT: dict[str, str] = {
    "ch04_losses.mse:1 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch04_losses.mse:3 difference = y_pred.flat[i] - y_true.flat[i] -> difference = -(y_pred.flat[i] - y_true.flat[i])": THE_DIFFERENCE_IS_SQUARED,
    "ch04_losses.mae:1 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch04_losses.mae_backward:1 np.sign(y_pred - y_true) / np.float32(y_pred.size) -> np.sign(y_pred - y_true) / y_pred.size": INT_WITH_ARRAY,
    "ch04_losses.binary_crossentropy:1 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch04_losses.binary_crossentropy_backward:2 n = np.float32(y_pred.size) -> n = y_pred.size": WIDER,
    "ch04_losses.categorical_crossentropy:2 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch04_losses.categorical_crossentropy_backward:7 -y_true[i, k] / p / np.float32(n) -> -y_true[i, k] / p / n": WIDER,
    "ch04_losses.sparse_categorical_crossentropy:1 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch04_losses.sparse_categorical_crossentropy_backward:6 -ONE / p / np.float32(n) -> -ONE / p / n": WIDER,
    "ch04_losses.softmax_crossentropy:3 loss = np.float64(0) -> loss = 0": START_OF_SUM,
    "ch04_losses.softmax_crossentropy:6 total = np.float32(0) -> total = 0": START_OF_SUM,
    "ch04_losses.softmax_crossentropy:12 dlogits[i, k] -> dlogits[i, k - 1]": CYCLIC,
    "ch04_losses.softmax_crossentropy:14 dlogits / np.float32(n) -> dlogits / n": INT_WITH_ARRAY,
    "ch04_losses.sigmoid_crossentropy:2 n = np.float32(logits.size) -> n = logits.size": WIDER,
    "ch04_losses.sigmoid_crossentropy:3 loss = np.float64(0) -> loss = 0": START_OF_SUM,
    "ch04_losses.sigmoid_crossentropy:8 max(z, np.float32(0)) -> max(z, 0)": WIDER,
    "ch04_losses.sigmoid_crossentropy:9 z >= 0 -> z > 0": BOTH_SIDES_AT_ZERO,
    "ch04_losses.last_layer_for:8 if problem not in table: -> if problem not in table: pass": "Not equivalent: it raises KeyError where ValueError is asked for, but a case cannot ask for an exception.",
}
