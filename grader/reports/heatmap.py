"""The map of a class, exercise by student, as one small drawing: a path for each shade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from grader.reports import outline
from grader.reports.shades import OPEN, SHADES, shade_of
from grader.result import Record
from grader.text import one_line, who

WIDTH = 1040  # of the cells, in pixels, where there are enough exercises
NARROWEST, WIDEST = 4, 24  # a cell's width
HEIGHT = 720  # wanted, of all rows
LOWEST, HIGHEST = 2, 14  # a row's height
NAMED_FROM = 11  # the row height from which on a name can be read beside it
NAMES = 150
HEAD = 92  # for the chapters' slanted names


@dataclass(frozen=True)
class Column:
    """A chapter's part of the map."""

    name: str
    left: int


@dataclass(frozen=True)
class Stripe:
    """An exercise's part of the map, and what to say of it."""

    left: int
    told: str


@dataclass(frozen=True)
class Heatmap:
    """Where everything is, in pixels; the paths are in cells."""

    cell: int
    row: int
    left: int
    top: int
    width: int
    height: int
    columns: list[Column]
    stripes: list[Stripe]
    names: list[str]
    paths: dict[str, str]


def draw(records: Sequence[Record], told: dict[str, str]) -> Heatmap:
    """The map of these records in their order; `told` is what to say of an exercise."""
    chapters = outline.exercises_asked(records)
    places = {exercise: x for x, exercise in enumerate(exercise for _, own in chapters for exercise in own)}
    cell = _between(WIDTH // max(1, len(places)), NARROWEST, WIDEST)
    row = _between(HEIGHT // max(1, len(records)), LOWEST, HIGHEST)
    names = [one_line(who(record), 24) for record in records] if row >= NAMED_FROM else []
    left = NAMES if names else 0
    columns = [Column(outline.name_of(chapter.module), left + places[own[0]] * cell) for chapter, own in chapters]
    return Heatmap(
        cell=cell,
        row=row,
        left=left,
        top=HEAD,
        width=left + len(places) * cell + HEAD,
        height=HEAD + len(records) * row,
        columns=columns,
        stripes=[Stripe(left + x * cell, told.get(exercise, exercise)) for exercise, x in places.items()],
        names=names,
        paths=_paths(records, places),
    )


def _paths(records: Sequence[Record], places: dict[str, int]) -> dict[str, str]:
    """Per shade one path of horizontal lines; what is not written yet stays empty."""
    moves: dict[str, list[str]] = {shade.letter: [] for shade in SHADES if shade is not OPEN}
    for y, record in enumerate(records):
        cells = sorted((places[result.id], shade_of(result).letter) for result in record.exercises)
        for (letter, _), run in groupby(enumerate(cells), key=lambda item: (item[1][1], item[1][0] - item[0])):
            line = [x for _, (x, _) in run]
            if letter in moves:
                moves[letter].append(f"M{line[0]} {y}h{len(line)}")
    return {letter: "".join(lines) for letter, lines in moves.items() if lines}


def _between(value: int, lowest: int, highest: int) -> int:
    return max(lowest, min(highest, value))
