"""What a kernel does wrong in a way that only a simulator sees, as facts; the host puts them into words."""

from __future__ import annotations

from typing import Any


class Fault(Exception):
    """A kernel cannot go on.

    Parameters
    ----------
    kind : what is wrong, see `grader/kernel_words.py`
    facts : names, numbers and lines that the words need; text and whole numbers only
    """

    def __init__(self, kind: str, **facts: Any):
        super().__init__(kind)
        self.kind = kind
        self.facts = facts


def told(index: Any) -> str:
    """An index as it is written: `3`, or `2, 5`."""
    return ", ".join(str(int(i)) for i in index) if isinstance(index, tuple) else str(index)


def place(index: tuple[int, int, int]) -> str:
    """A thread or block as its index is mostly written: one number in one direction, (x, y) in two."""
    x, y, z = index
    return str(index) if z else str((x, y)) if y else str(x)


def numbered(numbers: list[int], most: int = 4) -> str:
    """Thread numbers, runs of them in short: "0 to 31, 40"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in runs[:most]]
    return ", ".join(shown) + (", …" if len(runs) > most else "")
