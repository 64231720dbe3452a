"""An epoch of a project's network, ours against Keras's `fit`: what the benchmarks of single epochs share.

Every contestant has a process of its own (see `turns`), which also tells its peak memory, imports and data included.
All begin with the same parameters and are given the same training data, as files: to send arrays through a pipe takes
memory of its own. Before a time is taken an epoch runs that does not count (compiling, first allocations).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks import machine
from benchmarks.turns import Prepared, Side
from datasets.recipes.recipe import Recipe

Arrays = dict[str, np.ndarray]
Params = tuple[np.ndarray, ...]
Contestant = Callable[[str, str], Prepared]  # makes, of a project's name and a folder, the epoch and its mean loss
Samples = Callable[[Arrays], tuple[np.ndarray, np.ndarray]]  # makes of the training data what a library is given
KERAS = "Keras fit"
TORCH = "PyTorch"
PEAK = "peak memory"


# --- the benchmark's side -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """Per contestant: seconds per epoch, one number per turn; MB at the peak; the mean loss of the first call."""

    seconds: dict[str, list[float]]
    peaks: dict[str, float]
    losses: dict[str, float]


def measure(
    module: str, project: str, forms: Sequence[str], arrays: Arrays, repeats: int, epochs: float = 1.0
) -> Measured:
    """Let contestants train in turn.

    Parameters
    ----------
    module : whose FORMS maps the contestants' names to what makes them; `PEAK` is among them
    project : whose recipe is trained
    forms : the names of those who take part
    arrays : the training data
    epochs : how many a contestant trains per call
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for name, array in arrays.items():
            np.save(Path(folder) / f"{name}.npy", array)
        sides = {form: stack.enter_context(Side(module)) for form in forms}
        losses = {form: float(side.prepare(form, project, folder)) for form, side in sides.items()}
        seconds: dict[str, list[float]] = {form: [] for form in forms}
        for _ in range(repeats):
            for form, side in sides.items():
                seconds[form].append(side.turn(form) / epochs)
        peaks = {form: float(side.prepare(PEAK)) for form, side in sides.items()}
    return Measured(seconds, peaks, losses)


def table(title: str, measured: Measured) -> Table:
    """Times and memory, each against the better Keras, all from this run."""
    medians = {form: statistics.median(times) for form, times in measured.seconds.items()}
    fastest = min(value for form, value in medians.items() if form.startswith(KERAS))
    leanest = min(value for form, value in measured.peaks.items() if form.startswith(KERAS))
    made = machine.table(title, "epoch", "median", "Keras / this", "peak memory", "Keras / this", "loss of the first")
    for form, times in measured.seconds.items():
        peak = measured.peaks[form]
        speed, size = f"{fastest / medians[form]:.2f}", f"{leanest / peak:.1f}"
        made.add_row(form, median(times), speed, f"{peak:.0f} MB", size, f"{measured.losses[form]:.4f}")
    return made


def median(seconds: Sequence[float]) -> str:
    """The median and the range of some times, as text; the quickest epochs take a millisecond."""
    unit, scale = ("s", 1.0) if statistics.median(seconds) >= 1 else ("ms", 1e3)
    middle, low, high = (scale * value for value in (statistics.median(seconds), min(seconds), max(seconds)))
    return f"{middle:.2f} {unit}\n{low:.2f} … {high:.2f}"


def present(forms: Iterable[str]) -> list[str]:
    """Those that can take part: all of them where PyTorch is installed."""
    installed = importlib.util.find_spec("torch") is not None
    return [form for form in forms if installed or not form.startswith(TORCH)]


def digits(count: int) -> tuple[Arrays, str]:
    """So many training images of MNIST and their labels, the bundled sample's over and over where MNIST is not."""
    import datasets

    mnist = datasets.load("mnist")
    chosen = np.arange(count) % len(mnist.x_train)
    return {"images": mnist.x_train[chosen], "labels": mnist.y_train[chosen].astype(np.int64)}, mnist.note


# --- the contestants' side ------------------------------------------------------------------------------------------


def load(folder: str) -> Arrays:
    """The training data."""
    return {path.stem: np.load(path) for path in Path(folder).glob("*.npy")}


def start(project: str) -> tuple[Recipe, Params, Params, np.random.Generator]:
    """The recipe, its first parameters, their slots, and the generator of the orders."""
    from datasets.recipes import recipe

    found, rng = recipe(project), np.random.default_rng(1)
    params = found.initial_params(rng)
    return found, params, tuple(np.zeros_like(param) for param in params), rng


def by_batches(order: Any, size: int, step: Callable[[Any], float]) -> list[float]:
    """The losses of a step on each batch of the order."""
    return [step(order[begin : begin + size]) for begin in range(0, len(order), size)]


def keras_fit(jit_compile: bool | str, samples: Samples, epochs: int = 1) -> Contestant:
    """Keras with its own defaults and all its threads; nothing is switched off that could slow it down.

    Parameters
    ----------
    epochs : per call; the loss is the last one's
    """

    def prepare(project: str, folder: str) -> Prepared:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        found, params, _, _ = start(project)
        model = found.build(params)
        model.compile(model.optimizer, found.loss, jit_compile=jit_compile)
        x, y = samples(load(folder))

        def train() -> float:
            fitted = model.fit(x, y, batch_size=found.batch_size, epochs=epochs, verbose=0)
            return fitted.history["loss"][-1]

        return train, float

    return prepare


def keras_forms(samples: Samples, epochs: int = 1) -> dict[str, Contestant]:
    """Keras in its two forms; the faster one counts."""
    return {
        f"{KERAS}, as it comes": keras_fit("auto", samples, epochs),
        f"{KERAS}, jit_compile=False": keras_fit(False, samples, epochs),
    }


def pytorch(channels_last: bool, network: Callable[[Any], Any], loss: str, samples: Samples) -> Contestant:
    """PyTorch's eager loop, in its own memory layout or in Keras's.

    Parameters
    ----------
    network : makes it, of the module torch
    loss : its name in torch.nn
    samples : images (n, height, width, channels), and what the loss compares the network's scores with
    """

    def prepare(project: str, folder: str) -> Prepared:
        torch: Any = importlib.import_module("torch")
        recipe, *_ = start(project)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        made, loss_of = network(torch).to(memory_format=layout), getattr(torch.nn, loss)()
        optimizer = torch.optim.RMSprop(made.parameters(), recipe.lr, recipe.rho, recipe.eps)
        x, labels = samples(load(folder))
        images, y = torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(labels)
        images = images.contiguous(memory_format=layout)

        def step(batch: Any) -> float:
            optimizer.zero_grad()
            mean = loss_of(made(images[batch]), y[batch])
            mean.backward()
            optimizer.step()
            return mean.item()

        return lambda: by_batches(torch.randperm(len(y)), recipe.batch_size, step), np.mean

    return prepare


def torch_forms(network: Callable[[Any], Any], loss: str, samples: Samples) -> dict[str, Contestant]:
    """PyTorch in both memory layouts."""
    return {
        TORCH: pytorch(False, network, loss, samples),
        f"{TORCH}, channels_last": pytorch(True, network, loss, samples),
    }


def peak_memory() -> Prepared:
    """The largest share of main memory that this process ever had, in MB."""

    def peak() -> float:
        status = Path("/proc/self/status")
        if status.exists():  # getrusage counts, on Linux, what the parent had before this process began
            lines = status.read_text(encoding="ascii").splitlines()
            return next(float(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)

    return peak, float
