"""Pelican with citations, and mathematics left to the browser."""

SITENAME = "A thousand articles"
SITEURL = "https://example.org"
PATH = "content"
OUTPUT_PATH = "_site"
TIMEZONE = "UTC"
DEFAULT_LANG = "en"
THEME = "simple"
FEED_ALL_ATOM = "feeds/all.atom.xml"
FEED_MAX_ITEMS = 20
PLUGINS = ["pelican.plugins.render_math", "pelican.plugins.cite"]
PUBLICATIONS_SRC = "bib/references.bib"
BIBLIOGRAPHY_LABEL_STYLE = "number"
MARKDOWN = {
    "extension_configs": {
        "markdown.extensions.codehilite": {"css_class": "highlight"},
        "markdown.extensions.extra": {},
        "markdown.extensions.meta": {},
        "markdown.extensions.toc": {},
    },
    "output_format": "html5",
}
