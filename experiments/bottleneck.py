"""A layer that is too narrow: 46 topics through 64 units, or through 4."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.comparison import Compared
from experiments.experiment import Experiment, Outcome, Request
from experiments.reviews import Network, outcome

BATCH_SIZE = 128  # the lecture's for this comparison
NETWORKS = (Network("64-64", (64, 64)), Network("64-4", (64, 4)))


def make(request: Request) -> Outcome:
    return outcome("reuters", request, NETWORKS, experiment.title, read, BATCH_SIZE)


def read(done: Sequence[Compared]) -> list[str]:
    """What the narrow layer costs; nothing before both are there."""
    if len(done) < 2:
        return []
    wide, narrow = (float(np.nanmax(one.training.curve("val_metric"))) for one in done)
    lost = 100 * (wide - narrow)
    told = f"Of 100 newswires held out, {100 * wide:.1f} are right with 64 units, {100 * narrow:.1f} with 4: "
    if lost <= 0:
        return [told + "here nothing is lost in the bottleneck."]
    return [told + f"{lost:.1f} are lost in the bottleneck, and no layer behind it can bring them back."]


experiment = Experiment("bottleneck", "The bottleneck: what is lost in a layer of 4 units?", 20, make)
