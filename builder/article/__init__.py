"""`Article`: a file of front matter and Markdown, validated, nothing parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import Problem
from ..site import Site
from ..yaml_mapping import read_mapping
from .meta import Affiliation, Author, Meta, MetaReader

__all__ = ["Affiliation", "Article", "Author", "Meta", "read_article"]


_OTHER = re.compile(r"\s*^(?:([+]{3}|;{3}|-{2}|-{4,}|[–—]-?)[ \t]*$|title[ \t]*:)", re.MULTILINE)
"""How front matter begins in Hugo's TOML, or where dashes are missing, are too many, or were drawn together."""


@dataclass(frozen=True)
class Article:
    """An article as it was read. `body` is its Markdown, which begins in line `body_line` of the file."""

    slug: str
    path: Path
    root: Path
    """The site's folder: nothing outside it belongs to the article."""
    meta: Meta
    body: str
    body_line: int
    problems: tuple[Problem, ...] = ()

    @property
    def folder(self) -> Path:
        """The article's own folder, where its pictures lie."""
        return self.path.parent


def read_article(path: Path, site: Site) -> Article:
    """Read an article. What is wrong with it, even that it cannot be read, becomes its `problems`."""
    problems: list[Problem] = []
    text = _read_text(path, problems)
    front, first, body, body_line, ended = _split(text)
    if not ended:
        problems.append(Problem("missing end of front matter: a line `---`", path, first - 1, 1))
    other = _OTHER.match(text) if not front else None
    if other:
        line = other[0].count("\n") + 1
        shown = other[1] or "title: …"
        problems.append(Problem(f"invalid front matter: {shown} (write YAML between two lines ---)", path, line, 1))
    mapping, wrong = read_mapping(front, first)
    problems += [replace(problem, path=path) for problem in wrong]
    reader = MetaReader(mapping, path, site.root)
    meta = reader.read()
    if problems and not text:
        reader.problems.clear()  # of what could not be read, nothing is missing
    elif other or any(problem.message.startswith("invalid YAML") for problem in wrong):
        absent = ("missing title", "missing authors")  # they may stand where it could not be read
        reader.problems[:] = [problem for problem in reader.problems if not problem.message.startswith(absent)]
    return Article(meta.slug, path, site.root, meta, body, body_line, (*problems, *reader.problems))


def _read_text(path: Path, problems: list[Problem]) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        problems.append(Problem(f"invalid article: it cannot be read ({error.strerror})", path))
        return ""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.append(Problem("invalid article: it is not UTF-8", path, line))
        return ""
    return re.sub(r"\r\n?", "\n", text).replace("\0", "\ufffd")  # as markdown-it does, so that places agree


def _split(text: str) -> tuple[str, int, str, int, bool]:
    """Return front matter and its first line from 1, body and its first line, and whether the front matter ends.

    Empty lines before it do no harm.
    """
    lines = text.split("\n")
    begin = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[begin].rstrip() != "---":
        return "", 1, text, 1, True
    for number, line in enumerate(lines[begin + 1 :], begin + 1):
        if line.rstrip() in ("---", "..."):
            return "\n".join(lines[begin + 1 : number]), begin + 2, "\n".join(lines[number + 1 :]), number + 2, True
    return "\n".join(lines[begin + 1 :]), begin + 2, "", len(lines), False
