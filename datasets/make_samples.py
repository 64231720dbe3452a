"""Write the bundled samples: `python -m datasets.make_samples` (needs scikit-learn).

The same code gives the same arrays on every machine; a test holds the bundled file against them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets.catalogue import ENTRIES

SPLIT_SEED = 1797
TEST_SIZE = 297
DIGIT = 20  # MNIST puts a digit of 20x20 pixels into the middle of 28x28
BORDER = 4


def mnist_sample() -> dict[str, np.ndarray]:
    """scikit-learn's 8x8 digits with 17 grey levels, in MNIST's size, range and layout."""
    from sklearn.datasets import load_digits  # a developer's tool, not the kit's

    digits = load_digits()
    images = np.stack([enlarge(image) for image in digits.images])
    labels = digits.target.astype(np.uint8)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    test, train = order[:TEST_SIZE], order[TEST_SIZE:]
    return {"x_train": images[train], "y_train": labels[train], "x_test": images[test], "y_test": labels[test]}


def enlarge(image: np.ndarray) -> np.ndarray:
    """An 8x8 image of values 0 … 16 as 28x28 of 0 … 255: bilinear to 20x20, then a black border."""
    weights = bilinear(len(image), DIGIT)
    large = weights @ (image * (255 / 16)) @ weights.T
    return np.pad(np.rint(large).astype(np.uint8), BORDER)


def bilinear(n: int, m: int) -> np.ndarray:
    """The (m, n) matrix that resamples n pixels to m; pixel centres are aligned, the edge pixels continue."""
    position = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    left = np.minimum(position.astype(int), n - 2)
    weights = np.zeros((m, n))
    weights[np.arange(m), left] = 1 - (position - left)
    weights[np.arange(m), left + 1] = position - left
    return weights


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez_compressed(path, allow_pickle=False, **arrays)


if __name__ == "__main__":
    write(ENTRIES["mnist"].sample, mnist_sample())
    print(f"{ENTRIES['mnist'].sample}: {ENTRIES['mnist'].sample.stat().st_size:,} bytes")
