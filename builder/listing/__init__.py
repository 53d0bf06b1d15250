"""The files of a site that are no article: index, tags, feed, sitemap, robots, 404, and what readers search in."""

from .files import list_articles, list_contents

__all__ = ["list_articles", "list_contents"]
