"""Directives: `fixtures/directives/*.md` specify them (title . input . output); nothing gets out unescaped."""

from __future__ import annotations

import html
import html.parser
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it.utils import read_fixture_file
from markupsafe import Markup, escape

from builder.article import read_article
from builder.bibliography import read_bibliography
from builder.directives import DIRECTIVES, make_parser
from builder.directives.options import read_lines
from builder.document import Document, Mention, Value, parse
from builder.folders import built_in
from builder.parts import Spark
from builder.paths import written_path
from builder.prose import Found
from builder.site import Site
from builder.spark import draw

FIXTURES = Path(__file__).parent / "fixtures" / "directives"
CASES = [
    pytest.param(path.stem, text, wanted, id=f"{path.stem}: {title}")
    for path in sorted(FIXTURES.glob("*.md"))
    for _, title, text, wanted in read_fixture_file(path)
]


class Page:
    """A page whose parts say what they are given: texts as attributes, markup within."""

    sidenotes = False

    citation_style = "numbered"

    def __init__(self, document: Document) -> None:
        self.document = document
        self.bibliography = read_bibliography([])
        self.references = self.bibliography.references(document.citations, "numbered", "")
        self.pictures = {name: SimpleNamespace(path=name, width=8, height=6) for name in document.pictures}

    def part(self, name: str, /, **context: Any) -> Markup:
        """Return an element of the part's name."""
        shown = {
            key: value
            for key, value in context.items()
            if not isinstance(value, Markup) and value not in ("", None) and value is not False
        }
        attributes = "".join(f' {key}="{escape(value)}"' for key, value in shown.items() if not isinstance(value, list))
        notes = [Markup("<li>{}</li>").format(note["content"]) for note in context.get("notes", ())]
        inside = [value for value in context.values() if isinstance(value, Markup) and value] + notes
        return Markup(f"<{name}{attributes}>" + "|".join(part.strip() for part in inside) + f"</{name}>\n")

    def url(self, path: str) -> str:
        """Return the address as seen from a page in a folder."""
        return f"../{path}"

    def math(self, tex: str, display: bool) -> str:
        """Return the TeX."""
        return f"<tex{' display' if display else ''}>{escape(tex)}</tex>"

    def mention(self, mention: Mention | None, words: Markup, **attributes: Any) -> Markup:
        """Return the words, and what they stand for."""
        hidden = dict.fromkeys(("line", "column", "anchor"))
        named = {} if mention is None else {"figure": mention.anchor, **asdict(mention), **hidden}
        named |= {"drawn": mention.drawn or None} if mention else {}
        return Markup(self.part("mention", **named, **attributes, words=words).strip())

    def value(self, value: Value | None) -> Markup:
        """Return what is asked for."""
        asked = {} if value is None else {"figure": value.anchor, "panel": value.panel, "form": value.form}
        return Markup(self.part("value", **asked, path=written_path(value.path) if value else None).strip())

    def picture(self, name: str, alt: str, **attributes: Any) -> Markup:
        """Return a picture, and what was said of it."""
        return Markup('<img src="../{}" alt="{}"{}>').format(
            name,
            alt,
            Markup("").join(Markup(' {}="{}"').format(key, value) for key, value in attributes.items() if value),
        )

    def figure(self, spec: Any, caption: Markup) -> Markup:
        """Return what the page is asked to show."""
        what = spec.picture or spec.kind
        number = f"{spec.number}{getattr(spec, 'letter', '')}"
        return self.part(
            "figure", number=number, id=spec.anchor, shows=what and what.value, layout=spec.layout, caption=caption
        )


class ThemePage(Page):
    """A page with the theme's own parts."""

    theme = jinja2.Environment(
        loader=jinja2.FileSystemLoader(built_in("theme")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )

    def part(self, name: str, /, **context: Any) -> Markup:
        """Render one of the theme's parts."""
        return Markup(self.theme.get_template(f"parts/{name}.html").render(page=self, **context))

    def mention(self, mention: Mention | None, words: Markup, **attributes: Any) -> Markup:
        """Render words, as if every part of a figure were there."""
        drawing = draw(Spark((0, 0.5, 1), mention.name)) if mention and mention.drawn else None
        found = Found(json.dumps(mention.name), 2, drawing) if mention else None
        given = {"id": None, "classes": [], "lang": None, **attributes}
        return self.part("mention", mention=mention, found=found, words=words, **given)

    def value(self, value: Value | None) -> Markup:
        """Render a text that a result may hold."""
        return self.part("value", text=value and str(value.path[-1].value), number=None)

    def figure(self, spec: Any, caption: Markup) -> Markup:
        """Return the caption: the rest is the page's."""
        return Markup("<figure>") + caption + Markup("</figure>")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an article's folder with a picture in it."""
    folder = tmp_path / "content" / "ranks"
    folder.mkdir(parents=True)
    (folder / "rank.png").write_bytes(b"\x89PNG")
    return folder


def render(body: str, folder: Path, page: type[Page] = Page) -> str:
    """Return the HTML of a body, problems or not, as a build that is not strict makes it."""
    path = folder / "article.md"
    path.write_text(f"---\ntitle: x\n---\n{body}", encoding="utf-8")
    root = folder.parents[1]
    document = parse(read_article(path, Site(root, root / "_site")), read_bibliography([]))
    parser = make_parser()
    env: dict[str, Any] = {"page": page(document)}
    content = parser.renderer.render(list(document.tokens), parser.options, env)
    return content + "\n".join(str(card) for card in env.get("cards", {}).values() if page is ThemePage)


@pytest.mark.parametrize(("name", "text", "wanted"), CASES)
def test_directives_do_as_their_fixtures_say(name: str, text: str, wanted: str, folder: Path) -> None:
    """Each fixture is an example of the syntax and what becomes of it."""
    assert render(text, folder).strip() == wanted.strip()


def test_every_directive_has_fixtures() -> None:
    """A directive without an example is not specified."""
    shown = "".join(path.read_text(encoding="utf-8") for path in FIXTURES.glob("*.md"))
    assert all(f"{{{directive.name}}}" in shown for directive in DIRECTIVES)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (":a: x", "x"),
        (":a:  x  ", "x"),
        (":a: x: y :z:", "x: y :z:"),
        (r':a: "x\n\"y\" "', 'x\n"y" '),
        (r':a: "\x41 \u00e9"', "A é"),
        (r":a: x\n", r"x\n"),
        (":a: 'x'", "'x'"),
        (':a: "', '"'),
        (':a: "x', '"x'),
        (":a:", ""),
        (":a: # $ * @ | < {", "# $ * @ | < {"),
    ],
)
def test_an_option_is_raw_but_for_double_quotes(line: str, value: str) -> None:
    """Prompts hold anything; quotes are for what a line cannot hold."""
    options = read_lines([line], 1)
    assert not options.problems
    assert options.values["a"].value == value


# safety


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
