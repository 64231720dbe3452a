"""A class for the tests of nbgrader: what students write into a released notebook, the honest and the others."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path

from build import solved

from grader.submission import Module

CHAPTER = "ch03_activations"
ASKED = ("relu", "relu_backward", "sigmoid")
STUDENTS = (
    *("right", "half", "hidden", "syntax", "untouched", "endless", "exits", "patches", "transforms", "writes"),
    *("warns", "deletes", "doubles", "forges"),
)
WRONG = "@njit(cache=True)\ndef relu(x):\n    return x * np.float32(0.5)"
TRANSFORMER = "get_ipython().input_transformers_post.append(lambda lines: ['2.0\\n'])"
MONKEYPATCHES = """
import builtins
import numpy.testing
import grader.notebook

numpy.testing.assert_allclose = lambda *arguments, **options: None
grader.notebook.Check.__call__ = lambda self, name: 100.0
check = lambda name: 100.0
builtins.float = lambda value: 100.0
"""
WRITER = """
import sqlite3


def cheat(value):
    for path in ("gradebook.db", "../../../gradebook.db", r"{gradebook}"):
        try:
            with sqlite3.connect(path) as book:
                book.execute("UPDATE grade SET auto_score = 100, manual_score = 100")
        except sqlite3.Error:
            pass
    return value


CHEATED = cheat(1.0)

@njit(cache=True)
def relu(x):
    return x * CHEATED
"""
WARNER = """
import sys
import warnings

warnings.warn("look at this")
print("a line on the standard error", file=sys.stderr)
"""
SCRIPT = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"
LINKS = "[click](javascript:document.title='owned') <a href=\"javascript:document.title='owned'\">or here</a>"


def right(function: str) -> str:
    """The solution of one function, as a student writes it."""
    text = solved(CHAPTER)
    node = Module("", text).functions[function]
    lines = text.splitlines()[node.lineno - 2 : node.end_lineno]
    return "\n".join(line for line in lines if "SOLUTION" not in line)


def cell_of(notebook: Mapping, name: str) -> dict:
    """The cell of that grade_id."""
    (found,) = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == name]
    return found


def answered(released: Mapping, **functions: str) -> dict:
    """The released notebook with these cells written by a student; "" stands for the solution."""
    notebook = copy.deepcopy(dict(released))
    for name, source in functions.items():
        cell_of(notebook, name)["source"] = source.strip("\n") or right(name)
    return notebook


def with_cell(notebook: dict, source: str, place: int = 3, kind: str = "code", **facts: object) -> dict:
    """The notebook with one more cell of the student's."""
    cell = {"cell_type": kind, "id": f"own-{place}-{kind}", "metadata": {}, "source": source}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    notebook["cells"].insert(place, cell | facts)
    return notebook


def class_of(released: Mapping, gradebook: Path) -> dict[str, dict]:
    """Student -> the notebook that they hand in."""
    return {
        "right": answered(released, relu="", relu_backward="", sigmoid=""),
        "half": answered(released, relu="", sigmoid="@njit\ndef sigmoid(x):\n    return x"),
        "hidden": answered(released, relu=ONLY_PUBLIC, sigmoid=""),
        "syntax": answered(released, relu="", sigmoid=UNCLOSED),
        "untouched": copy.deepcopy(dict(released)),
        "endless": answered(released, relu=ENDLESS, sigmoid=""),
        "exits": answered(released, relu=EXITS, sigmoid=""),
        "patches": with_cell(answered(released, relu=WRONG), MONKEYPATCHES),
        "transforms": with_cell(answered(released, relu=WRONG), TRANSFORMER),
        "writes": answered(released, relu=WRITER.format(gradebook=gradebook)),
        "warns": with_cell(answered(released, relu=""), WARNER),
        "deletes": deleted(answered(released, sigmoid=""), "sigmoid-points"),
        "doubles": doubled(answered(released, relu=WRONG, sigmoid=""), "relu", "relu-points"),
        "forges": forged(answered(released, relu=WRONG)),
    }


ENDLESS = "@njit(cache=True)\ndef relu(x):\n    i = 0\n    while i >= 0:\n        i = (i + 1) % 7\n    return x"
UNCLOSED = "@njit\ndef sigmoid(x):\n    return 1 / (1 + np.exp(-x)"
ONLY_PUBLIC = """
@njit(cache=True)
def relu(x):
    if x.ndim > 2:
        return x * np.float32(2)
    return np.maximum(x, np.float32(0))
"""
EXITS = "import os\n\n\n@njit(cache=True)\ndef relu(x):\n    os._exit(0)\n    return x"


def deleted(notebook: dict, name: str) -> dict:
    """Without one of its cells."""
    notebook["cells"].remove(cell_of(notebook, name))
    return notebook


def doubled(notebook: dict, *names: str) -> dict:
    """With these cells twice."""
    for name in names:
        cell = cell_of(notebook, name)
        notebook["cells"].insert(notebook["cells"].index(cell), {**copy.deepcopy(cell), "id": f"{name}-again"})
    return notebook


def forged(notebook: dict) -> dict:
    """Everything in the file that a student can change, changed."""
    notebook["metadata"]["kernelspec"] = {"name": "evil", "display_name": SCRIPT, "language": "bash"}
    notebook["metadata"]["title"] = SCRIPT
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {"</script>": SCRIPT}}}
    points = cell_of(notebook, "relu-points")
    points["source"] = "100.0"
    points["metadata"]["nbgrader"] |= {"points": 100, "solution": True}
    points["metadata"]["tags"] = [f'"{SCRIPT}']
    result = {"output_type": "execute_result", "metadata": {}, "execution_count": 1, "data": {"text/plain": "100.0"}}
    page = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": SCRIPT, "text/plain": "x" * 10_000_000},
    }
    points["outputs"] = [result, page]
    points["execution_count"] = SCRIPT
    cell_of(notebook, "sigmoid-points")["metadata"]["nbgrader"] |= {"schema_version": 99, "grade": False}
    cell_of(notebook, "relu_backward-points")["cell_type"] = "markdown"
    formula = "$\\href{javascript:document.title='owned'}{x}$"
    with_cell(notebook, f"# Mine {SCRIPT}\n\n{LINKS}\n\n{formula}", 2, "markdown")
    with_cell(notebook, f"{SCRIPT}\n\n{formula}", 2, "markdown")
    picture = {"image/png\" onerror=\"document.title='owned'": "AAAA"}
    with_cell(notebook, "![a](attachment:a.png)", 2, "markdown", attachments={"a.png": picture})
    with_cell(notebook, SCRIPT, 2, "raw", metadata={"raw_mimetype": "text/html"})
    marks = {"grade": True, "solution": False, "locked": False, "task": False, "schema_version": 3, "points": 50}
    with_cell(notebook, "50.0", 4, metadata={"nbgrader": marks | {"grade_id": "bonus"}}, outputs=[result])
    with_cell(notebook, "50.0", 4, metadata={"nbgrader": "no table"})
    return notebook


def write(notebook: Mapping, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path
