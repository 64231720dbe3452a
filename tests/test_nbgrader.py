"""nbgrader, the real one, end to end: a released course, a class of honest and other students, grades and feedback."""

from __future__ import annotations

import csv
import json
import re
import shutil

import numpy as np
import pytest
from browser import browser
from faces import kata, records
from nbgrader_class import ASKED, CHAPTER, STUDENTS, with_cell, write

from grader import catalogue

pytest.importorskip("nbgrader", reason="no nbgrader; pip install 'deepkata[nbgrader]'")

from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.plugins import CsvExportPlugin
from nbgrader_graded import POINTS, SECRET, Course, Kata, graded_course, once


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    return Course(once(tmp_path_factory, "class", graded_course) / "course")


@pytest.fixture(scope="module")
def graded(course, tmp_path_factory) -> Kata:
    """The files that nbgrader has graded, graded by `kata grade`."""
    return Kata(once(tmp_path_factory, "kata", lambda folder: Kata(folder).grade(course)))


NOTHING = dict.fromkeys(ASKED, 0.0)
EARNED = {
    "right": {name: POINTS[name] for name in ASKED},
    **{student: {**NOTHING, "relu": POINTS["relu"]} for student in ("half", "syntax", "warns")},
    **{
        student: {**NOTHING, "sigmoid": POINTS["sigmoid"]}
        for student in ("hidden", "endless", "exits", "deletes", "doubles")
    },
    **dict.fromkeys(("untouched", "patches", "transforms", "writes", "forges"), NOTHING),
}


def test_every_score_is_what_kata_grade_gives_for_the_same_file(course, graded):
    scores = {student: course.grades(student) for student in STUDENTS}
    assert scores == EARNED
    assert scores == {student: {name: graded.results[student][name]["score"] for name in ASKED} for student in STUDENTS}


def test_the_export_has_these_scores(course):
    exported = course.exported()
    assert exported.keys() == set(STUDENTS)
    for student, row in exported.items():
        assert float(row["score"]) == sum(EARNED[student].values())
        assert float(row["max_score"]) == sum(POINTS.values()) + 2


def test_the_cells_with_the_points_have_the_words_of_kata_grade(course, graded):
    for student, results in graded.results.items():
        for name in ASKED:
            told = plain(course.told(student, name))
            assert said_of(results[name], student) in told
            assert plain(results[name]["help"]) in told


def said_of(result: dict, student: str) -> str:
    """A message about what was one file of many, as it is about the notebook of an assignment."""
    return plain(result["message"].replace(f"{student}_{CHAPTER}", CHAPTER))


def plain(text: str) -> str:
    """Without the line breaks of a page of fixed width."""
    return "".join(text.split())


def test_a_cells_words_name_the_cell_and_its_line(course):
    assert "code cell 7, line 3" in course.told("syntax", "sigmoid")


def test_nobody_waits_for_an_instructor(course):
    with course.gradebook() as book:
        assert not any(submission.needs_manual_grade for submission in book.assignment_submissions(CHAPTER))


def test_what_was_missing_is_told_in_the_log(course):
    assert "deletes: the cell sigmoid-points was missing and is put back." in course.log
    assert "Traceback" not in course.log


def test_an_exercise_of_another_kit_is_told_of_and_earns_nothing(course):
    told = "This kit has no exercise for the cell swish-points: 0 points, until you give them by hand."
    assert f"right: {told} Or build the course again." in course.log
    assert course.told("right", "swish") == f"{told}\n"


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
                assert said_of(graded.results[student][name], student) in plain(text), student
            shown = set(re.findall(r"-?\d+\.\d{2,}", text))
            assert shown.isdisjoint(hidden_numbers()), student


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
    again = Course(shutil.copytree(course.folder, tmp_path / "course"))
    with again.gradebook() as book:
        book.find_grade("sigmoid-points", CHAPTER, CHAPTER, "half").manual_score = 0.5
        book.find_grade("relu-points", CHAPTER, CHAPTER, "half").extra_credit = 0.25
        book.find_comment("sigmoid", CHAPTER, CHAPTER, "half").manual_comment = "Nearly."
        book.update_or_create_assignment(CHAPTER, duedate="2026-11-20 12:00:00 UTC")
    (again.folder / "submitted" / "half" / CHAPTER / "timestamp.txt").write_text("2026-11-20 12:30:00 UTC")
    settings = again.settings(seed_file=str(course.seed))
    settings.LateSubmissionPlugin.penalty_method = "zero"
    done = NbGraderAPI(config=settings).autograde(CHAPTER, "half", force=True)
    assert done["success"], done["log"]
    assert again.grades("half") == course.grades("half"), "the autograder says what it said"
    with again.gradebook() as book:
        submission = book.find_submission(CHAPTER, "half")
        assert submission.score == 1.75
        assert submission.late_submission_penalty == 1.75
        assert book.find_comment("sigmoid", CHAPTER, CHAPTER, "half").comment == "Nearly."
        assert book.find_grade("sigmoid-points", CHAPTER, CHAPTER, "half").needs_manual_grade, "nbgrader's own rule"


def test_a_notebook_beside_the_chapters_own_takes_nothing_from_anybody(course, tmp_path):
    """nbgrader comes to it first, and the next students are judged beforehand."""
    again = Course(shutil.copytree(course.folder, tmp_path / "course"))
    theory = {**again.released, "cells": [again.released["cells"][0]]}
    write(theory, again.folder / "source" / CHAPTER / "a_theory.ipynb")
    settings = again.settings(seed_file=str(course.seed))
    (again.folder / "gradebook.db").unlink()
    shutil.rmtree(again.folder / "submitted")
    released = NbGraderAPI(config=settings).generate_assignment(CHAPTER, force=True)
    assert released["success"], released["log"]
    for student in ("half", "right"):
        again.hand_in(student, course_file(course, student))
        write(theory, again.folder / "submitted" / student / CHAPTER / "a_theory.ipynb")
    done = NbGraderAPI(config=settings).autograde(CHAPTER, "*", force=True)
    assert done["success"], done["log"]
    for student in ("half", "right"):
        assert again.grades(student) == EARNED[student]
        assert len(records(again.folder / "records" / CHAPTER)[f"{student}.json"]["exercises"]) == len(ASKED)


def course_file(course: Course, student: str) -> dict:
    """What a student of the course has handed in."""
    return json.loads((course.folder / "submitted" / student / CHAPTER / f"{CHAPTER}.ipynb").read_text())


def test_a_notebook_that_kata_grade_refuses_earns_nothing_and_says_why(course, tmp_path):
    again = Course(shutil.copytree(course.folder, tmp_path / "course"))
    again.hand_in("huge", with_cell(again.released, "x = 1\n" * 200_000))
    done = NbGraderAPI(config=again.settings()).autograde(CHAPTER, "huge")
    assert done["success"], done["log"]
    assert again.grades("huge") == NOTHING
    assert "holds more than 256 KB of code. Hand in a file for each chapter" in again.told("huge", "relu")


# --- kata grade --gradebook -------------------------------------------------------------------------------------------


def test_scores_of_kata_grade_are_in_the_gradebook_and_in_its_export(graded, tmp_path):
    with Gradebook(graded.url) as book:
        CsvExportPlugin(to=str(tmp_path / "grades.csv")).export(book)
    with (tmp_path / "grades.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    for student in STUDENTS:
        assert float(rows[student]["score"]) == sum(EARNED[student].values())
        assert rows[student]["assignment"] == CHAPTER


# --- what nbgrader's log says -----------------------------------------------------------------------------------------


def test_a_seed_file_that_is_not_there_stops_the_grading_with_a_sentence(course, tmp_path):
    again = Course(shutil.copytree(course.folder, tmp_path / "course"))
    done = NbGraderAPI(config=again.settings(seed_file="nowhere.txt")).autograde(CHAPTER, "half", force=True)
    assert not done["success"]
    assert "nowhere.txt cannot be read (No such file or directory). Check the path." in done["log"]


def test_an_assignment_of_somebody_elses_is_not_run_unless_the_instructor_says_so(course, tmp_path):
    again = Course(shutil.copytree(course.folder, tmp_path / "course"))
    theirs = {**again.released, "cells": [again.released["cells"][-1] | {"source": "assert 1 + 1 == 2"}]}
    for place in ("source/ps1", "submitted/half/ps1"):
        write(theirs, again.folder / place / "ps1.ipynb")
    settings = again.settings()
    assert NbGraderAPI(config=settings).generate_assignment("ps1")["success"]
    done = NbGraderAPI(config=settings).autograde("ps1", "half")
    assert not done["success"]
    assert "This kit has no chapter or project called 'ps1'." in done["log"]
    assert "set c.Judge.execute_others = True" in done["log"]
    settings.Judge.execute_others = True
    done = NbGraderAPI(config=settings).autograde("ps1", "half")
    assert done["success"], done["log"]
    with again.gradebook() as book:
        assert book.find_submission("ps1", "half").score == 2.0
