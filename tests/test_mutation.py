"""The cases notice every small fault in a solution, and the faults are the ones that we mean."""

from __future__ import annotations

import ast
import os

import numpy as np
import pytest
from build import oracle, worker
from mutation import equivalent, run
from mutation.mutants import mutants_of

from grader import catalogue
from grader.exercise import Case, Exercise
from grader.oracle import solutions

EVERY = 72  # one mutant of so many, always the same; `python -m tests.mutation.run` takes all of them
EVERY_KERNEL = 60  # a simulated mutant takes much longer
SLOW = ("projects.cats_vs_dogs", "projects.mnist_convnet")
MODULES = [chapter.module for chapter in catalogue.chapters()]


@pytest.mark.parametrize("chapter", catalogue.chapters(), ids=MODULES)
def test_some_case_notices_every_mutant_but_those_that_are_explained(chapter):
    """Of a fixed part of the mutants; what is called equivalent still exists, and still passes."""
    kernels = any(exercise.cuda for exercise in chapter.exercises)
    if (kernels or chapter.module in SLOW) and not os.environ.get("DEEPKATA_LONG"):
        pytest.skip("these mutants take up to a minute: run them with DEEPKATA_LONG=1")
    (report,) = run.judge([chapter], EVERY_KERNEL if kernels else EVERY)
    assert report.unexplained == []
    assert report.stale == []


def test_every_explanation_belongs_to_a_chapter_that_exists():
    modules = tuple(f"{module}." for module in MODULES)
    assert [entry for entry in equivalent.EQUIVALENT if not entry.startswith(modules)] == []


def test_an_explanation_of_a_killed_mutant_is_stale(monkeypatch):
    monkeypatch.setattr(run, "EQUIVALENT", {"ch99.f:1 a -> b": "once it passed", "ch98.f:1 a -> b": "elsewhere"})
    assert run.Report("ch99", total=1, survivors=[]).stale == ["ch99.f:1 a -> b"]
    assert run.Report("ch99", total=1, survivors=["ch99.f:1 a -> b"]).stale == []


def test_a_survivor_without_explanation_is_reported(monkeypatch):
    monkeypatch.setattr(run, "EQUIVALENT", {})
    report = run.Report("ch99", total=3, survivors=["ch99.f:1 a -> b"])
    assert report.unexplained == ["ch99.f:1 a -> b"]
    assert str(report) == "ch99: 2/3 killed, 0 equivalent"


def test_a_part_of_the_mutants_leaves_the_explanations_of_the_others_alone(monkeypatch):
    monkeypatch.setattr(run, "EQUIVALENT", {"ch99.f:1 a -> b": "left out", "ch99.f:2 a -> b": "gone"})
    report = run.Report("ch99", total=1, survivors=[], left_out=frozenset({"ch99.f:1 a -> b"}))
    assert report.stale == ["ch99.f:2 a -> b"]


def test_every_mutant_belongs_to_some_part():
    lines = "".join(f"    x = (x + y) * n - {number}\n" for number in range(EVERY))
    mutants = mutants_of("m", f"def f(x, y, n):\n{lines}    return x\n", "f")
    assert len(mutants) > 2 * EVERY
    assert all(run.is_chosen(mutant, 1) for mutant in mutants)
    assert 0 < sum(run.is_chosen(mutant, EVERY) for mutant in mutants) < len(mutants)


# --- the judge of the mutants ---------------------------------------------------------------------------------------


def exam_of_relu(*cases: Case) -> run.Exam:
    exercise = Exercise("ch03_activations", "relu", returns=("y",))
    exercise.cases(lambda draw: cases or [Case("both signs", x=draw.array([-1.0, 2.0]))])
    return run.Exam(exercise, oracle())


def relu_written_as(body: str) -> str:
    return f"import numpy as np\nfrom numba import njit\n\n@njit\ndef relu(x):\n    {body}\n"


def test_the_solution_itself_passes():
    text = solutions().modules["ch03_activations"].text
    assert exam_of_relu().passes(text, worker(), "interpreted")


def test_a_case_that_tells_too_little_lets_a_mutant_pass():
    blind = exam_of_relu(Case("positive only", x=np.array([1.0, 2.0], np.float32)))
    assert blind.passes(relu_written_as("return x.copy()"), worker(), "interpreted")
    assert not exam_of_relu().passes(relu_written_as("return x.copy()"), worker(), "interpreted")


def test_a_mutant_that_hangs_is_killed(monkeypatch):
    monkeypatch.setattr(run, "HANG_SECONDS", 0.3)
    assert not exam_of_relu().passes(relu_written_as("while True: pass"), worker(), "interpreted")


def test_a_wrong_dtype_is_seen_compiled_only():
    exam, widened = exam_of_relu(), relu_written_as("return np.maximum(x, 0).astype(np.float64)")
    assert exam.passes(widened, worker(), "interpreted")
    assert not exam.passes(widened, worker(), "compiled")


def test_an_exercise_without_small_cases_is_no_exam():
    with pytest.raises(AssertionError, match="no small cases"):
        exam_of_relu(Case("for compiled code only", large=True, x=np.array([1.0], np.float32)))


# --- the mutants ----------------------------------------------------------------------------------------------------


def faults_in(*body: str, signature: str = "x, y, n") -> list[str]:
    """What `mutants_of` does to a function of these lines, without module and function in front."""
    text = f"def f({signature}):\n" + "".join(f"    {line}\n" for line in body)
    return [mutant.description.removeprefix("m.f:") for mutant in mutants_of("m", text, "f")]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("return x + y", "x + y -> x - y"),
        ("return x * y", "x * y -> x / y"),
        ("return x * y", "return x * y -> return x"),
        ("return x // y", "x // y -> x / y"),
        ("return x ** y", "x ** y -> x * y"),
        ("x += y", "x += y -> x -= y"),
        ("x += y", "x += y -> x = y"),
        ("return x < y", "x < y -> x <= y"),
        ("return x < y", "x < y -> x >= y"),
        ("return x == y", "x == y -> x != y"),
        ("return x and y", "x and y -> x or y"),
        ("return -x", "return -x -> return x"),
        ("return x * y", "return x * y -> return -(x * y)"),
        ("return np.exp(x)", "np.exp(x) -> np.exp(-x)"),
        ("return x + 0", "x + 0 -> x + 1"),
        ("return x + 1", "x + 1 -> x + 0"),
        ("return x + 1", "x + 1 -> x + 2"),
        ("return x + 3", "x + 3 -> x + 6"),
        ("return x + 1e-7", "x + 1e-07 -> x + 2e-07"),
        ("return f(x, keepdims=True)", "f(x, keepdims=True) -> f(x, keepdims=False)"),
        ("return x[n]", "x[n] -> x[n + 1]"),
        ("return x[n]", "x[n] -> x[n - 1]"),
        ("return x[y, n]", "x[y, n] -> x[n, y]"),
        ("return x[:n]", "x[:n] -> x[:n - 1]"),
        ("return x[n:]", "x[n:] -> x[n + 1:]"),
        ("return x.shape[0]", "x.shape[0] -> x.shape[1]"),
        ("return x.shape[1]", "x.shape[1] -> x.shape[0]"),
        ("n, y = x.shape", "n, y = x.shape -> y, n = x.shape"),
        ("for i in range(n): x[i] = 0", "range(n) -> range(1, n)"),
        ("for i in range(n): x[i] = 0", "range(n) -> range(n - 1)"),
        ("for i in range(y, n): x[i] = 0", "range(y, n) -> range(y + 1, n)"),
        ("for i in range(n): x[i] = 0", "for i in range(n): -> nothing"),
        ("x = y", "x = y -> nothing"),
        ("x += y", "x += y -> nothing"),
        ("if n: x = y", "if n: -> if n: pass"),
        ("if n: x = y", "if n: -> if True:"),
        ("return max(x, y)", "max(x, y) -> min(x, y)"),
        ("return np.maximum(x, y)", "np.maximum(x, y) -> np.minimum(x, y)"),
        ("return np.log(x)", "return np.log(x) -> return x"),
        ("return x.copy()", "return x.copy() -> return x"),
        ("return x.T + y", "x.T + y -> x + y"),
        ("return f(x, y)", "f(x, y) -> f(y, x)"),
        ("return x, y", "return (x, y) -> return (y, x)"),
        ("return np.zeros(n, np.float32)", "np.zeros(n, np.float32) -> np.zeros(n, np.float64)"),
        ("return x if n else y", "return x if n else y -> return y"),
    ],
)
def test_a_fault_is_made(line, fault):
    assert f"1 {fault}" in faults_in(line)


def test_lines_count_from_the_first_after_the_docstring():
    assert "2 x = y -> nothing" in faults_in('"""Says something."""', "", "n = x", "x = y")


def test_docstring_signature_and_error_messages_are_left_alone():
    faults = faults_in('"""Adds 1."""', "if n:", "    raise ValueError(f'{n} is 1 too many')", signature="n=1")
    assert faults
    assert all("too many" not in fault and "Adds" not in fault for fault in faults)


def test_order_does_not_matter_to_a_maximum():
    assert not any("max(y, x)" in fault for fault in faults_in("return max(x, y)"))


def test_the_same_expression_twice_in_a_line_makes_two_mutants_with_two_names():
    faults = faults_in("return (x + 1) * (x + 1)")
    assert {"1 x + 1 -> x - 1", "1 x + 1 -> x - 1 (2)"} <= set(faults)


@pytest.mark.parametrize("module", MODULES)
def test_every_mutant_is_another_valid_module_with_a_name_of_its_own(module):
    """Valid are all of a fixed part: reading a long module a thousand times takes a minute."""
    chapter = next(chapter for chapter in catalogue.chapters() if chapter.module == module)
    for exercise in chapter.exercises:
        mutants = mutants_of(module, solutions().modules[module].text, exercise.name)
        assert len({mutant.description for mutant in mutants}) == len({mutant.text for mutant in mutants})
        for mutant in mutants:
            if run.is_chosen(mutant, EVERY):
                ast.parse(mutant.text)


def test_a_mutant_differs_from_the_module_in_its_function_only():
    text = "import numpy as np\n\n\ndef f(x):\n    return x + 1\n\n\ndef g(x):  # stays\n    return x + 1\n"
    for mutant in mutants_of("m", text, "f"):
        assert mutant.text.startswith("import numpy as np\n\n\ndef f(x):\n")
        assert mutant.text.endswith("\n\n\ndef g(x):  # stays\n    return x + 1\n")


def test_descriptions_are_the_same_on_every_run():
    text = solutions().modules["ch03_activations"].text
    assert mutants_of("m", text, "softmax") == mutants_of("m", text, "softmax")
