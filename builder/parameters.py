"""Texts and YAML values an author wrote, turned into a frozen dataclass; what does not fit becomes problems."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import Problem, nearest
from .figure import Option
from .yaml_mapping import read_list

__all__ = ["read_parameters"]

T = TypeVar("T")

_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NOTHING = {"none", "null", "~"}


class _UnfitError(Exception):
    """What a value should have been, in words."""


def read_parameters(cls: type[T], options: Mapping[str, Option], path: Path) -> tuple[T | None, tuple[Problem, ...]]:
    """Return an instance of the dataclass `cls` made from `options`, and the problems; None if there are any.

    Field types may be `str, int, float, bool`, `Literal`, `tuple[X, ...]` and `X | None`. A class may have a
    `validate()` that yields `(name, what is wrong)` for values that fit their types and still cannot be.
    """
    hints = get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, option in options.items():
        if name not in names:
            problems.append(Problem(f"unknown parameter: {name}{nearest(name, names)}", path, option.line))
            continue
        try:
            values[name] = _convert(option.value, hints[name])
        except _UnfitError as wanted:
            problems.append(Problem(f"invalid {name}: {_shown(option.value)} is not {wanted}", path, option.line))
    try:
        made = cls(**values)
    except TypeError:  # a field without default is among those that do not fit
        return None, tuple(problems)
    for name, wrong in getattr(made, "validate", tuple)():
        if name in values or not problems:
            line = options[name].line if name in options else None
            problems.append(Problem(f"invalid {name}: {wrong}", path, line))
    return (None if problems else made), tuple(problems)


def _convert(value: Any, wanted: Any) -> Any:
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _maybe(value, [choice for choice in get_args(wanted) if choice is not type(None)])
    if origin is Literal:
        choices = [str(choice) for choice in get_args(wanted)]
        if str(value) not in choices:
            raise _UnfitError(f"one of {', '.join(choices)}{nearest(str(value), choices)}")
        return get_args(wanted)[choices.index(str(value))]
    if origin is tuple:
        return _list(value, get_args(wanted)[0])
    return _SCALARS[wanted](value)


def _maybe(value: Any, choices: list[Any]) -> Any:
    if value is None or (isinstance(value, str) and value.casefold() in _NOTHING):
        return None
    if value == "" and str not in choices:
        return None
    for number, choice in enumerate(choices, 1):
        try:
            return _convert(value, choice)
        except _UnfitError:
            if number == len(choices):
                raise
    raise _UnfitError("none")


def _list(value: Any, item: Any) -> tuple[Any, ...]:
    """Convert the items of a YAML list or one text, as they are (`" is"` keeps its space), or what commas part."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = read_list(value)
        if value is None:
            raise _UnfitError("a list such as [1, 2]")
    elif isinstance(value, str) and "," in value:
        value = [entry.strip() for entry in value.split(",")]
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(_convert(entry, item) for entry in values)


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)) or value is None:
        raise _UnfitError("a text")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _whole(value: Any) -> int:
    try:
        if isinstance(value, str):
            return int(value)  # a seed of 17 digits is no float
    except ValueError:
        pass
    try:
        number = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError):
        number = None
    if number is None or number != number or number in (float("inf"), float("-inf")) or number != int(number):
        raise _UnfitError("a whole number")
    return int(number)


def _real(value: Any) -> float:
    try:
        number = float(value) if not isinstance(value, bool) else float("nan")
    except (TypeError, ValueError):
        number = float("nan")
    if number != number or number in (float("inf"), float("-inf")):
        raise _UnfitError("a number")
    return number


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = _SWITCH.get(str(value).strip().casefold())
    if found is None:
        raise _UnfitError("true or false")
    return found


_SCALARS = {str: _text, int: _whole, float: _real, bool: _switch}


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple, dict)):  # not written out: YAML's anchors make huge ones of a few bytes
        return "a mapping" if isinstance(value, dict) else "a list"
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
