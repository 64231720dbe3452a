"""nbgrader, the real one, end to end: a released course, a class of honest and other students, grades and feedback."""

from __future__ import annotations

import contextlib
import copy
import csv
import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from browser import browser
from faces import Run, kata, records, run
from nbgrader_class import ASKED, CHAPTER, STUDENTS, cell_of, class_of, with_cell, write
from nbgrader_commands import nbgrader

from grader import catalogue
from grader.problem import Problem
from grader.result import FAILED, PASSED, TODO, ExerciseResult, Record
from grader.submission import Submission

pytest.importorskip("nbgrader", reason="no nbgrader; pip install 'deepkata[nbgrader]'")

from nbgrader.api import Grade, Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.plugins import CsvExportPlugin
from traitlets.config import Config

from grader.nbgrader_bridge import config
from grader.nbgrader_bridge.extract import submission_of
from grader.nbgrader_bridge.gradebook import Book

SECRET = "a course's own secret"
POINTS = {name: catalogue.exercises()[f"{CHAPTER}.{name}"].points for name in ASKED}
HONEST = ("right", "warns", "deletes")


def names_of(cell: Mapping) -> set[str]:
    name = cell["metadata"]["nbgrader"]["grade_id"]
    return {name, name.removesuffix("-points"), name.removesuffix("-text")}


def of_another_kit(points: dict) -> dict:
    """A cell for an exercise that this kit does not have."""
    cell = copy.deepcopy(points)
    cell["metadata"]["nbgrader"] |= {"grade_id": "swish-points", "points": 2}
    return cell | {"id": "swish-points", "source": 'check("swish")'}


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
        cells = [cell for cell in notebook["cells"] if names_of(cell).isdisjoint(unwanted)]
        write({**notebook, "cells": [*cells, of_another_kit(cells[-1])]}, path)

    def settings(self, **options: str) -> Config:
        """The same configuration for nbgrader's interface for programs."""
        settings = Config()
        config.apply(settings, **options)
        settings.CourseDirectory.root, settings.CourseDirectory.course_id = str(self.folder), self.folder.name
        return settings

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
            return {name: book.find_grade(f"{name}-points", CHAPTER, CHAPTER, student).auto_score for name in ASKED}


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
        assert float(row["max_score"]) == sum(POINTS.values()) + 2


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


def test_what_was_missing_is_told_in_the_log(course):
    assert "deletes: the cell sigmoid-points was missing and is put back." in course.log
    assert "Traceback" not in course.log


def test_an_exercise_of_another_kit_is_told_of_and_earns_nothing(course):
    told = "This kit has no exercise for the cell swish-points: it was not judged, and has no points yet."
    assert f"right: {told} Build the course again, or give the points by hand." in course.log
    assert course.told("right", "swish") == f"{told}\n"


def test_the_records_are_there_for_kata_report(course):
    done = kata("report", course.folder / "records" / CHAPTER, cwd=course.folder)
    assert done.code == 0, done.err
    for student in STUDENTS:
        assert student in done.out
    assert records(course.folder / "records" / CHAPTER)["right.json"]["student"] == "right"


# --- what belongs to a submission -------------------------------------------------------------------------------------


def test_a_chapter_finds_the_students_own_earlier_ones_then_those_that_were_given(tmp_path):
    (tmp_path / "given").mkdir()
    for name in ("ch01_tensors", "ch02_preprocessing", "ch07_training"):
        (tmp_path / "given" / f"{name}.py").write_text("WHOSE = 'given'\n")
    for name in ("ch01_tensors", "ch05_dense"):
        write(
            notebook_with(f"def {catalogue.select([name])[0].name}(x):\n    return x"),
            tmp_path / name / f"{name}.ipynb",
        )
    found = read_from(tmp_path, "ch05_dense").modules
    assert found.keys() == {"ch01_tensors", "ch02_preprocessing", "ch05_dense"}, (
        "later chapters are none of its business"
    )
    assert {name for name, module in found.items() if "given" in module.text} == {"ch02_preprocessing"}


def test_the_module_beside_a_notebook_without_functions_is_what_was_handed_in(tmp_path):
    write(notebook_with('check("relu")'), tmp_path / CHAPTER / f"{CHAPTER}.ipynb")
    (tmp_path / CHAPTER / f"{CHAPTER}.py").write_text("def relu(x):\n    return x\n")
    assert read_from(tmp_path, CHAPTER).modules[CHAPTER].path == f"{CHAPTER}.py"
    write(notebook_with("def relu(x):\n    return x"), tmp_path / CHAPTER / f"{CHAPTER}.ipynb")
    assert read_from(tmp_path, CHAPTER).modules[CHAPTER].path == f"{CHAPTER}.ipynb", "a copy does not count"
    released = notebook_with("def relu(x):\n    return 'tried out'")
    released["cells"][0]["metadata"] = {"nbgrader": {"grade": True, "solution": False}}
    write(released, tmp_path / CHAPTER / f"{CHAPTER}.ipynb")
    assert read_from(tmp_path, CHAPTER).modules[CHAPTER].path == f"{CHAPTER}.py", "it has no cell for solutions"


def test_an_earlier_chapter_that_cannot_be_read_costs_only_what_calls_it(tmp_path):
    (tmp_path / "ch01_tensors").mkdir()
    (tmp_path / "ch01_tensors" / "ch01_tensors.ipynb").write_text("{")
    write(notebook_with("def relu(x):\n    return x"), tmp_path / CHAPTER / f"{CHAPTER}.ipynb")
    assert read_from(tmp_path, CHAPTER).modules.keys() == {CHAPTER}


def notebook_with(code: str) -> dict:
    """A notebook of one cell."""
    return with_cell({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}, code, 0)


def read_from(folder: Path, module: str) -> Submission:
    """What a student has handed in for a chapter, each assignment in a folder of its name."""
    (chapter,) = [chapter for chapter in catalogue.chapters() if chapter.module == module]
    return submission_of(chapter, "ada", folder.joinpath, folder / "given")


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


def test_a_notebook_that_kata_grade_refuses_earns_nothing_and_says_why(course, tmp_path):
    again = Course(shutil.copytree(course.folder, tmp_path / "course"))
    again.hand_in("huge", with_cell(again.released, "x = 1\n" * 200_000))
    done = NbGraderAPI(config=again.settings()).autograde(CHAPTER, "huge")
    assert done["success"], done["log"]
    assert again.grades("huge") == NOTHING
    assert "holds more than 1 MB of code. Hand in the exercises only." in again.told("huge", "relu")


# --- kata grade --gradebook -------------------------------------------------------------------------------------------


def test_scores_of_kata_grade_are_in_the_gradebook_and_in_its_export(graded, tmp_path):
    with Gradebook(graded.url) as book:
        CsvExportPlugin(to=str(tmp_path / "grades.csv")).export(book)
    with (tmp_path / "grades.csv").open() as file:
        rows = {row["student_id"].partition("_")[0]: row for row in csv.DictReader(file)}
    for student in STUDENTS:
        assert float(rows[student]["score"]) == sum(EARNED[student].values())
        assert rows[student]["assignment"] == CHAPTER


@pytest.fixture(scope="module")
def empty_gradebook(tmp_path_factory) -> Path:
    """Made once: nbgrader starts a process for each that it makes."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    Book(f"sqlite:///{path}").__exit__(None, None, None)
    return path


@pytest.fixture
def url(empty_gradebook, tmp_path) -> str:
    """The address of a gradebook in which nothing stands."""
    return f"sqlite:///{shutil.copy(empty_gradebook, tmp_path)}"


def test_a_folder_of_chapters_becomes_an_assignment_for_each_that_was_begun(url):
    one = record_of(ch03_activations=(PASSED, FAILED), ch04_losses=(TODO, TODO), ch05_dense=(FAILED,))
    with Book(url) as book:
        book.write(one)
        book.write(one)
    with Gradebook(url) as book:
        assert {assignment.name for assignment in book.assignments} == {"ch03_activations", "ch05_dense"}
        assert [(s.student.id, s.score) for s in book.assignment_submissions("ch03_activations")] == [("ada", 1.0)]
        assert [(s.student.id, s.score) for s in book.assignment_submissions("ch05_dense")] == [("ada", 0.0)]
        assert not book.find_submission("ch05_dense", "ada").needs_manual_grade


def test_what_is_no_longer_there_loses_its_points(url):
    with Book(url) as book:
        book.write(record_of(ch03_activations=(PASSED,)))
        book.write(record_of(ch03_activations=(TODO,)))
    with Gradebook(url) as book:
        assert book.find_submission("ch03_activations", "ada").score == 0.0


def test_a_score_given_by_hand_stays_and_is_looked_at_again_where_the_judges_changes(url):
    with Book(url) as book:
        book.write(record_of(ch03_activations=(PASSED, FAILED)))
    with Gradebook(url) as book:
        first, second = (grade_of(book, number) for number in (0, 1))
        second.manual_score, first.extra_credit = 0.5, 0.25
        book.db.commit()
    for status, look_again in ((FAILED, False), (PASSED, True)):
        with Book(url) as book:
            book.write(record_of(ch03_activations=(PASSED, status)))
        with Gradebook(url) as book:
            assert book.find_submission("ch03_activations", "ada").score == 1.75
            assert grade_of(book, 1).auto_score == (status == PASSED)
            assert grade_of(book, 1).needs_manual_grade == look_again


def test_being_late_costs_what_the_policy_says_and_nothing_where_there_is_none(url):
    late = replace(record_of(ch03_activations=(PASSED, PASSED)), penalty=0.25, submitted="2026-11-21T01:00:00+01:00")
    for policy, lost in ((False, None), (True, 0.5), (False, 0.5)):
        with Book(url) as book:
            book.write(late, policy)
        with Gradebook(url) as book:
            submitted = book.find_submission_notebook("ch03_activations", "ch03_activations", "ada")
            assert submitted.late_submission_penalty == lost
            assert submitted.assignment.timestamp.isoformat() == "2026-11-21T00:00:00"


def test_everybody_in_a_group_gets_its_points_under_the_platforms_number(url):
    with Book(url) as book:
        book.write(replace(record_of(ch03_activations=(PASSED,)), student="Ada Lovelace (7) + Grace Hopper (8)"))
    with Gradebook(url) as book:
        found = book.assignment_submissions("ch03_activations")
        assert {(s.student.id, s.student.last_name, s.score) for s in found} == {
            ("7", "Ada Lovelace", 1.0),
            ("8", "Grace Hopper", 1.0),
        }


def test_a_released_assignment_stays_as_the_instructor_made_it(course, tmp_path):
    url = f"sqlite:///{shutil.copy(course.folder / 'gradebook.db', tmp_path)}"
    with Book(url) as book:
        book.write(replace(record_of(ch03_activations=(PASSED,) * 10), student="newcomer"))
        assert "ch03_activations: the released assignment has no tanh; its score was not written." in book.remarks
        assert "ch03_activations: the cell swish was not graded; its score stays as it is." in book.remarks
    with Gradebook(url, "course") as book:
        assert book.find_assignment(CHAPTER).max_score == sum(POINTS.values()) + 2
        assert book.find_submission(CHAPTER, "newcomer").score == sum(POINTS.values())


BAD_ADDRESSES = {
    "gradebook.db": "is no address of a gradebook",
    "nonsense://gradebook": "is no address of a gradebook",
    "sqlite:////nowhere/to/be/gradebook.db": "cannot be written (unable to open database file)",
    "sqlite:///no_database": "cannot be written (file is not a database)",
}


@pytest.mark.parametrize("url", BAD_ADDRESSES)
def test_a_gradebook_that_cannot_be_opened_is_told_before_anything_is_graded(tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no_database").write_text("This is a text, and a long one; it is no database of any kind. " * 20)
    with pytest.raises(Problem, match=re.escape(BAD_ADDRESSES[url])):
        Book(url)


def test_without_nbgrader_its_gradebook_is_refused_in_one_sentence(tmp_path):
    hide = "import sys; sys.modules['nbgrader'] = None; from grader.cli import main; main()"
    (tmp_path / f"{CHAPTER}.py").write_text("")
    done = run(sys.executable, "-c", hide, "grade", f"{CHAPTER}.py", "--gradebook", "sqlite:///g.db", cwd=tmp_path)
    assert done.code == 2
    (line,) = done.told
    assert line.startswith("nbgrader is not here")
    assert line.endswith("Install it: pip install 'deepkata[nbgrader]'.")


def record_of(**chapters: Sequence[str]) -> Record:
    """A record of ada's: chapter -> the statuses of its first exercises, whose points are taken as 1."""
    results = [
        ExerciseResult(exercise.id, 1.0, float(status == PASSED), status)
        for module, statuses in chapters.items()
        for exercise, status in zip(catalogue.select([module]), statuses, strict=False)
    ]
    return Record("ada", "1", "none", results, student="ada")


def grade_of(book: Gradebook, number: int) -> Grade:
    """Ada's grade of an exercise of the chapter."""
    name = catalogue.select([CHAPTER])[number].name
    return book.find_grade(f"{name}-points", CHAPTER, CHAPTER, "ada")


# --- what nbgrader's log says -----------------------------------------------------------------------------------------


def test_a_seed_file_that_is_not_there_stops_the_grading_with_a_sentence(course, tmp_path):
    again = Course(shutil.copytree(course.folder, tmp_path / "course"))
    done = NbGraderAPI(config=again.settings(seed_file="nowhere.txt")).autograde(CHAPTER, "half", force=True)
    assert not done["success"]
    assert "nowhere.txt cannot be read (No such file or directory). Check the path." in done["log"]


def test_an_assignment_of_somebody_elses_is_not_run_unless_the_instructor_says_so(course, tmp_path):
    again = Course(shutil.copytree(course.folder, tmp_path / "course"))
    for place in ("source/ps1", "submitted/half/ps1"):
        write({**again.released, "cells": again.released["cells"][-1:]}, again.folder / place / "ps1.ipynb")
    api = NbGraderAPI(config=again.settings())
    assert api.generate_assignment("ps1")["success"]
    done = api.autograde("ps1", "half")
    assert not done["success"]
    assert "This kit has no chapter or project called 'ps1'." in done["log"]
    assert "set c.Judge.execute_others = True" in done["log"]
