"""A document and its results, through the theme, to a page: pure, but for reading templates."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from . import __version__
from .article import Article
from .assets import Assets
from .bibliography import Bibliography
from .directives import make_parser
from .document import Document, Mention, Value
from .errors import BuildError
from .figure import FigureSpec, Result
from .kind import Kind
from .mathematics import TexError
from .prose import find_mention, find_value
from .site import Site

__all__ = [
    "ArticlePage",
    "LostPage",
    "Picture",
    "ShownPanel",
    "SitePage",
    "data_path",
    "page_path",
    "piece_path",
    "render_article",
    "render_index",
    "shared_extent",
]


@dataclass(frozen=True)
class SitePage:
    """A page of the site, as templates see it: where it is, and the addresses of everything else from there."""

    path: str
    """The page's own path in the site, `SLUG/index.html`."""
    site: Site
    theme: jinja2.Environment
    assets: Assets

    def url(self, path: str) -> str:
        """Return the address of a path in the site, relative to this page: it works under any base and in no base."""
        relative = posixpath.relpath(path, posixpath.dirname(self.path) or ".")
        if posixpath.basename(path) == "index.html":  # a folder's address is the folder
            relative = relative[: -len("index.html")] or "./"
        return quote(relative)

    def asset(self, name: str) -> str:
        """Return the address of one of the theme's files."""
        return self.url(self.assets.path(name))

    def part(self, name: str, /, **context: Any) -> Markup:
        """Render `theme/parts/NAME.html`."""
        name = name.removesuffix(".html")
        return Markup(self.theme.get_template(f"parts/{name}.html").render(page=self, **context))

    @property
    def canonical(self) -> str | None:
        """The page's full address where the site's `base_url` is known."""
        base = self.site.base_url
        return f"{base}{quote(self.path.removesuffix('index.html'))}" if base else None


@dataclass(frozen=True)
class LostPage(SitePage):
    """The 404 page: servers show it at any depth, so its addresses start at the site's root."""

    def url(self, path: str) -> str:
        """Return the address of a path in the site from the root of the host."""
        return (urlsplit(self.site.base_url).path or "/") + quote(path.removesuffix("index.html"))

    @property
    def canonical(self) -> str | None:
        """It stands for every address that leads nowhere, and has none of its own."""
        return None


@dataclass(frozen=True)
class ShownPanel:
    """One answer that a figure shows, and the title it has in a gallery."""

    result: Result
    title: str = ""


@dataclass(frozen=True)
class ArticlePage(SitePage):
    """An article's page; render rules of directives find it as `env["page"]`."""

    document: Document
    bibliography: Bibliography
    panels: Mapping[int, tuple[ShownPanel, ...]]
    """What the article's computed figures show, by figure number; a gallery has several panels."""
    kinds: Mapping[str, Kind]
    pictures: Mapping[str, Picture]
    """The article's pictures, by the path it names them with."""
    tex: Callable[[str, bool], str]
    """TeX and whether it is displayed, to HTML; raises `TexError`."""

    @property
    def results(self) -> Mapping[int, Result]:
        """The result of each computed figure, of a gallery's first panel, by figure number."""
        return {number: panels[0].result for number, panels in self.panels.items() if panels}

    def math(self, tex: str, display: bool) -> str:
        """Return a formula's HTML; one with an error, which was told, stands as it was written (`--no-strict`)."""
        try:
            return self.tex(tex, display)
        except TexError:
            return self.part("formula", tex=tex)

    def figure(self, spec: FigureSpec, caption: Markup) -> Markup:
        """Render a figure with its caption; what cannot be shown was reported before a page is made."""
        if spec.picture is not None:
            picture = self.pictures[str(spec.picture.value)]
            body = self.part("picture", picture=picture, src=self.url(picture.path), alt=spec.alt or "")
            return self.part("figure", figure=spec, body=body, caption=caption, panels=())
        panels = self.panels.get(spec.number, ())
        if not panels:  # --no-strict: the article is shown without this answer
            return self.part("figure", figure=spec, body=Markup(), caption=caption, panels=())
        kind = self.kinds[panels[0].result.kind]
        extent = shared_extent(kind, [panel.result.data for panel in panels])
        drawn = [self._panel(kind, panel, spec, extent) for panel in panels]
        return self.part(
            "figure",
            figure=spec,
            kind=kind.name,
            panels=drawn,
            extent=json.dumps(extent, separators=(",", ":")),  # the template escapes it: it stands in an attribute
            caption=caption,
            alt=spec.alt or " ".join(panel["alt"] for panel in drawn),
            method=self._kind_template(kind, "method.html", drawn[0]),
            view_url=self.asset(f"figures/{kind.name}/view.js"),
            follows=self._followed(spec),
        )

    def _followed(self, spec: FigureSpec) -> FigureSpec | None:
        """Return the figure that this one follows, where it is shown."""
        if spec.follows is None:
            return None
        found = (other for other in self.document.figures if other.label == spec.follows.value)
        return next((other for other in found if self.panels.get(other.number)), None)

    def mention(self, mention: Mention | None, words: Markup, **attributes: Any) -> Markup:
        """Render words, or a graphic, that stand for a part of a figure; without its result they are plain words."""
        found = None
        if mention is not None:
            with suppress(BuildError):  # told before a page is made
                found = find_mention(mention, self._shown(mention.figure), self.kinds)
        given = {"id": None, "classes": [], "lang": None, **attributes}
        return self.part("mention", mention=mention, found=found, words=words, **given)

    def value(self, value: Value | None) -> Markup:
        """Render a value; one that is not known is an ellipsis."""
        found = None
        if value is not None:
            with suppress(BuildError):
                found = find_value(value, self._shown(value.figure))
        text, number = found or (None, None)
        return self.part("value", text=text, number=number)

    def _shown(self, figure: int) -> list[Result]:
        return [panel.result for panel in self.panels.get(figure, ())]

    def _panel(self, kind: Kind, panel: ShownPanel, spec: FigureSpec, extent: Mapping[str, float]) -> dict[str, Any]:
        """Return what templates get of a panel: the answer, its address, and what it says without a script."""
        data = panel.result.data
        context = {"data": data, "figure": spec, "result": panel.result, "page": self, "extent": extent}
        described = kind.analysis.describe(data)
        return {
            **context,
            "title": panel.title,
            "alt": f"{panel.title}: {described}" if panel.title else described,
            "body": self._kind_template(kind, "fallback.html", context),
            "data_url": self.url(data_path(panel.result)),
        }

    def _kind_template(self, kind: Kind, name: str, context: Mapping[str, Any]) -> Markup:
        if not (kind.folder / name).is_file():
            return Markup()
        return Markup(self.theme.get_template(f"figures/{kind.name}/{name}").render(context))


@dataclass(frozen=True)
class Picture:
    """A picture as the site carries it: its path there, and its size in pixels where that is known."""

    path: str
    width: int | None = None
    height: int | None = None


def data_path(result: Result) -> str:
    """Return where a result's JSON lies in the site; articles that ask the same share it."""
    return f"data/{result.address}.json"


def piece_path(result: Result, name: str) -> str:
    """Return where a piece of a result lies in the site: in a folder beside the result, named as it is."""
    return f"data/{result.address}/{name}.json"


def shared_extent(kind: Kind, panels: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the upper ends of a gallery's scales, which all its panels share; a figure alone has its own scales."""
    ends = [kind.extent(data) for data in panels] if len(panels) > 1 else []
    return {name: max(end[name] for end in ends if name in end) for end in ends for name in end}


def page_path(article: Article) -> str:
    """Return where an article's page lies in the site."""
    return f"{article.slug}/index.html"


def render_article(page: ArticlePage) -> str:
    """Return the article's HTML."""
    document = page.document
    env: dict[str, Any] = {"page": page, "cards": {}}
    parser = make_parser()
    content = Markup(parser.renderer.render(list(document.tokens), parser.options, env))
    references = page.part("references", document=document, bibliography=page.bibliography, env=env)
    results = [panel.result for panels in page.panels.values() for panel in panels]
    kinds = sorted({result.kind for result in results})
    used = sorted({*kinds, *(name for kind in kinds for name in page.kinds[kind].uses)})
    template = page.theme.get_template("article.html")
    return template.render(
        **_common(page, used, has_math=document.has_math, has_mentions=bool(document.mentions)),
        article=document.article,
        meta=document.article.meta,
        document=document,
        content=content,
        toc=_contents(document, parser, env),
        references=references,
        cards=Markup("\n").join(env["cards"].values()),
        kinds=kinds,
        has_math=document.has_math,
        reading_minutes=max(1, round(document.n_words / 230)),
        models=_models(results),
    )


def _contents(document: Document, parser: MarkdownIt, env: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the headings that a table of contents shows, each with its words as HTML: a title may hold a formula."""
    renderer: Any = parser.renderer
    return [
        {
            "level": heading.level,
            "number": heading.number,
            "anchor": heading.anchor,
            "text": heading.text,
            "html": Markup(renderer.renderInline(list(heading.tokens), parser.options, env)),
        }
        for heading in document.headings
        if heading.level <= 3
    ]


def render_index(page: SitePage, articles: Sequence[Article], template: str = "index.html") -> str:
    """Return the index page of all articles, or another page that is not an article's."""
    entries = [{"url": page.url(page_path(article)), "meta": article.meta, "article": article} for article in articles]
    return page.theme.get_template(template).render(**_common(page, [], has_math=False), articles=entries)


def _common(page: SitePage, kinds: Sequence[str], *, has_math: bool, has_mentions: bool = False) -> dict[str, Any]:
    """Return what every template gets."""
    styles = ["css/fanlight.css"]
    if has_math:
        styles.append("katex/katex.min.css")
    if kinds:
        styles += [name for name in page.assets.names if name.startswith("figures/shared/") and name.endswith(".css")]
        styles += [name for kind in kinds if (name := f"figures/{kind}/view.css") in page.assets]
    scripts = ["js/theme-toggle.js", "js/toc.js", "js/cards.js", *(["js/mount.js"] if kinds else [])]
    scripts += ["js/mentions.js"] if kinds and has_mentions else []
    return {
        "page": page,
        "site": page.site,
        "root": page.url("index.html"),
        "version": __version__,
        "stylesheets": [page.asset(name) for name in styles],
        "scripts": [page.asset(name) for name in scripts if name in page.assets],
        "import_map": _json({"imports": {"d3": page.asset("d3.js")}}) if kinds else None,
    }


def _models(results: Iterable[Result]) -> list[Mapping[str, Any]]:
    """Return the provenance of each model an article shows, once."""
    found: dict[str, Mapping[str, Any]] = {}
    for result in results:
        found.setdefault(str(result.provenance.get("model")), result.provenance)
    return list(found.values())


def _json(value: Any) -> Markup:
    """Return JSON that may stand inside a script element."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))
