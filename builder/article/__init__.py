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
    front, body, body_line, ended = _split(text)
    if not ended:
        problems.append(Problem("missing end of front matter: a line `---`", path, 1, 1))
    mapping, wrong = read_mapping(front, 2)
    problems += [replace(problem, path=path) for problem in wrong]
    reader = MetaReader(mapping, path, site.root)
    meta = reader.read()
    if problems and not text:
        reader.problems.clear()  # of what could not be read, nothing is missing
    elif any(problem.message.startswith("invalid YAML") for problem in wrong):
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


def _split(text: str) -> tuple[str, str, int, bool]:
    """Return front matter, body, the body's first line from 1, and whether the front matter ends."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return "", text, 1, True
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]), number + 2, True
    return "\n".join(lines[1:]), "", len(lines), False
