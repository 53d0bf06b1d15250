"""Pages as readers get them: their ids, and where their links lead."""

from __future__ import annotations

import pytest

from builder.check.rendered import read_page


@pytest.mark.parametrize("zeros", [0, 8, 5000])
def test_a_reference_to_a_character_may_be_of_any_length(zeros: int) -> None:
    """Python reads no number of more than 4,300 digits; a browser does."""
    assert read_page(f'<a href="&#{"0" * zeros}97;/">b</a>').links == ("a/",)
