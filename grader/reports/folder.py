"""The folder that `kata grade --out` writes: its records, the similar submissions it notes, and what cannot be read."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from grader.classroom.ledger import PAIRS, STATE
from grader.classroom.likeness import Pair
from grader.problem import Problem
from grader.result import Record

KINDS: dict[str, Any] = {"str": str, "bool": bool, "float": (int, float), "float | None": (int, float, type(None))}


@dataclass
class Graded:
    """What a folder holds; a problem for each file that is not what it should be."""

    records: list[Record] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(folder: Path) -> Graded:
    """Read a folder. A record is called after its file: that name is safe to write others by, and no two have the same.

    Raises
    ------
    Problem : there is no such folder, or nothing to report in it
    """
    if not folder.is_dir():
        raise Problem(f"There is no folder {folder}.", "Give the folder that `kata grade --out` wrote.")
    found = Graded()
    for path in sorted(folder.glob("[!.]*.json")):
        try:
            found.records.append(replace(_read_record(path), submission=path.stem))
        except Problem as problem:
            found.problems.append(problem)
    if not found.records and not found.problems:
        raise Problem(f"{folder} holds no records.", "Grade first: `kata grade SUBMISSION… --out DIR`.")
    try:
        found.pairs = _pairs(folder / STATE / PAIRS)
    except Problem as problem:
        found.problems.append(problem)
    return found


def _read_record(path: Path) -> Record:
    record = Record.read(path)
    parts = [record, *record.exercises, *(case for result in record.exercises for case in result.cases)]
    if not all(_is_sound(part) for part in parts) or not all(isinstance(note, str) for note in record.notes):
        raise Problem(f"{path} is no result record (a value is of another kind).", "Grade the submission again.")
    return record


def _is_sound(part: Any) -> bool:
    """Whether each value of a record, a result or a case is of the kind that its field declares."""
    for declared in fields(part):
        value = getattr(part, declared.name)
        if not isinstance(value, KINDS.get(str(declared.type), list)):
            return False
        if isinstance(value, float) and not math.isfinite(value):
            return False
    return True


def _pairs(path: Path) -> list[Pair]:
    """The similar submissions that the grading has noted; none where it has not looked for them."""
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        return [Pair(str(p["one"]), str(p["other"]), float(p["share"]), tuple(map(str, p["exercises"]))) for p in noted]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror}).", "Check its permissions.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Problem(f"{path} is damaged.", "Grade once more: only what is missing is done again.") from None
