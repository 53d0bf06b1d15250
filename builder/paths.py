"""Paths into results: `sizes[0].factors[-1].share`, `probabilities[" Croatia"]`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import BuildError, nearest

__all__ = ["Step", "find_starts", "follow", "known_names", "read_path", "written_path"]

_STEP = re.compile(
    r'(?P<dot>\.)?(?P<name>[A-Za-z_][\w-]*)|\[(?P<index>-?\d{1,9})\]|\[(?P<quoted>"(?:\\.|[^"\\])*")\]', re.DOTALL
)
_NUMBER = re.compile(r"\d{1,9}")  # Python reads no number of more than 4,300 digits
_MOST = 8  # names that a message lists


@dataclass(frozen=True)
class Step:
    """A key, an index, or in `["…"]` (`quoted`) a key or the text of a token."""

    value: int | str
    quoted: bool = False


def read_path(text: str) -> tuple[tuple[Step, ...], int]:
    """Return the steps of the path that a text begins with, and where it ends: at 0 if there is none.

    >>> read_path('a[0]["b c"] of=fig-x')
    ((Step(value='a', quoted=False), Step(value=0, quoted=False), Step(value='b c', quoted=True)), 11)
    """
    steps: list[Step] = []
    at = 0
    while found := _STEP.match(text, at):
        if bool(found["dot"] or not found["name"]) != bool(steps):
            break  # a name begins a path, and a dot goes before every other
        if found["quoted"]:
            try:
                steps.append(Step(str(json.loads(found["quoted"], strict=False)), quoted=True))
            except ValueError:
                break
        else:
            steps.append(Step(found["name"] or int(found["index"])))
        at = found.end()
    return tuple(steps), at


def written_path(steps: Sequence[Step]) -> str:
    """Return a path as an author writes it."""
    text = ""
    for step in steps:
        if isinstance(step.value, int):
            text += f"[{step.value}]"
        elif step.quoted:
            text += f"[{json.dumps(step.value, ensure_ascii=False)}]"
        else:
            text += f".{step.value}" if text else step.value
    return text


def follow(steps: Sequence[Step], root: Mapping[str, Any], data: Mapping[str, Any], name: str) -> Any:
    """Return what a path leads to; `name` is the figure's, for messages.

    `data` tells which text a list is about: `tokens`, and `targets`, the positions of those that have an item each.
    Raises `BuildError` where the path leads nowhere, with the names that are there.
    """
    found: Any = root
    # whether a target was chosen, lists within being its own, about the tokens before it; None: perhaps, by a number
    rows: bool | None = False
    for n, step in enumerate(steps):
        whole = written_path(steps[: n + 1])
        if isinstance(found, Mapping) and isinstance(step.value, str):
            if step.value not in found:
                near = nearest(step.value, map(str, found))
                raise BuildError(f"unknown value: {whole} of {name}{near or known_names(found)}")
            found = found[step.value]
        elif isinstance(found, list) and isinstance(step.value, int):
            if not -len(found) <= step.value < len(found):
                raise BuildError(f"unknown value: {whole} of {name} (known: {_range(found)})")
            rows = rows or (None if len(found) == len(data.get("targets", ())) else False)
            found = found[step.value]
        elif isinstance(found, list) and step.quoted:
            index, rows = _index_of(str(step.value), found, data, rows, f"{whole} of {name}")
            found = found[index]
        else:
            before = written_path(steps[:n])
            raise BuildError(f"invalid value: {whole} of {name}, for {before} is {_what(found)}")
    if found is None or isinstance(found, (Mapping, list, bool)):
        raise BuildError(f"invalid value: {written_path(steps)} of {name} is {_what(found)}")
    return found


def _index_of(text: str, items: list[Any], data: Mapping[str, Any], rows: bool | None, where: str) -> tuple[int, bool]:
    """Return which item of a list a token's text chooses, and whether it is a target's.

    A list as long as `targets` has an item for each of them, one as long as `tokens` for each token. `rows`: the list
    is a target's own, and may end earlier. What may be either is not guessed at.
    """
    tokens: Sequence[Mapping[str, Any]] = data.get("tokens", ())
    targets: Sequence[int] = data.get("targets", ())
    starts = find_starts(tokens, text)
    if not rows and len(items) == len(targets) != len(tokens):
        square = all(isinstance(item, list) and len(item) == len(targets) for item in items)
        if len(items) > 1 and (square or rows is None):
            raise BuildError(f"invalid value: {where} (a target's item, or one that holds its item? use numbers)")
        chosen = [targets.index(start) for start in starts if start in targets]
    elif len(items) == len(tokens) or (rows and len(items) <= len(tokens)):
        chosen = [start for start in starts if start < len(items)]
    else:
        raise BuildError(f"invalid value: {where}, for that is {_what(items)}, which are not tokens")
    if chosen:
        return chosen[0], bool(rows) or len(items) != len(tokens)
    if starts:
        raise BuildError(f"unknown token: {where} (it is in the text, but has no item here)")
    among = tokens if len(items) != len(targets) else [tokens[target] for target in targets]
    texts = dict.fromkeys(str(token["text"]).strip() for token in among if str(token["text"]).strip())
    raise BuildError(f"unknown token: {where}{nearest(text.strip(), texts) or known_names(texts)}")


def find_starts(tokens: Sequence[Mapping[str, Any]], text: str) -> list[int]:
    """Return the positions where tokens begin that make up a text, those of output tokens first.

    White space around it does not count, but tokens that are the very text come first if it has some.
    """
    wanted = text.strip()
    found: list[tuple[bool, bool, int]] = []
    for start, first in enumerate(tokens):
        joined = ""
        if wanted and not str(first["text"]).strip():
            continue
        for token in tokens[start:]:
            joined += str(token["text"])
            if (joined.strip() if wanted else joined) == (wanted or text):
                found.append((text != wanted and joined != text, first.get("type") != "output", start))
                break
            if len(joined.lstrip()) > len(text):
                break
    return [start for _, _, start in sorted(found)]


def known_names(names: Mapping[str, Any] | Sequence[str]) -> str:
    """Return ` (known: …)` for a message: numbers in a row as a range, of many names the first.

    >>> known_names(["1", "2", "3", "a"])
    ' (known: 1 to 3, a)'
    """
    known = [str(name) for name in names]
    numbers = sorted(int(name) for name in known if _NUMBER.fullmatch(name))
    words = [name for name in known if not _NUMBER.fullmatch(name)]
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        listed = [f"{numbers[0]} to {numbers[-1]}", *words]
    else:
        listed = known
    more = ", …" if len(listed) > _MOST else ""
    return f" (known: {', '.join(listed[:_MOST])}{more})" if listed else " (there is none)"


def _range(items: list[Any]) -> str:
    return f"0 to {len(items) - 1}" if items else "it is empty"


def _what(found: Any) -> str:
    if isinstance(found, Mapping):
        return f"a mapping{known_names(found)}"
    if isinstance(found, list):
        return f"a list of {len(found)}" + (f" (go on with [0] to [{len(found) - 1}])" if found else "")
    if found is None:
        return "null"
    if isinstance(found, bool):
        return "true" if found else "false"
    return "text" if isinstance(found, str) else "a number"
