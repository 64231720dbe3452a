"""Train the bundled base: `python -m datasets.make_base`. Needs Keras, and takes a few minutes.

The first six blocks of Keras's MobileNet at half its width learn to tell drawn shapes apart; then their classifier is
thrown away. Whoever runs this again gets another base, as good as this one: TensorFlow adds up in another order on
another machine. `kata models train cats_vs_dogs_transfer --sample` must follow.
"""

from __future__ import annotations

import numpy as np

from datasets import base, shapes
from datasets.photos import resize

BLOCKS, FILTERS, SIZE = 6, 16, 64
SEED, PICTURES, TEST_PICTURES, EPOCHS, BATCH_SIZE = 2017, 6000, 1000, 8, 50


def draw(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures in [-1, 1] and their kinds, as many of each."""
    kinds = np.arange(count) % len(shapes.KINDS)
    pictures = [resize(shapes.shape(rng, int(kind)), (SIZE, SIZE)) for kind in kinds]
    return np.stack(pictures) / np.float32(127.5) - np.float32(1), kinds


def varied(rng: np.random.Generator, pictures: np.ndarray) -> np.ndarray:
    """The same pictures as nobody has seen them: half of them turned left to right, all with other colours."""
    mirrored = rng.random(len(pictures)) < 0.5
    turned = np.where(mirrored[:, None, None, None], pictures[:, :, ::-1], pictures)
    return np.stack([picture[..., rng.permutation(3)] for picture in turned])


def layers_of(weights: list[np.ndarray]) -> tuple[base.Layer, ...]:
    """Keras's weights, rounded to float16, as the layers of a base."""
    rounded = [array.astype(np.float16).astype(np.float32) for array in weights]
    apart = [array[..., 0] if array.shape[-1] == 1 else array for array in rounded]
    parts = len(base.PARTS)
    return tuple(tuple(apart[first : first + parts]) for first in range(0, len(apart), parts))


def main() -> None:
    import keras

    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    pictures, kinds = draw(rng, PICTURES)
    unseen, their_kinds = draw(rng, TEST_PICTURES)
    network = base.keras_network(BLOCKS, FILTERS, SIZE)
    classifier = keras.Sequential([network, keras.layers.Dense(len(shapes.KINDS), activation="softmax")])
    rate = keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * PICTURES // BATCH_SIZE)
    classifier.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    for _ in range(EPOCHS):
        classifier.fit(varied(rng, pictures), kinds, batch_size=BATCH_SIZE, verbose=2)
    layers = layers_of(network.get_weights())
    network.set_weights(base.build(layers, SIZE).get_weights())
    _, accuracy = classifier.evaluate(unseen, their_kinds, verbose=0)
    base.write_bundled(layers)
    print(f"{base.BUNDLED.name}: {base.BUNDLED.stat().st_size:,} bytes, {accuracy:.3f} of new shapes named rightly")


if __name__ == "__main__":
    main()
