"""One epoch of the projects on words, batches of 512, RMSprop: the reference networks against Keras; time and memory.

python -m benchmarks.text_epoch [--project imdb] [--repeats N]

All train the same network on the same texts, in turn, each in a process of its own; see `epoch`. Ours gets every word
of a text once and no rows; Keras gets multi-hot rows of float32, made beforehand.
"""

from __future__ import annotations

import numpy as np
from rich.table import Table

from benchmarks import epoch, machine
from benchmarks.epoch import PEAK, Arrays
from benchmarks.turns import Prepared

PROJECTS = ("imdb", "reuters")
MULTI_HOT = "ours, multi-hot rows"


def main() -> None:
    parser = machine.arguments(__doc__, repeats=5)
    parser.add_argument("--project", choices=PROJECTS, help="only this one")
    options = parser.parse_args()
    machine.show(measure(project, options.repeats) for project in PROJECTS if options.project in (None, project))


def measure(project: str, repeats: int) -> Table:
    """Train in turn, and tell medians, memory and losses."""
    before = machine.load()
    forms = [form for form in CONTESTANTS if form != MULTI_HOT or project == "imdb"]
    arrays, origin = texts(project)
    measured = epoch.measure("benchmarks.text_epoch", project, forms, arrays, repeats)
    return epoch.table(f"One epoch of {project} on {origin} ({before})", measured)


def texts(project: str) -> tuple[Arrays, str]:
    """The training texts as plain arrays, and which texts they are.

    The published files hold pickled lists; reading them takes more memory than any training here.
    """
    from datasets.recipes import recipe

    data = recipe(project).load()
    origin = "the real data" if data.origin == "real" else "the BUNDLED SAMPLE, not the real data"
    return {"ids": data.x_train.ids, "offsets": data.x_train.offsets, "labels": data.y_train}, origin


def ours(project: str, folder: str) -> Prepared:
    """The project's own epoch."""
    from solutions.projects import imdb, reuters

    network = {"imdb": imdb, "reuters": reuters}[project]
    arrays = epoch.load(folder)
    recipe, params, slots, rng = epoch.start(project)
    words, bounds = imdb.distinct_words(arrays["ids"], arrays["offsets"], len(params[0]))
    labels, rates = arrays["labels"], (recipe.batch_size, recipe.lr, recipe.rho, recipe.eps)

    def train() -> np.ndarray:
        return network.train_epoch(words, bounds, labels, params, slots, rng.permutation(len(labels)), *rates)

    return train, np.mean


def ours_with_rows(project: str, folder: str) -> Prepared:
    """The version of imdb that makes multi-hot rows, a batch at a time."""
    from solutions.projects import imdb

    arrays = epoch.load(folder)
    ids, offsets, labels = arrays["ids"], arrays["offsets"], arrays["labels"]
    recipe, params, slots, rng = epoch.start(project)

    def step(batch: np.ndarray) -> float:
        x = imdb.prepare(*imdb.take_texts(ids, offsets, batch), len(params[0]))
        return imdb.train_step(x, labels[batch], params, slots, recipe.lr, recipe.rho, recipe.eps)

    return lambda: epoch.by_batches(rng.permutation(len(labels)), recipe.batch_size, step), np.mean


def rows(arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """The texts as Keras takes them, and their labels."""
    from datasets.ragged import Ragged
    from datasets.recipes.imdb import MultiHot

    return MultiHot(Ragged(arrays["ids"], arrays["offsets"]))[:], arrays["labels"]


CONTESTANTS = {"ours": ours, MULTI_HOT: ours_with_rows, **epoch.keras_forms(rows)}
FORMS = {**CONTESTANTS, PEAK: epoch.peak_memory}


if __name__ == "__main__":
    main()
