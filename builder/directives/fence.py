"""Directives: fences of three or more colons or backticks that begin with a name in braces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from ..errors import nearest
from ..figure import Option
from ..source_map import Source, source_of
from .elsewhere import DIRECTIVES, replace_class, replace_directive
from .options import read_lines

__all__ = ["Directive", "fence_plugin", "split_title"]


@dataclass(frozen=True)
class Directive:
    """What may stand in a directive. `options` None means any; `argument` is what follows the name, if anything may.

    A `verbatim` body is no Markdown: it becomes the content of the token `directive`. With `titled` the argument is
    Markdown: the first child is a token `title`. An alias has the `kind` of what it stands for.
    """

    name: str
    argument: str | None = None
    options: frozenset[str] | None = frozenset()
    verbatim: bool = False
    titled: bool = False
    kind: str = ""


_RUN = re.compile(r"(:{3,}|`{3,}|~{3,})[ \t]*([^\n]*)")
_INFO = re.compile(r"\{\s*([^\s{}.#][^\s{}]*)?\s*\}[ \t]*(.*)")
_BARE = re.compile(r"([A-Za-z][\w-]*)[ \t]*(.*)")
MAX_DEPTH = 40
"""How deep directives may nest: each level is a few calls deep, and Python's stack ends at 1000."""


def fence_plugin(md: MarkdownIt, directives: Iterable[Directive]) -> None:
    """Parse directives, in colons or in backticks::

        :::{note} Argument
        :option: value

        Body in *Markdown*.
        :::

    Tokens: `directive_open` (`info` the name, `meta` argument, options, line), those of the body, `directive_close`.
    Other programs' names and fences are told with ours.
    Directives of colons nest, with fences of the same length or not: a closing fence closes the innermost open one
    of its own length, else the innermost shorter one. One of backticks ends at the first closing fence, as code does.
    An unknown name, an option that the directive does not have, and a fence that never closes are reported.
    """
    known = {directive.name: directive for directive in directives}

    def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return _parse(state, start, end, silent, known)

    md.block.ruler.before(
        "fence", "directive", rule, {"alt": ["paragraph", "reference", "blockquote", "list", "footnote_def"]}
    )
    md.add_render_rule("directive", _render_unknown)


def _parse(state: StateBlock, start: int, end: int, silent: bool, known: dict[str, Directive]) -> bool:
    found = None if state.is_code_block(start) else _RUN.fullmatch(_text(state, start))
    if found is None or found[1][0] == "~":
        return False
    marker, length, info = found[1][0], len(found[1]), found[2].rstrip()
    head = _INFO.fullmatch(info) or (_BARE.fullmatch(info) if marker == ":" else None)
    if head is None and info and (marker == "`" or info[0] != "{"):
        return False
    if marker == "`" and (head is None or "`" in info):
        return False
    if silent:
        return True
    source = source_of(state)
    if not info:
        source.complain(f"broken fence: {found[1]} closes nothing", source.begin(start))
        state.line = start + 1
        return True
    name, argument = (head[1] or "", head[2]) if head else ("", "")
    if info[0] != "{" or not name:
        wanted = f"{found[1]}{{{name}}}" if name else f"{found[1]}{replace_class(info) or '{name}'}"
        wanted = DIRECTIVES.get(name, wanted)
        source.complain(f"unsupported fence: {found[1]}{info} (write {wanted})", source.begin(start))
    body_end, closed = _find_end(state, start, end, marker, length)
    if not closed:
        source.complain(f"missing end of {{{name}}}: a line {found[1]}", source.begin(start))
    _push(state, start, body_end, closed, name, argument.strip(), found[1], known, source)
    return True


def _push(
    state: StateBlock,
    start: int,
    body_end: int,
    closed: bool,
    name: str,
    argument: str,
    markup: str,
    known: dict[str, Directive],
    source: Source,
) -> None:
    lines = state.getLines(start + 1, body_end, state.sCount[start], False).split("\n") if body_end > start + 1 else []
    directive = known.get(name)
    options = read_lines(lines, source.line(start + 1), figure=name == "figure")
    for message, place in options.problems:
        source.complain(message, place)
    line, column = source.begin(start)
    if directive is None and name:
        at = None if column is None else column + source.lines[start][column - 1 :].find(name)
        near = replace_directive(name) or nearest(name, known)
        source.complain(f"unknown directive: {name}{near}", (line, at))
    elif directive is not None:
        _check(directive, argument, options.values, source, line)

    token = state.push("directive_open", "div", 1)
    token.block = True
    token.info = name
    token.markup = markup
    token.map = [start, body_end + (1 if closed else 0)]
    token.meta = {"argument": argument, "options": options.values, "line": line, "column": column}
    token.meta["unread"] = bool(options.problems)
    token.meta["type"] = f"directive_{directive.kind or name}" if directive is not None else "directive"
    if directive is not None and directive.titled and argument:
        _push_title(state, start, argument)
    outer, parent = state.lineMax, state.parentType
    state.lineMax, state.parentType = body_end, "container"
    if directive is not None and directive.verbatim:
        first = start + 1 + options.n_lines
        first += first < body_end and options.n_lines > 0 and state.isEmpty(first)  # an empty line ends the options
        token.content = state.getLines(first, body_end, state.sCount[start], True) if body_end > first else ""
        token.meta["first"] = first
    elif state.level < MAX_DEPTH:
        state.md.block.tokenize(state, start + 1 + options.n_lines, body_end)
    else:
        source.complain("invalid directive: nested too deep", (line, column))
    state.lineMax, state.parentType = outer, parent
    state.push("directive_close", "div", -1).block = True
    state.line = body_end + (1 if closed else 0)


def _push_title(state: StateBlock, start: int, argument: str) -> None:
    state.push("title_open", "p", 1).map = [start, start + 1]
    inline = state.push("inline", "", 0)
    inline.content, inline.map, inline.children = argument, [start, start + 1], []
    state.push("title_close", "p", -1)


def split_title(token: Token) -> tuple[list[Token], list[Token]]:
    """Return what stands in the title of a directive, which may be nothing, and what stands in its body."""
    children = token.children or []
    if children and children[0].type == "title":
        return children[0].children or [], children[1:]
    return [], children


def _check(directive: Directive, argument: str, options: dict[str, Option], source: Source, line: int | None) -> None:
    if argument and directive.argument is None:
        source.complain(f"unsupported argument of {{{directive.name}}}: {argument} (write it below)", (line, None))
    allowed = directive.options
    for key, option in options.items():
        if allowed is not None and key not in allowed:
            wrong = f"unknown option of {{{directive.name}}}: {key}{nearest(key, allowed)}"
            source.complain(wrong, (option.line, None))


def _find_end(state: StateBlock, start: int, end: int, marker: str, length: int) -> tuple[int, bool]:
    """Return the line of the closing fence and True; or the line after the last that may belong, and False."""
    opened = [length]
    code = None
    for line in range(start + 1, end):
        if state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            return line, False
        found = None if state.is_code_block(line) else _RUN.fullmatch(_text(state, line))
        if found is None:
            continue
        char, run, info = found[1][0], len(found[1]), found[2].strip()
        if code is not None:
            if char == code[0] and run >= code[1] and not info:
                code = None
        elif char == marker == "`":
            if run >= length and not info:
                return line, True
        elif marker == "`":
            continue
        elif char != ":":
            code = None if char == "`" and "`" in info else (char, run)
        elif info:
            if info[0] == "{" or _BARE.fullmatch(info):
                opened.append(run)
        elif run in opened:
            del opened[len(opened) - 1 - opened[::-1].index(run) :]
        elif run > opened[-1]:
            opened.pop()
        if not opened:
            return line, True
    return end, False


def _text(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _render_unknown(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return str(self.render(tokens[index].children or [], options, env))
