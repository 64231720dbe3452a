"""What a kernel may ask of global memory, and of the way between host and device: counted, compared, told."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from grader import kernel_words
from grader.exercise import Budget, Case, Exercise
from grader.worker.answer import ArrayTraffic, Noticed

SLACK = 1.0 + 1e-9  # budgets are often fractions


def breach(exercise: Exercise, case: Case, noticed: Noticed) -> tuple[str, str] | None:
    """The first budget that a call has exceeded, in words; None where it kept all of them."""
    if exercise.cuda == "host" and noticed.copies > exercise.copies:
        return kernel_words.copies(exercise, noticed.copies)
    rows = by_array(noticed.traffic)
    for what, budgets in (("reads", exercise.reads), ("writes", exercise.writes), ("sectors", exercise.sectors)):
        for name, budget in budgets.items():
            row = rows.get(name)
            actual = 0.0 if row is None else ratio(row, what)
            allowed = _amount(budget, case)
            if row is not None and actual > allowed * SLACK:
                return kernel_words.over_budget(exercise, row, what, actual, allowed)
    return None


def untold(exercise: Exercise, noticed: Noticed) -> str:
    """An array with a budget whose traffic was to be counted and is not in the report; "" where there is none."""
    rows = by_array(noticed.traffic)
    return next((name for name in (*exercise.reads, *exercise.writes, *exercise.sectors) if name not in rows), "")


def by_array(rows: Iterable[ArrayTraffic]) -> Mapping[str, ArrayTraffic]:
    """What was asked of each array in global memory, over all kernels that have it under this name."""
    found: dict[str, ArrayTraffic] = {}
    for row in rows:
        if row.space == "global":
            known = found.get(row.array)
            found[row.array] = row if known is None else _sum(known, row)
    return found


def ratio(row: ArrayTraffic, what: str) -> float:
    """Reads or writes per element, or sectors over the fewest that could do; 0 where there was nothing to do."""
    if what == "sectors":
        return row.sectors / row.fewest if row.fewest else 0.0
    return float(getattr(row, what)) / row.elements if row.elements else 0.0


def _sum(one: ArrayTraffic, other: ArrayTraffic) -> ArrayTraffic:
    names = [field.name for field in dataclasses.fields(ArrayTraffic) if field.type == "int"]
    return dataclasses.replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})


def _amount(budget: Budget, case: Case) -> float:
    return float(budget(**case.arguments)) if callable(budget) else float(budget)
