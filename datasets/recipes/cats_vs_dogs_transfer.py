"""Feature extraction: one sigmoid unit on what a frozen, pretrained MobileNet says about photos of cats and dogs.

The base never changes, so what it says is computed once, by Keras, and kept beside the records: the head is trained on
these features, and a student's head can be held against it without Keras and without a photo.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from datasets import base, files, photos
from datasets.catalogue import CATS_AND_DOGS
from datasets.checksums import checksum, listing
from datasets.dataset import Dataset, Origin, load
from datasets.error import DataError
from datasets.model import MODELS, Model
from datasets.recipes.recipe import BINARY_ACCURACY, Prepared, Recipe

SIZES: dict[Origin, int] = {"real": 128, "sample": 64}  # rows and columns; the drawings are smaller than the photos
FEATURES = 256


class Transfer(Recipe):
    """A recipe for a head: it is trained on features, and needs both the photos and the base that made them."""

    def load(self, sample: bool = False) -> Dataset:
        """The known photos, where MobileNet is here as well; else the bundled sample, for the bundled base."""
        missing = "" if sample else what_is_missing()
        size = SIZES["sample" if sample or missing else "real"]
        data = load(self.dataset, sample or bool(missing), image_size=(size, size))
        return replace(data, note=f"{missing} {data.note}") if missing else data

    def train(self, data: Dataset, tell: Callable[[str], None] = print) -> Model:
        """Compute the features with Keras and keep them, then train the head on them."""
        keep_features(data)
        tell(f"features of {len(data.x_train):,} + {len(data.x_test):,} photos: {features_path(data.origin).name}")
        return super().train(data, tell)

    def _facts(self, data: Dataset, prepared: Prepared, history: list[dict[str, float]]) -> dict[str, Any]:
        layers = base_for(data.origin).layers
        frozen = sum(array.size for layer in layers for array in layer)
        about = {"blocks": len(layers) // 2, "parameters": frozen, "sha256": base.checksum_of(layers)}
        return super()._facts(data, prepared, history) | {"base": about}


def what_is_missing() -> str:
    """Why the photos cannot be used, in one sentence; empty where they can."""
    path = files.find(CATS_AND_DOGS)
    if path is None:
        return "The photos are not here."
    if checksum(listing(photos.read_tree(CATS_AND_DOGS, path)).encode()) != photos.KNOWN_TREE:
        return f"The photos in {path} are others than those whose features are recorded."
    return "" if base.find() else f"{base.TITLE} is not here: `kata data fetch {base.NAME}` gets it."


def base_for(origin: Origin) -> base.Base:
    """The base whose features of this data are recorded."""
    return base.load_base(sample=origin == "sample")


def features_path(origin: Origin) -> Path:
    return MODELS / f"{recipe.name}_features{'' if origin == 'real' else '_sample'}.npz"


def keep_features(data: Dataset) -> None:
    """Write what Keras's base says about the training photos, as float16, and about the test photos, in full."""
    network = base.build(base_for(data.origin).layers, SIZES[data.origin])
    x_train, x_test = features_in_keras(network, data.x_train), features_in_keras(network, data.x_test)
    np.savez_compressed(
        features_path(data.origin), allow_pickle=False, x_train=x_train.astype(np.float16), x_test=x_test
    )


def features_in_keras(network: Any, images: np.ndarray) -> np.ndarray:
    """Of images 0 … 255, preprocessed as MobileNet wants them."""
    from keras.applications.mobilenet import preprocess_input

    parts = [images[start : start + 100] for start in range(0, len(images), 100)]
    return np.concatenate([network.predict_on_batch(preprocess_input(part.copy())) for part in parts])


def prepare(data: Dataset) -> Prepared:
    """The recorded features, in the order of the photos."""
    path = features_path(data.origin)
    try:
        with np.load(path, allow_pickle=False) as kept:
            return Prepared(kept["x_train"].astype(np.float32), data.y_train, kept["x_test"], data.y_test)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is missing or damaged: restore it from the kit.") from error


def layers(keras: Any) -> list[Any]:
    return [keras.Input((FEATURES,)), keras.layers.Dense(1, activation="sigmoid")]


recipe = Transfer(
    name="cats_vs_dogs_transfer",
    dataset="cats_and_dogs",
    network=f"frozen base - {FEATURES} features - 1 sigmoid",
    preparation="pixels / 127.5 - 1, then the frozen base; its features of training photos rounded to float16",
    params=(("w", (FEATURES, 1)), ("b", (1,))),
    layers=layers,
    prepare=prepare,
    loss="binary_crossentropy",
    metric=BINARY_ACCURACY,
    epochs=30,
    batch_size=20,
    seed=257,
)
