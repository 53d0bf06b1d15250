"""The bibliography of the corpus: entries of many types, with accents in Unicode and in LaTeX."""

from __future__ import annotations

from collections.abc import Iterator

from .writer import NAMES, Writer, lines

__all__ = ["N_ENTRIES", "bibliography", "bibtex", "key"]

N_ENTRIES = 700
LATEX = dict(line.split(" ") for line in lines("accents"))
"""Letters as BibTeX of old writes them."""
TYPES = (*["article"] * 2, *["inproceedings"] * 3, "misc", "book", "incollection", "phdthesis", "techreport")


def key(number: int) -> str:
    """Return the key of an entry."""
    last = NAMES[number % len(NAMES)].partition(",")[0].split()[-1]
    return f"{last.encode('ascii', 'ignore').decode().lower()}{1980 + number % 46}n{number}"


def bibliography() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield key, type and fields of every entry; accents are Unicode."""
    for number in range(N_ENTRIES):
        writer = Writer(-1 - number, distinct=False)
        draw = writer.draw
        kind = TYPES[number % len(TYPES)]
        names = [NAMES[number % len(NAMES)], *draw.sample(NAMES, draw.choice((0, 1, 2, 3, 5)))]
        fields = {
            "author": " and ".join(dict.fromkeys(names)),
            "title": f"{writer.title(draw.randint(5, 10))}: {{{writer.word().upper()}}} and {writer.title(2)}",
            "year": str(1980 + number % 46),
        }
        pages = draw.randint(1, 800)
        fields |= {
            "article": {
                "journal": f"Journal of {writer.title(2)}",
                "volume": str(draw.randint(1, 40)),
                "number": str(draw.randint(1, 12)),
                "pages": f"{pages}--{pages + 14}",
                "doi": f"10.1234/fl.{number}",
            },
            "inproceedings": {
                "booktitle": f"Proceedings of the conference on {writer.title(3)}",
                "pages": f"{pages}--{pages + 9}",
                "url": f"https://example.org/{number}",
            },
            "misc": {
                "howpublished": "arXiv preprint",
                "eprint": f"{1801 + number % 700}.{10000 + number}",
                "archiveprefix": "arXiv",
            },
            "book": {"publisher": f"{writer.title(1)} Press", "address": "Zürich", "edition": "2"},
            "incollection": {
                "booktitle": f"Handbook of {writer.title(2)}",
                "publisher": f"{writer.title(1)} Press",
                "editor": "Lindqvist, Bo",
            },
            "phdthesis": {"school": f"University of {writer.title(1)}"},
            "techreport": {"institution": f"Institute of {writer.title(2)}", "number": f"TR-{number}"},
        }[kind]
        if number % 5 == 0:
            fields["abstract"] = writer.paragraph(80)
        yield key(number), kind, fields


def bibtex() -> str:
    """Return the bibliography as BibTeX, every other entry with LaTeX's accents."""
    entries = []
    for number, (name, kind, fields) in enumerate(bibliography()):
        text = "".join(f"  {field:<13} = {{{value}}},\n" for field, value in fields.items())
        if number % 2:
            text = "".join(LATEX.get(letter, letter) for letter in text)
        entries.append(f"@{kind}{{{name},\n{text}}}\n")
    return "\n".join(entries)
