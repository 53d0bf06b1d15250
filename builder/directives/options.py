"""Options of a directive: `:key: value` lines, or a `---` YAML block, at the top of its body."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from ..article.reader import read_options
from ..figure import Option
from ..source_map import Place
from ..yaml_mapping import read_mapping

__all__ = ["Options", "read_lines"]

_LINE = re.compile(r":([A-Za-z][\w-]*):(?:[ \t]+(.*)|[ \t]*)")
_CLOSE = re.compile(r":([A-Za-z][\w-]*)(?:[ \t]+:[ \t]+|:)(?![`:])(\S.*)")
_SCALARS = frozenset({"|", "|-", "|+", ">", ">-", ">+"})
"""How YAML begins a text of several lines."""
_PLAIN = re.compile(r"(alt|analysis|generate|label|layout|model|prompt|run):[ \t]+(\S.*)")
"""An option that lacks a space behind its colons, or the colons: it would be taken for words of a caption."""


@dataclass
class Options:
    """Options by name, how many lines they take, and what is wrong with them."""

    values: dict[str, Option] = field(default_factory=dict)
    n_lines: int = 0
    problems: list[tuple[str, Place]] = field(default_factory=list)


def read_lines(lines: Sequence[str], first_line: int, *, figure: bool = False) -> Options:
    r"""Read the options that a body begins with; `first_line` is the line of its file that the body begins in.

    A value is what stands between the colon and the end of its line, without the spaces around it: nothing in it is
    Markdown. A value in double quotes is read as JSON or YAML reads it, with `\n`, `\"` and the like. `-` and `_` in
    keys are the same. In a `figure` an option without colons is told: nobody writes `label: fig-a` as a caption.
    """
    options = Options()
    while options.n_lines < len(lines):
        line = lines[options.n_lines].strip()
        found = _LINE.fullmatch(line)
        if found:
            _add_line(options, found[1], found[2] or "", lines[options.n_lines], first_line + options.n_lines)
        elif line == "---" and not any(lines[at].strip() == "" for at in range(options.n_lines) if options.values):
            if not _add_block(options, lines, first_line):
                break
        elif near := _CLOSE.fullmatch(line) or (_PLAIN.fullmatch(line) if figure else None):
            number = first_line + options.n_lines
            column = lines[options.n_lines].find(line[0]) + 1
            wrong = f"invalid option: {line if len(line) <= 40 else f'{line[:39]}…'} (write `:{near[1]}: …`)"
            options.problems.append((wrong, (number, column)))
            _add_line(options, near[1], near[2], lines[options.n_lines], number)
        elif line or options.values:
            break
        options.n_lines += 1
    return options


def _add_line(options: Options, key: str, written: str, line: str, number: int) -> None:
    column = line.find(":") + 1
    value = written.strip()
    if value in _SCALARS:
        wrong = f"invalid {key}: {value} (what has several lines stands in YAML, between two lines ---)"
        options.problems.append((wrong, (number, column)))
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            value = _unquote(value)
        except ValueError:
            options.problems.append((f'invalid {key}: write quotes within quotes as \\", or leave out the outer ones',
                                     (number, column)))  # fmt: skip
    _add(options, key, Option(value, number), column)


def _add(options: Options, key: str, option: Option, column: int) -> None:
    name = key.replace("-", "_")
    if name in options.values:
        first = options.values[name].line
        options.problems.append((f"duplicate option: {key} (first in line {first})", (option.line, column)))
    else:
        options.values[name] = option


def _unquote(value: str) -> str:
    """Return the text of a double-quoted string. Raises `ValueError` if it is none."""
    try:
        found = json.loads(value, strict=False)
    except ValueError:
        try:
            found = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError) as error:  # ValueError: `"\\U00110000"` is no character
            raise ValueError(value) from error
    if not isinstance(found, str):
        raise ValueError(value)
    found.encode()  # raises for half a character (`"\ud800"`): UnicodeEncodeError is a ValueError
    return found


def _add_block(options: Options, lines: Sequence[str], first_line: int) -> bool:
    """Add a YAML block that begins at the next line to be read; False if it never ends."""
    begin = options.n_lines + 1
    end = next((at for at in range(begin, len(lines)) if lines[at].rstrip() == "---"), None)
    if end is None:
        options.problems.append(("missing end of options: a line `---`", (first_line + begin - 1, 1)))
        return False
    mapping, problems = read_mapping("\n".join(lines[begin:end]), first_line + begin)
    options.problems += [(problem.message, (problem.line, problem.column)) for problem in problems]
    values, wrong = read_options(mapping)
    options.problems += [(f"invalid {key}: it cannot be read", (value.line, value.column)) for key, value in wrong]
    for key, option in values.items():
        _add(options, key, option, 1)
    options.n_lines = end
    return True
