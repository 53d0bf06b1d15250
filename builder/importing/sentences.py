"""`Sentences`: what stands in a sentence of HTML, as Markdown."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

from ..directives.cite import KEY
from .escaping import around, destination, escape, escape_attribute, escape_signs, raw_text
from .files import FileError, Files
from .shelter import Shelter, displayed, inline
from .tree import BLOCKS, Element, Node, Text, words

__all__ = ["SILENT", "Sentences"]

_MATHEMATICS = (
    (re.compile(r"\$\$((?:\\.|[^$\\])+?)\$\$", re.DOTALL), True),
    (re.compile(r"\\\[(.+?)\\\]", re.DOTALL), True),
    (re.compile(r"\\\((.+?)\\\)", re.DOTALL), False),
)
_DOLLARS = re.compile(r"(?<![\\$\d])\$(?!\s|\$)((?:\\.|[^$\\\n])+?)(?<!\s)\$(?!\d)")
_IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*<?([^\s()<>]+(?:\([^\s()]*\)[^\s()<>]*)*)>?(\s+\"[^\"]*\"|\s+'[^']*')?\s*\)")
_LINK = re.compile(
    r"(?<![!\\])\[((?:\\.|[^\[\]\\]|\[[^\[\]]*\])*)\]\(\s*<?([^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)>?(\s+\"[^\"]*\"|\s+'[^']*')?\s*\)"
)
_HEADING = re.compile(r"^(#{1,6})(?=[ \t])", re.MULTILINE)

_KEPT = words("sub sup kbd mark abbr small u q var samp ins")
"""What articles may write as HTML in a sentence."""
_THROUGH = words("span font big label nobr cite dfn time bdi tt wbr")
"""What has no meaning of its own here, without what it looked like."""
SILENT = words(
    """
    d-bibliography d-byline d-citation-list d-contents d-footnote-list d-front-matter d-title d-toc distill-header
    distill-footer d-interstitial dt-banner dt-byline head header footer link meta nav title noscript template source
    track param col colgroup
    """
)
"""What the page makes of itself, or is read elsewhere."""


class Sentences(ABC):
    """Writes Markdown. `complain` gets what cannot be carried over, and its line; `source` is what became the tree.

    With `verbatim`, text is Markdown already and only the tags in it are rewritten. `dollars` says whether `$…$` in
    text is a formula; `wanted` are the fragments that links lead to; `find_article` returns a link's new address.
    """

    def __init__(
        self,
        files: Files,
        shelter: Shelter,
        complain: Callable[[str, int], None],
        source: str,
        *,
        verbatim: bool = False,
        dollars: bool = False,
        wanted: frozenset[str] = frozenset(),
        shift: int = 0,
        find_article: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self.files = files
        self.shelter = shelter
        self.complain = complain
        self.source = source
        self.verbatim = verbatim
        self.dollars = dollars
        self.wanted = wanted
        self.shift = shift
        self.find_article = find_article
        self._narrow = 0
        self.depth = 0
        """How many elements the text stands in."""

    @abstractmethod
    def block(self, element: Element) -> list[str]:
        """Return one element's blocks."""

    @abstractmethod
    def blocks(self, nodes: Sequence[Node]) -> list[str]:
        """Return paragraphs and the like, without the empty lines between them."""

    def in_line(self, nodes: Sequence[Node], between: str = " ") -> str:
        """Return blocks in one line, as notes and cells of tables are."""
        self._narrow += 1
        text = between.join(self.blocks(nodes))
        self._narrow -= 1
        return " ".join(text.split())

    def display(self, tex: str) -> str:
        """Return a formula by itself: on lines of its own, if there is room for lines."""
        written = displayed(tex)
        if not self._narrow or not written:
            return written
        return f"$${' '.join(written.split()[1:-1])}$$"

    def inline(self, nodes: Sequence[Node]) -> str:
        """Return what stands in a sentence."""
        text = ""
        for node in nodes:
            if isinstance(node, Text):
                text += self._text(node, after=text)
                continue
            rule = _INLINE.get(node.tag)
            if rule is not None:
                written = rule(self, node)
            elif node.tag in SILENT:
                written = ""
            elif node.tag in BLOCKS:
                inside = self.block(node)
                written = "\n\n".join(["", *inside, ""]) if self.verbatim else " ".join(inside)
            else:
                written = self._unknown(node)
            if node.tag in ("d-cite", "dt-cite") and text and re.match(r"[\w.,;:)”’\"'*]", text[-1]):
                written = f" {written}"
            text += written
        return text

    def _text(self, node: Text, after: str) -> str:
        if self.verbatim:
            return self._markdown(node)
        data = node.data
        for pattern, is_displayed in _MATHEMATICS:
            write = self.display if is_displayed else inline
            data = self.shelter.replace(pattern, lambda found, write=write: f"{write(found[1])}", data)  # type: ignore[misc]
        if self.dollars:
            data = self.shelter.replace(_DOLLARS, lambda found: inline(found[1]), data).replace("\\$", "$")
        data = escape_signs(re.sub(r"\s+", " ", data))
        if after.endswith("]") and data.startswith(("(", "{", "[", ":")):
            data = f"\\{data}"
        return data.removeprefix(" ") if after.endswith((" ", "\n")) or not after else data

    def _markdown(self, node: Text) -> str:
        """Return Markdown with its pictures and links led to where they are now."""

        def image(found: re.Match[str]) -> str:
            name = self.picture(found[2], node.line + node.data.count("\n", 0, found.start()))
            return f"![{found[1]}]({name}{found[3] or ''})" if name else f"*{found[1] or 'A picture'}*"

        def link(found: re.Match[str]) -> str:
            address = self.address(found[2], node.line + node.data.count("\n", 0, found.start()))
            return f"[{found[1]}]({destination(address)}{found[3] or ''})" if address else found[1]

        data = _LINK.sub(link, _IMAGE.sub(image, node.data))
        return _HEADING.sub(lambda found: found[1] + "#" * min(self.shift, 6 - len(found[1])), data)

    def picture(self, written: str, line: int) -> str:
        """Return the name of a picture beside the article; what cannot be had is told, and has none."""
        try:
            return self.files.take_picture(written)
        except FileError as error:
            self.complain(str(error), line)
            return ""

    def address(self, written: str, line: int, *, tell: bool = True) -> str | None:
        """Return where a link leads now, None if nowhere."""
        href = written.strip()
        if not href:
            return None
        if href.startswith("//"):
            return f"https:{href}"
        scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", href)
        if href.startswith("#") or (scheme and scheme[1].lower() in ("http", "https", "mailto")):
            return href
        article = None if scheme else self.find_article(href)
        if article:
            return article
        try:
            if scheme:
                raise FileError(f"unsupported link: {href[:80]}")
            return self.files.take_document(href)
        except FileError as error:
            if tell:
                self.complain(f"broken link: {href[:80]}" if "missing" in str(error) else str(error), line)
            return None

    def _unknown(self, element: Element) -> str:
        if element.tag in _KEPT:
            title = element.attrs.get("title", "")
            attribute = f' title="{escape_attribute(title)}"' if title and element.tag == "abbr" else ""
            inside = self.inline(element.children)
            return f"<{element.tag}{attribute}>{inside}</{element.tag}>" if inside else ""
        if element.tag not in _THROUGH and element.tag != "p":
            self.complain(f"unknown tag: <{element.tag}>", element.line)
        elif element.attrs.get("style"):
            self.complain(f"unsupported style: {element.attrs['style'][:60]}", element.line)
        if "katex" in element.classes and (source := element.find("annotation")):
            return self.shelter.keep(inline(source.text))
        return self.inline(element.children)

    def _emphasis(self, element: Element) -> str:
        return around("*", self.inline(element.children))

    def _strong(self, element: Element) -> str:
        return around("**", self.inline(element.children))

    def _struck(self, element: Element) -> str:
        return around("~~", self.inline(element.children))

    def _span_of_code(self, element: Element) -> str:
        if "block" in element.attrs:
            return "\n\n".join(self.block(element))
        code = " ".join(raw_text(element, self.verbatim).split())
        ticks = "`" * (max((len(found) for found in re.findall(r"`+", code)), default=0) + 1)
        pad = " " if code.startswith("`") or code.endswith("`") else ""
        return self.shelter.keep(f"{ticks}{pad}{code}{pad}{ticks}") if code else ""

    def _inline_formula(self, element: Element) -> str:
        tex = inline(raw_text(element, self.verbatim))
        return self.shelter.keep(tex) if tex else ""

    def _inline_script(self, element: Element) -> str:
        if element.attrs.get("type", "").startswith("math/tex"):
            wide = "display" in element.attrs["type"]
            return self.shelter.keep(f"\n{self.display(element.text)}\n" if wide else inline(element.text))
        return "".join(self.block(element))

    def _break(self, element: Element) -> str:  # noqa: ARG002 - a rule as the others
        return "<br>"

    def _anchor(self, element: Element) -> str:
        text = self.inline(element.children)
        href = element.attrs.get("href")
        if href is None or not text.strip():
            return text
        address = self.address(href, element.line)
        return f"[{text.strip()}]({destination(address)})" if address else text

    def _image(self, element: Element) -> str:
        source = element.attrs.get("src", "").strip()
        name = self.picture(source, element.line)
        alt = " ".join(element.attrs.get("alt", "").split())
        if not name and re.match(r"https?://", source):
            return f"[{escape(alt or source)}]({destination(source)})"
        return f"![{escape(alt)}]({name})" if name else escape(alt)

    def _cite(self, element: Element) -> str:
        written = element.attrs.get("key") or element.attrs.get("bibtex-key") or ""
        keys = [key.strip().lstrip("@") for key in written.split(",") if key.strip()]
        if not keys:
            self.complain("missing key of a citation", element.line)
            return ""
        keys = [re.sub(r"[{}\s]", "", key) for key in keys]
        marked = [f"@{key}" if re.fullmatch(KEY, key) else f"@{{{key}}}" for key in keys]
        return f"[{'; '.join(marked)}]" + self.inline(element.children).strip()

    def _note(self, element: Element) -> str:
        text = self.in_line(element.children)
        return f"^[{text}]" if text else ""


_InlineRule = Callable[[Sentences, Element], str]
_INLINE: Mapping[str, _InlineRule] = {
    **dict.fromkeys(("em", "i"), Sentences._emphasis),
    **dict.fromkeys(("strong", "b"), Sentences._strong),
    **dict.fromkeys(("s", "strike", "del"), Sentences._struck),
    **dict.fromkeys(("code", "d-code", "dt-code"), Sentences._span_of_code),
    **dict.fromkeys(("d-math", "dt-math"), Sentences._inline_formula),
    **dict.fromkeys(("d-cite", "dt-cite"), Sentences._cite),
    **dict.fromkeys(("d-footnote", "dt-fn"), Sentences._note),
    "a": Sentences._anchor,
    "br": Sentences._break,
    "img": Sentences._image,
    "script": Sentences._inline_script,
}
