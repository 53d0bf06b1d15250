"""`shade`: the style that an element of a figure brings along where there is no style sheet."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["read_colours", "shade"]

SCALE, NEGATIVE = "--figure-scale-6", "--negative"
GREY = "#808080"
SET_OFF = {"box": "border-left:4px solid;padding-left:1em", "aside": "border-left:1px solid;padding-left:1em"}
"""What stands out from the text or beside it, by class."""
ALIGNED = {"left", "right", "center"}
FAINT = 0.02
"""A share below which there is nothing to see; a table of a thousand cells is lighter without their styles."""

_COLOUR = re.compile(r"(--[\w-]+):\s*light-dark\((#[0-9a-fA-F]{6}),")
_VARIABLE = re.compile(r"var\((--[\w-]+)\)")
_STEPS = 50  # of `data-s` (figures/shared/shades.css)


def read_colours(style_sheet: str) -> dict[str, str]:
    """Return the colours that a style sheet has by day, as `#1f5fa8`, by the name of their variable."""
    return dict(_COLOUR.findall(style_sheet))


def shade(attributes: Mapping[str, str], classes: set[str], colours: Mapping[str, str]) -> str:
    """Return the style of an element, often none.

    It is as plain as can be, for feed readers let little through: hexadecimal colours, each with that of its text,
    because a reader's paper may be white or black.
    """
    declared = dict(part.split(":", 1) for part in attributes.get("style", "").split(";") if ":" in part)
    declared = {name.strip(): value.strip() for name, value in declared.items()}
    style = [look for name, look in SET_OFF.items() if name in classes]
    if declared.get("text-align") in ALIGNED:  # a column of a table
        style.append(f"text-align:{declared['text-align']}")
    share = _share(declared.get("--s"), attributes.get("data-s"))
    own = next((_own(declared[name], colours) for name in ("--c", "--group", "--mention") if name in declared), "")
    if share >= FAINT:
        signed = NEGATIVE if "is-negative" in classes or "is-below" in classes else SCALE
        style.append(_tinted(own or colours.get(signed, GREY), share * 0.7))
    elif own and "--mention" in declared:
        style.append(_tinted(own, 0.25))
    elif own:
        style.append(f"border-left:4px solid {own}")
    if "token" in classes:
        if "is-selected" in classes:
            style.append("border:2px solid")
        elif attributes.get("data-type") == "output":
            style.append("border-bottom:2px solid")
    return ";".join(style)


def _share(written: str | None, step: str | None) -> float:
    """Return how strong an element is shaded, from 0 to 1."""
    try:
        share = float(written) if written is not None else int(step or 0) / _STEPS
    except ValueError:
        return 0
    return min(max(share, 0), 1) if share == share else 0


def _own(written: str, colours: Mapping[str, str]) -> str:
    found = _VARIABLE.fullmatch(written)
    return colours.get(found[1], "") if found else ""


def _tinted(colour: str, share: float) -> str:
    """Return the style of a white that has a share of a colour, and of the black text on it."""
    mixed = (round(255 + (part - 255) * share) for part in bytes.fromhex(colour[1:]))
    return f"background-color:#{bytes(mixed).hex()};color:#000"
