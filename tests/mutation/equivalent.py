"""Mutants that no case can tell from the solution, each with the reason.

A mutant is listed here when it gives the same answer for every input, when the difference drowns in rounding, or when
no case can ask for the difference. An entry whose mutant is gone, or is noticed after all, is stale: the test says so.
"""

from __future__ import annotations

# In numba int64 and float32 scalars meet in float64, an int and a float32 array in float32.
WIDER = "A step is computed in float64 and stored or returned as a float32: the same within rounding."
SAME_SCALAR = "A returned scalar has no dtype of its own for a caller: float64 instead of float32, the same number."
INT_WITH_ARRAY = "An int beside a float32 array leaves it float32, in NumPy and in numba."
START_OF_SUM = "0 is the same start of a sum; numba widens the variable by itself."
BOTH_SIDES_AT_ZERO = "At zero both branches give the same number."
EMPTY_TURN = "The additional turns of the loop have nothing to do: slices and bounds stop at the array's end."
LAYOUT = "ascontiguousarray changes the layout in memory, that is the speed, not the numbers."
CYCLIC = "The loop visits every column once either way: j - 1 runs from the last column to the one before it."
BLACK_PIXEL = "Black pixels are skipped to save time: what they would add is zero. No pixel is negative."
ONE_ROW = "There is one row: the first is the last."

EQUIVALENT: dict[str, str] = {
    # --- ch03_activations
    "ch03_activations.relu:3 max(x.flat[i], np.float32(0)) -> max(x.flat[i], 0)": WIDER,
    "ch03_activations.leaky_relu:4 value > 0 -> value >= 0": BOTH_SIDES_AT_ZERO,
    "ch03_activations.sigmoid:2 one = np.float32(1) -> one = 1": WIDER,
    "ch03_activations.sigmoid:6 value >= 0 -> value > 0": BOTH_SIDES_AT_ZERO,
    "ch03_activations.sigmoid_backward:1 np.float32(1) - y -> 1 - y": INT_WITH_ARRAY,
    "ch03_activations.tanh_backward:1 np.float32(1) - y * y -> 1 - y * y": INT_WITH_ARRAY,
    "ch03_activations.softmax:5 total = np.float32(0) -> total = 0": START_OF_SUM,
    "ch03_activations.softmax:7 y[i, j] = np.exp(x[i, j] - largest) -> y[i, j] = -np.exp(x[i, j] - largest)": (
        "The row's sum turns its sign too, and the quotient is the same."
    ),
    "ch03_activations.softmax:10 y[i, j] -> y[i, j - 1]": CYCLIC,
    "ch03_activations.softmax_backward:4 weighted = np.float32(0) -> weighted = 0": START_OF_SUM,
    # --- ch04_losses
    "ch04_losses.mse:1 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch04_losses.mse:3 difference = y_pred.flat[i] - y_true.flat[i] -> "
    "difference = -(y_pred.flat[i] - y_true.flat[i])": "The difference is squared.",
    "ch04_losses.mae:1 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch04_losses.mae_backward:1 np.sign(y_pred - y_true) / np.float32(y_pred.size) -> "
    "np.sign(y_pred - y_true) / y_pred.size": INT_WITH_ARRAY,
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
    "ch04_losses.last_layer_for:8 if problem not in table: -> if problem not in table: pass": (
        "Not equivalent: it raises KeyError where ValueError is asked for, but a case cannot ask for an exception."
    ),
    # --- ch05_dense
    "ch05_dense.perceptron:1 zero, one = (np.float32(0), np.float32(1)) -> zero, one = (0, np.float32(1))": SAME_SCALAR,
    "ch05_dense.perceptron:1 zero, one = (np.float32(0), np.float32(1)) -> zero, one = (np.float32(0), 1)": SAME_SCALAR,
    "ch05_dense.perceptron:2 z = np.float32(b) -> z = b": SAME_SCALAR,
    "ch05_dense.perceptron:13 z >= 0 -> z > 0": BOTH_SIDES_AT_ZERO,
    "ch05_dense.matmul:4 prange((n + BLOCK_ROWS - 1) // BLOCK_ROWS) -> "
    "prange((n + BLOCK_ROWS - 1) // BLOCK_ROWS + 1)": EMPTY_TURN,
    "ch05_dense.matmul:4 (n + BLOCK_ROWS - 1) // BLOCK_ROWS -> (n + BLOCK_ROWS - 1) * BLOCK_ROWS": EMPTY_TURN,
    "ch05_dense.matmul:4 (n + BLOCK_ROWS - 1) // BLOCK_ROWS -> n + BLOCK_ROWS - 1": EMPTY_TURN,
    "ch05_dense.matmul:4 n + BLOCK_ROWS - 1 -> n + BLOCK_ROWS + 1": EMPTY_TURN,
    "ch05_dense.matmul:4 n + BLOCK_ROWS - 1 -> n + BLOCK_ROWS": EMPTY_TURN,
    "ch05_dense.matmul:4 n + BLOCK_ROWS - 1 -> n + BLOCK_ROWS - 0": EMPTY_TURN,
    "ch05_dense.matmul:6 range(0, inner, BLOCK_DEPTH) -> range(0, inner + 1, BLOCK_DEPTH)": EMPTY_TURN,
    "ch05_dense.matmul:7 range(0, m, BLOCK_WIDTH) -> range(0, m + 1, BLOCK_WIDTH)": EMPTY_TURN,
    "ch05_dense.matmul:12 b[k, j0:j0 + BLOCK_WIDTH] -> b[k, j0:j0 + BLOCK_WIDTH + 1]": (
        "The innermost loop runs over c_row, and never reads the one element more."
    ),
    "ch05_dense.dense_backward:1 matmul(dy, np.ascontiguousarray(w.T)) -> matmul(dy, w.T)": LAYOUT,
    "ch05_dense.dense_backward:2 matmul(np.ascontiguousarray(x.T), dy) -> matmul(x.T, dy)": LAYOUT,
    # --- ch06_optimizers
    "ch06_optimizers.sgd_step:1 rate = np.float32(lr) -> rate = lr": WIDER,
    "ch06_optimizers.momentum_step:1 rate = np.float32(lr) -> rate = lr": WIDER,
    "ch06_optimizers.momentum_step:2 keep = np.float32(momentum) -> keep = momentum": WIDER,
    "ch06_optimizers.nesterov_step:1 rate = np.float32(lr) -> rate = lr": WIDER,
    "ch06_optimizers.nesterov_step:2 keep = np.float32(momentum) -> keep = momentum": WIDER,
    "ch06_optimizers.adagrad_step:1 rate = np.float32(lr) -> rate = lr": WIDER,
    "ch06_optimizers.adagrad_step:2 floor = np.float32(eps) -> floor = eps": WIDER,
    "ch06_optimizers.adadelta_step:1 rate = np.float32(lr) -> rate = lr": WIDER,
    "ch06_optimizers.adadelta_step:2 floor = np.float32(eps) -> floor = eps": WIDER,
    "ch06_optimizers.adadelta_step:3 keep = np.float32(rho) -> keep = rho": WIDER,
    "ch06_optimizers.adadelta_step:4 np.float32(1.0 - rho) -> 1.0 - rho": WIDER,
    "ch06_optimizers.rmsprop_step:1 rate = np.float32(lr) -> rate = lr": WIDER,
    "ch06_optimizers.rmsprop_step:2 floor = np.float32(eps) -> floor = eps": WIDER,
    "ch06_optimizers.rmsprop_step:3 keep = np.float32(rho) -> keep = rho": WIDER,
    "ch06_optimizers.rmsprop_step:4 np.float32(1.0 - rho) -> 1.0 - rho": WIDER,
    "ch06_optimizers.adam_step:1 one = np.float32(1) -> one = 1": WIDER,
    "ch06_optimizers.adam_step:2 step = np.float32(t) -> step = t": WIDER,
    "ch06_optimizers.adam_step:3 np.float32(lr) * np.sqrt(one - np.float32(beta2) ** step) -> "
    "lr * np.sqrt(one - np.float32(beta2) ** step)": WIDER,
    "ch06_optimizers.adam_step:3 np.float32(beta2) ** step -> beta2 ** step": WIDER,
    "ch06_optimizers.adam_step:3 np.float32(beta1) ** step -> beta1 ** step": WIDER,
    "ch06_optimizers.adam_step:4 np.float32(1.0 - beta1) -> 1.0 - beta1": WIDER,
    "ch06_optimizers.adam_step:5 np.float32(1.0 - beta2) -> 1.0 - beta2": WIDER,
    "ch06_optimizers.adam_step:6 floor = np.float32(eps) -> floor = eps": WIDER,
    "ch06_optimizers.descent_path:1 rate = np.float32(lr) -> rate = lr": WIDER,
    "ch06_optimizers.descent_path:5 np.float32(2) * (path[k] - np.float32(3)) -> 2 * (path[k] - np.float32(3))": WIDER,
    "ch06_optimizers.descent_path:5 path[k] - np.float32(3) -> path[k] - 3": WIDER,
    # --- ch07_training
    "ch07_training.relative_error:1 worst = np.float32(0) -> worst = 0": START_OF_SUM,
    "ch07_training.relative_error:4 max(size, np.float32(1e-08)) -> max(size, 1e-08)": WIDER,
    "ch07_training.relative_error:5 np.isnan(error) -> np.isnan(-error)": "Minus NaN is NaN.",
    "ch07_training.mlp_backward:5 dlogits[i, labels[i]] -= np.float32(1) -> dlogits[i, labels[i]] -= 1": WIDER,
    "ch07_training.mlp_backward:6 dlogits /= np.float32(n) -> dlogits /= n": INT_WITH_ARRAY,
    "ch07_training.early_stopping_epoch:3 range(1, val_losses.size) -> range(1, val_losses.size - 1)": (
        "After the last epoch the training ends, stopped early or not: the answer is the same."
    ),
    "ch07_training.smooth_curve:1 keep, add = (np.float32(factor), np.float32(1 - factor)) -> "
    "keep, add = (factor, np.float32(1 - factor))": WIDER,
    "ch07_training.smooth_curve:1 np.float32(1 - factor) -> 1 - factor": WIDER,
    # --- projects.mnist_mlp
    "projects.mnist_mlp.prepare:6 images[i, row, column] / np.float32(255) -> images[i, row, column] / 255": WIDER,
    "projects.mnist_mlp.fast_step:3 rate, keep, blend, floor = (np.float32(lr), np.float32(rho), "
    "np.float32(1.0 - rho), np.float32(eps)) -> "
    "rate, keep, blend, floor = (lr, np.float32(rho), np.float32(1.0 - rho), np.float32(eps))": WIDER,
    "projects.mnist_mlp.fast_step:3 rate, keep, blend, floor = (np.float32(lr), np.float32(rho), "
    "np.float32(1.0 - rho), np.float32(eps)) -> "
    "rate, keep, blend, floor = (np.float32(lr), rho, np.float32(1.0 - rho), np.float32(eps))": WIDER,
    "projects.mnist_mlp.fast_step:3 np.float32(1.0 - rho) -> 1.0 - rho": WIDER,
    "projects.mnist_mlp.fast_step:3 rate, keep, blend, floor = (np.float32(lr), np.float32(rho), "
    "np.float32(1.0 - rho), np.float32(eps)) -> "
    "rate, keep, blend, floor = (np.float32(lr), np.float32(rho), np.float32(1.0 - rho), eps)": WIDER,
    "projects.mnist_mlp.fast_step:5 turned = np.ascontiguousarray(w2.T) -> turned = w2.T": LAYOUT,
    "projects.mnist_mlp.fast_step:6 np.empty((n, units), np.float32) -> np.empty((n, units), np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:7 np.zeros((n, units), np.float32) -> np.zeros((n, units), np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:8 np.empty((n, classes), np.float32) -> np.empty((n, classes), np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:9 np.empty(n, np.float32) -> np.empty(n, np.float64)": SAME_SCALAR,
    "projects.mnist_mlp.fast_step:16 if pixel != 0: -> if True:": BLACK_PIXEL,
    "projects.mnist_mlp.fast_step:16 pixel != 0 -> pixel != -1": BLACK_PIXEL,
    "projects.mnist_mlp.fast_step:21 max(unit[j], np.float32(0)) -> max(unit[j], 0)": WIDER,
    "projects.mnist_mlp.fast_step:22 np.empty((1, classes), np.float32) -> np.empty((1, classes), np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:22 np.empty((1, classes), np.float32) -> "
    "np.empty((2, classes), np.float32)": "The second row is never read.",
    "projects.mnist_mlp.fast_step:28 logits[0, c] -> logits[-1, c]": ONE_ROW,
    "projects.mnist_mlp.fast_step:30 losses[i] -> "
    "losses[i - 1]": "Every image still has a place of its own, and their mean has no order.",
    "projects.mnist_mlp.fast_step:31 probabilities[0, labels[i]] -> probabilities[-1, labels[i]]": ONE_ROW,
    "projects.mnist_mlp.fast_step:31 probabilities[0, labels[i]] -= np.float32(1) -> "
    "probabilities[0, labels[i]] -= 1": WIDER,
    "projects.mnist_mlp.fast_step:34 probabilities[0, c] -> probabilities[-1, c]": ONE_ROW,
    "projects.mnist_mlp.fast_step:34 probabilities[0, c] / np.float32(n) -> probabilities[0, c] / n": WIDER,
    "projects.mnist_mlp.fast_step:44 np.zeros(units, np.float32) -> np.zeros(units, np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:47 if pixel != 0: -> if True:": BLACK_PIXEL,
    "projects.mnist_mlp.fast_step:47 pixel != 0 -> pixel != -1": BLACK_PIXEL,
    "projects.mnist_mlp.fast_step:56 np.zeros((classes, units), np.float32) -> "
    "np.zeros((classes, units), np.float64)": WIDER,
    "projects.mnist_mlp.fast_step:64 rmsprop_step(w2, np.ascontiguousarray(dw2.T), slot_w2, lr, rho, eps) -> "
    "rmsprop_step(w2, dw2.T, slot_w2, lr, rho, eps)": LAYOUT,
}
