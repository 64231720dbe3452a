"""Every known mistake of every exercise is rejected, and named as itself."""

from __future__ import annotations

import pytest
from build import oracle, small_cases

from grader import catalogue
from grader.result import FAILED
from grader.verdict import Outcome, answer_of, assess

EXERCISES = catalogue.exercises()
FEWER_THAN_THREE: dict[str, str] = {}
AT_LEAST = 3


@pytest.mark.parametrize("name", EXERCISES)
def test_a_known_mistake_is_rejected_and_named(name):
    exercise = EXERCISES[name]
    cases = small_cases(exercise)
    expected = oracle().expected(exercise, cases)
    unnamed = []
    for mistake in exercise.mistakes:
        outcomes = [
            Outcome(case, right, answer_of(exercise, mistake.function, case))
            for case, right in zip(cases, expected, strict=True)
        ]
        verdict, _ = assess(exercise, outcomes, "interpreted")
        if (verdict.status, verdict.mistake, verdict.help) != (FAILED, mistake.name, mistake.belief):
            unnamed.append(f"{mistake.name}: {verdict.status}, taken for {verdict.mistake or 'no known mistake'}")
    assert not unnamed, "\n".join(unnamed)


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_knows_at_least_three_mistakes(name):
    few = len(EXERCISES[name].mistakes) < AT_LEAST
    assert few == (name in FEWER_THAN_THREE), FEWER_THAN_THREE.get(name, "declare more, or give a reason here")


@pytest.mark.parametrize("name", EXERCISES)
def test_a_mistake_says_what_was_believed_and_what_is_right(name):
    for mistake in EXERCISES[name].mistakes:
        assert len(mistake.belief.split()) >= 5, f"{mistake.name}: {mistake.belief!r} explains nothing"
        assert mistake.belief.endswith((".", "?", "!", ")", "²")), f"{mistake.name}: {mistake.belief!r} is no sentence"
    names = [mistake.name for mistake in EXERCISES[name].mistakes]
    assert len(set(names)) == len(names)
