"""Links in pages as readers get them: each must lead to a file of the site, and to an element that is there."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from ..article import Article
from ..directives.safe_html import unescape
from ..errors import nearest
from ..finding import Finding
from ..write import MANIFEST

__all__ = ["Page", "check_articles_pages", "check_output_pages", "read_page"]

_SCRIPTS = re.compile(r"<(script|style|template)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""\s(id|name|href|src|srcset|poster)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_TAG = re.compile(r"""<[a-z][^\s/>]*((?:"[^"]*"|'[^']*'|[^"'>])*)>""", re.IGNORECASE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_EVERYWHERE = frozenset({"", "top"})


@dataclass(frozen=True)
class Page:
    """What a page has that a link may lead to, and what it links to or shows itself."""

    ids: frozenset[str]
    links: tuple[str, ...]


def read_page(html: str) -> Page:
    """Return the ids of a page, and what it links to or shows."""
    ids, links = set(), {}
    for tag in _TAG.finditer(_SCRIPTS.sub(" ", html)):
        for name, *values in _ATTRIBUTE.findall(tag[1]):
            value = unescape("".join(values))
            if name.lower() in ("id", "name"):
                ids.add(value)
            elif name.lower() == "srcset":
                links.update(dict.fromkeys(part.split()[0] for part in value.split(",") if part.strip()))
            else:
                links[value] = None
    return Page(frozenset(ids), tuple(links))


def check_pages(pages: Mapping[str, Page], files: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield page, link and what is wrong for each link of a page that leads nowhere in the site.

    `files` are all of the site's. `404.html` is shown at any depth, so its links are those of the site's address, and
    left alone.
    """
    for name in sorted(pages.keys() - {"404.html"}):
        for link in pages[name].links:
            wrong = _wrong(link, name, files, pages)
            if wrong:
                yield name, link, wrong


def check_articles_pages(pages: Mapping[str, tuple[Article, Page]], files: Collection[str]) -> Iterator[Finding]:
    """Yield an error for each link of the articles' pages that leads nowhere, at its place in the article."""
    for name, link, wrong in check_pages({path: page for path, (_, page) in pages.items()}, files):
        article = pages[name][0]
        lines = article.body.split("\n")
        found = next(((number, text.find(link)) for number, text in enumerate(lines) if link in text), None)
        line, column = (found[0] + article.body_line, found[1] + 1) if found else (None, None)
        yield Finding(wrong, article.path, line, column, "error")


def check_output_pages(output: Path, but: Collection[str]) -> Iterator[Finding]:
    """Yield a warning for each such link of the pages that lie in `output`, `but` some; nothing where none do."""
    try:
        names = json.loads((output / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    files = {name for name in names if isinstance(name, str) and (output / name).is_file()}
    html = {name: output / name for name in files if name.endswith(".html")}
    pages = {name: read_page(file.read_text(encoding="utf-8", errors="replace")) for name, file in html.items()}
    for name, _, wrong in check_pages(pages, files):
        if name not in but:
            yield Finding(wrong, output / name)


def _wrong(link: str, page: str, files: Collection[str], pages: Mapping[str, Page]) -> str | None:
    """Say what is wrong with a link of a page, None where nothing is or nobody here can know."""
    if _ELSEWHERE.match(link):
        return None
    address, _, fragment = link.strip().partition("#")
    path = unquote(address.partition("?")[0])
    if path.startswith("/"):
        return None  # from the host's root: where the site lies in it is not known here
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    if target.startswith(".."):
        return f"broken link: {link} leaves the site"
    found = next((path for path in (target, f"{target}/index.html".removeprefix("./")) if path in files), None)
    if found is None:
        ending = PurePosixPath(target).suffix
        alike = [file.removesuffix("index.html") for file in files if file.endswith(ending or "/index.html")]
        return f"broken link: {link}{nearest(target if ending else f'{target}/', alike)}"
    fragment = unquote(fragment)
    if fragment in _EVERYWHERE or found not in pages or fragment in pages[found].ids or fragment.startswith(":~:"):
        return None
    return f"broken link: {link}{nearest(fragment, pages[found].ids)}"
