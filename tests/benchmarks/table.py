"""What the suite found, as Markdown: a page of all sections, and a few lines for the README."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .contests import CONTESTS, SCALING
from .goals import judged
from .measures import Row, Size, exponent, times, unpacked
from .programs import PROGRAMS

BEGIN, END = "<!-- measured by `make bench` with ", "<!-- /measured -->"
PEERS = ("captum", "inseq", "Ecco", "BertViz", "scikit-learn")
"""How the names of others' ways begin."""

OWN = "this project"

HEAD = """# Side by side

What the same answers take here and elsewhere: same model (SmolLM2-135M, float32), same text, same machine, in turns.
`make bench` makes this page.

Programs have processes of their own, which hold the model; ways take turns, as many rounds as is said, those that take
over 20 s only two. Seconds are medians, megabytes the most above the loaded model; × is times as much as the first way.
Other programs run as they come, with transformers’ default attention and torch’s own products."""


def page(folder: Path) -> str:
    """Return the page of all sections that were measured, by threads: the most first."""
    parts = [HEAD]
    for threads, found in _by_threads(folder):
        parts.append(f"## {threads} thread{'s' * (threads > 1)}")
        parts += sorted({f"On {facts}." for facts in map(_facts, found.values())})
        parts += _sections(found)
    return "\n\n".join(parts) + "\n"


def _by_threads(folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of threads and what was found with it, section by section."""
    folders = {int(path.name.partition("-")[0]): path for path in folder.glob("*-threads")}
    for threads in sorted(folders, reverse=True):
        yield (
            threads,
            {
                path.stem.replace("start-up", "start=up").replace("-", " ").replace("=", "-"): json.loads(
                    path.read_text(encoding="utf-8")
                )
                for path in sorted(folders[threads].glob("*.json"))
            },
        )


def _sections(found: Mapping[str, Any]) -> Iterator[str]:
    speed = _speed(found)
    for contest in CONTESTS:
        if contest.name in found:
            yield _titled(
                contest.title, found[contest.name], comparison(rows(found[contest.name]), speed), contest.note
            )
    if SCALING.name in found:
        yield _titled(SCALING.title, found[SCALING.name], growth(rows(found[SCALING.name])), "")
    for name, program in PROGRAMS.items():
        if name in found:
            yield _titled(program.title, found[name], f"```text\n{found[name]['text']}\n```", "")
    if "sites" in found:
        title = f"A site of {found['sites']['articles']} articles"
        yield _titled(title, found["sites"], sites(found["sites"]["sites"]), "")
    aims = [list(line) for line in judged(found, speed)]
    if aims:
        yield f"### What is aimed at\n\n{_table(['', 'aim', 'measured', 'reached'], aims)}"


def _titled(title: str, section: Mapping[str, Any], body: str, note: str) -> str:
    rounds = section["rounds"]
    when = f"*{section['when']}, {rounds} round{'s' * (rounds > 1)}.*"
    return "\n\n".join(part for part in (f"### {title}", body, note, when) if part)


def _facts(section: Mapping[str, Any]) -> str:
    """Return the machine that a section was measured on, and with which versions."""
    versions = ", ".join(f"{name} {version}" for name, version in section["versions"].items())
    return f"{section['machine']}; {versions}"


def rows(section: Mapping[str, Any]) -> list[Row]:
    """Return a section's rows."""
    return [unpacked(row) for row in section["rows"]]


def _speed(found: Mapping[str, Any]) -> float:
    """Return the best GFLOP/s of products as this project has them done; 0 where that was not measured."""
    measured = rows(found["products"]) if "products" in found else []
    return max((max(row.numbers.values()) for row in measured[:1] if row.numbers), default=0.0)


def comparison(found: Sequence[Row], speed: float = 0.0) -> str:
    """Return a table of ways by size, each beside the first way of its size, and the distance from what is least."""
    named = list(dict.fromkeys(name for row in found for name in row.numbers if name != "GFLOP"))
    if not any(row.wall for row in found if row.samples) or (
        all("×" in name and "[" in name for name in named) and named
    ):
        lines = [[row.way, *(_number(row.numbers.get(name)) for name in named)] for row in found]
        return _table(["", *named], lines)
    with_errors = any(row.error is not None for row in found)
    parts = []
    for size in dict.fromkeys(row.size for row in found):
        here = [row for row in found if row.size == size]
        heads = [in_words(size), "s", "×", "CPU s", "×", "MB", *(["error"] if with_errors else []), *named]
        lines = []
        for row in here:
            if not row.samples:
                lines.append([row.way, f"left out: {row.problem}", *[""] * (len(heads) - 2)])
                continue
            often = [f"{ratio:.2f}" for ratio in times(row, here[0])] if here[0].samples else ["", ""]
            error = [""] if row.error is None else [f"{row.error:.0e}" if row.error else "0"]
            line = [row.way, _number(row.wall), often[0], _number(row.cpu), often[1], f"{row.memory:.0f}"]
            lines.append([*line, *(error if with_errors else []), *(_number(row.numbers.get(name)) for name in named)])
        parts.append(_table(heads, lines))
        parts += [_distance(row, speed) for row in here if row.samples and speed and "GFLOP" in row.numbers]
    return "\n\n".join(parts)


def _distance(row: Row, speed: float) -> str:
    """Say how far a way is from the products alone, at the speed that the machine has for them."""
    work = row.numbers["GFLOP"]
    least = work / speed
    return f"{row.way}: {work:.0f} GFLOP at least, {least:.2f} s at {speed:.0f} GFLOP/s; {row.wall / least:.2f} × that."


def growth(found: Sequence[Row]) -> str:
    """Return CPU seconds and megabytes by size, and the exponents of seconds and of what is counted of products."""
    sizes = list(dict.fromkeys(row.size for row in found))
    heads = ["CPU seconds (MB) at tokens", *(str(sum(size)) for size in sizes), "exponent", "of its GFLOP"]
    lines = []
    for way in dict.fromkeys(row.way for row in found):
        here = {row.size: row for row in found if row.way == way and row.samples}
        cells = [f"{_number(here[size].cpu)} ({here[size].memory:.0f})" if size in here else "" for size in sizes]
        lengths = [sum(size) for size in here]
        work = [row.numbers["GFLOP"] for row in here.values() if "GFLOP" in row.numbers]
        fits = [
            f"{exponent(lengths, values):.2f}" if len(values) == len(lengths) > 1 else ""
            for values in ([row.cpu for row in here.values()], work)
        ]
        lines.append([way, *cells, *fits])
    return _table(heads, lines)


def sites(found: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of generators of sites: seconds of each step, wall and CPU, and megabytes."""
    steps = next((list(row["steps"]) for row in found if "steps" in row), [])
    lines = []
    for row in found:
        if "steps" not in row:
            lines.append([row["way"], f"left out: {row['problem']}", *[""] * len(steps)])
            continue
        cells = [f"{row['steps'][step][0]:.2f} ({row['steps'][step][1]:.2f})" for step in steps]
        lines.append([row["way"], *cells, f"{max(cost[2] for cost in row['steps'].values()):.0f}"])
    return _table(["seconds, wall (CPU)", *steps, "MB"], lines)


def summary(folder: Path) -> str:
    """Return the README's lines, of the most threads that were measured: what work takes, and how others compare."""
    for threads, found in _by_threads(folder):
        lines = list(_summed(found))
        if lines:
            when = max(section["when"] for section in found.values())
            facts = " and ".join(sorted(set(map(_facts, found.values()))))
            told = f"{when[:10]}, {threads} thread{'s' * (threads > 1)}, {facts}."
            return f"{_table(['work', 'here', 'elsewhere, times as long'], lines, words=3)}\n\n{told}"
    return "Nothing was measured yet."


def _summed(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield lines: a work, what it takes here, and how many times as much that of others takes."""
    for contest in CONTESTS:
        for size in dict.fromkeys(row.size for row in rows(found.get(contest.name, {"rows": []}))):
            here = [row for row in rows(found[contest.name]) if row.size == size and row.samples]
            others = [row for row in here if row.way.startswith(PEERS) and "generated too" not in row.way]  # more work
            if others and here[0].way.startswith(OWN):
                yield f"{contest.title} ({in_words(size)})", *_beside(here[0], others)
    for name, program in PROGRAMS.items():
        if name in found and found[name]["result"]:
            yield program.title, found[name]["result"], ""
    if "sites" in found:
        costs = {row["way"]: row["steps"] for row in found["sites"]["sites"] if "steps" in row}
        if costs and next(iter(costs)) == "Fanlight":
            ours = costs.pop("Fanlight")
            for step, cost in ours.items():
                told = "; ".join(f"{way} {steps[step][0] / cost[0]:.2g}" for way, steps in costs.items())
                yield f"A site of {found['sites']['articles']} articles, {step}", f"{cost[0]:.2g} s", told


def _beside(first: Row, others: Sequence[Row]) -> tuple[str, str]:
    """Return what the first way takes, and how many times as much those of others take: seconds, or bytes."""
    if "kB" not in first.numbers:
        told = "; ".join(f"{row.way} {times(row, first)[0]:.1f}" for row in others)
        return f"{first.wall:.2g} s, +{first.memory:.0f} MB", told
    least = f"{first.numbers['kB'] / 1000:.2g} MB, at first {first.numbers['kB gz at first']:.0f} kB gz"
    told = "; ".join(f"{row.way} {row.numbers['kB'] / first.numbers['kB']:.0f} × the bytes" for row in others)
    return f"{first.wall:.2g} s, {least}", told


def quote(readme: Path, text: str, processor: str) -> bool:
    """Put a text between the README's two marks, if they are for that kind of processor; say whether they are.

    Raises `ValueError` where they are not there, once each, in order.
    """
    before = readme.read_text(encoding="utf-8")
    found = re.findall(f"{re.escape(BEGIN)}(.*?) -->.*?{re.escape(END)}", before, re.DOTALL)
    if len(found) != 1:
        raise ValueError(f"{readme.name} needs {BEGIN}… --> and {END}, once")
    if found[0] != processor:
        return False
    start, end = before.index(BEGIN), before.index(END)
    after = f"{before[:start]}{BEGIN}{processor} -->\n\n{text}\n\n{before[end:]}"
    readme.write_text(after, encoding="utf-8", newline="\n")
    return True


def in_words(size: Size) -> str:
    """Return how many tokens a text has: of the prompt, and of what follows it."""
    return " + ".join(str(part) for part in size if part) + " tokens"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]], words: int = 1) -> str:
    """Return a Markdown table; its first columns are words, the others are numbers."""
    rule = [*["---"] * words, *["--:"] * (len(heads) - words)]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in (heads, rule, *lines)
    )
