"""`Byline`: who wrote an article and where they work, in the form in which it can be seen at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..article import Affiliation, Author

__all__ = ["Byline", "Person", "make_byline"]

MANY = 6
"""So many authors stand in one column; more of them in two."""


@dataclass(frozen=True)
class Person:
    """An author, and the numbers of the affiliations where these are `numbered`."""

    author: Author
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Byline:
    """The authors, and their affiliations: each `beside` its author, once for `all`, `numbered`, or `none`."""

    people: tuple[Person, ...]
    affiliations: tuple[Affiliation, ...]
    layout: Literal["beside", "all", "numbered", "none"]
    is_long: bool
    equal: Literal["all", "some", "none"]
    """Who contributed equally."""
    corresponding: tuple[Author, ...]
    """Who has an address to write to."""


def make_byline(authors: Sequence[Author]) -> Byline:
    """Return the byline. Affiliations get numbers where authors share them, in the order in which they are named."""
    named = [place for author in authors for place in author.affiliations]
    affiliations = tuple(dict.fromkeys(named))
    layout: Literal["beside", "all", "numbered", "none"] = "none"
    if affiliations and len({author.affiliations for author in authors}) == 1 and len(authors) > 1:
        layout = "all"
    elif affiliations:
        layout = "numbered" if len(affiliations) < len(named) or len(authors) > MANY else "beside"
    number = {place: count for count, place in enumerate(affiliations, 1)}
    people = tuple(
        Person(author, tuple(sorted(number[place] for place in author.affiliations)) if layout == "numbered" else ())
        for author in authors
    )
    equal = [author.equal_contributor for author in authors]
    return Byline(
        people=people,
        affiliations=affiliations,
        layout=layout,
        is_long=len(authors) > MANY,
        equal="none" if not any(equal) else "all" if all(equal) and len(equal) > 1 else "some",
        corresponding=tuple(author for author in authors if author.email),
    )
