"""How long an author waits for the preview: `python -m tests.benchmarks.preview [--rounds 9]`.

This site's content is copied and served by a process of its own. A word of prose is saved in a short article and in the
longest one, again and again; the clock runs until an open page would have heard of it (it listens to the preview's
events) and has loaded the new text. The site must have been built: what the figures answer comes from the cache, and
nothing is computed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from . import say
from .contest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COPIED = ("content", "bib", "pyproject.toml")
READY = re.compile(r"(http://127\.0\.0\.1:\d+\S*)")
PATIENCE = 600.0
"""Seconds for the first build."""
PAUSE = 0.5
"""Seconds between two edits, so that one does not ride along with the next."""


def main() -> None:
    """Print the median and the longest wait of each article."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _serving(Path(folder)) as url:
        for name, article in zip(("the shortest article", "the longest article"), _extremes(Path(folder)), strict=True):
            seconds = [_edit(article, url, number) for number in range(asked.rounds + 1)]
            waits = seconds[1:]  # the first edit finds out what later ones know
            size = article.stat().st_size / 1000
            say(
                f"prose of {name}, {article.parent.name} ({size:.0f} kB): "
                f"{statistics.median(waits):.3f} s, at most {max(waits):.3f} s"
            )


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """Within: a preview of a copy of this site; its address, once the site is built."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    command = [sys.executable, "-m", "builder", "serve", "-v"]
    environment = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with (folder / "log.txt").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield _wait(process, log, folder)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], log: IO[str], folder: Path) -> str:
    """Return the address of the preview when all pages are there. Raises `RuntimeError` where it ends before."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        log.seek(0)
        found = READY.search(log.read())
        if found and (folder / "_site" / "index.html").is_file():
            return found[1]
        time.sleep(0.1)
    log.seek(0)
    raise RuntimeError(f"no preview: {log.read()[-500:]}")


def _extremes(folder: Path) -> Sequence[Path]:
    """Return the shortest article and the longest one."""
    articles = sorted((folder / "content").glob("*/article.md"), key=lambda path: path.stat().st_size)
    return articles[0], articles[-1]


def _edit(article: Path, url: str, number: int) -> float:
    """Save a word as the first paragraph; return the seconds until a page that is open has it."""
    word = f"Edited{time.monotonic_ns()}x{number}"
    text = article.read_text(encoding="utf-8")
    front, _, body = text.partition("\n---\n")
    with urllib.request.urlopen(f"{url}__fanlight__/events", timeout=PATIENCE / 10) as events:
        time.sleep(PAUSE)
        article.write_text(f"{front}\n---\n\n{word}.\n{body}", encoding="utf-8", newline="\n")
        start = time.perf_counter()
        page = f"{article.parent.name}/index.html"
        while time.perf_counter() - start < PATIENCE / 10:
            changed = _next(events)["pages"]  # None: all
            if changed is None or page in changed:
                with urllib.request.urlopen(f"{url}{article.parent.name}/") as answer:
                    if word.encode() in answer.read():
                        return time.perf_counter() - start
    raise RuntimeError(f"{page} never showed {word}")


def _next(events: IO[bytes]) -> dict[str, Any]:
    """Return what the preview tells next. Raises `RuntimeError` where it has ended."""
    while line := events.readline().decode():
        name, _, told = line.partition(": ")
        if name == "data":
            found: dict[str, Any] = json.loads(told)
            return found
    raise RuntimeError("the preview has ended")


if __name__ == "__main__":
    main()
