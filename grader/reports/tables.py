"""Comma-separated tables: one to compute with, one each to upload to Canvas and Moodle."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from grader.classroom import names
from grader.problem import Problem
from grader.reports.telling import feedback, headline, points
from grader.result import PASSED, TODO, Record, write_atomically
from grader.text import one_line, when, who

ASSIGNMENT = "deepkata"
FORMULA = tuple("=+-@＝＋－＠")  # the wide ones are formulas, too, for some spreadsheets
# Where a spreadsheet that splits at semicolons or tabs begins a cell; it may drop the quotation marks before the sign.
_SPLIT = re.compile(rf"""([;\t][\s"]*)(?=[{re.escape("".join(FORMULA))}])""")
_SPLIT_SIGNS = re.compile(rf"""(?<=;)[\s"{re.escape("".join(FORMULA))}]+""")
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
MOODLE_PERSON = ("Identifier", "Full name", "ID number")
MOODLE_GRADE = ("Grade", "Maximum Grade", "Last modified (grade)", "Feedback comments")
PLAIN = ("submission", "student", "submitted", "score", "penalty", "final_score", "max_score")


def write_plain(records: Sequence[Record], path: Path) -> None:
    """Write a row per record: who, when, the score and what being late costs of it, then each exercise's score.

    Raises
    ------
    Problem : it cannot be written
    """
    exercises = list(dict.fromkeys(result.id for record in records for result in record.exercises))
    rows = []
    for record in records:
        scores = {result.id: points(result.score) for result in record.exercises}
        facts = [record.submission, record.student, record.submitted, points(record.score), f"{record.penalty:g}"]
        facts += [points(record.final_score), points(record.max_score)]
        rows.append([*facts, *(scores.get(exercise, "") for exercise in exercises)])
    _write(path, [[*PLAIN, *exercises], *rows])


def write_canvas(records: Sequence[Record], path: Path, assignment: str = ASSIGNMENT) -> None:
    """Write a table that Canvas's gradebook imports; each member of a group has a row.

    Parameters
    ----------
    records : one per student or group, see `latest`
    path : where to write it, in one step
    assignment : the column's head; "Name (12345)" is Canvas's own assignment of that number, else it makes one

    Raises
    ------
    Problem : it cannot be written
    """
    possible = points(max((record.max_score for record in records), default=0))
    rows = [[*CANVAS, assignment], ["    Points Possible", "", "", "", "", possible]]
    for record in records:
        for name, identifier in _members(record):
            login = "" if identifier or " " in name else name
            rows.append([name, identifier, "", login, "", points(record.final_score)])
    _write(path, rows)


def write_moodle(records: Sequence[Record], path: Path) -> None:
    """Write a table that Moodle takes as an offline grading worksheet, or imports into its gradebook by ID number.

    The comments are HTML, because Moodle takes them for that.

    Raises
    ------
    Problem : it cannot be written
    """
    rows: list[list[str]] = [[*MOODLE_PERSON, *MOODLE_GRADE]]
    for record in records:
        for name, identifier in _members(record):
            participant = f"Participant {identifier}" if identifier else ""
            number = "" if identifier else one_line(record.submission)
            grade = [points(record.final_score), points(record.max_score), ""]
            rows.append([participant, name, number, *grade, comments(record)])
    _write(path, rows)


def latest(records: Iterable[Record]) -> tuple[list[Record], list[Record], list[Problem]]:
    """One record per student, the one handed in last, and the earlier ones, which a gradebook has no place for.

    Where nothing tells which of a student's records is the last, none is kept: that is a problem to tell.
    """
    by_student: dict[str, list[Record]] = {}
    for record in records:
        by_student.setdefault(who(record), []).append(record)
    kept, earlier, problems = [], [], []
    for student, own in sorted(by_student.items(), key=lambda item: item[0].casefold()):
        last = _last(own)
        if last is None:
            problems.append(_undecided(student, own))
        else:
            kept.append(last)
            earlier += [record for record in own if record is not last]
    return kept, earlier, problems


def _last(records: Sequence[Record]) -> Record | None:
    """The one handed in last, where there is only one, or the times of all tell it."""
    if len(records) == 1:
        return records[0]
    moments = [when(record) for record in records]
    known = [moment for moment in moments if moment]
    if len(known) < len(records) or known.count(max(known)) > 1:
        return None
    return records[moments.index(max(known))]


def _undecided(student: str, records: Iterable[Record]) -> Problem:
    shown = ", ".join(sorted(one_line(record.submission) for record in records))
    return Problem(
        f"{student} has handed in more than once, and nothing tells which was the last: {shown}. None is in the table.",
        "Move the records that do not count out of the folder, and report again.",
    )


def comments(record: Record) -> str:
    """What went wrong, exercise by exercise, as HTML of one line."""
    told = [one_line(note) for note in record.notes]
    told += [" ".join(feedback(result)) for result in record.exercises if result.status not in (PASSED, TODO)]
    escaped = "<br>".join(html.escape(line, quote=False) for line in [headline(record), *told])
    return _SPLIT_SIGNS.sub(_as_entities, escaped)


def _as_entities(found: re.Match[str]) -> str:
    """Signs behind the semicolon of another entity, which would get an apostrophe: "&lt;=" is no reader's formula."""
    return "".join(f"&#{ord(letter)};" if letter in FORMULA else letter for letter in found[0])


def _members(record: Record) -> list[tuple[str, str]]:
    """Name and number of everybody who handed in together; a record without a student has its submission's name."""
    student = one_line(record.student)
    return names.parts(student) if student else [(one_line(record.submission), "")]


def _write(path: Path, rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    write_atomically(path, text.getvalue())


def _cell(value: str) -> str:
    """One harmless line that holds no formula, wherever a spreadsheet splits it; the blanks in front are Canvas's."""
    blanks = " " * (len(value) - len(value.lstrip(" ")))
    line = one_line(value, longest=30_000)  # a cell of a spreadsheet holds 32,767
    line = _SPLIT.sub(r"\1'", line)
    return f"'{line}" if line.startswith(FORMULA) else blanks + line
