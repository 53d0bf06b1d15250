"""What front matter says: days that cannot be, titles and descriptions as search engines show them, drafts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence

from ..article import Article
from ..document import Document
from ..finding import Finding

__all__ = ["check_articles"]

TITLE = 60
"""Characters of a title that search engines show, about: they cut at 600 px."""
DESCRIPTION = (50, 160)
"""Characters of a description below which they write their own, and above which they cut it."""


def check_articles(documents: Sequence[Document], today: datetime.date | None = None) -> Iterator[Finding]:
    """Yield what is odd about the articles' front matter, each by itself and beside the others."""
    articles = [document.article for document in documents]
    for article in articles:
        yield from _check_days(article, today or datetime.date.today())
        yield from _check_lengths(article)
    for key in ("title", "description"):
        yield from _check_twins(articles, key)
    drafts = {article.slug for article in articles if article.meta.draft}
    for document in documents:
        for link in document.links if not document.article.meta.draft else ():
            if link.slug in drafts:
                yield Finding(f"broken link: {link.slug} is a draft", document.article.path, link.line, link.column)


def _check_days(article: Article, today: datetime.date) -> Iterator[Finding]:
    meta = article.meta
    for key in ("date", "updated"):
        day = getattr(meta, key)
        if day is not None and day > today and not meta.draft:
            yield _finding(article, key, f"invalid {key}: {day} is in the future", "warning")
    if meta.date and meta.updated and meta.updated < meta.date:
        wrong = f"invalid updated: {meta.updated} is before {meta.date}, the day it was published"
        yield _finding(article, "updated", wrong, "warning")


def _check_lengths(article: Article) -> Iterator[Finding]:
    meta = article.meta
    if len(meta.title) > TITLE:
        yield _finding(article, "title", f"long title: {len(meta.title)} characters; search engines show about {TITLE}")
    if not meta.description:
        wrong = "missing description: search engines and feeds show a sentence or two of it"
        yield _finding(article, "description", wrong)
        return
    shortest, longest = DESCRIPTION
    length = len(" ".join(meta.description.split()))
    if not shortest <= length <= longest:
        which, hint = ("short", f"want at least {shortest}") if length < shortest else ("long", f"show about {longest}")
        yield _finding(article, "description", f"{which} description: {length} characters; search engines {hint}")


def _check_twins(articles: Sequence[Article], key: str) -> Iterator[Finding]:
    first: dict[str, Article] = {}
    for article in articles:
        text = " ".join(str(getattr(article.meta, key) or "").casefold().split())
        known = first.setdefault(text, article)
        if text and known is not article:
            yield _finding(article, key, f"duplicate {key}: that of {known.slug} is the same", "warning")


def _finding(article: Article, key: str, message: str, severity: str = "note") -> Finding:
    line, column = _place(article, key)
    return Finding(message, article.path, line, column, "warning" if severity == "warning" else "note")


def _place(article: Article, key: str) -> tuple[int, int]:
    """Return where a key of front matter stands, the head of the file where it does not."""
    try:
        lines = article.path.read_text(encoding="utf-8", errors="replace").split("\n")[: article.body_line - 1]
    except OSError:
        return 1, 1
    found = ((number, line) for number, line in enumerate(lines, 1) if re.match(rf"[\"']?{key}[\"']?\s*:", line))
    number, _ = next(found, (1, ""))
    return number, 1
