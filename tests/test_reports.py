"""Exports of the records: each is what its reader takes, and nothing from a student acts in it."""

from __future__ import annotations

import csv
import html
import json
import os
import random
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from classroom import HIDDEN, HOSTILE, classroom, hostile
from faces import kata
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from grader import catalogue, text
from grader.classroom.ledger import PAIRS, STATE
from grader.classroom.likeness import Pair
from grader.problem import Problem
from grader.reports import classroom50, folder, gradescope, junit, lectures, outline, overview, page, tables, terminal
from grader.result import (
    BLOCKED,
    COMPILED,
    CRASHED,
    ERROR,
    FAILED,
    PASSED,
    STATUSES,
    TIMEOUT,
    TODO,
    VIOLATION,
    CaseResult,
    ExerciseResult,
    Record,
)

CLASS = classroom()
SMALL = classroom(6, chapters=("ch03_activations", "ch05_dense"))


def one_record(**facts: object) -> Record:
    """A record of three exercises: 1 of 1, 0 of 2, 1.25 of 4 points."""
    results = [
        ExerciseResult("ch03_activations.relu", 1, 1, PASSED),
        ExerciseResult("ch03_activations.softmax", 2, 0, FAILED, "softmax: y[0] is 2.", "Divide by the sum."),
        ExerciseResult("ch20_speed.matmul_blocked", 4, 1.25, PASSED, "matmul_blocked: right, at 10 %.", "Which step?"),
    ]
    return Record("ada", "0.1.0", "limits", results, **facts)  # type: ignore[arg-type]


def with_result(**facts: object) -> Record:
    """A record of one exercise."""
    result = ExerciseResult("ch03_activations.relu", 1, **facts)  # type: ignore[arg-type]
    return Record("ada", "0.1.0", "limits", [result])


def rows_of(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def graded(folder: Path, records: list[Record]) -> Path:
    """A folder as `kata grade --out` writes it."""
    for record in records:
        record.write(folder / f"{record.submission}.json")
    return folder


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07 after", " after"),
        ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Bcharset\x1bc", "charset"),
        ("bell\x07 null\x00 delete\x7f c1\x9b", "bell null delete c1"),
        ("first\r\nsecond\tx", "first\nsecond\tx"),
        ("\u202etxt.exe\u2069", "[U+202E]txt.exe[U+2069]"),
        ("\ud800 \ufffe", "\ufffd \ufffd"),
        ("Nguyễn شكرا x²", "Nguyễn شكرا x²"),
    ],
)
def test_text_is_shown_without_what_acts_on_its_reader(given, shown):
    assert text.harmless(given) == shown


def test_harmless_text_can_be_written_as_utf8_and_as_xml():
    for code in [*range(0x300), *range(0x2000, 0x2100), 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x10FFFF]:
        element = ElementTree.Element("x")
        element.text = text.harmless(chr(code))
        assert ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8")) is not None


def test_a_long_text_is_cut_and_says_so():
    assert text.one_line("a" * 5000).endswith("a…")
    assert len(text.one_line("a" * 5000)) == text.LONGEST
    assert len(text.printed("x\n" * 5000).splitlines()) == text.OUTPUT_LINES


@pytest.mark.parametrize("told", ["", "yesterday", "0001-01-01T00:00:00+14:00", "2026-13-01"])
def test_a_moment_that_is_none_is_unknown(told):
    assert text.when(one_record(submitted=told)) is None


# --- the class --------------------------------------------------------------------------------------------------------


def test_the_figures_are_those_of_the_final_scores():
    records = [replace(one_record(), submission=str(number)) for number in range(3)]
    records[0].penalty = 1.0
    found = overview.figures(records)
    assert (found.count, found.lowest, found.median, found.highest) == (3, 0, 2.25, 2.25)
    assert found.mean == pytest.approx(1.5)


def test_every_student_is_counted_once_in_the_distribution():
    full, none = with_result(score=1.0, status=PASSED), with_result()
    empty = Record("empty", "0.1.0", "limits")
    counts = [found.count for found in overview.distribution([full, none, empty])]
    assert counts == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert sum(found.count for found in overview.distribution(CLASS)) == len(CLASS)


def test_known_mistakes_are_counted_by_exercise_and_told_in_words():
    exercise = catalogue.exercises()["ch03_activations.relu"]
    made = [with_result(status=FAILED, mistake=exercise.mistakes[0].name) for _ in range(3)]
    others = [with_result(status=FAILED), with_result(status=PASSED, score=1.0), with_result()]
    (found,) = overview.mistakes([*made, *others])
    assert (found.exercise, found.name, found.belief) == (
        exercise.id,
        exercise.mistakes[0].name,
        exercise.mistakes[0].belief,
    )
    assert (found.made, found.tried) == (3, 5)


def test_a_mistake_of_another_kit_is_told_in_the_records_own_words():
    (found,) = overview.mistakes([with_result(status=FAILED, mistake="forgotten", help="You forgot it.")])
    assert found.belief == "You forgot it."


def test_the_most_frequent_mistake_comes_first():
    made = [found.made for found in overview.mistakes(CLASS)]
    assert made == sorted(made, reverse=True)
    assert sum(made) == sum(bool(result.mistake) for record in CLASS for result in record.exercises)


def test_who_has_handed_in_nothing_is_at_risk_and_who_leads_is_not():
    records = [*SMALL, replace(SMALL[0], submission="idle", exercises=[with_result().exercises[0]])]
    found = {risk.record.submission: risk.reasons for risk in overview.at_risk(records)}
    assert found["idle"] == ("nothing written yet",)
    assert max(SMALL, key=lambda record: record.final_score).submission not in found


def test_who_has_not_begun_what_most_have_begun_is_at_risk():
    asked = [ExerciseResult(f"ch0{number}.x", 1, 1, PASSED) for number in range(1, 5)]
    late = [replace(result, status=TODO, score=0) if result.id > "ch03" else result for result in asked]
    far = [Record(f"far{number}", "0.1.0", "limits", asked) for number in range(9)]
    (found,) = overview.at_risk([*far, Record("behind", "0.1.0", "limits", late)])
    assert found.record.submission == "behind"
    assert "ch03, ch04" in found.reasons[0]


def test_the_slowest_submissions_come_first_with_their_slowest_exercise():
    found = overview.slowest(CLASS, 5)
    assert [record.seconds for record, _ in found] == sorted((r.seconds for r in CLASS), reverse=True)[:5]
    for record, result in found:
        assert result.seconds == max(other.seconds for other in record.exercises)


def test_chapters_come_in_teaching_order_and_unknown_ones_last():
    strange = [ExerciseResult("ch99_future.x", 1), *reversed(SMALL[0].exercises)]
    modules = [chapter.module for chapter, _ in outline.by_chapter(strange)]
    assert modules == ["ch03_activations", "ch05_dense", "ch99_future"]
    asked = outline.exercises_asked([Record("a", "0.1.0", "limits", strange)])
    assert [exercise for _, own in asked for exercise in own] == [
        *(result.id for result in SMALL[0].exercises),
        "ch99_future.x",
    ]


def test_every_exercise_has_something_to_read():
    missing = [exercise for exercise in catalogue.exercises() if not lectures.lecture_of(exercise)]
    assert missing == []
    assert lectures.lecture_of("ch99_future.x") == ""


# --- the terminal -----------------------------------------------------------------------------------------------------


def test_the_terminal_names_every_submission_and_the_commonest_mistake(capsys):
    terminal.print_class(Console(width=200, highlight=False), SMALL)
    shown = capsys.readouterr().out
    assert all(record.submission in shown for record in SMALL)
    assert overview.mistakes(SMALL)[0].belief in shown


# --- tables -----------------------------------------------------------------------------------------------------------


def test_canvas_gets_its_columns_the_points_possible_and_its_own_numbers(tmp_path):
    ada = one_record(student="Ada Lovelace (123)", penalty=0.2)
    tables.write_canvas([ada], tmp_path / "canvas.csv", "ps1 (77)")
    head, possible, row = rows_of(tmp_path / "canvas.csv")
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "ps1 (77)"]
    assert possible == ["    Points Possible", "", "", "", "", "7"]
    assert row == ["Ada Lovelace", "123", "", "", "", "1.8"]


def test_each_member_of_a_group_has_a_row(tmp_path):
    both = one_record(student="Ada Lovelace (123) + Bob Ross (124)")
    tables.write_canvas([both], tmp_path / "canvas.csv")
    assert [row[:2] for row in rows_of(tmp_path / "canvas.csv")[2:]] == [["Ada Lovelace", "123"], ["Bob Ross", "124"]]


def test_a_submission_without_a_student_is_looked_for_by_its_name(tmp_path):
    tables.write_canvas([one_record()], tmp_path / "canvas.csv")
    assert rows_of(tmp_path / "canvas.csv")[2][:4] == ["ada", "", "", "ada"]
    tables.write_moodle([one_record()], tmp_path / "moodle.csv")
    assert rows_of(tmp_path / "moodle.csv")[1][:3] == ["", "ada", "ada"]


def test_moodle_gets_its_worksheet_with_comments_that_are_html(tmp_path):
    ada = one_record(student="Ada Lovelace (123)")
    ada.exercises[1].message = "softmax: x < 0 & y"
    tables.write_moodle([ada], tmp_path / "moodle.csv")
    head, row = rows_of(tmp_path / "moodle.csv")
    told = dict(zip(head, row, strict=True))
    assert {"Identifier", "Grade", "Last modified (grade)"} <= told.keys(), "without these Moodle refuses the file"
    assert (told["Identifier"], told["Full name"]) == ("Participant 123", "Ada Lovelace")
    assert (told["Grade"], told["Maximum Grade"]) == ("2.25", "7")
    assert "x &lt; 0 &amp; y Divide by the sum." in told["Feedback comments"]


def test_the_plain_table_has_every_score(tmp_path):
    tables.write_plain(CLASS, tmp_path / "plain.csv")
    head, *rows = rows_of(tmp_path / "plain.csv")
    assert head[7:] == list(catalogue.exercises())
    for record, row in zip(CLASS, rows, strict=True):
        assert row[0] == record.submission
        assert float(row[5]) == record.final_score
        assert [float(score) for score in row[7:]] == [round(result.score, 2) for result in record.exercises]


def formulas(record: Record, path: Path) -> list[str]:
    """The cells of each table that a spreadsheet would take for a formula, wherever it splits lines."""
    found = []
    for write in (tables.write_plain, tables.write_canvas, tables.write_moodle):
        write([record], path)
        for delimiter in ",;\t":
            cells = [cell for row in rows_of(path, delimiter)[1:] for cell in row]
            found += [cell for cell in cells if cell.lstrip().startswith(tables.FORMULA)]
        assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f]", path.read_text(encoding="utf-8"))
        assert not [cell for row in rows_of(path) for cell in row if re.search(r"[\x00-\x1f]", cell)]
    return found


SIGNS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\x00=1", "\x1b[0m=1", "＝1"]
SPLIT = ["Ada;=1", "Ada; =1", "Ada;\t=1", "Ada;\n@x", "Ada\t=1", ";;-1", 'Ada;"=1"', 'a,";=1', 'a;"",=1', "Ada;＝1"]


@pytest.mark.parametrize("name", [*SIGNS, *SPLIT])
def test_no_cell_is_a_formula(tmp_path, name):
    record = one_record(student=name, submitted=name, notes=[name])
    record.exercises[1].message = name
    assert formulas(record, tmp_path / "table.csv") == []


@given(st.lists(st.text(alphabet=",;\t\"'=- \nA", max_size=12), min_size=4, max_size=4))
def test_no_texts_together_make_a_formula(tmp_path_factory, texts):
    record = one_record(student=texts[0], submitted=texts[1], notes=[texts[3]])
    record.submission = texts[2]
    record.exercises[1].message = texts[3]
    assert formulas(record, tmp_path_factory.getbasetemp() / "table.csv") == []


def test_what_is_less_or_equal_reads_as_it_was_written(tmp_path):
    record = one_record(notes=["x <= -1 &+2, a < - b; = c"])
    assert html.unescape(tables.comments(record)).partition("<br>")[2].startswith(record.notes[0])
    tables.write_moodle([record], tmp_path / "moodle.csv")
    assert rows_of(tmp_path / "moodle.csv")[1][-1] == tables.comments(record), "no apostrophe is needed"


def test_a_hostile_name_breaks_no_table(tmp_path):
    record = hostile(catalogue.select(["ch03"]))
    for write in (tables.write_plain, tables.write_canvas, tables.write_moodle):
        write([record], tmp_path / "table.csv")
        rows = rows_of(tmp_path / "table.csv")
        assert len({len(row) for row in rows}) == 1
        assert any(cell.startswith("'=HYPERLINK") for row in rows for cell in row)


def test_of_two_submissions_of_a_student_the_later_counts():
    first = one_record(student="Ada", submitted="2026-11-20T23:00:00+01:00")
    second = replace(first, submission="ada-2", submitted="2026-11-20T22:30:00+00:00")
    kept, earlier, problems = tables.latest([second, first])
    assert [record.submission for record in kept] == ["ada-2"]
    assert [record.submission for record in earlier] == ["ada"]
    assert problems == []


@pytest.mark.parametrize("other", ["", "no time", "2026-11-20T22:00:00+00:00"], ids=["none", "broken", "the same"])
def test_where_nothing_tells_the_last_of_a_students_submissions_none_counts(other):
    """The last in the alphabet is not the last that was handed in."""
    first = one_record(student="Ada", submitted="2026-11-20T23:00:00+01:00")
    second = replace(first, submission="ada-2", submitted=other)
    bob = replace(first, submission="bob", student="Bob", submitted="")
    kept, earlier, (problem,) = tables.latest([first, second, bob])
    assert ([record.submission for record in kept], earlier) == (["bob"], [])
    assert "Ada has handed in more than once" in problem.defect
    assert "ada, ada-2" in problem.defect


@pytest.mark.parametrize("platform", ["canvas", "moodle"])
def test_a_student_who_is_kept_out_of_a_table_is_told(tmp_path, platform):
    first = one_record(student="Ada (1)")
    bob = replace(first, submission="bob", student="Bob (2)")
    out = graded(tmp_path / "out", [first, replace(first, submission="ada-2"), bob])
    run = kata_report(out, "--csv", tmp_path / "grades.csv", "--lms", platform)
    assert run.exit_code == 2
    assert "Ada (1) has handed in more than once, and nothing tells which was the last: ada, ada-2" in run.stderr
    assert "Bob" in (tmp_path / "grades.csv").read_text(encoding="utf-8")
    assert "Ada" not in (tmp_path / "grades.csv").read_text(encoding="utf-8")


def test_pages_and_tables_write_points_alike():
    assert page._environment().filters["points"] is tables.points
    assert [tables.points(value) for value in (2.0, 1.25, 0.126, 1234567.5)] == ["2", "1.25", "0.13", "1234567.5"]


# --- other platforms --------------------------------------------------------------------------------------------------


def test_gradescope_gets_a_test_per_exercise_and_the_score_that_counts(tmp_path):
    gradescope.write(one_record(penalty=0.2, notes=["Handed in late."]), tmp_path / "results.json")
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["score"] == 1.8
    assert [(test["score"], test["max_score"], test["status"]) for test in results["tests"]] == [
        (1, 1, "passed"),
        (0, 2, "failed"),
        (1.25, 4, "passed"),
    ]
    assert "Handed in late." in results["output"]
    failed = results["tests"][1]
    assert failed["output"].splitlines()[:2] == ["softmax: y[0] is 2.", "Divide by the sum."]
    assert {test["visibility"] for test in results["tests"]} == {"visible"}
    assert results["stdout_visibility"] == "hidden"


WORKFLOW = {
    "CLASSROOM": "dl",
    "ASSIGNMENT": "ps1",
    "SUBMISSION_TAG": "submit/2026-11-20T22-30-00Z-abc1234",
    "COMMIT_URL": "https://git.example/c",
    "RELEASE_URL": "https://git.example/r",
    "MODE": "group",
}


@pytest.mark.parametrize("workflow", [WORKFLOW, {}], ids=["in its workflow", "elsewhere"])
def test_classroom50_gets_what_its_schema_asks_for(tmp_path, workflow):
    submitted = "2026-11-20T23:30:00+01:00"
    classroom50.write(one_record(penalty=0.2, submitted=submitted), tmp_path / "result.json", workflow)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["schema"] == "classroom50/result/v1"
    assert set(result) == {
        *("schema", "classroom", "assignment", "assignment_type", "owner", "submission", "commit", "release"),
        *("review", "datetime", "score", "max-score", "tests"),
    }
    assert all(isinstance(value, str) and value for key, value in result.items() if key not in NUMBERS)
    assert result["submission"].startswith("submit/")
    assert result["datetime"] == "2026-11-20T22:30:00Z"
    assert (result["score"], result["max-score"]) == (180, 700)
    for test in result["tests"]:
        assert isinstance(test["passed"], bool)
        assert type(test["score"]) is type(test["max-score"]) is int
        assert 0 <= test["score"] <= test["max-score"]
        assert test["test-name"]
    if workflow:
        assert (result["classroom"], result["assignment_type"], result["review"]) == ("dl", "group", result["commit"])


NUMBERS = ("score", "max-score", "tests")


def test_classroom50_has_integers_for_every_score_of_a_class(tmp_path):
    for record in CLASS[:5]:
        classroom50.write(record, tmp_path / "result.json", {})
        result = json.loads((tmp_path / "result.json").read_text())
        assert type(result["score"]) is int
        assert result["score"] == round(100 * record.final_score) <= result["max-score"]


def test_junit_tells_what_failed_what_broke_and_what_is_not_written(tmp_path):
    junit.write(CLASS, tmp_path / "junit.xml")
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert len(root) == len(CLASS)
    for record, suite in zip(CLASS, root, strict=True):
        assert int(suite.get("tests", 0)) == len(record.exercises)
        assert int(suite.get("skipped", 0)) == record.count(TODO)
        assert int(suite.get("errors", 0)) == record.count(ERROR, TIMEOUT, CRASHED)
        failed = set(STATUSES) - {PASSED, TODO, ERROR, TIMEOUT, CRASHED}
        assert int(suite.get("failures", 0)) == record.count(*failed)
    assert int(root.get("tests", 0)) == sum(len(record.exercises) for record in CLASS)


def test_junit_is_xml_whatever_a_student_writes(tmp_path):
    junit.write([hostile(catalogue.select(["ch03"]))], tmp_path / "junit.xml")
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    printed = root.findtext(".//system-out")
    assert printed is not None
    assert "<script>" in printed, "it is text, and still there"
    assert all(element.tag in JUNIT for element in root.iter())


JUNIT = {"testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped", "system-out"}


@pytest.mark.parametrize("status", [FAILED, BLOCKED, VIOLATION])
def test_hidden_cases_are_in_no_export(tmp_path, status):
    hidden = [CaseResult("a secret rationale", FAILED, hidden=True, stage=COMPILED, message="input 42.17")] * 7
    record = with_result(status=status, cases=hidden, message=f"relu: it is wrong on a hidden one ({HIDDEN}).")
    gradescope.write(record, tmp_path / "results.json")
    classroom50.write(record, tmp_path / "result.json", {})
    junit.write([record], tmp_path / "junit.xml")
    tables.write_moodle([record], tmp_path / "moodle.csv")
    tables.write_plain([record], tmp_path / "plain.csv")
    for path in tmp_path.iterdir():
        written = path.read_text(encoding="utf-8")
        assert "secret" not in written
        assert "42.17" not in written


# --- the command ------------------------------------------------------------------------------------------------------


def kata_report(*words: object):
    """Run `kata report` in this process."""
    import typer

    from grader.reports import command

    app = typer.Typer()
    app.command()(command.report)
    return CliRunner().invoke(app, [str(word) for word in words])


def test_one_command_writes_every_export(tmp_path):
    out = graded(tmp_path / "out", SMALL)
    run = kata_report(
        *(out, "--html", tmp_path / "class.html", "--students", tmp_path / "students"),
        *("--csv", tmp_path / "grades.csv", "--lms", "canvas", "--assignment", "ps1"),
        *("--gradescope", tmp_path / "gs", "--classroom50", tmp_path / "c50", "--junit", tmp_path / "junit.xml"),
    )
    assert run.exit_code == 0, run.output
    assert "Class report" in (tmp_path / "class.html").read_text(encoding="utf-8")
    assert {path.stem for path in (tmp_path / "students").iterdir()} == {record.submission for record in SMALL}
    assert rows_of(tmp_path / "grades.csv")[0][-1] == "ps1"
    assert len(list((tmp_path / "gs").glob("*/results.json"))) == len(SMALL)
    assert len(list((tmp_path / "c50").glob("*/result.json"))) == len(SMALL)
    assert (tmp_path / "junit.xml").exists()
    assert run.stdout.count("wrote ") == 6


def test_a_single_record_lies_where_the_platform_looks_for_it(tmp_path):
    out = graded(tmp_path / "out", SMALL[:1])
    assert kata_report(out, "--gradescope", tmp_path / "gs", "--classroom50", tmp_path / "c50").exit_code == 0
    assert (tmp_path / "gs" / "results.json").exists()
    assert (tmp_path / "c50" / "result.json").exists()


def test_without_a_target_the_terminal_is_told(tmp_path):
    run = kata_report(graded(tmp_path / "out", SMALL))
    assert run.exit_code == 0
    assert f"{len(SMALL)} submissions" in run.stdout


def record_with(**wrong: object) -> str:
    """A record's JSON form with something wrong in its first exercise."""
    data = SMALL[0].to_json()
    data["exercises"][0] |= wrong
    return json.dumps(data)


BROKEN = {
    "cut": '{"schema": 1, "submission": "x", ',
    "another schema": '{"schema": 99}',
    "a list": "[]",
    "not UTF-8": b"\xff\xfe\x00",
    "a score in words": record_with(score="one"),
    "no number": record_with(seconds=float("nan")),
    "a message that is none": record_with(message=5),
    "cases that are none": record_with(cases=[3]),
    "more points than there are": record_with(score=1000),
    "a status that is none": record_with(status="great"),
    "a sum that is another": json.dumps(SMALL[0].to_json() | {"score": 1000}),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_record_that_cannot_be_read_is_named_in_one_line_and_the_others_reported(tmp_path, broken):
    out = graded(tmp_path / "out", SMALL)
    content = broken if isinstance(broken, bytes) else broken.encode()
    (out / "broken.json").write_bytes(content)
    run = kata_report(out, "--csv", tmp_path / "grades.csv")
    assert run.exit_code == 2
    assert len(run.stderr.splitlines()) == 1
    assert "broken.json" in run.stderr
    assert [row[0] for row in rows_of(tmp_path / "grades.csv")[1:]] == [record.submission for record in SMALL]


def test_scores_that_are_not_final_are_told_and_reported(tmp_path):
    first, second, *others = SMALL
    out = graded(tmp_path / "out", [replace(first, exam_hash=""), replace(second, exam_hash=""), *others])
    run = kata_report(out, "--csv", tmp_path / "grades.csv", "--lms", "moodle")
    assert run.exit_code == 2
    assert [line.partition(":")[0] for line in run.stderr.splitlines()] == [first.submission, second.submission]
    assert run.stderr.count("its scores are not final, and reported all the same. Grade it again.") == 2
    assert len(rows_of(tmp_path / "grades.csv")) == len(SMALL) + 1


def test_scores_of_several_exams_are_told_in_one_line(tmp_path):
    first, second, *others = SMALL
    out = graded(tmp_path / "out", [replace(first, exam_hash="f" * 64), replace(second, exam_hash="a" * 64), *others])
    run = kata_report(out, "--csv", tmp_path / "grades.csv")
    assert (run.exit_code, len(run.stderr.splitlines())) == (2, 1)
    assert "mixes scores of 3 exams (another kit or secret): most are of one, 2 not (s0000, s0001)." in run.stderr
    assert len(rows_of(tmp_path / "grades.csv")) == len(SMALL) + 1


def test_what_the_grader_keeps_beside_the_records_is_no_record(tmp_path):
    out = graded(tmp_path / "out", SMALL)
    (out / STATE).mkdir()
    (out / STATE / "state.json").write_text("{}")
    (out / ".half.json").write_text("{")
    (out / "notes.txt").write_text("no record")
    assert len(folder.read(out).records) == len(SMALL)
    assert folder.read(out).problems == []


def test_a_record_is_called_after_its_file(tmp_path):
    SMALL[0].write(tmp_path / "copy.json")
    assert [record.submission for record in folder.read(tmp_path).records] == ["copy"]


def test_similar_submissions_are_read_from_beside_the_records(tmp_path):
    out = graded(tmp_path / "out", SMALL)
    (out / STATE).mkdir()
    noted = [{"one": "s0000", "other": "s0001", "share": 0.9, "exercises": ["ch03_activations.relu"]}]
    (out / STATE / PAIRS).write_text(json.dumps(noted))
    assert folder.read(out).pairs == [Pair("s0000", "s0001", 0.9, ("ch03_activations.relu",))]
    (out / STATE / PAIRS).write_text('[{"one": 1}]')
    found = folder.read(out)
    assert (found.pairs, len(found.problems)) == ([], 1)
    assert len(found.records) == len(SMALL)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("x")])
def test_a_folder_without_records_is_told(tmp_path, make):
    make(tmp_path / "out")
    with pytest.raises(Problem):
        folder.read(tmp_path / "out")


def test_the_command_itself_tells_bad_input_in_one_line(tmp_path):
    out = graded(tmp_path / "out", SMALL[:2])
    for words in (("nowhere",), (out, "--html", "/dev/null/class.html")):
        run = kata("report", *words, cwd=tmp_path)
        assert (run.code, len(run.told)) == (2, 1), run.err
    assert kata("report", out, "--html", tmp_path / "class.html", cwd=tmp_path).err == ""


@pytest.mark.parametrize("option", ["--html", "--csv", "--junit", "--students", "--gradescope", "--classroom50"])
def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path, option):
    out = graded(tmp_path / "out", SMALL[:1])
    (tmp_path / "file").write_text("in the way")
    run = kata_report(out, option, tmp_path / "file" / "below")
    assert isinstance(run.exception, Problem), run.output
    assert "cannot be written" in str(run.exception)
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(os.name == "nt", reason="folders of Windows have other rights")
def test_what_was_there_stays_whole_where_a_page_cannot_be_written(tmp_path, monkeypatch):
    out = graded(tmp_path / "out", SMALL)
    page = tmp_path / "class.html"
    page.write_text("the old page")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    run = kata_report(out, "--html", page)
    assert "No space left on device" in str(run.exception)
    assert page.read_text() == "the old page"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class.html", "out"], "and nothing half written"


def test_the_made_up_class_is_one_that_the_grader_could_have_graded():
    statuses = {result.status for record in CLASS for result in record.exercises}
    assert statuses == set(STATUSES)
    assert [record.to_json() for record in classroom()] == [record.to_json() for record in CLASS]
    assert HOSTILE["student"] == hostile(catalogue.select(["ch03"])).student
    known = catalogue.exercises()
    for result in random.Random(0).choice(CLASS).exercises:
        assert result.points == known[result.id].points
        assert not result.mistake or outline.mistake_of(result.id, result.mistake)
