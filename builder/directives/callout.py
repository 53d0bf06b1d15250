"""Callouts: boxes that stand out from the text, some of them folded until a reader opens them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from ..figure import Option
from .fence import Directive, split_title

__all__ = ["CALLOUTS", "KINDS", "callout_plugin", "callouts"]

KINDS = ("note", "tip", "important", "warning", "caution")

CALLOUTS: Mapping[str, tuple[str, str]] = {
    **{kind: (kind, kind.capitalize()) for kind in KINDS},
    "admonition": ("note", "Note"),
    "hint": ("tip", "Hint"),
    "attention": ("warning", "Attention"),
    "danger": ("caution", "Danger"),
    "error": ("caution", "Error"),
    "seealso": ("note", "See also"),
}
"""Quarto's five, and MyST's others: the kind of each, and what it is called where it has no title."""

_OPTIONS = frozenset({"collapse", "class", "open", "label", "name", "title"})

callouts = tuple(Directive(name, "title", _OPTIONS, titled=True, kind="callout") for name in CALLOUTS)


def callout_plugin(md: MarkdownIt) -> None:
    """Render callouts::

        :::{warning} A *title*
        :collapse: true

        `note`, `tip`, `important`, `warning` and `caution`; without a title they have their name.
        :::

    With `collapse`, readers open and close it; `true` begins closed, `false` open, as in Quarto. MyST's `:class:
    dropdown`, `:open:` and its other names are understood.
    `parts/box.html` gets `kind`, `name`, `title`, `label` (what it is called), `fold` (`closed`, `open` or empty),
    `anchor` and `content`.
    """
    md.add_render_rule("directive_callout", _render)


def read_fold(options: Mapping[str, Option]) -> str:
    """Return whether a callout can be closed: `closed`, `open`, or the empty string."""
    written = {name: str(option.value).strip().lower() for name, option in options.items()}
    if written.get("open", "false") != "false" or written.get("collapse") == "false":
        return "open"
    return "closed" if written.get("collapse") or "dropdown" in written.get("class", "").split() else ""


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    title, body = split_title(token)
    kind, name = CALLOUTS[token.info]
    option = token.meta["options"].get("class")
    named = [word for word in str(option.value if option else "").split() if word in CALLOUTS]
    if named:  # MyST's `{admonition} Title` with `:class: tip`
        kind, name = CALLOUTS[named[0]]
    plain = token.meta.get("title", "")
    return str(
        env["page"].part(
            "box",
            kind=kind,
            label=f"{name}: {plain}" if plain else name,
            fold=read_fold(token.meta["options"]),
            anchor=token.meta.get("anchor", ""),
            title=Markup(self.render(title, options, env)) if title else plain or name,
            content=Markup(self.render(body, options, env)),
        )
    )
