"""What belongs to a submission in an nbgrader course: the notebook or the module beside it, and earlier chapters."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from nbgrader_class import CHAPTER, with_cell, write

from grader import catalogue
from grader.problem import Problem
from grader.submission import Submission

pytest.importorskip("nbgrader", reason="no nbgrader; pip install 'deepkata[nbgrader]'")

from grader.nbgrader_bridge.extract import submission_of


def test_a_chapter_finds_the_students_own_earlier_ones_then_those_that_were_given(tmp_path):
    (tmp_path / "given").mkdir()
    for name in ("ch01_tensors", "ch02_preprocessing", "ch07_training"):
        (tmp_path / "given" / f"{name}.py").write_text("WHOSE = 'given'\n")
    for name in ("ch01_tensors", "ch05_dense"):
        write(
            notebook_with(f"def {catalogue.select([name])[0].name}(x):\n    return x"),
            tmp_path / name / f"{name}.ipynb",
        )
    found = read_from(tmp_path, "ch05_dense").modules
    assert found.keys() == {"ch01_tensors", "ch02_preprocessing", "ch05_dense"}, (
        "later chapters are none of its business"
    )
    assert {name for name, module in found.items() if "given" in module.text} == {"ch02_preprocessing"}


def test_the_module_beside_a_notebook_without_functions_is_what_was_handed_in(tmp_path):
    write(notebook_with('check("relu")'), tmp_path / CHAPTER / f"{CHAPTER}.ipynb")
    (tmp_path / CHAPTER / f"{CHAPTER}.py").write_text("def relu(x):\n    return x\n")
    assert read_from(tmp_path, CHAPTER).modules[CHAPTER].path == f"{CHAPTER}.py"
    write(notebook_with("def relu(x):\n    return x"), tmp_path / CHAPTER / f"{CHAPTER}.ipynb")
    assert read_from(tmp_path, CHAPTER).modules[CHAPTER].path == f"{CHAPTER}.ipynb", "a copy does not count"
    released = notebook_with("def relu(x):\n    return 'tried out'")
    released["cells"][0]["metadata"] = {"nbgrader": {"grade": True, "solution": False}}
    write(released, tmp_path / CHAPTER / f"{CHAPTER}.ipynb")
    assert read_from(tmp_path, CHAPTER).modules[CHAPTER].path == f"{CHAPTER}.py", "it has no cell for solutions"


def test_an_earlier_chapter_that_cannot_be_read_costs_only_what_calls_it(tmp_path):
    (tmp_path / "ch01_tensors").mkdir()
    (tmp_path / "ch01_tensors" / "ch01_tensors.ipynb").write_text("{")
    write(notebook_with("def relu(x):\n    return x"), tmp_path / CHAPTER / f"{CHAPTER}.ipynb")
    assert read_from(tmp_path, CHAPTER).modules.keys() == {CHAPTER}


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few people make links")
@pytest.mark.parametrize("link", [CHAPTER, f"{CHAPTER}/{CHAPTER}.ipynb", f"{CHAPTER}/{CHAPTER}.py"])
def test_a_link_to_somebody_elses_work_is_not_followed(tmp_path, link):
    write(notebook_with("x = 1"), tmp_path / CHAPTER / f"{CHAPTER}.ipynb")
    (tmp_path / CHAPTER / f"{CHAPTER}.py").write_text("def relu(x):\n    return x\n")
    (tmp_path / link).rename(tmp_path / "elsewhere")
    (tmp_path / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Problem, match="is a link, which is not followed"):
        read_from(tmp_path, CHAPTER)


def notebook_with(code: str) -> dict:
    """A notebook of one cell."""
    return with_cell({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}, code, 0)


def read_from(folder: Path, module: str) -> Submission:
    """What a student has handed in for a chapter, each assignment in a folder of its name."""
    (chapter,) = [chapter for chapter in catalogue.chapters() if chapter.module == module]
    return submission_of(chapter, "ada", folder.joinpath, folder / "given")
