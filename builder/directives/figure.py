"""Figures: pictures, and answers that the build computes; one counter, one label space, one grammar of captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from .fence import Directive

__all__ = ["LAYOUTS", "caption", "figure", "figure_plugin"]

LAYOUTS = frozenset({"body", "body-outset", "page", "screen", "screen-inset", "gutter"})
"""Columns of Distill's grid; `l-` may stand before each."""

figure = Directive("figure", argument="path of a picture", options=None)


def figure_plugin(md: MarkdownIt) -> None:
    r"""Render figures::

        :::{figure} picture.png
        :label: fig-rank
        :alt: What the picture shows, in a sentence.
        :layout: page

        A caption, with *Markdown*, $x^2$, @fig-eu and [@olsson2022].
        :::

        :::{figure}
        :label: fig-eu
        :analysis: saliency
        :model: smollm2
        :prompt: "The countries are:\n1. Austria"
        :generate: 30

        A caption.
        :::

        ::::{figure}
        :label: fig-both
        :columns: 2

        :::{figure} a.png
        :label: fig-both-a
        :alt: What is on the left.

        Its own caption, which begins with (a).
        :::

        :::{figure} b.png
        :alt: What is on the right.
        :::

        The caption of both.
        ::::

    A picture, an `analysis`, or several figures of these two sorts: then `parts/figure_group.html` gets `number`,
    `anchor`, `layout`, `columns`, `content` and `caption`. `layout` is one of `LAYOUTS`. With `analysis`, every other
    option is for the run (`model`, `prompt`, `generate`, `output`, `do_sample`, `temperature`, `top_k`, `top_p`,
    `seed`, or `run`, the name of one in front matter) or a parameter of the analysis. The rendering is the page's
    (`page.figure`).
    """
    md.add_render_rule("directive_figure", _render)


def caption(self: Any, tokens: Sequence[Token], options: Any, env: Any) -> Markup:
    """Render a caption: bare text where it is one paragraph, else its blocks."""
    if [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]:
        tokens = tokens[1:2]
    return Markup(self.render(list(tokens), options, env).strip())


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    children, spec = token.children or [], token.meta["spec"]
    if not hasattr(spec, "columns"):
        return str(env["page"].figure(spec, caption(self, children, options, env)))
    content = self.render([child for child in children if child.type == "directive_figure"], options, env)
    words = caption(self, [child for child in children if child.type != "directive_figure"], options, env)
    named = {"number": spec.number, "anchor": spec.anchor, "layout": spec.layout, "columns": spec.columns}
    return str(env["page"].part("figure_group", **named, content=Markup(content), caption=words))
