"""Numbers as results hold them."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder import rounding
from builder.rounding import rounded_up, significant

NUMBERS = st.floats(1e-30, 1e30)


def test_the_examples_hold() -> None:
    """Those of the docstrings."""
    assert doctest.testmod(rounding).failed == 0


@given(NUMBERS, st.integers(1, 9))
def test_a_number_is_off_by_half_of_its_last_digit_at_most(value: float, digits: int) -> None:
    """Whatever its size; and rounding again changes nothing."""
    found = significant(value, digits)
    assert found == pytest.approx(value, rel=0.5000001 * 10.0 ** (1 - digits))
    assert significant(found, digits) == found
    assert significant(-value, digits) == -found


@given(NUMBERS)
def test_what_numbers_are_divided_by_is_not_less_than_the_largest(value: float) -> None:
    """Nor much more: a code is never beyond the last one."""
    assert value <= rounded_up(value) <= value * (1 + 1e-5)
