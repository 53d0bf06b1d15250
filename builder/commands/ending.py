"""`ended_by_signals()`: whoever ends a command from outside ends it as Ctrl-C does, with nothing left behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Ended", "ended_by_signals"]

ASKED = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has no SIGHUP


class Ended(KeyboardInterrupt):
    """A signal asked us to end: `timeout`, `docker stop`, a closed terminal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number
        """The status of a process that ends so, as shells have it."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise `Ended` where the command is when a signal asks it to end; signals that are ignored stay so (`nohup`).

    Python lets the main thread alone say what a signal does: in any other, nothing changes. Processes that are forked
    within end at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    process = os.getpid()

    def end(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != process:  # who runs tasks there would take an exception for the answer of one
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        raise Ended(number)

    before = {number: signal.getsignal(number) for number in ASKED}
    ours = [number for number, handler in before.items() if handler == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
