"""The author's lint: each rule finds its defect in a broken exercise, and the real catalogue has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader import catalogue, kit, lint, oracle, stubs
from grader.exercise import Case, Exercise
from grader.problem import Problem
from grader.submission import Module, Submission

DOCSTRING = """Double every element.

    Parameters
    ----------
    x : float32, any shape

    Returns
    -------
    float32, the shape of x: 2 * x

    Approach: multiply.
    Example: [1, 2] gives [2, 4].
    Trap: the input must stay as it was.
    Lecture: none.
    """
DOUBLE = (
    '@njit\ndef double(x):\n    """{docstring}"""\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n'
)
HALVE = DOUBLE.replace("def double", "def halve").replace("2 * x\n", "double(x) / 4\n")
HEAD = '"""A chapter."""\n\nfrom numba import njit\n\n\n'


def three_cases(draw):
    yield Case("one", x=draw.array([1]))
    yield Case("drawn", x=draw.normal(3))
    yield Case("none", x=draw.array([]), hidden=True)


def no_doubling(x):
    return x


def squares(x):
    return x * x


def triples(x):
    return 3 * x


def exercise(name: str = "double", make_cases: Any = three_cases, **facts: Any) -> Exercise:
    """A good exercise, but for these facts."""
    made = Exercise("ch99_lint", name, make_cases=make_cases, **facts)
    for function in (no_doubling, squares, triples):
        made.mistake("You did something else. Double it.")(function)
    return made


@pytest.fixture
def lint_of(monkeypatch):
    """The findings in a catalogue of these exercises, with this text as the solution of their chapter."""

    def findings(text: str | None, *exercises: Exercise, stale: Any = list) -> list[str]:
        modules = {} if text is None else {"ch99_lint": Module("ch99_lint.py", text)}
        solved = Submission("solutions", modules)
        monkeypatch.setattr(catalogue, "exercises", lambda: {each.id: each for each in exercises})
        monkeypatch.setattr(oracle, "solutions", lambda: solved)
        monkeypatch.setattr(stubs, "out_of_step", stale)
        return lint.findings()

    return findings


GOOD = HEAD + DOUBLE.format(docstring=DOCSTRING)
BOTH = GOOD + "\n\n" + HALVE.format(docstring=DOCSTRING)


def without(old: str, new: str = "") -> str:
    """The good solution with a piece of it left out, or replaced."""
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def cases(*made: Case) -> Any:
    return lambda draw: made


def case(rationale: str, hidden: bool = False, **arguments: Any) -> Case:
    return Case(rationale, hidden=hidden, **(arguments or {"x": np.zeros(1, np.float32)}))


def with_mistake(function: Any, belief: str = "You did something else. Double it.") -> Exercise:
    made = exercise()
    made.mistake(belief)(function)
    return made


def few(reason: str) -> Exercise:
    made = exercise(few_mistakes=reason)
    del made.mistakes[1:]
    return made


def takes_two(x, y):
    return x + y


# --- what is well -----------------------------------------------------------------------------------------------------


def test_the_real_catalogue_is_clean():
    found = lint.findings()
    assert not found, "\n".join(found)


def test_a_good_exercise_has_no_findings(lint_of):
    assert lint_of(GOOD, exercise()) == []
    assert lint_of(BOTH, exercise(), exercise("halve", requires=("ch99_lint.double",))) == []


def test_few_mistakes_are_enough_where_a_reason_is_given(lint_of):
    assert lint_of(GOOD, few("there is only one way")) == []


# --- what is not ------------------------------------------------------------------------------------------------------

EXERCISES = {
    "no cases": (exercise(make_cases=None), "declares no cases: add a function under @double.cases"),
    "no public case": (exercise(make_cases=cases(case("a", hidden=True))), "has no public case"),
    "too few cases": (exercise(make_cases=cases(case("a"), case("b", True))), "has 1 public and 1 hidden cases"),
    "no hidden case": (exercise(make_cases=cases(case("a"), case("b"), case("c"))), "has 3 public and 0 hidden cases"),
    "two cases of one name": (
        exercise(make_cases=cases(case("a"), case("a"), case("c", True))),
        "has two cases called 'a'. Give each its own rationale.",
    ),
    "a case with other arguments": (
        exercise(make_cases=cases(case("a"), case("b", y=1), case("c", True))),
        "the case 'b' has other arguments than the first",
    ),
    "an argument that it does not have": (exercise(changes=("w",)), "changes an argument that it does not have"),
    "no points": (exercise(points=0), "is worth 0 points"),
    "too few mistakes": (few(""), "knows 1 mistakes"),
    "a mistake of another signature": (with_mistake(takes_two), "the mistake takes_two has another signature"),
    "a belief that is no sentence": (with_mistake(squares, "squared"), "the belief of squares is no sentence"),
    "a prerequisite that is never called": (
        exercise(requires=("ch99_lint.triple",)),
        "requires ch99_lint.triple, which its solution never calls",
    ),
    "plain Python that numba compiles": (exercise(compiled=False), "its solution is compiled. Make `compiled` say"),
}


@pytest.mark.parametrize("what", EXERCISES)
def test_a_defect_of_an_exercise_is_found(lint_of, what):
    broken, words = EXERCISES[what]
    (finding,) = lint_of(GOOD, broken)
    assert finding.startswith("ch99_lint.double")
    assert words in finding
    assert finding.endswith(".")


SOLUTIONS = {
    "no module": (None, "has no solution. Write it in solutions/ch99_lint.py."),
    "no function": (without("def double", "def triple"), "has no solution"),
    "no approach": (without("Approach:"), "the docstring has no 'Approach:'"),
    "no example": (without("Example:"), "the docstring has no 'Example:'"),
    "no trap": (without("Trap:"), "the docstring has no 'Trap:'"),
    "no lecture": (without("Lecture:"), "the docstring has no 'Lecture:'"),
    "no returns": (without("Returns\n    ---"), "the docstring has no 'Returns'"),
    "no word on an argument": (without("x : float32", "a float32"), "does not tell the argument x"),
    "other arguments": (without("double(x)", "double(v)"), "the solution takes ('v',), the cases give ('x',)"),
    "not compiled": (without("@njit\n"), "its solution is not compiled"),
    "no marks": (without("### BEGIN SOLUTION"), "has no solution marks"),
    "no module docstring": (without('"""A chapter."""\n'), "ch99_lint has no docstring"),
    "a broken module": (without("def double(x)", "def double(x"), "ch99_lint, line 7: "),
}


@pytest.mark.parametrize("what", SOLUTIONS)
def test_a_defect_of_a_solution_is_found(lint_of, what):
    text, words = SOLUTIONS[what]
    found = lint_of(text, exercise())
    assert [finding for finding in found if words in finding] != [], found
    assert len(found) == (2 if what == "a broken module" else 1), found


def test_a_call_that_is_no_declared_prerequisite_is_found(lint_of):
    (finding,) = lint_of(BOTH, exercise(), exercise("halve"))
    assert finding == "ch99_lint.halve calls ch99_lint.double. Name it in `requires`."


def test_a_prerequisites_own_prerequisite_need_not_be_named(lint_of):
    quarter = HALVE.format(docstring=DOCSTRING).replace("double(x)", "halve(x)").replace("def halve", "def quarter")
    first, second = exercise(), exercise("halve", requires=("ch99_lint.double",))
    assert lint_of(BOTH + "\n\n" + quarter, first, second, exercise("quarter", requires=("ch99_lint.halve",))) == []


def test_stubs_out_of_step_are_found(lint_of):
    (finding,) = lint_of(GOOD, exercise(), stale=lambda: [kit.EXERCISES / "ch99_lint.py"])
    assert finding == "ch99_lint.py is out of step with its solution. Run `kata sync`."


def test_a_mark_without_its_partner_is_a_finding_and_no_crash(lint_of):
    def unpaired() -> list:
        raise Problem("ch99_lint.py has a mark without its partner.", "Pair them.")

    assert lint_of(GOOD, exercise(), stale=unpaired) == ["ch99_lint.py has a mark without its partner. Pair them."]
