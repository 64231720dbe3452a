"""Train the lectures' first network with Keras and record it: `python -m datasets.train_mnist_mlp [--sample]`.

A dense network 784 - 512 (relu) - 10 (softmax), RMSprop, batches of 128, five epochs. Everything random comes from one
numpy generator, in this order: the weights of the first layer, those of the second, then the order of the images in
each epoch. Whoever has the seed can repeat the run, batch by batch, without Keras.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
from typing import Any

import numpy as np

from datasets.dataset import Dataset, load
from datasets.error import DataError
from datasets.model import Model, save_model

SEED = 512
PROBE_SEED = 784
PROBES = 512
SIZES = (784, 512, 10)
EPOCHS = 5
BATCH_SIZE = 128
LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7
WEIGHT_STEP = 2.0**-12  # stored weights are multiples of it: float16 holds them exactly, and they compress well
DECIMALS = 6  # of the recorded predictions: float32 is not better than that after sums of 784 terms


def glorot_uniform(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    limit = np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)


def initial_params(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """(w1, b1, w2, b2) before training: Glorot's uniform weights, biases of zero."""
    inputs, hidden, classes = SIZES
    w1 = glorot_uniform(rng, inputs, hidden)
    w2 = glorot_uniform(rng, hidden, classes)
    return w1, np.zeros(hidden, np.float32), w2, np.zeros(classes, np.float32)


def first_epoch(model: Model) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Where a recorded run began: its initial parameters, and the order of its first epoch."""
    rng = np.random.default_rng(model.facts["seed"])
    params = initial_params(rng)
    order = rng.permutation(model.facts["data"]["train"]).astype(np.int64)
    if (digest(*params), digest(order)) != (model.facts["initial_sha256"], model.facts["first_order_sha256"]):
        then = model.facts["versions"]["numpy"]
        raise DataError(
            f"numpy {np.__version__} draws other numbers from a seed than numpy {then} did: "
            "record the models again with `python -m datasets.train_mnist_mlp`."
        )
    return params, order


def prepare(images: np.ndarray) -> np.ndarray:
    """Pixels 0 … 255 as float32 rows in [0, 1]."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def probe_indices(params: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Which elements of each array are recorded: all of a small one, a seeded choice of a large one."""
    rng = np.random.default_rng(PROBE_SEED)
    chosen = (rng.choice(array.size, min(PROBES, array.size), replace=False) for array in params)
    return tuple(np.sort(indices).astype(np.int32) for indices in chosen)


def build(params: tuple[np.ndarray, ...]) -> Any:
    """The network in Keras, with these weights."""
    import keras

    inputs, hidden, classes = SIZES
    network = keras.Sequential(
        [
            keras.Input((inputs,)),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )
    network.set_weights(list(params))
    network.compile(keras.optimizers.RMSprop(LEARNING_RATE, RHO, epsilon=EPSILON), "sparse_categorical_crossentropy")
    return network


def first_gradient(network: Any, x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Keras's gradient of the mean loss of one batch, per parameter array."""
    import keras
    import tensorflow as tf

    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(labels, network(x, training=True))
        loss = tf.reduce_mean(losses)
    return tuple(gradient.numpy() for gradient in tape.gradient(loss, network.trainable_variables))


def train(data: Dataset) -> Model:
    """One whole run of Keras on this data."""
    rng = np.random.default_rng(SEED)
    params = initial_params(rng)
    network = build(params)
    probes = probe_indices(params)
    x, labels, x_test = prepare(data.x_train), data.y_train, prepare(data.x_test)
    history: list[dict[str, float]] = []
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        if epoch == 0:
            first_order, first = order, order[:BATCH_SIZE]
            gradients = first_gradient(network, x[first], labels[first])
        losses = []
        for start in range(0, len(x), BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            network.reset_metrics()  # else train_on_batch returns the mean over all batches so far
            losses.append(float(network.train_on_batch(x[batch], labels[batch])))
            if epoch == 0 and start == 0:
                updated = network.get_weights()
        if epoch == 0:
            first_losses = np.array(losses, np.float32)
        sizes = np.diff([*range(0, len(x), BATCH_SIZE), len(x)])
        history.append({"loss": float(np.average(losses, weights=sizes)), "accuracy": accuracy(network, x_test, data)})
        print(f"epoch {epoch + 1}: loss {history[-1]['loss']:.4f}, test accuracy {history[-1]['accuracy']:.4f}")

    stored = tuple(shorten(array) for array in network.get_weights())
    network.set_weights(list(stored))
    predictions = network.predict(x_test, batch_size=len(x_test), verbose=0)
    return Model(
        "mnist_mlp",
        data.origin,
        params=stored,
        predictions=np.round(predictions, DECIMALS),
        losses=first_losses,
        probes=probes,
        gradients=pick(gradients, probes),
        updated=pick(updated, probes),
        facts={
            "network": "784 - 512 relu - 10 softmax, 407,050 parameters",
            "params": ["w1 (784, 512)", "b1 (512,)", "w2 (512, 10)", "b2 (10,)"],
            "data": {"name": data.name, "origin": data.origin, "train": len(x), "test": len(x_test)},
            "preparation": "float32(pixel) / float32(255), rows of 784",
            "optimizer": {"name": "RMSprop", "lr": LEARNING_RATE, "rho": RHO, "eps": EPSILON},
            "loss": "sparse_categorical_crossentropy",
            "epochs": EPOCHS,
            "batch_size": BATCH_SIZE,
            "seed": SEED,
            "probe_seed": PROBE_SEED,
            "prediction_decimals": DECIMALS,
            "initial_sha256": digest(*params),
            "first_order_sha256": digest(first_order.astype(np.int64)),
            "history": history,
            "test_accuracy": history[-1]["accuracy"],
            "test_accuracy_of_stored_weights": float(np.mean(predictions.argmax(axis=1) == data.y_test)),
            "versions": versions(),
        },
    )


def accuracy(network: Any, x_test: np.ndarray, data: Dataset) -> float:
    answers = network.predict(x_test, batch_size=1000, verbose=0).argmax(axis=1)
    return float(np.mean(answers == data.y_test))


def shorten(weights: np.ndarray) -> np.ndarray:
    """The weights as they will be stored, in float32: what is recorded is computed from these."""
    return (np.round(weights / WEIGHT_STEP) * WEIGHT_STEP).astype(np.float16).astype(np.float32)


def pick(arrays: Any, probes: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(array).reshape(-1)[indices] for array, indices in zip(arrays, probes, strict=True))


def digest(*arrays: np.ndarray) -> str:
    """Tells whether another numpy still draws the same numbers from the seed."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def versions() -> dict[str, str]:
    import keras
    import tensorflow as tf

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train MNIST's dense network with Keras and record it.")
    parser.add_argument("--sample", action="store_true", help="train on the bundled sample, though MNIST is here")
    data = load("mnist", sample=parser.parse_args().sample)
    print(data.note)
    path = save_model(train(data))
    print(f"{path.name}: {path.stat().st_size:,} bytes")
