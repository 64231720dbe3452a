"""Comma-separated tables: one to compute with, one each to upload to Canvas and Moodle."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from grader.classroom import names
from grader.reports.telling import feedback, headline
from grader.result import PASSED, TODO, Record, write_atomically
from grader.text import one_line, when, who

ASSIGNMENT = "deepkata"
FORMULA = tuple("=+-@＝＋－＠")  # the wide ones are formulas, too, for some spreadsheets
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


def latest(records: Iterable[Record]) -> tuple[list[Record], list[Record]]:
    """One record per student, the one handed in last, and the earlier ones, which a gradebook has no place for."""
    kept: dict[str, Record] = {}
    earlier = []
    for record in sorted(records, key=lambda record: moment.timestamp() if (moment := when(record)) else 0):
        if who(record) in kept:
            earlier.append(kept.pop(who(record)))
        kept[who(record)] = record
    return sorted(kept.values(), key=lambda record: who(record).casefold()), earlier


def comments(record: Record) -> str:
    """What went wrong, exercise by exercise, as HTML of one line."""
    told = [one_line(note) for note in record.notes]
    told += [" ".join(feedback(result)) for result in record.exercises if result.status not in (PASSED, TODO)]
    return "<br>".join(html.escape(line, quote=False) for line in [headline(record), *told])


def points(value: float) -> str:
    """Points as a gradebook has them: two decimals at most, none where there are none."""
    return f"{round(value, 2):.10g}"


def _members(record: Record) -> list[tuple[str, str]]:
    """Name and number of everybody who handed in together; a record without a student has its submission's name."""
    student = one_line(record.student)
    return names.parts(student) if student else [(one_line(record.submission), "")]


def _write(path: Path, rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    write_atomically(path, text.getvalue())


def _cell(value: str) -> str:
    """One harmless line, which no spreadsheet takes for a formula; the blanks in front are Canvas's."""
    blanks = " " * (len(value) - len(value.lstrip(" ")))
    line = one_line(value, longest=30_000)  # a cell of a spreadsheet holds 32,767
    return f"'{line}" if line.startswith(FORMULA) else blanks + line
