"""A document and its results, through the theme, to a page: pure, but for reading templates."""

from .article_page import ArticlePage, Picture, ShownPanel, data_path, piece_path, shared_extent
from .render import render_article, render_index
from .site_page import LostPage, SitePage, page_path

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
