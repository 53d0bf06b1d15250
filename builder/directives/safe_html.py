"""HTML that is harmless: which tags and attributes an article may write, and what becomes of the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import unescape as html_unescape
from typing import Any

__all__ = [
    "ATTRIBUTE",
    "BLOCKS",
    "PHRASING",
    "VOID",
    "as_browsers_read",
    "attribute_message",
    "clean",
    "clean_tag",
    "is_harmless_link",
    "shorten_references",
    "unescape",
    "wrong_attributes",
]

PHRASING = frozenset({
    "abbr", "b", "bdi", "bdo", "br", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "rp", "rt",
    "ruby", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr",
})  # fmt: skip
"""What may stand in a sentence, beside links, which become Markdown's."""

BLOCKS = frozenset({
    "a", "address", "blockquote", "caption", "col", "colgroup", "dd", "details", "div", "dl", "dt", "figcaption",
    "figure", "hr", "li", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "ul",
})  # fmt: skip
"""What may also stand in a block of HTML."""

VOID = frozenset({"br", "col", "hr", "wbr"})

_ATTRIBUTES = {
    "*": {"class", "dir", "lang", "title"},  # no `id`, no `data-…`: scripts of the page look for theirs
    "a": {"href"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"datetime"},
    "details": {"open"},
    "ins": {"datetime"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"abbr", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
}

_WITHOUT_CONTENT = frozenset({
    "audio", "canvas", "embed", "head", "iframe", "math", "noscript", "object", "script", "select", "style", "svg",
    "template", "textarea", "title", "video",
})  # fmt: skip
"""What goes with all that is in it; of other tags that are not allowed the inside stays."""

_INSTEAD = {
    "align": "class, and a rule in theme/css/site.css",
    "href": "[words](address)",
    "id": "[words]{#name}",
    "markdown": "an empty line before Markdown",
    "name": "[words]{#name}",
    "style": "class, and a rule in theme/css/site.css",
}

ATTRIBUTE = re.compile(r"\s+([A-Za-z_:][\w:.-]*)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\"'=<>`\s]+))?")
_REFERENCE = re.compile(r"&#(?=[0-9]{8})0*([0-9]+)(;?)")
_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*\s*:")
_HARMLESS = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


@cache
def _cleaner() -> Any:
    from nh3 import Cleaner  # only where there is HTML

    return Cleaner(
        tags=set(PHRASING | BLOCKS),
        clean_content_tags=set(_WITHOUT_CONTENT),
        attributes=_ATTRIBUTES,
        link_rel=None,  # nothing opens in another window
        set_tag_attribute_values={"table": {"tabindex": "0"}},  # it scrolls: the keyboard must reach it
        url_schemes={"http", "https", "mailto"},
        url_relative=lambda address: address if address.startswith("#") else None,
    )


def clean(html: str) -> str:
    """Return what is harmless of a fragment of HTML, balanced whatever it was.

    >>> clean('<p onclick="x()"><b>a')
    '<p><b>a</b></p>'
    """
    return str(_cleaner().clean(html))


@cache
def clean_tag(tag: str, name: str) -> str:
    """Return one opening tag of `PHRASING`, as it was written but for what is not allowed."""
    return clean(tag).removesuffix(f"</{name}>")


def unescape(text: str) -> str:
    """Return a text with the characters that `&#106;` and `&colon;` stand for, however many digits there are."""
    return html_unescape(shorten_references(text))


def shorten_references(text: str) -> str:
    """Return a text whose references to characters have seven digits at most: Python reads no endless ones.

    >>> shorten_references("&#00000000106; &#99999999;") == "&#106; \N{REPLACEMENT CHARACTER}"
    True
    """
    return _REFERENCE.sub(lambda found: f"&#{found[1]}{found[2]}" if len(found[1]) < 8 else "\ufffd", text)


def as_browsers_read(address: str) -> str:
    r"""Return an address without what browsers do not see in it.

    >>> as_browsers_read("\x01 java\tscript:x")
    'javascript:x'
    """
    return re.sub(r"[\t\n\r]", "", address).strip("".join(map(chr, range(0x21))))


def is_harmless_link(address: str) -> bool:
    """Whether an address is of the site, or has a scheme that runs nothing."""
    return _HARMLESS.match(address) is not None or not (_SCHEME.match(address) or address.startswith("//"))


def wrong_attributes(tag: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of each attribute that a tag does not keep."""
    for found in ATTRIBUTE.finditer(tag):
        attribute, value = found[1].lower(), unescape((found[2] or "").strip("\"'"))
        value = as_browsers_read(value)
        wrong_link = attribute == "href" and not (_HARMLESS.match(value) or value.startswith("#"))
        if wrong_link or attribute not in _ATTRIBUTES["*"] | _ATTRIBUTES.get(name, set()):
            yield attribute, value


def attribute_message(attribute: str, name: str) -> str:
    """Return what an author is told of an attribute that is left out."""
    known = _INSTEAD.get(attribute)
    return f"unsupported HTML: {attribute} of <{name}> is left out" + (f" (write {known})" if known else "")
