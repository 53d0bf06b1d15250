"""`import_article`: a page of Distill's template, or a post of Jekyll's, as an article of a site."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..article.meta import TAKEN
from ..directives.heading import slugify
from ..errors import BuildError, Problem
from ..site import Site
from .files import FileError, Files, read_text
from .shelter import Shelter

if TYPE_CHECKING:
    from ..document import Document

__all__ = ["Imported", "import_article"]

_POSTS = frozenset({".md", ".markdown", ".mkd"})
_PAGES = frozenset({".html", ".htm", ".xhtml"})
_NAMELESS = frozenset({"index", "article", "public", "dist", "build", "docs", "_site", ""})
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LINK = re.compile(r"(?<![!\\])\[((?:\\.|[^\[\]\\]|\[[^\[\]]*\])*)\]\(#([^()\s]+)\)")


@dataclass(frozen=True)
class Imported:
    """What was written, and what could not be carried over: at the source's lines, then what the result still lacks."""

    folder: Path
    files: tuple[str, ...]
    problems: tuple[Problem, ...]


def import_article(
    source: Path, site: Site, *, into: Path | None = None, slug: str | None = None, force: bool = False
) -> Imported:
    """Turn a page or a post into a folder of `content/`, with its pictures and its bibliography beside it.

    All is written or nothing is. What it names is looked for in its own folder or, for a post, in its Jekyll site, and
    nowhere else. Raises `BuildError` for what is neither, and, without `force`, where the folder is taken.
    """
    source = source.absolute()
    told: defaultdict[str, list[int]] = defaultdict(list)

    def complain(message: str, line: int) -> None:
        if line not in told[message]:
            told[message].append(line)

    if source.suffix.lower() not in _POSTS | _PAGES:
        raise BuildError(f"unsupported file: {source.name} (a page is .html, a post is .md)", source)
    try:
        text, wrong = read_text(source)
    except FileError as error:
        raise BuildError(str(error), source) from error
    if wrong:
        complain(wrong, 1)
    is_post = source.suffix.lower() in _POSTS
    files = Files(source.parent, _root(source) if is_post else source.parent)
    matter, body = _read(source, text, files, _finder(site), complain, is_post=is_post)
    folder = _folder(source, site, into, slug)
    if folder.exists() and not force:
        raise BuildError("invalid folder: there is an article of that name (another with --slug, or --force)", folder)
    problems = [
        Problem(_with_lines(message, lines), source, lines[0], severity="warning") for message, lines in told.items()
    ]
    names, wrong_after = _write(folder, matter, body, files, site)
    problems.sort(key=lambda problem: problem.line or 0)
    return Imported(folder, names, (*problems, *wrong_after))


def _read(
    source: Path,
    text: str,
    files: Files,
    find_article: Callable[[str], str | None],
    complain: Callable[[str, int], None],
    *,
    is_post: bool,
) -> tuple[dict[str, Any], str]:
    from .distill import read_page
    from .post import read_post

    if is_post:
        matter, body = read_post(text, source, files, find_article, complain)
    else:
        matter, body = read_page(text, files, find_article, complain)
    if not matter.get("title"):
        complain("missing title", 1)
        matter = {"title": source.stem, **matter}
    return {"title": matter.pop("title"), **matter}, body


def _with_lines(message: str, lines: list[int]) -> str:
    """Return what is told once of many lines."""
    if len(lines) == 1:
        return message
    more = ", ".join(str(line) for line in lines[1:6])
    return f"{message} (and in {'lines' if len(lines) > 2 else 'line'} {more}{' …' if len(lines) > 6 else ''})"


def _root(post: Path) -> Path:
    """Return the Jekyll site of a post: above `_posts`, or where there is a `_config.yml`; else its folder."""
    for folder in post.parents[:6]:
        if folder.name in ("_posts", "_drafts"):
            return folder.parent
        if (folder / "_config.yml").is_file():
            return folder
    return post.parent


def _finder(site: Site) -> Callable[[str], str | None]:
    """Return what finds a site's article by the address that it had elsewhere: by its last part."""
    slugs = {file.parent.name.casefold(): file.parent.name for file in site.content.glob("*/article.md")}

    def find(address: str) -> str | None:
        path, hash_, fragment = address.partition("#")
        name = re.sub(r"(/index)?\.(html?|md)$", "", path.rstrip("/")).rpartition("/")[2]
        name = re.sub(r"^\d{4}-\d{2}-\d{2}-", "", name)
        found = slugs.get(name.casefold()) if name else None
        return f"../{found}/{hash_}{fragment}" if found else None

    return find


def _folder(source: Path, site: Site, into: Path | None, slug: str | None) -> Path:
    if into is not None:
        folder = into.absolute()
        if folder.parent.resolve() != site.content.resolve():
            raise BuildError(f"invalid folder: an article lies in {site.content.name}/", folder)
    else:
        folder = site.content / (_name_of(source) if slug is None else slug)
    name = folder.name if slug is None else slug
    if not _SLUG.fullmatch(name):
        raise BuildError(f"invalid slug: {name} (it is a-z, 0-9, - and _)")
    if name.casefold() in TAKEN:
        raise BuildError(f"invalid slug: {name} is where the site keeps other files (another with --slug)")
    return folder


def _name_of(source: Path) -> str:
    """Return the name of an article by its file, or by the folder of a page that has the name of all pages."""
    parts = [source.stem, *(folder.name for folder in source.parents)]
    stem = next((part for part in parts if part.lower() not in _NAMELESS), "")
    words = slugify(re.sub(r"^\d{4}-\d{2}-\d{2}-", "", stem)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "imported"


def _write(
    folder: Path, matter: dict[str, Any], body: str, files: Files, site: Site
) -> tuple[tuple[str, ...], list[Problem]]:
    """Write an article and what lies beside it, all or nothing; return the files' names, and what is wrong still."""
    from .matter import write_matter

    try:
        with tempfile.TemporaryDirectory(prefix="importing-", dir=site.root) as temporary:
            stage = Path(temporary) / folder.name
            stage.mkdir()
            for name, content in files.found.items():
                if isinstance(content, bytes):
                    (stage / name).write_bytes(content)
                else:
                    shutil.copyfile(content, stage / name)
            head = write_matter(matter)
            article = stage / "article.md"
            article.write_text(f"{head}\n{body}", encoding="utf-8", newline="\n")
            body, problems = _mend(article, head, body, folder, site)
            article.write_text(f"{head}\n{body}", encoding="utf-8", newline="\n")
            problems += [_moved(problem, stage, folder) for problem in _parse(article, site).problems]
            names = tuple(sorted(entry.name for entry in stage.iterdir()))
            folder.parent.mkdir(parents=True, exist_ok=True)
            if folder.exists():
                for name in sorted(names, key=lambda name: name == "article.md"):  # the article last
                    (stage / name).replace(folder / name)
            else:
                stage.rename(folder)
    except OSError as error:
        raise BuildError(f"broken folder: {error.strerror or error}", folder) from error
    return names, problems


def _moved(problem: Problem, stage: Path, folder: Path) -> Problem:
    """Return a problem of the staged article at the place that it has in the end."""
    path = problem.path
    return replace(problem, path=folder / path.relative_to(stage)) if path and path.is_relative_to(stage) else problem


def _parse(article: Path, site: Site) -> Document:
    from ..library import Library

    library = Library(site)
    read = library.article(article)
    others = {file.parent.name: file for file in site.content.glob("*/article.md")}
    return library.parse(read, {**others, read.slug: read.path})


def _mend(article: Path, head: str, body: str, folder: Path, site: Site) -> tuple[str, list[Problem]]:
    """Return a text whose links within the page lead somewhere, for titles have other anchors here; and what cannot."""
    from .kramdown import hide_code

    document = _parse(article, site)
    anchors = {_kramdown_anchor(heading.text): heading.anchor for heading in document.headings}
    shelter = Shelter()
    text = hide_code(body, shelter)
    problems = []

    def link(found: re.Match[str]) -> str:
        target = found[2]
        known = target if target in document.anchors else anchors.get(target) or anchors.get(_kramdown_anchor(target))
        if known:
            return f"[{found[1]}](#{known})"
        line = head.count("\n") + 2 + text.count("\n", 0, found.start())
        wrong = f"broken link: nothing has the name #{target}"
        problems.append(Problem(wrong, folder / article.name, line, severity="warning"))
        return found[1]

    return shelter.restore(_LINK.sub(link, text)), problems


def _kramdown_anchor(title: str) -> str:
    """Return the anchor that kramdown makes of a title."""
    text = re.sub(r"^[^a-zA-Z]+", "", title)
    return re.sub(r"[^\w -]", "", text).replace(" ", "-").lower() or "section"
