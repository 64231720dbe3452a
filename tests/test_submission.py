"""Reading a submission: what a function reaches, when it counts as changed, what is a stub, what a notebook holds."""

from __future__ import annotations

import ast
import json
import tracemalloc
from dataclasses import replace

import pytest
from build import exercise, judge_one, submission

from grader import catalogue, kit
from grader import submission as submissions
from grader.judge import static_problem
from grader.result import PASSED
from grader.submission import Module, Submission, is_stub
from grader.syntax import parsed

CALLS = "def outer(x):\n    return inner(x)\n"
INNER = "def inner(x):\n    return x + 1\n"
OTHER_INNER = "def inner(x):\n    return x + 2\n"


def fingerprint(modules: dict[str, str], module: str = "a", function: str = "outer") -> str:
    handed_in = Submission("ada", {name: Module(f"{name}.py", text) for name, text in modules.items()})
    return handed_in.fingerprint(module, function)


def function(source: str) -> ast.FunctionDef:
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.FunctionDef)
    return node


# --- what a function reaches ------------------------------------------------------------------------------------------

IMPORTS = {
    "from exercises.b import inner": "inner(x)",
    "from .b import inner": "inner(x)",
    "from exercises.b import inner as helper": "helper(x)",
    "from exercises.b import *": "inner(x)",
    "from .b import *": "inner(x)",
    "from exercises import b": "b.inner(x)",
    "from . import b": "b.inner(x)",
    "from . import b as other": "other.inner(x)",
    "import exercises.b": "exercises.b.inner(x)",
    "import exercises.b as other": "other.inner(x)",
}


@pytest.mark.parametrize("statement", IMPORTS)
def test_a_function_of_another_module_is_reached_however_it_is_imported(statement):
    text = f"{statement}\n\n\ndef outer(x):\n    return {IMPORTS[statement]}\n"
    modules = {"a": Module("a.py", text), "b": Module("b.py", INNER)}
    assert Submission("ada", modules).closure("a", "outer") == [("a", "outer"), ("b", "inner")]
    assert fingerprint({"a": text, "b": INNER}) != fingerprint({"a": text, "b": OTHER_INNER})


@pytest.mark.parametrize("statement", IMPORTS)
def test_an_import_inside_the_function_counts_as_well(statement):
    text = f"def outer(x):\n    {statement}\n    return {IMPORTS[statement]}\n"
    assert fingerprint({"a": text, "b": INNER}) != fingerprint({"a": text, "b": OTHER_INNER})


def test_relative_imports_start_at_the_modules_own_package():
    modules = {
        "projects.a": "from ..b import inner\nfrom .c import deep\n\n\ndef outer(x):\n    return inner(deep(x))\n",
        "projects.c": "def deep(x):\n    return x\n",
        "c": "def deep(x):\n    return 'not this one'\n",
        "b": INNER,
    }
    handed_in = Submission("ada", {name: Module(f"{name}.py", text) for name, text in modules.items()})
    assert set(handed_in.closure("projects.a", "outer")) == {
        ("projects.a", "outer"),
        ("projects.c", "deep"),
        ("b", "inner"),
    }


def test_a_local_variable_that_is_called_like_a_function_does_not_reach_it():
    local = {"a": f"def outer(folds):\n    for inner in folds:\n        print(inner)\n\n\n{INNER}"}
    assert fingerprint(local) == fingerprint({"a": local["a"].replace("x + 1", "x + 2")})
    both = {"a": f"def outer(folds):\n    return inner([inner for inner in folds])\n\n\n{INNER}"}
    assert fingerprint(both) != fingerprint({"a": both["a"].replace("x + 1", "x + 2")})
    decorated = {"a": f"@inner\ndef outer(x):\n    return x\n\n\n{INNER}"}
    assert fingerprint(decorated) != fingerprint({"a": decorated["a"].replace("x + 1", "x + 2")})


def test_what_is_passed_on_by_a_module_in_between_is_reached():
    modules = {"a": f"from .b import inner\n\n\n{CALLS}", "b": "from .c import inner\n", "c": INNER}
    assert fingerprint(modules) != fingerprint({**modules, "c": OTHER_INNER})


def test_functions_that_call_each_other_end_and_both_count():
    text = "def even(n):\n    return n == 0 or odd(n - 1)\n\n\ndef odd(n):\n    return n != 0 and even(n - 1)\n"
    handed_in = Submission("ada", {"a": Module("a.py", text)})
    assert handed_in.closure("a", "even") == [("a", "even"), ("a", "odd")]
    assert fingerprint({"a": text}, function="even") != fingerprint({"a": text.replace("!= 0", "> 0")}, function="even")


def test_modules_that_import_each_other_end():
    modules = {"a": f"from .b import inner\n\n\n{CALLS}", "b": f"from .a import outer\n\n\n{INNER}"}
    assert fingerprint(modules) == fingerprint(dict(reversed(modules.items())))


# --- what reading costs -----------------------------------------------------------------------------------------------

MANY = 2000
NAMES = f"def relu(x):\n    {'; '.join(f'a{number}' for number in range(MANY))}\n    return x\n"
CROSSED = {
    "one star import again and again": "from .m import *\n" * MANY + NAMES,
    "many star imports of nothing": "".join(f"from .m{number} import *\n" for number in range(MANY)) + NAMES,
    "default values that reach all of a chain": "def relu(x):\n    return f0(x)\n"
    + "".join(f"def f{number}(x=f{number + 1}): f{number + 1}\n" for number in range(MANY)),
}


@pytest.mark.parametrize("what", CROSSED)
def test_what_a_look_at_the_code_takes_does_not_grow_with_the_square_of_its_length(what):
    """40 to 300 MB where each import met each name, or each default value all that it reaches."""
    handed_in = submission(ch03_activations=CROSSED[what], m="x = 1\n")
    tracemalloc.start()
    try:
        assert static_problem(handed_in, exercise("relu")) is None
        assert tracemalloc.get_traced_memory()[1] < 25e6
    finally:
        tracemalloc.stop()


def test_every_default_value_and_decorator_counts_though_each_function_is_looked_at_once():
    text = "".join(f"@f{number + 1}\ndef f{number}(x): f{number + 1}\n" for number in range(3))
    handed_in = Submission("ada", {"a": Module("a.py", text + "def f3(x): pass\n")})
    heads = [
        function.decorator_list[0] for function in handed_in.modules["a"].functions.values() if function.name < "f3"
    ]
    assert handed_in.reached_by("a", *heads) == [("a", "f1"), ("a", "f2"), ("a", "f3")]


def test_a_module_that_is_not_there_is_named_though_everything_was_imported_from_it():
    handed_in = Submission(
        "ada", {"a": Module("a.py", "from .b import *\nfrom .c import *\n"), "b": Module("b.py", "")}
    )
    assert handed_in.named_in("a") == {"b", "c"}


def test_a_text_that_stands_for_many_chapters_is_parsed_once(tmp_path, monkeypatch):
    """It is however the submission is copied, e.g. to be sent to another machine."""
    texts: list[str] = []
    monkeypatch.setattr(submissions, "parsed", lambda text: texts.append(text) or parsed(text))
    firsts = [chapter.exercises[0].name for chapter in catalogue.chapters() if chapter.exercises]
    (tmp_path / "work.py").write_text("".join(f"def {name}(x): pass\n" for name in firsts) + "a;" * 1000)
    modules = submissions.read(tmp_path / "work.py").modules
    assert len(modules) == len(firsts)
    copies = [replace(module) for module in modules.values()]
    assert len({id(module.tree) for module in (*modules.values(), *copies)}) == 1
    assert len(texts) == 1


# --- what counts as a change ------------------------------------------------------------------------------------------

BASE = {
    "a": f"import math\nfrom .b import FACTOR, inner\n\nSCALE = 2\n\n\n{CALLS}\n\ndef bystander(x):\n    return x\n",
    "b": f"FACTOR = 3\n\n\n{INNER}",
}
NO_CHANGE = {
    "a comment": ("a", "return inner(x)", "return inner(x)  # at last"),
    "an empty line": ("a", "    return inner(x)", "\n    return inner(x)"),
    "brackets": ("a", "return inner(x)", "return (inner(\n        x\n    ))"),
    "quotes and comments above": ("b", "FACTOR = 3", "# three\nFACTOR = 3"),
    "a function that is not called": ("a", "    return x\n", "    return x * 2\n"),
    "a new function": ("b", "FACTOR = 3", "FACTOR = 3\n\n\ndef newcomer(x):\n    return x\n"),
}
CHANGE = {
    "the function": ("a", "return inner(x)", "return inner(x + 1)"),
    "its decorator": ("a", "def outer", "@math.cos\ndef outer"),
    "a default": ("a", "def outer(x)", "def outer(x=1)"),
    "a constant of its module": ("a", "SCALE = 2", "SCALE = 3"),
    "an import of its module": ("a", "import math", "import cmath as math"),
    "what it calls in another module": ("b", "x + 1", "x + 2"),
    "a constant of another module": ("b", "FACTOR = 3", "FACTOR = 4"),
    "a function with the called one's name, below": ("b", INNER, INNER + "\n\n" + OTHER_INNER),
}


def edited(change: tuple[str, str, str]) -> dict[str, str]:
    module, old, new = change
    assert old in BASE[module]
    return {**BASE, module: BASE[module].replace(old, new, 1)}


@pytest.mark.parametrize("what", NO_CHANGE)
def test_what_cannot_change_a_verdict_keeps_the_fingerprint(what):
    assert fingerprint(edited(NO_CHANGE[what])) == fingerprint(BASE)


@pytest.mark.parametrize("what", CHANGE)
def test_what_can_change_a_verdict_changes_the_fingerprint(what):
    assert fingerprint(edited(CHANGE[what])) != fingerprint(BASE)


def test_a_function_that_only_a_constant_calls_counts():
    text = "from .b import inner\n\nTABLE = [inner(i) for i in range(3)]\n\n\ndef outer(x):\n    return TABLE[x]\n"
    assert fingerprint({"a": text, "b": INNER}) != fingerprint({"a": text, "b": OTHER_INNER})


def test_a_broken_module_has_a_fingerprint_that_follows_its_text():
    broken = {"a": "def outer(x:\n", "b": INNER}
    assert fingerprint(broken) != fingerprint({**broken, "a": "def outer(x]:\n"})
    assert fingerprint({"b": INNER}) == fingerprint({"b": OTHER_INNER}), "a module that is not there reaches nothing"


def test_the_digest_is_that_of_every_module_and_of_nothing_else():
    one = Submission("ada", {"a": Module("here/a.py", CALLS), "b": Module("here/b.py", INNER)})
    moved = Submission("bob", {"b": Module("there/b.py", INNER), "a": Module("there/a.py", CALLS)})
    assert one.digest == moved.digest
    assert one.digest != Submission("ada", {"a": Module("here/a.py", CALLS)}).digest
    assert one.digest != Submission("ada", {"a": Module("a.py", CALLS + "#"), "b": Module("b.py", INNER)}).digest


# --- what is still to do ----------------------------------------------------------------------------------------------

BODIES = {
    'raise NotImplementedError("f")': True,
    "raise NotImplementedError": True,
    "raise NotImplementedError()": True,
    "pass": True,
    "...": True,
    '"""Only a docstring."""': True,
    '"""A docstring."""\n    raise NotImplementedError("f")': True,
    '"""A docstring."""\n    ...\n    pass': True,
    "# TODO\n    pass": True,
    "return": False,
    "return None": False,
    "return x": False,
    'x = 1\n    raise NotImplementedError("f")': False,
    'raise ValueError("f")': False,
    "if x:\n        raise NotImplementedError": False,
    "raise NotImplementedError\n    return x": False,
    "def inner(): ...": False,
}


@pytest.mark.parametrize("body", BODIES)
def test_a_stub_is_a_function_in_which_nothing_has_been_written(body):
    assert is_stub(function(f"def f(x):\n    {body}\n")) == BODIES[body]


# --- notebooks --------------------------------------------------------------------------------------------------------

RELU = "@njit\ndef relu(x):\n    return np.maximum(x, np.float32(0))"


def notebook(path, *cells: str, kind: str = "code"):
    lines = [{"cell_type": kind, "source": cell.splitlines(keepends=True)} for cell in cells]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": lines}))
    return path


def test_a_notebook_with_magics_and_shell_lines_is_read_as_its_code(tmp_path):
    cells = [
        "%matplotlib inline\nimport numpy as np\nfrom numba import njit",
        "!pip install numba\n%%time\n  %timeit relu(x)",
        RELU,
    ]
    handed_in = submissions.read(notebook(tmp_path / "ada_ch03_activations.ipynb", *cells))
    assert (handed_in.name, handed_in.whole) == ("ada_ch03_activations", False)
    assert list(handed_in.modules) == ["ch03_activations"]
    module = handed_in.modules["ch03_activations"]
    assert list(module.functions) == ["relu"]
    assert module.text.splitlines()[:3] == ["# %matplotlib inline", "import numpy as np", "from numba import njit"]
    assert len(module.text.splitlines()) == sum(len(cell.splitlines()) for cell in cells), "line numbers stay"
    assert judge_one(handed_in, "relu").status == PASSED


def test_text_cells_are_no_code(tmp_path):
    path = notebook(tmp_path / "ch03_activations.ipynb", "def relu(x): return x", kind="markdown")
    assert submissions.read(path).modules["ch03_activations"].functions == {}


def test_a_sum_over_lines_that_starts_with_a_percent_sign_stays_code(tmp_path):
    """`%` may begin a line in the middle of an expression; commenting that line out would change the answer."""
    text = "def relu(x):\n    return (x\n        % 7)\n"
    module = submissions.read(notebook(tmp_path / "ch03_activations.ipynb", text)).modules["ch03_activations"]
    assert ast.unparse(module.functions["relu"].body[0]) == "return x % 7"


def test_cells_of_other_languages_and_help_lines_are_no_code(tmp_path):
    cells = ["%%bash\nls -l", "np.maximum?\n?relu\nprint('a line of %s' % 'text')", RELU]
    module = submissions.read(notebook(tmp_path / "ch03_activations.ipynb", *cells)).modules["ch03_activations"]
    assert list(module.functions) == ["relu"]
    assert "\n# print(" in module.text


def test_a_magic_inside_a_function_leaves_the_function_readable(tmp_path):
    text = "def relu(x):\n    %time y = x\n    return x\n"
    module = submissions.read(notebook(tmp_path / "ch03_activations.ipynb", text)).modules["ch03_activations"]
    assert list(module.functions) == ["relu"]


def test_a_folder_is_judged_whole_and_under_its_own_name(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "ch03_activations.py").write_text(RELU)
    (tmp_path / "ada" / "my-notes.py").write_text("no module can have this name")
    (tmp_path / "ada" / "projects").mkdir()
    (tmp_path / "ada" / "projects" / "mnist_mlp.py").write_text("")
    handed_in = submissions.read(tmp_path / "ada" / "projects" / "..")
    assert (handed_in.name, handed_in.whole) == ("ada", True)
    assert set(handed_in.modules) == {"ch03_activations", "projects.mnist_mlp"}


def test_what_a_guest_gets_is_the_text_with_the_path_to_show():
    handed_in = submission("ada", ch03_activations="x = 1\n")
    assert handed_in.sources["ch03_activations"] == ("ch03_activations.py", "x = 1\n")
    assert handed_in.sources.keys() == {"ch03_activations", *kit.GIVEN}


def test_a_given_module_is_the_kits_whatever_a_submission_made_of_it():
    handed_in = submission("ada", ch03_activations="x = 1\n", simd="LANES = 0\n")
    assert handed_in.sources["simd"] == kit.given()["simd"]
