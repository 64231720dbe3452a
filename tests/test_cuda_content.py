"""The CUDA chapters: kernels give what their CPU twins give, and what is wrong with a kernel is told."""

from __future__ import annotations

import ast
import inspect

import build
import kernels
import pytest
from cuda_mistakes import ch12, ch13, ch14
from cuda_twins import TWINS

from grader import catalogue
from grader.chapters import ch12_cuda_basics, ch13_cuda_layers
from grader.compare import compare
from grader.judge import Judge
from grader.oracle import solutions
from grader.result import PASSED
from grader.worker.host import Limits

ASKED = [exercise for exercise in catalogue.exercises().values() if exercise.cuda]
CHAPTERS = list(dict.fromkeys(exercise.module for exercise in ASKED))
FAULTS = [fault for chapter in (ch12, ch13, ch14) for fault in chapter.faults.all]


@pytest.mark.parametrize("exercise", ASKED, ids=lambda exercise: exercise.name)
def test_a_kernel_leaves_what_its_cpu_twin_leaves(exercise):
    twin = TWINS[exercise.name]
    cases = build.small_cases(exercise)
    for case, (_, changed) in zip(cases, build.oracle().expected(exercise, cases), strict=True):
        about = {"launch": case.launch} if "launch" in inspect.signature(twin).parameters else {}
        right = twin(**case.arguments, **about)
        assert right.keys() == changed.keys()
        for name, value in right.items():
            difference = compare(name, value, changed[name], exercise.tolerance, True)
            assert difference is None, f"{case.rationale}: {difference.text}"


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_found_and_told(fault):
    exercise = build.exercise(fault.exercise)
    source = ast.get_source_segment(*source_of(exercise))
    decorator = "@cuda.jit\n" if exercise.cuda == "kernel" else ""
    spoiled = {module: {} for module in CHAPTERS}
    spoiled[exercise.module][exercise.name] = decorator + fault.spoil(source)
    handed_in = build.submission("wrong", **spoiled)
    with Judge(handed_in, kernels.simulating(), build.oracle(), build.SECRET, Limits()) as judge:
        result = judge.result(exercise)
    assert result.status != PASSED, "nobody noticed"
    assert fault.told in result.message + " " + result.help


def source_of(exercise):
    module = solutions().modules[exercise.module]
    return module.text, module.functions[exercise.name]


def test_an_examiner_and_a_solution_mean_the_same_constants():
    for chapter in (ch12_cuda_basics, ch13_cuda_layers):
        tree = ast.parse(solutions().modules[chapter.chapter.module].text)
        taught = constants_of(tree)
        shared = taught.keys() & vars(chapter).keys()
        assert shared
        assert {name: getattr(chapter, name) for name in shared} == {name: taught[name] for name in shared}


def constants_of(tree):
    """The module's numbers by name."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            found[node.targets[0].id] = eval(compile(ast.Expression(node.value), "constants", "eval"), {}, found)
    return found
