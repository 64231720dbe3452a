"""The first step of autograding: the notebook as it was released, with the student's text in it.

Students can change everything in their notebook's file. Metadata that is forged, doubled or gone can stop nbgrader's
own steps, for one student or for the whole class, and what is HTML in it would run in the browser of whoever reads the
feedback. So a new notebook is made, and only the text of the submitted cells, with the pictures that were pasted into
it, goes into it. What each cell is, what it
is worth and what stands in the locked ones comes from the gradebook.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook, Notebook
from nbgrader.preprocessors import NbGraderPreprocessor

from grader.cells import readable
from grader.nbgrader_bridge.identity import POINTS

SCHEMA = 3  # of nbgrader's metadata
LANGUAGE = {"name": "python"}
LONGEST, MOST_FORMULAS = 10_000, 200  # of a text that is rendered
_FORMULA = re.compile(r"\\[(\[]|\\begin")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_BLANK = re.compile(r"[\x00-\x20]")  # a browser passes over these in an address
_SCHEMES = ("http", "https", "mailto")
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_FILE = re.compile(r"[\w. -]+")


@dataclass(frozen=True)
class Released:
    """One of the cells that the gradebook knows.

    Parameters
    ----------
    kind : "code" or "markdown"
    marks : nbgrader's metadata of it
    """

    kind: str
    source: str
    marks: Mapping[str, Any]


class Restore(NbGraderPreprocessor):
    """Makes a sound notebook of whatever was submitted."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        place = resources["nbgrader"]
        with Gradebook(place["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(place["notebook"], place["assignment"])
            released = released_cells(notebook)
            kernel = json.loads(notebook.kernelspec or "null")
        cells = restored(nb.get("cells", []), released)
        missing = [name for name, cell in released.items() if cell.marks["grade"] and name not in _names(nb, released)]
        for name in missing:
            self.log.warning("%s: the cell %s was missing and is put back.", place["student"], name)
        metadata = {"language_info": LANGUAGE} | ({"kernelspec": kernel} if kernel else {})
        return new_notebook(cells=cells, metadata=metadata), resources


def released_cells(notebook: Notebook) -> dict[str, Released]:
    """The cells of a released notebook, as the gradebook has them, by grade_id."""
    worth = {cell.name: cell.max_score for cell in (*notebook.grade_cells, *notebook.task_cells)}
    solutions = {cell.name for cell in notebook.solution_cells}
    tasks = {cell.name for cell in notebook.task_cells}
    found = {}
    for cell in notebook.source_cells:
        marks = {"schema_version": SCHEMA, "grade_id": cell.name, "locked": cell.locked, "task": cell.name in tasks}
        marks |= {"grade": cell.name in worth.keys() - tasks, "solution": cell.name in solutions}
        if cell.name in worth:
            marks["points"] = worth[cell.name]
        found[cell.name] = Released(cell.cell_type, cell.source, marks)
    return found


def restored(submitted: Iterable[Any], released: Mapping[str, Released]) -> list[NotebookNode]:
    """The cells in the student's order; of doubled ones the last counts, and missing ones with points are put back."""
    submitted = list(submitted)
    places = {name: number for number, cell in enumerate(submitted) if (name := _name(cell, released))}
    cells = []
    for number, cell in enumerate(submitted):
        name = _name(cell, released)
        if name and places[name] == number:
            cells.append(_as_released(released[name], _text(cell), cell))
            if _has_other_code(cell, released[name]):  # it counts for the judge, and whoever reads it must see it
                cells.append(_students_own(cell))
        else:
            cells.append(_students_own(cell))
    for name, one in released.items():
        if name not in places and (one.marks["grade"] or one.marks["task"]):
            cells.insert(_place_for(name, cells), _as_released(one, one.source, {}))
    return cells


def _names(nb: NotebookNode, released: Mapping[str, Released]) -> set[str]:
    return {_name(cell, released) for cell in nb.get("cells", [])}


def _name(cell: Any, released: Mapping[str, Released]) -> str:
    """The released cell that a submitted one says it is; "" for none."""
    try:
        name = cell["metadata"]["nbgrader"]["grade_id"]
    except (KeyError, TypeError):
        return ""
    return name if isinstance(name, str) and name in released else ""


def _text(cell: Any) -> str:
    text = cell.get("source", "")
    return readable(text) if isinstance(text, str) else ""


def _as_released(released: Released, text: str, cell: Mapping[str, Any]) -> NotebookNode:
    text = released.source if released.marks["locked"] else text
    metadata = {"nbgrader": dict(released.marks)}
    if released.kind == "code":
        return new_code_cell(text, metadata=metadata)
    if text == released.source:
        return new_markdown_cell(text, metadata=metadata)
    return _text_cell(text, cell, metadata)


def _has_other_code(cell: Any, released: Released) -> bool:
    """Whether a student has written in a locked cell."""
    locked = released.marks["locked"] and cell.get("cell_type") == "code"
    return bool(locked and _text(cell).strip() not in ("", released.source.strip()))


def _students_own(cell: Any) -> NotebookNode:
    """A cell of the student's: code, or text in which nothing is HTML; that is all that a raw cell is in a page."""
    if cell.get("cell_type") == "code":
        return new_code_cell(_text(cell))
    return _text_cell(_text(cell), cell, {})


def _text_cell(text: str, cell: Mapping[str, Any], metadata: dict[str, Any]) -> NotebookNode:
    """A text of the student's; one that has links to scripts, or cannot be rendered, is shown as it was typed."""
    inert, pictures = _TAG.sub("&lt;", text), _pictures(cell)
    try:
        if len(text) > LONGEST or len(_FORMULA.findall(text)) > MOST_FORMULAS:
            raise ValueError("rendering takes time that grows with the square of the length")
        page = MarkdownWithMath(renderer=IPythonRenderer(escape=False, attachments=pictures)).render(inert)
    except Exception:  # nbconvert would fail on it as well, and the student had no feedback at all
        page = None
    if page is None or not only_leads_to_pages(page):
        return new_markdown_cell("\n".join(f"    {line}" for line in text.splitlines()), metadata=metadata)
    return new_markdown_cell(inert, metadata=metadata, **({"attachments": pictures} if pictures else {}))


class _Links(HTMLParser):
    """Collects where a page leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [_BLANK.sub("", value or "") for name, value in attrs if name in ("href", "src")]


def only_leads_to_pages(page: str) -> bool:
    """Whether nothing in HTML leads to anything but pages and pasted pictures."""
    links = _Links()
    links.feed(page)
    return all(_is_page(link.lower()) for link in links.found)


def _is_page(link: str) -> bool:
    scheme, colon, rest = link.partition(":")
    if scheme == "data":
        return rest.startswith(tuple(f"{kind};" for kind in _PICTURES))
    return not colon or link.startswith("#") or scheme in _SCHEMES


def _pictures(cell: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The pictures that were pasted into a text cell."""
    attachments = cell.get("attachments")
    kept = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        pictures = {
            kind: data
            for kind, data in (bundle.items() if isinstance(bundle, dict) else ())
            if kind in _PICTURES and isinstance(data, str) and _BASE64.fullmatch(data)
        }
        if pictures and _FILE.fullmatch(name):
            kept[name] = pictures
    return kept


def _place_for(name: str, cells: list[NotebookNode]) -> int:
    """Behind the cell in which the student has answered it, else at the end."""
    answer = name.removesuffix(POINTS)
    for number, cell in enumerate(cells):
        if cell.metadata.get("nbgrader", {}).get("grade_id") == answer:
            return number + 1
    return len(cells)
