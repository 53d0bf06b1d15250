"""Footnotes: `[^name]` with `[^name]: text` anywhere, or `^[text]` in place; numbered as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.footnote import footnote_plugin as mdit_footnotes

__all__ = ["footnote_plugin"]


def footnote_plugin(md: MarkdownIt) -> None:
    """Parse footnotes with mdit-py-plugins; the document numbers them and moves them to the end.

    A mark is `parts/footnote_mark.html` (`number`, `anchor`, `note`, `card`), the notes `parts/footnotes.html`
    (`notes`: each `number`, `anchor`, `marks`, `content`; `beside`: whether they stand in the margin of wide screens).
    Each note is also a card, `parts/footnote_card.html`, in `env["cards"]`: there ids are left out, for the page has
    them already.
    """
    md.use(mdit_footnotes, move_to_end=False, always_match_refs=True)
    md.add_render_rule("footnote_ref", _render_mark)
    md.add_render_rule("footnotes", _render_notes)


def _render_mark(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    meta = tokens[index].meta
    number = meta.get("number")
    if number is None:  # never defined, and reported
        return escapeHtml(f"[^{meta.get('label', '')}]")
    anchor = f"fnref-{number}" + (f"-{meta['mark']}" if meta["mark"] > 1 else "")
    card = f"card-fn-{number}"
    return str(env["page"].part("footnote_mark", number=number, anchor=anchor, note=f"fn-{number}", card=card))


def _render_notes(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    page = env["page"]
    notes = []
    for note in tokens[index].meta["notes"]:
        content = Markup(self.render(list(note.tokens), options, env))
        marks = [f"fnref-{note.number}"] + [f"fnref-{note.number}-{mark}" for mark in range(2, note.n_marks + 1)]
        notes.append({"number": note.number, "anchor": f"fn-{note.number}", "marks": marks, "content": content})
        anchor = f"card-fn-{note.number}"
        card = page.part("footnote_card", number=note.number, anchor=anchor, content=_without_ids(content))
        env.setdefault("cards", {})[f"fn-{note.number}"] = card
    if page.sidenotes:
        env.setdefault("scripts", {})["js/sidenotes.js"] = None
    return str(page.part("footnotes", notes=notes, beside=page.sidenotes))


def _without_ids(html: str) -> Markup:
    """Return finished HTML without ids: read as browsers do, for what looks like one may stand in a text.

    >>> str(_without_ids('<b title=" id=" id="x">" id="y"</b>'))
    '<b title=" id=">" id="y"</b>'
    """
    from selectolax.lexbor import LexborHTMLParser  # 10 ms, and only where there are notes

    tree = LexborHTMLParser(html, is_fragment=True)
    for node in tree.css("[id]"):
        del node.attrs["id"]
    return Markup(tree.html)
