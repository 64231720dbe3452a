"""Autograding by our judge: what stands in nbgrader's list of steps in the place of running the notebook.

What is judged is the file that the student handed in, so that the score is what `kata grade` gives for it. What is
written is the trusted score and the words, into the outputs of the cell that carries the exercise's points; nbgrader's
own steps save it from there. They leave alone what an instructor has given by hand.
"""

from __future__ import annotations

import atexit
import datetime
import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets import Bool, CaselessStrEnum, Unicode

from grader import kit
from grader.classroom.engine import Outcome, examine
from grader.exercise import Chapter, Exercise
from grader.nbgrader_bridge import identity
from grader.nbgrader_bridge.extract import submission_of
from grader.nbgrader_bridge.points import points_of
from grader.oracle import Oracle
from grader.problem import Problem
from grader.reports import terminal
from grader.worker.host import Worker
from grader.worker.isolation import choose


class Judge(NbGraderPreprocessor):
    """Judges every exercise of a notebook in a worker."""

    isolation = CaselessStrEnum(
        ["auto", "required", "none"], "auto", help="What students' code is wrapped in; required: nothing runs without."
    ).tag(config=True)
    seed_file = Unicode("", help="A text file with the course's secret for the hidden cases.").tag(config=True)
    records = Unicode("records", help="Where `kata report` finds the results, one folder per assignment.").tag(
        config=True
    )
    execute_others = Bool(
        False, help="Let nbgrader run the notebooks of assignments that are none of the kit's, as it always does."
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        assignment, student = resources["nbgrader"]["assignment"], resources["nbgrader"]["student"]
        try:
            chapter = identity.chapter_of(assignment)
        except Problem as problem:
            if self.execute_others:
                return Execute(parent=self.parent).preprocess(nb, resources)
            advice = "For an assignment of your own, set c.Judge.execute_others = True in nbgrader_config.py."
            raise self._refusal(Problem(problem.defect, f"{problem.action} {advice}")) from None
        try:
            secret = seed(self.seed_file)
            bench = bench_for(self.isolation)
        except Problem as problem:
            raise self._refusal(problem) from None
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        graded = self._graded_cells(nb, chapter)
        try:
            outcome = self._outcome(chapter, student, list(graded.values()), bench, secret)
        except Problem as problem:
            outcome = Outcome(student, problem=problem)
        self._write(nb, graded, outcome)
        return nb, resources

    def _refusal(self, problem: Problem) -> NbGraderException:
        self.log.error("%s", problem)
        return NbGraderException(str(problem))

    def _graded_cells(self, nb: NotebookNode, chapter: Chapter) -> dict[str, Exercise]:
        """The exercise behind each cell that carries points for code."""
        graded = {}
        for cell in nb.cells:
            if cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell):
                name = cell.metadata.nbgrader["grade_id"]
                exercise = identity.graded_exercise(chapter, name)
                if exercise is not None:
                    graded[name] = exercise
        return graded

    def _outcome(self, chapter: Chapter, student: str, exercises: list[Exercise], bench: Bench, secret: str) -> Outcome:
        """Judge what was handed in, and write the record."""
        course = self.parent.parent.coursedir
        assignment = identity.assignment_of(chapter)

        def folder_of(name: str) -> Path:
            return Path(course.format_path(course.submitted_directory, student, name))

        given = Path(course.format_path(course.source_directory, ".", assignment))
        handed_in = submission_of(chapter, student, folder_of, given)
        outcome = examine(student, handed_in, bench.worker, bench.oracle, secret, lambda *_: None, exercises)
        for exercise, fault in outcome.faults.items():
            self.log.error("%s: the grader failed on %s: %s. Look at it, and report it.", student, exercise, fault)
        if outcome.record is not None:
            at = course.get_existing_timestamp(str(folder_of(assignment)))
            record = replace(outcome.record, student=student, submitted=_moment(at))
            record = replace(record, exam_hash="") if outcome.faults else record
            record.write(Path(course.root) / self.records / assignment / f"{student}.json")
        return outcome

    def _write(self, nb: NotebookNode, graded: dict[str, Exercise], outcome: Outcome) -> None:
        """The scores and the words into the cells that carry the points."""
        results = {result.id: result for result in outcome.record.exercises} if outcome.record else {}
        if outcome.problem:
            self.log.warning("%s: %s", outcome.name, outcome.problem)
        for cell in nb.cells:
            if cell.cell_type != "code" or not utils.is_grade(cell) or utils.is_solution(cell):
                continue
            name, worth = cell.metadata.nbgrader["grade_id"], float(cell.metadata.nbgrader["points"])
            if name not in graded:
                told = f"This kit has no exercise for the cell {name}: it was not judged, and has no points yet."
                self.log.error("%s: %s Build the course again, or give the points by hand.", outcome.name, told)
                cell.outputs = outputs(told, 0.0)
            elif outcome.problem:
                cell.outputs = outputs(str(outcome.problem), 0.0)
            else:
                result = results[graded[name].id]
                cell.outputs = outputs(terminal.as_text(terminal.result_lines(result)), points_of(result, worth))


class Bench:
    """What stays between the notebooks of a run: a worker for the students' code, and the oracle with its own."""

    def __init__(self, isolation: str):
        wrapping = choose(isolation)
        self.worker = Worker(wrapping)
        self.reference = Worker(wrapping)
        self.oracle = Oracle(self.reference)

    def close(self) -> None:
        self.oracle.close()
        self.reference.close()
        self.worker.close()


@functools.cache
def bench_for(isolation: str) -> Bench:
    """The one bench of this process; raises Problem where that isolation cannot be had."""
    bench = Bench(isolation)
    atexit.register(bench.close)
    return bench


@functools.cache
def seed(path: str) -> str:
    """The secret for the hidden cases; raises Problem where the file cannot be read."""
    return kit.secret(Path(path) if path else None)


def outputs(told: str, points: float) -> list[NotebookNode]:
    """Words, and the points in the only form that nbgrader reads them from: the cell's result."""
    value = new_output("execute_result", data={"text/plain": repr(points)}, execution_count=None)
    return [new_output("stream", name="stdout", text=told.rstrip("\n") + "\n"), value]


def _moment(at: datetime.datetime | None) -> str:
    """A time of nbgrader's, which are UTC without saying so."""
    return at.replace(tzinfo=datetime.UTC).isoformat() if at else ""
