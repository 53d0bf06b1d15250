"""Slugs: a title or a tag as a part of an address."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

__all__ = ["slugify", "tag_slug"]

LONGEST = 60  # characters, of up to four bytes each: a file's name may have 255 bytes

_SAID = str.maketrans({"+": " plus ", "#": " sharp ", "&": " and ", "@": " at ", ".": " ", "/": " ", ":": " "})


def slugify(title: str) -> str:
    """Return an anchor for a title: its letters and digits in lower case, joined by hyphens.

    >>> slugify("What’s *in* a head?")
    'whats-in-a-head'
    """
    return _words(title) or "section"


@lru_cache(maxsize=4096)
def tag_slug(tag: str) -> str:
    """Return a tag's part of an address. It depends on nothing but the tag, so that any page can link to it.

    Signs that tell tags apart are said: C, C# and C++ are three tags; C and c are one.

    >>> tag_slug("C++"), tag_slug("Logit lens")
    ('c-plus-plus', 'logit-lens')
    """
    slug = _words(tag.translate(_SAID))
    if slug and len(slug) <= LONGEST:
        return slug
    digest = hashlib.sha256(tag.casefold().encode()).hexdigest()[:8]  # of signs only, or too long for a file's name
    return f"{slug[:LONGEST]}-{digest}".strip("-")


def _words(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    text = re.sub(r"[^\w\s-]", "", text)
    return re.sub(r"[\s_-]+", "-", text).strip("-")
