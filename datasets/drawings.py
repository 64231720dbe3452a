"""Drawn faces of cats and dogs, for where no photographs may be shown.

A cat has pointed ears that stand and slit eyes, a dog has round ears that hang and a muzzle with a large nose. Colours,
light, position, size, tilt, proportions and the background vary, and tell nothing about the animal.
"""

from __future__ import annotations

import numpy as np

SIDES = (48, 73)  # pixels, of height and width: pictures differ in size, as photographs do
NOISE = 8.0  # of 255
CLUTTER = 4  # ellipses, and as many triangles
DARK = np.array([30.0, 25.0, 25.0])


class Canvas:
    """A picture, and for each pixel where it lies on the face, whose head is a circle of about 1."""

    def __init__(self, rng: np.random.Generator):
        height, width = (int(side) for side in rng.integers(*SIDES, 2))
        down, right = np.mgrid[:height, :width].astype(np.float64)
        tilt, radius = rng.uniform(-0.45, 0.45), rng.uniform(0.2, 0.36) * min(height, width)
        right = (right - width * rng.uniform(0.38, 0.62)) / radius
        down = (down - height * rng.uniform(0.42, 0.65)) / radius
        self.x = np.cos(tilt) * right + np.sin(tilt) * down
        self.y = np.cos(tilt) * down - np.sin(tilt) * right
        self.radius = radius
        slope = rng.normal(0, 25, 3) * (right * rng.normal() + down * rng.normal())[..., None] / 2
        self.pixels = rng.uniform(30, 225, 3) + slope
        self.clutter(rng)

    def clutter(self, rng: np.random.Generator) -> None:
        """Shapes behind the face, of the kinds of which faces are made, so that an ear alone tells nothing."""
        for _ in range(CLUTTER):
            tilt = rng.uniform(0, 2 * np.pi)
            x, y, reach = *rng.uniform(-2.5, 2.5, 2), rng.uniform(0.3, 0.9)
            width, height = rng.uniform(0.1, 0.8, 2)
            self.ellipse(-x, -y, width, height, rng.uniform(30, 225, 3), tilt)
            turns = tilt + np.cumsum(rng.uniform(0.8, 1.8, 3))
            corners = [(x + reach * np.cos(turn), y + reach * np.sin(turn)) for turn in turns]
            self.triangle(corners, rng.uniform(30, 225, 3))

    def paint(self, inside: np.ndarray, colour: np.ndarray) -> None:
        """Colour where `inside`, a distance from the edge in the face's units, is positive; the edge is soft."""
        share = np.clip(inside * self.radius + 0.5, 0, 1)[..., None]
        self.pixels = self.pixels * (1 - share) + colour * share

    def ellipse(self, x: float, y: float, width: float, height: float, colour: np.ndarray, tilt: float = 0.0) -> None:
        right, down = self.x - x, self.y - y
        across = (np.cos(tilt) * right + np.sin(tilt) * down) / width
        along = (np.cos(tilt) * down - np.sin(tilt) * right) / height
        self.paint((1 - np.hypot(across, along)) * min(width, height), colour)

    def triangle(self, corners: list[tuple[float, float]], colour: np.ndarray) -> None:
        """Corners in clockwise order, as seen on the screen."""
        edges = zip(corners, corners[1:] + corners[:1], strict=True)
        distances = [
            ((self.y - y0) * (x1 - x0) - (self.x - x0) * (y1 - y0)) / np.hypot(x1 - x0, y1 - y0)
            for (x0, y0), (x1, y1) in edges
        ]
        self.paint(np.min(distances, axis=0), colour)

    def picture(self, rng: np.random.Generator) -> np.ndarray:
        """uint8 (height, width, 3), in some light and with some noise."""
        lit = self.pixels * rng.uniform(0.7, 1.15) + rng.normal(0, NOISE, self.pixels.shape)
        return np.rint(np.clip(lit, 0, 255)).astype(np.uint8)


def cat(rng: np.random.Generator) -> np.ndarray:
    canvas, fur, inner, iris = Canvas(rng), *palette(rng)
    tip, base = rng.uniform(1.15, 1.6), rng.uniform(0.3, 0.45)
    for side in (-1, 1):
        lean = side * rng.uniform(0.6, 0.95)
        for shrink, colour in ((1.0, fur), (0.6, inner)):
            foot, outer = side * 0.5 - base * shrink, side * 0.5 + base * shrink
            canvas.triangle([(lean, -tip * (0.4 + 0.6 * shrink)), (outer, -0.55), (foot, -0.55)], colour)
    canvas.ellipse(0, 0, 1.0, rng.uniform(0.8, 0.95), fur)
    for side in (-1, 1):
        canvas.ellipse(side * 0.4, -0.15, 0.22, 0.17, iris)
        canvas.ellipse(side * 0.4, -0.15, 0.06, 0.17, DARK)
    canvas.ellipse(0, 0.22, 0.11, 0.08, inner)
    canvas.ellipse(0, 0.45, 0.2, 0.04, DARK)
    return canvas.picture(rng)


def dog(rng: np.random.Generator) -> np.ndarray:
    canvas, fur, inner, iris = Canvas(rng), *palette(rng)
    canvas.ellipse(0, 0, rng.uniform(0.8, 0.95), 1.0, fur)
    long, hang = rng.uniform(0.45, 0.75), rng.uniform(-0.1, 0.3)
    for side in (-1, 1):
        canvas.ellipse(side * 0.9, hang, 0.28, long, fur * 0.75, tilt=-side * rng.uniform(-0.1, 0.5))
        canvas.ellipse(side * 0.36, -0.25, 0.17, 0.17, iris)
        canvas.ellipse(side * 0.36, -0.25, 0.1, 0.1, DARK)
    canvas.ellipse(0, 0.42, 0.5, 0.42, inner)
    canvas.ellipse(0, 0.22, 0.2, 0.14, DARK)
    canvas.ellipse(0, 0.62, 0.2, 0.05, DARK)
    return canvas.picture(rng)


def palette(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colours for the fur, for what is lighter and pinker than it, and for the eyes."""
    fur = rng.uniform(40, 230) * np.array([1.0, rng.uniform(0.75, 1.0), rng.uniform(0.55, 1.0)])
    inner = 0.5 * fur + 0.5 * np.array([235.0, 190.0, 185.0])
    return fur, inner, rng.uniform(60, 230, 3)
