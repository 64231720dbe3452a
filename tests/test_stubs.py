"""Stubs: in step with the solutions, free of them, and never written over somebody's work."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from faces import hand_in, stub_of, written
from hypothesis import given
from hypothesis import strategies as st

from grader import catalogue, kit, stubs
from grader.problem import Problem
from grader.submission import Module, is_stub

MODULES = [chapter.module for chapter in catalogue.chapters()]
BEGIN, END = f"    {stubs.BEGIN}\n", f"    {stubs.END}\n"
RELU = "@njit\ndef relu(x):\n    return x  # mine\n"


def solution(module: str) -> str:
    return (kit.SOLUTIONS / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8")


def regions(text: str) -> list[str]:
    """What lies between the marks."""
    return re.findall(rf"{stubs.BEGIN}\n(.*?)^[ ]*{stubs.END}", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def exercises(tmp_path, monkeypatch) -> Path:
    """A folder of untouched stubs that `stubs` takes for the kit's own."""
    monkeypatch.setattr(kit, "ROOT", tmp_path)
    monkeypatch.setattr(kit, "EXERCISES", tmp_path / "exercises")
    return hand_in(tmp_path / "exercises")


# --- the real ones ----------------------------------------------------------------------------------------------------


def test_every_stub_is_in_step_with_its_solution():
    stale = [f"{path}\n{stubs.difference(path)}" for path in stubs.out_of_step()]
    assert not stale, "\n".join(stale)


def test_there_is_no_stub_without_a_solution():
    files = {
        path for path in kit.EXERCISES.rglob("*.py") if path.name != "__init__.py" and ".deepkata" not in path.parts
    }
    assert files == set(stubs.wanted())


@pytest.mark.parametrize("module", MODULES)
def test_every_exercise_is_a_stub_that_python_can_read(module):
    functions = Module("", stub_of(module)).functions
    exercises = [exercise.name for exercise in catalogue.exercises().values() if exercise.module == module]
    assert [name for name in exercises if name not in functions or not is_stub(functions[name])] == []
    for name in exercises:
        assert ast.unparse(functions[name].body[-1]) == f"raise NotImplementedError('{name}')"


@pytest.mark.parametrize("module", MODULES)
def test_no_line_of_a_solution_is_left_in_its_stub(module):
    """A line may stand there only if it also stands outside the marks, like the example in a docstring."""
    text, stub = solution(module), stub_of(module)
    inside = {line.strip() for region in regions(text) for line in region.splitlines() if len(line.strip()) > 12}
    outside = text
    for region in regions(text):
        outside = outside.replace(region, "", 1)
    given_away = [line for line in inside if line in stub and line not in outside]
    assert inside
    assert given_away == []


@pytest.mark.parametrize("module", MODULES)
def test_a_stub_keeps_all_that_stands_outside_the_marks(module):
    """Imports, signatures, decorators, docstrings and helpers: everything but the answers."""
    solved, stub = Module("", solution(module)), Module("", stub_of(module))
    assert solved.frame == stub.frame
    assert list(solved.functions) == list(stub.functions)
    for name, function in solved.functions.items():
        assert ast.dump(function.args) == ast.dump(stub.functions[name].args)
        assert list(map(ast.dump, function.decorator_list)) == list(map(ast.dump, stub.functions[name].decorator_list))
        assert ast.get_docstring(function) == ast.get_docstring(stub.functions[name])


# --- how they are made ------------------------------------------------------------------------------------------------


def test_a_region_becomes_one_raise_with_the_name_of_its_function():
    text = f"def first():\n{BEGIN}    return 1\n{END}\n\ndef second():\n    k = 2\n{BEGIN}    return k\n{END}"
    assert stubs.make_stub(text) == (
        'def first():\n    raise NotImplementedError("first")\n\n\n'
        'def second():\n    k = 2\n    raise NotImplementedError("second")\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        f"def f():\n{BEGIN}    return 1\n",
        f"def f():\n    return 1\n{END}",
        f"def f():\n{END}    return 1\n{BEGIN}",
        f"def f():\n{BEGIN}    a = 1\n{END}    return a\n{END}",
    ],
    ids=["no end", "no begin", "the wrong way round", "two ends"],
)
def test_a_mark_without_its_partner_is_refused(text, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="without its partner"):
        stubs.make_stub(text)
    monkeypatch.setattr(kit, "SOLUTIONS", tmp_path)
    (tmp_path / "ch03_activations.py").write_text(text)
    with pytest.raises(Problem, match=r"ch03_activations\.py has a solution mark without its partner\. Pair "):
        stubs.wanted()


def test_a_second_begin_inside_a_region_gives_nothing_away():
    text = f"def f():\n{BEGIN}    secret = 1\n{BEGIN}    return secret\n{END}"
    assert "secret" not in stubs.make_stub(text)


def test_marks_outside_of_any_function_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(kit, "SOLUTIONS", tmp_path)
    (tmp_path / "ch03_activations.py").write_text(f"{BEGIN}    x = 1\n{END}".replace("    ", ""))
    with pytest.raises(Problem, match="Pair "):
        stubs.wanted()


NAMES = st.from_regex(r"[a-z]{3,8}", fullmatch=True).map("f_".__add__)
SECRETS = st.lists(st.from_regex(r"secret_[a-z0-9]{1,12} = [1-9][0-9]{0,3}", fullmatch=True), min_size=1, max_size=5)
HELP = st.lists(st.from_regex(r"help_[a-z0-9]{1,12} = [1-9][0-9]{0,3}", fullmatch=True), max_size=3)
FUNCTIONS = st.lists(st.tuples(NAMES, HELP, SECRETS), min_size=1, max_size=6, unique_by=lambda function: function[0])


@given(FUNCTIONS)
def test_whatever_lies_between_marks_is_gone_and_all_else_is_there(functions):
    text = ""
    for name, given_lines, secrets in functions:
        text += f"def {name}(x):\n" + "".join(f"    {line}\n" for line in given_lines)
        text += BEGIN + "".join(f"    {line}\n" for line in secrets) + END + "\n\n"
    stub = stubs.make_stub(text)
    assert "secret_" not in stub
    assert stubs.make_stub(stub) == stub, "a stub is its own stub"
    for name, given_lines, _ in functions:
        body = Module("", stub).functions[name].body
        assert list(map(ast.unparse, body)) == [*given_lines, f"raise NotImplementedError('{name}')"]


# --- sync -------------------------------------------------------------------------------------------------------------


def test_sync_refuses_to_overwrite_work_unless_it_is_forced(exercises):
    mine = written("ch03_activations", relu=RELU)
    (exercises / "ch03_activations.py").write_text(mine)
    (exercises / "ch05_dense.py").unlink()
    with pytest.raises(Problem, match=r"exercises/ch03_activations\.py holds work that a new stub would overwrite"):
        stubs.sync()
    assert (exercises / "ch03_activations.py").read_text() == mine
    assert not (exercises / "ch05_dense.py").exists(), "all or nothing"
    assert {path.stem for path in stubs.sync(force=True)} == {"ch03_activations", "ch05_dense"}
    assert stubs.out_of_step() == []


def test_a_file_that_python_cannot_read_counts_as_work(exercises):
    (exercises / "ch03_activations.py").write_text("def relu(x:\n")
    with pytest.raises(Problem, match="holds work"):
        stubs.sync()


def test_sync_mends_an_untouched_stub_and_tells_what(exercises):
    path = exercises / "ch03_activations.py"
    path.write_text(path.read_text().replace("Rectified linear unit", "Rectified unit"))
    assert stubs.out_of_step() == [path]
    assert '-    """Rectified unit' in stubs.difference(path)
    assert stubs.sync() == [path]
    assert stubs.sync() == []


# --- reset ------------------------------------------------------------------------------------------------------------


def test_reset_puts_one_stub_back_and_keeps_what_was_there(exercises):
    path = exercises / "ch03_activations.py"
    path.write_text(written("ch03_activations", relu=RELU, tanh="def tanh(x):\n    return x\n"))
    reset, kept = stubs.reset("ch03_activations", "relu")
    assert (reset, kept.read_text()) == (path, RELU)
    assert path.read_text() == written("ch03_activations", tanh="def tanh(x):\n    return x\n")
    another = stubs.keep_aside("relu", "another")
    assert (kept.read_text(), another.read_text()) == (RELU, "another")


def test_reset_saves_before_it_takes_out(exercises):
    path = exercises / "ch03_activations.py"
    path.write_text(text := written("ch03_activations", relu=RELU))
    (exercises / ".deepkata").write_text("a file where the folder should be")
    with pytest.raises(Problem, match="cannot be written"):
        stubs.reset("ch03_activations", "relu")
    assert path.read_text() == text


def test_reset_counts_lines_as_python_does(exercises):
    path = exercises / "ch03_activations.py"
    text = written("ch03_activations", relu="def relu(x):\n    return 'MARK'\n", tanh=RELU.replace("relu", "tanh"))
    path.write_text(text.replace("MARK", "a\u2028b\x0cc"))
    stubs.reset("ch03_activations", "relu")
    assert path.read_text() == written("ch03_activations", tanh=RELU.replace("relu", "tanh"))


@pytest.mark.parametrize("module", MODULES)
def test_reset_brings_a_deleted_function_back(exercises, module):
    name = next(exercise.name for exercise in catalogue.exercises().values() if exercise.module == module)
    path = exercises / (module.replace(".", "/") + ".py")
    text = written(module, **{name: "\n"})
    assert name not in Module("", text).functions
    path.write_text(text.rstrip("\n"))  # an editor may have taken the last line's end
    assert stubs.reset(module, name) == (path, None)
    restored = Module("", path.read_text()).functions
    assert is_stub(restored[name])
    assert restored.keys() == Module("", stub_of(module)).functions.keys()


def test_reset_brings_a_deleted_module_back(exercises):
    (exercises / "ch05_dense.py").unlink()
    stubs.reset("ch05_dense", "matmul")
    assert (exercises / "ch05_dense.py").read_text() == stub_of("ch05_dense")


def test_reset_leaves_a_module_alone_that_python_cannot_read(exercises):
    (exercises / "ch05_dense.py").write_text("def matmul(:\n")
    with pytest.raises(Problem, match="cannot be read by Python"):
        stubs.reset("ch05_dense", "matmul")
    assert (exercises / "ch05_dense.py").read_text() == "def matmul(:\n"


def test_without_solutions_a_stub_cannot_be_made_and_that_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(kit, "SOLUTIONS", tmp_path / "nowhere")
    with pytest.raises(Problem, match="There are no solutions at"):
        stubs.reset("ch05_dense", "matmul")
