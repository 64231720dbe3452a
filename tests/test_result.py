"""The result record: what is written can be read, what is broken is refused, and no reader ever sees half a file."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.problem import Problem
from grader.result import (
    FAILED,
    PASSED,
    SCHEMA,
    STATUSES,
    CaseResult,
    ExerciseResult,
    Record,
    read_sound,
    write_atomically,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SECONDS = st.floats(0, 1e6)
POINTS = st.integers(0, 400).map(lambda quarters: quarters / 4)
CASES = st.builds(
    CaseResult, TEXT, st.sampled_from(STATUSES), st.booleans(), st.sampled_from(["", "compiled"]), TEXT, SECONDS
)
EXERCISES = st.builds(
    ExerciseResult,
    id=TEXT,
    points=POINTS,
    score=POINTS,
    status=st.sampled_from(STATUSES),
    message=TEXT,
    help=TEXT,
    mistake=TEXT,
    output=TEXT,
    seconds=SECONDS,
    cases=st.lists(CASES, max_size=3),
)
RECORDS = st.builds(
    Record,
    submission=TEXT,
    kit_version=TEXT,
    isolation=TEXT,
    exercises=st.lists(EXERCISES, max_size=4),
    submission_hash=TEXT,
    exam_hash=TEXT,
    notes=st.lists(TEXT, max_size=2),
    seconds=SECONDS,
)


def small_record(name: str = "ada") -> Record:
    case = CaseResult("negatives", FAILED, message="y[0] should be 0.0, yours is 2.0.")
    exercises = [ExerciseResult("ch03.relu", 1, 1, PASSED), ExerciseResult("ch03.tanh", 2, 0, FAILED, cases=[case])]
    return Record(name, "0.1", "limits", exercises)


@given(RECORDS)
def test_a_record_comes_back_whole_from_its_json(record):
    """Through the text, not only through the dictionary: signs of every script and quotes included."""
    data = json.loads(json.dumps(record.to_json()))
    assert Record.from_json(data) == record
    assert (data["score"], data["max_score"]) == (record.score, record.max_score)


def test_a_record_comes_back_whole_from_its_file(tmp_path):
    path = tmp_path / "new" / "folder" / "ada.json"
    small_record("Ada Łovelace ✓").write(path)
    assert Record.read(path) == small_record("Ada Łovelace ✓")
    assert os.listdir(path.parent) == ["ada.json"]


def test_the_json_has_the_agreed_head_and_a_score_that_is_the_sum():
    data = small_record().to_json()
    assert data["schema"] == SCHEMA
    assert (data["score"], data["final_score"], data["max_score"]) == (1, 1, 3)
    assert data.keys() == {field.name for field in fields(Record)} | {"schema", "score", "final_score", "max_score"}
    assert data["exercises"][1]["cases"][0]["case"] == "negatives"


def test_being_late_costs_its_share_of_the_final_score():
    late = replace(small_record(), penalty=0.25)
    assert (late.score, late.final_score) == (1, 0.75)
    assert Record.from_json(late.to_json()) == late


def test_a_score_in_a_file_is_not_believed():
    """The sum of the exercises counts; a head that says otherwise changes nothing."""
    assert Record.from_json({**small_record().to_json(), "score": 100}).score == 1


def test_statuses_are_counted():
    record = small_record()
    assert (record.count(PASSED), record.count(FAILED), record.count(PASSED, FAILED)) == (1, 1, 2)


def broken_records() -> dict[str, bytes]:
    data = small_record().to_json()
    without = {name: value for name, value in data.items() if name != "exercises"}
    bad_case = {**data["exercises"][0], "cases": [{"no": "case"}]}
    texts = {
        "nothing": "",
        "half of a file": json.dumps(data)[:200],
        "a number": "7",
        "a list": "[]",
        "nothing in it": "{}",
        "another program's": '{"name": "jupyter", "cells": []}',
        "an older schema": json.dumps({**data, "schema": SCHEMA - 1}),
        "a newer schema": json.dumps({**data, "schema": SCHEMA + 1}),
        "no exercises": json.dumps(without),
        "exercises that are none": json.dumps({**data, "exercises": 5}),
        "an exercise that is a word": json.dumps({**data, "exercises": ["relu"]}),
        "a case of another form": json.dumps({**data, "exercises": [bad_case]}),
        "one field too many": json.dumps({**data, "grade": "A"}),
        "nested without end": "[" * 100_000,
    }
    return {name: text.encode() for name, text in texts.items()} | {"no text": b"\xff\xfe\x80"}


@pytest.mark.parametrize("kind", broken_records())
def test_what_is_no_record_is_refused_in_one_line(tmp_path, kind):
    path = tmp_path / "ada.json"
    path.write_bytes(broken_records()[kind])
    with pytest.raises(Problem, match=r"ada\.json is no result record") as caught:
        Record.read(path)
    assert caught.value.action == "Grade the submission again."
    assert "\n" not in str(caught.value)


UNSOUND = {
    "a sum that is another": {"score": 100},
    "a penalty above all": {"penalty": 1.5, "final_score": -0.5},
    "a note that is none": {"notes": [1]},
    "a student that is none": {"student": None},
}
UNSOUND_RESULTS = {
    "more than there is": {"score": 5},
    "less than nothing": {"score": -1},
    "an unknown status": {"status": "great"},
    "a number in words": {"points": "1"},
    "no number": {"seconds": float("nan")},
    "a message that is none": {"message": 5},
}


@pytest.mark.parametrize("kind", [*UNSOUND, *UNSOUND_RESULTS])
def test_what_the_grader_cannot_have_written_is_no_sound_record(tmp_path, kind):
    path = tmp_path / "ada.json"
    data = small_record().to_json() | UNSOUND.get(kind, {})
    data["exercises"][0] |= UNSOUND_RESULTS.get(kind, {})
    if "score" in UNSOUND_RESULTS.get(kind, {}):
        data |= {name: Record.from_json(data).to_json()[name] for name in ("score", "final_score")}  # it all adds up
    path.write_text(json.dumps(data))
    with pytest.raises(Problem, match=r"ada\.json (contradicts itself|is no result record)") as caught:
        read_sound(path)
    assert caught.value.action == "Grade the submission again."
    small_record().write(path)
    assert read_sound(path) == small_record()


def test_a_missing_record_is_told(tmp_path):
    with pytest.raises(Problem, match=r"cannot be read \(No such file"):
        Record.read(tmp_path / "ada.json")


@pytest.mark.parametrize("step", ["replace", "fdopen"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = tmp_path / "ada.json"
    small_record().write(path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(Problem, match=r"ada\.json cannot be written \(No space left on device\)"):
        small_record("bob").write(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["ada.json"]


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="Free some space, or choose another folder"):
        write_atomically(tmp_path / "file" / "ada.json", "{}")


def test_a_reader_never_sees_half_a_file(tmp_path, monkeypatch):
    """At the moment of the rename the old file is whole, and the new one is whole under another name."""
    path = tmp_path / "ada.json"
    small_record().write(path)
    seen = []
    rename = os.replace

    def watched(new: str, old: Path) -> None:
        seen.append((Record.read(Path(old)).submission, Record.read(Path(new)).submission))
        rename(new, old)

    monkeypatch.setattr(os, "replace", watched)
    small_record("bob").write(path)
    assert seen == [("ada", "bob")]
    assert Record.read(path).submission == "bob"
