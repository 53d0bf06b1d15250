"""A published branch as a reader meets it: checked out, served below a path, opened in a browser."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from served import BASE, LOST, serve_site
from visits import Visit

from builder.__main__ import main

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30"><circle cx="20" cy="15" r="9"/></svg>'
ONE = """---
title: One of two
description: The first of two articles, which shows a picture and a formula, and links to the other.
date: 2026-01-01
---
## A section {#sec-a}

A formula, $x^2$, @fig-dot and [the other article](../two/#sec-there).

:::{figure} dot.svg
:label: fig-dot
:alt: A black dot.

A dot.
:::
"""
TWO = """---
title: Two of two
description: The second of two articles, which has a section that the first one links to, and no more.
---
Back to [the first](../one/#sec-a).

## There {#sec-there}

Words.
"""


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Publish a site to a bare repository, clone the branch and serve the clone; return its host."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "A. Author")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "author@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    root, remote = tmp_path / "site", tmp_path / "remote.git"
    for slug, text in (("one", ONE), ("two", TWO)):
        (root / "content" / slug).mkdir(parents=True)
        (root / "content" / slug / "article.md").write_text(text)
    (root / "content/one/dot.svg").write_text(PICTURE)
    (root / "pyproject.toml").write_text(f'[tool.fanlight]\nbase_url = "https://example.org{BASE}"\n')
    commands = [["init", "-q", "."], ["add", "."], ["commit", "-q", "-m", "x"], ["init", "-q", "--bare", str(remote)]]
    for words in (*commands, ["remote", "add", "origin", str(remote)]):
        subprocess.run(["git", *words], cwd=root, check=True)
    monkeypatch.chdir(root)
    assert main(["publish", "-q"]) == 0
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "-b", "gh-pages", str(remote), str(clone)], cwd=tmp_path, check=True)
    server = serve_site(clone)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_published_branch_is_a_site_below_a_path(chromium: Browser, published: str) -> None:
    """Every page opens, its links lead on, nothing is missing, and no other host is asked."""
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    visit = Visit(page, context, published, f"{published}{BASE}")
    visit.listen()
    page.goto(visit.address)
    page.get_by_role("link", name="One of two").first.click()
    page.wait_for_url(f"**{BASE}one/")
    page.wait_for_load_state("networkidle")
    assert page.locator("#fig-dot img").first.evaluate("(image) => image.complete && image.naturalWidth > 0")
    page.get_by_role("link", name="the other article").click()
    page.wait_for_url(f"**{BASE}two/#sec-there")
    assert page.locator("#sec-there").is_visible()
    page.goto(f"{published}{LOST}")
    page.locator("main a").first.click()
    page.wait_for_url(f"**{BASE}")
    context.close()
    assert visit.complaints == []
