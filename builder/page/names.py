"""An author's name in the parts that citations are made of."""

from __future__ import annotations

import re

from ..article import Author
from ..bibliography.entry import Name

__all__ = ["divide_name"]

_SUFFIX = re.compile(r"(?:(?:Jr|Sr)\.?|I{2,3}|IV)")


def divide_name(author: Author) -> Name:
    """Return the name as BibTeX divides it: `Laurens van der Maaten`, `Maaten, Laurens`, `Sammy Davis Jr.`

    An institution has a `last` name alone, as has whoever is written `name: {literal: …}`. A text is taken for one
    where it is a single word, begins with `The`, or ends in a word of small letters. For names that this divides
    wrongly, authors write `name: {given: …, family: …}`.
    """
    name = " ".join(author.name.split())
    if author.family:
        return _with_particles(author.family, author.given or "")
    if author.literal or author.given:
        return Name(name)
    name = re.sub(rf",(?= {_SUFFIX.pattern}$)", "", name)
    if name.count(",") == 1:
        family, _, given = name.partition(",")
        return _with_particles(family.strip(), given.strip())
    words = name.split()
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    if len(words) < 2 or "," in name or words[0].casefold() == "the" or words[-1][0].islower():
        return Name(name)
    begin = next((place for place, word in enumerate(words[1:], 1) if word[0].islower()), len(words) - 1)
    found = _with_particles(" ".join(words[begin:]), " ".join(words[:begin]))
    return Name(found.last, found.first, found.von, suffix)


def _with_particles(family: str, given: str) -> Name:
    words = family.split()
    end = next((place for place, word in enumerate(words) if not word[0].islower()), 0)
    return Name(" ".join(words[end:]), given, " ".join(words[:end]))
