"""`YamlMapping`: a YAML mapping whose every key and value knows its line and column."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from .errors import Problem

__all__ = ["YamlMapping", "YamlValue", "read_list", "read_mapping"]


@dataclass(frozen=True)
class YamlValue:
    """A value as it stands in the text: its YAML node, and the place (from 1) of its key or of itself."""

    node: yaml.Node
    line: int
    column: int
    shift: int

    @property
    def is_null(self) -> bool:
        """Whether nothing is written there."""
        return self.node.tag == "tag:yaml.org,2002:null"

    def text(self) -> str | None:
        """Return a scalar as it is written, so that `0042`, `1e3` or `yes` stay what they are; else None."""
        return self.node.value if isinstance(self.node, yaml.ScalarNode) and not self.is_null else None

    def natural(self) -> Any:
        """Return the value as YAML reads it. Raises `ValueError` for what cannot be read, as `2025-13-40`."""
        return self._construct(yaml.SafeLoader(""))

    def written(self) -> Any:
        """Return the value with each scalar in it as a text, for a reader who knows its type; None where nothing is.

        Raises `ValueError` as `natural` does.
        """
        return None if self.is_null else self._construct(yaml.BaseLoader(""))

    def _construct(self, loader: yaml.SafeLoader | yaml.BaseLoader) -> Any:
        try:
            return loader.construct_document(self.node)
        except yaml.MarkedYAMLError as error:
            raise ValueError(str(error.problem)) from error
        except (RecursionError, OverflowError, TypeError) as error:
            raise ValueError("the value cannot be read") from error
        finally:
            loader.dispose()

    def items(self) -> tuple[YamlValue, ...] | None:
        """Return the elements of a list; else None."""
        if not isinstance(self.node, yaml.SequenceNode):
            return None
        return tuple(_value(node, node, self.shift) for node in self.node.value)

    def mapping(self) -> YamlMapping | None:
        """Return the value as a mapping; else None."""
        return YamlMapping(self.node, self.shift) if isinstance(self.node, yaml.MappingNode) else None


class YamlMapping:
    """Keys to `YamlValue`s in order; `repeated` holds those that were written again.

    What `<<: *other` merges into it counts where it has no such key itself.
    """

    def __init__(self, node: yaml.MappingNode | None, shift: int) -> None:
        self.values: dict[str, YamlValue] = {}
        self.repeated: list[tuple[str, YamlValue]] = []
        merged: list[yaml.Node] = []
        for key, node_of_value in node.value if node is not None else ():
            if key.tag == _MERGE and isinstance(node_of_value, (yaml.MappingNode, yaml.SequenceNode)):
                merged.append(node_of_value)
                continue
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            value = _value(node_of_value, key, shift)
            if name in self.values:
                self.repeated.append((name, value))
            else:
                self.values[name] = value
        for key, node_of_value in _merged(merged):
            self.values.setdefault(key.value, _value(node_of_value, key, shift))

    def __iter__(self) -> Iterator[tuple[str, YamlValue]]:
        return iter(self.values.items())

    def get(self, key: str) -> YamlValue | None:
        """Return the value of a key; what is written as nothing counts as absent."""
        value = self.values.get(key)
        return None if value is None or value.is_null else value


_MERGE = "tag:yaml.org,2002:merge"


def _merged(waiting: list[yaml.Node]) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Yield what mappings that are merged hold, and those merged into them: each once, the nearest first."""
    seen: set[int] = set()
    for node in waiting:  # it grows
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.tag == _MERGE:
                waiting.append(value)
            elif isinstance(key, yaml.ScalarNode):
                yield key, value


MAX_NESTED = 200


class _Loader(yaml.SafeLoader):
    r"""YAML's escapes can write half a character (`"\ud800"`), which no file can hold."""

    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        """Return the scalar, if it is text."""
        node: yaml.ScalarNode = super().compose_scalar_node(anchor)
        if re.search("[\ud800-\udfff]", node.value):
            raise yaml.composer.ComposerError(None, None, "half a character (a lone surrogate)", node.start_mark)
        return node


def _compose(text: str) -> yaml.Node | None:
    """Return the node of YAML. libyaml reads it ten times faster; what it refuses is read again, for our messages.

    Its composer calls itself, as deep as a text is nested, and knows no limit: only plain texts are for it.
    """
    plain = "\\" not in text and sum(map(text.count, ("[", "{", "- ", "? "))) < MAX_NESTED
    if plain and yaml.__with_libyaml__:
        with contextlib.suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    return yaml.compose(text, Loader=_Loader)


def read_mapping(text: str, first_line: int) -> tuple[YamlMapping, tuple[Problem, ...]]:
    """Read YAML that begins at a line of its file; the problems have line and column, and no path yet.

    What is wrong at one key leaves the others as they are.
    """
    shift = first_line
    nothing = YamlMapping(None, shift)
    node, wrong = _tree(text, shift)
    if wrong is not None:
        return _salvage(text, shift, wrong)
    if node is None:
        return nothing, ()
    if not isinstance(node, yaml.MappingNode):
        return nothing, (Problem("invalid YAML: write lines of `key: value`", None, shift, 1),)
    mapping = YamlMapping(node, shift)
    problems = [
        Problem(f"duplicate key: {name} (first in line {mapping.values[name].line})", None, value.line, value.column)
        for name, value in mapping.repeated
    ]
    return mapping, tuple(problems)


def _tree(text: str, shift: int) -> tuple[yaml.Node | None, Problem | None]:
    """Return YAML's tree, or why there is none."""
    try:
        return _compose(text), None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + shift, mark.column + 1) if mark else (shift, None)
        what = str(error.problem or error.context)
        hint = next((hint for known, hint in _HINTS.items() if known in what), "")
        return None, Problem(f"invalid YAML: {what}{hint}", None, line, column)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = shift + before.count("\n"), len(before) - before.rfind("\n")
        return None, Problem("invalid YAML: a character that YAML forbids", None, line, column)
    except (yaml.YAMLError, RecursionError):
        return None, Problem("invalid YAML: it cannot be read, or is nested too deep", None, shift, 1)


def _salvage(text: str, shift: int, wrong: Problem) -> tuple[YamlMapping, tuple[Problem, ...]]:
    """Read each key of a broken mapping by itself, and return what can be read, with a problem for each that cannot."""
    lines = text.split("\n")
    starts = sorted({0, *(number for number, line in enumerate(lines) if _KEY.match(line))})
    if len(starts) > MAX_NESTED:
        return YamlMapping(None, shift), (wrong,)
    whole = yaml.MappingNode("tag:yaml.org,2002:map", [])
    problems = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        block = "\n".join(lines[start:end])
        node, problem = _tree("\n" * start + block.rstrip(), shift)
        if isinstance(node, yaml.MappingNode):
            whole.value += node.value
        elif problem is not None:
            problems.append(problem)
        elif node is not None:
            problems.append(Problem("invalid YAML: write lines of `key: value`", None, start + shift, 1))
    return YamlMapping(whole, shift), tuple(problems or [wrong])


_KEY = re.compile(r"""(["']?)[A-Za-z_][\w.-]*\1\s*:(\s|$)""")
_HINTS = {
    "expected ',' or ']'": " (is a ] missing?)",
    "expected ',' or '}'": " (is a } missing?)",
    "mapping values are not allowed": " (a text with a colon in it wants quotes)",
    "could not find expected ':'": " (is a colon missing?)",
    "found unexpected end of stream": " (is a quote missing?)",
    "found character '\\t'": " (indent with spaces)",
    "cannot start any token": " (a text that begins so wants quotes)",
}
"""What is likely to be meant, by what YAML's parser says."""


def read_list(text: str) -> list[Any] | None:
    """Return a list that is written in one line, `[1, " is", yes]`, each scalar in it as a text; None if it is none."""
    try:
        node = _compose(text)
        found = YamlValue(node, 1, 1, 0).written() if isinstance(node, yaml.SequenceNode) else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _value(node: yaml.Node, at: yaml.Node, shift: int) -> YamlValue:
    mark = at.start_mark
    return YamlValue(node, mark.line + shift, mark.column + 1, shift)
