"""The lectures' experiments, by name."""

from __future__ import annotations

import importlib

from experiments.experiment import Experiment
from grader.problem import Problem

NAMES = (
    "capacity",
    "l2",
    "dropout",
    "bottleneck",
    "kfold",
    "iterated_kfold",
    "learning_rates",
    "optimizers",
    "grid_search",
)


def experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises
    ------
    Problem : there is none
    """
    if name not in NAMES:
        raise Problem(f"There is no experiment {name!r}.", f"These are there: {', '.join(NAMES)}.")
    found: Experiment = importlib.import_module(f"experiments.{name}").experiment
    return found
