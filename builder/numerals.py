"""Numbers as prose shows them, the same digits as in figures (`figures/shared/format.js`)."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

__all__ = ["FORMS", "is_form", "shown_value"]

FORMS = ("count", "number", "ordinal", "percent", "rank", "text")

_MINUS = "\N{MINUS SIGN}"
_EXACT = Context(prec=500)  # no double has more than 309 digits before its point, and `as=.99` asks for 99 after it
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def is_form(form: str) -> bool:
    """Whether `as=` may say that: one of `FORMS`, or a dot and the number of digits after the point."""
    return form in FORMS or re.fullmatch(r"\.\d{1,2}", form) is not None


def shown_value(value: float | str, form: str | None = None) -> str:
    """Return a number or text as a reader sees it. Raises `ValueError`, with words for it, if it has no such form.

    >>> shown_value(5449), shown_value(0.29876), shown_value(0.29876, "percent"), shown_value(12345, "rank")
    ('5,449', '0.299', '30%', '12k')
    >>> shown_value(3, "ordinal"), shown_value(1.234e-7), shown_value(-2.5, ".2")
    ('3rd', '1.23 × 10⁻⁷', '−2.50')
    """
    if isinstance(value, str):
        if form not in (None, "text"):
            raise ValueError("it is text, no number")
        return value
    if form == "text":
        return str(value)
    sign = _MINUS if value < 0 else ""
    shown = _unsigned(abs(value), form)
    return sign + shown if any(digit in shown for digit in "123456789") else shown


def _unsigned(value: float, form: str | None) -> str:
    if form in ("count", "ordinal", "rank"):
        if value != int(value):
            raise ValueError("it is no whole number")
        forms: Any = {"count": "{:,}".format, "ordinal": _ordinal, "rank": _compact}
        return str(forms[form](int(value)))
    if form == "percent":
        return _percent(value)
    if form is not None and form != "number":
        return f"{_rounded(value, int(form[1:])):,}"
    return f"{value:,}" if isinstance(value, int) else _significant(value)


def _rounded(value: float, digits: int) -> Decimal:
    """Round as JavaScript's `toFixed` does: what lies exactly in the middle goes up."""
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, _EXACT)


def _percent(share: float) -> str:
    """Return a share as a percentage, never "0%" for something, never "100%" for less than all."""
    if share < 0.0001:
        return "<0.01%"
    if 0.9995 < share < 1:
        return ">99.9%"
    digits = 2 if share < 0.00995 else 1 if share < 0.0995 or 0.995 < share < 1 else 0
    return f"{_rounded(100 * share, digits):,}%"


def _compact(rank: int) -> str:
    """Return a rank in at most four characters."""
    if rank < 1000:
        return str(rank)
    return f"{_rounded(rank / 1000, 1 if rank < 9950 else 0)}k"


def _ordinal(number: int) -> str:
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def _significant(value: float) -> str:
    """Return three significant digits, but all of those before the point."""
    if value == 0:
        return "0"
    if value < 1e-4 or value >= 1e15:
        digits, _, power = f"{value:.2e}".partition("e")
        return f"{digits} × 10{str(int(power)).translate(_RAISED)}"
    exponent = int(f"{value:.2e}".partition("e")[2])
    return f"{_rounded(value, max(0, 2 - exponent)):,}"
