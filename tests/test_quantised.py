"""Arrays in eight bits: what comes back is off by no more than half a step, and nothing else changes."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from builder.quantised import pack, unpack

FINITE = st.floats(-1e6, 1e6, width=32)
ARRAYS = arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(0, 7)), elements=FINITE)


@given(ARRAYS)
def test_no_number_is_off_by_more_than_half_a_step(values: np.ndarray) -> None:
    """Of one scale, or of the row's own."""
    for by_row in (False, True):
        packed = json.loads(json.dumps(pack(values, by_row=by_row)))
        found = unpack(packed)
        scale = np.asarray(packed["scale"]).reshape(-1, 1)
        assert found.shape == values.shape
        assert (np.abs(found - values) <= scale * 0.501 + 1e-12).all()


def test_positive_numbers_get_twice_the_steps() -> None:
    """255 codes where nothing is negative, 127 on each side where something is; nothing stays nothing."""
    assert pack(np.array([[0.0, 255.0]]))["type"] == "uint8"
    assert pack(np.array([[-1.0, 1.0]]))["type"] == "int8"
    assert (unpack(pack(np.zeros((2, 3)), by_row=True)) == 0).all()


def test_a_row_of_small_numbers_keeps_its_digits_beside_a_large_one() -> None:
    """One outlier, as the attention sink is, would else leave all other rows empty."""
    values = np.array([[1000.0, 0.0], [0.5, 0.25]])
    assert (unpack(pack(values))[1] == 0).all()
    assert np.abs(unpack(pack(values, by_row=True))[1] - values[1]).max() < 0.002
