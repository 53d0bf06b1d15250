"""A document and its results, through the theme, to a page: pure, but for reading templates."""

from .article_page import ArticlePage, Picture, ShownPanel, SocialImage, data_path, piece_path, shared_extent
from .matter import article_files
from .render import common_context, render_article
from .site_page import FEED, LostPage, SitePage, page_path, tag_path

__all__ = [
    "FEED",
    "ArticlePage",
    "LostPage",
    "Picture",
    "ShownPanel",
    "SitePage",
    "SocialImage",
    "article_files",
    "common_context",
    "data_path",
    "page_path",
    "piece_path",
    "render_article",
    "shared_extent",
    "tag_path",
]
