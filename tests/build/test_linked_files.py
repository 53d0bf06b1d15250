"""Files that an article links to: published beside its page, but for what would run there."""

from __future__ import annotations

from .conftest import SiteFolder

SVG = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'
SCRIPT = "\n<script>alert(document.domain)</script>"


def test_what_would_run_on_the_site_is_not_published(folder: SiteFolder) -> None:
    """Neither a page nor a drawing with a script; the preview, which builds in spite of mistakes, has none either."""
    folder.article("[a](evil.svg) and [b](good.svg)")
    folder.write("content/a/evil.svg", SVG.format(SCRIPT))
    folder.write("content/a/good.svg", SVG.format(""))
    assert folder.fail()[0].startswith("content/a/evil.svg:2:1: unsupported picture: it holds a script (<script>)")
    folder.build(settings={"strict": False})
    published = {path for path in folder.snapshot() if path.startswith("a/files/")}
    assert published == {"a/files/good.svg"}
    folder.article("[c](evil.html)")
    folder.write("content/a/evil.html", SCRIPT)
    assert folder.fail()[0].startswith("content/a/article.md:4:1: unsupported link: evil.html may hold scripts")


def test_a_site_that_trusts_its_authors_publishes_all(folder: SiteFolder) -> None:
    """`html = "raw"`: what they write stands as it is, and what they link to."""
    folder.article("[a](own.svg) and [c](own.html)")
    folder.write("content/a/own.svg", SVG.format(SCRIPT))
    folder.write("content/a/own.html", SCRIPT)
    folder.build(settings={"html": "raw"})
    assert folder.read("a/files/own.html") == SCRIPT
    assert SCRIPT in folder.read("a/files/own.svg")
