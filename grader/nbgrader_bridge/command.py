"""`kata nbgrader` for instructors, `kata notebook` for students."""

from __future__ import annotations

import enum
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader import catalogue
from grader.exercise import Chapter
from grader.problem import Problem
from grader.reports.terminal import console, plain

if TYPE_CHECKING:
    from nbformat import NotebookNode

OLDEST = (0, 9, 5)
nbgrader_app = typer.Typer(help="A course for nbgrader (for instructors).", no_args_is_help=True)
notebook_app = typer.Typer(help="Between modules and notebooks, without loss.", no_args_is_help=True)


class Style(enum.StrEnum):
    """Where students write."""

    cells = "cells"
    modules = "modules"


@nbgrader_app.command()
def build(
    course: Annotated[Path, typer.Option(metavar="DIR", help="the course's folder, or a new one")],
    chapters: Annotated[
        list[str] | None, typer.Option(help="chapters, e.g. ch03,ch05; none: those that are there, in a new course all")
    ] = None,
    given: Annotated[list[str] | None, typer.Option(help="chapters that students get solved")] = None,
    style: Annotated[Style | None, typer.Option(help="where students write: cells, or modules beside them")] = None,
    seed_file: Annotated[Path | None, typer.Option(metavar="FILE", help="the course's secret")] = None,
) -> None:
    """Build a course from the solutions, or build it again after a change."""
    _require_nbgrader()
    from grader.nbgrader_bridge import course as courses

    meant = _chapters(chapters or courses.assignments(course))
    wish = courses.Wish(course, meant, _chapters(given) if given else (), style or "", seed_file)
    for change in courses.build(wish):
        console.print(plain(f"{change.assignment:<24}{change}"))
        if (change.added or change.removed) and any(course.glob(f"autograded/*/{change.assignment}")):
            console.print(plain(f"{'':<24}It has been graded: nbgrader will not release it with other exercises."))
        if change.left_out:
            advice = f"To get all back, move the notebook out of source/{change.assignment}/ and build again."
            console.print(plain(f"{'':<24}You have taken out {', '.join(change.left_out)}. {advice}"))
        if change.kept:
            console.print(plain(f"{'':<24}The notebook as it was is kept in {change.kept}."))
    first = courses.assignments(course)[0]
    page = courses.page_of(course).name
    console.print(plain(f"\nNext, in {course}: `nbgrader generate_assignment {first}`. Its {page} tells the rest."))


@notebook_app.command()
def pack(
    files: Annotated[list[Path], typer.Argument(help="modules, and the released notebook of each")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="else notebooks are replaced")] = None,
) -> None:
    """Put modules into the notebooks that were released for them."""
    _require_nbgrader()
    from grader.nbgrader_bridge import pack as packing

    notebooks = {
        packing.chapter_of(notebook, str(path)).module: (path, notebook)
        for path in files
        if path.suffix == ".ipynb"
        for notebook in [packing.read(path)]
    }
    modules = {_chapter_of(path).module: path for path in files if path.suffix != ".ipynb"}
    if len(modules) + len(notebooks) < len(files):
        raise Problem("Two of these files are of the same chapter.", "Give one module and one notebook for each.")
    if not modules or modules.keys() != notebooks.keys():
        raise Problem(
            "Each module needs its notebook, and each notebook its module.",
            "Give both, e.g. `kata notebook pack ch03_activations.py ch03_activations.ipynb`.",
        )
    for name, module in modules.items():
        path, notebook = notebooks[name]
        packed = packing.pack(_content(module), notebook, module.name)
        _write_notebook(packed, out / path.name if out else path)


@notebook_app.command()
def unpack(
    notebooks: Annotated[list[Path], typer.Argument(help="notebooks with solutions")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="where the modules go")],
) -> None:
    """Make modules of notebooks."""
    _require_nbgrader()
    from grader.nbgrader_bridge import pack as packing
    from grader.result import write_bytes_atomically

    for path in notebooks:
        notebook = packing.read(path)
        module = out / (packing.chapter_of(notebook, str(path)).module.replace(".", "/") + ".py")
        if module.exists():
            console.print(plain(f"{module} was there; it is kept in {packing.replaced(module)}."))
        write_bytes_atomically(module, packing.unpack(notebook, str(path)))
        console.print(plain(f"wrote {module}"))


@notebook_app.command()
def update(
    student: Annotated[Path, typer.Argument(metavar="STUDENT.ipynb", help="with your work")],
    released: Annotated[Path, typer.Argument(metavar="RELEASED.ipynb", help="the newer release")],
) -> None:
    """Take your work over into a newer release of a notebook."""
    _require_nbgrader()
    from grader.nbgrader_bridge import pack as packing

    updated = packing.update(packing.read(student), packing.read(released), str(student))
    _write_notebook(updated, student)


def _write_notebook(notebook: NotebookNode, path: Path) -> None:
    from grader.nbgrader_bridge import pack as packing

    if path.exists():
        console.print(plain(f"{path} as it was is kept in {packing.replaced(path)}."))
    packing.write(notebook, path)
    console.print(plain(f"wrote {path}"))


def _require_nbgrader() -> None:
    """Raise Problem where nbgrader is not here, or too old."""
    action = "Install it: pip install 'deepkata[nbgrader]'."
    try:
        version = importlib.metadata.version("nbgrader")
    except importlib.metadata.PackageNotFoundError:
        raise Problem("nbgrader is not here.", action) from None
    if tuple(int(part) for part in version.split(".")[:3] if part.isdigit()) < OLDEST:
        raise Problem(f"nbgrader {version} is too old.", action)


def _chapters(names: Sequence[str] | None) -> Sequence[Chapter]:
    """The chapters that are named, in teaching order; all of them for none."""
    wanted = [name.strip() for text in names or [] for name in text.split(",") if name.strip()]
    meant = {_chapter(name).module for name in wanted}
    return [chapter for chapter in catalogue.chapters() if chapter.module in meant or not wanted]


def _chapter(name: str) -> Chapter:
    for chapter in catalogue.chapters():
        last = catalogue.last_part(chapter)
        if name in (chapter.module, last, last.partition("_")[0]):
            return chapter
    raise Problem(f"There is no chapter or project called {name!r}.", "Run `kata` for a list.")


def _chapter_of(path: Path) -> Chapter:
    """The chapter that a module is named after."""
    named = catalogue.chapters_in(path.stem)
    if not named:
        raise Problem(f"{path} is named after no chapter.", "Name it like the stub, e.g. ch03_activations.py.")
    return named[0]


def _content(path: Path) -> bytes:
    from grader.submission import content_of

    return content_of(path, str(path))
