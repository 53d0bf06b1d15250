"""`{list-table}`: a table written as a list of lists, for cells that are longer than a line."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it.token import Token

from .fence import Directive

__all__ = ["list_table", "make_table", "read_rows"]

Cell = list[Token]

list_table = Directive(
    "list-table",
    "caption",
    frozenset({"label", "name", "layout", "header_rows", "stub_columns", "widths", "align", "class"}),
    titled=True,
)
"""Written as in MyST and reStructuredText::

    :::{list-table} The caption.
    :label: tbl-models
    :header-rows: 1

    * - model
      - layers
    * - SmolLM2
      - 30
    :::
"""


def read_rows(tokens: Sequence[Token]) -> list[list[Cell]]:
    """Return the cells of each row: the items of the lists within the items of a list."""
    rows: list[list[Cell]] = []
    cell: Cell | None = None
    depth = 0
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
            if depth <= 2:
                continue
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
            if depth < 2:
                continue
        elif token.type == "list_item_open" and depth == 1:
            rows.append([])
            continue
        elif token.type == "list_item_open" and depth == 2 and rows:
            cell = []
            rows[-1].append(cell)
            continue
        elif token.type == "list_item_close" and depth <= 2:
            cell = None
            continue
        if cell is not None:
            cell.append(token)
    return rows


def make_table(rows: Sequence[Sequence[Cell]], n_header: int, n_stub: int) -> Token:
    """Return a token as markdown-it makes of a table with pipes."""
    table = Token("table", "", 0, block=True, children=[])
    for name, first, part in (("thead", 0, rows[:n_header]), ("tbody", n_header, rows[n_header:])):
        if part:
            inside = [token for number, row in enumerate(part, first) for token in _row(row, number < n_header, n_stub)]
            table.children += _wrap(name, inside)  # type: ignore[operator]
    return table


def _row(cells: Sequence[Cell], is_header: bool, n_stub: int) -> list[Token]:
    inside: list[Token] = []
    for at, cell in enumerate(cells):
        if [token.type for token in cell] == ["paragraph_open", "inline", "paragraph_close"]:
            cell = cell[1:2]
        made = _wrap("th" if is_header or at < n_stub else "td", cell)
        if not is_header and at < n_stub:
            made[0].attrs["scope"] = "row"
        inside += made
    return _wrap("tr", inside)


def _wrap(tag: str, inside: Sequence[Token]) -> list[Token]:
    return [Token(f"{tag}_open", tag, 1, block=True), *inside, Token(f"{tag}_close", tag, -1, block=True)]
