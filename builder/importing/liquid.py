"""Jekyll's tags: what they stand for is written out, or told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape

from .shelter import Shelter, fenced
from .tree import words

__all__ = ["expand", "line_of"]

_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}(.*?)\{%-?\s*endraw\s*-?%\}", re.DOTALL)
_COMMENT = re.compile(r"\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}", re.DOTALL)
_HIGHLIGHT = re.compile(r"\{%-?\s*highlight\s*([\w+#-]*)[^%]*?-?%\}(.*?)\{%-?\s*endhighlight\s*-?%\}", re.DOTALL)
_TAG = re.compile(r"\{%-?\s*(\w+)((?:\"[^\"]*\"|'[^']*'|(?!%\}).)*?)-?%\}", re.DOTALL)
_OUTPUT = re.compile(r"\{\{-?((?:\"[^\"]*\"|'[^']*'|(?!\}\}).)*?)-?\}\}", re.DOTALL)
_PARAMETER = re.compile(r"([\w-]+)\s*=\s*(?:\"((?:\\.|[^\"\\])*)\"|'((?:\\.|[^'\\])*)'|([^\s\"']+))", re.DOTALL)

_FIGURES = re.compile(r"(figure|image|img|picture|responsive[_-]image)s?(\.\w+)?$", re.IGNORECASE)
_FRAMES = re.compile(r"(video|audio|youtube|vimeo|iframe)(\.\w+)?$", re.IGNORECASE)
_KEPT = re.compile(r"(relative_url|absolute_url|prepend|append:\s*(''|\"\")|strip|escape|uri_escape)")
"""Filters that leave an address what it is."""
_SILENT = words("endraw raw endhighlight comment endcomment bibliography")

Complain = Callable[[str, int], None]


def expand(
    text: str, shelter: Shelter, page: Mapping[str, str], find_post: Callable[[str], str | None], complain: Complain
) -> str:
    """Return a text without Liquid and with as many lines.

    Includes of figures become elements `x-figure`, code is kept in `shelter`. `page` has the front matter's texts;
    `find_post` returns the address of a post that is an article here. `complain` gets a message, and how many
    lines are above.
    """
    text = _COMMENT.sub(lambda found: _blank(found[0]), text)
    text = shelter.replace(_HIGHLIGHT, lambda found: f"\n{fenced(found[2], found[1])}\n", text)
    text = _RAW.sub(lambda found: re.sub(r"\{[{%]", lambda brace: shelter.keep(brace[0]), found[1]), text)

    def tag(found: re.Match[str]) -> str:
        name, rest = found[1], found[2].strip()
        written = _tag(name, rest, find_post)
        if written is None:
            complain(f"unsupported tag: {{% {name}{' ' if rest else ''}{_short(rest)} %}}", line_of(found))
        return (written or "") + _blank(found[0])

    def output(found: re.Match[str]) -> str:
        written = _output(found[1].strip(), page)
        if written is None:
            complain(f"unsupported value: {{{{ {_short(found[1].strip())} }}}}", line_of(found))
        return (written or "") + _blank(found[0])

    return _TAG.sub(tag, _OUTPUT.sub(output, text))


def line_of(found: re.Match[str]) -> int:
    """Return how many lines are above a match."""
    return found.string.count("\n", 0, found.start())


def _blank(text: str) -> str:
    return "\n" * text.count("\n")


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 60 else f"{words[:60]}…"


def _tag(name: str, rest: str, find_post: Callable[[str], str | None]) -> str | None:
    """Return what a tag stands for, None for what cannot be carried over."""
    first = rest.split()[0] if rest else ""
    if name == "include":
        given = {found[1]: found[2] or found[3] or found[4] or "" for found in _PARAMETER.finditer(rest)}
        given = {key: re.sub(r"\\([\"'])", r"\1", value) for key, value in given.items()}
        source = given.get("path") or given.get("src") or given.get("url") or given.get("image_path") or ""
        if _FIGURES.search(first) and source:
            more = {key: given[key] for key in ("alt", "class", "id") if key in given}
            return _element("x-figure", {"src": source, **more}, given.get("caption", ""))
        if _FRAMES.search(first) and (source or given.get("id")):
            return _element("iframe", {"src": source or given["id"], "title": given.get("title", "")}, "")
        return None
    if name == "cite":
        keys = [word for word in rest.split() if re.fullmatch(r"[\w:.+/-]+", word)]
        return _element("d-cite", {"key": ",".join(keys)}, "") if keys else None
    if name in ("post_url", "link"):
        return find_post(first)
    if name == "details":
        return f"<details><summary>{rest}</summary>"
    if name == "enddetails":
        return "</details>"
    return "" if name in _SILENT else None


def _element(tag: str, attributes: Mapping[str, str], content: str) -> str:
    written = " ".join(f'{name}="{escape(" ".join(value.split()))}"' for name, value in attributes.items() if value)
    return f"<{tag} {written}>{' '.join(content.split())}</{tag}>"


def _output(expression: str, page: Mapping[str, str]) -> str | None:
    """Return a value: a quoted text, where the site lies, or one of the page's own."""
    value, *filters = (part.strip() for part in expression.split("|"))
    quoted = re.fullmatch(r"\"([^\"]*)\"|'([^']*)'", value)
    if not all(_KEPT.match(one) for one in filters):
        return None
    if quoted:
        return quoted[1] if quoted[1] is not None else quoted[2]
    if value in ("site.baseurl", "site.url", "site.github.url"):
        return ""
    return page.get(value.removeprefix("page.")) if value.startswith("page.") else None
