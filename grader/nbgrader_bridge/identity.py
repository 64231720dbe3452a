"""What nbgrader calls things, and what the kit calls them.

One assignment per chapter or project, with one notebook of the same name: the last part of the module's name, so
`projects.mnist_mlp` is the assignment `mnist_mlp`. Every exercise has two cells there: the student's, whose grade_id is
the exercise's name, and the locked one with the points, whose grade_id ends in `-points`.
"""

from __future__ import annotations

from grader import catalogue
from grader.exercise import Chapter, Exercise
from grader.problem import Problem

POINTS = "-points"


def assignment_of(chapter: Chapter) -> str:
    """The name of a chapter's assignment, and of its notebook."""
    return catalogue.last_part(chapter)


def chapter_of(assignment: str) -> Chapter:
    """The chapter of an assignment.

    Raises
    ------
    Problem : this kit has no chapter of that name
    """
    chapter = catalogue.chapter_called(assignment)
    if chapter is None:
        raise Problem(
            f"This kit has no chapter or project called {assignment!r}.",
            "Build the course with the version of the kit that grades it: kata nbgrader build.",
        )
    return chapter


def solution_id(exercise: Exercise) -> str:
    """The grade_id of the cell that the student writes in."""
    return exercise.name


def points_id(exercise: Exercise) -> str:
    """The grade_id of the cell that carries the points."""
    return exercise.name + POINTS


def exercise_of(chapter: Chapter, grade_id: str) -> Exercise | None:
    """The exercise that either of its two cells belongs to; None for any other cell."""
    name = grade_id.removesuffix(POINTS)
    return next((exercise for exercise in chapter.exercises if exercise.name == name), None)


def graded_exercise(chapter: Chapter, grade_id: str) -> Exercise | None:
    """The exercise whose points a cell carries; None where it carries none."""
    return exercise_of(chapter, grade_id) if grade_id.endswith(POINTS) else None
