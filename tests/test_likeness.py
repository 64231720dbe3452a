"""Near-duplicates: copies in disguise are listed, independent answers to the same exercises are not."""

from __future__ import annotations

import functools
import inspect
import random
import textwrap

import pytest
from authors import FUNCTIONS, copy, write
from build import submission
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import catalogue
from grader.classroom import grade, likeness
from grader.classroom.likeness import Pair
from grader.oracle import solutions
from grader.stubs import make_stub
from grader.submission import Module, Submission

MODULE = "ch99_everything"
STUBS = submission(
    "stubs", **{MODULE: "\n\n".join(f"{head}\n    raise NotImplementedError" for head, _ in FUNCTIONS.values())}
)


def looked_at(texts: dict[str, str]) -> list[Pair]:
    return likeness.pairs({name: submission(name, **{MODULE: text}) for name, text in texts.items()}, [STUBS])


@functools.cache
def independent(count: int, seed: int = 0) -> dict[str, str]:
    return {f"student {number}": write(1000 * seed + number) for number in range(count)}


# --- copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 5, 40, 150])
def test_copies_are_listed_and_nobody_else(count):
    """Other names, comments and numbers, another order of the functions, lines that do nothing in between."""
    texts = dict(independent(count))
    texts["copyist"] = copy(texts["student 0"], seed=1)
    (pair,) = looked_at(texts)
    assert (pair.one, pair.other) == ("student 0", "copyist")
    assert pair.share > 0.7
    assert len(pair.exercises) > len(FUNCTIONS) / 2
    assert set(pair.exercises) <= {f"{MODULE}.{name}" for name in FUNCTIONS}


def test_a_part_that_was_copied_is_listed_with_its_functions():
    texts = dict(independent(60))
    theirs, own = Module("a", texts["student 0"]), Module("b", write(5000))
    names = ["matmul", "maxpool", "folds", "confusion"]
    parts = [theirs if name in names else own for name in FUNCTIONS]
    lines = [part.text.splitlines() for part in parts]
    nodes = [part.functions[name] for part, name in zip(parts, FUNCTIONS, strict=True)]
    bodies = ["\n".join(text[node.lineno - 1 : node.end_lineno]) for text, node in zip(lines, nodes, strict=True)]
    texts["copyist"] = copy("\n\n".join(bodies), seed=2, noise=0.0)
    found = {(pair.one, pair.other): pair.exercises for pair in looked_at(texts)}
    assert list(found) == [("student 0", "copyist")]
    assert set(found["student 0", "copyist"]) >= {f"{MODULE}.{name}" for name in names}


def test_three_who_shared_are_three_pairs():
    texts = dict(independent(40))
    texts |= {f"copyist {seed}": copy(texts["student 3"], seed, noise=0.1) for seed in (1, 2)}
    names = {"student 3", "copyist 1", "copyist 2"}
    assert [{pair.one, pair.other} <= names for pair in looked_at(texts)] == [True] * 3


def test_helpers_may_change_their_names():
    """A function that no stub has is compared with all others of the module."""
    texts = dict(independent(40))
    texts = {name: text.replace("def matmul(", f"def help{name[-1]}(") for name, text in texts.items()}
    texts["copyist"] = copy(texts["student 0"].replace("def help0(", "def mine("), seed=1)
    (pair,) = looked_at(texts)
    assert MODULE in pair.exercises


def test_the_most_alike_come_first():
    texts = dict(independent(40))
    texts["close"] = copy(texts["student 0"], seed=1, noise=0.0)
    texts["farther"] = copy(texts["student 1"], seed=1, noise=0.3)
    found = looked_at(texts)
    assert [pair.other for pair in found] == ["close", "farther"]
    assert found[0].share == 1


# --- no copies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 40, 150])
def test_independent_answers_are_not_listed(count):
    assert looked_at(independent(count)) == []


@pytest.mark.parametrize("count", [2, 30])
def test_a_class_in_which_everybody_writes_the_solution_has_no_pairs(count):
    """Their solutions are short or nearly forced: that two agree tells nothing."""
    submissions = {str(number): solutions() for number in range(count)}
    assert likeness.pairs(submissions, [solutions()]) == []


def test_what_all_do_in_the_same_way_tells_nothing_without_the_solutions_either():
    texts = {f"student {number}": copy(write(7), seed=number) for number in range(40)}
    assert looked_at(texts) == []


def test_known_mistakes_that_many_make_are_no_copies():
    """A class of one chapter, each of whom got one function wrong in one of the ways that the catalogue knows."""
    choose = random.Random(0)
    module = "ch10_shapes"
    wrong = [
        (exercise.name, mistake.function)
        for chapter in catalogue.chapters()
        if chapter.module == module
        for exercise in chapter.exercises
        for mistake in exercise.mistakes
    ]
    submissions = {}
    for number in range(60):
        name, function = choose.choice(wrong)
        source = textwrap.dedent(inspect.getsource(function))
        source = source[source.index("def ") :].replace(f"def {function.__name__}(", f"def {name}(")
        submissions[str(number)] = submission(str(number), **{module: {name: source}})
    assert likeness.pairs(submissions, [solutions()]) == []


def test_untouched_stubs_and_given_modules_are_no_copies():
    stubs = {name: make_stub(module.text) for name, module in solutions().modules.items() if name != "simd"}
    handed_in = Submission("stubs", solutions().modules | {name: Module(name, text) for name, text in stubs.items()})
    assert likeness.pairs({"ada": handed_in, "bob": handed_in}, grade.given()) == []


def test_short_functions_alone_are_not_listed():
    text = "def relu(x):\n    return x if x > 0 else 0 * x\n"
    assert looked_at({"ada": text, "bob": text} | {str(n): write(n) for n in range(30)}) == []


# --- whatever it is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["def broken(:\n", "", "x = 1\n", "\0", "(" * 5000, "-" * 100_000 + "1"])
def test_what_cannot_be_parsed_is_passed_over(text):
    texts = {**independent(3), "broken": text, "broken too": text}
    assert looked_at(texts) == []


def test_a_megabyte_of_code_in_one_function_costs_no_more_than_others():
    choose = random.Random(0)
    lines = [f"    x = x {choose.choice('+-*/')} {choose.choice('xyz')}.a{choose.randrange(50)}" for _ in range(30_000)]
    texts = {**independent(40), **dict.fromkeys(["long", "also long"], "\n".join(["def matmul(a, b):", *lines]))}
    (pair,) = looked_at(texts)
    assert (pair.one, pair.other, pair.exercises) == ("long", "also long", (f"{MODULE}.matmul",))


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_class_does_not_matter(shuffler):
    texts = dict(independent(12)) | {"copyist": copy(write(0), seed=1)}
    names = list(texts)
    shuffler.shuffle(names)
    found = [({pair.one, pair.other}, pair.share) for pair in looked_at({name: texts[name] for name in names})]
    assert found == [({"student 0", "copyist"}, looked_at(texts)[0].share)]
