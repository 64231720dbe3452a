"""What the experiments on film reviews and newswires share: the same texts, the same seed, different networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

from datasets.dataset import Dataset
from datasets.recipes.recipe import Recipe
from experiments import projects
from experiments.comparison import Compared, Variant, compare, losses_table
from experiments.curves import compared_picture
from experiments.experiment import Outcome, Request
from experiments.source import Source
from experiments.texts import Step, Texts


class Network(NamedTuple):
    """One of the networks.

    Parameters
    ----------
    label : what tables and legends call it
    units : of its two hidden layers
    make_step : makes, of the solutions, another step than the project's own
    """

    label: str
    units: tuple[int, int]
    make_step: Callable[[Source], Step] | None = None


def outcome(
    project: str,
    request: Request,
    networks: Sequence[Network],
    question: str,
    read: Callable[[Sequence[Compared]], list[str]],
    batch_size: int | None = None,
) -> Outcome:
    """Train these networks, in the project's batches or in others, and compare validation losses and metrics."""
    done, data, stopped = trained(project, request, networks, batch_size)
    if not done:
        return Outcome(stopped=stopped)
    title = f"{question} ({projects.title(data)})"
    return Outcome([losses_table(done)], read(done), lambda: compared_picture(done, title), stopped)


def trained(
    project: str, request: Request, networks: Sequence[Network], batch_size: int | None = None
) -> tuple[list[Compared], Dataset, bool]:
    """The trainings that were finished, their data, and whether Ctrl-C left some out."""
    found = projects.find(project)
    data, source = found.load(request.sample), Source()
    request.console.print(data.note, markup=False)
    rows, validation = found.split(len(data.y_train))
    variants = []
    for network in networks:
        step = network.make_step(source) if network.make_step else None
        recipe = resized(found.recipe, network.units, batch_size or found.recipe.batch_size)
        variants.append(Variant(network.label, Texts(source, recipe, data, rows, step)))
    done, stopped = compare(variants, validation, request.epochs, request.seed, request.console)
    return done, data, stopped


def resized(recipe: Recipe, units: tuple[int, int], batch_size: int) -> Recipe:
    """The recipe with other hidden layers and batches."""
    (words, _), (_, outputs) = recipe.params[0][1], recipe.params[4][1]
    first, second = units
    shapes = ((words, first), (first,), (first, second), (second,), (second, outputs), (outputs,))
    names = [name for name, _ in recipe.params]
    return dataclasses.replace(recipe, params=tuple(zip(names, shapes, strict=True)), batch_size=batch_size)
