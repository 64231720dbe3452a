"""What the host learned from one call of a student's function."""

from __future__ import annotations

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


@dataclass(frozen=True)
class Raised:
    """An exception; `step` is load (importing the module), compile or call; `kinds` are its class and base classes."""

    step: str
    error: str
    message: str
    kinds: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    output: str = ""


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
