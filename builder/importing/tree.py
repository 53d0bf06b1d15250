"""`Element` and `Text`: HTML as a tree whose every node knows its line, however broken the HTML is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["BLOCKS", "Element", "Node", "Text", "parse_html", "words"]


def words(text: str) -> frozenset[str]:
    """Return a set of names, written as a line of text."""
    return frozenset(text.split())


BLOCKS = words(
    """
    address article aside audio blockquote body canvas center dd details div dl dt embed fieldset figcaption figure
    footer form h1 h2 h3 h4 h5 h6 head header hr html iframe li link main meta nav noscript object ol p pre script
    section select style summary svg table tbody td tfoot th thead title tr ul video
    d-abstract d-appendix d-article d-bibliography d-byline d-citation-list d-contents d-figure d-footnote-list
    d-front-matter d-interstitial d-title d-toc dt-appendix dt-article dt-banner dt-byline x-figure
    """
)
"""What stands for itself; all else stands in a sentence. `d-math` and `d-code` are either."""

_VOID = words("area base br col embed hr img input link meta source track wbr")
_RAW = ("script", "style", "d-math", "d-code", "dt-math", "dt-code")
"""What is in them is no HTML: TeX and code are written with `<` as they come."""

_PARENTS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol"})),
    **dict.fromkeys(("dt", "dd"), (frozenset({"dt", "dd"}), frozenset({"dl"}))),
    **dict.fromkeys(("td", "th"), (frozenset({"td", "th"}), frozenset({"tr", "table"}))),
    "tr": (frozenset({"tr"}), frozenset({"table"})),
    **dict.fromkeys(("thead", "tbody", "tfoot"), (frozenset({"thead", "tbody", "tfoot"}), frozenset({"table"}))),
}
"""Which elements one ends that is beside them, and where the search for them stops."""

_PICTURE = re.compile(r"\.(?:svg|png|jpe?g|gif|webp|avif)(?:[?#]|$)", re.IGNORECASE)

MAX_DEPTH = 80
"""What is nested deeper is put into the last level: Python's stack ends at 1000, and no one writes that."""


@dataclass
class Text:
    """Characters between tags."""

    data: str
    line: int


@dataclass
class Element:
    """A tag and what is in it; `begin` and `end` are where it stands in the source."""

    tag: str
    attrs: Mapping[str, str]
    line: int
    children: list[Node] = field(default_factory=list)
    begin: int = 0
    end: int = 0

    @property
    def classes(self) -> list[str]:
        """The words of its class."""
        return self.attrs.get("class", "").split()

    @property
    def text(self) -> str:
        """All characters in it."""
        return "".join(node.data for node in self.walk() if isinstance(node, Text))

    def walk(self) -> Iterator[Node]:
        """Yield all that is in it, in order."""
        pending = self.children[::-1]
        while pending:
            node = pending.pop()
            yield node
            if isinstance(node, Element):
                pending += node.children[::-1]

    def find_all(self, *tags: str) -> list[Element]:
        """Return the elements in it that have one of these tags."""
        return [node for node in self.walk() if isinstance(node, Element) and node.tag in tags]

    def find(self, *tags: str) -> Element | None:
        """Return the first of them."""
        return next((node for node in self.walk() if isinstance(node, Element) and node.tag in tags), None)


Node = Element | Text


def parse_html(source: str, *, first_line: int = 1, verbatim: bool = False) -> Element:
    """Return the root of a tree. With `verbatim`, `&amp;` stays as it is written, for text that is Markdown."""
    parser = _Parser(source, first_line, verbatim)
    parser.feed(f"{source}\n")  # else the last `AT&T` would be an entity that never ends
    parser.close()
    parser.finish()
    return parser.root


class _Parser(HTMLParser):
    CDATA_CONTENT_ELEMENTS = _RAW  # type: ignore[misc] # it is what subclasses change

    def __init__(self, source: str, first_line: int, verbatim: bool) -> None:
        super().__init__(convert_charrefs=not verbatim)
        self.first_line = first_line
        self.starts = [0, *(found.end() for found in re.finditer("\n", source))]
        self.source = source
        self.root = Element("", {}, first_line, end=len(source))
        self.stack = [self.root]

    def finish(self) -> None:
        self._close_to(1, len(self.source))

    def _line(self) -> int:
        return self.getpos()[0] + self.first_line - 1

    def _offset(self) -> int:
        line, column = self.getpos()
        return self.starts[min(line, len(self.starts)) - 1] + column

    def _close_to(self, depth: int, end: int) -> None:
        for element in self.stack[depth:]:
            element.end = end
        del self.stack[depth:]

    def _end_implied(self, tag: str) -> None:
        """End what a tag ends by beginning: a paragraph, an item of its list, a cell of its row."""
        ends, stops = _PARENTS.get(tag, (frozenset(), frozenset()))
        for depth in range(len(self.stack) - 1, 0, -1):
            known = self.stack[depth].tag
            if known in ("d-footnote", "dt-fn"):  # browsers would end the paragraph that the note is in
                return None
            if known in ends or (known == "p" and tag in BLOCKS):
                return self._close_to(depth, self._offset())
            if known in stops or (not ends and known in BLOCKS):
                return None
        return None

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._end_implied(tag)
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag in ("object", "embed") and _PICTURE.search(given.get("data") or given.get("src", "")):
            tag, given = "img", {"src": given.get("data", ""), **given}
        element = Element(tag, given, self._line(), begin=self._offset())
        element.end = element.begin + len(self.get_starttag_text() or "")
        self.stack[-1].children.append(element)
        if tag not in _VOID and len(self.stack) < MAX_DEPTH:
            self.stack.append(element)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.stack[-1].begin == self._offset() and len(self.stack) > 1:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.stack) - 1, 0, -1):
            if self.stack[depth].tag == tag:
                close = self.source.find(">", self._offset())
                return self._close_to(depth, close + 1 if close >= 0 else len(self.source))
        return None

    def handle_data(self, data: str) -> None:
        last = self.stack[-1].children[-1:]
        if last and isinstance(last[0], Text):
            last[0].data += data
        else:
            self.stack[-1].children.append(Text(data, self._line()))

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name}{self._semicolon(name)}")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name}{self._semicolon('#' + name)}")

    def _semicolon(self, name: str) -> str:
        at = self._offset() + 1 + len(name)
        return ";" if self.source[at : at + 1] == ";" else ""

    def unknown_decl(self, data: str) -> None:
        """Leave `<![if …]>` out."""
