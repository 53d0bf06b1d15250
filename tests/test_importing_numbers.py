"""Importing: numbers of more digits than Python reads or writes, wherever a page or a post may hold one."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.importing import import_article
from builder.site import find_site

MANY = "9" * 5000
HEX = f"0x{'f' * 5000}"  # YAML reads it, and Python does not write it out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("post.md", f"---\ntitle: {MANY}\n---\nx\n"),
        (
            "post.md",
            f"---\ntitle: {HEX}\ntags: [{HEX}]\nauthors: [{{name: {HEX}}}]\n? {HEX}\n: 1\n---\n{{{{ page.title }}}}\n",
        ),
        ("post.md", f"---\ntitle: x\n---\n{MANY}. x[^{MANY}]\n\n# {MANY}\n\n{{: width={MANY}}}\n"),
        ("old.html", f"<table><tr><td colspan={MANY}>x<td rowspan={MANY}>y</table>"),
        (
            "old.html",
            f"<ol start={MANY}><li value={MANY}>x</ol><h2 id={MANY}>y</h2><p>&#{MANY};<b title='&#{MANY};'>z</b>",
        ),
        ("old.html", f'<script type="text/front-matter">{{"title": {MANY}}}</script><p>x'),
        ("old.html", f'<script type="text/front-matter">title: {HEX}\n? {HEX}\n: 1</script><p>x'),
    ],
)
def test_no_number_breaks_an_import(name: str, text: str, tmp_path: Path) -> None:
    """An article comes of it, and what is lost is told."""
    (tmp_path / "content").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.fanlight]\n")
    source = tmp_path / "source" / name
    source.parent.mkdir()
    source.write_text(text)
    assert "article.md" in import_article(source, find_site(tmp_path)).files
