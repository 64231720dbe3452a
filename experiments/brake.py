"""Ctrl-C as a wish to stop, not as an accident.

An exception in the middle of compiled code comes out of it as some other error, and leaves a network half way through
a step. So the first Ctrl-C is only noted, and the loop stops at the next place where it asks. A second one is for a
function that never comes back.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Brake:
    """Notes Ctrl-C for as long as it is entered."""

    def __init__(self) -> None:
        self.pulled = False
        self.before: Any = None

    def __enter__(self) -> Brake:
        if threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGINT, self._pull)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
        if error is not None and interrupted(error):
            raise KeyboardInterrupt from None

    def check(self) -> None:
        """Stop here, if somebody wished it.

        Raises
        ------
        KeyboardInterrupt
        """
        if self.pulled:
            raise KeyboardInterrupt

    def _pull(self, number: int, frame: FrameType | None) -> None:
        self.pulled = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


def interrupted(error: BaseException | None) -> bool:
    """Whether an error is Ctrl-C, or what compiled code made of it."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__
    return False
