"""A course for nbgrader: built, built again, released by nbgrader itself, with nothing that students must not see."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from faces import kata

from grader import catalogue, cli, kit, stubs
from grader.exercise import Chapter
from grader.problem import Problem
from grader.submission import Module, is_stub

pytest.importorskip("nbgrader", reason="no nbgrader; pip install 'deepkata[nbgrader]'")

import nbformat
from nbgrader_commands import nbgrader

from grader.nbgrader_bridge import command, course, pack
from grader.nbgrader_bridge.course import Change, Wish
from grader.nbgrader_bridge.identity import assignment_of
from grader.nbgrader_bridge.notebook import notebook_of
from grader.nbgrader_bridge.release import ClearSolutions

CHAPTERS = catalogue.chapters()
ACTIVATIONS, DENSE = "ch03_activations", "ch05_dense"


def chapters(*modules: str) -> list[Chapter]:
    return [chapter for chapter in CHAPTERS if chapter.module in modules]


def build(folder: Path, *modules: str, **options: object) -> dict[str, str]:
    """Build these chapters, and tell what is said of each."""
    return {change.assignment: str(change) for change in course.build(Wish(folder, chapters(*modules), **options))}


def source(folder: Path, name: str = ACTIVATIONS) -> nbformat.NotebookNode:
    return pack.read(folder / "source" / name / f"{name}.ipynb")


def save(notebook: nbformat.NotebookNode, folder: Path, name: str = ACTIVATIONS) -> None:
    pack.write(notebook, folder / "source" / name / f"{name}.ipynb")


def cell(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    return next(cell for cell in notebook.cells if pack.grade_id(cell) == name)


def cleared(chapter: Chapter) -> nbformat.NotebookNode:
    """A chapter's notebook after the step of `nbgrader generate_assignment` that takes the solutions out."""
    return ClearSolutions().preprocess(nbformat.reads(made(chapter), as_version=4), {})[0]


@functools.cache
def stub_of(module: str) -> str:
    return stubs.make_stub(solution(module))


@functools.cache
def made(chapter: Chapter) -> str:
    """A chapter's notebook."""
    return nbformat.writes(notebook_of(chapter))


def answers(module: str) -> set[str]:
    """The lines of a chapter's solutions that stand nowhere in its stubs."""
    stub = stub_of(module)
    regions = re.findall(rf"{stubs.BEGIN}\n(.*?)^[ ]*{stubs.END}", solution(module), re.DOTALL | re.MULTILINE)
    lines = {line.strip() for region in regions for line in region.splitlines()}
    return {line for line in lines if len(line) > 12 and line not in stub}


def solution(module: str) -> str:
    return (kit.SOLUTIONS / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8")


def given_away(texts: Sequence[str], module: str) -> list[str]:
    return [line for line in answers(module) for text in texts if line in text]


# --- nothing that students must not see -------------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", CHAPTERS, ids=assignment_of)
def test_a_release_holds_stubs_and_no_line_of_a_solution(chapter):
    released = cleared(chapter)
    assert answers(chapter.module)
    assert given_away([cell.source for cell in released.cells], chapter.module) == []
    functions = Module("", "\n".join(cell.source for cell in released.cells if cell.cell_type == "code")).functions
    known = Module("", stub_of(chapter.module)).functions
    assert functions.keys() == known.keys()
    for exercise in chapter.exercises:
        assert is_stub(functions[exercise.name])
    for name, function in functions.items():
        assert ast.dump(without_docstring(function)) == ast.dump(without_docstring(known[name])), "it is the same stub"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=assignment_of)
def test_nothing_of_the_stubs_text_is_missing_in_the_notebook(chapter):
    """What a docstring says stands in the cell or above it, and the module's own in the first cell."""
    told = "\n".join(cell.source for cell in cleared(chapter).cells).replace("**", "")
    for line in re.split(r"\n+", "\n".join(docstrings(stub_of(chapter.module))).replace("**", "")):
        assert line.strip().removesuffix(".") in told


@pytest.mark.parametrize("chapter", CHAPTERS, ids=assignment_of)
def test_no_hidden_case_stands_in_a_notebook(chapter):
    """The cells with the points say nothing but the exercise's name."""
    notebook = nbformat.reads(made(chapter), as_version=4)
    for exercise in chapter.exercises:
        assert cell(notebook, f"{exercise.name}-points").source == f'check("{exercise.name}")'
        hidden = {case.rationale for case in exercise.hidden_cases("a secret")}
        hidden -= {case.rationale for case in exercise.public_cases()}
        assert not [rationale for rationale in hidden if rationale in made(chapter) and len(rationale) > 30]


def without_docstring(function: ast.FunctionDef) -> ast.FunctionDef:
    return ast.FunctionDef(function.name, function.args, function.body[1:], function.decorator_list)


def docstrings(text: str) -> list[str]:
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Module, ast.FunctionDef))]
    return [ast.get_docstring(node) or "" for node in nodes]


# --- released by nbgrader ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """A course with an assignment in each style, and a chapter that is given, as nbgrader releases it."""
    folder = tmp_path_factory.mktemp("course")
    build(folder, "projects.reuters", style="modules", given=chapters(ACTIVATIONS, "projects.imdb"))
    build(folder, DENSE)
    for name in ("reuters", DENSE):
        done = nbgrader("generate_assignment", name, cwd=folder)
        assert done.code == 0, done.err
    return folder


def test_nbgrader_releases_our_stubs(released):
    notebook = pack.read(released / "release" / DENSE / f"{DENSE}.ipynb")
    assert 'raise NotImplementedError("dense_forward")' in cell(notebook, "dense_forward").source
    assert cell(notebook, "imports").source.startswith("import numpy as np")
    assert [path.name for path in (released / "release" / DENSE).iterdir()] == [f"{DENSE}.ipynb"]
    texts = [cell.source for cell in notebook.cells]
    assert given_away(texts, DENSE) == []
    for chapter in chapters(DENSE):
        for exercise in chapter.exercises:
            marks = cell(notebook, f"{exercise.name}-points").metadata.nbgrader
            assert (marks.grade, marks.locked, marks.points) == (True, True, exercise.points)


def test_the_courses_secret_is_nowhere_but_in_its_file(released):
    secret = (released / "seed.txt").read_text().strip()
    assert len(secret) > 30
    assert (released / "seed.txt").stat().st_mode & 0o077 == 0
    for path in released.rglob("*"):
        if path.is_file() and path.name != "seed.txt":
            assert secret.encode() not in path.read_bytes(), path


def test_in_the_style_of_modules_the_stub_lies_beside_a_thin_notebook(released):
    folder = released / "release" / "reuters"
    assert (folder / "reuters.py").read_text(encoding="utf-8") == stub_of("projects.reuters")
    notebook = pack.read(folder / "reuters.ipynb")
    assert not any(pack.solution_of(cell) for cell in notebook.cells)
    assert '"reuters": ["reuters.py"]' in (released / "nbgrader_config.py").read_text()


def test_a_given_chapter_is_released_solved_and_no_other(released):
    folder = released / "release" / "reuters"
    assert {path.name for path in folder.glob("*.py")} == {"reuters.py", f"{ACTIVATIONS}.py", "imdb.py"}
    text = (folder / f"{ACTIVATIONS}.py").read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    bodies = {name: ast.dump(node) for name, node in Module("", text).functions.items()}
    assert bodies == {name: ast.dump(node) for name, node in Module("", solution(ACTIVATIONS)).functions.items()}


# --- built again ------------------------------------------------------------------------------------------------------


def test_building_again_changes_nothing_and_says_so(tmp_path):
    build(tmp_path, ACTIVATIONS, DENSE)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert build(tmp_path, ACTIVATIONS, DENSE) == {ACTIVATIONS: "unchanged", DENSE: "unchanged"}
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_what_the_instructor_has_done_survives(tmp_path):
    build(tmp_path, ACTIVATIONS)
    marks = {"grade_id": "why-points"}
    mine = nbformat.v4.new_markdown_cell("Why does ReLU train faster?", metadata={"nbgrader": marks})
    notebook = source(tmp_path)
    notebook.cells.insert(6, mine)
    cell(notebook, "relu-points").metadata.nbgrader.points = 5
    save(notebook, tmp_path)
    config = tmp_path / "nbgrader_config.py"
    config.write_text(config.read_text() + 'c.Judge.isolation = "required"\n')
    (tmp_path / "submitted").mkdir()
    assert build(tmp_path, ACTIVATIONS) == {ACTIVATIONS: "unchanged"}
    assert source(tmp_path).cells[6].source == mine.source
    assert cell(source(tmp_path), "relu-points").metadata.nbgrader.points == 5
    assert config.read_text().endswith('c.Judge.isolation = "required"\n')
    assert config.read_text().count("config.apply(") == 1
    assert list((tmp_path / "submitted").iterdir()) == []


def test_what_the_instructor_has_taken_out_stays_out_and_what_is_replaced_is_kept(tmp_path, capsys):
    build(tmp_path, ACTIVATIONS)
    notebook = source(tmp_path)
    notebook.cells = [cell for cell in notebook.cells if not pack.grade_id(cell).startswith("tanh")]
    notebook.metadata.kernelspec.name = "course"
    cell(notebook, "relu-text").source = "My own words."
    save(notebook, tmp_path)
    command.build(tmp_path)
    told = capsys.readouterr().out
    assert "You have taken out tanh, tanh_backward. To get all back, move the notebook out" in told
    assert not [cell for cell in source(tmp_path).cells if pack.grade_id(cell).startswith("tanh")]
    assert source(tmp_path).metadata.kernelspec.name == "course"
    (kept,) = (tmp_path / ".deepkata" / "replaced").iterdir()
    assert cell(pack.read(kept), "relu-text").source == "My own words."
    command.build(tmp_path)
    assert len(list((tmp_path / ".deepkata" / "replaced").iterdir())) == 1


def test_a_page_of_the_instructors_own_stays(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    (tmp_path / "README.md").write_text("# My course\n")
    build(tmp_path, ACTIVATIONS)
    assert (tmp_path / "README.md").read_text() == "# My course\n"
    assert (tmp_path / "KATA.md").read_text().startswith(course.OUR_PAGE)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_who_may_read_the_course_is_for_the_instructor_to_say(tmp_path):
    before = os.umask(0o027)
    try:
        build(tmp_path, ACTIVATIONS)
    finally:
        os.umask(before)
    assert (tmp_path / "nbgrader_config.py").stat().st_mode & 0o777 == 0o640


def test_building_again_without_a_choice_means_the_assignments_that_are_there(tmp_path):
    build(tmp_path, ACTIVATIONS, DENSE)
    command.build(tmp_path)
    assert course.assignments(tmp_path) == [ACTIVATIONS, DENSE]


def test_a_configuration_of_the_instructors_own_is_kept_below_ours(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "mine"\n')
    build(tmp_path, ACTIVATIONS)
    lines = (tmp_path / "nbgrader_config.py").read_text().splitlines()
    assert (lines[0], lines[-1]) == (course.OURS, 'c.CourseDirectory.course_id = "mine"')


def test_what_has_changed_is_told_and_the_other_cells_keep_their_names(tmp_path, monkeypatch):
    build(tmp_path, ACTIVATIONS)
    names = [pack.grade_id(cell) for cell in source(tmp_path).cells]
    monkeypatch.setattr(kit, "SOLUTIONS", Path(shutil.copytree(kit.SOLUTIONS, tmp_path / "release" / "solutions")))
    path = kit.SOLUTIONS / f"{ACTIVATIONS}.py"
    path.write_text(path.read_text().replace("Trap: the input must stay as it was", "Trap: the input is the caller's"))
    (chapter,) = chapters(ACTIVATIONS)
    monkeypatch.setattr(chapter.exercises[1], "points", 3.0)
    assert build(tmp_path, ACTIVATIONS) == {ACTIVATIONS: "changed: relu, relu_backward; points: relu_backward 1 → 3"}
    assert [pack.grade_id(cell) for cell in source(tmp_path).cells] == names
    gone = cell(source(tmp_path), "tanh-points")
    notebook = source(tmp_path)
    notebook.cells.remove(gone)
    notebook.metadata.deepkata.cells.remove("tanh-points")
    gone.metadata.nbgrader.grade_id = "sinh-points"
    save(nbformat.from_dict({**notebook, "cells": [*notebook.cells, gone]}), tmp_path)
    assert build(tmp_path, ACTIVATIONS) == {ACTIVATIONS: "added: tanh; removed: sinh"}


def test_other_exercises_in_a_graded_assignment_are_warned_of(tmp_path, capsys):
    """nbgrader would refuse the release, and not say why in words that help."""
    for name in (ACTIVATIONS, DENSE):
        build(tmp_path, name)
        notebook = source(tmp_path, name)
        notebook.cells = notebook.cells[:-1]
        notebook.metadata.deepkata.cells.pop()
        save(notebook, tmp_path, name)
    (tmp_path / "autograded" / "ada" / DENSE).mkdir(parents=True)
    command.build(tmp_path, [ACTIVATIONS, DENSE])
    told = " ".join(capsys.readouterr().out.split())
    warning = "It has been graded: nbgrader will not release it with other exercises."
    assert f"{ACTIVATIONS} added: softmax_backward The notebook as it was" in told
    assert f"{DENSE} added: dense_backward {warning}" in told


def test_an_assignment_keeps_its_style_and_what_it_was_given(tmp_path):
    build(tmp_path, "ch07_training", style="modules", given=chapters(ACTIVATIONS, DENSE, "ch01_tensors"))
    folder = tmp_path / "source" / "ch07_training"
    before = {path.name for path in folder.iterdir()}
    assert before == {"ch07_training.ipynb", "ch07_training.py", f"{ACTIVATIONS}.py", f"{DENSE}.py"}
    assert build(tmp_path, "ch07_training") == {"ch07_training": "unchanged"}
    assert {path.name for path in folder.iterdir()} == before


def test_the_seed_file_is_remembered(tmp_path):
    secret = tmp_path / "elsewhere" / "secret.txt"
    secret.parent.mkdir()
    secret.write_text("hard to guess")
    for options in ({"seed_file": secret}, {}):
        build(tmp_path / "course", ACTIVATIONS, **options)
        assert json.dumps(str(secret)) in (tmp_path / "course" / "nbgrader_config.py").read_text()
    assert not (tmp_path / "course" / "seed.txt").exists()


def test_a_change_is_told_in_one_line():
    assert str(Change("ch05_dense", 5, 8.5, new=True)) == "new, 5 exercises, 8.5 points"
    assert str(Change("ch05_dense", 5, 8, removed=["a", "b"], added=["c"])) == "added: c; removed: a, b"


# --- what cannot be built ---------------------------------------------------------------------------------------------


def test_a_folder_that_is_no_course_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    done = kata("nbgrader", "build", "--course", ".", "--chapters", "ch03", cwd=tmp_path)
    assert (done.code, len(done.told)) == (2, 1)
    assert "is no nbgrader course: it holds thesis.tex" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_somebody_elses_source_folder_makes_no_course(tmp_path):
    (tmp_path / "source").mkdir()
    with pytest.raises(Problem, match="is no nbgrader course: it holds source"):
        build(tmp_path, ACTIVATIONS)


def test_a_mark_without_its_partner_is_told_with_its_cell():
    notebook = notebook_of(chapters(ACTIVATIONS)[0])
    cell(notebook, "relu").source += f"\n    {stubs.BEGIN}"
    with pytest.raises(Problem, match="The cell relu has a solution mark without its partner"):
        ClearSolutions().preprocess(notebook, {})


def test_a_seed_file_where_students_get_it_is_refused(tmp_path):
    build(tmp_path, ACTIVATIONS)
    secret = tmp_path / "source" / ACTIVATIONS / "secret.txt"
    secret.write_text("hard to guess")
    with pytest.raises(Problem, match="lies where students get it"):
        build(tmp_path, ACTIVATIONS, seed_file=secret)


def test_an_unknown_chapter_is_refused(tmp_path):
    done = kata("nbgrader", "build", "--course", "c", "--chapters", "ch03,ch99", cwd=tmp_path)
    assert (done.code, done.told) == (2, ["There is no chapter or project called 'ch99'. Run `kata` for a list."])


@pytest.mark.parametrize("version", [None, "0.8.5"])
def test_a_missing_or_old_nbgrader_is_told_with_the_command_that_gets_it(version, tmp_path, monkeypatch, capsys):
    def version_of(package: str) -> str:
        if version is None:
            raise importlib.metadata.PackageNotFoundError(package)
        return version

    monkeypatch.setattr(importlib.metadata, "version", version_of)
    monkeypatch.setattr("sys.argv", ["kata", "nbgrader", "build", "--course", str(tmp_path / "c")])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    told = "nbgrader is not here." if version is None else "nbgrader 0.8.5 is too old."
    assert capsys.readouterr().err.strip() == f"{told} Install it: pip install 'deepkata[nbgrader]'."
