"""The Markdown of articles: `make_parser()`, and one markdown-it plugin a file."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from mdit_py_plugins.attrs import attrs_block_plugin, attrs_plugin
from mdit_py_plugins.deflist import deflist_plugin

from ..site.plugins import Plugin
from ..source_map import place_plugin
from .appendix import appendix_plugin
from .aside import aside, aside_plugin
from .callout import callout_plugin, callouts
from .cite import cite_plugin
from .code import code_blocks, code_plugin
from .columns import columns, columns_plugin
from .fence import fence_plugin
from .figure import figure, figure_plugin
from .fold import fold_plugin
from .footnote import footnote_plugin
from .foreign import foreign_plugin
from .heading import heading_plugin
from .link import image, link_plugin
from .list_table import list_table
from .markup import markup_plugin
from .math import math, math_plugin
from .mention import mention_plugin
from .quotation import epigraphs, quotation_plugin
from .reference import reference_plugin
from .spark import spark_plugin
from .table import table, table_plugin
from .tabs import tabs, tabs_plugin
from .task import task_plugin
from .typography import typography_plugin
from .value import value_plugin

__all__ = ["DIRECTIVES", "make_parser"]

DIRECTIVES = (figure, table, aside, *callouts, *tabs, *columns, *code_blocks, *epigraphs, list_table, math, image)

_ATTRIBUTES = ("id", "class", "lang", "width", "height")
"""What an author may set on an element; everything else, `style` and handlers of events above all, is dropped."""

_FOLDED = ("directive", "title", "quotation", "attribution", "table", "heading", "footnote_reference", "mention")


@cache
def make_parser(plugins: tuple[Plugin, ...] = ()) -> MarkdownIt:
    """Return the parser of articles: CommonMark with tables, strikethrough, footnotes and the rest of this folder.

    Its renderer wants `env["page"]` (see `builder.page.ArticlePage`), and tokens that `builder.document` has settled.
    Then `plugins` extend it, in their order. Raises `BuildError` for one that cannot.
    """
    md = MarkdownIt("js-default", {"typographer": True})
    place_plugin(md)  # first: it replaces the inline parser
    md.disable(["linkify", "replacements"])
    md.use(typography_plugin)
    md.use(attrs_plugin, spans=True, allowed=_ATTRIBUTES)
    md.use(attrs_block_plugin, allowed=_ATTRIBUTES)
    md.use(deflist_plugin)
    md.use(task_plugin)
    md.use(quotation_plugin)
    md.use(markup_plugin)
    md.use(heading_plugin)
    md.use(code_plugin)
    md.use(math_plugin)
    md.use(footnote_plugin)
    md.use(cite_plugin)
    md.use(reference_plugin)
    md.use(mention_plugin, _ATTRIBUTES)
    md.use(spark_plugin)
    md.use(value_plugin)
    md.use(foreign_plugin)
    md.use(link_plugin)
    md.use(fence_plugin, DIRECTIVES)
    md.use(figure_plugin)
    md.use(table_plugin)
    md.use(aside_plugin)
    md.use(callout_plugin)
    md.use(tabs_plugin)
    md.use(columns_plugin)
    md.use(fold_plugin, _FOLDED)
    md.use(appendix_plugin)
    for plugin in plugins:
        plugin.extend(md)
    return md
