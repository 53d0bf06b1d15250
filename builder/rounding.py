"""Numbers as results hold them: as many digits as are shown, and a few more to reckon with."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context
from typing import SupportsFloat

__all__ = ["rounded_up", "significant"]

_UP = Context(prec=6, rounding=ROUND_CEILING)


def significant(value: SupportsFloat, digits: int = 4) -> float:
    """Return a number with so many significant digits.

    >>> significant(0.123456), significant(98765.4321, 3)
    (0.1235, 98800.0)
    """
    return float(f"{float(value):.{digits}g}")


def rounded_up(value: SupportsFloat) -> float:
    """Return a number in six digits, and not less: others are divided by what is published of it, and none is above 1.

    >>> rounded_up(1 / 3), rounded_up(0.25)
    (0.333334, 0.25)
    """
    return float(_UP.create_decimal_from_float(float(value)))
