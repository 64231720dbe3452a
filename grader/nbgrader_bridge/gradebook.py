"""Scores of modules in nbgrader's gradebook, so that formgrader and `nbgrader export` see them.

A folder of modules holds many chapters: each is an assignment of its own. One that the gradebook has already, from
`nbgrader generate_assignment`, is the instructor's and stays as it is; one that it has not is made. Only what the
autograder may say is written: its score, never one that was given by hand.
"""

from __future__ import annotations

import os
import shutil
import sysconfig
import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TypeVar

from grader.classroom import names
from grader.exercise import Chapter
from grader.nbgrader_bridge import identity
from grader.nbgrader_bridge.points import points_of
from grader.problem import Problem
from grader.reports.outline import by_chapter, name_of
from grader.result import TODO, ExerciseResult, Record

try:
    from nbgrader.api import Course, Grade, Gradebook, InvalidEntry, MissingEntry, Notebook, SubmittedNotebook
    from sqlalchemy import text
    from sqlalchemy.exc import ArgumentError, SAWarning, SQLAlchemyError
except ImportError as error:
    raise Problem(
        f"nbgrader is not here, or one that does not fit ({error}).", "Install it: pip install 'deepkata[nbgrader]'."
    ) from None

Row = TypeVar("Row", Grade, SubmittedNotebook)
COURSE = "default_course"  # as nbgrader calls one that has no name
DATABASE_ERRORS = (SQLAlchemyError, InvalidEntry)


class Book:
    """nbgrader's gradebook, open for writing.

    Parameters
    ----------
    url : as nbgrader's `c.CourseDirectory.db_url` has it, e.g. "sqlite:///gradebook.db"

    Raises
    ------
    Problem : it cannot be opened, or nothing can be written to it
    """

    def __init__(self, url: str):
        self.url = url
        self.remarks: list[str] = []
        _find_alembic()
        try:
            self._book = Gradebook(url, course_id="")
            courses = [course.id for course in self._book.db.query(Course)]
            self._book.course_id = courses[0] if courses else COURSE
            self._book.check_course(self._book.course_id)
            self._book.db.execute(text("UPDATE alembic_version SET version_num = version_num"))
            self._book.db.commit()
        except (ArgumentError, ImportError):
            raise Problem(
                f"{url} is no address of a gradebook.", "Give one such as sqlite:////home/me/course/gradebook.db."
            ) from None
        except DATABASE_ERRORS as error:
            raise self._problem(error) from None

    def __enter__(self) -> Book:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._book.close()

    def write(self, record: Record, late_policy: bool = False) -> None:
        """Write the scores of one submission; the same record may be written again.

        Parameters
        ----------
        late_policy : whether the record's penalty counts; else nbgrader's own is left alone

        Raises
        ------
        Problem : the gradebook cannot be written; what was written before is kept
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)  # about nbgrader's own code, and nothing that users can mend
                for student, name in students_of(record):
                    for chapter, results in by_chapter(record.exercises):
                        if self._is_handed_in(chapter, results, student):
                            self._write_chapter(chapter, results, student, name, record, late_policy)
        except DATABASE_ERRORS as error:
            self._book.db.rollback()
            raise self._problem(error) from None
        finally:
            self._book.db.remove()  # a session is its thread's, and the next record may be another's

    def _is_handed_in(self, chapter: Chapter, results: Sequence[ExerciseResult], student: str) -> bool:
        """Whether there is something to tell: a chapter of untouched stubs is no submission, unless there was one."""
        if any(result.status != TODO for result in results):
            return True
        try:
            self._book.find_submission(identity.assignment_of(chapter), student)
        except MissingEntry:
            return False
        return True

    def _write_chapter(
        self,
        chapter: Chapter,
        results: Sequence[ExerciseResult],
        student: str,
        name: str,
        record: Record,
        late_policy: bool,
    ) -> None:
        assignment = identity.assignment_of(chapter)
        notebook = self._notebook(chapter, results)
        try:
            self._book.find_student(student)
        except MissingEntry:
            self._book.add_student(student, **({"last_name": name} if name else {}))
        when = {"timestamp": record.submitted} if record.submitted else {}
        submission = self._book.update_or_create_submission(assignment, student, **when)
        submitted = next((one for one in submission.notebooks if one.notebook_id == notebook.id), None)
        if submitted is None:
            submitted = self._added(SubmittedNotebook(notebook=notebook, assignment=submission))
        self._write_scores(notebook, submitted, {name_of(result.id) + identity.POINTS: result for result in results})
        if late_policy:
            self._book.db.flush()
            self._book.db.refresh(submitted)
            submitted.late_submission_penalty = record.penalty * submitted.score or None
        self._book.db.commit()

    def _write_scores(
        self, notebook: Notebook, submitted: SubmittedNotebook, results: Mapping[str, ExerciseResult]
    ) -> None:
        """The autograder's scores; one that differs from what an instructor has looked at asks for another look."""
        grades = {grade.cell_id: grade for grade in submitted.grades}
        for cell in notebook.grade_cells:
            if cell.name in results:
                grade = grades.get(cell.id) or self._added(Grade(cell_id=cell.id, notebook=submitted))
                score = points_of(results[cell.name], cell.max_score)
                grade.needs_manual_grade = grade.manual_score is not None and (
                    grade.needs_manual_grade or grade.auto_score != score
                )
                grade.auto_score = score

    def _added(self, row: Row) -> Row:
        """For what came to an assignment after it was handed in."""
        self._book.db.add(row)
        return row

    def _notebook(self, chapter: Chapter, results: Sequence[ExerciseResult]) -> Notebook:
        """The chapter's notebook in the gradebook; one that was not released is made here, and kept complete."""
        name = identity.assignment_of(chapter)
        self._book.update_or_create_assignment(name)
        notebook = self._book.update_or_create_notebook(name, name)
        if notebook.source_cells:
            self._compare(notebook, results)
        else:
            for result in results:
                cell = name_of(result.id) + identity.POINTS
                facts = {"max_score": result.points, "cell_type": "code"}
                self._book.update_or_create_grade_cell(cell, name, name, **facts)
        return notebook

    def _compare(self, notebook: Notebook, results: Sequence[ExerciseResult]) -> None:
        """Say so, once, where a released assignment has other exercises than were graded."""
        graded = {name_of(result.id) for result in results}
        asked = {cell.name.removesuffix(identity.POINTS) for cell in notebook.grade_cells}
        told = [f"the released assignment has no {name}; its score was not written." for name in sorted(graded - asked)]
        told += [f"the cell {name} was not graded; its score stays as it is." for name in sorted(asked - graded)]
        self.remarks += [text for one in told if (text := f"{notebook.name}: {one}") not in self.remarks]

    def _problem(self, error: Exception) -> Problem:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        if "no such column" in reason or "no such table" in reason:
            return Problem(
                f"The gradebook {self.url} is of another nbgrader ({reason}).",
                "Back it up, then run `nbgrader db upgrade` in the course.",
            )
        return Problem(f"The gradebook {self.url} cannot be written ({reason}).", "Check its path and permissions.")


def students_of(record: Record) -> Iterator[tuple[str, str]]:
    """The id and the name of everybody whose submission it is: the platform's number where there is one.

    A file that was handed in alone is often called after its author and its chapter, "ada_ch03_activations".
    """
    for name, number in names.parts(record.student or record.submission):
        for chapter, _ in by_chapter(record.exercises):
            name = name.removesuffix(f"_{identity.assignment_of(chapter)}")
        yield (number, name) if number else (name, "")


def _find_alembic() -> None:
    """nbgrader runs `alembic` to make a gradebook: find it beside the Python that runs us, wherever PATH leads."""
    beside = sysconfig.get_path("scripts")
    if shutil.which("alembic"):
        return
    if not shutil.which("alembic", path=beside):
        raise Problem("alembic, which nbgrader makes gradebooks with, is not here.", "Install it: pip install alembic.")
    os.environ["PATH"] = f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"
