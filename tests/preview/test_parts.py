"""Parts of the preview: its port, what it watches, what differs between two builds, which files it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.folders import built_in
from builder.preview.app import find, find_newer
from builder.preview.follow import watched
from builder.preview.server import open_socket
from builder.preview.state import Change, difference
from builder.site import Site


def test_a_port_that_is_taken_gives_way_to_the_next_unless_it_was_asked_for() -> None:
    """Nobody's other server is in the way; but who names a port gets that or an error."""
    with open_socket(None) as first, open_socket(None) as second:
        assert second.getsockname()[1] > first.getsockname()[1]
        with pytest.raises(BuildError, match=f"invalid port: port {first.getsockname()[1]}"):
            open_socket(first.getsockname()[1])


def test_what_npm_fetched_is_not_watched(tmp_path: Path) -> None:
    """Thousands of files that nobody edits would make the start slow."""
    for name in ("content", "theme/css", "theme/node_modules/d3", "theme/built"):
        (tmp_path / name).mkdir(parents=True)
    flat, deep = watched(Site(tmp_path, tmp_path / "_site"))
    assert flat == {tmp_path, tmp_path / "theme", built_in("theme")}
    assert {tmp_path / "content", tmp_path / "theme/css", built_in("figures")} <= deep
    assert not any(path.name in ("node_modules", "built") for path in deep)


OLD = {"assets/11/css/a.css": "red", "assets/11/js/m.js": "1", "a/index.html": "a", "b/index.html": "b"}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({}, Change()),
        ({"b/index.html": "c"}, Change(frozenset({"b/index.html"}))),
        ({"c/index.html": "c"}, Change(frozenset({"c/index.html"}))),
        ({"data/x.json": "{}"}, Change(None)),
        ({"b/index.html": None}, Change(frozenset({"b/index.html"}))),
    ],
)
def test_the_difference_of_two_builds(new: dict[str, str | None], expected: Change) -> None:
    """Pages are named one by one; what any page may show concerns all of them."""
    after = {path: mark for path, mark in {**OLD, **new}.items() if mark is not None}
    assert difference(OLD, after) == expected


def test_the_difference_that_a_style_sheet_makes() -> None:
    """The folder's name is not a change of the pages, and another edit at the same time is."""
    after = {path.replace("/11/", "/22/"): mark for path, mark in OLD.items()} | {"assets/22/css/a.css": "blue"}
    assert difference(OLD, after) == Change(frozenset(), ("assets/11/", "assets/22/"))
    assert difference(OLD, {**after, "b/index.html": "c"}) == Change(
        frozenset({"b/index.html"}), ("assets/11/", "assets/22/")
    )
    assert difference(OLD, {**after, "assets/22/js/m.js": "2"}) == Change(None)
    assert difference(None, after) == Change(None)


def test_finding_is_confined_to_the_output(tmp_path: Path) -> None:
    """Names that are hidden, foreign or impossible are not found, and raise nothing."""
    (tmp_path / "assets/22").mkdir(parents=True)
    (tmp_path / "assets/22/a.css").touch()
    assert find(tmp_path, "assets/22/a.css") == tmp_path / "assets/22/a.css"
    assert find(tmp_path, "") == tmp_path
    for path in ("..", "../x", "assets/../..", "/etc/passwd", "C:/x", "a\\b", "a\0b", "x" * 999, "assets//22"):
        assert find(tmp_path, path) is None
    assert find_newer(tmp_path, "assets/11/a.css") == tmp_path / "assets/22/a.css"
    assert find_newer(tmp_path, "assets/11/../../x") is None
    assert find_newer(tmp_path, "x/a.css") is None
