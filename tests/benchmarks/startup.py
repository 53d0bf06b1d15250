"""How long it takes until something is answered where nothing is computed: `python -m tests.benchmarks.startup`."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

from . import say

WAYS = {
    "python alone": ["-c", "pass"],
    "fanlight --help": ["-m", "builder", "--help"],
    "fanlight status of this site": ["-m", "builder", "status"],
}
HEAVY = ("torch", "transformers", "sklearn", "pandas", "distributed")


def main() -> None:
    """Print seconds of whole processes, medians of interleaved rounds, and what heavy packages one of them imported."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for _ in range(7):
        for name, arguments in WAYS.items():
            start = time.perf_counter(), children()
            subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
            seconds[name].append((time.perf_counter() - start[0], children() - start[1]))
    for name, took in seconds.items():
        wall, cpu = (statistics.median(values) for values in zip(*took, strict=True))
        say(f"{name:36}{wall:8.3f} s wall{cpu:8.3f} s CPU")
    program = f"import sys; from builder import __main__; print(*(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    say(f"of {', '.join(HEAVY)} it imports: {done.stdout.strip() or 'none'}")


def children() -> float:
    """Return the CPU seconds of processes that ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
