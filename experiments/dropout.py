"""Units switched off at random: the network on film reviews with and without dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments import reading
from experiments.experiment import Experiment, Outcome, Request
from experiments.reviews import Network, outcome
from experiments.source import Source
from experiments.texts import Step

RATE = 0.5  # the lecture's
UNITS = (16, 16)


def make(request: Request) -> Outcome:
    def dropping(source: Source) -> Step:
        """The project's step with dropout, and a generator of its own for what is dropped."""
        dropout_step, rng = source.functions("projects.imdb").dropout_step, np.random.default_rng(request.seed + 1)

        def step(words: Any, bounds: Any, labels: Any, *rest: Any) -> Any:
            uniforms = tuple(rng.random((len(labels), units), np.float32) for units in UNITS)
            return dropout_step(words, bounds, labels, *rest, RATE, uniforms)

        return step

    networks = (Network("without", UNITS), Network(f"with dropout ({RATE:g})", UNITS, dropping))
    return outcome("imdb", request, networks, experiment.title, reading.remedy)


experiment = Experiment("dropout", "Dropout: does switching units off hold overfitting back?", 20, make)
