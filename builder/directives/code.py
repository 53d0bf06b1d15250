"""Code blocks, highlighted by Pygments when the site is built: classes in the page, colours in the style sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from markupsafe import Markup, escape

from ..errors import nearest
from ..figure import Option
from .attributes import unquote
from .fence import Directive

__all__ = ["CodeInfo", "code_blocks", "code_plugin", "is_known", "nearest_language", "read_directive", "read_info"]

PLAIN = frozenset({"", "text", "txt", "plain", "none", "output"})

OPTIONS = ("title", "highlight", "linenos", "start", "label")
_NAMES = {
    **{name: name for name in OPTIONS},
    **dict.fromkeys(("filename", "caption", "file"), "title"),
    **dict.fromkeys(("emphasize_lines", "hl_lines", "code_line_numbers"), "highlight"),
    **dict.fromkeys(("numberlines", "number_lines", "line_numbers", "linenumbers"), "linenos"),
    **dict.fromkeys(("startfrom", "lineno_start", "linenostart", "startline"), "start"),
    **dict.fromkeys(("name", "id"), "label"),
}
"""Our options, and what MyST, Sphinx, Quarto, Pandoc and Hugo call them."""

code_blocks = tuple(
    Directive(name, "language", frozenset(_NAMES), verbatim=True, kind="code-block") for name in ("code-block", "code")
)

_HYPHENED = re.compile(r"(?<!\S)(?=\S*-\w)\S{2,24}(?!\S)")
"""Words that fit a line of a phone, and that a browser would break at their hyphens: `-j`, `--no-strict`."""
_LANGUAGE = re.compile(r"\s*(?:\{\s*\.?)?([\w+#.-]*)")
_ITEM = re.compile(
    r"[\s{}]*(?:\.(?P<class>[\w-]+)|#(?P<id>[\w:.-]+)"
    r"|(?P<key>[A-Za-z][\w-]*)=(?:(?P<double>\"(?:\\.|[^\"\\])*\")|'(?P<single>[^']*)'|(?P<word>[^\s{}]+))"
    r"|(?P<lines>\d[\d,\s-]*)|(?P<flag>[A-Za-z][\w-]*))(?=[\s{}]|$)"
)


@dataclass
class CodeInfo:
    """What is said of a block of code. `marked` are lines counted from 1, `first` is the number that line 1 shows.

    `problems` are messages, each with its offset in the info string, or the option that it is about.
    """

    language: str = ""
    title: str = ""
    anchor: str = ""
    marked: frozenset[int] = frozenset()
    numbered: bool = False
    first: int = 1
    problems: list[tuple[str, int | Option]] = field(default_factory=list)


def code_plugin(md: MarkdownIt) -> None:
    """Render code, fenced, indented, or in a directive::

        ```python {title="train.py" highlight="2,4-6" linenos}
        ```

        ```{code-block} python
        :caption: train.py
        :emphasize-lines: 2,4-6
        :linenos:
        ```

    The word after the fence is the language: `python`, `js`, `{.python}`. `parts/code.html` gets `language`, `title`,
    `anchor`, `numbered` and `content`, spans with Pygments' short classes (`k`, `s1`, `nf` …), each line in
    `parts/code_line.html` (`content`, `number`, `marked`) where there is something to be said of lines. Within a line
    of text `parts/code_word.html` gets each `word` that no browser is to break at its hyphens.
    """
    md.add_render_rule("code_inline", _render_inline)
    md.add_render_rule("fence", _render)
    md.add_render_rule("code_block", _render)
    md.add_render_rule("directive_code-block", _render)


def read_info(info: str, n_lines: int) -> CodeInfo:
    """Return what an info string says of a block of `n_lines` lines.

    >>> read_info('python {title="a.py" highlight="2,4-5" linenos}', 9).marked == {2, 4, 5}
    True
    """
    found = _LANGUAGE.match(info)
    assert found is not None  # it matches the empty string
    if info[found.end() : found.end() + 1] == "=":  # `title="x"`, and no language
        code, at = CodeInfo(), 0
    else:
        code, at = CodeInfo(found[1].lower()), found.end()
    while item := _ITEM.match(info, at):
        at = item.end()
        start = item.start() + len(item[0]) - len(item[0].lstrip(" \t{}"))
        if item["lines"]:
            _set(code, "highlight", item["lines"], start, n_lines)
        elif item["id"]:
            code.anchor = item["id"]
        elif item["key"]:
            value = unquote(item["double"]) if item["double"] else item["single"] or item["word"] or ""
            _set(code, item["key"], value, start, n_lines)
        else:
            _set(code, item["flag"] or item["class"], "true", start, n_lines)
    if rest := info[at:].strip("{} \t"):
        code.problems.append((f"invalid code block: {rest}", info.find(rest, at)))
    return code


def read_directive(argument: str, options: Mapping[str, Option], n_lines: int) -> CodeInfo:
    """Return what a directive says of a block; unknown options are the directive's to tell."""
    code = CodeInfo(argument.lower())
    for name, option in options.items():
        if name.lower() in _NAMES:
            _set(code, name, str(option.value) if option.value not in ("", None) else "true", option, n_lines)
    return code


def _set(code: CodeInfo, written: str, value: str, place: int | Option, n_lines: int) -> None:
    name = _NAMES.get(written.lower().replace("-", "_"), "")
    if name == "highlight" and value in ("true", "false"):  # Quarto's code-line-numbers may be either
        name = "linenos"
    if name == "title":
        code.title = value
    elif name == "label":
        code.anchor = value
    elif name == "linenos":
        code.numbered = value.lower() not in ("false", "0", "no")
    elif name == "start":
        if re.fullmatch(r"\d{1,6}", value):
            code.numbered, code.first = True, int(value)
        else:
            code.problems.append((f"invalid {written}: {value} is no number of a line", place))
    elif name == "highlight":
        code.marked |= frozenset(_read_lines(code, written, value, place, n_lines))
    else:
        code.problems.append((f"unknown option of code: {written}{nearest(written, OPTIONS)}", place))


def _read_lines(code: CodeInfo, name: str, value: str, place: int | Option, n_lines: int) -> Iterator[int]:
    """Yield the lines of `2,4-6`; complain of those that the block does not have."""
    for part in filter(None, re.split(r"[\s,;\[\]\"']+", value)):
        found = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if found is None or not 1 <= first <= last:
            code.problems.append((f"invalid {name}: {part} (write lines as 2,4-6)", place))
        elif last > n_lines:
            has = "1 line" if n_lines == 1 else f"{n_lines} lines"
            code.problems.append((f"invalid {name}: there is no line {last}, the code has {has}", place))
        else:
            yield from range(first, last + 1)


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


@cache
def _formatter() -> Any:
    from pygments.formatters import HtmlFormatter

    return HtmlFormatter(nowrap=True)


@lru_cache(maxsize=4096)
def _highlight(code: str, language: str) -> Markup:
    lexer = None if language in PLAIN else _lexer(language)
    if lexer is None:
        return escape(code)
    from pygments import highlight

    return Markup(highlight(code, lexer, _formatter()))


def _render_inline(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token, page = tokens[index], env["page"]
    content = _HYPHENED.sub(
        lambda word: page.part("code_word", word=Markup(word[0])).strip(), escapeHtml(token.content)
    )
    return f"<code{self.renderAttrs(token)}>{content}</code>"


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token, page = tokens[index], env["page"]
    code: CodeInfo = token.meta.get("code") or read_info(token.info, token.content.count("\n"))
    content = _highlight(token.content, code.language)
    if code.numbered or code.marked:  # Pygments ends and begins its spans anew at each end of a line
        lines = content.removesuffix("\n").split("\n")
        content = Markup("").join(
            page.part(
                "code_line",
                content=Markup(line),
                number=code.first + at if code.numbered else None,
                marked=at + 1 in code.marked,
            )
            for at, line in enumerate(lines)
        )
    return str(
        page.part(
            "code",
            language=code.language,
            title=code.title,
            anchor=code.anchor,
            numbered=code.numbered,
            content=content,
        )
    )
