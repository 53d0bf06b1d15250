"""`search_files`: the index that readers search without a server, by pagefind (the extra `search`)."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from ..errors import BuildError
from ..folders import cache_folder
from ..site import Site
from ..summary import Summary

__all__ = ["FOLDER", "can_search", "search_files"]

FOLDER = "pagefind"
PACKAGES = ("pagefind_bin_extended", "pagefind_bin")
"""Wheels with the program in them; the extended one, if somebody has it, can tell the words of Chinese and Japanese."""

ROOT = "article"
LEFT_OUT = (
    ".byline", ".contents", ".katex", ".figure-body", ".figure-method", ".figure-follows", ".heading-anchor",
    ".references", ".citation", ".footnote-mark", ".colophon", ".cite-as", ".licence", ".footnote-backlinks",
    ".visually-hidden", "nav", "button",
)  # fmt: skip
"""What is on a page but not what it says: formulas, the tables of figures, references, navigation."""
WANTED = (
    "pagefind.js",
    "pagefind-worker.js",
    "pagefind-entry.json",
    "pagefind.*.pf_meta",
    "wasm.*",
    "fragment/*",
    "index/*",
)
"""What our own search field loads; pagefind's user interfaces stay behind, half a megabyte of them."""

LICENSE = Path(__file__).with_name("pagefind-license.txt")


@cache
def find_program() -> Path | None:
    """Return the program that makes the index, None where the extra is not installed."""
    for name in PACKAGES:
        if importlib.util.find_spec(name) is not None:
            with contextlib.suppress(FileNotFoundError):  # a wheel for another platform
                program: Path = importlib.import_module(name).get_executable()
                return program
    return None


def can_search(site: Site) -> bool:
    """Return whether readers of this site can search."""
    return site.search and find_program() is not None


def search_files(
    articles: Sequence[Summary], site: Site, read_page: Callable[[Summary], str], *, old: bool = False
) -> dict[str, bytes | Path]:
    """Return the files of the index by their path in the site; they lie in the user's cache, if it can be written.

    The index is made again when an article has changed, all of it: 5 ms an article. With `old`, one that is there will
    do: a preview does not wait for it. Raises `BuildError` with what the program says if it fails.
    """
    store = cache_folder() / "search" / hashlib.sha256(f"{site.root}\0{site.language}".encode()).hexdigest()[:16]
    program = find_program()
    assert program is not None  # `can_search` was asked
    what = [[article.page, article.digest] for article in articles]
    inputs = hashlib.sha256(json.dumps([what, _stamp(program), ROOT, LEFT_OUT]).encode()).hexdigest()[:16]
    made = store / inputs
    standing = sorted((file.parent for file in store.glob("*/pagefind-entry.json")), key=_age)
    if not made.is_dir() and old and standing:
        made = standing[0]
    if not made.is_dir():
        try:
            store.mkdir(parents=True, exist_ok=True)
            _remove_left(store)
            with tempfile.TemporaryDirectory(dir=store, prefix=".") as work:
                _run(program, articles, read_page, Path(work))
                with contextlib.suppress(OSError):  # another build was first
                    (Path(work) / "out").rename(made)
        except OSError:  # a cache that cannot be written is done without
            with tempfile.TemporaryDirectory(prefix="fanlight-search-") as work:
                _run(program, articles, read_page, Path(work))
                return {path: file.read_bytes() for path, file in _index(Path(work) / "out").items()}
        for other in standing[1:]:  # the last one may just be copied into a site, by another build
            shutil.rmtree(other, ignore_errors=True)
    return dict(_index(made))


def _index(made: Path) -> dict[str, Path]:
    """Return the files of an index by their path in the site, with the licence of what made it."""
    files = (file for pattern in WANTED for file in sorted(made.glob(pattern)))
    return {f"{FOLDER}/{file.relative_to(made).as_posix()}": file for file in files} | {
        f"{FOLDER}/LICENSE.txt": LICENSE
    }


def _remove_left(store: Path) -> None:
    """Remove what builds left that were killed while they made an index, which takes seconds: it is an hour old."""
    for folder in store.glob(".*"):
        if time.time() - folder.stat().st_mtime > 3600:
            shutil.rmtree(folder, ignore_errors=True)


def _run(program: Path, articles: Iterable[Summary], read_page: Callable[[Summary], str], work: Path) -> None:
    """Have the index of the articles' pages made in `work/out`."""
    for article in articles:
        file = work / "site" / PurePosixPath(article.page)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(read_page(article), encoding="utf-8", errors="replace")
    command = [str(program), "--site", str(work / "site"), "--output-path", str(work / "out"), "--quiet"]
    for name, selectors in (("--root-selector", (ROOT,)), ("--exclude-selectors", LEFT_OUT)):
        command += [part for selector in selectors for part in (name, selector)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=work)  # noqa: S603 - as installed
    except OSError as error:
        raise BuildError(f"broken search: {program.name} does not run ({error.strerror})") from error
    if done.returncode or not (work / "out" / "pagefind-entry.json").is_file():
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise BuildError(f"broken search: pagefind says {said!r}; without it, set search = false in [tool.fanlight]")


def _age(folder: Path) -> float:
    return -folder.stat().st_mtime_ns


def _stamp(program: Path) -> list[object]:
    found = program.stat()
    return [program.name, found.st_size, found.st_mtime_ns]
