"""Links to files that lie beside an article: what is published with it, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from builder.document import Document

Parse = Callable[..., Document]
Told = Callable[[Document], list[str]]


@pytest.mark.parametrize("name", ["page.html", "PAGE.HTM", "page.xhtml", "page.xht", "data.xml", "sheet.xsl", "x.svgz"])
def test_a_page_that_is_linked_to_is_refused(parsed: Parse, told: Told, tmp_path: Path, name: str) -> None:
    """Its scripts would be the site's: a link is no way round `html`, which says whether authors are trusted."""
    (tmp_path / "content" / "ranks" / name).write_text("<script>alert(1)</script>")
    document = parsed(f"Words.\n\nSee [it]({name}?a#b).")
    (problem,) = told(document)
    assert problem.startswith(f"6:5: unsupported link: {name}?a#b may hold scripts, which would run on the site (link")
    assert not document.files
    assert told(parsed(f"[it]({name})", html="refuse"))
    trusted = parsed(f"[it]({name})", html="raw")
    assert list(trusted.files) == [f"ranks/files/{name}"]
    assert not told(trusted)


def test_what_a_link_names_is_what_it_leads_to(parsed: Parse, told: Told, tmp_path: Path) -> None:
    """A page by another name is a page: names of links on a disk do not count."""
    folder = tmp_path / "content" / "ranks"
    (folder / "page.html").write_text("<script>alert(1)</script>")
    (folder / "notes.txt").symlink_to(folder / "page.html")
    assert told(parsed("[it](notes.txt)"))[0].startswith("4:1: unsupported link: notes.txt may hold scripts")
