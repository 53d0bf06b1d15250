"""`read_drawing`: what pages must know of an SVG; it is read, not changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

from .errors import PictureError

__all__ = ["Drawing", "read_drawing"]

_PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
_KNOWS_DARK = re.compile(rb"prefers-color-scheme|light-dark\(")
_RUNS = frozenset({
    "applet", "button", "embed", "form", "frame", "frameset", "iframe", "input", "object", "script",
})  # fmt: skip
"""Elements that are programs, or pages within the drawing, or send a reader to an address, which may be a program."""
_XSLT = "http://www.w3.org/1999/XSL/Transform"


@dataclass(frozen=True)
class Drawing:
    """A drawing's size in pixels, where it names one, and whether it has colours of its own for the dark."""

    width: int | None
    height: int | None
    knows_dark: bool


def read_drawing(content: bytes, *, scripts: bool = False) -> Drawing:
    """Read a drawing; a browser's `img` runs no script in it, but one that is opened by itself would.

    Raises `PictureError` for what is no SVG, and unless `scripts` for one that would run something.
    """
    root: dict[str, str] = {}
    parser = expat.ParserCreate(namespace_separator=" ")

    def begin(name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if not root:
            if local != "svg":
                raise PictureError(f"invalid picture: it begins with <{local}> and is no SVG", parser.CurrentLineNumber)
            root.update({"": local, **attributes})
        if not scripts and (found := _find_script(namespace, local, attributes)):
            raise PictureError(
                f"unsupported picture: it holds a script ({found}), which would run where the drawing is opened",
                parser.CurrentLineNumber,
            )

    if not scripts:
        _refuse_what_hides(parser)
    parser.StartElementHandler = begin
    try:
        parser.Parse(content, True)
    except PictureError:
        raise
    except (LookupError, ValueError) as error:  # an encoding that browsers do not take either
        raise PictureError(f"invalid picture: it is no SVG: {error}", parser.CurrentLineNumber) from error
    except expat.ExpatError as error:
        raise PictureError(f"invalid picture: it is no SVG: {expat.ErrorString(error.code)}", error.lineno) from error
    return Drawing(*_size(root), _KNOWS_DARK.search(content) is not None)


def _refuse_what_hides(parser: expat.XMLParserType) -> None:
    """Have a parser raise `PictureError` for what makes elements that are not in the text it reads.

    A style sheet may be a program that writes the page. Where a parameter entity is named, this parser and those of
    browsers do not agree on which of the declarations after it count.
    """

    def instruct(target: str, _: str) -> None:
        if target == "xml-stylesheet":
            raise PictureError(
                "unsupported picture: it names a style sheet (<?xml-stylesheet?>), which may be a program; "
                "put its rules into `<style>`",
                parser.CurrentLineNumber,
            )

    def declare(name: str, is_parameter: bool, *_: object) -> None:
        if is_parameter:
            wrong = f"unsupported picture: it has a parameter entity (%{name};), behind which a script may hide"
            raise PictureError(wrong, parser.CurrentLineNumber)

    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)  # it opens no file, and skips none silently
    parser.ProcessingInstructionHandler = instruct
    parser.EntityDeclHandler = declare
    parser.SkippedEntityHandler = declare


def _find_script(namespace: str, element: str, attributes: Mapping[str, str]) -> str | None:
    """Return what would run: a script, a page within the drawing, a handler of events, an address that is a program."""
    if element.lower() in _RUNS:
        return f"<{element}>"
    if namespace == _XSLT:
        return "XSLT"
    for name, value in attributes.items():
        local = name.rpartition(" ")[2].lower()
        # browsers skip control characters and spaces in a scheme; a set or an animation can write an address too
        if local.startswith("on") or "javascript:" in re.sub(r"[\x00-\x20]", "", value).lower():
            return local
    return None


def _size(root: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Return the width and height that a drawing names, in pixels, else those of its viewBox."""
    sides = [_pixels(root.get(name, "")) for name in ("width", "height")]
    if None in sides:
        sides = [_pixels(side) for side in re.split(r"[\s,]+", root.get("viewBox", "").strip())[2:4]]
    if len(sides) < 2 or not all(side and side >= 0.5 for side in sides):
        return None, None
    return round(sides[0] or 0), round(sides[1] or 0)


def _pixels(written: str) -> float | None:
    found = re.fullmatch(r"\s*(\d{1,9}(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,2})?([a-z]*)\s*", written)
    return float(found[1]) * _PIXELS[found[2]] if found and found[2] in _PIXELS else None
