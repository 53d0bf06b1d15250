"""Plugins: an installed package adds kinds and Markdown to a site that names it, and to no other."""

from __future__ import annotations

import pickle
import shutil
import sys
from pathlib import Path

import pytest

from builder.__main__ import main
from builder.build import Builder
from builder.build.records import ground
from builder.errors import BuildError
from builder.folders import built_in
from builder.kind import load_kinds
from builder.site import find_site

MODULE = '''
"""A plugin of markdown-it: !!loud words!! are shouted."""

def plugin(md):
    def rule(state, silent):
        if not state.src.startswith("!!", state.pos):
            return False
        close = state.src.find("!!", state.pos + 2)
        if close < 0:
            return False
        if not silent:
            state.push("shout", "", 0).content = state.src[state.pos + 2 : close]
        state.pos = close + 2
        return True

    md.inline.ruler.before("escape", "shout", rule)
    md.add_render_rule("shout", shout)

def shout(self, tokens, at, options, env):
    return f"<b class=shout>{tokens[at].content.upper()}</b>"
'''


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages with one distribution in it, `shouting`: Markdown, and a kind of figure."""
    folder = tmp_path / "packages"
    kind = folder / "shouting_kinds" / "loudness"
    shutil.copytree(built_in("figures") / "tokens", kind, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "shouting_kinds" / "__init__.py").write_text("raise RuntimeError('a folder of kinds is not imported')\n")
    (folder / "shouting.py").write_text(MODULE)
    (folder / "quiet.py").write_text("raise RuntimeError('nobody asked for this')\n")
    information = folder / "shouting-1.2.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.2\n")
    (information / "entry_points.txt").write_text(
        "[fanlight.markdown]\nshout = shouting:plugin\nquiet = quiet:plugin\nnowhere = no.such.module:plugin\n"
        "[fanlight.kinds]\nshout = shouting_kinds\nsingle = shouting\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    for name in ("shouting", "quiet"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return folder


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site whose article shouts."""
    root = tmp_path / "site"
    (root / "content" / "a").mkdir(parents=True)
    (root / "content" / "a" / "article.md").write_text("---\ntitle: A\n---\n\nSay it !!aloud!! now.\n")
    configure(root, '["shout"]')
    monkeypatch.chdir(root)
    return root


def configure(root: Path, plugins: str) -> None:
    """Write the site's settings."""
    (root / "pyproject.toml").write_text(f"[tool.fanlight]\nplugins = {plugins}\n")


def test_markdown_of_a_plugin_is_on_the_page(packages: Path, root: Path) -> None:
    """A plugin's notation is read and written after ours; a site that does not name it has the words as they stand."""
    Builder(find_site(root)).build()
    assert "<b class=shout>ALOUD</b>" in (root / "_site" / "a" / "index.html").read_text()
    configure(root, "[]")
    Builder(find_site(root)).build()
    assert "!!aloud!!" in (root / "_site" / "a" / "index.html").read_text()


def test_kinds_of_a_plugin_are_found_after_the_site_s_own(packages: Path, root: Path) -> None:
    """A plugin's kinds stand between the site's own and ours, and nothing of its package is imported to find them."""
    site = find_site(root)
    assert site.folders("figures") == (packages / "shouting_kinds", built_in("figures"))
    kinds = load_kinds(site.folders("figures"))
    assert kinds["loudness"].folder.parent == packages / "shouting_kinds"
    assert kinds["loudness"].reads == kinds["tokens"].reads
    assert "shouting_kinds" not in sys.modules


def test_pages_depend_on_a_plugin_s_version_and_code(packages: Path, root: Path) -> None:
    """Another version, or an edited file of it, and pages are made anew; another process can be sent the site."""
    site = find_site(root)
    before = ground(site)
    assert ground(pickle.loads(pickle.dumps(site))) == before
    (packages / "shouting.py").write_text(MODULE + "# edited\n")
    assert ground(find_site(root)) != before
    (packages / "shouting.py").write_text(MODULE)
    metadata = packages / "shouting-1.2.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.2", "1.3"))
    assert ground(find_site(root)) != before


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        ('["shuot"]', r"pyproject\.toml:2: unknown plugin: shuot \(did you mean shout\?\)"),
        ('["nowhere"]', r"pyproject\.toml:2: broken plugin: nowhere \(no\.such\.module:plugin\): No module named 'no'"),
        ('["single"]', r"pyproject\.toml:2: broken plugin: single \(shouting\): shouting\.py is no package"),
        ('"shout"', "invalid setting: plugins must be a list of texts"),
    ],
)
def test_a_plugin_that_cannot_be_had_is_named(plugins: str, message: str, packages: Path, root: Path) -> None:
    """What is not installed, not importable or no package is an error at its line, with the nearest name."""
    configure(root, plugins)
    with pytest.raises(BuildError, match=message):
        find_site(root)


def test_a_plugin_that_fails_is_blamed(packages: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It fails when it is loaded, or while it reads: either way it is named, and that is no fault of ours."""
    configure(root, '["quiet"]')
    assert main(["build"]) == 1
    assert (
        "broken plugin: quiet (quiet:plugin, of shouting==1.2): RuntimeError: nobody asked" in capsys.readouterr().err
    )
    (packages / "shouting.py").write_text(
        MODULE.replace("return False\n        close", "return False\n        1 / 0\n        close")
    )
    configure(root, '["shout"]')
    assert main(["build"]) == 1
    said = capsys.readouterr().err
    assert "broken plugin shout: ZeroDivisionError" in said
    assert "fault of Fanlight" not in said
