"""`make_content`: an article's page as a feed carries it: text, pictures and figures without style sheet and scripts.

The page is read as browsers read it, and written anew out of the elements and attributes named here: nothing else gets
through. Figures stand as they do without scripts, their shades beside them; formulas are MathML alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from markupsafe import escape

from .elements import ATTRIBUTES, CHROME, DROPPED, EVERYWHERE, KNOWN, MATH, NOT_OF_MATH, ROLES, RUNNING, VOID
from .shades import shade

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

__all__ = ["make_content"]

PARTS = ".article-body, section.appendix"
"""The text, and what comes after it: the author's own sections, notes, references."""
ADDRESSES = {"href", "src", "poster"}
SCHEMES = {"http", "https", "mailto"}

_CANDIDATES = re.compile(r"\s*([^\s,]\S*[^\s,]|[^\s,])(?:\s+([\d.]+[wx]))?\s*(?:,|$)")  # of a srcset


def make_content(html: str, url: str, colours: Mapping[str, str]) -> str:
    """Return the HTML of a feed's entry. `url` is the page's full address, `colours` are the style sheet's by name."""
    from selectolax.lexbor import LexborHTMLParser  # 10 ms, and most builds have their entries from the last one

    writer = _Writer(url, colours)
    parts = LexborHTMLParser(html).css(PARTS)  # none where a theme names them otherwise
    return "\n".join("".join(writer.write(part)).strip() for part in parts)


class _Writer:
    def __init__(self, url: str, colours: Mapping[str, str]) -> None:
        self.url = url
        self.colours = colours

    def write(self, root: LexborNode) -> Iterator[str]:
        """Yield what is inside an element, without recursion: how deep a page is nested is not ours to say."""
        waiting: list[tuple[LexborNode | str, bool]] = [(node, False) for node in _children(root)]
        while waiting:
            node, drawn = waiting.pop()
            if isinstance(node, str):
                yield node
            elif node.is_text_node:
                yield str(escape(node.text(deep=False)))
            elif node.is_element_node:
                attributes = {name: value or "" for name, value in node.attributes.items()}
                classes = set(attributes.get("class", "").split())
                drawn = drawn or "figure-body" in classes
                opening, closing = self._tags(node, attributes, classes, drawn)
                if opening is not None:
                    yield opening
                    if closing:
                        waiting.append((closing, drawn))
                    waiting += [(child, drawn) for child in _children(node)]
                elif "controls" in classes:  # a table of everything may be among them
                    waiting += [(table, drawn) for table in node.css("details")]

    def _tags(
        self, node: LexborNode, attributes: Mapping[str, str], classes: set[str], drawn: bool
    ) -> tuple[str | None, str]:
        """Return what opens and closes an element: empty texts for one that goes alone, None for one with all in it."""
        tag = node.tag or ""
        if tag == "input" and attributes.get("type") == "checkbox" and not drawn:
            return ("☑" if "checked" in attributes else "☐"), ""
        if tag in DROPPED or _is_hidden(tag, attributes, classes) or (drawn and tag == "label"):
            return None, ""
        if drawn:
            tag = ROLES.get(attributes.get("role", ""), tag)
        if tag in MATH:
            kept = {name: value for name, value in attributes.items() if name not in NOT_OF_MATH and name[:2] != "on"}
            if tag == "math" and (tex := node.css_first("annotation")):
                kept["alttext"] = tex.text()
        elif tag in KNOWN:
            kept = self._attributes(tag, attributes)
            if style := shade(attributes, classes, self.colours):
                kept["style"] = style
            if tag == "img" and not kept.get("src"):
                return None, ""
        else:
            return "", ""
        space = " " if drawn and tag == "span" and _is_apart(node, classes) else ""
        if not kept and tag in ("span", "a", "bdi"):
            return space, ""
        written = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
        return f"{space}<{tag}{written}>", "" if tag in VOID else f"</{tag}>"

    def _attributes(self, tag: str, attributes: Mapping[str, str]) -> dict[str, str]:
        allowed = EVERYWHERE | ATTRIBUTES.get(tag, set())
        kept = {}
        for name, value in attributes.items():
            if name not in allowed:
                continue
            if name in ADDRESSES:
                address = self._address(value)
                if address is not None:
                    kept[name] = address
            elif name == "srcset":
                kept[name] = self._candidates(value)
            else:
                kept[name] = value
        return kept

    def _address(self, written: str) -> str | None:
        """Return an address in full, None for one that leads to no page."""
        try:
            address = urljoin(self.url, written.strip())
            return address if urlsplit(address).scheme in SCHEMES else None
        except ValueError:
            return None

    def _candidates(self, written: str) -> str:
        """Return the pictures that a browser chooses from, their addresses in full."""
        found = [(self._address(match[1]), match[2]) for match in _CANDIDATES.finditer(written)]
        return ", ".join(f"{address} {size}" if size else address for address, size in found if address)


def _is_apart(node: LexborNode, classes: set[str]) -> bool:
    """Whether a style sheet sets a span apart from what stands before it: a share from its token, not a token."""
    return node.prev is not None and node.prev.is_element_node and classes.isdisjoint(RUNNING)


def _children(node: LexborNode) -> list[LexborNode]:
    """Return what is in an element, last first."""
    found = list(node.iter(include_text=True))
    found.reverse()
    return found


def _is_hidden(tag: str, attributes: Mapping[str, str], classes: set[str]) -> bool:
    """Whether an element is not there for readers, or only for those of the page itself."""
    if not CHROME.isdisjoint(classes) or not {"hidden", "inert", "popover"}.isdisjoint(attributes):
        return True
    if attributes.get("aria-hidden") == "true" or "prefers-color-scheme" in attributes.get("media", ""):
        return True
    return tag == "span" and "visually-hidden" in classes
