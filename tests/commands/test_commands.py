"""Commands one by one: what each answers, and what it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from builder.__main__ import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Figure:
    """How a figure stands."""

    article: str
    label: str
    kind: str
    path: Path
    line: int
    state: str
    why: str
    address: str


def test_status_is_a_table_or_json(site: Path, pipeline: Any, capsys: Any) -> None:
    """The table is for people, JSON has all fields."""
    path = site / "content/a/article.md"
    rows = [
        Figure("a", "fig-eu", "saliency", path, 12, "fresh", "answered", "ab"),
        Figure("a", "fig-fresh-ranks", "rankings", path, 30, "stale", "another\x9b prompt", "cd"),
    ]
    pipeline(lambda _: rows)
    assert main(["status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "figure             kind      state  why                 where",
        "a#fig-eu           saliency  fresh  answered            content/a/article.md:12",
        "a#fig-fresh-ranks  rankings  stale  another\\x9b prompt  content/a/article.md:30",
    ]
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.encode("ascii"))[1] == {
        "article": "a", "label": "fig-fresh-ranks", "kind": "rankings", "path": "content/a/article.md", "line": 30,
        "state": "stale", "why": "another\x9b prompt", "address": "cd",
    }  # fmt: skip
    pipeline(lambda _: [])
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_clean_removes_the_site_and_on_demand_the_cache(site: Path, capsys: Any) -> None:
    """Models stay unless they are named too; what is not ours is not touched."""
    from builder.write import write_site

    for name in ("results/ab", "math", "ledgers", "checkpoints/x"):
        (site / "cache" / name).mkdir(parents=True)
        (site / "cache" / name / "file").touch()
    write_site({"index.html": b""}, site / "_site")
    assert main(["clean"]) == 0
    assert capsys.readouterr().out == "removed 2 files from _site\n"
    assert not (site / "_site").exists()
    assert (site / "cache/results/ab/file").exists()
    assert main(["clean", "--all"]) == 0
    left = {entry.name for entry in (site / "cache").iterdir()}
    assert "checkpoints" in left
    assert not left & {"results", "math", "ledgers"}
    assert main(["clean", "--models"]) == 0
    assert not (site / "cache/checkpoints").exists()
    (site / "_site").mkdir()
    (site / "_site/thesis.tex").touch()
    assert main(["clean"]) == 1
    assert (site / "_site/thesis.tex").exists()


def test_new_says_what_comes_next(site: Path, capsys: Any) -> None:
    """The files, and the command that shows them."""
    assert main(["new", "mine"]) == 0
    out = capsys.readouterr().out
    assert "  pyproject.toml\n" in out
    assert out.endswith("cd mine && fanlight serve\n")
    assert main(["new", "mine"]) == 1
    assert main(["new", "my site"]) == 0
    assert capsys.readouterr().out.endswith("cd 'my site' && fanlight serve\n")  # as a shell takes it


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["new", "-q", "mine"]])
def test_a_command_imports_only_what_it_needs(tmp_path: Path, words: list[str]) -> None:
    """Of what is installed only where caches lie, and of our own not the pipeline."""
    script = (
        "import sys; before = set(sys.modules); from builder.__main__ import main; code = main(sys.argv[1:]);"
        "new = {name for name in set(sys.modules) - before if name.partition('.')[0] not in sys.stdlib_module_names};"
        "light = {'builder', 'platformdirs'};"
        "heavy = [name for name in new if name == 'builder.build' or name.partition('.')[0] not in light];"
        "print(sorted(heavy), file=sys.stderr); sys.exit(code)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[-1] == "[]", done.stderr
