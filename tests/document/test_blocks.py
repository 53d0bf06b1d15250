"""Blocks: what is wrong in callouts, tabs, columns, code, tables of lists, HTML, and what other programs read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from builder.directives.elsewhere import DIRECTIVES, ROLES, TAGS
from builder.document import Document
from builder.library import Library
from builder.site import Site

Parse = Callable[..., Document]
Told = Callable[[Document], list[str]]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (":::{note}\n:collapse: ture\n:::\n", "5: invalid collapse: ture (did you mean true?)"),
        (":::{note}\n:colapse: true\n:::\n", "5: unknown option of {note}: colapse (did you mean collapse?)"),
        (":::{note}\n:label: x\n:::\n\n[a]{#x}\n", "8:1: duplicate label: x (first in line 5)"),
        (":::{note} [@nobody2000]\n:::\n", "4:12: unknown citation: nobody2000"),
        ("::::{tab-set}\n:::{tab-item}\nx\n:::\n::::\n", "5:1: missing title of {tab-item}: write it on the same line"),
        ("::::{tab-set}\n:::{tab-item} A\nx\n:::\nx\n::::\n", "8:1: invalid tab-set: only {tab-item} may stand in it"),
        (":::{tab-set}\n:::\n", "4:1: missing {tab-item}: {tab-set} is empty"),
        (":::{tab-item} A\n:::\n", "4:1: invalid tab-item: it stands in no {tab-set}"),
        ("::::{grid} two\n:::{grid-item}\n:::\n::::\n", "4:1: invalid columns: two (write {grid} 2)"),
        ("::::{grid} 9\n:::{grid-item}\n:::\n::::\n", "4:1: invalid columns: 9 (from 1 to 6)"),
        ("::::{grid}\n:layout: pgae\n:::{grid-item}\n:::\n::::\n", "5: unknown layout: pgae (did you mean page?)"),
        (":::{grid-item-card} A\n:::\n", "4:1: invalid grid-item-card: it stands in no {grid}"),
        ("```python {highlight=2-4}\na\nb\n```\n", "4:12: invalid highlight: there is no line 4, the code has 2 lines"),
        ("```python {3}\na\n```\n", "4:12: invalid highlight: there is no line 3, the code has 1 line"),
        ("```python {highlight=3-1}\na\n```\n", "4:12: invalid highlight: 3-1 (write lines as 2,4-6)"),
        ("```python {start=x}\na\n```\n", "4:12: invalid start: x is no number of a line"),
        ("```python titel=x\na\n```\n", "4:11: unknown option of code: titel (did you mean title?)"),
        ("```{code-block} pyton\na\n```\n", "4:1: warning: unknown language: pyton (did you mean python?)"),
        (
            "```{code-block} python\n:emphasize-lines: 0\na\n```\n",
            "5: invalid emphasize_lines: 0 (write lines as 2,4-6)",
        ),
        (
            "```{code} python\n:emphasise-lines: 1\na\n```\n",
            "5: unknown option of {code}: emphasise_lines (did you mean emphasize_lines?)",
        ),
        ("```python {#x}\n```\n\n[a]{#x}\n", "7:1: duplicate label: x (first in line 4)"),
        (":::{list-table}\n* - a\n  - b\n* - c\n:::\n", "4: invalid list-table: row 2 has 1 cells, the first 2"),
        (":::{list-table}\nx\n:::\n", "4:1: missing table: {list-table} has none in it"),
        (":::{list-table}\n:header-rows: x\n* - a\n:::\n", "5: invalid header_rows: x is no number"),
        ("x\n\n| a |\n|---|\n\n: A caption. {#tab-x}\n", "9: invalid label: tab-x (did you mean tbl-tab-x?)"),
        ("```{math}\n:label: eq-x\n\na\n + \\nope\n```\n", "8:4: unknown TeX command: \\nope"),
        ("```{math}\n:label: x\na\n```\n", "5:1: invalid label: x (did you mean eq-x?)"),
        (":::{image} rnak.png\n:alt: x\n:::\n", "4:12: missing picture: rnak.png (did you mean rank.png?)"),
    ],
)
def test_what_is_wrong_in_a_block_has_its_place(parsed: Parse, told: Told, body: str, problem: str) -> None:
    """With the nearest right one, and where it can be known, the column."""
    assert problem in told(parsed(body))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "<font>x</font> y\n",
            (
                "4:1: warning: unsupported HTML: <font> is shown as text"
                " (write [words]{.class}, and a rule in theme/css/site.css)"
            ),
        ),
        (
            "a <b>c\n",
            "4:3: warning: broken HTML: <b> does not end where it began, and is shown as text (write </b>, or \\<b>)",
        ),
        ("a </b>c\n", "4:3: warning: broken HTML: </b> ends nothing, and is shown as text"),
        (
            "a <b\nstyle=x>c</b>\n",
            "5:1: warning: unsupported HTML: style of <b> is left out (write class, and a rule in theme/css/site.css)",
        ),
        (
            "> <div>\n> <img src=x>\n> </div>\n",
            "5:3: warning: unsupported HTML: <img> is left out (write ![what it shows](picture.svg))",
        ),
        ("<div>\n\nx\n", "4:1: warning: broken HTML: <div> never ends (write </div>)"),
        ('<p id="x">a</p>\n', "4:1: warning: unsupported HTML: id of <p> is left out (write [words]{#name})"),
        ('a <a href="../nowhere/">b</a>\n', "4:3: broken link: ../nowhere/"),
        (
            'a <a href="javascript:b">b</a>\n',
            '4:3: warning: unsupported HTML: <a href="javascript:b"> is shown as text (write [words](address))',
        ),
        (
            "a <d-footnote>b</d-footnote>\n",
            "4:3: warning: unsupported HTML: <d-footnote> is shown as text (write ^[words])",
        ),
    ],
)
def test_html_that_is_not_kept_is_told(parsed: Parse, told: Told, body: str, problem: str) -> None:
    """A warning, with what says the same in Markdown."""
    assert problem in told(parsed(body))


def test_a_tag_is_told_of_once(parsed: Parse, told: Told) -> None:
    """An article that came from elsewhere may have hundreds of them."""
    assert len(told(parsed("<font>a</font> <font>b</font>\n\n<div style=x><div style=y>\n</div></div>\n"))) == 2


def test_a_site_may_refuse_html(parsed: Parse, told: Told) -> None:
    """Then all of it is text."""
    document = parsed("a <kbd>b</kbd>\n\n<div>\nc\n</div>\n", html="refuse")
    assert [problem.split(": ", 2)[2] for problem in told(document)] == [
        "unsupported HTML: <kbd> is shown as text",
        "unsupported HTML: <div> is shown as text (write :::{note}, or the tag on a line of its own)",
    ]
    assert not {"markup", "html_block"} & {token.type for token in document.tokens}


def test_a_site_may_keep_html_as_it_is(parsed: Parse, told: Told) -> None:
    """Its authors are trusted then: nothing is told, and nothing is changed."""
    document = parsed("a <x-y onclick=z>b\n\n<div style=c>\n", html="raw")
    assert told(document) == []
    assert document.tokens[-1].content == "<div style=c>\n"


def test_only_the_site_says_what_becomes_of_html(parsed: Parse, told: Told, tmp_path: Path) -> None:
    """A stranger's article cannot ask for scripts."""
    assert told(parsed("<div style=c>", slug="ranks", front="title: x\nhtml: raw"))[0].endswith("front matter: html")
    (tmp_path / "content" / "other" / "article.md").unlink()
    (document,) = Library(Site(tmp_path, tmp_path / "_site", html="raw")).read()
    assert document.tokens[-1].content == "<div style=c>"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "::: {.callout-note title='x'}\n:::\n",
            "4:1: unsupported fence: :::{.callout-note title='x'} (write :::{note})",
        ),
        (
            "::: {.panel-tabset}\n:::\n",
            "4:1: unsupported fence: :::{.panel-tabset} (write :::{tab-set}, with {tab-item} Title in it)",
        ),
        ("::: {#fig-x layout-ncol=2}\n:::\n", "4:1: unsupported fence: :::{#fig-x layout-ncol=2} (write :::{figure})"),
        ("::: {.nobodys}\n:::\n", "4:1: unsupported fence: :::{.nobodys} (write :::{name})"),
        (":::{margin}\n:::\n", "4:5: unknown directive: margin (write :::{aside})"),
        ("```{python}\n1\n```\n", "4:5: unknown directive: python (write code, with no braces about its language)"),
        ("See {kbd}`x`.\n", "4:5: warning: unknown role: kbd (write <kbd>…</kbd>)"),
        (
            "{{< video a.mp4 >}}\n",
            "4:1: warning: unsupported shortcode: {{< video a.mp4 >}} is shown as text (write a link)",
        ),
        ("{% cite a %}\n", "4:1: warning: unsupported shortcode: {% cite a %} is shown as text (write [@key])"),
    ],
)
def test_what_other_programs_read_is_told_with_ours(parsed: Parse, told: Told, body: str, problem: str) -> None:
    """Authors come from Quarto, MyST, Distill and Jekyll."""
    assert problem in told(parsed(body))


@pytest.mark.parametrize(
    "body",
    [
        "`{{< x >}}` and `{% include x %}`, {% for m in messages %}, {{ m }}, {x}`y`, `{kbd}`, \\{kbd}`x`",
        "a <T> b<int>, x<y>z, 1 <2> 3, \\<b>, `<b>`, $a<b>c$, <pad> and <unk>",
        "<!-- <div> --> a\n\n```html {1}\n<div>\n```\n\n    <div>\n",
        "<details>\n<summary>a</summary>\n\n*b*\n\n</details>\n\n<p>a\n<p>b\n\n<ul><li>a<li>b</ul>",
        "a<br>b<br/>c <a href='https://x.example'>d</a> <a href='#e'>e</a> [f]{#e}",
        '```python title=\'a.py\' {1} linenos\nx\n```\n\n```{.python filename="a" code-line-numbers="true"}\nx\n```',
        ":::{note} A\n:collapse: true\n\n> b\n>\n> -- c\n:::\n\n- [ ] d",
    ],
)
def test_nothing_is_wrong_with_what_is_right(parsed: Parse, told: Told, body: str) -> None:
    """No false alarms from code, types, tokens of models, comments, and HTML that ends by itself."""
    assert told(parsed(body)) == []


@pytest.mark.parametrize("name", DIRECTIVES)
def test_every_directive_of_others_has_an_answer(parsed: Parse, told: Told, name: str) -> None:
    """And none of them is ours by now."""
    assert told(parsed(f":::{{{name}}}\n:::\n"))[0].startswith(f"4:5: unknown directive: {name} (write ")


def test_every_role_and_tag_of_others_has_an_answer(parsed: Parse, told: Told) -> None:
    """And none of them is ours by now."""
    for name in ROLES:
        assert told(parsed(f"{{{name}}}`x`"))[0].startswith(f"4:1: warning: unknown role: {name} (write "), name
    for name in TAGS:
        assert "(write " in told(parsed(f"a <{name}> b"))[0], name
