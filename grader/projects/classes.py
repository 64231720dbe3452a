"""Choosing one of several classes: softmax, its loss and the gradient of both, in plain NumPy."""

from __future__ import annotations

import numpy as np


def softmax(scores: np.ndarray, axis: int = 1) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=axis, keepdims=True)


def loss_of(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean crossentropy of the classes that were right."""
    chosen = np.clip(probabilities[np.arange(len(labels)), labels], 1e-7, 1 - 1e-7)
    return float(np.mean(-np.log(chosen)))


def slopes(labels: np.ndarray, probabilities: np.ndarray, n: int | None = None, one_hot: int = 1) -> np.ndarray:
    """The gradient of the loss at the scores; `n` divides instead of the batch size."""
    dlogits = probabilities.copy()
    dlogits[np.arange(len(labels)), labels] -= one_hot
    return dlogits / np.float32(n or len(labels))
