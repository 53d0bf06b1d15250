"""The files of a site that are no article: index, tags, feed, sitemap, robots, 404, and what readers search in."""

from .files import list_site

__all__ = ["list_site"]
