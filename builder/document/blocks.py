"""`Blocks`: settles what directives of blocks say: callouts, tabs, columns, and code with its lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from markdown_it.token import Token

from ..directives.code import CodeInfo, is_known, nearest_language, read_directive, read_info
from ..directives.columns import MAX_COLUMNS
from ..directives.fence import split_title
from ..directives.list_table import make_table, read_rows
from ..errors import nearest
from ..figure import Option
from ..source_map import Place, Source
from .labels import Labels
from .reading import Locate, plain_text
from .specification import read_layout

__all__ = ["Blocks", "make_image", "make_list_table"]

_SWITCHES = ("true", "false")


class Blocks:
    """What is wrong with blocks goes to the source's problems; `has_code` and `has_tabs` are for the page's scripts."""

    def __init__(self, source: Source, labels: Labels) -> None:
        self.source = source
        self.labels = labels
        self.has_code = False
        self.has_tabs = False
        self._n_sets = 0
        self.rules: Mapping[str, Callable[[Token, Locate], None]] = {
            "fence": self._fence,
            "code_block": self._indented,
            "directive_code-block": self._code_directive,
            "directive_callout": self._callout,
            "directive_tab-set": self._tabs,
            "directive_tab-item": self._tab,
            "directive_grid": self._grid,
            "directive_grid-item": self._column,
        }

    # code

    def _fence(self, token: Token, locate: Locate) -> None:
        code = read_info(token.info, token.content.count("\n"))
        self._code(token, code, locate)
        first, end = token.map or (0, 0)
        last = self.source.lines[min(end, len(self.source.lines)) - 1].rstrip()
        if end - 1 <= first or not last.endswith(token.markup):
            self.source.complain(f"missing end of code: a line {token.markup}", locate(0))

    def _indented(self, token: Token, locate: Locate) -> None:  # noqa: ARG002 - a rule as the others
        self.has_code = True

    def _code_directive(self, token: Token, locate: Locate) -> None:
        meta = token.meta
        code = read_directive(meta["argument"], meta["options"], token.content.count("\n"))
        self._code(token, code, locate)

    def _code(self, token: Token, code: CodeInfo, locate: Locate) -> None:
        self.has_code = True
        token.meta["code"] = code
        if not is_known(code.language):
            wrong = f"unknown language: {code.language}{nearest_language(code.language)}"
            self.source.complain(wrong, locate(0), "warning")
        line, column = locate(0)
        for message, where in code.problems:
            place: Place = (where.line, None) if isinstance(where, Option) else (line, column)
            if not isinstance(where, Option) and column is not None:
                place = (line, column + len(token.markup) + where)
            self.source.complain(message, place)
        if code.anchor and not self.labels.add_anchor(code.anchor, (line, column)):
            code.anchor = ""

    # boxes

    def _callout(self, token: Token, locate: Locate) -> None:  # noqa: ARG002 - a rule as the others
        options = token.meta["options"]
        for name in ("collapse", "open"):
            option = options.get(name)
            if option is not None and str(option.value).strip().lower() not in ("", *_SWITCHES):
                near = nearest(str(option.value), _SWITCHES) or " (true or false)"
                self.source.complain(f"invalid {name}: {option.value}{near}", (option.line, None))
        self._title(token)
        if "title" in options and not token.meta["title"]:
            token.meta["title"] = str(options["title"].value)
        self._anchor(token)

    def _title(self, token: Token) -> None:
        """Note a title as plain text."""
        first = token.children[0] if token.children else None
        inline = first.children[0] if first is not None and first.type == "title" and first.children else None
        token.meta["title"] = plain_text(inline.children) if inline is not None else ""

    def _anchor(self, token: Token) -> None:
        option = token.meta["options"].get("label") or token.meta["options"].get("name")
        if option is not None and self.labels.add_anchor(str(option.value), (option.line, None)):
            token.meta["anchor"] = str(option.value)

    # several things

    def _tabs(self, token: Token, locate: Locate) -> None:
        self.has_tabs = True
        self._n_sets += 1
        items = self._items(token, "tab-item", locate)
        for number, item in enumerate(items, 1):
            item.meta["anchor"] = f"tab-{self._n_sets}-{number}"

    def _tab(self, token: Token, locate: Locate) -> None:
        self._title(token)
        if not token.meta.get("within"):
            self.source.complain("invalid tab-item: it stands in no {tab-set}", locate(0))
            return
        if not token.meta["title"]:
            self.source.complain("missing title of {tab-item}: write it on the same line", locate(0))
        number = token.meta["anchor"]
        self._anchor(token)
        if token.meta["anchor"] == number:
            self.labels.add_anchor(number, locate(0))

    def _grid(self, token: Token, locate: Locate) -> None:
        written = str(token.meta["argument"])
        numbers = written.split()
        if all(re.fullmatch(r"\d{1,2}", number) for number in numbers):
            asked = int(numbers[-1]) if numbers else 2
            token.meta["columns"] = min(max(asked, 1), MAX_COLUMNS)
            if asked != token.meta["columns"]:
                self.source.complain(f"invalid columns: {asked} (from 1 to {MAX_COLUMNS})", locate(0))
        else:
            self.source.complain(f"invalid columns: {written} (write {{grid}} 2)", locate(0))
        token.meta["layout"] = read_layout(token.meta["options"], self.source)
        self._items(token, "grid-item", locate)

    def _column(self, token: Token, locate: Locate) -> None:
        if not token.meta.get("within"):
            self.source.complain(f"invalid {token.info}: it stands in no {{grid}}", locate(0))

    def _items(self, token: Token, name: str, locate: Locate) -> list[Token]:
        """Return the items of a set; complain of what else is in it, and of one that is empty."""
        items = [child for child in token.children or () if child.type == f"directive_{name}"]
        for item in items:
            item.meta["within"] = token.info
        other = next((child for child in token.children or () if child not in items), None)
        if other is not None:
            place = self.source.begin(other.map[0]) if other.map else locate(0)
            self.source.complain(f"invalid {token.info}: only {{{name}}} may stand in it", place)
        elif not items:
            self.source.complain(f"missing {{{name}}}: {{{token.info}}} is empty", locate(0))
        return items


def make_list_table(token: Token, source: Source) -> None:
    """Make of a list of lists the table that it stands for; what is no list is its caption."""
    title, body = split_title(token)
    begin = next((at for at, child in enumerate(body) if child.type.endswith("_list_open")), len(body))
    level = body[begin].level if begin < len(body) else 0
    ends = (at for at in range(begin, len(body)) if body[at].type.endswith("_list_close") and body[at].level == level)
    end = next(ends, len(body) - 1) + 1
    rows = read_rows(body[begin:end])
    line = token.meta["line"]
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            n = len(rows[0])
            source.complain(f"invalid list-table: row {number} has {len(row)} cells, the first {n}", (line, None))
            break
    counts = []
    for name in ("header_rows", "stub_columns"):
        option = token.meta["options"].get(name)
        written = str(option.value) if option is not None else "0"
        is_number = re.fullmatch(r"\d{1,6}", written) is not None
        if not is_number:
            source.complain(f"invalid {name}: {written} is no number", (option.line, None))
        counts.append(int(written) if is_number else 0)
    tables = [make_table(rows, *counts)] if any(rows) else []
    token.type = "directive_table"
    token.children = [*(token.children or ())[: bool(title)], *body[:begin], *tables, *body[end:]]


def make_image(token: Token) -> None:
    """Make of MyST's directive what `![alt](path)` is."""
    options = {name: str(option.value) for name, option in token.meta["options"].items()}
    alt = options.get("alt", "")
    words = [Token("text", "", 0, content=alt)] if alt else []
    image = Token("image", "img", 0, content=alt, children=words, attrs={"src": token.meta["argument"], "alt": ""})
    image.attrs.update({name: options[name] for name in ("width", "height", "class") if options.get(name)})
    if "name" in options:
        image.attrs["id"] = options["name"]
    inline = Token("inline", "", 0, children=[image], content=token.meta["argument"], map=token.map)
    token.type = "directive"
    opening, closing = Token("paragraph_open", "p", 1, block=True), Token("paragraph_close", "p", -1, block=True)
    token.children = [opening, inline, closing]
