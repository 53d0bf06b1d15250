"""Links in the pages of a built site: each must lead to a file of the site, and to an element that is there."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote

from ..errors import nearest
from ..finding import Finding
from ..write import MANIFEST

__all__ = ["check_rendered"]

_SCRIPTS = re.compile(r"<(script|style|template)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""\s(id|name|href|src|srcset|poster)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_TAG = re.compile(r"""<[a-z][^\s/>]*((?:"[^"]*"|'[^']*'|[^"'>])*)>""", re.IGNORECASE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_EVERYWHERE = frozenset({"", "top"})


def check_rendered(output: Path, severity: Literal["error", "warning"] = "warning") -> Iterator[Finding]:
    """Yield a finding for each link of the site in `output` that leads nowhere; nothing where no site was built.

    `404.html` is shown at any depth, so its links are those of the site's address, and left alone.
    """
    try:
        names = json.loads((output / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    files = {name for name in names if isinstance(name, str) and (output / name).is_file()}
    pages = {name: _read_page(output / name) for name in sorted(files) if name.endswith(".html") and name != "404.html"}
    for name, (_, links) in pages.items():
        for link in links:
            wrong = _wrong(link, name, files, {page: ids for page, (ids, _) in pages.items()} if "#" in link else {})
            if wrong:
                yield Finding(wrong, output / name, severity=severity)


def _read_page(file: Path) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the ids of a page, and what it links to or shows."""
    text = _SCRIPTS.sub(" ", file.read_text(encoding="utf-8", errors="replace"))
    ids, links = set(), {}
    for tag in _TAG.finditer(text):
        for name, *values in _ATTRIBUTE.findall(tag[1]):
            value = unescape("".join(values))
            if name.lower() in ("id", "name"):
                ids.add(value)
            elif name.lower() == "srcset":
                links.update(dict.fromkeys(part.split()[0] for part in value.split(",") if part.strip()))
            else:
                links[value] = None
    return frozenset(ids), tuple(links)


def _wrong(link: str, page: str, files: set[str], ids: dict[str, frozenset[str]]) -> str | None:
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
    if fragment in _EVERYWHERE or found not in ids or fragment in ids[found] or fragment.startswith(":~:"):
        return None
    return f"broken link: {link}{nearest(fragment, ids[found])}"
