"""How large should a network be? The lectures' 16-16 on film reviews, against a smaller and a much larger one."""

from __future__ import annotations

from collections.abc import Sequence

from experiments import reading
from experiments.comparison import Compared
from experiments.experiment import Experiment, Outcome, Request
from experiments.reviews import Network, outcome

NETWORKS = tuple(Network(f"{units}-{units}", (units, units)) for units in (4, 16, 512))


def make(request: Request) -> Outcome:
    return outcome("imdb", request, NETWORKS, experiment.title, read)


def read(done: Sequence[Compared]) -> list[str]:
    """Every curve, then which network overfits first."""
    return [*reading.each(done), *reading.order(done)]


experiment = Experiment("capacity", "Network capacity: how many hidden units do film reviews need?", 20, make)
