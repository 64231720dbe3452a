"""Autograding by our judge: what stands in nbgrader's list of steps in the place of running the notebook.

What is judged is the file that the student handed in, so that the score is what `kata grade` gives for it. What is
written is the trusted score and the words, into the outputs of the cell that carries the exercise's points; nbgrader's
own steps save it from there. They leave alone what an instructor has given by hand.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets import Bool, CaselessStrEnum, Integer, Unicode

from grader import kit
from grader.classroom.engine import Outcome
from grader.classroom.engine_local import default_jobs
from grader.exercise import Chapter, Exercise
from grader.nbgrader_bridge import identity
from grader.nbgrader_bridge.bench import Bench, bench_for
from grader.nbgrader_bridge.extract import submission_of
from grader.nbgrader_bridge.pieces import IMPORTS
from grader.nbgrader_bridge.points import points_of
from grader.problem import Problem
from grader.reports import terminal

# Of each autograde run, what is being judged before nbgrader comes to it.
_under_way: weakref.WeakKeyDictionary[BaseConverter, dict[tuple[str, str], Future[Outcome]]]
_under_way = weakref.WeakKeyDictionary()


class Judge(NbGraderPreprocessor):
    """Judges every exercise of a notebook in a worker."""

    isolation = CaselessStrEnum(
        ["auto", "required", "none"], "auto", help="What students' code is wrapped in; required: nothing runs without."
    ).tag(config=True)
    jobs = Integer(0, min=0, help="Notebooks that are judged at a time; 0 for one per core.").tag(config=True)
    seed_file = Unicode("", help="A text file with the course's secret for the hidden cases.").tag(config=True)
    records = Unicode("records", help="Where `kata report` finds the results, a folder per assignment.").tag(
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
            secret = kit.secret(Path(self._run.coursedir.root) / self.seed_file if self.seed_file else None)
            bench = bench_for(self.isolation, self.jobs or default_jobs())
        except Problem as problem:
            raise self._refusal(problem) from None
        # A notebook that an instructor has put beside the chapter's own has none of its exercises.
        exercises = graded_exercises(nb, chapter) if resources["nbgrader"]["notebook"] == assignment else {}
        outcome = Outcome(student)
        if exercises:
            outcome = self._outcome(chapter, student, list(exercises.values()), bench, secret)
            self._keep(outcome, assignment, student)
        self._write(nb, exercises, outcome)
        return nb, resources

    def _refusal(self, problem: Problem) -> NbGraderException:
        self.log.error("%s", problem)
        return NbGraderException(str(problem))

    @property
    def _run(self) -> BaseConverter:
        """The autograde run that this is a step of."""
        return self.parent.parent

    def _folder(self, step: str, student: str, assignment: str) -> Path:
        return Path(self._run.coursedir.format_path(step, student, assignment))

    def _outcome(
        self, chapter: Chapter, student: str, exercises: Sequence[Exercise], bench: Bench, secret: str
    ) -> Outcome:
        """Judge this notebook, and in the other lanes the next ones."""
        course, assignment = self._run.coursedir, identity.assignment_of(chapter)
        given = self._folder(course.source_directory, ".", assignment)
        under_way = _under_way.setdefault(self._run, {})
        for name in (student, *itertools.islice(self._next(assignment, student), bench.jobs)):
            if (assignment, name) not in under_way:
                folder_of = functools.partial(self._folder, course.submitted_directory, name)
                read = functools.partial(submission_of, chapter, name, folder_of, given)
                under_way[assignment, name] = bench.judge(name, read, secret, exercises)
        return under_way.pop((assignment, student)).result()

    def _next(self, assignment: str, student: str) -> Iterator[str]:
        """The students whose notebooks this run will come to after this one's."""
        run, course = self._run, self._run.coursedir
        form = re.compile(course.format_path(course.submitted_directory, "(?P<student>.*)", assignment, escape=True))
        found = [match["student"] for path in sorted(run.assignments) if (match := form.fullmatch(path))]
        for name in found[found.index(student) + 1 :] if student in found else []:
            if run.force or not self._folder(course.autograded_directory, name, assignment).exists():
                yield name

    def _keep(self, outcome: Outcome, assignment: str, student: str) -> None:
        """Write the record for `kata report`, and tell the instructor what went wrong."""
        if outcome.problem:
            self.log.warning("%s: %s", student, outcome.problem)
        for exercise, fault in outcome.faults.items():
            self.log.error("%s: the grader failed on %s: %s. Look at it, and report it.", student, exercise, fault)
        if outcome.record is None:
            return
        course = self._run.coursedir
        at = course.get_existing_timestamp(str(self._folder(course.submitted_directory, student, assignment)))
        record = replace(outcome.record, student=student, submitted=_moment(at))
        if outcome.faults:
            record = replace(record, exam_hash="")
        try:
            record.write(Path(course.root) / self.records / assignment / f"{student}.json")
        except Problem as problem:
            self.log.error("%s", problem)

    def _write(self, nb: NotebookNode, exercises: Mapping[str, Exercise], outcome: Outcome) -> None:
        """The scores and the words into the cells that carry the points; all other outputs are empty."""
        results = {result.id: result for result in outcome.record.exercises} if outcome.record else {}
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            if cell.metadata.get("nbgrader", {}).get("grade_id") == IMPORTS:
                cell.metadata.nbgrader.pop("checksum", None)  # else nbgrader remarks "No response." where none is asked
            if not carries_points(cell):
                continue
            name, worth = cell.metadata.nbgrader["grade_id"], float(cell.metadata.nbgrader["points"])
            if name not in exercises:
                told = f"This kit has no exercise for the cell {name}: 0 points, until you give them by hand."
                self.log.error("%s: %s Or build the course again.", outcome.name, told)
                cell.outputs = outputs(told, 0.0)
            elif outcome.problem:
                cell.outputs = outputs(str(outcome.problem), 0.0)
            else:
                result = results[exercises[name].id]
                cell.outputs = outputs(terminal.as_text(terminal.result_lines(result)), points_of(result, worth))


def carries_points(cell: NotebookNode) -> bool:
    """Whether the autograder is to say what a cell earns; the others are for instructors."""
    return cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)


def graded_exercises(nb: NotebookNode, chapter: Chapter) -> dict[str, Exercise]:
    """The exercise behind each cell that carries points, as far as this kit knows it."""
    names = [cell.metadata.nbgrader["grade_id"] for cell in nb.cells if carries_points(cell)]
    found = {name: identity.graded_exercise(chapter, name) for name in names}
    return {name: exercise for name, exercise in found.items() if exercise is not None}


def outputs(told: str, points: float) -> list[NotebookNode]:
    """Words, and the points in the only form that nbgrader reads them from: the cell's result."""
    value = new_output("execute_result", data={"text/plain": repr(points)}, execution_count=None)
    return [new_output("stream", name="stdout", text=told.rstrip("\n") + "\n"), value]


def _moment(at: datetime.datetime | None) -> str:
    """A time of nbgrader's, which are UTC without saying so."""
    return at.replace(tzinfo=datetime.UTC).isoformat() if at else ""
