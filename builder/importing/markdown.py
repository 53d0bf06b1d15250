"""`Writer`: a tree of HTML as the Markdown of articles."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..directives.heading import slugify
from .escaping import destination, escape, language_of, raw_text
from .figures import FigureWriter
from .sentences import SILENT, Sentences
from .shelter import fenced
from .tree import BLOCKS, Element, Node, Text, words

__all__ = ["Writer"]

_FIRST = re.compile(r"(#{1,6}(?=\s)|[-+](?=\s)|[=>]|:(?=\s|::)|\d+(?=[.)]\s))")
_FRAME = words("iframe embed object video audio")


class Writer(Sentences):
    """Writes an article's blocks, and its sentences as its base does."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.figures = FigureWriter(self)
        self.appendix = False
        self._anchors: set[str] = set()

    def write(self, nodes: Sequence[Node]) -> str:
        """Return an article's text."""
        text = self.shelter.restore(self.figures.link("\n\n".join(self.blocks(nodes))))
        return re.sub(r"\n(?:[ \t]*\n){2,}", "\n\n", text).strip() + "\n"

    def blocks(self, nodes: Sequence[Node]) -> list[str]:
        """Return paragraphs and the like, without the empty lines between them."""
        found: list[str] = []
        run: list[Node] = []

        def flush() -> None:
            text = self.paragraph(run)
            if text:
                found.append(text)
            run.clear()

        at = 0
        while at < len(nodes):
            node = nodes[at]
            taken = self.figures.find(nodes, at)
            if taken:
                flush()
                found += self.figures.write(nodes[at : at + taken])
                at += taken
                continue
            if isinstance(node, Element) and _is_block(node):
                flush()
                found += self.block(node)
            else:
                run.append(node)
            at += 1
        flush()
        return [text for text in found if text.strip()]

    def paragraph(self, nodes: Sequence[Node]) -> str:
        """Return a run of text; of Markdown, all paragraphs of it."""
        text = self.inline(nodes)
        if self.verbatim:
            lines = text.split("\n") if not self.depth else [line.lstrip() for line in text.split("\n")]
            return "\n".join(lines).strip("\n").rstrip()
        text = text.strip()
        return _FIRST.sub(_escape_first, text, count=1) if _FIRST.match(text) else text

    def block(self, element: Element) -> list[str]:
        """Return one element's blocks."""
        rule = _RULES.get(element.tag)
        self.depth += 1
        try:
            return rule(self, element) if rule is not None else self._container(element)
        finally:
            self.depth -= 1

    def _container(self, element: Element) -> list[str]:
        layout = next((name for name in element.classes if name.startswith("l-") and name != "l-body"), None)
        if layout:
            self.complain(f"unsupported layout: {layout} of what is no figure", element.line)
        return self.blocks(element.children)

    def _nothing(self, element: Element) -> list[str]:  # noqa: ARG002 - a rule as the others
        return []

    def _heading(self, element: Element) -> list[str]:
        level = min(int(element.tag[1]) + self.shift, 6)
        text = " ".join(self.inline(element.children).split())
        if not text:
            return []
        anchor = element.attrs.get("id", "")
        wanted = anchor in self.wanted and anchor not in self._anchors and re.fullmatch(r"[\w:.-]+", anchor)
        attributes = [f"#{anchor}"] if wanted and slugify(element.text) != anchor else []
        self._anchors.add(anchor)
        attributes += [".appendix"] if self.appendix else []
        return [" ".join(["#" * level, text, *([f"{{{' '.join(attributes)}}}"] if attributes else [])])]

    def _list(self, element: Element) -> list[str]:
        start = element.attrs.get("start", "")
        number = int(start) if start.isdecimal() and len(start) < 9 else 1
        items = []
        for child in element.children:
            if isinstance(child, Text):
                continue
            marker = f"{number}. " if element.tag == "ol" else "- "
            number += 1
            inside = self.blocks(child.children if child.tag == "li" else [child])
            items.append((marker, inside))
        tight = all(len(inside) < 2 or all(re.match(r"[-\d]", block) for block in inside[1:]) for _, inside in items)
        joined = [
            marker + _indent(("\n" if tight else "\n\n").join(inside), len(marker))
            for marker, inside in items
            if inside
        ]
        return [("\n" if tight else "\n\n").join(joined)] if joined else []

    def _definitions(self, element: Element) -> list[str]:
        found = []
        for child in element.find_all("dt", "dd"):
            if child.tag == "dt":
                found.append(" ".join(self.inline(child.children).split()))
            else:
                inside = "\n\n".join(self.blocks(child.children))
                if found and inside:
                    found[-1] += f"\n: {_indent(inside, 2)}"
        return found

    def _quotation(self, element: Element) -> list[str]:
        inside = "\n\n".join(self.blocks(element.children))
        return ["\n".join(f"> {line}".rstrip() for line in self.shelter.restore(inside).split("\n"))] if inside else []

    def _code(self, element: Element) -> list[str]:
        inner = element.find("code")
        classes = [*element.classes, *(inner.classes if inner else []), element.attrs.get("language", "")]
        return [self.shelter.keep(fenced(raw_text(element, self.verbatim), language_of(classes)))]

    def _formula(self, element: Element) -> list[str]:
        tex = self.display(raw_text(element, self.verbatim))
        return [self.shelter.keep(tex)] if tex else []

    def _rule(self, element: Element) -> list[str]:  # noqa: ARG002 - a rule as the others
        return ["* * *"]

    def _aside(self, element: Element) -> list[str]:
        return self.fence("{aside}", self.blocks(element.children))

    def _details(self, element: Element) -> list[str]:
        summary = element.find("summary")
        title = " ".join(self.inline(summary.children).split()) if summary else ""
        inside = self.blocks([child for child in element.children if child is not summary])
        return self.fence(f"{{note}} {title}".rstrip(), inside, {"collapse": "true"})

    def _frame(self, element: Element) -> list[str]:
        source = element.attrs.get("src") or element.attrs.get("data") or ""
        inner = element.find("source")
        source = (source or (inner.attrs.get("src", "") if inner else "")).strip()
        self.complain(f"unsupported {element.tag}: {source[:80] or 'without an address'}", element.line)
        address = self.address(source, element.line, tell=False) if source else None
        title = element.attrs.get("title", "").strip() or source
        return [f"[{escape(title)}]({destination(address)})"] if address else []

    def _script(self, element: Element) -> list[str]:
        kind = element.attrs.get("type", "")
        if kind.startswith("math/tex"):
            return [self.shelter.keep(self.display(element.text))]
        if kind not in ("application/ld+json", "text/bibliography", "text/front-matter"):
            source = element.attrs.get("src", "")
            self.complain(f"unsupported {element.tag}{': ' if source else ''}{source[:80]}", element.line)
        return []

    def _drawing(self, element: Element) -> list[str]:
        self.complain(f"unsupported {element.tag}: what a script draws is not carried over", element.line)
        return []

    def _table(self, element: Element) -> list[str]:
        table = self.table(element)
        caption = element.find("caption")
        if caption is None:
            return [table] if table else []
        return self.fence("{table}", [table, *self.blocks(caption.children)]) if table else []

    def table(self, element: Element) -> str:
        """Return a table in pipes; cells that span others are repeated as empty ones, and told."""
        rows: list[list[str]] = []
        is_head, alignments = False, list[str]()
        for row in element.find_all("tr"):
            cells = [child for child in row.children if isinstance(child, Element) and child.tag in ("td", "th")]
            written = []
            for cell in cells:
                text = self.in_line(cell.children, " <br> ")
                written.append(re.sub(r"(?<!\\)\|", r"\\|", self.shelter.restore(text)))
                span = cell.attrs.get("colspan", "1")
                if (span != "1" and span.isdecimal()) or cell.attrs.get("rowspan", "1") != "1":
                    self.complain("unsupported table: a cell spans several", cell.line)
                written += [""] * (min(int(span), 50) - 1 if re.fullmatch(r"\d{1,6}", span) else 0)
            if not rows:
                is_head = bool(cells) and all(cell.tag == "th" for cell in cells)
                alignments = [_alignment(cell) for cell in cells]
            if written:
                rows.append(written)
        width = max((len(row) for row in rows), default=0)
        if not width:
            return ""
        rows = [row + [""] * (width - len(row)) for row in rows]
        head = rows.pop(0) if is_head else [""] * width
        marks = [*alignments, *["---"] * width][:width]
        return "\n".join(f"| {' | '.join(row)} |" for row in [head, marks, *rows])

    def _appendix(self, element: Element) -> list[str]:
        self.appendix = True
        inside = self.blocks(element.children)
        self.appendix = False
        if inside and not inside[0].startswith("#"):
            inside.insert(0, "## Appendix {.appendix}")
        return [re.sub(r"^#{3,6}(?= .*\{[^}]*\.appendix\}$)", "##", block) for block in inside]

    def fence(self, head: str, inside: Sequence[str], options: Mapping[str, str] | None = None) -> list[str]:
        """Return a directive around blocks, with more colons than those in it."""
        body = "\n\n".join(block for block in inside if block)
        if not body and "figure" not in head:
            return []
        colons = max((len(found) for found in re.findall(r"^\s*(:{3,})", body, re.MULTILINE)), default=2) + 1
        lines = [f"{':' * max(colons, 3)}{head}", *(f":{name}: {value}" for name, value in (options or {}).items())]
        lines += [*([""] if options and body else []), *([body] if body else []), ":" * max(colons, 3)]
        return ["\n".join(lines)]


def _is_block(element: Element) -> bool:
    if element.tag in BLOCKS or "block" in element.attrs:
        return True
    inside = element.tag not in ("d-footnote", "dt-fn") and element.find(*BLOCKS - {"script"})
    return bool(inside)


def _escape_first(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdecimal() else f"\\{found[0]}"


def _indent(text: str, by: int) -> str:
    return re.sub(r"\n(?=[^\n])", "\n" + " " * by, text)


def _alignment(cell: Element) -> str:
    found = re.search(r"text-align:\s*(left|right|center)", cell.attrs.get("style", ""))
    side = cell.attrs.get("align") or (found[1] if found else "")
    return {"right": "--:", "center": ":-:"}.get(side, "---")


_BlockRule = Callable[[Writer, Element], list[str]]
_RULES: Mapping[str, _BlockRule] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), Writer._heading),
    **dict.fromkeys(("ul", "ol"), Writer._list),
    **dict.fromkeys(("pre", "d-code", "dt-code"), Writer._code),
    **dict.fromkeys(("d-math", "dt-math"), Writer._formula),
    **dict.fromkeys(("d-appendix", "dt-appendix"), Writer._appendix),
    **dict.fromkeys(("script", "style"), Writer._script),
    **dict.fromkeys(("canvas", "svg", "select"), Writer._drawing),
    **dict.fromkeys(_FRAME, Writer._frame),
    **dict.fromkeys(SILENT, Writer._nothing),
    "dl": Writer._definitions,
    "blockquote": Writer._quotation,
    "hr": Writer._rule,
    "aside": Writer._aside,
    "details": Writer._details,
    "table": Writer._table,
}
