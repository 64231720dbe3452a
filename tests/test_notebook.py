"""Notebooks: modules into them and out again without loss, and checks in a real kernel in the words of `kata check`."""

from __future__ import annotations

import ast
import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from faces import kata, stub_of
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from grader import catalogue, kernel, kit, stubs
from grader.exercise import Chapter
from grader.notebook import Check
from grader.problem import Problem
from grader.submission import Module
from grader.syntax import parsed

pytest.importorskip("nbgrader", reason="no nbgrader; pip install 'deepkata[nbgrader]'")

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell

from grader.nbgrader_bridge import command, pack
from grader.nbgrader_bridge.notebook import notebook_of
from grader.nbgrader_bridge.relative import as_before, spelled_out

ACTIVATIONS = "ch03_activations"
MODULES = [chapter.module for chapter in catalogue.chapters()]
RIGHT = "def relu(x):\n    return np.maximum(x, np.float32(0))"
WRONG = "@njit\ndef relu_backward(dy, x):\n    return np.where(dy > 0, dy, np.float32(0))"
VALIDATION = 'import os\nos.environ["NBGRADER_EXECUTION"] = "validate"\ncheck("relu")'


def chapter(module: str) -> Chapter:
    return next(chapter for chapter in catalogue.chapters() if chapter.module == module)


def solution(module: str) -> bytes:
    return (kit.SOLUTIONS / (module.replace(".", "/") + ".py")).read_bytes()


@functools.cache
def release(module: str) -> str:
    """A chapter's notebook as students get it."""
    notebook = notebook_of(chapter(module))
    for cell in notebook.cells:
        if pack.solution_of(cell):
            cell.source = stubs.make_stub(cell.source + "\n").removesuffix("\n")
    return nbformat.writes(notebook)


def released(module: str = ACTIVATIONS, **written: str) -> nbformat.NotebookNode:
    """A chapter's notebook as students get it, with some cells written."""
    notebook = nbformat.reads(release(module), as_version=4)
    for cell in notebook.cells:
        cell.source = written.get(pack.solution_of(cell), cell.source)
    return notebook


def sources(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """What stands in each cell that students write in."""
    return {pack.solution_of(cell): cell.source for cell in notebook.cells if pack.solution_of(cell)}


def there_and_back(content: bytes, module: str = ACTIVATIONS) -> bytes:
    """A module through a notebook's file."""
    packed = pack.pack(content, released(module), "mine.py")
    nbformat.validate(packed)
    return pack.unpack(nbformat.reads(nbformat.writes(packed), as_version=4), "mine.ipynb")


# --- a module into a notebook, and out again --------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
def test_every_module_comes_back_from_its_notebook_as_it_was(module):
    for content in (solution(module), stub_of(module).encode()):
        packed = pack.pack(content, released(module), "mine.py")
        assert pack.unpack(packed, "mine.ipynb") == content
        imports = Module("", "\n".join(sources(packed).values())).imports
        assert all(getattr(node, "level", 0) == 0 for node in imports), "there is no package around a notebook"


def test_each_exercise_has_its_own_cell():
    packed = sources(pack.pack(solution(ACTIVATIONS), released(), "mine.py"))
    assert list(packed) == ["imports", *(exercise.name for exercise in chapter(ACTIVATIONS).exercises)]
    for name, source in packed.items():
        assert list(Module("", source).functions) == ([] if name == "imports" else [name])


PIECES = st.sampled_from(
    [
        *(
            "# a note\n",
            "    # indented\n",
            "\n",
            "\n\n\n",
            " \n",
            "\t\n",
            "\f\n",
            "import math\n",
            "from os import sep\n",
        ),
        *("LIMIT = 3; OTHER = 'α–∞'\n", "text = '''two\n\nlines'''\n", "helper = lambda x: x\n", "'a string'\n"),
        "from .ch01_tensors import describe\n",
        "from exercises.ch01_tensors import describe\n",
        "LIMIT = 3 \\\n\n",
        "from . import ch02_preprocessing as prepared\n",
        "def helper(x):\n    return x\n    # a last word\n\n",
        "@njit(cache=True,\n   parallel=True)\ndef relu(x):\n\n    from .ch01_tensors import describe\n    return x\n",
        "def relu(x): return helper(x)\n",
        "# mine\n@njit\ndef tanh(x):\n    '''Doc.'''\n    def inner(y):\n        return y\n    return inner(x)\n\n",
        "class Layer:\n    def relu(self):\n        return 1\n",
        "if True:\n    def softmax(x):\n        return x\n",
        "async def sigmoid(x):\n    return x\n",
        "for i in range(3):\n    print(i)\n",
        "relu = helper\n",
    ]
)
ODD = st.lists(PIECES, max_size=12).map("".join)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ODD, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_odd_modules_come_back_byte_for_byte(text, newline, marked, ended):
    text = text if ended else text.rstrip("\n")
    assume(isinstance(parsed(text), ast.Module))
    content = text.replace("\n", newline).encode("utf-8-sig" if marked else "utf-8")
    assert there_and_back(content) == content


def test_a_module_in_another_encoding_comes_back_in_it():
    content = "# -*- coding: latin-1 -*-\nNAME = 'Überfluß'\ndef relu(x):\n    return x\n".encode("latin-1")
    assert there_and_back(content) == content


def test_what_was_written_since_brings_a_module_to_utf_8():
    content = "#!/usr/bin/python\n# -*- coding: latin-1 -*-\nNAME = 'Überfluß'\ndef relu(x):\n    return x\n"
    packed = pack.pack(content.encode("latin-1"), released(), "mine.py")
    packed.cells[2].source += "\n# α"
    text = pack.unpack(packed, "mine.ipynb").decode()
    assert text.startswith("#!/usr/bin/python\n# -*- coding: utf-8 -*-\nNAME = 'Überfluß'\n# α\n")


ODD_FACTS = {"encoding": "nope", "newline": 3, "imports": [1]}


@pytest.mark.parametrize("name", ODD_FACTS)
def test_metadata_that_nobody_has_written_is_passed_over(name):
    notebook = released()
    plain = pack.unpack(notebook, "mine.ipynb")
    notebook.metadata.deepkata[name] = ODD_FACTS[name]
    assert pack.unpack(notebook, "mine.ipynb") == plain


def test_metadata_of_another_form_are_told_in_a_sentence(tmp_path):
    notebook = released()
    notebook.metadata.deepkata = [1]
    notebook.cells[2].metadata.nbgrader = "x"
    (tmp_path / "mine.ipynb").write_text(json.dumps(notebook))
    with pytest.raises(Problem, match="is no notebook of this kit"):
        pack.unpack(pack.read(tmp_path / "mine.ipynb"), "mine.ipynb")


def test_exercises_stand_in_the_order_of_the_module():
    """A later function may need an earlier one when it is defined."""
    packed = pack.pack(b"def tanh(x): return x\n\n\ndef relu(x, of=tanh): return x\n", released(), "mine.py")
    names = [pack.grade_id(cell) for cell in packed.cells]
    assert names.index("tanh") < names.index("tanh-points") < names.index("relu-text") < names.index("relu")
    assert sorted(names) == sorted(pack.grade_id(cell) for cell in released().cells)


HEADS = ["from .ch01_tensors import a", "from . import b", "from .. ch02 import(c)", "from .\\\n    ch04 import d as e"]


@pytest.mark.parametrize("head", HEADS)
def test_a_relative_import_comes_back_as_it_was_written(head):
    text, before = spelled_out("projects.boston", f"if True:\n    α = 1; {head}\n")
    assert "from exercises" in text
    assert as_before(text, before) == f"if True:\n    α = 1; {head}\n"


def test_what_was_tried_out_in_cells_of_ones_own_is_a_comment_in_the_module():
    notebook = released(relu=f"%%time\n{RIGHT.replace('np.float32(0)', 'ZERO')}")
    mine = ["ZERO = np.float32(0)", "import matplotlib.pyplot as plt\nplt.plot(relu(np.ones(3)))", "!ls"]
    notebook.cells += [new_code_cell(source) for source in mine] + [new_markdown_cell("My notes")]
    text = pack.unpack(notebook, "mine.ipynb").decode()
    assert "\nZERO = np.float32(0)\n" in text
    assert "\n# import matplotlib.pyplot as plt\n# plt.plot(relu(np.ones(3)))\n" in text
    assert "\n# %%time\ndef relu(x):\n" in text
    assert "check(" not in text
    assert "My notes" not in text


HELPER = "def half(x):\n    return np.maximum(x, np.float32(0))"


def with_code_everywhere() -> nbformat.NotebookNode:
    """A student's work in a cell of checks, and in the earlier of two cells for an exercise."""
    notebook = released(relu="def relu(x):\n    return half(x)")
    points = next(cell for cell in notebook.cells if pack.grade_id(cell) == "tanh-points")
    points.source += f"\n{HELPER}"
    (relu,) = [cell for cell in notebook.cells if pack.grade_id(cell) == "relu"]
    earlier = nbformat.from_dict({**relu, "source": "FACTOR = 3\ndef relu(x):\n    return x"})
    notebook.cells.insert(notebook.cells.index(relu), earlier)
    return notebook


def test_code_that_counts_comes_into_the_module_wherever_it_stands():
    text = pack.unpack(with_code_everywhere(), "mine.ipynb").decode()
    assert Module("", text).functions.keys() >= {"relu", "half"}
    assert f'# check("tanh")\n{HELPER}\n' in text
    assert 'check("relu")' not in text


def test_code_that_counts_stays_in_a_newer_release_wherever_it_stands():
    updated = pack.update(with_code_everywhere(), released(), "mine.ipynb")
    added = [cell.source for cell in updated.cells if pack.is_added(cell)]
    assert added == ["FACTOR = 3\ndef relu(x):\n    return x", f'check("tanh")\n{HELPER}']
    assert sources(updated)["relu"].endswith("return half(x)")


def test_a_cell_that_python_cannot_read_comes_into_the_module_as_it_is():
    broken = "def tanh(x:\n    return np.tanh(x)"
    assert f"\n\n\n{broken}\n\n\n" in pack.unpack(released(tanh=broken), "mine.ipynb").decode()


# --- a newer release --------------------------------------------------------------------------------------------------


def test_work_in_progress_survives_a_new_release():
    student = released(relu=RIGHT, imports="import numpy as np\nimport math\nfrom numba import njit\nLIMIT = 3")
    student.cells.insert(5, new_code_cell("my = 'own cell'"))
    student.cells.append(new_markdown_cell("My notes"))
    newer = released()
    for cell in newer.cells:
        cell.source = cell.source.replace("Rectified linear unit", "A new text").replace("x : float32", "x : array")
        cell.source = cell.source.replace("from numba import njit", "from numba import njit, prange")
    updated = pack.update(student, newer, "mine.ipynb")
    nbformat.validate(updated)
    assert sources(updated)["relu"] == RIGHT
    assert sources(updated)["tanh"] == sources(newer)["tanh"] != sources(student)["tanh"]
    lines = sources(updated)["imports"].split("\n")
    assert lines[:2] == ["import numpy as np", "from numba import njit, prange"]
    assert {"import math", "LIMIT = 3"} <= set(lines)
    names = [pack.grade_id(cell) or cell.source for cell in updated.cells]
    assert names[names.index("relu") - 1 : names.index("relu") + 2] == ["relu-text", "relu", "my = 'own cell'"]
    assert names[-1] == "My notes"


def test_what_was_written_for_an_exercise_that_is_gone_is_kept():
    newer = released()
    newer.cells = [cell for cell in newer.cells if not pack.grade_id(cell).startswith(("relu", "tanh"))]
    updated = pack.update(released(relu=RIGHT), newer, "mine.ipynb")
    assert [cell.source for cell in updated.cells if pack.is_added(cell)] == [RIGHT], "an untouched stub is let go"


# --- the commands -----------------------------------------------------------------------------------------------------


def test_pack_and_unpack_keep_what_they_replace(tmp_path):
    nbformat.write(released(tanh="def tanh(x): return 1"), tmp_path / f"{ACTIVATIONS}.ipynb")
    (tmp_path / f"{ACTIVATIONS}.py").write_bytes(solution(ACTIVATIONS))
    packed = kata("notebook", "pack", f"{ACTIVATIONS}.py", f"{ACTIVATIONS}.ipynb", cwd=tmp_path)
    assert (packed.code, packed.err) == (0, "")
    (kept,) = (tmp_path / ".deepkata" / "replaced").iterdir()
    assert sources(pack.read(kept))["tanh"] == "def tanh(x): return 1"
    unpacked = kata("notebook", "unpack", f"{ACTIVATIONS}.ipynb", "--out", "modules", cwd=tmp_path)
    assert (unpacked.code, unpacked.err) == (0, "")
    assert (tmp_path / "modules" / f"{ACTIVATIONS}.py").read_bytes() == solution(ACTIVATIONS)


def test_two_notebooks_of_a_chapter_are_refused(tmp_path):
    for name in ("a.ipynb", "b.ipynb"):
        nbformat.write(released(), tmp_path / name)
    (tmp_path / f"{ACTIVATIONS}.py").write_text("")
    with pytest.raises(Problem, match="of the same chapter"):
        command.pack([tmp_path / name for name in ("a.ipynb", "b.ipynb", f"{ACTIVATIONS}.py")])


def test_what_cannot_be_packed_is_told_in_a_sentence(tmp_path):
    thin = notebook_of(chapter(ACTIVATIONS), with_cells=False)
    foreign = nbformat.v4.new_notebook(cells=[new_code_cell("def relu(x): return x")])
    (tmp_path / "page.ipynb").write_text("{}")
    for told, problem in {
        "mine.py cannot be read by Python (line 1: '(' was never closed).": lambda: there_and_back(b"relu = ("),
        "mine.py is not UTF-8 text.": lambda: there_and_back(b"# \xff\xfe"),
        "The notebook is no notebook of this kit.": lambda: pack.pack(b"", foreign, "mine.py"),
        "The notebook has no cells for solutions.": lambda: pack.pack(b"", thin, "mine.py"),
        "is not a readable notebook.": lambda: pack.read(tmp_path / "page.ipynb"),
        "are of different chapters.": lambda: pack.update(released(), released("ch05_dense"), "mine.ipynb"),
    }.items():
        with pytest.raises(Problem) as caught:
            problem()
        assert caught.value.defect.endswith(told)
        assert caught.value.action.endswith(".")


# --- what the kernel has run ------------------------------------------------------------------------------------------

SAVED = ["import numpy as np", "def relu(x): return 1", "def tanh(x): return relu(x)", "relu(3)"]


def test_a_cell_that_was_run_again_stands_where_it_stood():
    run = ["def relu(x)", "def relu(x): return 2", "y = relu(3)", "def relu(x): return 3"]
    assert kernel.cells_now(SAVED, run) == [SAVED[0], "def relu(x): return 3", SAVED[2], SAVED[3], "y = relu(3)"]


def test_a_saved_cell_that_is_run_again_counts_before_what_was_tried_in_between():
    saved = ["def relu(x): return 1\ndef tanh(x): return 1"]
    tried = "def relu(x): return 2"
    assert kernel.cells_now(saved, [saved[0], tried]) == [*saved, tried]
    assert kernel.cells_now(saved, [saved[0], tried, "relu(3)", saved[0]]) == [*saved, "relu(3)"]


def test_a_module_beside_a_notebook_without_cells_for_solutions_is_what_counts(tmp_path):
    nbformat.write(notebook_of(chapter(ACTIVATIONS), with_cells=False), tmp_path / f"{ACTIVATIONS}.ipynb")
    (tmp_path / f"{ACTIVATIONS}.py").write_text(f"import numpy as np\n\n\n{RIGHT}\n")
    now = kernel.submission_now(chapter(ACTIVATIONS), tmp_path, ["def relu(x): return 'tried in the notebook'"])
    assert now.modules[ACTIVATIONS].path == f"{ACTIVATIONS}.py"
    assert "maximum" in now.modules[ACTIVATIONS].text


def test_a_check_never_ends_a_run_all(monkeypatch, capsys):
    """Whatever is wrong, with the notebook or with the kit, is told in words."""
    Check("ch99_dreams")("relu")
    Check(ACTIVATIONS)("relu")
    monkeypatch.setattr(kernel, "beside", lambda *_: 1 / 0)
    check = Check(ACTIVATIONS)
    monkeypatch.setattr(check, "_result", lambda _: 1 / 0)
    check("relu")
    assert capsys.readouterr().out.splitlines() == [
        "This kit has no chapter 'ch99_dreams'. Update the kit: git pull.",
        "This is no notebook. Run `kata check` in a terminal.",
        "The check itself has failed (ZeroDivisionError: division by zero). Tell your instructor.",
    ]


# --- a real kernel ----------------------------------------------------------------------------------------------------


class Notebook:
    """A notebook that is open in Jupyter."""

    def __init__(self, folder: Path, notebook: nbformat.NotebookNode):
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / f"{folder.name}.ipynb")
        self.cells = notebook.cells
        self.client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})

    def run(self, *names: str) -> str:
        """Run these cells, all for none, and tell what stands below the last one."""
        for number, cell in enumerate(self.cells):
            if cell.cell_type == "code" and (not names or pack.grade_id(cell) in names):
                last = self.client.execute_cell(cell, number)
                assert all(output.output_type == "stream" and output.name == "stdout" for output in last.outputs), last
        return "".join(output.text for output in last.outputs)

    def write(self, name: str, source: str) -> None:
        (cell,) = [cell for cell in self.cells if pack.grade_id(cell) == name]
        cell.source = source


@pytest.fixture
def open_notebook(tmp_path, monkeypatch) -> Iterator:
    """Opens a released notebook in a kernel of its own, until the test is over."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(kit.ROOT), os.environ.get("PYTHONPATH", "")]))
    running = []

    def start(module: str, **written: str) -> Notebook:
        notebook = Notebook(tmp_path / module, released(module, **written))
        running.append(notebook.client.setup_kernel())
        running[-1].__enter__()
        return notebook

    yield start
    for kernel_of_a_notebook in running:
        kernel_of_a_notebook.__exit__(None, None, None)


def test_an_untouched_notebook_runs_to_its_end(open_notebook):
    notebook = open_notebook("ch05_dense")
    notebook.run()
    told = [cell.outputs[0].text for cell in notebook.cells if pack.grade_id(cell).endswith("-points")]
    assert len(told) == len(chapter("ch05_dense").exercises)
    for text in told:
        assert "todo" in text
        assert "Not written yet: replace `raise NotImplementedError`" in text


def test_a_student_is_told_what_kata_check_tells(open_notebook):
    notebook = open_notebook(ACTIVATIONS, relu=RIGHT, relu_backward=WRONG)
    notebook.run(f"{ACTIVATIONS}-check", "imports", "relu_backward")
    told = notebook.run("relu_backward-points")
    assert "✗ relu_backward" in told
    assert "dx[0] should be 0.0, yours is 1.0" in told
    assert "→ You let the gradient through where dy > 0." in told
    told = notebook.run("relu-points")
    assert "✗ relu " in told, "it is not compiled"
    notebook.write("relu", f"@njit\n{RIGHT}")
    assert "✓ relu " in notebook.run("relu", "relu-points")
    notebook.write("relu", "@njit\ndef relu(x):\n    return x")
    assert "✗ relu " in notebook.run("relu", "relu-points")
    notebook.write("relu-points", 'check("rleu")')
    assert "has no exercise 'rleu'" in notebook.run("relu-points")
    notebook.write("relu-points", VALIDATION)
    with pytest.raises(CellExecutionError, match="✗ relu "):
        notebook.run("relu-points")
    notebook.write("relu-points", VALIDATION.replace("validate", "autograde"))
    with pytest.raises(CellExecutionError, match=r"The kit's judge is not in nbgrader_config\.py"):
        notebook.run("relu-points")


def test_earlier_chapters_are_taken_from_the_students_own_notebooks(open_notebook, tmp_path):
    forward = sources(pack.pack(solution("ch07_training"), released("ch07_training"), "mine.py"))["mlp_forward"]
    notebook = open_notebook("ch07_training", mlp_forward=forward)
    told = notebook.run("ch07_training-check", "imports", "mlp_forward", "mlp_forward-points")
    assert "mlp_forward: this chapter builds on ch03_activations, ch04_losses, ch05_dense, ch06_optimizers" in told
    for module in (ACTIVATIONS, "ch04_losses", "ch05_dense", "ch06_optimizers"):
        (tmp_path / module).mkdir()
        nbformat.write(pack.pack(solution(module), released(module), ""), tmp_path / module / f"{module}.ipynb")
    assert "✓ mlp_forward" in notebook.run("mlp_forward-points")
    nbformat.write(released(), tmp_path / ACTIVATIONS / f"{ACTIVATIONS}.ipynb")
    assert "it calls relu and softmax, which are not written yet" in notebook.run("mlp_forward-points")
