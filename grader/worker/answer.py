"""What the host learned from one call of a student's function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Frame:
    """A line of the submission in a traceback."""

    path: str
    line: int
    function: str
    source: str


@dataclass(frozen=True)
class Collision:
    """Two iterations of a prange that wrote to the same element."""

    function: str
    array: str
    index: tuple[int, ...]
    iterations: tuple[int, int]


@dataclass(frozen=True)
class Finding:
    """What is wrong with a kernel beyond its numbers; `kind` and `facts` as in `grader/kernel_words.py`."""

    kind: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class ArrayTraffic:
    """What a kernel asked of one array.

    `sectors` is how many 32-byte pieces of global memory its warps asked for, `fewest` how few could have done; `turns`
    and `best_turns` are the same for the banks of shared memory. `elements` counts an array once per launch (shared
    memory once per block).
    """

    kernel: str
    array: str
    space: str
    elements: int
    reads: int
    writes: int
    updates: int
    sectors: int
    fewest: int
    turns: int
    best_turns: int


@dataclass(frozen=True)
class Noticed:
    """What a simulated device noticed in one call, all of it the guest's word.

    `launches` are (module, kernel, types of the arguments), `copies` those between host and device, `points` the
    accesses of the first block by array: thread, step, element.
    """

    finding: Finding | None = None
    launches: tuple[tuple[str, str, Any], ...] = ()
    copies: int = 0
    traffic: tuple[ArrayTraffic, ...] = ()
    points: Mapping[str, tuple[tuple[int, int, int], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Assembled:
    """A kernel as compiled for one target; `problem` is why it was not, `doubles` counts float64 instructions.

    Bytes and registers are None where nothing here tells them.
    """

    name: str
    target: str
    problem: str = ""
    registers: int | None = None
    shared: int | None = None
    spills: int | None = None
    doubles: int | None = None


@dataclass(frozen=True)
class Returned:
    """The call came back. Values are the guest's word: compare them, never trust them.

    `spoiled` names arguments that should not have changed; `collision` is a race seen in interpreted mode. `seconds` is
    what the host's clock says, with carrying the arrays there and back; `inside` is the guest's word on the call alone.
    """

    value: Any
    changed: dict[str, Any] = field(default_factory=dict)
    spoiled: tuple[str, ...] = ()
    collision: Collision | None = None
    seconds: float = 0.0
    inside: float = 0.0
    output: str = ""
    noticed: Noticed | None = None


@dataclass(frozen=True)
class Raised:
    """An exception; `step` is load (importing the module), compile, assemble or call; `kinds` are its class and base
    classes; `finding` is what the simulated device knows of it."""

    step: str
    error: str
    message: str
    kinds: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    output: str = ""
    finding: Finding | None = None


@dataclass(frozen=True)
class Missing:
    """The module has no such function."""


@dataclass(frozen=True)
class NotCompiled:
    """The function is plain Python where numba must compile it."""


@dataclass(frozen=True)
class TimedOut:
    """Stopped from outside after `seconds`; `frame` is the line it was on, where that is known."""

    step: str
    seconds: float
    frame: Frame | None = None


@dataclass(frozen=True)
class Died:
    """The process ended in the middle; `how` is its exit code, negative for a signal."""

    step: str
    how: int


@dataclass(frozen=True)
class Garbled:
    """What came back was no valid answer; `what` says in which way."""

    step: str
    what: str


Answer = Returned | Raised | Missing | NotCompiled | TimedOut | Died | Garbled
