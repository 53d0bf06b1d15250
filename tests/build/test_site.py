"""A build of a whole site: what it writes, what it keeps, and what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import wraps
from typing import Any

import pytest

from builder import engine
from builder.build import Builder
from builder.site import find_site

from .conftest import ARTICLE, SiteFolder


def test_an_article_becomes_a_page_with_live_figures(folder: SiteFolder) -> None:
    """The whole way, from Markdown and weights to a page, its data and its assets."""
    built = folder.build()
    assert (built.computed, built.cached) == (2, 0)
    assert set(built.pages) == {"a/index.html", "index.html", "404.html"}
    page = folder.read("a/index.html")
    data = re.findall(r'data-src="([^"]+)"', page)
    assert len(data) == 2
    for url in data:
        published = json.loads((folder.root / "_site/a" / url).resolve().read_text())
        assert {"kind", "data", "checks", "provenance"} <= published.keys()
        assert all(check["value"] <= check["bound"] for check in published["checks"].values())
        assert published["provenance"]["prompt"] == "The countries"
    assert "Known Things" in page
    assert "katex" in page


def test_every_address_in_a_page_is_relative_and_leads_somewhere(folder: SiteFolder) -> None:
    """No other host, no absolute path: the site works under any path, and every file it names is there."""
    folder.build()
    for name in ("index.html", "a/index.html"):
        page = folder.root / "_site" / name
        text = page.read_text()
        text = re.sub(r'<a [^>]*href="https://[^>]*>', "", text)  # a reader may leave, a page may not fetch
        for url in re.findall(r'(?:href|src|data-src|data-view)="([^"#]+)', text):
            assert not re.match(r"[a-z]+:|/", url), url
            target = (page.parent / url).resolve()
            assert (target / "index.html" if target.is_dir() else target).is_file(), url


def test_only_builds_one_article_and_leaves_the_others(folder: SiteFolder) -> None:
    """`--only SLUG` for a long site and one article in work."""
    folder.article("Plain words.", slug="b")
    folder.build()
    folder.article("Other words.", slug="b")
    folder.article(ARTICLE.replace("Words", "Changed"))
    folder.build(only=frozenset({"b"}))
    assert "Other words." in folder.read("b/index.html")
    assert "Changed" not in folder.read("a/index.html")
    assert folder.fail(only=frozenset({"bb"})) == ["unknown article: bb (did you mean b?)"]
    assert folder.fail(only=frozenset({"nothing"})) == ["unknown article: nothing (known: a, b)"]


def test_drafts_are_shown_on_request_only(folder: SiteFolder) -> None:
    """`draft: true` keeps an article, and all of its computing, out of the site."""
    folder.article("---\ntitle: Secret\ndraft: true\n---\nWords.", slug="b")
    folder.build()
    assert not (folder.root / "_site/b").exists()
    assert "Secret" not in folder.read("index.html")
    folder.build(settings={"drafts": True})
    assert "Secret" in folder.read("index.html")


def test_a_sites_own_kind_theme_and_style_win(folder: SiteFolder) -> None:
    """A folder in the site's `figures/` is a kind; a file in its `theme/` takes the place of ours."""
    folder.write(
        "figures/length/analysis.py",
        "from dataclasses import dataclass\nfrom builder.figure import Answer\n"
        "@dataclass(frozen=True)\nclass Params:\n    times: int = 1\n"
        "def analyse(run, params):\n    return Answer({'n': len(run.tokens) * params.times}, {})\n"
        "def describe(data):\n    return f'{data[\"n\"]} tokens'\n",
    )
    folder.write("figures/length/fallback.html", "<p>{{ data.n }} tokens</p>")
    folder.write("figures/length/view.js", "export default () => document.createElement('p')")
    folder.write("theme/css/variables.css", ":root { --ink: rebeccapurple }")
    folder.article(":::{figure}\n:analysis: length\n:prompt: The countries\n:generate: 2\n:times: 3\n\nLength.\n:::\n")
    built = folder.build()
    assert re.search(r"<p>\d+ tokens</p>", folder.read("a/index.html"))
    style = next(path for path in built.marks if path.endswith("css/fanlight.css"))
    assert "rebeccapurple" in folder.read(style)


def test_hostile_content_stays_text(folder: SiteFolder) -> None:
    """Prompts, titles, names and captions may hold markup; none of it becomes an element."""
    evil = "</script><img src=x onerror=alert(1)>"
    folder.article(
        f"---\ntitle: '{evil}'\nauthors: ['{evil}']\ndescription: '{evil}'\n---\n{evil}\n\n"
        f':::{{figure}}\n:analysis: tokens\n:prompt: "{evil}"\n:alt: {evil}\n:generate: 1\n\n{evil}\n:::\n'
    )
    folder.build()
    for page in ("a/index.html", "index.html"):
        assert "<img src=x" not in folder.read(page)
        assert "onerror=alert(1)>" not in re.sub(r"&lt;img[^<]*", "", folder.read(page))
    for data in (folder.root / "_site/data").iterdir():
        assert "<" not in data.read_text()


def test_two_builds_at_once_do_no_harm(folder: SiteFolder) -> None:
    """Both end well, and the site is what one of them alone would have made."""
    command = [sys.executable, "-m", "builder", "build", "-q"]
    builds = [subprocess.Popen(command, cwd=folder.root, stderr=subprocess.PIPE) for _ in range(2)]
    ends = [(build.wait(timeout=240), build.stderr.read() if build.stderr else b"") for build in builds]
    assert ends == [(0, b""), (0, b"")]
    before = folder.snapshot()
    assert folder.build().computed == 0
    assert folder.snapshot() == before


def test_a_builder_reads_again_only_what_changed(folder: SiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preview builds on every save: an article that did not change is not parsed again."""
    from builder import library as module

    folder.article("Plain words.", slug="b")
    builder = Builder(find_site(folder.root))
    builder.build()
    parsed = []
    parse = module.parse

    @wraps(parse)
    def noted(article: Any, *args: Any, **options: Any) -> Any:
        parsed.append(article.slug)
        return parse(article, *args, **options)

    monkeypatch.setattr(module, "parse", noted)
    folder.article("Other words.", slug="b")
    monkeypatch.setattr(engine, "run_jobs", lambda jobs, *a, **k: None if not jobs else pytest.fail("computed"))
    builder.build()
    assert parsed == ["b"]
    assert "Other words." in folder.read("b/index.html")
