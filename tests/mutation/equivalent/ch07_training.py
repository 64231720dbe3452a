"""Mutants of ch07_training that no case can tell from the solution."""

from __future__ import annotations

from .reasons import INT_WITH_ARRAY, START_OF_SUM, WIDER

EQUIVALENT: dict[str, str] = {
    "ch07_training.relative_error:1 worst = np.float32(0) -> worst = 0": START_OF_SUM,
    "ch07_training.relative_error:4 max(size, np.float32(1e-08)) -> max(size, 1e-08)": WIDER,
    "ch07_training.relative_error:5 np.isnan(error) -> np.isnan(-error)": "Minus NaN is NaN.",
    "ch07_training.mlp_backward:5 dlogits[i, labels[i]] -= np.float32(1) -> dlogits[i, labels[i]] -= 1": WIDER,
    "ch07_training.mlp_backward:6 dlogits /= np.float32(n) -> dlogits /= n": INT_WITH_ARRAY,
    "ch07_training.early_stopping_epoch:3 range(1, val_losses.size) -> range(1, val_losses.size - 1)": "After the last epoch the training ends, stopped early or not: the answer is the same.",
    "ch07_training.smooth_curve:1 keep, add = (np.float32(factor), np.float32(1 - factor)) -> keep, add = (factor, np.float32(1 - factor))": WIDER,
    "ch07_training.smooth_curve:1 np.float32(1 - factor) -> 1 - factor": WIDER,
}
