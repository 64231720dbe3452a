"""The threads of one block: they take turns, wait at barriers and for their warp, and are told apart by what they did.

A thread runs until it waits or ends. When none can run, whoever waits for something that has come about goes on; when
nothing has, nobody ever will, and who waits where is reported at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from .faults import Fault, numbered, place
from .strand import Strand

WARP = 32
ALL_LANES = 0xFFFF_FFFF
BARRIERS = ("syncthreads", "syncthreads_count", "syncthreads_and", "syncthreads_or", "grid.sync")

# For each lane of a warp, how many of its barriers since the block's last one a thread has behind it, itself or through
# those that it met: what lane n did before its k-th one is ordered for whoever has at least k for n.
Clock = tuple[int, ...]
START: Clock = (0,) * WARP


class Stamp:
    """A thread at a point of its order: what it does before a barrier, and what others do behind it, is ordered."""

    __slots__ = ("block", "block_place", "clock", "epoch", "lane", "place", "thread", "warp")

    def __init__(self, thread: Thread, epoch: int, clock: Clock):
        self.thread, self.warp, self.lane = thread.number, thread.number // WARP, thread.lane
        self.block, self.block_place, self.place = thread.block.number, thread.block.place, thread.place
        self.epoch, self.clock = epoch, clock

    def unordered(self, later: Stamp) -> bool:
        """Whether another thread's later point could as well have come first."""
        if self.block != later.block:
            return True
        if self.thread == later.thread or self.epoch != later.epoch:
            return False
        return self.warp != later.warp or self.clock[self.lane] >= later.clock[self.lane]


class Wait:
    """What a thread waits for, with what it brings."""

    __slots__ = ("file", "kind", "line", "mask", "value")

    def __init__(self, kind: str, mask: int, value: Any, frame: FrameType):
        self.kind, self.mask, self.value = kind, mask, value
        self.file, self.line = frame.f_code.co_filename, frame.f_lineno


class Thread:
    """One thread of a block."""

    def __init__(self, block: Block, number: int, place: tuple[int, int, int], body: Callable[[], None]):
        self.block = block
        self.number = number  # in the block, x first
        self.place = place
        self.strand = Strand(body)
        self.wait: Wait | None = None
        self.answer: Any = None
        self.stamp = Stamp(self, 0, START)
        self.loaded: dict[Any, int] = {}  # region -> what it loaded last, as long as nothing can have changed there
        self.steps: dict[tuple[Any, int], int] = {}  # how often it has been at each instruction, for the tracer

    @property
    def lane(self) -> int:
        return self.number % WARP

    @property
    def ended(self) -> bool:
        return bool(self.strand.ended)

    def meet(self, kind: str, mask: int, value: Any, frame: FrameType) -> Any:
        """Wait for the others; what they all brought, by thread number for a barrier and by lane for a warp."""
        self.wait = Wait(kind, mask, value, frame)
        self.loaded.clear()
        self.strand.pause()
        return self.answer


class Block:
    """Runs the threads of one block to their end.

    Parameters
    ----------
    number, place : which block of the grid it is
    shape : its threads in x, y and z
    body : what each thread runs
    enter : told which thread is about to run
    order : shuffles the threads each time; None takes them as they are numbered
    """

    def __init__(
        self,
        number: int,
        place: tuple[int, int, int],
        shape: Sequence[int],
        body: Callable[[], None],
        enter: Callable[[Thread], None],
        order: random.Random | None = None,
    ):
        self.number = number
        self.place = place
        self.enter = enter
        self.order = order
        self.shared: dict[Any, Any] = {}  # its shared arrays, by where they are made
        self.epoch = 0
        width, height, depth = shape
        places = [(x, y, z) for z in range(depth) for y in range(height) for x in range(width)]
        self.threads = [Thread(self, number, place, body) for number, place in enumerate(places)]

    def run(self) -> None:
        """Let all threads run to their end; raises what one of them raises, or Fault where they never could."""
        ready = list(self.threads)
        try:
            while ready:
                if self.order is not None:
                    self.order.shuffle(ready)
                for thread in ready:
                    thread.wait = None
                    self.enter(thread)
                    thread.strand.resume()
                ready = self._released()
        finally:
            for thread in self.threads:
                thread.strand.abandon()

    def _released(self) -> list[Thread]:
        """The threads that can go on, now that none runs; none when all have ended."""
        waiting = [thread for thread in self.threads if not thread.ended]
        released = [thread for warp in self._warps(waiting) for thread in self._exchanged(warp)]
        if released or not waiting:
            return released
        first = waiting[0].wait
        assert first is not None
        together = all(_same_barrier(thread.wait, first) for thread in waiting)
        if len(waiting) < len(self.threads) or not together or first.kind not in BARRIERS:
            raise self._stuck(waiting)
        self._pass_the_barrier()
        return waiting

    def _pass_the_barrier(self) -> None:
        self.epoch += 1
        brought = [thread.wait.value for thread in self.threads if thread.wait is not None]
        for thread in self.threads:
            thread.answer = brought
            thread.stamp = Stamp(thread, self.epoch, START)

    @staticmethod
    def _warps(waiting: Sequence[Thread]) -> list[list[Thread]]:
        """Those that wait for their warp, warp by warp."""
        warps: dict[int, list[Thread]] = {}
        for thread in waiting:
            if thread.wait is not None and thread.wait.kind not in BARRIERS:
                warps.setdefault(thread.number // WARP, []).append(thread)
        return list(warps.values())

    def _exchanged(self, warp: Sequence[Thread]) -> list[Thread]:
        """Those lanes that have all that their mask names beside them; they exchange what they brought."""
        released = []
        number = warp[0].number // WARP
        living = {thread.lane for thread in self.threads[number * WARP : (number + 1) * WARP] if not thread.ended}
        groups: dict[tuple[str, int], list[Thread]] = {}
        for thread in warp:
            assert thread.wait is not None
            groups.setdefault((thread.wait.kind, thread.wait.mask), []).append(thread)
        for (kind, mask), lanes in groups.items():
            if {lane for lane in living if mask >> lane & 1} == {thread.lane for thread in lanes}:
                brought = {thread.lane: thread.wait.value for thread in lanes if thread.wait is not None}
                for thread in lanes:
                    thread.answer = brought
                if kind == "syncwarp":  # the others exchange values, and order no memory
                    self._order(lanes)
                released += lanes
        return released

    def _order(self, lanes: Sequence[Thread]) -> None:
        """What these lanes have done comes before what they will do."""
        known = [max(counts) for counts in zip(*(thread.stamp.clock for thread in lanes), strict=True)]
        for thread in lanes:
            known[thread.lane] += 1
        clock = tuple(known)
        for thread in lanes:
            thread.stamp = Stamp(thread, self.epoch, clock)

    def _stuck(self, waiting: Sequence[Thread]) -> Fault:
        """Who waits where, and who will not come."""
        at: dict[tuple[str, str, int], list[int]] = {}
        for thread in waiting:
            assert thread.wait is not None
            at.setdefault((thread.wait.kind, thread.wait.file, thread.wait.line), []).append(thread.number)
        (kind, file, line), first = next(iter(at.items()))
        others = [f"{_threads(numbers)} at {other}, line {at_line}" for (other, _, at_line), numbers in at.items()][1:]
        ended = [thread.number for thread in self.threads if thread.ended]
        return Fault(
            "divergence",
            call=kind,
            file=file,
            line=line,
            waiting=_threads(first),
            elsewhere="; ".join(others),
            ended=_threads(ended) if ended else "",
            block=place(self.place),
        )


def _same_barrier(one: Wait | None, other: Wait) -> bool:
    return one is not None and (one.kind, one.file, one.line) == (other.kind, other.file, other.line)


def _threads(numbers: list[int]) -> str:
    return f"thread{'s' if len(numbers) > 1 else ''} {numbered(numbers)}"
