"""`FigureWriter`: pictures, rows of pictures and tables that have a caption, as figures with numbers of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .drawings import read_drawing
from .shelter import label as make_label
from .tree import Element, Node, Text, words

if TYPE_CHECKING:
    from .markdown import Writer

__all__ = ["FigureWriter"]

_FIGURES = ("figure", "d-figure", "x-figure")
_PICTURES = ("img", "x-figure")
_WRAPPERS = words("a center div p picture section span")
_LAYOUTS: Mapping[str, str] = {
    "l-body-outset": "body-outset", "l-middle": "body-outset", "l-middle-outset": "page", "l-page": "page",
    "l-page-outset": "page", "l-screen": "screen", "l-screen-inset": "screen-inset", "l-gutter": "gutter",
    "side": "gutter", "fullscreen": "screen", "fullbleed": "screen",
}  # fmt: skip
"""Distill's columns, of both its templates, to ours."""
_TYPED = re.compile(r"(\*{0,3}|_{0,3})(?:Figure|Fig\.?)\s+(\d+)\s*[:.]?\s*\1[:.]?\s*", re.IGNORECASE)
"""The number that a caption begins with: figures are counted when the site is built."""
_SAID = re.compile(r"(?<![\[\w@])(?:Figure|Fig\.)[ \u00a0](\d+)(?![\w.:]*[\w:]|\])")
_LINKED = re.compile(r"\[(?:see )?(?:Figure|Fig\.?)[ \u00a0]?\d*\w?\]\(#([^()\s]+)\)", re.IGNORECASE)


@dataclass
class _Part:
    """One picture."""

    name: str
    alt: str
    line: int
    caption: list[Node] = field(default_factory=list)
    anchor: str = ""


@dataclass
class _Found:
    """What stands in a figure."""

    parts: list[_Part] = field(default_factory=list)
    caption: list[Node] = field(default_factory=list)
    others: list[Node] = field(default_factory=list)
    lost: list[Node] = field(default_factory=list)
    """Captions of pictures that could not be had."""


class FigureWriter:
    """Writes the figures of one article, and turns what the text says of them into references."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._by_id: dict[str, str] = {}
        self._by_number: dict[str, str] = {}

    def find(self, nodes: Sequence[Node], at: int) -> int:
        """Return how many nodes from one on are a figure and its caption; 0 if it is none."""
        node = nodes[at]
        if isinstance(node, Text) or node.tag not in (*_FIGURES, "div", "center", "p"):
            return 0
        end, rows = at, 0
        while end < len(nodes) and (_is_row(nodes[end]) or (rows and _is_blank(nodes[end]))):
            rows += not _is_blank(nodes[end])
            end += 1
        if node.tag not in _FIGURES and not rows:
            return 0
        end = end if rows else at + 1
        caption = next((place for place in range(end, len(nodes)) if not _is_blank(nodes[place])), None)
        if caption is not None and _is_caption(nodes[caption]):
            return caption + 1 - at
        many = isinstance(node, Element) and len(node.find_all(*_PICTURES)) > 1
        return 1 if node.tag in _FIGURES or many or _layout([node]) != "body" else 0

    def write(self, nodes: Sequence[Node]) -> list[str]:
        """Return the blocks of a figure."""
        elements = [node for node in nodes if isinstance(node, Element)]
        found = _Found()
        for element in elements:
            self._collect(element, found, is_outer=element.tag in _FIGURES)
        first = elements[0]
        anchor = next((element.attrs["id"] for element in elements if element.attrs.get("id")), "")
        layout = _layout(elements)
        self.writer.depth += 1
        caption = self.writer.blocks(found.caption)
        others = self.writer.blocks(found.others)
        lost = self.writer.blocks(found.lost)
        self.writer.depth -= 1
        if not found.parts:
            return self._without_pictures(first, caption, [*others, *lost], anchor, layout)
        caption, number = _without_number(caption)
        options = {"layout": layout} if layout != "body" else {}
        if len(found.parts) == 1:
            part = found.parts[0]
            own, own_number = _without_number(self._caption_of(part))
            label = self._label(anchor or part.anchor, number or own_number)
            return [*self._figure(part, label, options, [*own, *caption]), *others, *lost]
        inside: list[str] = []
        for part in found.parts:
            inside += self._figure(part, self._label(part.anchor, ""), {}, self._caption_of(part))
        label = self._label(anchor, number)
        columns = min(len(elements[0].find_all(*_PICTURES)) or len(found.parts), 4)
        given = {**({"label": label} if label else {}), "columns": str(columns), **options}
        return [*self.writer.fence("{figure}", [*inside, *caption], given), *others, *lost]

    def link(self, text: str) -> str:
        """Return a text in which what is said of figures by number or by id are references."""
        text = _LINKED.sub(lambda found: f"@{self._by_id[found[1]]}" if found[1] in self._by_id else found[0], text)
        text = re.sub(r"\]\(#([^()\s]+)\)", lambda found: f"](#{self._by_id.get(found[1], found[1])})", text)
        lines = text.split("\n")
        for at, line in enumerate(lines):
            if not line.lstrip().startswith((":", "#")):
                lines[at] = _SAID.sub(lambda found: self._said(found), line)
        return "\n".join(lines)

    def _said(self, found: re.Match[str]) -> str:
        label = self._by_number.get(found[1])
        return f"@{label}" if label else found[0]

    def _label(self, anchor: str, number: str) -> str:
        """Return the label of a figure that has an id or a number, and remember it by them."""
        label = make_label("fig", re.sub(r"^fig(?:ure)?[:.\-_]", "", anchor or number))
        if not label:
            return ""
        taken = {*self._by_id.values(), *self._by_number.values()}
        while label in taken:
            label += "-again"
        if anchor:
            self._by_id[anchor] = label
        if number:
            self._by_number.setdefault(number, label)
        return label

    def _caption_of(self, part: _Part) -> list[str]:
        self.writer.depth += 1
        caption = self.writer.blocks(part.caption)
        self.writer.depth -= 1
        return caption

    def _figure(self, part: _Part, label: str, options: Mapping[str, str], caption: Sequence[str]) -> list[str]:
        given = {**({"label": label} if label else {}), **options, **({"alt": part.alt} if part.alt else {})}
        return self.writer.fence(f"{{figure}} {part.name}", caption, given)

    def _without_pictures(
        self, first: Element, caption: list[str], others: list[str], anchor: str, layout: str
    ) -> list[str]:
        label = make_label("tbl", re.sub(r"^(?:tbl|tab|table)[:.\-_]", "", anchor))
        if len(others) == 1 and others[0].startswith("|"):
            given = {**({"label": label} if label else {}), **({"layout": layout} if layout != "body" else {})}
            if label:
                self._by_id[anchor] = label
            return self.writer.fence("{table}", [others[0], *caption], given)
        if not others and not first.find(*_PICTURES) and first.tag != "x-figure":  # those were told already
            self.writer.complain("unsupported figure: there is no picture in it", first.line)
        return [*others, *caption]

    def _collect(self, element: Element, found: _Found, *, is_outer: bool) -> None:
        """Put what stands in an element where it belongs."""
        if element.tag in _PICTURES:
            return self._add(element, found)
        if element.tag == "svg":
            return self._add_drawing(element, found)
        if _is_caption(element):
            found.caption += [*([Text(" ", element.line)] if found.caption else []), *element.children]
            return None
        if not is_outer and (element.tag in _FIGURES or _has_own_caption(element)):
            inner = _Found()
            self._collect(element, inner, is_outer=True)
            if len(inner.parts) == 1:
                inner.parts[0].caption += inner.caption
                inner.parts[0].anchor = inner.parts[0].anchor or element.attrs.get("id", "")
            else:
                found.caption += inner.caption
            found.parts += inner.parts
            found.others += inner.others
            found.lost += inner.lost
            return None
        if element.tag not in _WRAPPERS and not is_outer:
            found.others.append(element)
            return None
        if not is_outer and not element.find(*_PICTURES, "svg", "figure", "d-figure", "figcaption", "table", "iframe"):
            if element.text.strip():
                found.others.append(element)
            return None
        for child in element.children:
            if isinstance(child, Element):
                self._collect(child, found, is_outer=False)
            elif child.data.strip():
                found.others.append(child)
        return None

    def _add(self, element: Element, found: _Found) -> None:
        source = element.attrs.get("src") or element.attrs.get("data-src") or ""
        name = self.writer.picture(source, element.line)
        alt = " ".join(element.attrs.get("alt", "").split())
        if name:
            found.parts.append(_Part(name, alt, element.line, list(element.children), element.attrs.get("id", "")))
            return
        found.lost += element.children
        if re.match(r"https?://", source):
            found.lost.append(Element("a", {"href": source}, element.line, [Text(alt or source, element.line)]))

    def _add_drawing(self, element: Element, found: _Found) -> None:
        content = read_drawing(self.writer.source[element.begin : element.end])
        if content is None:
            self.writer.complain("unsupported svg: it is empty, or broken", element.line)
            return
        title = element.find("title", "desc")
        name = self.writer.files.add("drawing.svg", content)
        alt = element.attrs.get("aria-label") or (title.text if title else "")
        found.parts.append(_Part(name, " ".join(alt.split()), element.line))


def _is_blank(node: Node) -> bool:
    return isinstance(node, Text) and not node.data.strip()


def _is_caption(node: Node) -> bool:
    return isinstance(node, Element) and (
        node.tag == "figcaption"
        or (node.tag in ("div", "p", "span") and bool({"caption", "figcaption"} & {*node.classes}))
    )


def _has_own_caption(element: Element) -> bool:
    """Whether an element is one picture with its caption, among others in a figure."""
    captions = [node for node in element.walk() if _is_caption(node)]
    return len(captions) == 1 and len(element.find_all(*_PICTURES)) == 1


def _is_row(node: Node) -> bool:
    """Whether an element has pictures in it, and nothing else but what they are wrapped in."""
    if isinstance(node, Text) or node.tag not in ("div", "center", "p", "figure", "x-figure", "d-figure"):
        return False
    return node.tag == "x-figure" or bool(_count_pictures(node))


def _count_pictures(element: Element) -> int | None:
    """Return how many pictures are in an element; None as soon as there is anything else."""
    count = 0
    for child in element.children:
        if isinstance(child, Text):
            if child.data.strip():
                return None
        elif child.tag in _PICTURES:
            count += 1
        elif _is_caption(child) or child.tag == "br":
            continue
        elif child.tag in (*_WRAPPERS, "figure", "d-figure"):
            inside = _count_pictures(child)
            if inside is None:
                return None
            count += inside
        else:
            return None
    return count


def _layout(elements: Sequence[Node]) -> str:
    for element in elements:
        if isinstance(element, Element):
            inner = (node for node in element.walk() if isinstance(node, Element))
            for node in (element, *inner):
                known = next((_LAYOUTS[name] for name in node.classes if name in _LAYOUTS), None)
                if known:
                    return known
    return "body"


def _without_number(caption: list[str]) -> tuple[list[str], str]:
    """Return a caption without the number that it begins with, and the number."""
    found = _TYPED.match(caption[0]) if caption else None
    if not found:
        return caption, ""
    rest = caption[0][found.end() :]
    return ([rest, *caption[1:]] if rest else caption[1:]), found[2]
