"""Ways against each other, one after another, again and again, in processes that hold the model."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .measures import Row, Sample, Size

ROOT = Path(__file__).parents[2]
PATIENCE = 1800
"""Seconds after which a repetition is given up, and its process with it."""

SLOW = 20
"""Seconds from which on a way is repeated once instead of often: what takes long varies little."""


@dataclass(frozen=True)
class Way:
    """A way, by the function that sets it up, and what its answer answers: answers to the same are compared."""

    name: str
    function: str
    answers: str = ""
    truth: bool = False
    """Whether others are held to it: it is run once, and is no row of a table."""
    largest: int | None = None
    """Tokens beyond which it is left out: a way that is known to be like another need not take minutes more."""
    alone: bool = False
    """Whether its process is its own: otherwise it shares one with those of its module."""


@dataclass(frozen=True)
class Contest:
    """Ways, the sizes that they are run at, and how often."""

    name: str
    title: str
    sizes: Sequence[Size]
    ways: Sequence[Way]
    options: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    """What the ways do more or less than each other, in words for readers of the table."""


class Entrant:
    """The process of some ways."""

    def __init__(self, ways: Sequence[Way], threads: int, log: IO[str]) -> None:
        self.ways = ways
        self.problem = ""
        environment = {**os.environ, **({"OMP_NUM_THREADS": str(threads)} if threads else {})}
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.entrant", *(way.function for way in ways)],
            cwd=ROOT,
            env={**environment, "TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a message, with `problem` where there is none; after that nothing is answered."""
        self.send(message)
        return self.receive()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message, whose answer is received later."""
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):  # which receiving will tell
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Return the answer to what was sent."""
        assert self.process.stdout
        if self.problem:
            return {"problem": self.problem}
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if readable else ""
        if not line:
            self.problem = self._ended() if readable else f"no answer within {PATIENCE} s"
            self.process.kill()
            return {"problem": self.problem}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()

    def _ended(self) -> str:
        code = self.process.wait(10)
        return f"its process ended with {code}" + (" (killed: is there too little memory?)" if code == -9 else "")


@dataclass
class Held:
    """A contest that is being held: who takes part, and what was found so far."""

    contest: Contest
    rounds: int
    threads: int
    log: IO[str]
    tell: Callable[[str], None]
    scratch: Path
    facts: dict[str, Any] = field(default_factory=dict)
    samples: dict[tuple[str, Size], list[dict[str, Any]]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def run(self, ways: Sequence[Way], subjects: Mapping[Size, Mapping[str, Any]], rounds: int) -> None:
        """Run ways at all sizes, in turn; the processes of all are ready before the first is timed."""
        entrants = {group: Entrant(list(found), self.threads, self.log) for group, found in _groups(ways)}
        try:
            for entrant in entrants.values():  # all load the model at the same time
                entrant.send({**next(iter(subjects.values())), "warm": not entrant.ways[0].truth})
            for entrant in entrants.values():
                found = entrant.receive()
                self.facts = self.facts or {name: found[name] for name in ("threads", "versions") if name in found}
                for way in entrant.ways:
                    problem = found.get("problem") or found["problems"].get(way.function)
                    if problem:
                        self.problems[way.name] = problem
                        self.tell(f"  left out: {way.name}: {problem}")
            for size, subject in subjects.items():
                for number in range(rounds):
                    for way in ways:
                        if self._takes_part(way, size, number):
                            self._once(way, entrants[_group(way)], size, subject, number)
        finally:
            for entrant in entrants.values():
                entrant.end()

    def _takes_part(self, way: Way, size: Size, number: int) -> bool:
        """Say whether a way is run in a round: not after a problem, over too long a text, or again when it is slow."""
        if way.name in self.problems or (way.largest and sum(size) > way.largest):
            return False
        return number < 2 or self.samples[way.name, size][0]["wall"] < SLOW

    def _once(self, way: Way, entrant: Entrant, size: Size, subject: Mapping[str, Any], number: int) -> None:
        save = None if number else str(self.answer(way, size))
        took = entrant.ask({**subject, "way": way.function, "save": save})
        where = f"{way.name}, {' + '.join(map(str, size))} tokens"
        if "problem" in took:
            self.problems[way.name] = took["problem"]
            self.tell(f"  {where}: {took['problem']}")
            return
        self.samples.setdefault((way.name, size), []).append(took)
        self.tell(f"  {where}: {took['wall']:.2f} s, CPU {took['cpu']:.2f} s")

    def answer(self, way: Way, size: Size) -> Path:
        """Return where the answer of a way is saved."""
        return self.scratch / f"{self.contest.ways.index(way)}-{'-'.join(map(str, size))}.npy"

    def row(self, way: Way, size: Size) -> Row:
        """Return what was found of a way."""
        took = self.samples.get((way.name, size), [])
        samples = tuple(Sample(one["wall"], one["cpu"], one["memory"]) for one in took)
        error = _error(self.answer(way, size), self.answer(_held_to(way, self.contest.ways), size))
        problem = "" if samples else self.problems.get(way.name, "not run")
        return Row(way.name, size, samples, took[0]["numbers"] if took else {}, error, problem)


def hold(
    contest: Contest,
    subjects: Mapping[Size, Mapping[str, Any]],
    rounds: int,
    threads: int,
    log: IO[str],
    tell: Callable[[str], None],
) -> tuple[list[Row], dict[str, Any]]:
    """Hold a contest; return its rows, and what the first process told of its threads and versions.

    `subjects` are the texts of each size. What others are held to is run first, once, and leaves; then the others run
    each size `rounds` times.
    """
    given = {
        size: {**subject, "options": {**contest.options, **subject.get("options", {})}}
        for size, subject in subjects.items()
    }
    with tempfile.TemporaryDirectory() as scratch:
        held = Held(contest, rounds, threads, log, tell, Path(scratch))
        held.run([way for way in contest.ways if way.truth], given, 1)
        shown = [way for way in contest.ways if not way.truth]
        held.run(shown, given, rounds)
        here = [(way, size) for size in given for way in shown if not (way.largest and sum(size) > way.largest)]
        return [held.row(way, size) for way, size in here], held.facts


def _group(way: Way) -> str:
    return way.function if way.alone else way.function.partition(":")[0]


def _groups(ways: Sequence[Way]) -> list[tuple[str, list[Way]]]:
    """Return ways by the process that they share."""
    return [(group, [way for way in ways if _group(way) == group]) for group in dict.fromkeys(map(_group, ways))]


def _held_to(way: Way, ways: Sequence[Way]) -> Way:
    """Return the way that another is compared with: the truth, or the first with the same answers, or itself."""
    others = [other for other in ways if way.answers and other.answers == way.answers]
    return min(others or [way], key=lambda other: not other.truth)


def _error(answer: Path, truth: Path) -> float | None:
    """Return the largest difference of two saved arrays; None where one is missing, and of an array to itself."""
    import numpy as np

    if answer == truth or not answer.exists() or not truth.exists():
        return None
    return float(np.nanmax(np.abs(np.load(answer) - np.load(truth))))  # what the truth does not know is NaN
