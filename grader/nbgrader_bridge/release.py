"""What stands in nbgrader's list of release steps in the place of its own clearing: our stubs, by the same rule."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader import preprocessors, utils

from grader import stubs
from grader.problem import Problem


class ClearSolutions(preprocessors.ClearSolutions):
    """Makes a stub of every exercise; cells that are none of the kit's are cleared as nbgrader does it."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> tuple[NotebookNode, Any]:
        if not (cell.cell_type == "code" and utils.is_solution(cell) and cell.metadata.get("deepkata")):
            return super().preprocess_cell(cell, resources, cell_index)
        try:
            cell.source = stubs.make_stub(cell.source + "\n").removesuffix("\n")
        except (ValueError, IndexError):
            name = cell.metadata.nbgrader.grade_id
            raise Problem(
                f"The cell {name} has a solution mark without its partner.", f"Pair {stubs.BEGIN} with {stubs.END}."
            ) from None
        return cell, resources
