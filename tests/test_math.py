"""Mathematics in an article: what is TeX and what is money, and where an equation's number stands."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from markdown_it import MarkdownIt
from markupsafe import Markup

from builder.directives.math import math_plugin

ROOT = Path(__file__).parents[1]


def math_of(text: str) -> list[str]:
    """Return all mathematics of a text: `$x$` in a line, `$$x$$` displayed, the label behind."""
    found = []
    for token in MarkdownIt("js-default").use(math_plugin).parse(text):
        for inner in (token, *(token.children or ())):
            if inner.type.startswith("math"):
                label = f" {inner.info}" if inner.info else ""
                found.append(f"{inner.markup}{inner.content}{inner.markup}{label}")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a $x$ b", ["$x$"]),
        ("$x$ is 5", ["$x$"]),
        ("$x$, ($y$), $z$.", ["$x$", "$y$", "$z$"]),
        (r"$\$5$ and $a\\$", [r"$\$5$", r"$a\\$"]),
        ("$a_1$ *$b*c*d$*", ["$a_1$", "$b*c*d$"]),
        (r"$\frac{a}{b}$", [r"$\frac{a}{b}$"]),
        ("$a\n= b$", ["$a\n= b$"]),
        ("see $$x$$ here", ["$$x$$"]),
        ("$$x$$", ["$$x$$"]),
        ("$$ x $$ {#eq-x}", ["$$ x $$ eq-x"]),
        ("$$\nx\n$$", ["$$\nx\n$$"]),
        ("$$\nx \\\\\n  y\n$$ {#eq-long.1}", ["$$\nx \\\\\ny\n$$ eq-long.1"]),
        ("text\n$$\nx\n$$\ntext", ["$$\nx\n$$"]),
        ("> $$\n> x\n> $$", ["$$\nx\n$$"]),
        ("- item\n\n  $$\n  x\n  $$", ["$$\nx\n$$"]),
        ("| a |\n|---|\n| $x$ |", ["$x$"]),
        ("$$\nnever closed\n\ntext", ["$$$$\nnever closed$$"]),
    ],
)
def test_tex_between_dollars_is_mathematics(text: str, expected: list[str]) -> None:
    """By Pandoc's rules; a block that never ends keeps its dollars, so that TeX complains of them."""
    assert math_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $10",
        "It costs $5, not US$6.",
        "$ x $",
        r"\$x$ and \$y\$",
        "`$x$` and `$$y$$`",
        "```\n$$\nx\n$$\n```",
        "    $$x$$",
        "a$",
        "$",
        "$$$$",
        "5$x$",
        "$x$5",
        "[a](https://x.org/$a/$b)",
    ],
)
def test_money_and_code_stay_text(text: str) -> None:
    """A dollar sign alone means nothing."""
    assert math_of(text) == []


class Page(SimpleNamespace):
    """What render rules see of a page."""

    def part(self, name: str, /, **context: Any) -> Markup:
        """Render one of the theme's parts."""
        loader = jinja2.FileSystemLoader(ROOT / "theme")
        theme = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
        return Markup(theme.get_template(f"parts/{name}.html").render(page=self, **context))


def test_a_labelled_equation_has_its_number_beside_it() -> None:
    """The label is the id; the number comes from the document. Inline mathematics is set as it is."""
    labels = {"eq-x": SimpleNamespace(number=3)}
    page = Page(
        document=SimpleNamespace(labels=labels), math=lambda tex, display: f"<math>{tex.strip()}{display}</math>"
    )
    html = MarkdownIt("js-default").use(math_plugin).render("$a$\n\n$$\nb\n$$ {#eq-x}\n\n$$c$$", {"page": page})
    assert "<p><math>aFalse</math></p>" in html
    assert re.search(r'<div class="equation equation-numbered" id="eq-x">\s*<div[^>]*><math>bTrue</math></div>', html)
    assert re.search(r'<a class="equation-number" href="#eq-x"[^>]*>\(3\)</a>', html)
    assert re.search(r'<div class="equation">\s*<div[^>]*><math>cTrue</math></div>\s*</div>', html)
