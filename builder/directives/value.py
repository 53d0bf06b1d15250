"""Values: `` {value}`sizes[0].neurons of=fig-count` `` is a number, or a text, out of a figure's result."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

__all__ = ["value_plugin"]

_ROLE = re.compile(r"\{value\}(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)


def value_plugin(md: MarkdownIt) -> None:
    """Parse values: text and figure cannot drift apart where the text takes its numbers from the figure.

    | written in backticks after `{value}` | in the page |
    |---|---|
    | `sizes[0].factors[1].neurons of=fig-count` | 5,449 |
    | `sizes[0].factors[1].share of=fig-count as=percent` | 30% |
    | `probabilities[-1][" Croatia"] of=fig-eu as=.3` | 0.871 |
    | `checks["rows sum to 1"].value of=fig-eu` | 1.19 × 10⁻⁷ |
    | `provenance.model of=fig-eu panel=2` | HuggingFaceTB/SmolLM2-135M |

    A path leads through the figure's `data` (the JSON that a reader can download), or begins with `checks` or
    `provenance`. `[i]` is a list's item from 0, from the end if negative; `["key"]` a mapping's. On a list of tokens
    `["text"]` is the token of that text, and on a list with an item for each target the target of that text: the first
    output token of it, else the first; after a target chosen so, a token before it. `as` is one of
    `builder.numerals.FORMS`, or a dot and a number of digits. In a figure's own caption `of` may be left out.
    Token: `value`, content as written, `meta` written, offset. `parts/value.html` gets `text`, `number` (see
    `page.value`).
    """
    md.inline.ruler.before("escape", "value", _parse)
    md.add_render_rule("value", _render)


def _parse(state: StateInline, silent: bool) -> bool:
    found = _ROLE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    if found is None:
        return False
    if not silent:
        token = state.push("value", "", 0)
        token.content = found[0]
        token.meta = {"written": found[2], "begin": found.start(2) - state.pos}
    state.pos = found.end()
    return True


def _render(_self: Any, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
    return str(env["page"].value(tokens[index].meta.get("value"))).strip("\n")
