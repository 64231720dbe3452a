"""nbgrader's gradebook as `kata grade --gradebook` writes it: what is written, what is left alone, what is refused."""

from __future__ import annotations

import re
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from faces import run
from nbgrader_class import CHAPTER

from grader import catalogue, cli
from grader.classroom.engine import Outcome
from grader.classroom.engine_local import LocalEngine
from grader.problem import Problem
from grader.result import FAILED, PASSED, TODO, ExerciseResult, Record

pytest.importorskip("nbgrader", reason="no nbgrader; pip install 'deepkata[nbgrader]'")

from nbgrader.api import Grade, Gradebook

from grader.nbgrader_bridge.gradebook import Book


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


def test_a_file_that_is_called_after_its_author_and_its_chapter_belongs_to_the_author(url):
    with Book(url) as book:
        book.write(replace(record_of(ch03_activations=(PASSED,)), student="ada_ch03_activations"))
        book.write(replace(record_of(ch05_dense=(PASSED,)), student="ada_ch05_dense"))
    with Gradebook(url) as book:
        assert [(student.id, student.score) for student in book.students] == [("ada", 2.0)]


def test_a_released_assignment_stays_as_the_instructor_made_it(url):
    release(url, relu=1, tanh=4, swish=2)
    with Book(url) as book:
        book.write(record_of(ch03_activations=(PASSED,) * 10))
        assert "ch03_activations: the released assignment has no sigmoid; its score was not written." in book.remarks
        assert "ch03_activations: the cell swish was not graded; its score stays as it is." in book.remarks
    with Gradebook(url) as book:
        assert book.find_assignment(CHAPTER).max_score == 7
        assert book.find_submission(CHAPTER, "ada").score == 5, "tanh is worth what the instructor says"


def test_a_released_assignment_that_got_another_exercise_gets_its_score_too(url):
    release(url, relu=1)
    with Book(url) as book:
        book.write(record_of(ch03_activations=(PASSED,) * 10))
    release(url, tanh=4)
    with Book(url) as book:
        book.write(record_of(ch03_activations=(PASSED,) * 10))
    with Gradebook(url) as book:
        assert book.find_submission(CHAPTER, "ada").score == 5


def test_what_was_graded_before_an_interruption_is_in_the_gradebook_and_what_is_not_final_is_not(
    url, tmp_path, monkeypatch, capsys
):
    def run(_engine, tasks, finish, _progress):
        for task in tasks:
            student = task.name.partition("_")[0]
            record = replace(record_of(ch03_activations=(PASSED,)), submission=task.name, exam_hash="a hash")
            outcome = Outcome(task.name, record, {"relu": "a fault of the kit"} if student == "bob" else {})
            lane = threading.Thread(target=finish, args=(outcome,))
            lane.start()
            lane.join()
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalEngine, "run", run)
    for student in ("ada", "bob", "eve"):
        (tmp_path / f"{student}_{CHAPTER}.py").write_text("")
    monkeypatch.setattr(
        "sys.argv", ["kata", "grade", *map(str, tmp_path.glob("*.py")), "--gradebook", url, "--isolation", "none"]
    )
    with pytest.raises(SystemExit):
        cli.main()
    assert f"bob_{CHAPTER}: its scores are not final, and not in the gradebook." in capsys.readouterr().err
    with Gradebook(url) as book:
        assert {student.id: student.score for student in book.students} == {"ada": 1.0, "eve": 1.0}


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


def release(url: str, **cells: float) -> None:
    """What `nbgrader generate_assignment` leaves in the gradebook: exercise -> points."""
    with Gradebook(url) as book:
        book.update_or_create_assignment(CHAPTER)
        book.update_or_create_notebook(CHAPTER, CHAPTER)
        for name, points in cells.items():
            place = (f"{name}-points", CHAPTER, CHAPTER)
            book.update_or_create_grade_cell(*place, max_score=points, cell_type="code")
            book.update_or_create_source_cell(*place, cell_type="code", source=f'check("{name}")', locked=True)
