"""The one exception for bad input: a sentence that says what is wrong, and one that says what to do."""

from __future__ import annotations


class Problem(Exception):
    """Something the user can mend. Faces print it as two sentences, without a traceback, and exit with 2."""

    def __init__(self, defect: str, action: str):
        super().__init__(f"{defect} {action}")
        self.defect = defect
        self.action = action
