"""A site's own theme: one variable, one block or one template of it is changed, and the rest stays ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builder.assets import collect_assets
from builder.build import Builder
from builder.site import find_site
from builder.site.settings import SETTINGS
from builder.thumbnails import theme_colours


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A site with an article that takes comments."""
    (tmp_path / "content" / "a").mkdir(parents=True)
    (tmp_path / "content" / "a" / "article.md").write_text("---\ntitle: A\ncomments: true\n---\n\nWords.\n")
    (tmp_path / "pyproject.toml").write_text("[tool.fanlight]\n")
    return tmp_path


def page_of(root: Path, path: str = "a/index.html") -> str:
    """Build the site and return a page."""
    Builder(find_site(root)).build()
    return (root / "_site" / path).read_text(encoding="utf-8")


def test_a_variable_is_overridden_alone(root: Path) -> None:
    """`theme/css/site.css` stands after all of ours, whose other variables stay; drawings have its colours, too."""
    before = theme_colours(find_site(root))
    (root / "theme" / "css").mkdir(parents=True)
    own = ":root {\n  --accent: light-dark(#005500, #99ff99);\n}\n"
    (root / "theme" / "css" / "site.css").write_text(own)
    files = collect_assets(find_site(root), ()).files
    sheet = next(content for name, content in files.items() if name.endswith("css/fanlight.css")).decode()
    assert sheet.endswith(own)
    assert "--paper-raised:" in sheet
    changed = {name for name, both in theme_colours(find_site(root)).items() if both != before[name]}
    assert {theme_colours(find_site(root))[name] for name in changed} == {("#005500", "#99ff99")}


def test_blocks_of_pages_are_empty_until_a_theme_fills_them(root: Path) -> None:
    """`analytics` and `comments`: a template that extends ours by its full name fills one block, and keeps the rest."""
    assert "giscus" not in page_of(root)
    (root / "theme").mkdir()
    (root / "theme" / "base.html").write_text(
        '{% extends "fanlight/base.html" %}\n{% block analytics %}<meta name="counted">{% endblock %}\n'
    )
    (root / "theme" / "article.html").write_text(
        '{% extends "fanlight/article.html" %}\n'
        "{% block comments %}{% if meta.comments %}<div class=giscus></div>{% endif %}{% endblock %}\n"
    )
    page = page_of(root)
    assert "<div class=giscus></div>" in page
    assert '<meta name="counted">' in page.partition("</head>")[0]
    assert "Words." in page
    index = page_of(root, "index.html")
    assert '<meta name="counted">' in index
    assert "giscus" not in index


def test_the_head_of_a_site_is_that_of_all_its_pages(root: Path) -> None:
    """The front page adds the search to `head`, once, and takes nothing away."""
    (root / "theme").mkdir()
    (root / "theme" / "base.html").write_text(
        '{% extends "fanlight/base.html" %}\n{% block head %}<meta name="mine">{% endblock %}\n'
    )
    for path in ("index.html", "a/index.html", "404.html"):
        assert page_of(root, path).partition("</head>")[0].count('<meta name="mine">') == 1


def test_every_setting_is_documented() -> None:
    """The table of settings in "Extending Fanlight" has each of them, and no other."""
    article = Path(__file__).parents[1] / "content" / "extending" / "article.md"
    table = article.read_text(encoding="utf-8").partition(":label: tbl-settings")[2].partition(":::")[0]
    named = [
        name for row in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(named) == sorted(SETTINGS)
