"""`Costs`: the measurements of this machine's past builds, and what they say of tasks to come."""

from __future__ import annotations

import contextlib
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..cache import last_byte, write_atomically
from ..folders import cache_folder
from .task import Measurement, Task
from .usual import repeats, usual

if TYPE_CHECKING:
    from ..plan import Job

__all__ = ["Costs", "Expected", "open_costs"]

KEPT, MOST = 4_000, 2_000_000
"""How many measurements stay when the file has passed so many bytes: lines of about 250."""

ASKED = 200
"""How many past tasks of a kind are looked through, the newest: code becomes faster, and each costs microseconds."""

NEAREST = 5
NOISE = 1.25
"""Runs of one task differ by about a quarter on a machine that does other things too."""


@dataclass(frozen=True)
class Expected:
    """What a task will take: seconds, between `low` and `high`, and bytes (0: not known).

    `measured` is how many past tasks of that kind say so. Where it is 0 the kind was never measured here, and seconds
    are in proportion to those of other kinds, by the table in `usual`.
    """

    seconds: float
    low: float
    high: float
    memory: int = 0
    measured: int = 0


class Costs:
    """The measurements in a folder's `costs.jsonl`, the newest few thousand; any number of processes may record.

    Lines that are none are passed over, and a file that cannot be read or written is as good as an empty one: costs
    order work and make estimates, and no build fails for them.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "costs.jsonl"

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """All that had been recorded when this was first asked, the oldest first."""
        try:
            lines = self._file.read_bytes().splitlines()
        except OSError:
            return ()
        return tuple(found for line in lines if (found := Measurement.from_line(line)) is not None)

    def record(self, measurements: Iterable[Measurement], *, place: str = "") -> None:
        """Add measurements to the file; `place` is where they were made, if not on this machine."""
        text = "".join(replace(one, place=place or one.place).to_line() for one in measurements)
        if not text:
            return
        from filelock import FileLock  # 10 ms, and most builds compute nothing

        with contextlib.suppress(OSError):  # as is a lock that cannot be had in time
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._file.with_suffix(".lock"), timeout=5):
                whole = last_byte(self._file) in (None, b"\n")  # not broken off in the middle of a line
                with self._file.open("ab") as file:
                    file.write(text.encode() if whole else b"\n" + text.encode())
                if self._file.stat().st_size > MOST:
                    lines = self._file.read_bytes().splitlines()[-KEPT:]
                    write_atomically(self._file, b"\n".join(lines) + b"\n")

    @cached_property
    def device(self) -> str:
        """The kind of device that this machine computed on last; a processor where it never did."""
        own = [one.task.device for one in self.measurements if not one.place]
        return own[-1] if own else "cpu"

    def cost(self, job: Job) -> float:
        """Return what a job's analysis may take, in seconds: for putting the largest first."""
        return self.expect(Task.of(job)).seconds

    def expect(self, task: Task, place: str = "") -> Expected:
        """Return what a task may take, by the nearest of the past ones, or in proportion to what others took."""
        task = replace(task, parameters=task.parameters or self._parameters.get(task.model, 0))
        alike = self._by_kind.get((task.step, task.kind), [])
        if not alike:
            seconds = usual(task).seconds_of(task) * self._pace
            return Expected(seconds, seconds / 4, seconds * 4)
        far = {one: _distance(one, task, place) for one in alike}
        nearest = sorted(alike, key=lambda one: far[one])[:NEAREST]
        exponent = _exponent([one for one in alike if _is_like(one.task, nearest[0].task)])
        close = [one for one in nearest if far[one] <= far[nearest[0]] + 0.3]
        times = [one.seconds * _growth(one.task, task, exponent) for one in close]
        spread = NOISE + far[nearest[0]]
        memory = max(round(one.memory * _growth(one.task, task, 1.0)) for one in close)
        return Expected(_median(times), min(times) / spread, max(times) * spread, memory, len(alike))

    @cached_property
    def _by_kind(self) -> dict[tuple[str, str], list[Measurement]]:
        found: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
        for one in self.measurements:
            found[one.task.step, one.task.kind].append(one)
        return {kind: ones[-ASKED:] for kind, ones in found.items()}

    @cached_property
    def _parameters(self) -> dict[str, int]:
        """How many parameters the models have that were measured, by fingerprint."""
        return {one.task.model: one.task.parameters for one in self.measurements if one.task.parameters}

    @cached_property
    def _pace(self) -> float:
        """How many times slower this machine is than that of the table; 1 where nothing was measured."""
        paces = [one.seconds / wanted for one in self.measurements if (wanted := usual(one.task).seconds_of(one.task))]
        return _median(paces) if paces else 1.0


def open_costs() -> Costs:
    """Return the costs in the user's cache."""
    return Costs(cache_folder())


def _distance(past: Measurement, task: Task, place: str) -> float:
    """Return how little a past task says of another: 0 for the same, about 1 for one e² times as large."""
    then = past.task
    far = abs(math.log(usual(task).size(then) / usual(task).size(task))) / 2
    if then.model != task.model:
        known = then.parameters and task.parameters
        far += 0.2 + (abs(math.log(then.parameters / task.parameters)) / 4 if known else 1.0)
    far += 2.0 * (then.device != task.device) + 0.3 * (then.dtype != task.dtype) + 0.7 * (past.place != place)
    return far + 1.0 * (then.method != task.method) + 0.1 * len({*then.variant.split()} ^ {*task.variant.split()})


def _is_like(one: Task, other: Task) -> bool:
    return (one.model, one.device, one.dtype, one.method) == (other.model, other.device, other.dtype, other.method)


def _growth(past: Task, task: Task, exponent: float) -> float:
    """Return how many times what a past task took another takes."""
    grown = math.pow(usual(task).size(task) / usual(task).size(past), exponent)
    larger = task.parameters / past.parameters if past.parameters and task.parameters else 1.0
    return grown * larger * usual(task).seconds / usual(past).seconds * repeats(task) / repeats(past)


def _exponent(alike: Sequence[Measurement]) -> float:
    """Return how seconds grew with size, by least squares on logarithms, from what was measured at several sizes.

    Sizes must be 1.5 times apart. What comes out is held between 1 and 2.2: a forward pass is linear, what explains
    every token square, and more only where memory is short.
    """
    compared = usual(alike[0].task)
    if not compared.exponent:  # loading does not ask what is read
        return 0.0
    sizes = [math.log(compared.size(one.task)) for one in alike]
    if max(sizes) - min(sizes) < math.log(1.5):
        return compared.exponent
    seconds = [math.log(max(one.seconds / repeats(one.task), 1e-3)) for one in alike]
    size, second = sum(sizes) / len(sizes), sum(seconds) / len(seconds)
    together = sum((x - size) * (y - second) for x, y in zip(sizes, seconds, strict=True))
    return min(2.2, max(1.0, together / sum((x - size) ** 2 for x in sizes)))


def _median(numbers: Sequence[float]) -> float:
    """Return the middle one; `statistics`, which has it, too, takes longer to import than a build has."""
    ordered, half = sorted(numbers), len(numbers) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
