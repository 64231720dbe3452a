"""Which accesses to one element nothing orders: two threads, one of them writing, no barrier between them.

Blocks are never ordered (a fence and a ticket for the last block order them on a device; here that is a race), threads
of a block by its barriers, lanes of a warp also by each syncwarp that names them. The order in which the simulator
happens to run them does not matter: a race shows in every run. But of the reads of an element only the last are kept:
among three lanes or more that partial barriers order in pairs, one may go unnoticed.
"""

from __future__ import annotations

from types import CodeType, FrameType
from typing import Any

from .block import Stamp
from .faults import place

READS, WRITES, UPDATES = "reads", "writes", "updates"  # the last by cuda.atomic
Access = tuple[Stamp, str, CodeType, int]  # the last one is the instruction


class Cell:
    """The accesses to one element that a later one could collide with."""

    __slots__ = ("foreign", "other", "reader", "writer")

    def __init__(self) -> None:
        self.writer: Access | None = None
        self.reader: Access | None = None  # the last one
        self.other: Access | None = None  # the last one of another thread than that
        self.foreign: Access | None = None  # and of another block


class Watch:
    """Watches the elements of one array through one launch (or, for shared memory, one block)."""

    def __init__(self) -> None:
        self._cells: dict[int, Cell] = {}

    def written(self, element: int) -> bool:
        """Whether anything was written there."""
        cell = self._cells.get(element)
        return cell is not None and cell.writer is not None

    def elements_written(self) -> int:
        """How many have been written."""
        return sum(cell.writer is not None for cell in self._cells.values())

    def read(self, element: int, stamp: Stamp, frame: FrameType) -> tuple[Access, Access] | None:
        """Note a read; the earlier access that it collides with, and itself."""
        cell = self._cells.get(element)
        if cell is None:
            cell = self._cells[element] = Cell()
        last, writer = cell.reader, cell.writer
        if last is not None and last[0] is not stamp:
            if last[0].block != stamp.block:
                cell.other = cell.foreign = last
            elif last[0].thread != stamp.thread:
                cell.other = last
        access = cell.reader = (stamp, READS, frame.f_code, frame.f_lasti)
        if writer is None or writer[0] is stamp or not writer[0].unordered(stamp):
            return None
        return writer, access

    def write(self, element: int, stamp: Stamp, frame: FrameType, same: bool) -> tuple[Access, Access] | None:
        """Note a write; `same`: of what was there already, so that nobody can tell who came first."""
        cell = self._cell(element)
        access = (stamp, WRITES, frame.f_code, frame.f_lasti)
        updated = cell.writer is not None and cell.writer[1] == UPDATES  # then the first number may be back by chance
        earlier = () if same and not updated else (cell.writer, cell.reader, cell.other, cell.foreign)
        cell.writer = access
        return _collision(access, *earlier)

    def update(self, element: int, stamp: Stamp, frame: FrameType) -> tuple[Access, Access] | None:
        """Note an atomic update, which collides with everything but its like."""
        cell = self._cell(element)
        access = (stamp, UPDATES, frame.f_code, frame.f_lasti)
        writer = cell.writer if cell.writer is not None and cell.writer[1] != UPDATES else None
        cell.writer = access
        return _collision(access, writer, cell.reader, cell.other, cell.foreign)

    def _cell(self, element: int) -> Cell:
        cell = self._cells.get(element)
        if cell is None:
            cell = self._cells[element] = Cell()
        return cell


def _collision(access: Access, *earlier: Access | None) -> tuple[Access, Access] | None:
    for one in earlier:
        if one is not None and one[0] is not access[0] and one[0].unordered(access[0]):
            return one, access
    return None


def facts(collision: tuple[Access, Access]) -> dict[str, Any]:
    """Both sides of a collision, for the words."""
    told: dict[str, Any] = {}
    for side, (stamp, verb, code, instruction) in zip(("one", "other"), collision, strict=True):
        told |= {f"{side}_thread": place(stamp.place), f"{side}_block": place(stamp.block_place), f"{side}_verb": verb}
        told |= {f"{side}_file": code.co_filename, f"{side}_line": line_of(code, instruction)}
    told["same_block"] = int(collision[0][0].block == collision[1][0].block)
    return told


def line_of(code: CodeType, instruction: int) -> int:
    """The line of an instruction."""
    return next((line for start, stop, line in code.co_lines() if start <= instruction < stop and line), 0)
