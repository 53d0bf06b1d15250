"""Pages that render an article's body: one that says what its parts are given, one with the theme's own parts."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
from markupsafe import Markup, escape

from builder.article import read_article
from builder.bibliography import read_bibliography
from builder.directives import make_parser
from builder.document import Document, Mention, Value, parse
from builder.folders import built_in
from builder.parts import Spark
from builder.paths import written_path
from builder.prose import Found
from builder.site import Site
from builder.spark import draw


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
