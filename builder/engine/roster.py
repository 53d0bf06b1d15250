"""`Roster`: which workers of a cluster are there, and which of them can help."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .. import __version__
from .worker import Greeting, python_version

__all__ = ["Roster", "reason", "short"]

PATIENCE, AGAIN = 5.0, 60.0
"""Seconds without a worker after which that is said, and said again."""


@dataclass
class Roster:
    """Workers by address: those that are greeted, those that answered and can help, and why others cannot."""

    greeted: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    _paused: dict[str, float] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _used: set[str] = field(default_factory=set)
    _seen: float = field(default_factory=time.monotonic)
    _waits: float = PATIENCE

    def meet(self, there: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return the addresses of those who came since this was last asked, and the names of those who left."""
        now = set(there)
        came = sorted(now - self.greeted)
        left = [self.names.pop(address) for address in sorted(self.names.keys() - now)]
        self.greeted = now
        return came, left

    def welcome(self, address: str, greeting: Greeting) -> str:
        """Take in a worker that has the same Fanlight and Python; return why another one cannot help."""
        name = greeting.name
        if (greeting.fanlight, greeting.python) != (__version__, python_version()):
            theirs = f"Fanlight {greeting.fanlight} on Python {greeting.python}"
            return f"it has {theirs}, and this is Fanlight {__version__} on Python {python_version()}"
        # one that died and was started anew under its name is another one
        self.names[address] = name if name not in self._used else f"{name} at {short(address)}"
        self._used.add(name)
        return ""

    def refuse(self, address: str, why: str, name: str = "") -> str:
        """Leave a worker alone; return its name."""
        name = name or self.name(address)
        self.names.pop(address, None)
        self.refusals.append(f"{name}: {why}")
        return name

    def name(self, address: str) -> str:
        """Return what a worker is called."""
        return self.names.get(address) or short(address)

    def address(self, name: str) -> str:
        """Return where a worker is that can help."""
        return next(address for address, known in self.names.items() if known == name)

    def pause(self, addresses: Iterable[str]) -> list[str]:
        """Take note of those whom Dask starts nothing on, since so much lies in their memory; return who is new."""
        now = time.monotonic()
        self._paused = {each: self._paused.get(each, now) for each in addresses if each in self.names}
        new = self._paused.keys() - self._told
        self._told |= new
        return sorted(self.names[address] for address in new)

    def ready(self) -> list[str]:
        """Return the names of those that can help now."""
        return [name for address, name in self.names.items() if address not in self._paused]

    def is_stuck(self) -> bool:
        """Whether all have been paused for a while: a model that stays in memory keeps them so for ever."""
        since = max(self._paused.values(), default=0.0)
        return bool(self.names) and not self.ready() and time.monotonic() - since > PATIENCE

    def beside(self, address: str) -> int:
        """Return how many workers share a worker's machine, itself included."""
        host = urlsplit(address).hostname
        return sum(urlsplit(known).hostname == host for known in self.names)

    def is_missed(self) -> bool:
        """Whether nobody has been there for so long that it should be said, now."""
        now = time.monotonic()
        if self.names:
            self._seen, self._waits = now, PATIENCE
        elif now - self._seen > self._waits:
            self._waits += AGAIN
            return True
        return False


def reason(error: Exception) -> str:
    """Return why a worker could not even greet."""
    if isinstance(error, ModuleNotFoundError):
        return f"it has no Fanlight ({error}); install the same version there"
    return f"{type(error).__name__}: {error}"


def short(address: str) -> str:
    """Return an address without its scheme."""
    return address.partition("://")[2] or address
