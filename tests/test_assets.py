"""The front end's files as a site publishes them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from builder.assets import collect_assets
from builder.folders import built_in
from builder.kind import load_kinds
from builder.site import find_site

SITE = find_site(Path(__file__).parent)


@pytest.fixture(scope="module")
def published() -> dict[str, str]:
    """Our own scripts and style sheets by name, as they are published."""
    assets = collect_assets(SITE, load_kinds(SITE.folders("figures")).values())
    names = [name for name in assets.names if re.match(r"(js|figures|css)/.*\.(js|css)$", name)]
    return {name: assets.files[assets.path(name)].decode() for name in names}


def test_scripts_and_style_sheets_have_no_comments(published: dict[str, str]) -> None:
    """Lines of a script that are comments, and all comments of a style sheet, are for us and not for readers."""
    assert len(published) > 60
    for name, text in published.items():
        if name.endswith(".css"):
            assert "/*" not in text, name
        else:
            assert not re.search(r"^\s*(//|/\*)", text, re.MULTILINE), name


def test_nothing_but_comments_is_left_out(published: dict[str, str]) -> None:
    """Every other line of a script stands there, in its order."""
    for name, text in published.items():
        if not name.endswith(".js"):
            continue
        folder, _, rest = name.partition("/")
        source = (built_in("theme") / "js" if folder == "js" else built_in("figures")) / rest
        lines, within = [], False
        for line in source.read_text(encoding="utf-8").splitlines():
            comment = within or line.lstrip().startswith(("//", "/*"))
            within = comment and (within or line.lstrip().startswith("/*")) and not line.rstrip().endswith("*/")
            lines += [] if comment else [line]
        assert text.splitlines() == lines, name


def test_a_sites_own_files_are_left_as_they_are(tmp_path: Path) -> None:
    """A text in one of its templates may look like a comment."""
    own = tmp_path / "figures" / "mine"
    own.mkdir(parents=True)
    (own / "analysis.py").write_text("", encoding="utf-8")
    script = "// mine\nexport default () => `\n// no comment\n`;\n"
    (own / "view.js").write_text(script, encoding="utf-8")
    site = replace(SITE, root=tmp_path)
    assets = collect_assets(site, load_kinds(site.folders("figures")).values())
    assert assets.files[assets.path("figures/mine/view.js")].decode() == script


def test_a_sites_own_typefaces_are_published(tmp_path: Path) -> None:
    """Where `theme/css/site.css` looks for them, at `../fonts/`; one that has the name of ours takes its place."""
    (tmp_path / "theme" / "fonts").mkdir(parents=True)
    for name in ("mine", "text-latin"):
        (tmp_path / "theme" / "fonts" / f"{name}.woff2").write_bytes(name.encode())
    assets = collect_assets(replace(SITE, root=tmp_path), ())
    assert assets.files[assets.path("fonts/mine.woff2")] == b"mine"
    assert assets.files[assets.path("fonts/text-latin.woff2")] == b"text-latin"
    assert "fonts/display-latin.woff2" in assets
