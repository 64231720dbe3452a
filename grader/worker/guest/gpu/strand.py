"""A piece of code that can stop in the middle and go on later: what a simulated thread runs on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

try:
    import greenlet
except ImportError:
    greenlet = None


class Abandoned(BaseException):
    """Raised in a strand that will never go on, so that its thread ends."""


class GreenletStrand:
    """One strand on a stack of its own, inside one thread of the system; only its maker may resume it."""

    def __init__(self, function: Callable[[], None]):
        self._greenlet = greenlet.greenlet(function)

    def resume(self) -> None:
        """Run until it pauses or ends; raises what it raises."""
        self._greenlet.switch()

    @property
    def ended(self) -> bool:
        return bool(self._greenlet.dead)

    def pause(self) -> None:
        """From inside: go back to whoever has resumed it."""
        self._greenlet.parent.switch()

    def abandon(self) -> None:
        """End it where it is."""
        if self._greenlet and not self._greenlet.dead:
            self._greenlet.throw(greenlet.GreenletExit)


class ThreadStrand:
    """The same on a thread of the system, which runs only while whoever resumed it waits; many times slower."""

    def __init__(self, function: Callable[[], None]):
        self._function = function
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._error: BaseException | None = None
        self._abandoned = False
        self.ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def resume(self) -> None:
        """Run until it pauses or ends; raises what it raises."""
        if self._thread.ident is None:
            self._thread.start()
        self._go.release()
        self._back.acquire()
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def pause(self) -> None:
        """From inside: go back to whoever has resumed it."""
        self._back.release()
        self._go.acquire()
        if self._abandoned:
            raise Abandoned

    def abandon(self) -> None:
        """End it where it is."""
        if self._thread.ident is not None and not self.ended:
            self._abandoned = True
            self._go.release()
            self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        try:
            self._function()
        except Abandoned:
            pass
        except BaseException as error:
            self._error = error
        self.ended = True
        self._back.release()


Strand: Any = ThreadStrand if greenlet is None else GreenletStrand
KIND = "threads" if greenlet is None else "greenlets"
