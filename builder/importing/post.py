"""A post of Jekyll's, as al-folio and the blog tracks of conferences have it, as front matter and Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .files import FileError, Files
from .kramdown import hide_code, hide_mathematics, rewrite
from .liquid import expand
from .macros import take_macros
from .markdown import Writer
from .matter import read_matter, spelt
from .shelter import Shelter
from .tree import parse_html

__all__ = ["date_of", "read_post"]

_FRONT = re.compile(r"---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)

Complain = Callable[[str, int], None]


def read_post(
    source: str,
    path: Path,
    files: Files,
    find_article: Callable[[str], str | None],
    complain: Complain,
) -> tuple[dict[str, Any], str]:
    """Return front matter and text. What cannot be carried over is told, with its line."""
    source = Shelter.clear(source)
    found = _FRONT.match(source)
    given = _front_matter(found[1] if found else "", complain)
    body = source[found.end() :] if found else source
    first = source.count("\n", 0, found.end()) + 1 if found else 1
    front = found[1] if found else ""

    def line(key: str) -> int:
        place = re.search(rf"^{re.escape(key)}[ \t]*:", front, re.MULTILINE)
        return front.count("\n", 0, place.start()) + 2 if place else 1

    shelter = Shelter()
    text = hide_code(body, shelter)

    def tell(message: str, n_above: int) -> None:
        complain(message, first + n_above)

    page = {key: spelt(value) for key, value in given.items() if isinstance(value, (str, int, float))}
    text = expand(text, shelter, page, find_article, tell)
    text, macros = take_macros(text)
    text = hide_mathematics(text, shelter)
    text = rewrite(text, tell)
    root = parse_html(text, first_line=first, verbatim=True)
    levels = [len(mark) for mark in re.findall(r"^(#{1,6})[ \t]", text, re.MULTILINE)]
    writer = Writer(
        files,
        shelter,
        complain,
        text,
        verbatim=True,
        shift=max(2 - min(levels, default=2), 0),
        find_article=find_article,
    )
    markdown = re.sub(r"(?<=[^\n])\n(?=:::\{(?:tip|warning|caution)\})", "\n\n", writer.write(root.children))
    matter = read_matter(given, line, complain)
    if "date" not in matter and (day := date_of(path)):
        matter["date"] = day
    if macros:
        matter["math"] = {"macros": macros}
    _add_files(given, matter, files, line, complain)
    return matter, markdown


def date_of(path: Path) -> Any:
    """Return the day that a post's file is named by, if it is."""
    found = re.match(r"\d{4}-\d{2}-\d{2}(?=-)", path.name)
    return yaml.safe_load(found[0]) if found else None


def _front_matter(text: str, complain: Complain) -> Mapping[str, Any]:
    try:
        given = yaml.safe_load(text) if text.strip() else {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        complain("broken front matter: it is not YAML", mark.line + 2 if mark else 1)
        return {}
    return {spelt(key): value for key, value in given.items()} if isinstance(given, Mapping) else {}


def _add_files(
    given: Mapping[str, Any], matter: dict[str, Any], files: Files, line: Callable[[str], int], complain: Complain
) -> None:
    bibliography = given.get("bibliography")
    names = []
    for written in bibliography if isinstance(bibliography, list) else [bibliography]:
        if isinstance(written, str) and written.strip():
            try:
                names.append(files.take_bibliography(written.strip()))
            except FileError as error:
                complain(str(error), line("bibliography"))
    if names:
        matter["bibliography"] = names
    thumbnail = given.get("thumbnail") or given.get("img")
    if isinstance(thumbnail, str) and thumbnail.strip():
        try:
            matter["thumbnail"] = files.take_picture(thumbnail)
        except FileError as error:
            complain(str(error), line("thumbnail" if "thumbnail" in given else "img"))
