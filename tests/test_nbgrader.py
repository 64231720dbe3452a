"""nbgrader, the real one, end to end: a released course, a class of honest and other students, grades and feedback."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from browser import browser
from faces import Run, kata, records, run
from nbgrader_class import ASKED, CHAPTER, STUDENTS, answered, cell_of, class_of, with_cell, write

from grader import catalogue

pytest.importorskip("nbgrader", reason="no nbgrader; pip install 'deepkata[nbgrader]'")

from nbgrader.api import Gradebook

SECRET = "a course's own secret"
CONFIG = """
from grader.nbgrader_bridge import config

c = get_config()
c.CourseDirectory.course_id = "deep"
config.apply(c, seed_file="secret.txt")
"""
POINTS = {name: catalogue.exercises()[f"{CHAPTER}.{name}"].points for name in ASKED}
HONEST = ("right", "warns", "deletes")


def nbgrader(*arguments: object, cwd: Path) -> Run:
    """Run a command of nbgrader's, with what is installed beside it on the path, as in an active environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return run(sys.executable, "-m", "nbgrader", *arguments, cwd=cwd, PATH=path)


def source() -> dict:
    """The chapter's notebook, cut to the exercises that are asked."""
    from grader.nbgrader_bridge.notebook import notebook_of

    (chapter,) = [chapter for chapter in catalogue.chapters() if chapter.module == CHAPTER]
    unwanted = {exercise.name for exercise in chapter.exercises} - set(ASKED)
    made = notebook_of(chapter)
    made["cells"] = [cell for cell in made["cells"] if names_of(cell).isdisjoint(unwanted)]
    return made


def names_of(cell: Mapping) -> set[str]:
    name = cell["metadata"]["nbgrader"]["grade_id"]
    return {name, name.removesuffix("-points"), name.removesuffix("-text")}


class Course:
    """A course of one assignment with few exercises."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.url = f"sqlite:///{folder / 'gradebook.db'}"

    def build(self) -> None:
        (self.folder / "secret.txt").write_text(SECRET)
        write(source(), self.folder / "source" / CHAPTER / f"{CHAPTER}.ipynb")
        (self.folder / "nbgrader_config.py").write_text(CONFIG)

    def do(self, *arguments: object) -> Run:
        done = nbgrader(*arguments, cwd=self.folder)
        assert done.code == 0, done.err
        return done

    @property
    def released(self) -> dict:
        return json.loads((self.folder / "release" / CHAPTER / f"{CHAPTER}.ipynb").read_text())

    def hand_in(self, student: str, notebook: Mapping) -> Path:
        return write(notebook, self.folder / "submitted" / student / CHAPTER / f"{CHAPTER}.ipynb")

    def exported(self) -> dict[str, dict[str, str]]:
        """What `nbgrader export` tells, by student."""
        self.do("export", "--to", "grades.csv")
        with (self.folder / "grades.csv").open() as file:
            return {row["student_id"]: row for row in csv.DictReader(file) if row["assignment"] == CHAPTER}

    def autograded(self, student: str) -> dict:
        return json.loads((self.folder / "autograded" / student / CHAPTER / f"{CHAPTER}.ipynb").read_text())

    @contextlib.contextmanager
    def gradebook(self):
        with Gradebook(self.url, "deep") as book:
            yield book

    def grades(self, student: str) -> dict[str, float | None]:
        """The autograder's score of each exercise."""
        with self.gradebook() as book:
            graded = book.find_submission_notebook(CHAPTER, CHAPTER, student).grades
            return {grade.name.removesuffix("-points"): grade.auto_score for grade in graded}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    """A course that was released, handed in, graded and answered, as an instructor does it."""
    made = Course(tmp_path_factory.mktemp("course"))
    made.build()
    made.do("generate_assignment", CHAPTER)
    for student, notebook in class_of(made.released, made.folder / "gradebook.db").items():
        made.hand_in(student, notebook)
    made.log = made.do("autograde", CHAPTER).err
    made.do("generate_feedback", CHAPTER)
    return made


@pytest.fixture(scope="module")
def graded(course, tmp_path_factory) -> dict[str, dict[str, dict]]:
    """What `kata grade` says of the same files: student -> exercise -> result."""
    folder = tmp_path_factory.mktemp("kata")
    for path in sorted((course.folder / "submitted").glob("*/*/*.ipynb")):
        student = path.parts[-3]
        (folder / "class").mkdir(exist_ok=True)
        shutil.copy(path, folder / "class" / f"{student}_{CHAPTER}.ipynb")
    done = kata("grade", "class", "--out", "out", "--seed-file", course.folder / "secret.txt", cwd=folder)
    assert done.code == 0, done.err
    return {
        name.partition("_")[0]: {result["id"].rpartition(".")[2]: result for result in record["exercises"]}
        for name, record in records(folder / "out").items()
    }



ALL = {name: POINTS[name] for name in ASKED}
NOTHING = dict.fromkeys(ASKED, 0.0)
EARNED = {
    **dict.fromkeys(("right", "warns", "deletes"), ALL),
    "half": {**NOTHING, "relu": POINTS["relu"]},
    **dict.fromkeys(("hidden", "endless", "exits", "doubles"), {**ALL, "relu": 0.0}),
    "syntax": {**ALL, "sigmoid": 0.0},
    **dict.fromkeys(("untouched", "patches", "transforms", "writes", "forges"), NOTHING),
}


@pytest.mark.parametrize("student", STUDENTS)
def test_every_score_is_what_kata_grade_gives_for_the_same_file(course, graded, student):
    assert course.grades(student) == {name: graded[student][name]["score"] for name in ASKED}
    assert course.grades(student) == EARNED[student], "and what it should be"


def test_the_export_has_these_scores(course):
    exported = course.exported()
    assert exported.keys() == set(STUDENTS)
    for student, row in exported.items():
        assert float(row["score"]) == sum(EARNED[student].values())
        assert float(row["max_score"]) == sum(POINTS.values())


@pytest.mark.parametrize("student", STUDENTS)
def test_the_feedback_has_the_words_of_kata_grade(course, graded, student):
    told = {name: "".join(cell_of(course.autograded(student), f"{name}-points")["outputs"][0]["text"]) for name in ASKED}
    for name, text in told.items():
        result = graded[student][name]
        said = result["message"].replace(f"{student}_{CHAPTER}.ipynb", f"{CHAPTER}.ipynb")
        assert plain(said) in plain(text)
        assert plain(result["help"]) in plain(text)


def plain(text: str) -> str:
    """Without the line breaks of a page of fixed width."""
    return "".join(text.split())


def test_a_cells_words_name_the_cell_and_its_line(course):
    (output, _) = cell_of(course.autograded("syntax"), "sigmoid-points")["outputs"]
    assert "code cell 7, line 3" in "".join(output["text"])


def test_nobody_waits_for_an_instructor(course):
    with course.gradebook() as book:
        assert not any(submission.needs_manual_grade for submission in book.assignment_submissions(CHAPTER))


def test_what_was_missing_or_forged_is_told_in_the_log(course):
    assert "deletes: the cell sigmoid-points was missing and is put back." in course.log
    assert "Traceback" not in course.log


def test_the_records_are_there_for_kata_report(course):
    done = kata("report", course.folder / "records" / CHAPTER, cwd=course.folder)
    assert done.code == 0, done.err
    for student in STUDENTS:
        assert student in done.out
    assert records(course.folder / "records" / CHAPTER)["right.json"]["student"] == "right"
