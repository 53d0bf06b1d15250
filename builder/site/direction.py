"""`is_right_to_left`: in which direction a language is written."""

from __future__ import annotations

__all__ = ["is_right_to_left"]

SCRIPTS = frozenset({"adlm", "arab", "aran", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa"})
"""Those in use of ISO 15924's that are written from right to left."""
LANGUAGES = frozenset({
    "ar", "arc", "azb", "bal", "bqi", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "ks", "lrc", "mzn", "nqo", "pnb",
    "ps", "sd", "syr", "ug", "ur", "yi",
})  # fmt: skip
"""Languages that are usually written in one of them: CLDR's likely subtags."""


def is_right_to_left(language: str) -> bool:
    """Whether a language is; its tag may name a script.

    >>> is_right_to_left("he"), is_right_to_left("az-Arab"), is_right_to_left("ks-Deva")
    (True, True, False)
    """
    first, *more = language.casefold().split("-")
    script = next((part for part in more if len(part) == 4 and part.isalpha()), "")
    return script in SCRIPTS if script else first in LANGUAGES
