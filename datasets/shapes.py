"""Drawn shapes of ten kinds, from which a small base learns edges, corners and curves before it sees an animal.

They are drawn as the faces of `drawings` are, in front of the same clutter; none of them is a face.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from datasets.drawings import Canvas


def colour(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(30, 235, 3)


def disc(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.ellipse(0, 0, rng.uniform(0.7, 1), rng.uniform(0.7, 1), colour(rng))


def ring(canvas: Canvas, rng: np.random.Generator) -> None:
    hole = rng.uniform(0.4, 0.7)
    canvas.ellipse(0, 0, 1, 1, colour(rng))
    canvas.ellipse(0, 0, hole, hole, colour(rng))


def bar(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.ellipse(0, 0, 1.2, rng.uniform(0.15, 0.35), colour(rng), rng.uniform(0, np.pi))


def cross(canvas: Canvas, rng: np.random.Generator) -> None:
    tilt, width, paint = rng.uniform(0, np.pi), rng.uniform(0.12, 0.25), colour(rng)
    canvas.ellipse(0, 0, 1.1, width, paint, tilt)
    canvas.ellipse(0, 0, 1.1, width, paint, tilt + np.pi / 2)


def peak(canvas: Canvas, rng: np.random.Generator) -> None:
    """A triangle that stands on its base."""
    lean, half = rng.uniform(-0.4, 0.4), rng.uniform(0.5, 0.9)
    canvas.triangle([(lean, -1), (half, 0.8), (-half, 0.8)], colour(rng))


def valley(canvas: Canvas, rng: np.random.Generator) -> None:
    """A triangle that stands on its tip."""
    lean, half = rng.uniform(-0.4, 0.4), rng.uniform(0.5, 0.9)
    canvas.triangle([(lean, 1), (-half, -0.8), (half, -0.8)], colour(rng))


def two_peaks(canvas: Canvas, rng: np.random.Generator) -> None:
    paint = colour(rng)
    for side in (-1, 1):
        tip, half = side * rng.uniform(0.5, 0.8), rng.uniform(0.25, 0.4)
        canvas.triangle([(tip, -0.9), (side * 0.6 + half, 0.6), (side * 0.6 - half, 0.6)], paint)


def two_drops(canvas: Canvas, rng: np.random.Generator) -> None:
    paint = colour(rng)
    for side in (-1, 1):
        height, long, lean = rng.uniform(-0.2, 0.2), rng.uniform(0.6, 0.9), rng.uniform(-0.1, 0.5)
        canvas.ellipse(side * 0.6, height, 0.28, long, paint, -side * lean)


def target(canvas: Canvas, rng: np.random.Generator) -> None:
    """A disc with a spot of another colour."""
    canvas.ellipse(0, 0, 0.9, 0.9, colour(rng))
    canvas.ellipse(rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), 0.3, 0.3, colour(rng))


def slit(canvas: Canvas, rng: np.random.Generator) -> None:
    """A disc with a slit of another colour."""
    canvas.ellipse(0, 0, 0.9, 0.9, colour(rng))
    canvas.ellipse(rng.uniform(-0.4, 0.4), 0, 0.08, rng.uniform(0.4, 0.7), colour(rng))


KINDS: tuple[Callable[[Canvas, np.random.Generator], None], ...] = (
    disc,
    ring,
    bar,
    cross,
    peak,
    valley,
    two_peaks,
    two_drops,
    target,
    slit,
)


def shape(rng: np.random.Generator, kind: int) -> np.ndarray:
    """A picture of the kind KINDS[kind], uint8 (height, width, 3)."""
    canvas = Canvas(rng)
    KINDS[kind](canvas, rng)
    return canvas.picture(rng)
