"""What of a submitted notebook goes on to be graded, and what a result is worth in a gradebook."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("nbgrader", reason="no nbgrader; pip install 'deepkata[nbgrader]'")

from grader.nbgrader_bridge.points import points_of
from grader.nbgrader_bridge.restore import Released, restored
from grader.result import ExerciseResult

MARKS = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
PICTURE = {"image/png": "iVBORw0KGgo="}


def released(**cells: dict) -> dict[str, Released]:
    """Cells as a gradebook has them: grade_id -> what they are."""
    return {
        name.replace("_points", "-points"): Released(
            facts.pop("kind", "code"), facts.pop("source", "original"), {**MARKS, "grade_id": name, **facts}
        )
        for name, facts in cells.items()
    }


def submitted(source: str, name: str = "", kind: str = "code", **facts: object) -> dict:
    marks = {"nbgrader": {"grade_id": name}} if name else {}
    return {"cell_type": kind, "source": source, "metadata": marks, **facts}


def text_of(source: str, **facts: object) -> str:
    """What becomes of a text cell of the student's."""
    (cell,) = restored([submitted(source, kind="markdown", **facts)], {})
    return cell.source


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "[x][y]\n\n[y]: vbscript:1",
        "![x](data:text/html,a)",
        "![x](data:image/svg+xml;base64,AAAA)",
        "![x](attachment:missing.png)",
    ],
)
def test_a_text_with_links_to_scripts_or_to_nothing_is_shown_as_it_was_typed(text):
    assert text_of(text) == "\n".join(f"    {line}" for line in text.split("\n"))


@pytest.mark.parametrize(
    "text",
    ["# A *heading*", "[a page](https://keras.io/api)", "[below](#relu)", "mail@example.org", "$a < b$ and 1 < 2", ""],
)
def test_an_ordinary_text_stays_as_it_is(text):
    assert text_of(text) == text


@pytest.mark.parametrize("text", [r"\( " * 300, r"\begin{a}" * 300, "a text " * 2000])
def test_a_text_that_takes_long_to_render_is_shown_as_it_was_typed(text):
    assert text_of(text) == f"    {text}"


def test_html_is_shown_not_obeyed():
    assert text_of("<b>bold</b> <script>x()</script>") == "&lt;b>bold&lt;/b> &lt;script>x()&lt;/script>"


def test_pasted_pictures_stay_and_what_only_looks_like_one_does_not():
    good = submitted("![a](attachment:a.png)", kind="markdown", attachments={"a.png": PICTURE})
    (cell,) = restored([good], {})
    assert (cell.source, cell.attachments) == ("![a](attachment:a.png)", {"a.png": PICTURE})
    for attachments in (
        {"a.png": {"image/png": '"><script>'}},
        {"a.png": {"text/html": "AAAA"}},
        {"a.png": 5},
        "a.png",
    ):
        (cell,) = restored([good | {"attachments": attachments}], {})
        assert "attachments" not in cell
        assert cell.source.startswith("    ")


def test_nothing_but_the_text_of_a_cell_goes_on():
    outputs = [{"output_type": "execute_result", "data": {"text/plain": "100.0"}}]
    hostile = submitted("x = 1", outputs=outputs, execution_count="<script>", id="<script>")
    hostile["metadata"] = {"tags": ["<script>"], "nbgrader": {"grade": True, "points": 100, "grade_id": "mine"}}
    (cell,) = restored([hostile], released(relu={"solution": True}))
    assert (cell.source, cell.metadata, cell.outputs, cell.execution_count) == ("x = 1", {}, [], None)
    assert "<" not in cell.id


def test_a_sign_that_no_file_can_hold_is_replaced():
    cells = restored([submitted("half a \ud83d"), submitted("a \0", kind="markdown")], {})
    assert [cell.source for cell in cells] == ["half a \ufffd", "a \ufffd"]


@pytest.mark.parametrize("junk", [{}, {"cell_type": "code", "source": {"a": 1}}, {"cell_type": "evil", "metadata": 5}])
def test_what_is_no_cell_is_an_empty_one(junk):
    (cell,) = restored([junk], released(relu={"solution": True}))
    assert cell.source == ""


def test_locked_cells_are_the_instructors_and_show_below_what_was_written_in_them():
    known = released(relu={"solution": True}, relu_points={"grade": True, "locked": True, "points": 2})
    cells = restored([submitted("first", "relu"), submitted("100", "relu-points"), submitted("second", "relu")], known)
    assert [(cell.source, cell.metadata.get("nbgrader", {}).get("points")) for cell in cells] == [
        ("first", None),
        ("original", 2),
        ("100", None),
        ("second", None),
    ]
    assert [bool(cell.metadata.get("nbgrader")) for cell in cells] == [False, True, False, True]


def test_missing_cells_with_points_come_back_below_their_answer():
    known = released(
        relu={"solution": True},
        relu_points={"grade": True, "locked": True, "points": 1},
        essay={"grade": True, "solution": True, "points": 5, "kind": "markdown"},
        hint={"locked": True, "kind": "markdown"},
    )
    cells = restored([submitted("mine", "relu"), submitted("scratch")], known)
    assert [cell.source for cell in cells] == ["mine", "original", "scratch", "original"]
    assert [cell.cell_type for cell in cells] == ["code", "code", "code", "markdown"]


def test_an_answer_for_the_instructor_keeps_its_text_and_its_place():
    known = released(essay={"grade": True, "solution": True, "points": 5, "kind": "markdown"})
    (cell,) = restored([submitted("My *answer*", "essay", kind="code")], known)
    assert (cell.cell_type, cell.source, cell.metadata.nbgrader.points) == ("markdown", "My *answer*", 5)


def test_points_are_a_finite_share_of_what_the_instructor_makes_of_them():
    right = ExerciseResult("ch03_activations.relu", 2.0, 1.5)
    assert points_of(right, 2.0) == 1.5
    assert points_of(right, 10) == 7.5
    assert isinstance(points_of(right, 2), float)
    for score in (math.nan, math.inf, -math.inf, -1.0):
        assert points_of(ExerciseResult("", 2.0, score), 2.0) == 0.0
    assert points_of(ExerciseResult("", 2.0, 100.0), 2.0) == 2.0
    assert points_of(ExerciseResult("", 0.0, 0.0), 2.0) == 0.0
