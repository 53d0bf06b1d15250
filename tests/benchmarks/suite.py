"""Everything, side by side: `python -m tests.benchmarks.suite [--quick] [--only NAME …] [--threads N] [--readme]`.

A section is measured, kept in `.bench/`, and not measured again by a later call, unless `--fresh` says so: what was
broken off goes on where it stopped. What all sections found is printed, and with `--readme` it becomes what is
committed: a page of `tests/benchmarks/results/`, one for each kind of processor, and a table of the README. Progress
and what the peers print go to `.bench/log.txt`. `--list` prints the sections' names, for `--only`. Threads are those of
OMP_NUM_THREADS, all cores otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from . import machine, say, table
from .contest import ROOT, Contest, Way, hold
from .contests import CONTESTS, SCALING
from .measures import Size, packed
from .programs import PROGRAMS, run_program
from .sites import run_sites
from .table import in_words

KEPT = ROOT / ".bench"
RESULTS = Path(__file__).parent / "results"
QUICK: Mapping[str, tuple[Size, ...]] = {
    "saliency": ((23, 10),),
    "integrated gradients": ((23, 4),),
    "lens": ((23, 10),),
    "factors": ((23, 20),),
    "attention": ((50, 0),),
    "scaling": ((12, 13), (25, 25), (50, 50)),
}
"""Smaller sizes for a look."""


def main() -> None:
    """Measure what is asked for, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, once: minutes")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="sections")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=int(os.environ.get("OMP_NUM_THREADS", "0")))
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured")
    parser.add_argument("--readme", action="store_true", help="write a page of results/ and the README's table")
    parser.add_argument("--list", action="store_true", help="print the names of the sections")
    asked = parser.parse_args()
    sections = SECTIONS
    if asked.list:
        say("\n".join(sections))
        return
    unknown = [name for name in asked.only if name not in sections]
    if unknown:
        parser.error(f"unknown section: {unknown[0]} (there are {', '.join(sections)})")
    folder = KEPT / ("quick" if asked.quick else "full") / f"{asked.threads or os.cpu_count()}-threads"
    folder.mkdir(parents=True, exist_ok=True)
    with (KEPT / "log.txt").open("a", encoding="utf-8") as log:

        def tell(text: str) -> None:
            say(text)
            print(text, file=log, flush=True)

        failed = [name for name in asked.only or sections if not measure(name, folder, asked, log, tell)]
        tell("\n" + table.page(folder.parent))
    if asked.readme and not asked.quick:
        processor = machine.vectors() or "others"
        results = RESULTS / f"{processor.replace('-', '').replace(' ', '-').lower()}.md"
        results.write_text(table.page(folder.parent), encoding="utf-8", newline="\n")
        quoted = table.quote(ROOT / "README.md", table.summary(folder.parent), processor)
        say(f"wrote {results.relative_to(ROOT)}{' and README.md' if quoted else '; README.md quotes another'}")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}; {KEPT.name}/log.txt says how")


def measure(name: str, folder: Path, asked: argparse.Namespace, log: IO[str], tell: Callable[[str], None]) -> bool:
    """Measure a section unless it was, and say whether that went well; what fails is told and ends nothing."""
    kept = folder / f"{name.replace(' ', '-')}.json"
    if kept.exists() and not asked.fresh:
        tell(f"{name}: measured {json.loads(kept.read_text(encoding='utf-8'))['when']}, kept")
        return True
    start = time.perf_counter()
    tell(f"{name}: {time.strftime('%H:%M:%S')}, load {os.getloadavg()[0]:.1f}")
    try:
        found = SECTIONS[name](name, asked, log, tell)
    except Exception as error:  # unattended: one section's failure is not the end
        traceback.print_exc(file=log)
        tell(f"{name}: failed: {type(error).__name__}: {error}")
        return False
    facts = {
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "machine": machine.describe(),
        "versions": machine.versions(),
        "threads": asked.threads or os.cpu_count(),
        "rounds": 1 if asked.quick else asked.rounds,
    }
    new = kept.with_suffix(".new")
    new.write_text(json.dumps({**facts, **found}, ensure_ascii=False, indent=1), encoding="utf-8")
    new.replace(kept)
    tell(f"{name}: {time.perf_counter() - start:.0f} s")
    return True


def contest(name: str, asked: argparse.Namespace, log: IO[str], tell: Callable[[str], None]) -> dict[str, Any]:
    """Hold a contest."""
    found = next(contest for contest in (*CONTESTS, SCALING) if contest.name == name)
    if asked.quick:
        found = replace(found, sizes=QUICK.get(name, found.sizes))
    texts = write(found.sizes, asked.threads, log, tell)
    rows, facts = hold(found, texts, 1 if asked.quick else asked.rounds, asked.threads, log, tell)
    return {"rows": [packed(row) for row in rows], **facts}


def write(sizes: Sequence[Size], threads: int, log: IO[str], tell: Callable[[str], None]) -> dict[Size, dict[str, Any]]:
    """Return the texts of some sizes, each written by the model once and kept."""
    kept = {size: KEPT / "texts" / f"{size[0]}-{size[1]}.json" for size in sizes}
    missing = [size for size, path in kept.items() if not path.exists()]
    if missing:
        tell(f"  the model writes {', '.join(in_words(size) for size in missing)}")
        writing = Contest("text", "", missing, [Way("text", ".subjects:write")])
        asked = {
            size: {"ids": [0] * 12, "n_input": 9, "options": {"input": size[0], "output": size[1]}} for size in missing
        }
        for row in hold(writing, asked, 1, threads, log, lambda _: None)[0]:
            if row.problem:
                raise RuntimeError(row.problem)
            kept[row.size].parent.mkdir(parents=True, exist_ok=True)
            ids = [int(row.numbers[str(place)]) for place in range(sum(row.size))]
            kept[row.size].write_text(json.dumps({"ids": ids, "n_input": row.size[0]}), encoding="utf-8")
    return {size: json.loads(path.read_text(encoding="utf-8")) for size, path in kept.items()}


def program(name: str, asked: argparse.Namespace, log: IO[str], tell: Callable[[str], None]) -> dict[str, Any]:
    """Run another benchmark of this package and keep what it prints."""
    return run_program(PROGRAMS[name], asked.quick, asked.threads, log, tell)


def sites(name: str, asked: argparse.Namespace, log: IO[str], tell: Callable[[str], None]) -> dict[str, Any]:
    """Build whole sites by this project and by others."""
    return run_sites(20 if asked.quick else 300, 1, tell)  # minutes a round; a build varies little


Section = Callable[[str, argparse.Namespace, IO[str], Callable[[str], None]], dict[str, Any]]
SECTIONS: dict[str, Section] = {
    **{found.name: contest for found in (*CONTESTS, SCALING)},
    **dict.fromkeys(PROGRAMS, program),
    "sites": sites,
}


if __name__ == "__main__":
    main()
