"""Finding what a class handed in: every layout, who and when, names for records, and one bad apple never spoils it."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zips import CHAPTER, RELU, renamed, zipped

from grader.classroom import handin, names
from grader.problem import Problem
from grader.submission import MAX_FILE

OTHER = "ch05_dense.py"
EXERCISES = {f"exercises/{CHAPTER}": RELU, "exercises/__init__.py": "", "README.md": "# Mine"}
NOTEBOOK = '{"cells": [{"cell_type": "code", "source": "def relu(x):\\n    return x"}]}'


def folder(path: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def archive(path: Path, files: dict[str, str | bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zipped(files))
    return path


def read(*paths: Path) -> dict[str, list[str] | str]:
    """Name -> its modules, or what is wrong with it."""
    found: dict[str, list[str] | str] = {}
    for one in handin.find(paths):
        try:
            found[one.name] = sorted(one.read().modules)
        except Problem as problem:
            found[one.name] = problem.defect
    assert all(what.isprintable() for what in found.values() if isinstance(what, str))
    return found


def only(path: Path) -> handin.Handin:
    (found,) = handin.find([path])
    return found


# --- one submission ---------------------------------------------------------------------------------------------------

ONE = {
    "a folder laid out like the exercises": {f"ada/{CHAPTER}": RELU},
    "a folder with the exercises in it": {f"ada/{name}": text for name, text in EXERCISES.items()},
    "a zip file of the exercises": {"ada.zip": zipped({CHAPTER: RELU})},
    "a zip file of the folder": {"ada.zip": zipped(EXERCISES)},
    "one folder deep": {"ada.zip": zipped({f"deepkata-main/{name}": text for name, text in EXERCISES.items()})},
    "two folders deep": {"ada.zip": zipped({f"work/kata/{name}": text for name, text in EXERCISES.items()})},
    "with what macOS adds": {"ada.zip": zipped({**EXERCISES, f"__MACOSX/exercises/._{CHAPTER}": b"\0\5\x16\7"})},
    "with caches and git": {
        "ada.zip": zipped({**EXERCISES, ".git/HEAD": "x", f"exercises/__pycache__/{CHAPTER}c": b"\0", ".DS_Store": "x"})
    },
    "with capital letters": {"ada.ZIP": zipped(EXERCISES)},
}


@pytest.mark.parametrize("what", ONE)
def test_a_submission_of_any_layout_is_read_whole(tmp_path, what):
    folder(tmp_path, ONE[what])
    found = only(next(tmp_path.iterdir()))
    assert (found.name, found.student, found.submitted) == ("ada", "ada", "")
    assert found.read().modules.keys() == {"ch03_activations"}
    assert found.read().whole, "a chapter that is missing is one that was not done"
    assert found.read().notes == []


def test_a_module_and_a_notebook_answer_for_their_chapter_only(tmp_path):
    folder(tmp_path, {CHAPTER: RELU, "ch03_activations.ipynb": NOTEBOOK, "homework(2).py": RELU})
    for one in handin.find(sorted(tmp_path.iterdir())):
        assert one.read().modules.keys() == {"ch03_activations"}
        assert not one.read().whole


def test_several_notebooks_in_a_students_zip_file_are_read_together(tmp_path):
    cell = NOTEBOOK.replace("relu", "dense_forward")
    files = {"my ch03_activations.ipynb": NOTEBOOK, "ch05_dense.ipynb": cell}
    path = folder(tmp_path / "class", {"ada.zip": zipped(files), f"bob/{CHAPTER}": RELU})
    assert read(path)["ada"] == ["ch03_activations", "ch05_dense"]


def test_encodings_of_source_are_as_python_has_them(tmp_path):
    path = archive(
        tmp_path / "ada.zip",
        {
            "ch03_activations.py": b"\xef\xbb\xbf" + RELU.replace("\n", "\r\n").encode(),
            "ch04_losses.py": b"# -*- coding: latin-1 -*-\nNAME = 'J\xf6rg'\n",
            "ch05_dense.py": b"NAME = 'J\xf6rg'\n",
            "ch06_optimizers.py": b"# coding: no-such-thing\n",
        },
    )
    found = only(path).read()
    assert found.modules["ch03_activations"].functions.keys() == {"relu"}
    assert "'Jörg'" in found.modules["ch04_losses"].text
    assert found.modules.keys() == {"ch03_activations", "ch04_losses"}
    assert [note for note in found.notes if "is not UTF-8 text" in note] == found.notes
    assert len(found.notes) == 2


def test_where_nothing_can_be_read_the_reason_is_told(tmp_path):
    path = folder(tmp_path / "ada", {CHAPTER: b"\xff\xfe", OTHER: RELU.encode("utf-16")})
    assert f"ada/{CHAPTER} is not UTF-8 text" in read(path)["ada"]


def test_a_copy_in_a_folder_below_is_not_read(tmp_path):
    path = archive(tmp_path / "ada.zip", {**EXERCISES, f"old/{CHAPTER}": "x = 1\n"})
    found = only(path).read()
    assert found.modules["ch03_activations"].text == RELU
    assert found.notes == [f"ada.zip/old/{CHAPTER} was left out: it does not lie with the exercises."]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({f"a/{CHAPTER}": RELU, f"b/{CHAPTER}": RELU}, f"has two of {CHAPTER}"),
        ({"essay.pdf": "x"}, "is ada.zip/essay.pdf alone"),
        ({"essay.pdf": "x", "notes.txt": "x"}, "none of the exercise modules"),
        ({"work.rar": "x", "notes.txt": "x"}, "work.rar, which is no zip file"),
        ({"work.zip": zipped(EXERCISES)}, "a zip file in a zip file"),
        ({"a/b/c/" + CHAPTER: RELU}, "none of the exercise modules"),
        ({f"m{number}.py": "" for number in range(30)}, "none of the exercise modules, but 30 others"),
        ({"cooking.py": "x = 1\n"}, "named after no chapter"),
        ({"a.py": RELU, "b.py": RELU}, "has two of ch03_activations"),
        ({}, "none of the exercise modules"),
    ],
)
def test_what_is_no_submission_is_told(tmp_path, files, words):
    path = archive(tmp_path / "class" / "ada.zip", files)
    archive(tmp_path / "class" / "bob.zip", EXERCISES)
    found = read(path.parent)
    assert found["bob"] == ["ch03_activations"]
    assert words in found["ada"]


# --- a class ----------------------------------------------------------------------------------------------------------

CLASS = {
    "ada/exercises/" + CHAPTER: RELU,
    "bob.zip": zipped(EXERCISES),
    f"carl_{CHAPTER}": RELU,
    "dora.ipynb": NOTEBOOK,
    "notes.txt": "no submission",
    "figures/plot.png": b"\x89PNG",
    ".hidden/x.py": "x = 1",
}


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_or_zip_file_of_anything_is_a_class(tmp_path, packed):
    path = archive(tmp_path / "class.zip", CLASS) if packed else folder(tmp_path / "class", CLASS)
    expected = ["ada", "bob", "carl_ch03_activations", "dora"]
    assert read(path) == {name: ["ch03_activations"] for name in expected}


def test_a_zip_file_of_zip_files_is_a_class_also_below_a_folder(tmp_path):
    files = {f"week 3/{name}.zip": zipped(EXERCISES) for name in ("ada", "bob")}
    assert read(archive(tmp_path / "class.zip", files)).keys() == {"ada", "bob"}


def test_one_that_cannot_be_read_does_not_stop_the_others(tmp_path):
    path = folder(
        tmp_path / "class",
        {
            "ada.zip": zipped(EXERCISES),
            "broken.zip": b"PK\3\4 no more",
            "carl.zip": zipped({"../evil.py": RELU}),
            "dora.ipynb": "{",
            "eve.rar": b"Rar!",
            f"far/too/deep/down/{CHAPTER}": RELU,
        },
    )
    found = read(path)
    assert found["ada"] == ["ch03_activations"]
    assert {name: isinstance(what, str) for name, what in found.items()} == {
        "ada": False, "broken": True, "carl": True, "dora": True, "eve": True, "far": True
    }  # fmt: skip


def test_a_bad_member_of_a_classs_zip_file_is_its_owners_alone(tmp_path):
    files = {
        f"ada/{CHAPTER}": RELU,
        f"bob/{CHAPTER}": RELU,
        "bob/../../evil.py": RELU,
        f"carl/{CHAPTER}": RELU,
        "carl/\x1b[2J.py": RELU,
        "/etc/passwd.py": RELU,
    }
    found = read(archive(tmp_path / "class.zip", files))
    assert found["ada"] == ["ch03_activations"]
    assert "leads out of it" in found["bob"]
    assert "control characters" in found["carl"]
    assert "leads out of it" in found["etc"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_in_a_class_are_nobodys(tmp_path):
    folder(tmp_path / "elsewhere", {CHAPTER: RELU})
    path = folder(tmp_path / "class", {f"ada/{CHAPTER}": RELU, "bob/notes.txt": "x"})
    (path / "bob" / CHAPTER).symlink_to(tmp_path / "elsewhere" / CHAPTER)
    (path / "carl").symlink_to(tmp_path / "elsewhere")
    (path / "loop").symlink_to(path)
    assert read(path) == {"ada": ["ch03_activations"]}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    path = folder(tmp_path / "class", {f"ada/{CHAPTER}": RELU, f"bob/{OTHER}": RELU})
    os.mkfifo(path / "bob" / CHAPTER)
    (path / "carl").mkdir()
    os.mkfifo(path / "carl" / "work.zip")
    found = read(path)
    assert found["bob"] == ["ch05_dense"]
    assert "is no ordinary file" in found["carl"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser can read everything")
def test_a_folder_that_cannot_be_read_is_told(tmp_path):
    path = folder(tmp_path / "class", {f"ada/{CHAPTER}": RELU, f"bob/{CHAPTER}": RELU})
    (path / "bob").chmod(0)
    try:
        assert "cannot be read" in read(path)["bob"]
    finally:
        (path / "bob").chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="such names cannot be there")
def test_names_on_the_disk_are_shown_harmlessly(tmp_path):
    path = folder(
        tmp_path / "class",
        {
            f"\x1b[2Jada/{CHAPTER}": RELU,
            "\x1b[2Jbob/\x1b[31m.ipynb": "{",
            "\u202ecarl\n.zip": b"PK",
            os.fsdecode(b"d\xf6ra/") + CHAPTER: RELU,
            "eve/\x9b1m.zip": zipped({"../x": ""}),
        },
    )
    found = read(path)
    assert [name.isprintable() for name in found] == [True] * 5
    assert found["_[2Jada"] == found["d_ra"] == ["ch03_activations"]


def test_a_file_that_is_too_large_is_told_by_its_own_name_only(tmp_path):
    """Notes reach the student: where the lecturer keeps the class is nobody's business."""
    path = folder(tmp_path / "class", {f"ada/{CHAPTER}": RELU, f"ada/{OTHER}": "#" * (MAX_FILE + 1), "bob.zip": b"PK"})
    (note,) = handin.find([path])[0].read().notes
    assert note.startswith(f"ada/{OTHER} is larger than")
    assert str(tmp_path) not in read(path)["bob"]


def test_what_is_not_there_is_told(tmp_path):
    assert "There is no submission at" in read(tmp_path / "nothing")["nothing"]


# --- Moodle -----------------------------------------------------------------------------------------------------------

MOODLE_FOLDERS = {
    f"Ada Lovelace_12_assignsubmission_file_/{CHAPTER}": RELU,
    "Ada Lovelace_12_assignsubmission_onlinetext_/onlinetext.html": "<p>done</p>",
    "Jörg Müller_13_assignsubmission_file_/exercises.zip": zipped(EXERCISES),
    f"Bob Noyce_14_assignsubmission_file/exercises/{CHAPTER}": RELU,  # newer ones end without the line
    "Participant_15_assignsubmission_file_/essay.pdf": "x",
    f"Default group_assignsubmission_file_/{CHAPTER}": RELU,
}
MOODLE_FLAT = {
    f"Ada Lovelace_12_assignsubmission_file_{CHAPTER}": RELU,
    "Jörg Müller_13_assignsubmission_file_exercises.zip": zipped(EXERCISES),
}


@pytest.mark.parametrize("packed", [False, True])
def test_moodles_folders(tmp_path, packed):
    make = archive if packed else folder
    path = make(tmp_path / ("CS101-week 3-77.zip" if packed else "week 3"), MOODLE_FOLDERS)
    found = read(path)
    assert "is essay.pdf alone" in found.pop("Participant_15")
    expected = ["Ada Lovelace_12", "Bob Noyce_14", "Default group", "Jörg Müller_13"]
    assert found == {name: ["ch03_activations"] for name in expected}
    students = {one.name: (one.student, one.submitted) for one in handin.find([path])}
    assert students["Jörg Müller_13"] == ("Jörg Müller (13)", ""), "the download's dates are the download's"
    assert students["Default group"] == ("Default group", "")


def test_moodles_flat_form(tmp_path):
    found = handin.find([archive(tmp_path / "class.zip", MOODLE_FLAT)])
    assert [(one.student, one.read().whole) for one in found] == [
        ("Ada Lovelace (12)", False),
        ("Jörg Müller (13)", True),
    ]


def test_names_that_do_not_say_their_encoding_are_read(tmp_path):
    name = "Jörg_13_assignsubmission_file_.py"
    plain = b"J__rg_13_assignsubmission_file_.py"
    content = renamed(zipped({plain.decode(): RELU, "ada.py": RELU}), plain, name.encode())
    (tmp_path / "class.zip").write_bytes(content)
    assert "Jörg (13)" in [one.student for one in handin.find([tmp_path / "class.zip"])]


# --- Canvas -----------------------------------------------------------------------------------------------------------

CANVAS = {
    f"lovelaceada_12_99_{CHAPTER}": RELU,
    "noycebob_LATE_13_101_ch03_activations-2.py": RELU,
    "müllerjörg_14_102_exercises-1.zip": zipped(EXERCISES),
    f"anon_x7Gp2_103_{CHAPTER}": RELU,
    f"LATE_anon_q7Gp2_104_{CHAPTER}": RELU,
    f"twofiles_15_105_{CHAPTER}": RELU,
    f"twofiles_15_106_{OTHER}": RELU,
    "again_16_107_ch03_activations.py": "first = 1\n",
    "again_16_108_ch03_activations-1.py": "second = 2\n",
    "text_17_109_text.html": "<p>done</p>",
}


def test_canvas(tmp_path):
    found = {one.name: one for one in handin.find([archive(tmp_path / "submissions.zip", CANVAS)])}
    assert {name: one.student for name, one in found.items()} == {
        "lovelaceada_12": "lovelaceada (12)",
        "noycebob_13": "noycebob (13)",
        "müllerjörg_14": "müllerjörg (14)",
        "anon_x7Gp2": "(anon_x7Gp2)",
        "anon_q7Gp2": "(anon_q7Gp2)",
        "twofiles_15": "twofiles (15)",
        "again_16": "again (16)",
        "text_17": "text (17)",
    }
    assert {one.submitted for one in found.values()} == {""}
    with pytest.raises(Problem, match="alone"):
        found.pop("text_17").read()
    opened = {name: one.read() for name, one in found.items()}
    assert sorted(opened["twofiles_15"].modules) == ["ch03_activations", "ch05_dense"]
    assert {name for name, one in opened.items() if handin.LATE_NOTE in one.notes} == {"noycebob_13", "anon_q7Gp2"}
    assert opened["again_16"].modules["ch03_activations"].text == "second = 2\n", "the last upload counts"
    assert "more than once" in opened["again_16"].notes[0]
    assert opened["noycebob_13"].modules.keys() == {"ch03_activations"}


# --- Gradescope -------------------------------------------------------------------------------------------------------

METADATA = """---
submission_101:
  :submitters:
  - :name: Ada Lovelace
    :sid: '00012'
    :email: ada@example.org
  :created_at: 2026-11-20 22:52:07.938335000 Z
  :score: 0.0
  :results:
    output: "submission_9:\\n  :submitters: none of this counts"
  :history:
  - :created_at: 2026-11-01 00:00:00.000000000 Z
submission_102:
  :submitters:
  - :name: Bob Noyce
    :sid: ''
    :email: bob@example.org
  - :name: Eve (00012)
    :sid:
    :email:
  :created_at: 2026-11-21 00:52:07.000000000 +02:00
submission_103:
  :submitters: []
"""
GRADESCOPE = {
    "assignment_1_export/submission_metadata.yml": METADATA,
    f"assignment_1_export/submission_101/{CHAPTER}": RELU,
    f"assignment_1_export/submission_102/exercises/{CHAPTER}": RELU,
    f"assignment_1_export/submission_103/{CHAPTER}": RELU,
    f"assignment_1_export/submission_104/{CHAPTER}": RELU,
}


@pytest.mark.parametrize("packed", [False, True])
def test_gradescope(tmp_path, packed):
    path = archive(tmp_path / "x.zip", GRADESCOPE) if packed else folder(tmp_path / "x", GRADESCOPE)
    found = {one.name: one for one in handin.find([path])}
    assert {name: (one.student, one.submitted) for name, one in found.items()} == {
        "Ada Lovelace_00012": ("Ada Lovelace (00012)", "2026-11-20T22:52:07+00:00"),
        "Bob Noyce_bob@example.org + Eve (00012)": (
            "Bob Noyce (bob@example.org) + Eve [00012]",
            "2026-11-20T22:52:07+00:00",
        ),
        "submission_103": ("", ""),
        "submission_104": ("submission_104", ""),
    }
    assert {tuple(one.read().modules) for one in found.values()} == {("ch03_activations",)}


@pytest.mark.parametrize(
    "text", ["{", "- a list", "submission_1: 5", "!!python/object/apply:os.system ['true']", "\x00"]
)
def test_metadata_of_another_kind_is_told_rather_than_ignored(tmp_path, text):
    """Else a whole class would be graded without names and times, and nobody would notice."""
    with pytest.raises(Problem, match=r"submission_metadata\.yml"):
        handin.find([folder(tmp_path / "x", {**GRADESCOPE, "assignment_1_export/submission_metadata.yml": text})])


def told_of(name: str, *more: str) -> str:
    """Metadata of one submission; `more` are lines that nobody asks for, before the name."""
    return "\n  ".join(["submission_101:", *more, f":submitters: [{{':name': {name}}}]"]) + "\n"


def doubled(first: str, level: str) -> list[str]:
    """Lines of which each names the one before it twice."""
    levels = [f"x{number}: &x{number} {level.replace('*', f'*x{number - 1}')}" for number in range(1, 19)]
    return [f"x0: &x0 {first}", *levels]


NO_NAMES = {
    "a list": told_of("[Ada]"),
    "a number": told_of("5"),
    "nothing": told_of("null"),
    "a time": told_of("2026-11-20"),
    "an endless list": told_of("*x", "x: &x [*x]"),
    "lists of lists": told_of("*x18", *doubled("[x, x]", "[*, *]")),
    "a number for an e-mail address": told_of("Ada, ':email': 5"),
    "merged": told_of("Ada", *doubled("{a: b}", "{<<: [*, *]}")),
    "a crowd": told_of("Ada}, " + "{':name': Ada}, " * 100 + "{':name': Eve"),
}


@pytest.mark.parametrize("text", NO_NAMES.values(), ids=NO_NAMES)
def test_names_of_the_metadata_are_plain_text(tmp_path, text):
    """What lists and mappings name over and over grows beyond any memory where it is made a text, or merged."""
    with pytest.raises(Problem, match=r"submission_metadata\.yml is not as Gradescope writes it"):
        handin.find([folder(tmp_path / "x", {"submission_metadata.yml": text, f"submission_101/{CHAPTER}": RELU})])


def test_metadata_in_a_students_own_zip_file_counts_for_nothing(tmp_path):
    forged = {"submission_metadata.yml": METADATA, f"submission_101/{CHAPTER}": RELU}
    path = folder(tmp_path / "class", {"mallory.zip": zipped(forged), f"ada/{CHAPTER}": RELU})
    assert [(one.name, one.student) for one in handin.find([path])] == [("ada", "ada"), ("mallory", "mallory")]


FORGED = {
    "Gradescope's metadata": {
        "submission_metadata.yml": METADATA.replace("2026", "2099"),
        f"submission_101/{CHAPTER}": RELU,
    },
    "Moodle's folder": {f"Bob Noyce_456_assignsubmission_file_/{CHAPTER}": RELU},
    "Moodle's file": {"Bob Noyce_456_assignsubmission_file_ch03_activations.py": RELU},
    "Canvas's file": {f"noycebob_456_99_{CHAPTER}": RELU},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("packed", [False, True])
def test_of_several_paths_none_hands_in_for_somebody_else(tmp_path, packed, forged):
    mallory = archive(tmp_path / "mallory.zip", forged) if packed else folder(tmp_path / "mallory", forged)
    own, other = handin.find([mallory, folder(tmp_path / "ada", {CHAPTER: RELU})])
    assert [(own.name, own.student, own.submitted), other.name] == [("mallory", "mallory", ""), "ada"]
    assert own.read().modules.keys() == {"ch03_activations"}
    (note,) = own.read().notes
    assert "looks like a platform's export, but it was given with other paths" in note


@pytest.mark.parametrize("forged", [*FORGED.values(), GRADESCOPE], ids=[*FORGED, "Gradescope's export"])
@pytest.mark.parametrize("around", ["folder", "folder in a zip file", "zip file"])
def test_what_lies_deeper_in_a_class_hands_in_for_nobody_else(tmp_path, around, forged):
    """Also where only one student has handed in, so that it looks like a folder around a class."""
    inside = {f"mallory/{name}": text for name, text in forged.items()}
    if around == "zip file":
        path = folder(tmp_path / "class", {"mallory.zip": zipped(forged)})
    else:
        path = folder(tmp_path / "class", inside) if around == "folder" else archive(tmp_path / "class.zip", inside)
    found = handin.find([path])
    assert {(one.student.rpartition("_")[0], one.submitted) for one in found} <= {("", ""), ("submission", "")}
    assert "456" not in "".join(one.name for one in found)


def test_a_class_in_a_folder_is_one_submission_that_says_so(tmp_path):
    """Else a student's folder could hand in for others, where nobody else has handed in."""
    path = folder(tmp_path / "class", {f"mallory/{name}/{CHAPTER}": RELU for name in ("ada", "bob")})
    with pytest.raises(Problem, match="looks like a class, but a folder lies around it"):
        only(path).read()


SECTIONS = {
    "Gradescope": GRADESCOPE,
    "Moodle": MOODLE_FOLDERS,
    "Moodle, flat": MOODLE_FLAT,
    "Canvas": CANVAS,
    "plain folders": {f"{name}/{CHAPTER}": RELU for name in ("ada", "bob")},
}


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
@pytest.mark.parametrize("packed", [False, True])
def test_several_classes_at_once_are_refused_each_with_what_to_do(tmp_path, packed, section):
    make = archive if packed else folder
    found = handin.find([make(tmp_path / f"{day}{'.zip' * packed}", section) for day in ("monday", "friday")])
    assert [one.name for one in found] == ["monday", "friday"]
    for one in found:
        with pytest.raises(Problem, match="looks like a class, but it was given with other paths") as told:
            one.read()
        assert told.value.action == "Give the class itself, as the only path."


def test_a_submission_that_is_no_class_is_not_called_one(tmp_path):
    paths = [archive(tmp_path / "ada.zip", {"essay.pdf": "x"}), archive(tmp_path / "bob.zip", {"m.py": "", "n.md": ""})]
    for one in handin.find(paths):
        with pytest.raises(Problem) as told:
            one.read()
        assert "class" not in str(told.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser can read everything")
def test_of_several_paths_one_that_cannot_be_read_whole_is_told(tmp_path):
    path = folder(tmp_path / "ada", {f"work/{CHAPTER}": RELU, f"more/{OTHER}": RELU})
    (path / "more").chmod(0)
    try:
        assert "cannot be read" in read(path, folder(tmp_path / "bob", {CHAPTER: RELU}))["ada"]
    finally:
        (path / "more").chmod(0o700)


# --- names ------------------------------------------------------------------------------------------------------------


def test_submissions_of_one_name_are_told_apart(tmp_path):
    for day in ("monday", "friday"):
        folder(tmp_path / day / "ada", {CHAPTER: RELU})
    folder(tmp_path, {"bob.py": RELU, "bob.ipynb": NOTEBOOK, f"Carl/{CHAPTER}": RELU, f"x/carl/{CHAPTER}": RELU})
    paths = ["monday/ada", "friday/ada", "monday/ada", "bob.py", "bob.ipynb", "Carl", "x/carl", "monday/../monday/ada"]
    found = [one.name for one in handin.find([tmp_path / path for path in paths])]
    assert found[:2] == ["monday-ada", "friday-ada"]
    assert len({name.casefold() for name in found}) == len(found) == 6


def test_a_file_called_after_its_chapter_is_named_by_its_folder_whatever_else_is_given(tmp_path):
    """Else its first record would stay beside the one that it gets when it is graded together with another."""
    files = [f"a/{CHAPTER}", f"b/{CHAPTER}", f"carl/exercises/{CHAPTER}", f"dora/exercises/{CHAPTER}"]
    paths = [folder(tmp_path, {name: RELU}) / name for name in files]
    together = [one.name for one in handin.find(paths)]
    assert together == [only(path).name for path in paths]
    assert together[:3] == ["a-ch03_activations", "b-ch03_activations", "carl-exercises-ch03_activations"]
    assert {only(path).student for path in paths} == {""}, "two of one chapter are not one student's"


def test_a_name_does_not_depend_on_who_else_is_there(tmp_path):
    """Unless two are called the same: records are looked for by name when a run is resumed."""
    path = archive(tmp_path / "class.zip", MOODLE_FOLDERS)
    more = archive(tmp_path / "more" / "class.zip", {**MOODLE_FOLDERS, f"Zoe_1_assignsubmission_file_/{CHAPTER}": RELU})
    assert read(path).keys() < read(more).keys()


@given(st.lists(st.text(max_size=120), max_size=8))
def test_names_are_safe_and_unlike_each_other_on_every_disk(texts):
    found = names.distinct([[text, f"parent-{text}", f"/{number}/{text}"] for number, text in enumerate(texts)])
    for name in found:
        assert 0 < len(f".{name}.json".encode()) < 255 - 20
        assert name == unicodedata.normalize("NFC", name)
        assert name.isprintable() or "\u200c" in name or "\u200d" in name
        assert not set(name) & set('<>:"/\\|?*')
        assert name[0] not in " .-~"
        assert name[-1] not in " ."
        assert not names.is_device(name)
    assert len({unicodedata.normalize("NFD", name.casefold()) for name in found}) == len(texts)


@pytest.mark.parametrize("name", ["con", "NUL.txt", "com1", "LPT³.x", "conin$", "aux "])
def test_names_that_windows_keeps_are_changed(name):
    assert names.safe(name).startswith("_")


@given(st.text(min_size=1, max_size=30), st.from_regex(r"\A[0-9a-z@.]{1,20}\Z"))
def test_a_label_can_be_taken_apart(name, identifier):
    told = names.label(name, identifier)
    assert names.parts(told) == [(told.removesuffix(f"({identifier})").rstrip(), identifier)]
    ((_, claimed),) = names.parts(names.label(name, ""))
    assert claimed == "", "nobody's own name passes for a number"
    assert names.parts(f"{told} + {told}") == names.parts(told) * 2


@pytest.mark.parametrize(
    "name", [f"ada_{CHAPTER}", CHAPTER, "a_1_b.py", "ada_1.py", "1_2.py", "assignsubmission_file_"]
)
def test_other_names_are_no_platforms(name):
    assert names.moodle_owner(name) is None
    assert names.canvas_owner(name) is None
