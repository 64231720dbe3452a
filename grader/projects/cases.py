"""What the small cases of the projects are made of, and the steps and epochs that all of them ask for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from grader.draw import Draw, Generator
from grader.exercise import Case
from grader.projects.run import no_slots

Params = tuple[np.ndarray, ...]
DrawParams = Callable[[Draw], Params]
DrawSamples = Callable[[Draw, int], dict[str, Any]]  # so many samples, with their labels, as arguments of a case

RATES: dict[str, Any] = {"lr": 0.01, "rho": 0.9, "eps": 1e-7}
EXAMPLE: dict[str, Any] = {"lr": 0.1, "rho": 0.9, "eps": 1e-7}  # of the examples in the stubs
SPREAD = 0.02  # of slots in the middle of a training, where gradients are smaller than 1


def draw_layers(draw: Draw, *sizes: int, scale: float = 1.0) -> Params:
    """Weights and biases of dense layers between layers of these sizes."""
    shapes = itertools.pairwise(sizes)
    return tuple(
        part for shape in shapes for part in (draw.normal(*shape, scale=scale), draw.normal(shape[1], scale=scale))
    )


def draw_slots(draw: Draw, params: Params, spread: float = SPREAD) -> Params:
    """As they are in the middle of a training: not zero."""
    return tuple(draw.uniform(0.0, spread, *param.shape) for param in params)


def small_steps(
    draw: Draw, noun: str, draw_params: DrawParams, draw_samples: DrawSamples, spread: float = SPREAD
) -> Iterator[Case]:
    """Small steps: the first of a training and a later one, with other rates, on a batch of one."""
    rates: dict[str, Any]
    for rationale, n, fresh, rates, hidden in (
        ("a first step: the slots are zero", 6, True, RATES, False),
        ("in the middle of a training: the slots are not zero", 5, False, RATES, False),
        ("another rate, another memory, a large epsilon", 7, False, {"lr": 0.5, "rho": 0.6, "eps": 0.01}, False),
        (f"one {noun} alone", 1, False, {"lr": 0.002, "rho": 0.99, "eps": 1e-3}, True),
    ):
        params = draw_params(draw)
        samples = draw_samples(draw, n)
        slots = no_slots(params) if fresh else draw_slots(draw, params, spread)
        yield Case(rationale, hidden=hidden, **samples, params=params, slots=slots, **rates)


def small_epochs(
    draw: Draw,
    noun: str,
    draw_params: DrawParams,
    draw_samples: DrawSamples,
    spread: float = SPREAD,
    short: tuple[int, int] = (11, 4),
    single: tuple[int, int] = (9, 2),
) -> Iterator[Case]:
    """Small epochs: every way in which batches can fill an order.

    Parameters
    ----------
    short, single : samples and batch size where the last batch is short, and where it is one sample
    """
    rates: dict[str, Any]
    for rationale, (n, batch_size), left_out, rates, hidden in (
        ("the last batch is short", short, 0, RATES, False),
        ("every batch is full", (6, 3), 0, {"lr": 0.002, "rho": 0.5, "eps": 1e-3}, False),
        ("one batch larger than the data", (5, 8), 0, RATES, True),
        (f"the last batch is one {noun}", single, 0, {"lr": 0.03, "rho": 0.95, "eps": 1e-5}, True),
        (f"an order that leaves {noun}s out", (8, 3), 3, RATES, True),
    ):
        params = draw_params(draw)
        samples = draw_samples(draw, n)
        given = {**samples, "params": params, "slots": draw_slots(draw, params, spread)}
        order = draw.order(n)[: n - left_out]
        yield Case(rationale, hidden=hidden, **given, order=order, batch_size=batch_size, **rates)


def small_trainings(
    draw: Draw, noun: str, draw_samples: DrawSamples, networks: Sequence[dict[str, Any]]
) -> Iterator[Case]:
    """Small trainings from scratch; `networks` are the sizes of each, as arguments of a case."""
    rows = (
        (f"four {noun}s, two epochs", 4, 2, 2, False),
        ("no epoch: the weights as they were drawn", 3, 0, 2, False),
        ("three epochs, the last batch of each is short", 7, 3, 3, False),
        ("another seed, another size", 9, 2, 4, True),
    )
    for (rationale, n, epochs, batch_size, hidden), sizes in zip(rows, networks, strict=True):
        given = {**draw_samples(draw, n), "rng": Generator(draw.seed()), **sizes}
        yield Case(rationale, hidden=hidden, **given, epochs=epochs, batch_size=batch_size)
