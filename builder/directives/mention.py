"""Mentions: `[the commas]{factor=2 of=fig-count}` are words that belong to a part of a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup

from .attributes import QUOTED, Attributes, read_attributes

__all__ = ["mention_plugin"]

_BRACES = re.compile(rf'\{{((?:{QUOTED}|[^{{}}"])*)\}}', re.DOTALL)
_BROKEN = re.compile(r"\{([^{}]*\bof=[^{}]*)\}")
"""A quote that never closes, say: no attributes, but meant as a mention beyond doubt."""


def mention_plugin(md: MarkdownIt, own: Sequence[str]) -> None:
    """Parse mentions; which parts a figure has is its kind's to say, when its result is there.

    | written | in the page |
    |---|---|
    | `[the commas]{factor=2 of=fig-count}` | words in the colour of factor 2; pointed at, the figure shows it |
    | `[Croatia]{token=Croatia of=fig-eu}` | a token by its text: the first output token of it, else the first |
    | `[the dot]{token=27 of=fig-eu}` | … or by its position |
    | `[is]{token=" is" of=fig-eu panel=2}` | what has spaces is quoted; `panel` is a gallery's, from 1 |
    | `[Croatia]{.spark token=Croatia of=fig-eu}` | the words and a word-sized graphic of the part (see `spark.py`) |

    In a figure's own caption `of` may be left out. A mention names one part; it may stand wherever text may, and hold
    whatever text may, but links. `own` are the attributes of a span of words that is none (`[text]{.class}`).
    Tokens: `mention_open … mention_close`, folded later, with `meta` attributes.
    `parts/mention.html` is the page's to render (`page.mention`).
    """

    def rule(state: StateInline, silent: bool) -> bool:
        return _parse(state, silent, frozenset(own))

    md.inline.ruler.before("span", "mention", rule)
    md.add_render_rule("mention", _render)


def _parse(state: StateInline, silent: bool, own: frozenset[str]) -> bool:
    if state.src[state.pos] != "[":
        return False
    close = state.md.helpers.parseLinkLabel(state, state.pos, False)
    if close < 0 or state.src[close + 1 : close + 2] != "{":
        return False
    found = _BRACES.match(state.src, close + 1, state.posMax) or _BROKEN.match(state.src, close + 1, state.posMax)
    attributes = read_attributes(found[1], found.start(1) - state.pos) if found else Attributes()
    if found is None or not _is_mention(attributes, found[1], own):
        return False
    if not silent:
        end = state.posMax
        opening = state.push("mention_open", "a", 1)
        opening.meta = {"attributes": attributes}
        if attributes.anchor:
            opening.attrs["id"] = attributes.anchor
        state.pos, state.posMax = state.pos + 1, close
        state.md.inline.tokenize(state)
        state.push("mention_close", "a", -1)
        state.posMax = end
    state.pos = found.end()
    return True


def _is_mention(attributes: Attributes, written: str, own: frozenset[str]) -> bool:
    """Whether a span has what no other span of words may have."""
    if attributes.rest:
        return re.search(r"\bof=", written) is not None
    return "spark" in attributes.classes or any(pair.key not in own for pair in attributes.pairs)


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    attributes: Attributes = token.meta["attributes"]
    words = Markup(self.renderInline(token.children or [], options, env))
    lang = attributes.find("lang")
    return str(
        env["page"].mention(
            token.meta.get("mention"),
            words=words,
            id=attributes.anchor,
            classes=[name for name in attributes.classes if name != "spark"],
            lang=lang.value if lang else None,
        )
    ).strip("\n")
