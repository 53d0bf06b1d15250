r"""A site of many articles, the same text for each generator: `python -m tests.benchmarks.site_corpus DIR`.

An article has 1,650 words, 15 formulas and 10 citations out of a bibliography of 700 entries. Five of the formulas
are displayed, two of those labelled and referred to. Of the ten in the lines, six come from a stock of 71 symbols and
short terms, the common ones more often, as in articles where $x$, $x_i$ and $\theta$ return again and again; the
others and all displayed ones are put together anew. Among the 15,000 formulas of 1,000 articles there are then 8,760
different ones (58%), and 8.5 of an article's 15 are found in no other. With `--distinct` no two are alike.

Everything follows from a seed: the same arguments write the same bytes.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
from pathlib import Path

from . import say
from .corpus.dialects import DIALECTS, Article, Dialect
from .corpus.entries import N_ENTRIES, bibliography, bibtex, key
from .corpus.writer import NAMES, Writer

N_WORDS, N_DISPLAYED, N_INLINE, N_CITATIONS = 1650, 5, 10, 10
TAGS = ("attention", "circuits", "decoding", "features", "induction", "language", "layers", "learning", "memory")


def write_article(number: int, n_articles: int, *, distinct: bool = False) -> Article:
    """Return an article of the site; its text depends on its number alone, its links on how many there are."""
    writer = Writer(number, distinct=distinct)
    draw = writer.draw
    title = writer.title(draw.randint(4, 9))
    description = writer.paragraph(18).replace("\n", " ").replace("*", "").replace("`", "")
    authors = tuple(_given_first(name) for name in draw.sample(NAMES, draw.choice((1, 1, 2, 3))))
    keys = [key(entry) for entry in draw.sample(range(N_ENTRIES), N_CITATIONS)]
    groups = [keys[:1], keys[1:2], keys[2:4], *([one] for one in keys[4:])]
    inline = [writer.formula() for _ in range(N_INLINE)]
    displayed = [writer.formula(displayed=True) for _ in range(N_DISPLAYED)]
    links = [(writer.title(3).lower(), slug(draw.randrange(n_articles))) for _ in range(3)]
    headings = [writer.title(draw.randint(2, 6)) for _ in range(7)]
    bullets, steps = ([writer.paragraph(14) for _ in range(4)], [writer.paragraph(12) for _ in range(3)])
    note, cells = writer.paragraph(20), [[writer.word() for _ in range(2)] for _ in range(5)]
    numbers = [[f"{draw.uniform(0, 100):.2f}" for _ in range(2)] for _ in range(5)]
    code = [_python(writer), _shell(writer)]
    other = sum(len(text.split()) for text in (*headings, *bullets, *steps, note))
    n_paragraphs = 14
    sizes = [
        (N_WORDS - other) // n_paragraphs + (place < (N_WORDS - other) % n_paragraphs) for place in range(n_paragraphs)
    ]
    state = draw.getstate()

    def body(dialect: Dialect) -> str:
        draw.setstate(state)
        insets: list[list[str]] = [[] for _ in sizes]
        for place, tex in enumerate(inline):
            insets[place % n_paragraphs].append(f"${tex}$")
        for place, group in enumerate(groups):
            insets[(place + 1) % n_paragraphs].append(dialect.cite(group))
        for place, (text, to) in enumerate(links):
            insets[9 + place].append(dialect.link(text, to))
        insets[12].append(dialect.refer("one"))
        insets[13].append(dialect.refer("two"))
        insets[13].append("[^note]")
        paragraphs = iter([writer.paragraph(size, inset) for size, inset in zip(sizes, insets, strict=True)])
        formulas = iter(
            f"$$\n{tex}\n$${dialect.label(label) if label else ''}"
            for tex, label in zip(displayed, ("one", "", "two", "", ""), strict=True)
        )
        rows = [f"| {' | '.join([*words, *values])} |" for words, values in zip(cells, numbers, strict=True)]
        table = "\n".join(["| what | where | before | after |", "|---|---|--:|--:|", *rows])
        heading = iter(headings)
        blocks = [next(paragraphs), next(paragraphs)]
        blocks += [f"## {next(heading)}", next(paragraphs), next(formulas), next(paragraphs), next(formulas)]
        blocks += [
            f"## {next(heading)}",
            next(paragraphs),
            "\n".join(f"- {_indent(item, 2)}" for item in bullets),
            next(paragraphs),
        ]
        blocks += [f"### {next(heading)}", next(paragraphs), f"```python\n{code[0]}\n```", next(paragraphs)]
        blocks += [f"## {next(heading)}", next(paragraphs), table, next(formulas), next(paragraphs)]
        blocks += [f"### {next(heading)}", next(paragraphs), f"```bash\n{code[1]}\n```"]
        blocks += [
            f"## {next(heading)}",
            next(paragraphs),
            "\n".join(f"{at}. {_indent(item, 3)}" for at, item in enumerate(steps, 1)),
        ]
        blocks += [f"## {next(heading)}", next(paragraphs), next(formulas), next(formulas), next(paragraphs)]
        return "\n\n".join([*blocks, f"[^note]: {_indent(note, 4)}"]) + "\n"

    return Article(
        number,
        slug(number),
        title,
        description,
        datetime.date(2016, 1, 1) + datetime.timedelta(days=number * 3 % 3600),
        authors,
        tuple(draw.sample(TAGS, 3)),
        body,
        tuple(writer.formulas),
    )


def _given_first(name: str) -> str:
    last, _, first = name.partition(", ")
    return f"{first} {last}"


def _indent(text: str, by: int) -> str:
    return text.replace("\n", "\n" + " " * by)


def _plain(writer: Writer) -> str:
    return "".join(letter for letter in writer.word().lower() if letter.isascii() and letter.isalpha())


def _python(writer: Writer) -> str:
    name, first, second = (f"{_plain(writer)}_{at}" for at in "abc")
    return "\n".join(
        [
            "import numpy as np",
            "",
            f"def {name}({first}: np.ndarray, {second}: int = {writer.draw.randint(2, 90)}) -> float:",
            f'    """Return the {_plain(writer)} of the {_plain(writer)}."""',
            f"    for step in range({second}):  # {writer.title(4).lower()}",
            f"        {first} = {first} @ {first}.T + step * {writer.draw.random():.3f}",
            f"    return float({first}.mean())",
        ]
    )


def _shell(writer: Writer) -> str:
    lines = [
        f"python -m {_plain(writer)} --{_plain(writer)} {writer.draw.randint(1, 99)} > {_plain(writer)}.txt"
        for _ in range(4)
    ]
    return "\n".join([f"# {writer.title(5).lower()}", *lines, 'for f in *.txt; do wc -w "$f"; done'])


def slug(number: int) -> str:
    """Return an article's name in addresses."""
    return f"article-{number + 1:05}"


def write_site(
    folder: Path, n_articles: int = 1000, *, dialect: str = "fanlight", distinct: bool = False, extras: bool = False
) -> None:
    """Write the articles and the bibliography of a site; for Fanlight also its settings, so that it builds.

    Without `extras`, the site asks for nothing that the other generators do not make: no index of a search, no cards.
    """
    written = DIALECTS[dialect]
    for article in (write_article(number, n_articles, distinct=distinct) for number in range(n_articles)):
        _write(folder / written.path(article.slug), written.front(article) + article.body(written))
    if dialect == "hugo":
        entries = {name: {"type": kind, **fields} for name, kind, fields in bibliography()}
        _write(folder / "data" / "references.json", json.dumps(entries, ensure_ascii=False, indent=1))
    else:
        _write(folder / "bib" / "references.bib", bibtex())
    if dialect == "fanlight":
        settings = 'title = "A thousand articles"\nbase_url = "https://example.org/"\n'
        settings += "" if extras else "search = false\nsocial_cards = false\n"
        _write(folder / "pyproject.toml", f"[tool.fanlight]\n{settings}")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


def count(n_articles: int, *, distinct: bool) -> str:
    """Return in words how many formulas there are, and how many of them are different."""
    each = [write_article(number, n_articles, distinct=distinct).formulas for number in range(n_articles)]
    formulas = list(itertools.chain.from_iterable(each))
    own = sum(len(set(one)) for one in each) / len(each)
    return f"{len(formulas)} formulas, {len(set(formulas))} different, {own:.1f} in an article"


def main() -> None:
    """Write a site and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--for", dest="dialect", choices=sorted(DIALECTS), default="fanlight")
    parser.add_argument("--distinct", action="store_true", help="no two formulas alike")
    parser.add_argument("--extras", action="store_true", help="with what extras of Fanlight make: search and cards")
    options = parser.parse_args()
    write_site(
        options.folder, options.articles, dialect=options.dialect, distinct=options.distinct, extras=options.extras
    )
    say(f"{options.articles} articles for {options.dialect}: {count(options.articles, distinct=options.distinct)}")


if __name__ == "__main__":
    main()
