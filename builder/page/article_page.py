"""`ArticlePage`: what render rules and templates ask of an article's page: formulas, figures, mentions, values."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from jinja2 import Environment
from markupsafe import Markup

from ..bibliography import Bibliography
from ..bibliography.reference import Reference
from ..document import Document, Mention, Value
from ..errors import BuildError, Problem
from ..faults import noting
from ..figure import FigureSpec, Result
from ..kind import Kind
from ..mathematics import TexError
from ..pictures import Picture
from ..prose import find_mention, find_value
from ..summary import Neighbour
from .kind_templates import render_kind
from .site_page import SitePage

__all__ = ["ArticlePage", "Picture", "ShownPanel", "SocialImage", "data_path", "piece_path", "shared_extent"]


_reference_texts: WeakKeyDictionary[Environment, dict[tuple[str, Reference], Markup]] = WeakKeyDictionary()


@dataclass(frozen=True)
class ShownPanel:
    """One answer that a figure shows, and the title it has in a gallery."""

    result: Result
    title: str = ""
    version: Hashable = None
    """Tells this content of the answer from any other, as far as it is known."""
    is_stored: bool = False
    """Whether it was there before this build, which did not see it being computed."""


@dataclass(frozen=True)
class SocialImage:
    """What a link to a page is shown with where others write it: its full address, its size, what it shows."""

    url: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class ArticlePage(SitePage):
    """An article's page; render rules of directives find it as `env["page"]`."""

    document: Document
    bibliography: Bibliography
    panels: Mapping[str, tuple[ShownPanel, ...]]
    """What the article's computed figures show, by the figure's anchor; a gallery has several panels."""
    kinds: Mapping[str, Kind]
    pictures: Mapping[str, Picture]
    """The article's pictures, by the path it names them with."""
    tex: Callable[[str, bool], str]
    """TeX and whether it is displayed, to HTML; raises `TexError`."""
    newer: Neighbour | None = None
    older: Neighbour | None = None
    """The articles before and after it in the index."""
    social_image: SocialImage | None = None
    problems: list[Problem] = field(default_factory=list)
    """What went wrong as it was rendered: figures whose stored answers have a form that cannot be shown."""

    @property
    def results(self) -> Mapping[str, Result]:
        """The result of each computed figure, of a gallery's first panel, by the figure's anchor."""
        return {anchor: panels[0].result for anchor, panels in self.panels.items() if panels}

    @property
    def citation_style(self) -> str:
        """How works are cited: `numbered`, or by `author-year`."""
        return self.document.article.meta.citation_style or self.site.citation_style

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The works cited, as the list has them."""
        order = self.document.article.meta.reference_order or self.site.reference_order
        return self.bibliography.references(self.document.citations, self.citation_style, order)

    def reference_text(self, reference: Reference, part: str = "reference_text") -> Markup:
        """Render a work without its number: that is done once, for all cards, lists and articles."""
        kept = _reference_texts.setdefault(self.theme, {})
        if (part, reference) not in kept:
            kept[part, reference] = self.part(part, reference=reference)
        return kept[part, reference]

    @property
    def sidenotes(self) -> bool:
        """Whether footnotes stand beside the text where there is room."""
        said = self.document.article.meta.sidenotes
        return self.site.sidenotes if said is None else said

    def math(self, tex: str, display: bool) -> str:
        """Return a formula's HTML; one with an error, which was told, stands as it was written (`--no-strict`)."""
        try:
            return self.tex(tex, display)
        except TexError:
            return self.part("formula", tex=tex)

    def figure(self, spec: FigureSpec, caption: Markup) -> Markup:
        """Render a figure with its caption; what cannot be shown was reported before a page is made."""
        if spec.picture is not None:
            body = self.picture(str(spec.picture.value), spec.alt or "", layout=spec.layout, enlarge=bool(spec.alt))
            return self.part("figure", figure=spec, body=body, caption=caption, panels=())
        panels = self.panels.get(spec.anchor, ())
        drawn = self._drawn(spec, panels) if panels else {}
        if not drawn:  # --no-strict: the article is shown without this answer
            return self.part("figure", figure=spec, body=Markup(), caption=caption, panels=())
        return self.part("figure", figure=spec, caption=caption, follows=self._followed(spec), **drawn)

    def picture(self, name: str, alt: str, *, layout: str = "body", enlarge: bool = False, **attributes: Any) -> Markup:
        """Render a picture, alone or as a figure's body; `enlarge` lets readers see it larger."""
        own = {"id": None, "classes": [], "lang": None, "title": None, "width": None, "height": None, **attributes}
        picture = self.pictures[name]
        return self.part("picture", picture=picture, alt=alt, layout=layout, enlarge=enlarge, **own)

    def _followed(self, spec: FigureSpec) -> FigureSpec | None:
        """Return the figure that this one follows, where it is shown."""
        if spec.follows is None:
            return None
        found = (other for other in self.document.figures if other.label == spec.follows.value)
        return next((other for other in found if self.panels.get(other.anchor)), None)

    def mention(self, mention: Mention | None, words: Markup, **attributes: Any) -> Markup:
        """Render words, or a graphic, that stand for a part of a figure; without its result they are plain words."""
        found = None
        if mention is not None:
            with suppress(self._told(mention.anchor)):
                found = find_mention(mention, self._shown(mention.anchor), self.kinds)
        given = {"id": None, "classes": [], "lang": None, **attributes}
        return self.part("mention", mention=mention, found=found, words=words, **given)

    def value(self, value: Value | None) -> Markup:
        """Render a value; one that is not known is an ellipsis."""
        found = None
        if value is not None:
            with suppress(self._told(value.anchor)):
                found = find_value(value, self._shown(value.anchor))
        text, number = found or (None, None)
        return self.part("value", text=text, number=number)

    def _shown(self, anchor: str) -> list[Result]:
        return [panel.result for panel in self.panels.get(anchor, ())]

    def _told(self, anchor: str) -> type[Exception]:
        """Return what prose may raise of a figure that was told before a page is made: of stored answers anything."""
        return Exception if self._is_stored(anchor) else BuildError

    def _is_stored(self, anchor: str) -> bool:
        return any(panel.is_stored for panel in self.panels.get(anchor, ()))

    def _drawn(self, spec: FigureSpec, panels: Sequence[ShownPanel]) -> dict[str, Any]:
        """Return what the template of figures gets of answers, nothing where the kind cannot show them."""
        kind = self.kinds[panels[0].result.kind]
        found: dict[str, Any] = {}
        with noting(self.problems, spec, is_stored=self._is_stored(spec.anchor)):
            extent = shared_extent(kind, [panel.result.data for panel in panels])
            drawn = [self._panel(kind, panel, spec, extent) for panel in panels]
            found.update(
                kind=kind.name,
                panels=drawn,
                extent=json.dumps(extent, separators=(",", ":")),  # the template escapes it: it stands in an attribute
                alt=spec.alt or " ".join(panel["alt"] for panel in drawn),
                method=self._kind_template(kind, "method.html", drawn[0], panels[0]),
                view_url=self.asset(f"figures/{kind.name}/view.js"),
            )
        return found

    def _panel(self, kind: Kind, panel: ShownPanel, spec: FigureSpec, extent: Mapping[str, float]) -> dict[str, Any]:
        """Return what templates get of a panel: the answer, its address, and what it says without a script."""
        data = panel.result.data
        context = {"data": data, "figure": spec, "result": panel.result, "page": self, "extent": extent}
        described = kind.analysis.describe(data)
        return {
            **context,
            "title": panel.title,
            "alt": f"{panel.title}: {described}" if panel.title else described,
            "body": self._kind_template(kind, "fallback.html", context, panel),
            "data_url": self.url(data_path(panel.result)),
        }

    def _kind_template(self, kind: Kind, name: str, context: Mapping[str, Any], panel: ShownPanel) -> Markup:
        if not (kind.folder / name).is_file():
            return Markup()
        version = panel.version and (panel.result.address, panel.version)
        return render_kind(self.theme, f"figures/{kind.name}/{name}", context, version)


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
