"""What a kernel asks of memory: how often each argument is read and written, and how well a warp's accesses fit.

A device answers a warp as one: it fetches the 32-byte sectors of global memory that its lanes ask for, and takes one
turn for each address that falls into the same of 32 banks of shared memory. Which accesses belong together is told by
the instruction and by how often each lane has been there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any

SECTOR = 32
BANKS, BANK_WIDTH = 32, 4
MOST_POINTS = 6000  # of the access pattern that is kept for a picture
READ, WRITE, UPDATE = "reads", "writes", "updates"


@dataclass
class Row:
    """One array of one kernel, summed over its launches.

    `sectors` and `fewest` count what warps asked for of global memory and what it could have been; `turns` and
    `best_turns` are the same of shared memory.
    """

    kernel: str
    array: str
    space: str
    elements: int = 0
    reads: int = 0
    writes: int = 0
    updates: int = 0
    sectors: int = 0
    fewest: int = 0
    turns: int = 0
    best_turns: int = 0

    def count(self, what: str) -> None:
        setattr(self, what, getattr(self, what) + 1)


class Traffic:
    """Counts the accesses of one call; those of the first block one by one too, if `points` of a picture are wanted."""

    def __init__(self, points: bool = False) -> None:
        self.most_points = MOST_POINTS if points else 0
        self.rows: dict[tuple[str, str, str], Row] = {}
        self.points: dict[str, list[list[int]]] = defaultdict(list)  # array -> thread, step, element; of block 0
        self._groups: dict[Any, list[tuple[int, int]]] = defaultdict(list)

    def row(self, kernel: str, array: str, space: str) -> Row:
        key = (kernel, array, space)
        if key not in self.rows:
            self.rows[key] = Row(kernel, array, space)
        return self.rows[key]

    def note(self, row: Any, what: str, offset: int, width: int, thread: Any, frame: FrameType) -> None:
        """One access of a thread, `offset` bytes into the array."""
        row.count(what)
        where = (frame.f_code, frame.f_lasti)
        step = thread.steps.get(where, 0)
        thread.steps[where] = step + 1
        key = (row.kernel, row.array, row.space, what == READ, thread.block.number, thread.stamp.warp, where, step)
        self._groups[key].append((offset, width))
        if thread.block.number == 0 and len(self.points[row.array]) < self.most_points:
            self.points[row.array].append([thread.number, step, offset // width])

    def settle(self) -> None:
        """Count what the warps of the blocks that have ended asked for."""
        for (kernel, array, space, *_), accesses in self._groups.items():
            row = self.rows[kernel, array, space]
            if space == "global":
                row.sectors += len({piece for access in accesses for piece in _pieces(access, SECTOR)})
                row.fewest += -(-len(set(accesses)) * accesses[0][1] // SECTOR)
            else:
                row.turns += _turns(accesses)
                row.best_turns += -(-len(set(accesses)) * accesses[0][1] // (BANKS * BANK_WIDTH))
        self._groups.clear()

    def report(self) -> dict[str, Any]:
        """All of it, as it travels."""
        return {"rows": [list(asdict(row).values()) for row in self.rows.values()], "points": dict(self.points)}


def _pieces(access: tuple[int, int], size: int) -> range:
    offset, width = access
    return range(offset // size, (offset + width - 1) // size + 1)


def _turns(accesses: list[tuple[int, int]]) -> int:
    """How many turns the banks need: the most different words that one of them has to serve."""
    words = {word for access in accesses for word in _pieces(access, BANK_WIDTH)}
    return max(Counter(word % BANKS for word in words).values())
