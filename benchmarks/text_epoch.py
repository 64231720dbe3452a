"""One epoch of the projects on words, batches of 512, RMSprop: the reference networks against Keras; time and memory.

python -m benchmarks.text_epoch [--project imdb] [--repeats N]

All train the same network on the same texts, in turn, each in a process of its own (see `turns`), which also tells its
memory at the peak, imports and data included. Before a time is taken an epoch runs that does not count. Ours gets every
word of a text once and no rows; Keras gets multi-hot rows of float32, made beforehand.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks import machine
from benchmarks.turns import Prepared, Side

PROJECTS = ("imdb", "reuters")
PARTS = ("ids", "offsets", "labels")
PEAK = "peak memory"
KERAS = "Keras fit"


def main() -> None:
    parser = machine.arguments(__doc__, repeats=5)
    parser.add_argument("--project", choices=PROJECTS, help="only this one")
    options = parser.parse_args()
    machine.show(*(measure(project, options.repeats) for project in PROJECTS if options.project in (None, project)))


def measure(project: str, repeats: int) -> Table:
    """Train in turn, and tell medians, memory and losses."""
    before = machine.load()
    forms = [form for form in FORMS if form != PEAK and not (form == MULTI_HOT and project != "imdb")]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        origin = save_texts(project, Path(folder))
        sides = {form: stack.enter_context(Side("benchmarks.text_epoch")) for form in forms}
        losses = {form: float(side.prepare(form, project, folder)) for form, side in sides.items()}
        seconds: dict[str, list[float]] = {form: [] for form in forms}
        for _ in range(repeats):
            for form, side in sides.items():
                seconds[form].append(side.turn(form))
        peaks = {form: float(side.prepare(PEAK)) for form, side in sides.items()}
    return table(f"One epoch of {project} on {origin} ({before})", seconds, peaks, losses)


def save_texts(project: str, folder: Path) -> str:
    """Leave the training texts as plain arrays for the contestants, and say which texts they are.

    The published files hold pickled lists; reading them takes more memory than any training here.
    """
    from datasets.recipes import recipe

    data = recipe(project).load()
    for part, array in zip(PARTS, (data.x_train.ids, data.x_train.offsets, data.y_train), strict=True):
        np.save(folder / f"{part}.npy", array)
    return "the real data" if data.origin == "real" else "the BUNDLED SAMPLE, not the real data"


def table(title: str, seconds: dict[str, list[float]], peaks: dict[str, float], losses: dict[str, float]) -> Table:
    """Times and memory, each against the better Keras, all from this run."""
    medians = {form: statistics.median(times) for form, times in seconds.items()}
    fastest = min(value for form, value in medians.items() if form.startswith(KERAS))
    leanest = min(value for form, value in peaks.items() if form.startswith(KERAS))
    made = machine.table(title, "epoch", "median", "Keras / this", "peak memory", "Keras / this", "loss of the first")
    for form, times in seconds.items():
        speed, size = f"{fastest / medians[form]:.1f}", f"{leanest / peaks[form]:.1f}"
        made.add_row(form, machine.median(times), speed, f"{peaks[form]:.0f} MB", size, f"{losses[form]:.4f}")
    return made


# --- what the processes do ------------------------------------------------------------------------------------------


def texts_in(folder: str) -> tuple[np.ndarray, ...]:
    return tuple(np.load(Path(folder) / f"{part}.npy") for part in PARTS)


def start(project: str) -> tuple[Any, tuple[np.ndarray, ...], tuple[np.ndarray, ...], np.random.Generator]:
    """The recipe, its first parameters, their slots, and the generator of the orders."""
    from datasets.recipes import recipe

    found, rng = recipe(project), np.random.default_rng(1)
    params = found.initial_params(rng)
    return found, params, tuple(np.zeros_like(param) for param in params), rng


def ours(project: str, folder: str) -> Prepared:
    """The project's own epoch."""
    from solutions.projects import imdb, reuters

    network = {"imdb": imdb, "reuters": reuters}[project]
    ids, offsets, labels = texts_in(folder)
    recipe, params, slots, rng = start(project)
    words, bounds = imdb.distinct_words(ids, offsets, len(params[0]))
    rates = (recipe.batch_size, recipe.lr, recipe.rho, recipe.eps)

    def train() -> np.ndarray:
        return network.train_epoch(words, bounds, labels, params, slots, rng.permutation(len(labels)), *rates)

    return train, np.mean


def ours_with_rows(project: str, folder: str) -> Prepared:
    """The version of imdb that makes multi-hot rows, a batch at a time."""
    from solutions.projects import imdb

    ids, offsets, labels = texts_in(folder)
    recipe, params, slots, rng = start(project)

    def train() -> list[float]:
        losses, order = [], rng.permutation(len(labels))
        for begin in range(0, len(order), recipe.batch_size):
            batch = order[begin : begin + recipe.batch_size]
            x = imdb.prepare(*imdb.take_texts(ids, offsets, batch), len(params[0]))
            losses.append(imdb.train_step(x, labels[batch], params, slots, recipe.lr, recipe.rho, recipe.eps))
        return losses

    return train, np.mean


def keras_fit(jit_compile: bool | str) -> Callable[[str, str], Prepared]:
    """Keras with its own defaults and all its threads; nothing is switched off that could slow it down."""

    def make(project: str, folder: str) -> Prepared:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        from datasets.ragged import Ragged
        from datasets.recipes.imdb import MultiHot

        ids, offsets, labels = texts_in(folder)
        recipe, params, _, _ = start(project)
        model = recipe.build(params)
        model.compile(model.optimizer, recipe.loss, jit_compile=jit_compile)
        x = MultiHot(Ragged(ids, offsets))[:]

        def train() -> float:
            return model.fit(x, labels, batch_size=recipe.batch_size, epochs=1, verbose=0).history["loss"][0]

        return train, float

    return make


def peak_memory() -> Prepared:
    """The largest share of main memory that this process ever had, in MB."""

    def peak() -> float:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(float(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))

    return peak, float


MULTI_HOT = "ours, multi-hot rows"
FORMS = {
    "ours": ours,
    MULTI_HOT: ours_with_rows,
    f"{KERAS}, as it comes": keras_fit("auto"),
    f"{KERAS}, jit_compile=False": keras_fit(False),
    PEAK: peak_memory,
}


if __name__ == "__main__":
    main()
