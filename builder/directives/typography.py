"""Typography: `--` and `---` between words become dashes, `...` an ellipsis. (Quotes are markdown-it's.)"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

__all__ = ["typography_plugin"]

_SIGNS = (
    (re.compile(r"(?<![-\s])---(?!-)|(?<=\s)---(?=\s|$)"), "—"),
    (re.compile(r"(?<=[\w.)\]])--(?=[\w(\[])|(?<=\s)--(?=\s)|^--$"), "–"),
    (re.compile(r"(?<!\.)\.\.\.(?!\.)"), "…"),
)


def typography_plugin(md: MarkdownIt) -> None:
    """Replace what typewriters wrote. Narrower than markdown-it's own rule: `(c)`, `+-`, `--flag` stay as they are."""
    md.core.ruler.before("smartquotes", "typography", _replace)


def _replace(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or ():
            if child.type == "text" and ("--" in child.content or "..." in child.content):
                for pattern, sign in _SIGNS:
                    child.content = pattern.sub(sign, child.content)
