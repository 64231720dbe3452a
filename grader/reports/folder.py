"""The folder that `kata grade --out` writes: its records, the similar submissions it notes, and what cannot be read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.classroom.ledger import PAIRS, STATE
from grader.classroom.likeness import Pair
from grader.problem import Problem
from grader.result import Record, read_sound

FEW = 3


@dataclass
class Graded:
    """What a folder holds; a problem for each file that is not what it should be, and for scores that may change."""

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
            found.records.append(replace(read_sound(path), submission=path.stem))
        except Problem as problem:
            found.problems.append(problem)
    doubts = [*map(_not_final, found.records), _mixed(folder, found.records)]
    found.problems += [doubt for doubt in doubts if doubt is not None]
    if not found.records and not found.problems:
        raise Problem(f"{folder} holds no records.", "Grade first: `kata grade SUBMISSION… --out DIR`.")
    try:
        found.pairs = _pairs(folder / STATE / PAIRS)
    except Problem as problem:
        found.problems.append(problem)
    return found


def _not_final(record: Record) -> Problem | None:
    """What to tell of a record that the next grading will not take for graded, so that the scores may grow."""
    if record.exam_hash:
        return None
    return Problem(f"{record.submission}: its scores are not final, and reported all the same.", "Grade it again.")


def _mixed(folder: Path, records: Sequence[Record]) -> Problem | None:
    """What to tell where not all were judged by the same exam: another kit, or another secret."""
    exams = Counter(record.exam_hash for record in records if record.exam_hash)
    if len(exams) <= 1:
        return None
    ((commonest, _),) = exams.most_common(1)
    others = [record.submission for record in records if record.exam_hash not in ("", commonest)]
    shown = ", ".join(others[:FEW]) + (", …" if len(others) > FEW else "")
    return Problem(
        f"{folder} mixes scores of {len(exams)} exams (another kit or secret): most are of one, {len(others)} not "
        f"({shown}).",
        "Grade the whole class again with this --out, and move away what is no longer handed in.",
    )


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
