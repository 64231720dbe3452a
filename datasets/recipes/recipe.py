"""A network that Keras trains and records, so that a student's can be held against it without Keras.

Everything random comes from one numpy generator, in this order: the weights of each layer, then the order of the
samples in each epoch. Whoever has the seed can repeat the run, batch by batch, without Keras.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from datasets.dataset import Dataset, load
from datasets.error import DataError
from datasets.model import Arrays, Model

PROBE_SEED = 784
PROBES = 512
WEIGHT_STEP = 2.0**-12  # stored weights are multiples of it: float16 holds them exactly, and they compress well
DECIMALS = 6  # of the recorded predictions: float32 is not better than that after long sums
ACCURACY, BINARY_ACCURACY, MAE = "accuracy", "binary accuracy", "mean absolute error"


class Rows(Protocol):
    """Prepared samples, as the network takes them: an array, or something that makes the rows it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Any) -> np.ndarray: ...


@dataclass(frozen=True)
class Prepared:
    """A data set made ready for a network, in training and test samples."""

    x_train: Rows
    y_train: np.ndarray
    x_test: Rows
    y_test: np.ndarray


@dataclass(frozen=True)
class Recipe:
    """One network and how it is trained: by RMSprop, batch by batch.

    Parameters
    ----------
    name : of the network, which is the name of its project
    dataset : what it is trained on
    network : one line that tells its layers
    preparation : one line that tells what is done to the data first
    params : names and shapes of its parameters, in Keras's order
    layers : makes Keras's layers, the input first
    prepare : makes a data set ready
    loss : Keras's name of it
    metric : what is measured on the test data: `ACCURACY`, `BINARY_ACCURACY` or `MAE`
    epochs, batch_size, seed : of the training
    lr, rho, eps : RMSprop's
    options : what `datasets.load` is told besides the name, e.g. how many words to keep
    """

    name: str
    dataset: str
    network: str
    preparation: str
    params: tuple[tuple[str, tuple[int, ...]], ...]
    layers: Callable[[Any], list[Any]]
    prepare: Callable[[Dataset], Prepared]
    loss: str
    metric: str
    epochs: int
    batch_size: int
    seed: int
    lr: float = 1e-3
    rho: float = 0.9
    eps: float = 1e-7
    options: Mapping[str, Any] = field(default_factory=dict)

    def load(self, sample: bool = False) -> Dataset:
        """The data it is trained on; the bundled sample where that is wanted, or where the real data is not."""
        return load(self.dataset, sample, **self.options)

    def initial_params(self, rng: np.random.Generator) -> Arrays:
        """The parameters before training: Glorot's uniform weights, biases of zero."""
        return tuple(initial(rng, shape) for _, shape in self.params)

    def first_epoch(self, model: Model) -> tuple[Arrays, np.ndarray]:
        """Where a recorded run began: its initial parameters, and the order of its first epoch.

        Raises
        ------
        DataError : this numpy draws other numbers from the seed than the one that recorded the model
        """
        rng = np.random.default_rng(model.facts["seed"])
        params = self.initial_params(rng)
        order = rng.permutation(model.facts["data"]["train"]).astype(np.int64)
        if (digest(*params), digest(order)) != (model.facts["initial_sha256"], model.facts["first_order_sha256"]):
            then = model.facts["versions"]["numpy"]
            raise DataError(
                f"numpy {np.__version__} draws other numbers from a seed than numpy {then} did: "
                f"record the models again with `kata models train {self.name}`."
            )
        return params, order

    def build(self, params: Arrays) -> Any:
        """The network in Keras, with these weights, ready to be trained."""
        import keras

        network = keras.Sequential(self.layers(keras))
        network.set_weights(list(params))
        network.compile(keras.optimizers.RMSprop(self.lr, self.rho, epsilon=self.eps), self.loss)
        return network

    def measure(self, predictions: np.ndarray, wanted: np.ndarray) -> float:
        """The test metric of these predictions."""
        if self.metric == ACCURACY:
            return float(np.mean(predictions.argmax(axis=1) == wanted))
        if self.metric == BINARY_ACCURACY:
            return float(np.mean((predictions.reshape(-1) > 0.5) == (wanted > 0.5)))
        return float(np.mean(np.abs(predictions.reshape(-1) - wanted)))

    def train(self, data: Dataset, tell: Callable[[str], None] = print) -> Model:
        """One whole run of Keras on this data; `tell` hears of every epoch."""
        prepared = self.prepare(data)
        rng = np.random.default_rng(self.seed)
        params = self.initial_params(rng)
        network, probes = self.build(params), probe_indices(params)
        begin: dict[str, Any] = {}
        history: list[dict[str, float]] = []
        for epoch in range(self.epochs):
            order = rng.permutation(len(prepared.x_train))
            if epoch == 0:
                begin = self._first_step(params, prepared, order, probes)
            losses = self._epoch(network, prepared, order)
            if epoch == 0:
                begin["losses"] = np.array(losses, np.float32)
            sizes = np.diff([*range(0, len(order), self.batch_size), len(order)])
            reached = self.measure(answers(network, prepared.x_test), prepared.y_test)
            history.append({"loss": float(np.average(losses, weights=sizes)), self.metric: reached})
            tell(f"epoch {epoch + 1}: loss {history[-1]['loss']:.4f}, test {self.metric} {reached:.4f}")
        stored = tuple(shorten(array) for array in network.get_weights())
        network.set_weights(list(stored))
        predictions = answers(network, prepared.x_test)
        facts = self._facts(data, prepared, history) | {
            "test_metric_of_stored_weights": self.measure(predictions, prepared.y_test),
            "initial_sha256": digest(*params),
            "first_order_sha256": digest(begin.pop("order")),
        }
        predictions = np.round(predictions, DECIMALS)
        return Model(
            self.name, data.origin, params=stored, predictions=predictions, probes=probes, facts=facts, **begin
        )

    def _first_step(self, params: Arrays, prepared: Prepared, order: np.ndarray, probes: Arrays) -> dict[str, Any]:
        """The first batch's gradient and what one step makes of the parameters, at the probes."""
        network = self.build(params)
        batch = order[: self.batch_size]
        x, y = prepared.x_train[batch], prepared.y_train[batch]
        gradients = pick(gradient_of(network, self.loss, x, y), probes)
        network.train_on_batch(x, y)
        updated = pick(network.get_weights(), probes)
        return {"gradients": gradients, "updated": updated, "order": order.astype(np.int64)}

    def _epoch(self, network: Any, prepared: Prepared, order: np.ndarray) -> list[float]:
        """One pass in the given order; the loss of each batch before its step."""
        losses = []
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            network.reset_metrics()  # else train_on_batch returns the mean over all batches so far
            losses.append(float(network.train_on_batch(prepared.x_train[batch], prepared.y_train[batch])))
        return losses

    def _facts(self, data: Dataset, prepared: Prepared, history: list[dict[str, float]]) -> dict[str, Any]:
        sizes = {"train": len(prepared.x_train), "test": len(prepared.x_test)}
        return {
            "network": f"{self.network}, {sum(int(np.prod(shape)) for _, shape in self.params):,} parameters",
            "params": [f"{name} {shape}" for name, shape in self.params],
            "data": {"name": data.name, "origin": data.origin, **sizes},
            "preparation": self.preparation,
            "optimizer": {"name": "RMSprop", "lr": self.lr, "rho": self.rho, "eps": self.eps},
            "loss": self.loss,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "probe_seed": PROBE_SEED,
            "prediction_decimals": DECIMALS,
            "history": history,
            "metric": self.metric,
            "test_metric": history[-1][self.metric],
            "versions": versions(),
        }


def initial(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros for a bias; Glorot's uniform weights for a dense (d_in, d_out) or convolution (kh, kw, c_in, filters)."""
    if len(shape) == 1:
        return np.zeros(shape, np.float32)
    window = int(np.prod(shape[:-2]))
    limit = np.sqrt(6.0 / (window * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def gradient_of(network: Any, loss: str, x: np.ndarray, y: np.ndarray) -> Arrays:
    """Keras's gradient of the mean loss of one batch, per parameter array."""
    import keras
    import tensorflow as tf

    with tf.GradientTape() as tape:
        mean = tf.reduce_mean(keras.losses.get(loss)(y.reshape(len(y), -1), network(x, training=True)))
    return tuple(gradient.numpy() for gradient in tape.gradient(mean, network.trainable_variables))


def answers(network: Any, x: Rows) -> np.ndarray:
    """Keras's predictions, a thousand samples at a time."""
    parts = [network.predict_on_batch(x[start : start + 1000]) for start in range(0, len(x), 1000)]
    return np.concatenate(parts)


def probe_indices(params: Arrays) -> Arrays:
    """Which elements of each array are recorded: all of a small one, a seeded choice of a large one."""
    rng = np.random.default_rng(PROBE_SEED)
    chosen = (rng.choice(array.size, min(PROBES, array.size), replace=False) for array in params)
    return tuple(np.sort(indices).astype(np.int32) for indices in chosen)


def shorten(weights: np.ndarray) -> np.ndarray:
    """The weights as they will be stored, in float32: what is recorded is computed from these."""
    return (np.round(weights / WEIGHT_STEP) * WEIGHT_STEP).astype(np.float16).astype(np.float32)


def pick(arrays: Any, probes: Arrays) -> Arrays:
    """Of each array, the elements at its probes."""
    return tuple(np.asarray(array).reshape(-1)[indices] for array, indices in zip(arrays, probes, strict=True))


def digest(*arrays: np.ndarray) -> str:
    """Tells whether another numpy still draws the same numbers from the seed."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def versions() -> dict[str, str]:
    """Of everything that a recorded number depends on."""
    import keras
    import tensorflow as tf

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
