"""Code blocks, highlighted by Pygments when the site is built: classes in the page, colours in the style sheet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from ..errors import nearest

__all__ = ["code_plugin", "is_known", "language_of", "nearest_language"]

PLAIN = frozenset({"", "text", "txt", "plain", "none", "output"})


def code_plugin(md: MarkdownIt) -> None:
    """Render fenced and indented code. The word after the fence is the language: `python`, `js`, `{.python}`.

    `parts/code.html` gets `language` and `content`, spans with Pygments' short classes (`k`, `s1`, `nf` …).
    """
    md.add_render_rule("fence", _render)
    md.add_render_rule("code_block", _render)


def language_of(info: str) -> str:
    """Return the language that an info string names, in lower case.

    >>> language_of("{.python .numbered}"), language_of("JSON title=x")
    ('python', 'json')
    """
    found = re.match(r"\s*\{?\s*\.?([\w+#.-]*)", info)
    return found[1].lower() if found else ""


@cache
def is_known(language: str) -> bool:
    """Whether code of that language can be highlighted, or need not be."""
    return language in PLAIN or _lexer(language) is not None


@cache
def _lexer(language: str) -> Any:
    from pygments.lexers import get_lexer_by_name  # 20 ms, and only where there is code
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None


def nearest_language(language: str) -> str:
    """Return ` (did you mean X?)` for the nearest language that can be highlighted."""
    from pygments.lexers import get_all_lexers

    return nearest(language, (alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases))


def _highlight(code: str, language: str) -> Markup:
    lexer = None if language in PLAIN else _lexer(language)
    if lexer is None:
        return escape(code)
    from pygments import highlight
    from pygments.formatters import HtmlFormatter

    return Markup(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    language = language_of(token.info)
    return str(env["page"].part("code", language=language, content=_highlight(token.content, language)))
