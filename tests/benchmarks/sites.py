"""Whole sites, as `site.py` builds them, with the numbers handed on instead of printed."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import site

PEERS = site.ROOT / ".venv-bench" / "sites"


def _told(steps: dict[str, list[float]]) -> list[str]:
    return [f"{step} {wall:.2f} s" for step, (wall, _, _) in steps.items()]


def run_sites(n_articles: int, rounds: int, tell: Callable[[str], None], peers: Path = PEERS) -> dict[str, Any]:
    """Build the corpus by every tool that installs; return what each step of each took, or why it did not."""
    options = argparse.Namespace(rounds=rounds, distinct=False, extras=False)
    site.copy_program(peers / "program")
    rows = []
    for tool in site.TOOLS:
        row: dict[str, Any] = {"way": tool.name, "problem": site.install(tool, peers)}
        if not row["problem"]:
            try:
                costs = site.measure(tool, n_articles, peers, options)
                row["steps"] = {step: [cost.wall, cost.cpu, cost.memory / 2**20] for step, cost in costs.items()}
            except (subprocess.CalledProcessError, RuntimeError) as error:
                row["problem"] = str(getattr(error, "output", "") or error).strip().splitlines()[-1][:300]
        tell(f"  {tool.name}: {row['problem'] or ', '.join(_told(row['steps']))}")
        rows.append(row)
    return {"sites": rows, "articles": n_articles}
