"""What the preview goes on hearing of, whatever becomes of the folders that it watches."""

from __future__ import annotations

import shutil

import pytest

from .conftest import Server


@pytest.mark.parametrize("folder", ["content", "theme"])
def test_a_folder_that_takes_the_place_of_another_is_watched(server: Server, folder: str) -> None:
    """As when a branch is checked out, or a copy synced: who watches the old one is deaf to all that follows."""
    root = server.root
    shutil.copytree(root / folder, root / "new")
    (root / "content/a/article.md" if folder == "theme" else root / "new/a/article.md").write_text("<p>moved</p>")
    (root / folder).rename(root / "old")
    (root / "new").rename(root / folder)
    server.wait("/a/", lambda body: "moved" in body)
    before = server.get("/a/")[1]
    if folder == "content":
        (root / "content/a/article.md").write_text("<p>heard</p>")
        server.wait("/a/", lambda body: "heard" in body)
    else:
        (root / "theme/css/main.css").write_text("p { color: green }")
        server.wait("/a/", lambda body: body != before)


def test_content_that_went_and_came_back_is_watched(server: Server) -> None:
    """It is built when it is there again, and so is what is written later."""
    root = server.root
    shutil.copytree(root / "content", root / "kept")
    shutil.rmtree(root / "content")
    server.wait("/a/", lambda body: "first" not in body)
    shutil.copytree(root / "kept", root / "content")
    server.wait("/a/", lambda body: "first" in body)
    (root / "content/a/article.md").write_text("<p>heard</p>")
    server.wait("/a/", lambda body: "heard" in body)
