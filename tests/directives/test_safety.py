"""Nothing that an author writes gets into a page unescaped, or out of balance."""

from __future__ import annotations

import html
import html.parser
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .pages import ThemePage, render


class _Elements(html.parser.HTMLParser):
    """Collects elements and attributes as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.seen.append((tag, dict(attrs)))


def attacks() -> Iterator[str]:
    """Yield one attack for each place that an author's text gets to."""
    script = "<script>alert(1)</script>"
    quote = '"><script>alert(1)</script>'
    yield script
    yield f"## {script} {{#x}}"
    yield f"```{quote}\n{script}\n```"
    yield f":::{{note}} {script}\n{script}\n:::"
    yield f":::{{aside}}\n{script}\n:::"
    yield f":::{{figure}} rank.png\n:alt: {quote}\n:label: {quote}\n\n{script}\n:::"
    yield f":::{{table}}\n:label: {quote}\n:layout: {quote}\n\n| {script} |\n|---|\n| {script} |\n\n{script}\n:::"
    yield f"a^[{script}] b[^n]\n\n[^n]: {script} <b title=' id='>x</b> \"y\" onclick=alert(1) <b>z</b>"
    yield f"@fig-x [@x, {script}] @x2020 ${script}$"
    yield f"$$\n{script}\n$$ {{#eq-x}}"
    yield f"[a](javascript:alert(1)) [b](<{quote}>) [c](x '{quote}') ![{quote}](<{quote}.png>)"
    yield "[a](JaVaScRiPt&colon;alert(1)) [b](data:text/html,x) [c](vbscript:x) <javascript:alert(1)>"
    yield "[a]{onclick=alert(1) style=x href=javascript:alert(1) id=i} ![a](rank.png){onerror=x srcset=y}"
    yield '{onclick="alert(1)" style="x"}\nA paragraph.'
    yield "[a](x){href='javascript:alert(1)'}"
    yield f"<!-- x --> {script} <!--> {script}"
    named = f'token="\\"></a>{script}" of=fig-x lang="\\"><script>"'
    yield f":::{{figure}}\n:analysis: x\n:label: fig-x\n\n[{script}]{{.spark {named}}} {{spark}}`{named}`\n:::"
    yield f':::{{figure}}\n:analysis: x\n:label: fig-x\n\n{{value}}`a["{script}"]` [a]{{token={quote}}}\n:::'
    yield "<d-cite key='<script>'></d-cite> <img src=x onerror=alert(1)>"
    yield f"<div onclick=alert(1)>\n{script}\n\n<b onclick=alert(1)>{quote}\n\n<p style=x srcdoc=y>"
    yield f"<b title='{quote}' onclick=alert(1)>x</b> <a href=' java\tscript:alert(1)'>y</a> <kbd>{script}"
    yield f":::{{note}} {quote}\n:collapse: {quote}\n:class: {quote}\n:label: {quote}\nx\n:::"
    yield f"::::{{tab-set}}\n:::{{tab-item}} {quote}\n:sync: {quote}\n:label: {quote}\n{script}\n:::\n::::"
    yield f"::::{{grid}} {quote}\n:layout: {quote}\n:::{{grid-item-card}} {script}\n:::\n::::"
    yield f'```python {{title="{script}" highlight=1 linenos #{quote}}}\n{script}\n```'
    yield f":::{{list-table}} {script}\n:label: {quote}\n* - {script}\n:::\n\n> {script}\n> -- {script}"


@pytest.mark.parametrize("attack", list(attacks()))
def test_nothing_unescaped_reaches_a_page(attack: str, folder: Path) -> None:
    """No script, no handler, no address that runs: in the theme's own parts, however it is tried."""
    for tag, attributes in _Elements(render(attack, folder, ThemePage)).seen:
        assert tag not in ("script", "iframe", "object", "style")
        assert not any(name.startswith("on") or name in ("srcset", "formaction") for name in attributes)
        for name in ("href", "src"):
            assert not (attributes.get(name) or "").lower().lstrip().startswith(("javascript:", "vbscript:", "data:"))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*attacks(), "\n\n", "> ", "- ", "`", "*", "[^n]", ":::\n"]), max_size=6).map("".join))
def test_nothing_unescaped_reaches_a_page_in_any_company(folder: Path, body: str) -> None:
    """Attacks that split each other are attacks too."""
    found = {tag for tag, _ in _Elements(render(body, folder, ThemePage)).seen}
    assert not found & {"script", "iframe", "object", "style"}


class _Nesting(html.parser.HTMLParser):
    """Fails where an element ends that is not the last that began."""

    VOID = frozenset({"br", "col", "hr", "img", "input", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.feed(text)
        self.close()
        assert not self.opened, text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if tag not in self.VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        assert self.opened, tag
        assert self.opened.pop() == tag


NAMES = ("div", "p", "table", "tr", "td", "b", "i", "s", "ul", "li", "details", "summary", "a")
PIECES = [
    *(f"<{name}>" for name in NAMES),
    *(f"</{name}>" for name in NAMES),
    *("<a href='https://x.example'>", "<br>", "<hr>", "<script>", "</script>", "<b title='", "'>", "<!--", "-->"),
    *("words", "*", "**", "[w](x)", "[w]{.x}", "`", "\n", "\n\n", "\n\n> ", "\n- ", "\n\n## ", "^[", "]", "|"),
    *("\n\n:::{note}\n", "\n:::\n", "\n\n| a |\n|---|\n| "),
]
"""What may open, close, or swallow, in HTML and in Markdown."""


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES), max_size=24).map("".join))
def test_a_page_is_balanced_whatever_was_written(folder: Path, body: str) -> None:
    """Every element ends within the one that it began in, HTML and Markdown in any mixture."""
    _Nesting(render(body, folder, ThemePage))


def test_ids_are_on_a_page_once(folder: Path) -> None:
    """Notes are shown twice, in the list and on cards: the cards have no ids within."""
    body = "## A\n\n## A\n\na[^n] b[^n] c^[x[^m]]\n\n[^n]: [y]{#y} z[^m]\n\n[^m]: w\n\n| a |\n|---|\n"
    ids = [attributes["id"] for _, attributes in _Elements(render(body, folder, ThemePage)).seen if "id" in attributes]
    assert len(ids) == len(set(ids))
