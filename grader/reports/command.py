"""`kata report`: what was graded, in the form that somebody needs."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from grader.problem import Problem
from grader.reports import classroom50, folder, gradescope, junit, tables, terminal
from grader.result import Record
from grader.text import who


class Platform(enum.StrEnum):
    """Whose gradebook a table is for."""

    plain = "plain"
    canvas = "canvas"
    moodle = "moodle"


def report(
    graded: Annotated[Path, typer.Argument(metavar="DIR", help="the folder that `kata grade --out` wrote")],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="a page for the course's staff")] = None,
    students: Annotated[Path | None, typer.Option(metavar="DIR", help="a page for every student")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="a table of the points")] = None,
    lms: Annotated[Platform, typer.Option(help="whose gradebook the table is for")] = Platform.plain,
    assignment: Annotated[str, typer.Option(help="the assignment's name in Canvas")] = tables.ASSIGNMENT,
    gradescope_folder: Annotated[
        Path | None, typer.Option("--gradescope", metavar="DIR", help="Gradescope's results.json")
    ] = None,
    classroom50_folder: Annotated[
        Path | None, typer.Option("--classroom50", metavar="DIR", help="Classroom 50's result.json")
    ] = None,
    junit_file: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="JUnit XML")] = None,
) -> None:
    """Report on what `kata grade --out DIR` has graded."""
    from grader.reports import page

    found = folder.read(graded)
    records = found.records
    for problem in found.problems:
        terminal.errors.print(terminal.plain(str(problem)))
    if html:
        page.write_class(records, found.pairs, html, _links(records, html, students))
        _tell(html)
    if students:
        for record in records:
            page.write_student(record, students / _page_name(record))
        _tell(students)
    if csv:
        found.problems += _write_table(records, csv, lms, assignment)
        _tell(csv)
    for target, name, write in (
        (gradescope_folder, gradescope.FILE, gradescope.write),
        (classroom50_folder, classroom50.FILE, classroom50.write),
    ):
        if target:
            _write_each(records, target, name, write)
            _tell(target)
    if junit_file:
        junit.write(records, junit_file)
        _tell(junit_file)
    if not any((html, students, csv, gradescope_folder, classroom50_folder, junit_file)):
        terminal.print_class(terminal.console, records)
    if found.problems:
        raise typer.Exit(2)


def _write_table(records: Sequence[Record], path: Path, lms: Platform, assignment: str) -> list[Problem]:
    """Write it; returns what keeps a student out of it."""
    if lms is Platform.plain:
        tables.write_plain(records, path)
        return []
    latest, earlier, problems = tables.latest(records)
    for record in earlier:
        told = f"{who(record)} has handed in more than once: {record.submission} is left out of the table."
        terminal.errors.print(terminal.plain(told))
    for problem in problems:
        terminal.errors.print(terminal.plain(str(problem)))
    if lms is Platform.canvas:
        tables.write_canvas(latest, path, assignment)
    else:
        tables.write_moodle(latest, path)
    return problems


def _write_each(records: Sequence[Record], target: Path, name: str, write: Callable[[Record, Path], None]) -> None:
    """One file per record, in a folder each; a single record's lies where the platform looks for it."""
    for record in records:
        write(record, target / name if len(records) == 1 else target / record.submission / name)


def _page_name(record: Record) -> str:
    return f"{record.submission}.html"


def _links(records: Sequence[Record], html: Path, students: Path | None) -> dict[str, str]:
    """Where the students' pages lie, seen from the class's."""
    if students is None:
        return {}
    try:
        way = os.path.relpath(students.resolve(), html.resolve().parent)
    except ValueError:  # on another drive of a Windows machine
        return {}
    return {record.submission: Path(way, _page_name(record)).as_posix() for record in records}


def _tell(path: Path) -> None:
    terminal.console.print(terminal.plain(f"wrote {path}"))
