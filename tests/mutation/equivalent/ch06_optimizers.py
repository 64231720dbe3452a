"""Mutants of ch06_optimizers that no case can tell from the solution."""

from __future__ import annotations

from .reasons import WIDER

EQUIVALENT: dict[str, str] = {
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
    "ch06_optimizers.adam_step:3 np.float32(lr) * np.sqrt(one - np.float32(beta2) ** step) -> lr * np.sqrt(one - np.float32(beta2) ** step)": WIDER,
    "ch06_optimizers.adam_step:3 np.float32(beta2) ** step -> beta2 ** step": WIDER,
    "ch06_optimizers.adam_step:3 np.float32(beta1) ** step -> beta1 ** step": WIDER,
    "ch06_optimizers.adam_step:4 np.float32(1.0 - beta1) -> 1.0 - beta1": WIDER,
    "ch06_optimizers.adam_step:5 np.float32(1.0 - beta2) -> 1.0 - beta2": WIDER,
    "ch06_optimizers.adam_step:6 floor = np.float32(eps) -> floor = eps": WIDER,
    "ch06_optimizers.descent_path:1 rate = np.float32(lr) -> rate = lr": WIDER,
    "ch06_optimizers.descent_path:5 np.float32(2) * (path[k] - np.float32(3)) -> 2 * (path[k] - np.float32(3))": WIDER,
    "ch06_optimizers.descent_path:5 path[k] - np.float32(3) -> path[k] - 3": WIDER,
}
