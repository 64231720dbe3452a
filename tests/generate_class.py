"""Generated classes: small submissions of a few cheap exercises, right, partly right, wrong in known ways, and hostile.

python -m tests.generate_class FOLDER COUNT

The same seed gives the same class, file for file.
"""

from __future__ import annotations

import argparse
import functools
import inspect
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader import catalogue
from grader.exercise import Exercise, Mistake
from grader.oracle import solutions
from grader.stubs import make_stub
from grader.submission import Module

# Plain Python, so that nothing is compiled and a submission takes a fraction of a second; all have mistakes that can
# stand alone. The rest of the chapter stays untouched, as in a week in which no more is asked.
CHAPTER = "ch10_shapes"
ASKED = ("conv_output_size", "activation_size", "dense_params", "conv2d_params", "batchnorm_params", "embedding_params")
SHARES = {"right": 0.3, "partly": 0.35, "wrong": 0.3, "hostile": 0.05}

# The body of one function each, in a submission that is right otherwise.
ATTACKS = {
    "ends its process": "import os\nos._exit(0)",
    "ends the program": "raise SystemExit(0)",
    "kills its parent": "import os\nos.kill(os.getppid(), 9)\nos._exit(0)",
    "writes to every descriptor": (
        "import os\nfor descriptor in range(64):\n    try:\n        os.write(descriptor, b'{\"score\": 100}' * 1000)\n"
        "    except OSError:\n        pass\nreturn 0"
    ),
    "calls itself without end": "import sys\nsys.setrecursionlimit(10**9)\nf = lambda g: g(g)\nreturn f(f)",
    "prints without end": "for _ in range(10**4):\n    print('x' * 10**4)\nreturn 0",
    "asks for all the memory": "return len(bytearray(1 << 40))",
    "returns what is no answer": "return lambda: 0",
    "hangs": "while True:\n    pass",
}
SLOW = ("hangs",)  # those that take as long as they are given


def write_class(
    folder: Path, count: int, hostile: int | None = None, seed: int = 0, slow: bool = False
) -> dict[str, str]:
    """Write a class of single modules into a folder; name -> kind ("right", "hostile: hangs" …)."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {}
    for name, (kind, text) in generate(count, hostile, seed, slow).items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        kinds[name] = kind
    return kinds


def generate(count: int, hostile: int | None = None, seed: int = 0, slow: bool = False) -> dict[str, tuple[str, str]]:
    """A class in memory: name -> kind and source text.

    Parameters
    ----------
    hostile : so many are; None for their usual share
    slow : with attacks that take as long as they are given
    """
    draw = random.Random(seed)
    attacks = [name for name in ATTACKS if slow or name not in SLOW]
    hostile = round(SHARES["hostile"] * count) if hostile is None else hostile
    kinds = draw.choices(list(SHARES)[:3], list(SHARES.values())[:3], k=count - hostile)
    kinds += [f"hostile: {attacks[number % len(attacks)]}" for number in range(hostile)]
    draw.shuffle(kinds)
    return {
        f"student_{number:04d}_{CHAPTER}": (kind, f"# student {number}\n" + write(kind, draw))
        for number, kind in enumerate(kinds)
    }


def write(kind: str, draw: random.Random) -> str:
    """The text of one submission."""
    answers: dict[str, str] = {}
    for exercise in asked():
        mistakes = usable_mistakes(exercise)
        if kind == "partly" and draw.random() < 0.5:
            continue  # the stub stays
        if kind == "wrong" and draw.random() < 0.5:
            answers[exercise.name] = draw.choice(mistakes)
        else:
            answers[exercise.name] = solved()[exercise.name]
    if kind.startswith("hostile"):
        victim = draw.choice(asked())
        answers[victim.name] = attack(victim, ATTACKS[kind.removeprefix("hostile: ")])
    return "".join(answers.get(name, text) for name, text in stub())


def attack(exercise: Exercise, body: str) -> str:
    """A function of the exercise's name and parameters that does something else."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"def {exercise.name}({', '.join(exercise.parameters)}):\n{lines}\n"


@functools.cache
def asked() -> tuple[Exercise, ...]:
    """The exercises that the class hands in."""
    return tuple(catalogue.exercises()[f"{CHAPTER}.{name}"] for name in ASKED)


@functools.cache
def stub() -> list[tuple[str, str]]:
    """The stub in pieces: the exercises' functions by name, and "" for what lies between them."""
    return list(pieces(make_stub(solutions().modules[CHAPTER].text)))


@functools.cache
def solved() -> Mapping[str, str]:
    """The solutions' functions by name."""
    return dict(pieces(solutions().modules[CHAPTER].text))


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """A module's text in order: (name, text) of each exercise, ("", text) of what lies between."""
    lines, at = text.splitlines(keepends=True), 0
    for name, node in Module("", text).functions.items():
        if name in ASKED:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
            yield "", "".join(lines[at:first])
            yield name, "".join(lines[first : node.end_lineno])
            at = node.end_lineno or at
    yield "", "".join(lines[at:])


@functools.cache
def usable_mistakes(exercise: Exercise) -> list[str]:
    """The sources of an exercise's known mistakes, under its own name, where they need nothing from around them."""
    return [renamed(mistake, exercise.name) for mistake in exercise.mistakes if stands_alone(mistake)]


def stands_alone(mistake: Mistake) -> bool:
    """Whether it uses nothing of the file that it is written in: the chapter's stub imports nothing."""
    code = mistake.function.__code__
    return not code.co_freevars and not set(code.co_names) & set(mistake.function.__globals__)


def renamed(mistake: Mistake, name: str) -> str:
    source = inspect.getsource(mistake.function)
    source = source[source.index(f"def {mistake.name}(") :]
    return re.sub(rf"^def {mistake.name}\(", f"def {name}(", source)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow", action="store_true", help="with attacks that take as long as they are given")
    options = parser.parse_args()
    kinds = write_class(options.folder, options.count, None, options.seed, options.slow)
    for kind, number in sorted(Counter(kinds.values()).items()):
        print(f"{number:5d}  {kind}")


if __name__ == "__main__":
    main()
