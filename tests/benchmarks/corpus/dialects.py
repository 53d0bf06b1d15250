"""`Dialect`: how one generator writes what generators write differently."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["DIALECTS", "Article", "Dialect"]


@dataclass(frozen=True)
class Dialect:
    """How one generator writes what differs: each function returns Markdown, or files around it."""

    path: Callable[[str], str]
    """A slug's file."""
    front: Callable[[Article], str]
    cite: Callable[[Sequence[str]], str]
    link: Callable[[str, str], str]
    """Text and slug."""
    label: Callable[[str], str]
    """What stands behind a displayed formula of that label."""
    refer: Callable[[str], str]


@dataclass(frozen=True)
class Article:
    """An article before it is written down; `body` is written for a dialect."""

    number: int
    slug: str
    title: str
    description: str
    date: datetime.date
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    body: Callable[[Dialect], str]
    formulas: tuple[str, ...]


def _yaml(article: Article) -> str:
    """Return front matter; JSON is YAML."""
    fields = {
        "title": article.title,
        "description": article.description,
        "date": article.date.isoformat(),
        "authors": list(article.authors),
        "tags": list(article.tags),
    }
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join(["---", *lines, "---", "", ""])


def _pelican(article: Article) -> str:
    fields = {
        "Title": article.title,
        "Date": article.date.isoformat(),
        "Slug": article.slug,
        "Summary": article.description,
        "Authors": "; ".join(article.authors),
        "Tags": ", ".join(article.tags),
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items()) + "\n"


DIALECTS = {
    "fanlight": Dialect(
        path=lambda name: f"content/{name}/article.md",
        front=_yaml,
        cite=lambda keys: f"[{'; '.join(f'@{name}' for name in keys)}]",
        link=lambda text, to: f"[{text}](../{to}/)",
        label=lambda label: f" {{#eq-{label}}}",
        refer=lambda label: f"@eq-{label}",
    ),
    "pelican": Dialect(
        path=lambda name: f"content/{name}.md",
        front=_pelican,
        cite=lambda keys: " ".join(f"[@@{name}]" for name in keys),
        link=lambda text, to: f"[{text}]({{filename}}{to}.md)",
        label=lambda _: "",
        refer=lambda label: f"equation {label}",
    ),
    "mkdocs": Dialect(
        path=lambda name: f"docs/{name}.md",
        front=_yaml,
        cite=lambda keys: f"[{'; '.join(f'@{name}' for name in keys)}]",
        link=lambda text, to: f"[{text}]({to}.md)",
        label=lambda _: "",
        refer=lambda label: f"equation {label}",
    ),
    "hugo": Dialect(
        path=lambda name: f"content/posts/{name}.md",
        front=_yaml,
        cite=lambda keys: f'{{{{< cite "{" ".join(keys)}" >}}}}',
        link=lambda text, to: f'[{text}]({{{{< ref "/posts/{to}" >}}}})',
        label=lambda _: "",
        refer=lambda label: f"equation {label}",
    ),
}
