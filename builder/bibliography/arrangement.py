"""The reference list of an article: its order, and in the style of author and year, what tells like works apart."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations, count, product
from string import ascii_lowercase

from .entry import Name
from .reference import Reference

__all__ = ["arrange"]


def arrange(references: Iterable[Reference], style: str = "numbered", order: str = "") -> tuple[Reference, ...]:
    """Return works, which come as they are cited first, in the order of the list, numbered, and named unmistakably.

    `style` is `numbered` or `author-year`. `order` is `cited` or `sorted`; empty, the one is usual for numbers and the
    other for names. Among works of the same people and year, letters follow the order of the list.
    """
    listed = list(references)
    if order == "sorted" or (style == "author-year" and not order):
        listed.sort(key=_sort_key)
    if style == "author-year":
        listed = _told_apart(listed)
    return tuple(replace(reference, number=number) for number, reference in enumerate(listed, 1))


def _sort_key(reference: Reference) -> tuple[object, ...]:
    """Return what the list is sorted by: people, then year, then title; without people the title stands for them."""
    title = re.sub(r"^(?:the|a|an)\s", "", _plain(reference.title))
    people = tuple((_plain(name.family), _plain(_initials(name))) for name in reference.people)
    if reference.sort_key:
        people = ((_plain(reference.sort_key), ""),)
    return people or ((title, ""),), reference.year, title


def _plain(text: str) -> str:
    """Return a text as an alphabet sorts it: without case, accents and marks; `ø` is `o`."""
    letters = unicodedata.normalize("NFKD", text.casefold()).translate(_BARE)
    return "".join(letter for letter in letters if letter.isalnum() or letter == " ").strip()


_BARE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})


def _told_apart(references: Sequence[Reference]) -> list[Reference]:
    """Return the works with labels that say whom they mean, and letters where people and year are the same."""
    forms = _name_forms(name for reference in references for name in reference.shown)
    labels = [reference.name([forms[name] for name in reference.shown]) for reference in references]
    alike = defaultdict(list)
    for index, reference in enumerate(references):
        alike[labels[index].casefold(), reference.year].append(index)
    letters = {
        index: letter
        for indices in alike.values()
        if len(indices) > 1
        for index, letter in zip(indices, _letters(), strict=False)
    }
    return [
        replace(reference, label=labels[index], letter=letters.get(index, ""))
        for index, reference in enumerate(references)
    ]


def _letters() -> Iterable[str]:
    """Yield a, b, … z, aa, ab and so on."""
    return ("".join(letters) for length in count(1) for letters in product(ascii_lowercase, repeat=length))


def _name_forms(names: Iterable[Name]) -> dict[Name, str]:
    """Return how each person is named: by family name; with initials where others have it too; else with all names."""
    families: dict[str, list[Name]] = defaultdict(list)
    for name in dict.fromkeys(names):
        families[_plain(name.family)].append(name)
    forms = {}
    for namesakes in families.values():
        others = [pair for pair in combinations(namesakes, 2) if not _may_be_one(*pair)]
        differ = all(_initials(one) != _initials(two) for one, two in others)
        for name in namesakes:
            given = "" if not others else _initials(name) if differ else name.first
            forms[name] = f"{given}\u00a0{name.family}" if given else name.family
    return forms


def _may_be_one(one: Name, two: Name) -> bool:
    """Whether two with one family name may be the same person: `Jay`, `J.` and `Jay A.`"""
    pairs = zip(_plain(one.first).split(), _plain(two.first).split(), strict=False)
    return all(first.startswith(second) or second.startswith(first) for first, second in pairs)


def _initials(name: Name) -> str:
    """Return `J.-P. A.` for `Jean-Pierre Alain`."""
    return " ".join("-".join(f"{part[0]}." for part in word.split("-") if part) for word in name.first.split())
