"""Wrong kernels: each is a solution with one thing wrong that its numbers do not explain, and how that must be told."""

from __future__ import annotations

from dataclasses import dataclass

from grader.stubs import BEGIN


@dataclass(frozen=True)
class Fault:
    """One wrong kernel.

    Parameters
    ----------
    exercise : whose solution is spoiled
    name : what is wrong with it
    right, wrong : a piece of the solution, and what stands there instead
    told : what the student must read, in the message or the advice
    """

    exercise: str
    name: str
    right: str
    wrong: str
    told: str

    def __str__(self) -> str:
        return f"{self.exercise}: {self.name}"

    def spoil(self, source: str) -> str:
        """The solution's function with the fault in it."""
        head, mark, body = source.partition(BEGIN)
        count = body.count(self.right)
        assert count == 1, f"{self}: {self.right!r} stands {count} times in the solution"
        return head + mark + body.replace(self.right, self.wrong)


class Faults:
    """Collects the faults of one chapter."""

    def __init__(self) -> None:
        self.all: list[Fault] = []

    def add(self, exercise: str, name: str, right: str, wrong: str, told: str) -> None:
        """One piece replaced by another; several lines are whole lines, indented as they are in the kernel."""
        self.all.append(Fault(exercise, name, _lines(right), _lines(wrong), told))


def _lines(text: str) -> str:
    return text[1:].rstrip() if text.startswith("\n") else text
