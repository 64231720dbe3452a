"""Mutants of projects.mnist_mlp that no case can tell from the solution."""

from __future__ import annotations

from .reasons import BLACK_PIXEL, LAYOUT, ONE_ROW, SAME_SCALAR, WIDER

EQUIVALENT: dict[str, str] = {
    "projects.mnist_mlp.fast_step:3 rate, keep, blend, floor = (np.float32(lr), np.float32(rho), np.float32(1.0 - rho), np.float32(eps)) -> rate, keep, blend, floor = (lr, np.float32(rho), np.float32(1.0 - rho), np.float32(eps))": WIDER,
    "projects.mnist_mlp.fast_step:3 rate, keep, blend, floor = (np.float32(lr), np.float32(rho), np.float32(1.0 - rho), np.float32(eps)) -> rate, keep, blend, floor = (np.float32(lr), rho, np.float32(1.0 - rho), np.float32(eps))": WIDER,
    "projects.mnist_mlp.fast_step:3 np.float32(1.0 - rho) -> 1.0 - rho": WIDER,
    "projects.mnist_mlp.fast_step:3 rate, keep, blend, floor = (np.float32(lr), np.float32(rho), np.float32(1.0 - rho), np.float32(eps)) -> rate, keep, blend, floor = (np.float32(lr), np.float32(rho), np.float32(1.0 - rho), eps)": WIDER,
    "projects.mnist_mlp.fast_step:5 turned = np.ascontiguousarray(w2.T) -> turned = w2.T": LAYOUT,
    "projects.mnist_mlp.fast_step:6 np.empty((n, units), np.float32) -> np.empty((n, units), np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:7 np.zeros((n, units), np.float32) -> np.zeros((n, units), np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:8 np.empty((n, classes), np.float32) -> np.empty((n, classes), np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:9 np.empty(n, np.float32) -> np.empty(n, np.float64)": SAME_SCALAR,
    "projects.mnist_mlp.fast_step:16 if pixel != 0: -> if True:": BLACK_PIXEL,
    "projects.mnist_mlp.fast_step:16 pixel != 0 -> pixel != -1": BLACK_PIXEL,
    "projects.mnist_mlp.fast_step:21 max(unit[j], np.float32(0)) -> max(unit[j], 0)": WIDER,
    "projects.mnist_mlp.fast_step:22 np.empty((1, classes), np.float32) -> np.empty((1, classes), np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:22 np.empty((1, classes), np.float32) -> np.empty((2, classes), np.float32)": "The second row is never read.",
    "projects.mnist_mlp.fast_step:28 logits[0, c] -> logits[-1, c]": ONE_ROW,
    "projects.mnist_mlp.fast_step:30 losses[i] -> losses[i - 1]": "Every image still has a place of its own, and their mean has no order.",
    "projects.mnist_mlp.fast_step:31 probabilities[0, labels[i]] -> probabilities[-1, labels[i]]": ONE_ROW,
    "projects.mnist_mlp.fast_step:31 probabilities[0, labels[i]] -= np.float32(1) -> probabilities[0, labels[i]] -= 1": WIDER,
    "projects.mnist_mlp.fast_step:34 probabilities[0, c] -> probabilities[-1, c]": ONE_ROW,
    "projects.mnist_mlp.fast_step:34 probabilities[0, c] / np.float32(n) -> probabilities[0, c] / n": WIDER,
    "projects.mnist_mlp.fast_step:44 np.zeros(units, np.float32) -> np.zeros(units, np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:47 if pixel != 0: -> if True:": BLACK_PIXEL,
    "projects.mnist_mlp.fast_step:47 pixel != 0 -> pixel != -1": BLACK_PIXEL,
    "projects.mnist_mlp.fast_step:56 np.zeros((classes, units), np.float32) -> np.zeros((classes, units), np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:64 rmsprop_step(w2, np.ascontiguousarray(dw2.T), slot_w2, lr, rho, eps) -> rmsprop_step(w2, dw2.T, slot_w2, lr, rho, eps)": LAYOUT,
}
