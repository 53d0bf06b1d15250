"""Numbers in prose: whole ones with thousands apart, others to three digits, shares as in figures."""

from __future__ import annotations

from typing import Any

import pytest

from builder.numerals import shown_value


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (5449, None, "5,449"),
        (-3, None, "−3"),
        (0, None, "0"),
        (" Croatia", None, " Croatia"),
        (" Croatia", "text", " Croatia"),
        (0.29876, None, "0.299"),
        (12345.6, None, "12,346"),
        (9.999, None, "10.0"),
        (99.96, "number", "100"),
        (0.00012345, None, "0.000123"),
        (1.19e-7, None, "1.19 × 10⁻⁷"),
        (-1.19e-7, None, "−1.19 × 10⁻⁷"),
        (2.5e20, None, "2.50 × 10²⁰"),
        (0.0, None, "0"),
        (0.125, ".2", "0.13"),
        (1234.5, ".1", "1,234.5"),
        (-0.001, ".2", "0.00"),
        (7, ".2", "7.00"),
        (0.5, ".99", "0.5" + "0" * 98),
        (2.0**100, ".2", "1,267,650,600,228,229,401,496,703,205,376.00"),
        (0.29876, "percent", "30%"),
        (0.00001, "percent", "<0.01%"),
        (0.99999, "percent", ">99.9%"),
        (-0.3, "percent", "−30%"),
        (12.5, "percent", "1,250%"),
        (1234, "rank", "1.2k"),
        (12500, "rank", "13k"),
        (5.0, "count", "5"),
        (11, "ordinal", "11th"),
        (1002, "ordinal", "1,002nd"),
        (0.1, "text", "0.1"),
    ],
)
def test_numbers_read_as_prose_has_them(value: Any, form: str | None, shown: str) -> None:
    """A true minus, no exponent as computers write it, and never 0% for something."""
    assert shown_value(value, form) == shown


@pytest.mark.parametrize(
    ("value", "form", "wrong"),
    [(0.5, "count", "whole"), (0.5, "rank", "whole"), (0.5, "ordinal", "whole"), ("x", "percent", "text")],
)  # fmt: skip
def test_what_has_no_such_form_is_refused(value: Any, form: str, wrong: str) -> None:
    """Half a rank is a mistake in the path."""
    with pytest.raises(ValueError, match=wrong):
        shown_value(value, form)
