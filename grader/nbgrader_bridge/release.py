"""What stands in nbgrader's list of release steps in the place of its own clearing: our stubs, by the same rule."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader import preprocessors, utils

from grader import stubs


class ClearSolutions(preprocessors.ClearSolutions):
    """Makes a stub of every exercise; cells that are none of the kit's are cleared as nbgrader does it."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> tuple[NotebookNode, Any]:
        if not (cell.cell_type == "code" and utils.is_solution(cell) and cell.metadata.get("deepkata")):
            return super().preprocess_cell(cell, resources, cell_index)
        cell.source = stubs.make_stub(cell.source + "\n").removesuffix("\n")
        return cell, resources
