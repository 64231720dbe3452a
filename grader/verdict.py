"""From answers to a verdict on one exercise: what is wrong, where, and the likely misconception.

Runs in the trusted process, and runs nothing of a student's.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader import budget, kernel_words, words
from grader.compare import Difference, compare
from grader.draw import Function, Generator
from grader.exercise import Case, Exercise, Mistake
from grader.gradient import check_gradient, numeric_gradients
from grader.result import FAILED, INTERPRETED, PASSED, SIMULATED, CaseResult
from grader.worker.answer import Answer, Noticed, Returned

# What a known mistake can explain.
NUMBER_KINDS = ("type", "count", "shape", "dtype", "value", "nan", "ratio", "unchanged")
SPOILED_HELP = "Write into a new array: `out = x` is x itself, `out = x.copy()` is not."


@dataclass(frozen=True)
class Outcome:
    """One case with its expected and its actual answer; `shuffled`: the threads of a kernel ran in another order."""

    case: Case
    expected: Any
    answer: Answer
    shuffled: bool = False


@dataclass
class Verdict:
    """What one stage says about an exercise."""

    status: str
    message: str = ""
    help: str = ""
    mistake: str = ""
    output: str = ""
    wrong_numbers: bool = False


def assess(exercise: Exercise, outcomes: Sequence[Outcome], stage: str) -> tuple[Verdict, list[CaseResult]]:
    """Judge the answers of one stage.

    The first wrong case gives the message, a public one before a hidden one; a known mistake is named when its numbers
    equal the student's on every case of the stage.
    """
    results: list[CaseResult] = []
    wrong: list[tuple[Outcome, Verdict]] = []
    for outcome in outcomes:
        verdict = _assess_case(exercise, outcome, stage)
        if verdict.status != PASSED:
            wrong.append((outcome, verdict))
        seconds = round(outcome.answer.seconds, 3) if isinstance(outcome.answer, Returned) else 0.0
        case = outcome.case
        message = "" if case.hidden else verdict.message
        results.append(CaseResult(case.rationale, verdict.status, case.hidden, stage, message, seconds))
    if not wrong:
        return Verdict(PASSED), results
    outcome, verdict = min(wrong, key=lambda pair: pair[0].case.hidden)
    if any(other.wrong_numbers and _comparable(failed.case) for failed, other in wrong):
        mistake = recognize(exercise, outcomes)
        if mistake:
            verdict.mistake, verdict.help = mistake.name, mistake.belief
    if outcome.case.hidden:
        verdict.message = words.hidden_failure(exercise, outcome.case.rationale, verdict.status)
        verdict.output = ""
        verdict.help = verdict.help if verdict.mistake else words.HIDDEN_HELP
    return verdict, results


def _assess_case(exercise: Exercise, outcome: Outcome, stage: str) -> Verdict:
    answer = outcome.answer
    if not isinstance(answer, Returned):
        status, message, advice = words.explain(exercise, answer)
        return Verdict(status, message, advice, output=getattr(answer, "output", ""))
    # Interpreted code that numba is to compile may have other dtypes than compiled; what stays Python has its own.
    settled = stage != INTERPRETED or not (exercise.compiled or exercise.whole)
    difference = difference_of(exercise, outcome, answer, check_dtype=settled)
    if difference is None and answer.spoiled:
        difference = Difference("spoiled", f"{_changed(answer.spoiled)}.", SPOILED_HELP)
    if difference is None and answer.collision is not None and answer.collision.function == exercise.name:
        return Verdict(FAILED, *words.race(exercise, answer.collision), output=answer.output)
    found = answer.noticed.finding if answer.noticed is not None else None
    if found is not None and found.kind in kernel_words.WRONG_WHATEVER_THE_NUMBERS:
        return Verdict(FAILED, *kernel_words.finding(exercise, found), output=answer.output)
    if difference is None:
        over = _missed(exercise, outcome.case, answer.noticed, stage) if answer.noticed is not None else None
        return Verdict(FAILED, *over, output=answer.output) if over else Verdict(PASSED)
    message = f"{exercise.name}: {difference.text}"
    wrong_numbers = difference.kind in NUMBER_KINDS
    if found is not None or outcome.shuffled:
        return Verdict(FAILED, message, kernel_words.unsettled(found), "", answer.output, wrong_numbers)
    advice = difference.advice or (f"Besides, {_changed(answer.spoiled)}. {SPOILED_HELP}" if answer.spoiled else "")
    return Verdict(FAILED, message, advice, output=answer.output, wrong_numbers=wrong_numbers)


def _missed(exercise: Exercise, case: Case, noticed: Noticed, stage: str) -> tuple[str, str] | None:
    """What right numbers leave to be asked of kernels, in words; None where nothing is."""
    if exercise.cuda == "host" and stage == SIMULATED and not noticed.launches:
        return kernel_words.nothing_launched(exercise)
    return budget.breach(exercise, case, noticed)


def _changed(names: Sequence[str]) -> str:
    listed = " and ".join(names)
    return f"the arguments {listed} were changed" if len(names) > 1 else f"the argument {listed} was changed"


def difference_of(exercise: Exercise, outcome: Outcome, answer: Returned, check_dtype: bool) -> Difference | None:
    """The first difference between an answer and what it should be, by parts, then against the numeric gradient."""
    case, tolerance = outcome.case, exercise.tolerance
    if case.select is not None or case.expected is not None:
        expected, actual = outcome.expected, flat_answer(answer.value, answer.changed)
        if case.expected is None:
            expected = flat_answer(*outcome.expected)
        if case.select is not None:
            try:
                actual = case.select(actual)
                expected = case.select(expected) if case.expected is None else expected
            except Exception:  # whatever an answer can be made of, `select` only expects the right form
                return Difference("type", f"the answer is {words.describe_parts(actual)}: not what is asked for.")
        return compare(exercise.returns[0] if exercise.returns else "result", expected, actual, tolerance, check_dtype)
    parts = {**_returned_parts(exercise, answer.value), **answer.changed}
    wanted = {**_returned_parts(exercise, outcome.expected[0]), **outcome.expected[1]}
    if parts.keys() != wanted.keys():
        name = f"the result ({', '.join(exercise.returns)})" if len(exercise.returns) > 1 else "the result"
        return compare(name, outcome.expected[0], answer.value, tolerance, check_dtype)
    in_another_order = _another_order(exercise, outcome.expected[0], answer.value)
    if in_another_order is not None:
        return in_another_order
    numeric = numeric_gradients(exercise, case)
    for name, value in wanted.items():
        difference = compare(name, value, parts[name], tolerance, check_dtype)
        if difference is None:
            continue
        if name in answer.changed and _same(parts[name], case.arguments[name]):
            return Difference(
                "unchanged", f"{name} was left unchanged.", f"Write into it: {name}[...] = …, not {name} = …"
            )
        by_numbers = check_gradient(case, {name: parts[name]}, {k: v for k, v in numeric.items() if k == name})
        if by_numbers and by_numbers.kind == "ratio":
            return by_numbers
        return difference
    return check_gradient(case, parts, numeric)


def _another_order(exercise: Exercise, expected: Any, actual: Any) -> Difference | None:
    """Whether all parts are right, but not where they belong."""
    if len(exercise.returns) < 2:
        return None
    parts = list(zip(exercise.returns, expected, strict=True))
    order = []
    for value in actual:
        found = [name for name, part in parts if compare(name, part, value, exercise.tolerance, False) is None]
        if len(found) != 1:
            return None
        order += found
    if order == list(exercise.returns) or sorted(order) != sorted(exercise.returns):
        return None
    text = f"you returned ({', '.join(order)}), asked for is ({', '.join(exercise.returns)})."
    return Difference("value", text, "Every part is right: only the order is not.")


def flat_answer(value: Any, changed: dict[str, Any]) -> Any:
    """The whole answer as `select` gets it: the returned value, or a tuple of returned parts and changed arguments."""
    if not changed:
        return value
    returned = () if value is None else value if isinstance(value, tuple) else (value,)
    return (*returned, *changed.values())


def _returned_parts(exercise: Exercise, value: Any) -> dict[str, Any]:
    """The returned value by names; one entry where it is not a tuple of the right length."""
    if not exercise.returns:
        return {}
    if len(exercise.returns) == 1:
        return {exercise.returns[0]: value}
    if isinstance(value, (tuple, list)) and len(value) == len(exercise.returns):
        return dict(zip(exercise.returns, value, strict=True))
    return {"the result": value}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.shape == other.shape and bool(np.all(one == other))
    return False


def recognize(exercise: Exercise, outcomes: Sequence[Outcome]) -> Mistake | None:
    """The known mistake whose answers equal the student's on every case that came back, if there is one."""
    returned = [outcome for outcome in outcomes if isinstance(outcome.answer, Returned)]
    comparable = [outcome for outcome in returned if _comparable(outcome.case)]
    for mistake in exercise.mistakes:
        if comparable and all(_matches(exercise, mistake.function, outcome) for outcome in comparable):
            return mistake
    return None


def _comparable(case: Case) -> bool:
    """Whether a known mistake is tried on this case: it takes the time of a small one, and no recorded answer."""
    return not case.large and case.expected is None


def _matches(exercise: Exercise, wrong: Callable[..., Any], outcome: Outcome) -> bool:
    assert isinstance(outcome.answer, Returned)
    try:
        answer = answer_of(exercise, wrong, outcome.case)
        assert isinstance(answer, Returned)
        twin = Outcome(outcome.case, (answer.value, answer.changed), outcome.answer)
        expected = {**_returned_parts(exercise, answer.value), **answer.changed}
        actual = {**_returned_parts(exercise, outcome.answer.value), **outcome.answer.changed}
        if outcome.case.select is not None:
            return difference_of(exercise, twin, outcome.answer, check_dtype=False) is None
        return expected.keys() == actual.keys() and all(
            compare(name, expected[name], actual[name], exercise.tolerance, check_dtype=False) is None
            for name in expected
        )
    except Exception:  # a known mistake that fails here is not what the student wrote: theirs came back
        return False


def answer_of(exercise: Exercise, function: Callable[..., Any], case: Case) -> Answer:
    """What one of the kit's own functions (a known mistake) answers to a case, in this process."""
    arguments = {name: _revive(value) for name, value in case.arguments.items()}
    about = {"launch": case.launch} if "launch" in inspect.signature(function).parameters else {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        value = function(**arguments, **about)
    return Returned(value, {name: arguments[name] for name in exercise.changes})


def _revive(value: Any) -> Any:
    if isinstance(value, (Generator, Function)):
        return value.build()
    if isinstance(value, tuple):
        return tuple(_revive(part) for part in value)
    return copy.deepcopy(value)
