"""A notebook's code cells as a module: what an exercise needs stays, what was only tried out costs nothing."""

from __future__ import annotations

import ast
import symtable

import pytest
from build import judge_exercises, statuses
from faces import kata
from test_submission import notebook

from grader import cells
from grader import submission as submissions
from grader.result import ERROR, PASSED
from grader.syntax import global_names

RELU = "@njit\ndef relu(x):\n    return np.maximum(x, ZERO)"
HEAD = "import numpy as np\nfrom numba import njit\nZERO = np.float32(0)"


def kept(*sources: str, wanted: str = "relu") -> list[str]:
    """The statements that are left of these cells, as Python would write them."""
    return [ast.unparse(node) for node in ast.parse(cells.read(sources, [wanted]).text).body]


STAYS = {
    "a helper's helper": "def relu(x): return a(x)\ndef a(x): return b(x)\ndef b(x): return x",
    "a table that is filled": "T = [0]\nT[0] = 1\nT.append(2)\nfor i in T:\n    T[i] = i\ndef relu(x): return T[x]",
    "an import in a try": "try:\n    import a as q\nexcept OSError:\n    import b as q\ndef relu(x): return q.r(x)",
    "a decorator, a default and an alias": "import numba as nb\nONE = 1\n@nb.njit\ndef relu(x, y=ONE): return x",
    "a constant that a pattern binds": "match 0.01:\n    case SLOPE:\n        pass\ndef relu(x): return x * SLOPE",
    "what a pattern leaves": "match {}:\n    case {**rest}:\n        pass\ndef relu(x): return rest",
    "everything of a module": "from exercises.ch01_tensors import *\ndef relu(x): return x",
    "both definitions": "def relu(x): return 1\ndef relu(x): return 2",
    "from the future": "from __future__ import annotations\ndef relu(x: nothing): return x",
}

STAYS_AS_WRITTEN = ["plot(\n 1); ZERO = 0; plot(\n 2)", "T = [\n 0]; plot(1); plot(\n 2)"]


@pytest.mark.parametrize("cell", STAYS_AS_WRITTEN)
def test_what_shares_a_line_with_what_is_needed_stays_whole(cell):
    relu = "def relu(x): return x + ZERO + T"
    assert kept(cell, relu) == [ast.unparse(node) for node in ast.parse(f"{cell}\n{relu}").body]


GOES = {
    "a call": "relu(3)",
    "a result that nothing uses": "y = relu(3)",
    "a plot": "import matplotlib.pyplot as plt\nfigure = plt.figure()\nplt.show()",
    "an endless loop": "while True:\n    attempts = 1",
    "a local variable's namesake": "x = relu(3)",
    "an exception": "assert relu(3) == 3\nraise SystemExit",
    "a change of somebody else's": "np.seterr(all='raise')",
    "the future, too late": "from __future__ import annotations",
    "what cannot be read": "def helper(x:\n    return x",
}


@pytest.mark.parametrize("what", STAYS)
def test_what_an_exercise_needs_stays(what):
    assert kept(STAYS[what]) == [ast.unparse(node) for node in ast.parse(STAYS[what]).body]


@pytest.mark.parametrize("what", GOES)
def test_what_was_only_tried_out_goes(what):
    before = "import numpy as np\ndef relu(x): return np.abs(x)"
    assert kept(before, GOES[what]) == kept(before)


def test_lines_keep_their_numbers():
    sources = ["%time relu(1)\n\nx = 3  # tried\r\nimport os", "", "def relu(x):\n    return x\n", "'''two\nlines'''"]
    assert cells.read(sources, ["relu"]).text.split("\n") == [
        *("# %time relu(1)", "", "# x = 3  # tried", "# import os"),
        "",
        *("def relu(x):", "    return x"),
        *("# '''two", "# lines'''", ""),
    ]


def test_a_broken_cell_costs_its_own_exercises_only(tmp_path):
    tanh = "@njit\ndef tanh(x)\n    return np.tanh(x)"
    later = "@njit\ndef tanh_backward(dy, y):\n    return dy * (np.float32(1) - y * y)"
    tried = "import matplotlib.pyplot as plt\nplt.plot(relu(np.zeros(3)))"
    handed_in = submissions.read(notebook(tmp_path / "ch03_activations.ipynb", HEAD, RELU, tried, tanh, later))
    judged = judge_exercises(handed_in, "relu", "tanh", "tanh_backward")
    assert statuses(judged) == {"relu": PASSED, "tanh": ERROR, "tanh_backward": PASSED}
    assert judged[1].message == "tanh: ch03_activations.ipynb, code cell 4, line 2: expected ':': `def tanh(x)`."
    assert judged[1].help.startswith("Python cannot read the cell")


@pytest.mark.parametrize("sign", ["\ud83d", "\0"])
def test_a_sign_that_no_file_can_hold_costs_its_own_cell_only(tmp_path, sign):
    tanh = f"@njit\ndef tanh(x):\n    return x  # {sign}"
    path = notebook(tmp_path / "ch03_activations.ipynb", HEAD, RELU, tanh)
    judged = judge_exercises(submissions.read(path), "relu", "tanh")
    assert statuses(judged) == {"relu": PASSED, "tanh": ERROR}
    assert submissions.read(path).fingerprint("ch03_activations", "relu")
    assert kata("check", path, "relu", cwd=tmp_path).err == ""


def test_a_statement_that_binds_many_names_is_looked_at_once(monkeypatch):
    """It is read in the grader's own process, which nobody must be able to keep busy for long."""
    looked = []
    monkeypatch.setattr(cells, "global_names", lambda statement: looked.append(statement) or global_names(statement))
    cell = "a, b, c = d, e, f = range(3)\ndef relu(x): return [a, b, c, d, e, f]"
    assert cells.read([cell], ["relu"]).text == cell + "\n"
    assert len(looked) == 2


def test_no_name_of_a_function_is_looked_up_in_all_the_functions_within_it(monkeypatch):
    """A file of a megabyte has room for tens of thousands of both."""
    monkeypatch.setattr(symtable.SymbolTable, "lookup", lambda table, name: pytest.fail(f"{name} was looked up"))
    text = """
def f(x):
    import math as m
    y = [a for a in x]
    def g(b=c):
        return b, d, y
    return g, m.e, h
"""
    assert global_names(ast.parse(text).body[0]) == {"c", "d", "h", "m"}


def test_a_cell_that_was_mended_further_down_is_forgiven():
    code = cells.read(["def relu(x)\n    return x", "def relu(x):\n    return x"], ["relu"])
    assert code.broken == {}
