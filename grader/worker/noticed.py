"""What a guest says of its kernels, as plain facts: text is cut, numbers are numbers, all else is dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from grader.worker.answer import ArrayTraffic, Assembled, Finding, Noticed

MOST_ASSEMBLED = 256
Text = Callable[[Any, int], str]
LONGEST = 300
MOST_FACTS, MOST_LAUNCHES, MOST_ROWS, MOST_POINTS, MOST_ARGUMENTS = 24, 64, 64, 6000, 64
COLUMNS = len(fields(ArrayTraffic))
NUMBERS = COLUMNS - 3  # of these, the columns behind the names


def read(told: Any, text: Text) -> Noticed | None:
    """The report of a call; None where there is none. `text` makes something a guest says fit to be shown."""
    if not isinstance(told, dict):
        return None
    traffic = told.get("traffic")
    traffic = traffic if isinstance(traffic, dict) else {}
    copies = told.get("copies")
    kind, facts = _pair(told.get("finding"))
    return Noticed(
        finding(kind, facts, text),
        tuple(_launches(told.get("launches"), text)),
        copies if isinstance(copies, int) and _is_count(copies) else 0,
        tuple(_rows(traffic.get("rows"), text)),
        _points(traffic.get("points"), text),
    )


def finding(kind: Any, facts: Any, text: Text) -> Finding | None:
    """One finding."""
    if not isinstance(kind, str) or not isinstance(facts, dict):
        return None
    kept: dict[str, str | int] = {}
    for name, value in list(facts.items())[:MOST_FACTS]:
        if isinstance(value, list) and all(_is_count(part) for part in value[:8]):
            value = f"({', '.join(map(str, value[:8]))})"
        kept[text(name, 40)] = value if type(value) is int and abs(value) < 1 << 60 else text(value, LONGEST)
    return Finding(text(kind, 40), kept)


def assembled(told: Any, text: Text) -> tuple[Assembled, ...]:
    """The report of a compiler."""
    found = []
    for item in told[:MOST_ASSEMBLED] if isinstance(told, list) else []:
        match item:
            case [str() as name, str() as target, str() as problem, *numbers] if len(numbers) == 4:
                known = [number if _is_count(number) else None for number in numbers]
                found.append(Assembled(text(name, 100), text(target, 20), text(problem, 6000), *known))
    return tuple(found)


def _pair(told: Any) -> tuple[Any, Any]:
    return (told[0], told[1]) if isinstance(told, list) and len(told) == 2 else (None, None)


def _launches(told: Any, text: Text) -> list[tuple[str, str, Any]]:
    found = []
    for launch in told[:MOST_LAUNCHES] if isinstance(told, list) else []:
        match launch:
            case [str() as module, str() as kernel, list() as types] if len(types) <= MOST_ARGUMENTS:
                found.append((text(module, 100), text(kernel, 100), [_type(kind, text) for kind in types]))
    return found


def _type(told: Any, text: Text) -> list[Any]:
    match told:
        case [str() as name, int() as dimensions, bool() as dense] if 0 <= dimensions <= 8:
            return [text(name, 30), dimensions, dense]
    return ["", 0, True]


def _rows(told: Any, text: Text) -> list[ArrayTraffic]:
    found = []
    for row in told[:MOST_ROWS] if isinstance(told, list) else []:
        if isinstance(row, list) and len(row) == COLUMNS and all(_is_count(number) for number in row[-NUMBERS:]):
            kernel, array, space = (text(name, 60) for name in row[:-NUMBERS])
            found.append(ArrayTraffic(kernel, array, space, *row[-NUMBERS:]))
    return found


def _points(told: Any, text: Text) -> dict[str, tuple[tuple[int, int, int], ...]]:
    found: dict[str, tuple[tuple[int, int, int], ...]] = {}
    for name, points in list(told.items())[:MOST_ROWS] if isinstance(told, dict) else []:
        if isinstance(points, list) and all(_is_point(point) for point in points[:MOST_POINTS]):
            found[text(name, 60)] = tuple((a, b, c) for a, b, c in points[:MOST_POINTS])
    return found


def _is_point(told: Any) -> bool:
    return isinstance(told, list) and len(told) == 3 and all(_is_count(number) for number in told)


def _is_count(told: Any) -> bool:
    return type(told) is int and 0 <= told < 1 << 60
