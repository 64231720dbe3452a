"""A price on large weights: the network on film reviews with and without an L2 penalty."""

from __future__ import annotations

import functools

from experiments import reading
from experiments.experiment import Experiment, Outcome, Request
from experiments.reviews import Network, outcome
from experiments.source import Source
from experiments.texts import Step

STRENGTH = 0.001  # the lecture's
UNITS = (16, 16)


def make(request: Request) -> Outcome:
    """The validation losses are those of the predictions alone, so that both networks can be compared."""
    networks = (Network("without", UNITS), Network(f"with L2 ({STRENGTH:g})", UNITS, penalized))
    return outcome("imdb", request, networks, experiment.title, reading.remedy)


def penalized(source: Source) -> Step:
    """The step of the project that makes weights cost something."""
    return functools.partial(source.functions("projects.imdb").l2_step, l2=STRENGTH)


experiment = Experiment("l2", "Weight regularization: does an L2 penalty hold overfitting back?", 20, make)
