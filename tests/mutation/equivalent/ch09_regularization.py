"""Mutants of ch09_regularization that no case can tell from the solution."""

from __future__ import annotations

from .reasons import (
    ANY_NEGATIVE_LENGTH_MEANS,
    BOTH_ARRAYS_START_AS,
    INT_WITH_ARRAY,
    START_OF_SUM,
    THE_DIFFERENCE_IS_SQUARED,
    THE_SUM_TAKES_EVERY,
    WIDER,
)

EQUIVALENT: dict[str, str] = {
    "ch09_regularization.l1_penalty:1 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch09_regularization.l1_penalty:2 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "ch09_regularization.l2_penalty:1 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch09_regularization.l2_penalty:2 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "ch09_regularization.max_norm:4 squares = np.float32(0) -> squares = 0": START_OF_SUM,
    "ch09_regularization.max_norm:8 length > limit -> length >= limit": "A column exactly at the limit is multiplied by limit / length, which is 1.",
    "ch09_regularization.dropout_forward:1 np.float32(1 / (1 - rate)) -> 1 / (1 - rate)": WIDER,
    "ch09_regularization.dropout_forward:1 scale, limit = (np.float32(1 / (1 - rate)), np.float32(rate)) -> scale, limit = (np.float32(1 / (1 - rate)), rate)": "The two differ only for a random number that rounds to the rate; where a case has one, float32 holds the rate.",
    "ch09_regularization.dropout_forward:3 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "ch09_regularization.dropout_forward:3 -1 -> -2 (2)": ANY_NEGATIVE_LENGTH_MEANS,
    "ch09_regularization.dropout_forward:4 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "ch09_regularization.dropout_forward:4 -1 -> -2 (2)": ANY_NEGATIVE_LENGTH_MEANS,
    "ch09_regularization.dropout_forward:7 source[i] * scale if kept[i] else np.float32(0) -> source[i] * scale if kept[i] else 0": WIDER,
    "ch09_regularization.dropout_backward:1 np.float32(1 / (1 - rate)) -> 1 / (1 - rate)": WIDER,
    "ch09_regularization.dropout_backward:3 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "ch09_regularization.dropout_backward:3 -1 -> -2 (2)": ANY_NEGATIVE_LENGTH_MEANS,
    "ch09_regularization.dropout_backward:3 -1 -> -2 (3)": ANY_NEGATIVE_LENGTH_MEANS,
    "ch09_regularization.dropout_backward:5 source[i] * scale if kept[i] else np.float32(0) -> source[i] * scale if kept[i] else 0": WIDER,
    "ch09_regularization.batchnorm_train:2 mean, var = (np.zeros(d, np.float32), np.zeros(d, np.float32)) -> var, mean = (np.zeros(d, np.float32), np.zeros(d, np.float32))": BOTH_ARRAYS_START_AS,
    "ch09_regularization.batchnorm_train:5 x[i, j] -> x[i - 1, j]": THE_SUM_TAKES_EVERY,
    "ch09_regularization.batchnorm_train:6 mean /= np.float32(n) -> mean /= n": INT_WITH_ARRAY,
    "ch09_regularization.batchnorm_train:9 difference = x[i, j] - mean[j] -> difference = -(x[i, j] - mean[j])": THE_DIFFERENCE_IS_SQUARED,
    "ch09_regularization.batchnorm_train:9 x[i, j] -> x[i - 1, j]": THE_SUM_TAKES_EVERY,
    "ch09_regularization.batchnorm_train:11 var /= np.float32(n) -> var /= n": INT_WITH_ARRAY,
    "ch09_regularization.batchnorm_train:12 np.float32(1) / np.sqrt(var + np.float32(eps)) -> 1 / np.sqrt(var + np.float32(eps))": INT_WITH_ARRAY,
    "ch09_regularization.batchnorm_train:13 y, x_hat = (np.empty_like(x), np.empty_like(x)) -> x_hat, y = (np.empty_like(x), np.empty_like(x))": "Both are empty arrays of the same shape.",
    "ch09_regularization.batchnorm_backward:2 dgamma, dbeta = (np.zeros(d, np.float32), np.zeros(d, np.float32)) -> dbeta, dgamma = (np.zeros(d, np.float32), np.zeros(d, np.float32))": BOTH_ARRAYS_START_AS,
    "ch09_regularization.batchnorm_backward:6 dy[i, j] -> dy[i - 1, j]": THE_SUM_TAKES_EVERY,
    "ch09_regularization.batchnorm_backward:8 dgamma / np.float32(n) -> dgamma / n": INT_WITH_ARRAY,
    "ch09_regularization.batchnorm_backward:8 dbeta / np.float32(n) -> dbeta / n": INT_WITH_ARRAY,
}
