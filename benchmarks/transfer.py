"""Feature extraction for cats and dogs: the reference network of the project against Keras.

python -m benchmarks.transfer [--repeats N] [--images N]

Two things are timed: what the frozen base says about photos, which is computed once, and an epoch of the head on the
features of the training photos, which follows many times. Keras has its own MobileNet with the same weights; both begin
with pixels 0 … 255. The contestants take turns, each in a process of its own; see `epoch`. Without MobileNet's file, or
without the photos, the bundled base and drawings take part.
"""

from __future__ import annotations

import os
import statistics

import numpy as np

from benchmarks import epoch, machine
from benchmarks.epoch import PEAK, Arrays, Contestant
from benchmarks.turns import Prepared

MODULE, PROJECT = "benchmarks.transfer", "cats_vs_dogs_transfer"
OUR_FEATURES, OUR_EPOCH = "ours, extract_features", "ours, train_epoch"
KERAS_FEATURES = "Keras predict"
PHOTOS_AT_A_TIME = 50


def main() -> None:
    from datasets.recipes.cats_vs_dogs_transfer import recipe

    parser = machine.arguments(__doc__, repeats=5)
    parser.add_argument("--images", type=int, default=500, help="photos whose features are extracted per call (500)")
    options = parser.parse_args()
    before = machine.load()
    data = recipe.load()
    images = data.x_test[np.arange(options.images) % len(data.x_test)]
    photos = {"images": images, "sample": np.array(data.origin == "sample")}
    show(epoch.measure(MODULE, PROJECT, (OUR_FEATURES, KERAS_FEATURES), photos, options.repeats), len(images), before)

    prepared = recipe.prepare(data)
    rows = {"features": prepared.x_train[:], "labels": prepared.y_train.astype(np.int64)}
    measured = epoch.measure(MODULE, PROJECT, tuple(HEADS), rows, options.repeats)
    title = f"One epoch of the head on {len(rows['labels']):,} photos' features ({before})"
    machine.show([epoch.table(title, measured)])


def show(measured: epoch.Measured, count: int, before: str) -> None:
    """Times and memory of the extraction, against Keras's; the same mean shows that both computed the same."""
    title = f"Features of {count:,} photos ({before})"
    made = machine.table(title, "side", "median", "Keras / this", "peak memory", "mean feature")
    medians = {form: statistics.median(times) for form, times in measured.seconds.items()}
    for form, times in measured.seconds.items():
        ratio = f"{medians[KERAS_FEATURES] / medians[form]:.2f}"
        mean = f"{measured.losses[form]:.6f}"
        made.add_row(form, epoch.median(times), ratio, f"{measured.peaks[form]:.0f} MB", mean)
    machine.show([made])


def our_features(_project: str, folder: str) -> Prepared:
    import datasets
    from solutions.projects import cats_vs_dogs_transfer

    given = epoch.load(folder)
    layers = datasets.load_base(sample=bool(given["sample"])).layers
    return lambda: cats_vs_dogs_transfer.extract_features(layers, given["images"], PHOTOS_AT_A_TIME), np.mean


def keras_features(_project: str, folder: str) -> Prepared:
    """Keras's own MobileNet, with Keras's defaults and all its threads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    from datasets import base

    given = epoch.load(folder)
    images = given["images"]
    network = base.build(base.load_base(sample=bool(given["sample"])).layers, images.shape[1])
    prepare = keras.applications.mobilenet.preprocess_input
    return lambda: network.predict(prepare(images.copy()), batch_size=PHOTOS_AT_A_TIME, verbose=0), np.mean


def our_epoch(project: str, folder: str) -> Prepared:
    from solutions.projects import cats_vs_dogs_transfer

    recipe, params, slots, rng = epoch.start(project)
    given = epoch.load(folder)
    features, labels = given["features"], given["labels"]
    rest = (recipe.batch_size, recipe.lr, recipe.rho, recipe.eps)

    def run() -> np.ndarray:
        order = rng.permutation(len(labels))
        return cats_vs_dogs_transfer.train_epoch(features, labels, params, slots, order, *rest)

    return run, np.mean


def samples(given: Arrays) -> tuple[np.ndarray, np.ndarray]:
    return given["features"], given["labels"]


HEADS: dict[str, Contestant] = {OUR_EPOCH: our_epoch, **epoch.keras_forms(samples)}
FORMS = {OUR_FEATURES: our_features, KERAS_FEATURES: keras_features, **HEADS, PEAK: epoch.peak_memory}


if __name__ == "__main__":
    main()
