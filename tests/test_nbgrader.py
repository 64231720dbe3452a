"""nbgrader, the real one, end to end: a released course, a class of honest and other students, grades and feedback."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from browser import browser
from faces import Run, kata, records, run
from nbgrader_class import ASKED, CHAPTER, STUDENTS, cell_of, class_of, write

from grader import catalogue

pytest.importorskip("nbgrader", reason="no nbgrader; pip install 'deepkata[nbgrader]'")

from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

SECRET = "a course's own secret"
POINTS = {name: catalogue.exercises()[f"{CHAPTER}.{name}"].points for name in ASKED}
HONEST = ("right", "warns", "deletes")


def nbgrader(*arguments: object, cwd: Path) -> Run:
    """Run a command of nbgrader's, with what is installed beside it on the path, as in an active environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return run(sys.executable, "-m", "nbgrader", *arguments, cwd=cwd, PATH=path)


def names_of(cell: Mapping) -> set[str]:
    name = cell["metadata"]["nbgrader"]["grade_id"]
    return {name, name.removesuffix("-points"), name.removesuffix("-text")}


class Course:
    """A course of one assignment with few exercises."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.seed = folder.parent / "secret.txt"
        self.url = f"sqlite:///{folder / 'gradebook.db'}"

    def build(self) -> None:
        """The chapter's assignment, of which the instructor takes the exercises that are not asked out."""
        self.seed.write_text(SECRET)
        options = ("--course", self.folder, "--chapters", CHAPTER, "--seed-file", self.seed)
        done = kata("nbgrader", "build", *options, cwd=self.folder.parent)
        assert done.code == 0, done.err
        path = self.folder / "source" / CHAPTER / f"{CHAPTER}.ipynb"
        notebook = json.loads(path.read_text())
        unwanted = {e.name for e in catalogue.select([CHAPTER])} - set(ASKED)
        write({**notebook, "cells": [c for c in notebook["cells"] if names_of(c).isdisjoint(unwanted)]}, path)

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

    def told(self, student: str, exercise: str) -> str:
        """What stands in the cell with the points of an exercise."""
        words, _ = cell_of(self.autograded(student), f"{exercise}-points")["outputs"]
        return "".join(words["text"])

    @contextlib.contextmanager
    def gradebook(self):
        with Gradebook(self.url, self.folder.name) as book:
            yield book

    def grades(self, student: str) -> dict[str, float | None]:
        """The autograder's score of each exercise."""
        with self.gradebook() as book:
            graded = book.find_submission_notebook(CHAPTER, CHAPTER, student).grades
            return {grade.name.removesuffix("-points"): grade.auto_score for grade in graded}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    """A course that was released, handed in, graded and answered, as an instructor does it."""
    made = Course(tmp_path_factory.mktemp("class") / "course")
    made.build()
    made.do("generate_assignment", CHAPTER)
    for student, notebook in class_of(made.released, made.folder / "gradebook.db").items():
        made.hand_in(student, notebook)
    made.log = made.do("autograde", CHAPTER).err
    made.do("generate_feedback", CHAPTER)
    return made


@dataclass
class Kata:
    """What `kata grade` says of the same files, in records and in a gradebook of its own."""

    folder: Path
    results: dict[str, dict[str, dict]]

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'kata.db'}"

    def grade(self, *options: object) -> Run:
        done = kata("grade", "class", "--out", "out", "--gradebook", self.url, *options, cwd=self.folder)
        assert done.code == 0, done.err
        return done


@pytest.fixture(scope="module")
def graded(course, tmp_path_factory) -> Kata:
    """The files that nbgrader has graded, graded by `kata grade`: student -> exercise -> result."""
    made = Kata(tmp_path_factory.mktemp("kata"), {})
    (made.folder / "class").mkdir()
    for student in STUDENTS:
        path = course.folder / "submitted" / student / CHAPTER / f"{CHAPTER}.ipynb"
        shutil.copy(path, made.folder / "class" / f"{student}_{CHAPTER}.ipynb")
    made.grade("--seed-file", course.seed)
    for name, record in records(made.folder / "out").items():
        results = {result["id"].rpartition(".")[2]: result for result in record["exercises"]}
        made.results[name.partition("_")[0]] = results
    return made


ALL = {name: POINTS[name] for name in ASKED}
NOTHING = dict.fromkeys(ASKED, 0.0)
EARNED = {
    **dict.fromkeys(("right", "warns", "deletes"), ALL),
    "half": {**NOTHING, "relu": POINTS["relu"]},
    **{student: {**ALL, "relu": 0.0} for student in ("hidden", "endless", "exits", "doubles")},
    "syntax": {**ALL, "sigmoid": 0.0},
    **dict.fromkeys(("untouched", "patches", "transforms", "writes", "forges"), NOTHING),
}


@pytest.mark.parametrize("student", STUDENTS)
def test_every_score_is_what_kata_grade_gives_for_the_same_file(course, graded, student):
    assert course.grades(student) == {name: graded.results[student][name]["score"] for name in ASKED}
    assert course.grades(student) == EARNED[student], "and what it should be"


def test_the_export_has_these_scores(course):
    exported = course.exported()
    assert exported.keys() == set(STUDENTS)
    for student, row in exported.items():
        assert float(row["score"]) == sum(EARNED[student].values())
        assert float(row["max_score"]) == sum(POINTS.values())


@pytest.mark.parametrize("student", STUDENTS)
def test_the_feedback_has_the_words_of_kata_grade(course, graded, student):
    told = {
        name: "".join(cell_of(course.autograded(student), f"{name}-points")["outputs"][0]["text"]) for name in ASKED
    }
    for name, text in told.items():
        result = graded.results[student][name]
        said = result["message"].replace(f"{student}_{CHAPTER}.ipynb", f"{CHAPTER}.ipynb")
        assert plain(said) in plain(text)
        assert plain(result["help"]) in plain(text)


def plain(text: str) -> str:
    """Without the line breaks of a page of fixed width."""
    return "".join(text.split())


def test_a_cells_words_name_the_cell_and_its_line(course):
    assert "code cell 7, line 3" in course.told("syntax", "sigmoid")


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


# --- feedback ---------------------------------------------------------------------------------------------------------


def test_feedback_can_be_read_and_nothing_in_it_acts(course, graded, tmp_path):
    with browser(tmp_path) as page:
        for student in STUDENTS:
            page.open(course.folder / "feedback" / student / CHAPTER / f"{CHAPTER}.html")
            assert page.driver.title == CHAPTER, student
            assert not page.find("[onerror], a[href^='javascript' i]"), student
            assert not [script for script in page.texts("script") if "owned" in script], student
            (text,) = page.texts("body")
            for name in ASKED:
                said = graded.results[student][name]["message"].replace(f"{student}_{CHAPTER}", CHAPTER)
                assert plain(said) in plain(text), student
            shown = set(re.findall(r"-?\d+\.\d{2,}", text))
            assert shown.isdisjoint(hidden_numbers()), student
            if student in ("hidden", "forges"):
                page.picture(course.folder / f"{student}.png")


def hidden_numbers() -> set[str]:
    """The inputs of the hidden cases, as messages would spell them."""
    cases = [case for name in ASKED for case in catalogue.exercises()[f"{CHAPTER}.{name}"].hidden_cases(SECRET)]
    numbers = [float(value) for case in cases for array in case.arguments.values() for value in np.ravel(array)]
    public = {f"{value:.{digits}g}" for value in (0.1, 0.5, 1e-30, 1e30) for digits in (3, 4, 6)}
    return {f"{value:.{digits}g}" for value in numbers for digits in (3, 4, 6)} - public


def test_a_hidden_case_tells_what_it_is_about_and_no_more(course):
    told = course.told("hidden", "relu")
    assert "public cases pass; it is wrong on a hidden one (an array of shape (2, 5, 7, 3))" in told
    assert "should be" not in told


# --- what instructors give by hand ------------------------------------------------------------------------------------


def test_a_regrade_leaves_alone_what_was_given_by_hand_and_nbgrader_takes_off_for_lateness(course, tmp_path):
    again = Course(tmp_path / "course")
    shutil.copytree(course.folder, again.folder)
    with (again.folder / "nbgrader_config.py").open("a") as file:
        file.write("\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    with again.gradebook() as book:
        book.find_grade("sigmoid-points", CHAPTER, CHAPTER, "half").manual_score = 0.5
        book.find_grade("relu-points", CHAPTER, CHAPTER, "half").extra_credit = 0.25
        book.find_comment("sigmoid", CHAPTER, CHAPTER, "half").manual_comment = "Nearly."
        book.update_or_create_assignment(CHAPTER, duedate="2026-11-20 12:00:00 UTC")
    (again.folder / "submitted" / "half" / CHAPTER / "timestamp.txt").write_text("2026-11-20 12:30:00 UTC")
    again.do("autograde", CHAPTER, "--force", "--student", "half")
    assert again.grades("half") == course.grades("half"), "the autograder says what it said"
    with again.gradebook() as book:
        submission = book.find_submission(CHAPTER, "half")
        assert submission.score == 1.75
        assert submission.late_submission_penalty == 1.75
        assert book.find_comment("sigmoid", CHAPTER, CHAPTER, "half").comment == "Nearly."
        assert book.find_grade("sigmoid-points", CHAPTER, CHAPTER, "half").needs_manual_grade, "nbgrader's own rule"


# --- kata grade --gradebook -------------------------------------------------------------------------------------------


def test_scores_of_kata_grade_are_in_the_gradebook_and_in_its_export(graded, tmp_path):
    with Gradebook(graded.url) as book:
        CsvExportPlugin(to=str(tmp_path / "grades.csv")).export(book)
    with (tmp_path / "grades.csv").open() as file:
        rows = {row["student_id"].partition("_")[0]: row for row in csv.DictReader(file)}
    for student in STUDENTS:
        assert float(rows[student]["score"]) == sum(EARNED[student].values())
        assert rows[student]["assignment"] == CHAPTER
