"""Bad input of every kind gets one plain sentence that says what is wrong, and one that says what to do."""

from __future__ import annotations

import functools
import json
import re
import sys
from types import SimpleNamespace

import pytest
from build import HEAD, judge_exercises, judge_one, judge_relu, solved, statuses, submission

from grader import catalogue, judge, kit
from grader import submission as submissions
from grader.judge import static_problem
from grader.problem import Problem
from grader.result import ERROR, FAILED, PASSED, TIMEOUT, TODO
from grader.worker.host import Limits

RELU = "@njit\ndef relu(x):\n    return np.maximum(x, np.float32(0))\n"


def problem_of(path) -> str:
    with pytest.raises(Problem) as caught:
        submissions.read(path)
    assert caught.value.defect.endswith((".", ")"))
    assert caught.value.action.endswith(".")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def written(path, content: str | bytes):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def notebook(*cells: tuple[str, str | list[str]]) -> str:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": kind, "source": source} for kind, source in cells]})


# --- files that cannot be a submission --------------------------------------------------------------------------------


def test_a_missing_path(tmp_path):
    assert "There is no submission at" in problem_of(tmp_path / "nothing.py")


def test_a_file_of_another_kind(tmp_path):
    assert "neither a folder, a .py file nor an .ipynb file" in problem_of(written(tmp_path / "essay.docx", "x"))


def test_a_folder_without_modules(tmp_path):
    written(tmp_path / "notes.txt", "x")
    assert "none of the exercise modules (ch01_tensors.py" in problem_of(tmp_path)


def test_a_folder_too_deep_or_too_shallow(tmp_path):
    (tmp_path / "exercises").mkdir()
    written(tmp_path / "exercises" / "ch03_activations.py", RELU)
    assert "Give the folder that holds them itself" in problem_of(tmp_path)


def test_a_file_that_is_not_utf8(tmp_path):
    assert "is not UTF-8 text. Save it as UTF-8." in problem_of(written(tmp_path / "ch03_activations.py", b"# \xe4\n"))


def test_a_huge_file(tmp_path):
    path = written(tmp_path / "ch03_activations.py", "#" * (submissions.MAX_FILE + 1))
    assert "is larger than 256 KB. Hand in a file for each chapter" in problem_of(path)


def test_a_notebook_of_too_much_code(tmp_path):
    cells = [("code", "x = 1\n" * 30_000)] * 2
    path = written(tmp_path / "ch03_activations.ipynb", notebook(*cells))
    assert "holds more than 256 KB of code. Hand in a file for each chapter" in problem_of(path)


def test_a_notebook_of_too_many_empty_cells(tmp_path):
    path = written(tmp_path / "ch03_activations.ipynb", notebook(*[("code", "")] * (submissions.MAX_FILE + 1)))
    assert "holds more than 256 KB of code" in problem_of(path)


def test_the_whole_course_in_one_folder_is_not_too_large():
    assert submissions.read(kit.SOLUTIONS).notes == []


def test_a_folder_of_too_much_source_is_read_no_further_than_that():
    read = []

    def content(name: str) -> bytes:
        read.append(name)
        return b"#" * submissions.MAX_FILE

    files = {f"m{number}.py": functools.partial(content, f"m{number}.py") for number in range(20)}
    with pytest.raises(Problem, match=r"ada holds more than 1 MB of source\. Hand in the exercises only\."):
        submissions.laid_out("ada", files, "ada")
    assert len(read) == submissions.MAX_SOURCE // submissions.MAX_FILE + 1


@pytest.mark.parametrize("encoding", ["punycode", "undefined", "idna", "utf-7", "unicode_escape", "rot13", "utf-16"])
def test_a_file_in_an_encoding_that_no_editor_writes(tmp_path, encoding):
    """Some of them take a minute for a megabyte, and one fails for every text."""
    told = problem_of(written(tmp_path / "ch03_activations.py", f"# coding: {encoding}\nx = 1\n"))
    assert re.search(r"declares the encoding [\w-]+, which is not read. Save it as UTF-8", told)


@pytest.mark.parametrize(
    ("declared", "written_as"),
    [
        *[("utf-8", "utf-8-sig"), ("UTF8", "utf-8"), ("u8", "utf-8"), ("utf-8-sig", "utf-8")],
        *[("latin-1", "latin-1"), ("ISO-8859-1", "latin-1"), ("cp1252", "cp1252"), ("windows-1252", "cp1252")],
    ],
)
def test_a_file_in_an_encoding_that_editors_write(tmp_path, declared, written_as):
    text = f"# coding: {declared}\nx = 'é'\n".encode(written_as)
    (module,) = submissions.read(written(tmp_path / "ch03_activations.py", text)).modules.values()
    assert module.text.endswith("x = 'é'\n")


def test_a_file_that_is_declared_to_be_ascii(tmp_path):
    path = tmp_path / "ch03_activations.py"
    assert submissions.read(written(path, "# coding: us-ascii\n")).modules
    assert "is not UTF-8 text" in problem_of(written(path, "# coding: us-ascii\n# é\n"))


def test_a_folder_of_too_many_files(tmp_path):
    for number in range(submissions.MAX_FILES + 1):
        written(tmp_path / f"m{number}.py", "")
    assert f"more than {submissions.MAX_FILES} modules" in problem_of(tmp_path)


def test_a_file_about_something_else(tmp_path):
    assert "defines no function that an exercise asks for" in problem_of(written(tmp_path / "cooking.py", "x = 1\n"))


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"cells": 5}', '{"cells": [{"cell_type": "code"}]}', '{"cells": [1]}', "[" * 100_000],
    ids=["empty", "cut off", "a list", "no cells", "cells no list", "no source", "cells no records", "nested"],
)
def test_a_broken_notebook(tmp_path, content):
    assert "is not a readable notebook" in problem_of(written(tmp_path / "ch03.ipynb", content))


def test_a_notebook_whose_source_is_no_text(tmp_path):
    broken = '{"cells": [{"cell_type": "code", "source": [1, 2]}]}'
    assert "is not a readable notebook" in problem_of(written(tmp_path / "ch03.ipynb", broken))


# --- files that can ---------------------------------------------------------------------------------------------------


def test_a_notebook_with_functions_is_judged(tmp_path):
    cells = (
        ("markdown", "# Mine"),
        ("code", "%matplotlib inline\n!pip list\n" + HEAD),
        ("code", RELU.splitlines(keepends=True)),
        ("code", "def tanh(x, y):\n    return x"),
    )
    handed_in = submissions.read(written(tmp_path / "my work.ipynb", notebook(*cells)))
    assert not handed_in.whole
    judged = judge_exercises(handed_in, "relu", "tanh", "sigmoid")
    assert statuses(judged) == {"relu": PASSED, "tanh": ERROR, "sigmoid": ERROR}


def test_a_file_of_another_name_stands_for_the_chapters_it_answers(tmp_path):
    handed_in = submissions.read(written(tmp_path / "homework_final(2).py", HEAD + RELU))
    assert list(handed_in.modules) == ["ch03_activations"]
    assert judge_one(handed_in, "relu").status == PASSED


def test_a_byte_order_mark_does_no_harm(tmp_path):
    text = b"\xef\xbb\xbf" + (HEAD + RELU).encode().replace(b"\n", b"\r\n")
    handed_in = submissions.read(written(tmp_path / "ch03_activations.py", text))
    assert judge_one(handed_in, "relu").status == PASSED


def test_a_broken_file_in_a_folder_leaves_the_others_alone(tmp_path):
    written(tmp_path / "ch03_activations.py", HEAD + RELU)
    written(tmp_path / "ch04_losses.py", b"\xff\xfe")
    handed_in = submissions.read(tmp_path)
    assert list(handed_in.modules) == ["ch03_activations"]
    assert "ch04_losses.py is not UTF-8 text" in handed_in.notes[0]
    assert statuses(judge_exercises(handed_in, "relu", "mse")) == {"relu": PASSED, "mse": TODO}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_are_not_followed(tmp_path):
    folder, outside = tmp_path / "student", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    written(outside / "secret.py", "KEY = 1\n")
    written(folder / "ch03_activations.py", HEAD + RELU)
    (folder / "ch04_losses.py").symlink_to(outside / "secret.py")
    (folder / "linked").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    assert list(submissions.read(folder).modules) == ["ch03_activations"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_folder_of_links_alone_is_empty(tmp_path):
    written(tmp_path / "ch03_activations.py", HEAD + RELU)
    folder = tmp_path / "student"
    folder.mkdir()
    (folder / "ch03_activations.py").symlink_to(tmp_path / "ch03_activations.py")
    assert "none of the exercise modules" in problem_of(folder)


# --- modules ----------------------------------------------------------------------------------------------------------

BROKEN = {
    "a syntax error": ("def relu(x:\n    return x\n", ERROR, "line 1: '(' was never closed: `def relu(x:`"),
    "mixed indentation": ("def relu(x):\n    y = x\n      return y\n", ERROR, "line 3: unexpected indent"),
    "a null byte": ("def relu(x):\n    return x\n\0", ERROR, "null bytes"),
    "nesting without end": ("x = " + "(" * 5000 + ")" * 5000, ERROR, "parenthes"),
    "a merge conflict": ("<<<<<<< HEAD\ndef relu(x):\n    return x\n", ERROR, "line 1: invalid syntax"),
    "an empty file": ("", ERROR, "has no function of that name"),
    "a deleted stub": ("def tanh(x):\n    return x\n", ERROR, "has no function of that name"),
    "a class for a function": ("class relu:\n    pass\n", ERROR, "has no function of that name"),
    "a lambda for a function": ("relu = lambda x: x\n", ERROR, "has no function of that name"),
    "other argument names": ("def relu(z):\n    return z\n", ERROR, "its arguments are (z), asked for is (x)"),
    "an argument too many": ("def relu(x, y):\n    return x\n", ERROR, "its arguments are (x, y), asked for is (x)"),
    "no argument": ("def relu():\n    return 1\n", ERROR, "its arguments are (), asked for is (x)"),
    "an import of something missing": (
        "import a_module_that_no_one_has\ndef relu(x):\n    return x\n",
        ERROR,
        "imports a_module_that_no_one_has, which is not there",
    ),
    "an import of a chapter not handed in": (
        "from exercises.ch99_magic import spell\ndef relu(x):\n    return spell(x)\n",
        ERROR,
        "imports ch99_magic, which is not there",
    ),
    "an exception at the top": (
        "table = [][1]\ndef relu(x):\n    return x\n",
        ERROR,
        "cannot be imported: IndexError: list index out of range (ch03_activations.py, line 1: `table = [][1]`)",
    ),
    "a function deleted again": ("def relu(x):\n    return x\ndel relu\n", ERROR, "the function is not there"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_module_is_told_in_one_sentence(what):
    text, status, words = BROKEN[what]
    judged = judge_one(submission(ch03_activations=text), "relu")
    assert judged.status == status, judged.message
    assert words in judged.message
    assert judged.message.startswith("relu: ")
    assert judged.help
    assert "\n" not in judged.message
    assert "Traceback" not in judged.message


def test_a_long_line_that_python_cannot_read_is_not_repeated_whole_for_every_exercise(tmp_path):
    names = list(catalogue.exercises())
    cell = "".join(f"def {name.rpartition('.')[2]}(): pass\n" for name in names) + "x = = " + "y" * 200_000
    handed_in = submissions.read(written(tmp_path / "work.ipynb", notebook(("code", cell))))
    found = [static_problem(handed_in, exercise) for exercise in catalogue.exercises().values()]
    assert {problem[0] for problem in found} == {ERROR}
    assert max(len(problem[1]) for problem in found) < 500
    assert all("yyy…`" in problem[1] for problem in found)


def test_a_look_at_the_code_that_takes_long_counts_against_the_exercises_time(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    timing = SimpleNamespace(monotonic=lambda: clock.now, perf_counter=lambda: clock.now)

    def look(*_):
        clock.now += Limits().exercise + 1

    monkeypatch.setattr(judge, "time", timing)
    monkeypatch.setattr(judge, "static_problem", look)
    assert judge_relu(RELU).status == TIMEOUT


def test_a_chapter_that_was_not_handed_in_is_still_to_do():
    judged = judge_one(submission(ch04_losses=""), "relu")
    assert (judged.status, judged.score) == (TODO, 0)
    assert "ch03_activations.py is not in the submission" in judged.message


def test_one_broken_chapter_leaves_the_others_alone():
    handed_in = submission(ch03_activations="def relu(:\n", ch04_losses=solved("ch04_losses"))
    assert statuses(judge_exercises(handed_in, "relu", "mse")) == {"relu": ERROR, "mse": PASSED}


# --- answers ----------------------------------------------------------------------------------------------------------

ANSWERS = {
    "nothing": ("np.maximum(x, 0)", FAILED, "y should be an array, yours is None. Nothing was returned"),
    "a list": ("return [0.0, 1.0]", FAILED, "y should be an array, yours is a list of 2."),
    "a number": ("return 5.0", FAILED, "y should be an array, yours is 5.0 (float)."),
    "nan": ("return x * np.nan", FAILED, "y[0] should be 0.0, yours is nan"),
    "infinity": ("return x * np.inf", FAILED, "overflowed"),
    "another shape": ("return np.maximum(x, 0)[:1]", FAILED, "y should have shape (3,), yours has (1,)."),
    "one dimension too many": (
        "return np.maximum(x, 0)[None]",
        FAILED,
        "The numbers are right: only the shape is not.",
    ),
    "integers": ("return np.maximum(x, 0).astype(np.int64)", FAILED, "y should be float32, yours is int64."),
    "complex numbers": ("return x.astype(complex)", ERROR, "it returned an array of dtype complex128."),
    "a text": ("return 'relu'", FAILED, "y should be an array, yours is 'relu'."),
    "a text array": ("return x.astype(str)", ERROR, "it returned an array of dtype <U"),
    "an object array": ("return x.astype(object)", ERROR, "it returned an array of dtype object."),
    "a generator": ("return (value for value in x)", ERROR, "it returned a value of type generator."),
    "a function": ("return np.maximum", ERROR, "it returned a value of type ufunc."),
    "a set": ("return {1, 2}", ERROR, "it returned a value of type set."),
    "a dict": ("return {'y': x}", FAILED, "y should be an array, yours is a dict."),
    "nested junk": ("return [[1], (2, [3, {'a': None}])]", FAILED, "y should be an array, yours is a list of 2."),
    "junk nested too deeply": ("return [[[[[[[[[x]]]]]]]]]", ERROR, "it returned a value nested too deeply."),
    "two arrays": ("return x, x", FAILED, "y should be an array, yours is a tuple of 2."),
    "the exception itself": ("return ValueError('x')", ERROR, "it returned a value of type ValueError."),
    "an unknown name": ("return maximum(x, 0)", ERROR, "NameError"),
    "a misspelled method": ("return x.maximun(0)", ERROR, "AttributeError"),
    "an index that leaves the array": ("return x[3]", ERROR, "IndexError"),
    "a function that is still a stub": (
        "return helper(x)\n\ndef helper(x):\n    raise NotImplementedError('helper')",
        ERROR,
        "it calls helper, which is not written yet",
    ),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_a_useless_answer_is_told_in_one_sentence(what):
    body, status, words = ANSWERS[what]
    judged = judge_relu(f"def relu(x):\n    {body}\n")
    assert judged.status == status, judged.message
    assert words in f"{judged.message} {judged.help}"
    assert "\n" not in judged.message


def test_terminal_codes_of_a_student_do_not_reach_the_terminal():
    judged = judge_relu("def relu(x):\n    print('\\x1b[2J')\n    raise ValueError('\\x1b[31m \\ud800')\n")
    assert judged.status == ERROR
    assert "\x1b" not in judged.message + judged.output
    (judged.message + judged.output).encode()
