"""What is there and not used: labels, entries and files of bibliographies, pictures and other files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from ..document import Document
from ..errors import Problem
from ..finding import Finding, as_finding
from ..library import Library, find_strays
from ..local import PICTURES
from ..site import Site
from .walk import walk

__all__ = ["check_bibliographies", "check_files", "check_labels", "check_strays"]

MOST = 20
"""Unused entries of a file that are told one by one: some have a whole library in it."""
_HREF = re.compile(r"""href\s*=\s*["']?#([^"'\s>]+)""", re.IGNORECASE)
_HTML = ("html_block", "html_inline", "markup", "tag")


def check_labels(documents: Sequence[Document]) -> Iterator[Finding]:
    """Yield a note for each figure, table and equation with a label that no text refers to."""
    linked = {(link.slug, link.fragment) for document in documents for link in document.links}
    for document in documents:
        used = {fragment for slug, fragment in linked if slug == document.article.slug} | _named(document)
        for label, line in _labels(document):
            if label not in used:
                yield Finding(f"unused label: no text refers to @{label}", document.article.path, line, None, "note")


def check_bibliographies(documents: Sequence[Document], library: Library) -> Iterator[Finding]:
    """Yield a note for each entry that nobody cites, and for what is odd in it; a warning for each file without use."""
    places: dict[tuple[Path, int], str] = {}
    cited: set[tuple[Path, int]] = set()
    told: set[Problem] = set()
    odd: dict[Problem, None] = {}
    for document in documents:
        bibliography = library.bibliography(document.article)
        odd.update(dict.fromkeys(bibliography.check_all()))
        told |= {*bibliography.problems, *bibliography.problems_of(document.citations)}
        places.update({bibliography.place(key): key for key in bibliography})
        pending = list(document.citations)
        while pending:  # what an entry inherits from is used as well
            key = pending.pop()
            if key in bibliography and bibliography.place(key) not in cited:
                cited.add(bibliography.place(key))
                fields = bibliography[key].fields
                pending += [
                    name.strip() for field in ("crossref", "xdata") for name in fields.get(field, "").split(",")
                ]
    for file in sorted({path for path, _ in places}):
        inside = {place for place in places if place[0] == file}
        if inside.isdisjoint(cited):
            yield Finding("unused bibliography: no article cites from it", file)
            continue
        left = sorted(inside - cited)
        for place in left[:MOST]:
            yield Finding(f"unused entry: no article cites {places[place]}", *place, None, "note")
        if len(left) > MOST:
            yield Finding(f"unused entries: {len(left) - MOST:,} more of {len(inside):,}", file, severity="note")
        yield from (as_finding(problem, "note") for problem in odd if problem.path == file and problem not in told)


def check_files(documents: Sequence[Document]) -> Iterator[Finding]:
    """Yield a note for each file in an article's folder that no article shows, links to or reads."""
    used: set[Path] = set()
    for document in documents:
        meta = document.article.meta
        used |= {*document.pictures.values(), *document.dark.values(), *document.files.values(), *meta.bibliography}
        used |= {document.article.path} | ({meta.thumbnail} if isinstance(meta.thumbnail, Path) else set())
    used = {path.resolve() for path in used}
    for folder in sorted({document.article.folder for document in documents}):
        for file in sorted(folder.rglob("*")):
            hidden = any(part.startswith((".", "__")) for part in file.relative_to(folder).parts)
            if hidden or not file.is_file() or file.resolve() in used:
                continue
            yield _unused_file(file)


def check_strays(site: Site) -> Iterator[Finding]:
    """Yield a warning for each text that was surely meant as an article: builds read `article.md` and nothing else."""
    for file, meant in find_strays(site):
        yield Finding(f"unused text: {file.name} is no article (did you mean {meant}?)", file)


def _unused_file(file: Path) -> Finding:
    suffix = file.suffix.lower()
    if suffix == ".bib":
        wrong = f"unused bibliography: no article names it; write bibliography: [{file.name}]"
        return Finding(wrong, file)
    what = "picture" if suffix in PICTURES else "file"
    return Finding(
        f"unused {what}: no article {'shows' if what == 'picture' else 'links to'} it", file, severity="note"
    )


def _labels(document: Document) -> Iterator[tuple[str, int]]:
    """Yield the labels of figures, tables and equations, with their lines; a section's is there for its address."""
    first = document.article.body_line
    for token, line in walk(document):
        if token.type == "math_block_label":
            yield token.info, first + token.map[1] - 1 if token.map else line
        elif token.type in ("directive_figure", "directive_table") and not token.meta.get("letter"):
            option = token.meta["options"].get("label") or token.meta["options"].get("name")
            if option is not None and option.value:
                yield str(option.value), option.line


def _named(document: Document) -> set[str]:
    """Return the labels that an article itself speaks of: references, words of a figure, links, figures that follow."""
    named = {mention.anchor for mention in (*document.mentions, *document.values)}
    named |= {str(spec.follows.value).lstrip("@#") for spec in document.figures if spec.follows}
    letters = {f"{spec.label}": spec.number for spec in document.figures if spec.label}
    for token, _ in walk(document):
        if token.type == "reference":
            named.add(str(token.meta["label"]))
        elif token.type == "link_open":
            named.add(unquote(str(token.attrs.get("href", "")).partition("#")[2]))
        elif token.type in _HTML:
            named.update(unquote(found) for found in _HREF.findall(token.content))
    numbers = {letters[name] for name in named if name in letters}  # of a figure within one, the outer is meant too
    return named | {label for label, number in letters.items() if number in numbers}
