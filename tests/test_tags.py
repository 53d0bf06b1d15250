"""Tags: which are one, and where their pages lie."""

from __future__ import annotations

import re

import pytest
from listed import summary

from builder.listing.order import by_tag
from builder.slug import tag_slug


def test_one_tag_in_two_cases_is_one_as_it_was_first_written() -> None:
    """C and c have one page, named as the oldest article has it; C++ has its own."""
    articles = [summary(0, tags=("c", "C++")), summary(1, tags=("C",))]
    found = by_tag(articles)
    assert {slug: (name, len(those)) for slug, (name, those) in found.items()} == {
        "c": ("C", 2),
        "c-plus-plus": ("C++", 1),
    }


@pytest.mark.parametrize(
    ("tag", "slug"),
    [("Logit lens", "logit-lens"), ("C#", "c-sharp"), ("GPT-2.5", "gpt-2-5"), ("東京", "東京"), ("../../etc", "etc")],
)
def test_tags_have_readable_addresses(tag: str, slug: str) -> None:
    """Letters of any script stay, and no path leaves the folder of tags."""
    assert tag_slug(tag) == slug


@pytest.mark.parametrize("tag", ["…", "<>", "x" * 500, "東" * 500])
def test_a_tag_of_signs_or_of_any_length_has_a_file(tag: str) -> None:
    """A file's name may have 255 bytes, and must have one."""
    assert 0 < len(tag_slug(tag).encode()) < 255
    assert re.fullmatch(r"[\w-]+", tag_slug(tag))
