"""What a student's notebook holds now: its saved cells, in each the text that the kernel has run last."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from grader import catalogue, kit
from grader.cells import bound_in
from grader.exercise import Chapter
from grader.problem import Problem
from grader.submission import (
    Module,
    Submission,
    code_cells,
    content_of,
    is_stub,
    is_thin,
    most_of,
    notebook_code,
    single,
)


def cells_now(saved: Iterable[str], run: Iterable[str]) -> list[str]:
    """The code cells of a notebook as the kernel knows them.

    A text that was run takes the place of the cell whose names it binds anew; of the others it is the last.

    Parameters
    ----------
    saved : the code cells in the notebook's file, in their order
    run : what the kernel has run, in the order of time
    """
    cells = list(saved)
    count = len(cells)
    for text in run:
        names = bound_in(text)
        if text in cells:  # it was run again: what has bound its names since, outside of the file, is out of date
            cells[count:] = [
                cell for cell in cells[count:] if cell == text or not bound_in(cell) or bound_in(cell) - names
            ]
            continue
        replaced = [number for number, cell in enumerate(cells) if bound_in(cell) and bound_in(cell) <= names]
        if not replaced:
            cells.append(text)
        for number in replaced:
            cells[number] = ""
        for number in replaced[:1]:
            cells[number] = text
    return cells


def submission_now(chapter: Chapter, folder: Path, run: Sequence[str]) -> Submission:
    """The chapter as the student has it now, with the earlier chapters that lie beside it.

    Raises
    ------
    Problem : a notebook or module that cannot be read
    """
    own = _own(chapter, folder, run)
    return Submission(own.path, earlier(chapter, folder) | {chapter.module: own}, whole=False)


def earlier(chapter: Chapter, folder: Path) -> dict[str, Module]:
    """The chapters before this one, by module: beside its folder, given in it, or written in the kit's exercises."""
    return _in_kit(chapter) | beside(chapter, folder)


def beside(chapter: Chapter, folder: Path) -> dict[str, Module]:
    """The chapters before this one that lie beside its folder, or were given in it."""
    found = {}
    for other in _before(chapter):
        name = other.module.rpartition(".")[2]
        module = _in_file(other, folder.parent / name / name) or _in_file(other, folder / name)
        if module is not None:
            found[other.module] = module
    return found


def _in_kit(chapter: Chapter) -> dict[str, Module]:
    places = {other: kit.EXERCISES / other.module.replace(".", "/") for other in _before(chapter)}
    found = {other: module for other, place in places.items() if (module := _in_file(other, place))}
    return {other.module: module for other, module in found.items() if _is_begun(other, module)}


def _before(chapter: Chapter) -> Sequence[Chapter]:
    return catalogue.chapters()[: catalogue.chapters().index(chapter)]


def missing(handed_in: Submission, chapter: Chapter) -> list[str]:
    """The chapters that a chapter imports from and that are nowhere."""
    known = {chapter.module for chapter in catalogue.chapters()}
    return sorted(handed_in.named_in(chapter.module) & known - handed_in.modules.keys())


def _own(chapter: Chapter, folder: Path, run: Sequence[str]) -> Module:
    name = chapter.module.rpartition(".")[2]
    path, module = _notebook(folder, name), folder / f"{name}.py"
    text = content_of(path, path.name, most_of(path.name)).decode("utf-8", "replace") if path else ""
    code = notebook_code(cells_now(code_cells(text, f"{name}.ipynb") if path else [], run))
    own = Module(f"{name}.ipynb", code.text, code.broken, code.starts)
    return _of_file(chapter, module) if module.is_file() and (is_thin(text) or not own.functions) else own


def _notebook(folder: Path, name: str) -> Path | None:
    """The file of the notebook that is open: Jupyter's server tells it to the kernel, others leave it to be guessed."""
    for path in (Path(os.environ.get("JPY_SESSION_NAME", "")), folder / f"{name}.ipynb"):
        if path.suffix == ".ipynb" and path.is_file():
            return path
    return None


def _in_file(chapter: Chapter, place: Path) -> Module | None:
    """A chapter in a notebook or a module at `place`, without its suffix; what cannot be read is not there."""
    found = []
    for path in (place.with_suffix(".ipynb"), place.with_suffix(".py")):
        with contextlib.suppress(Problem):
            found.append(_of_file(chapter, path))
    return next((module for module in found if module.functions), found[0] if found else None)


def _of_file(chapter: Chapter, path: Path) -> Module:
    content = content_of(path, path.name, most_of(path.name))
    return single(path.stem, path.name, content, path.name).modules[chapter.module]


def _is_begun(chapter: Chapter, module: Module) -> bool:
    functions = [module.functions.get(exercise.name) for exercise in chapter.exercises]
    return any(function is not None and not is_stub(function) for function in functions)
