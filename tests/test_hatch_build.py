"""The build hook: what it fetches is pinned, it skips what is done, and it says what is missing."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytest.importorskip("hatchling", reason="the hook is hatchling's; it is there wherever Fanlight is built")


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """Return `hatch_build.py` as a module; it is no part of the package."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def theme(tmp_path: Path, hook: ModuleType) -> Path:
    """Return a theme folder with the recipe and nothing built."""
    folder = tmp_path / "theme"
    folder.mkdir()
    for name in hook.SOURCES:
        shutil.copy(ROOT / "theme" / name, folder / name)
    return folder


def program(folder: Path, name: str, script: str) -> None:
    """Write an executable script."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!{sys.executable}\nimport os, sys\n{script}", encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


NODE = """
if sys.argv[1] == "--version":
    print("v22.0.0")
else:
    os.makedirs(sys.argv[2])
    open(sys.argv[2] + "/d3.js", "w").write("export {}")
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a node and an npm that do nothing but well on PATH, alone."""
    folder = tmp_path / "bin"
    program(folder, "node", NODE)
    program(folder, "npm", "")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_every_package_is_pinned_to_one_version() -> None:
    """What lies in a wheel is decided by a commit, not by the day it was built on."""
    manifest = json.loads((ROOT / "theme" / "package.json").read_text(encoding="utf-8"))
    for name, version in manifest["dependencies"].items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name


def test_the_lock_file_has_a_hash_and_no_address_of_each_package() -> None:
    """The lock works with whatever registry a machine has, and nothing can be slipped in there."""
    lock = json.loads((ROOT / "theme" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert packages
    assert not any("resolved" in entry for entry in packages.values())
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())


def test_the_lock_file_belongs_to_the_manifest() -> None:
    """`npm ci` refuses a lock that was not made from the manifest beside it; better to know before a release."""
    manifest = json.loads((ROOT / "theme" / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((ROOT / "theme" / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"][""]["dependencies"] == manifest["dependencies"]


def test_a_tree_in_which_nothing_changed_is_skipped(hook: ModuleType, theme: Path, tools: Path) -> None:
    """The second build neither needs Node nor touches anything."""
    assert hook.build(theme, say=lambda _: None) is True
    (tools / "node").unlink()
    assert hook.build(theme, say=lambda _: None) is False


@pytest.mark.parametrize("name", ["package.json", "package-lock.json", ".npmrc", "bundle.mjs", "d3.js"])
def test_a_change_of_any_source_builds_again(hook: ModuleType, theme: Path, tools: Path, name: str) -> None:
    """The stamp covers everything that decides the result."""
    hook.build(theme, say=lambda _: None)
    with (theme / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert hook.is_fresh(theme) is False


def test_a_failed_build_leaves_the_last_one_whole(hook: ModuleType, theme: Path, tools: Path) -> None:
    """Work is done elsewhere, and put in place when it is complete."""
    hook.build(theme, say=lambda _: None)
    (theme / "d3.js").write_text("export * from 'elsewhere';", encoding="utf-8")
    program(tools, "node", "print('v22.0.0') if sys.argv[1] == '--version' else sys.exit('no such module')")
    with pytest.raises(hook.ThemeError, match="no such module"):
        hook.build(theme, say=lambda _: None)
    assert (theme / "built" / "d3.js").read_text(encoding="utf-8") == "export {}"
    assert sorted(path.name for path in theme.iterdir()) == sorted([*hook.SOURCES, "built"])


def test_without_network_the_error_says_so(hook: ModuleType, theme: Path, tools: Path) -> None:
    """Npm's own message is 30 lines; the first of ours says what is missing and what to do."""
    program(tools, "npm", "sys.exit('npm error code EAI_AGAIN\\nnpm error     at GetAddrInfo (node:dns)')")
    with pytest.raises(hook.ThemeError, match="missing network: ") as caught:
        hook.build(theme, say=lambda _: None)
    assert "GetAddrInfo" not in str(caught.value)


def test_without_node_the_error_says_how_to_get_it(
    hook: ModuleType, theme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run by hand, outside pip's build environment, there may be no Node at all."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(hook, "_in_wheel", lambda: None)
    with pytest.raises(hook.ThemeError, match=r"missing Node\.js"):
        hook.build(theme, say=lambda _: None)


def test_an_old_node_counts_as_none(hook: ModuleType, tools: Path) -> None:
    """A distribution's Node 12 would fail in the middle of npm with a syntax error."""
    program(tools, "node", "print('v12.22.9')")
    assert hook._on_path() is None


def test_the_wheel_of_node_is_asked_for_only_where_there_is_none(
    hook: ModuleType, theme: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is 60 MB: not for those who have Node, and not for a tree that is built already."""

    def asked(target: str) -> list[str]:
        builder = hook.ThemeHook.__new__(hook.ThemeHook)
        monkeypatch.setattr(hook.ThemeHook, "root", str(theme.parent), raising=False)
        monkeypatch.setattr(hook.ThemeHook, "target_name", target, raising=False)
        return builder.dependencies()

    assert asked("wheel") == []
    (tools / "npm").unlink()
    assert asked("wheel") == [hook.NODE_WHEEL]
    assert asked("sdist") == []
    (theme / "built").mkdir()
    (theme / "built" / ".stamp").write_text(hook.stamp(theme), encoding="utf-8")
    assert asked("wheel") == []


def test_a_wheel_holds_what_runs_and_not_the_recipe(hook: ModuleType, tmp_path: Path) -> None:
    """No node_modules, no caches, no hidden files; all else of figures/ and theme/, and the guides."""
    kept = [
        "content/guide/article.md",
        "figures/tokens/analysis.py",
        "theme/css/main.css",
        "theme/built/d3.js",
        "theme/js/d3.js",
    ]
    left = [
        "builder/site/__init__.py",
        "content/answers/article.md",
        "figures/tokens/__pycache__/a.pyc",
        "theme/.built-x/new/a.js",
        "theme/.npmrc",
        "theme/built/.stamp",
        "theme/bundle.mjs",
        "theme/d3.js",
        "theme/node_modules/x/index.js",
        "theme/package-lock.json",
        "theme/package.json",
    ]
    for name in (*kept, *left):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(hook.packed(tmp_path).values()) == sorted(f"builder/{name}" for name in kept)


def test_replacing_a_folder_leaves_nothing_beside_it(hook: ModuleType, tmp_path: Path) -> None:
    """The new one is there whole, the old one gone, with its files that the new one lacks."""
    new, old = tmp_path / "new", tmp_path / "theme" / "built"
    for folder, name in ((new, "a"), (old, "b")):
        folder.mkdir(parents=True)
        (folder / name).touch()
    hook.replace(new, old)
    assert [path.name for path in old.parent.rglob("*")] == ["built", "a"]


@pytest.mark.skipif(not (ROOT / "theme" / "built" / "d3.js").is_file(), reason="nothing is built in this tree")
class TestBuilt:
    """What the hook really made here."""

    built = ROOT / "theme" / "built"

    def test_all_that_is_shipped_has_its_licence(self) -> None:
        """D3's modules, KaTeX and the fonts go along with the words they may be used under."""
        names = {path.stem for path in (self.built / "licenses").iterdir()}
        assert {"katex", "literata", "hanken-grotesk", "red-hat-mono", "d3-scale", "d3-selection"} <= names

    def test_d3_is_at_most_30_kb_on_the_wire(self) -> None:
        """Two thirds of the budget for scripts."""
        import gzip

        assert len(gzip.compress((self.built / "d3.js").read_bytes(), 9)) <= 30 * 1024

    def test_d3_has_what_explorables_import(self) -> None:
        """Every name that a view or shared module imports from "d3" is exported by the bundle."""
        text = (self.built / "d3.js").read_text(encoding="utf-8")
        exported = set(re.findall(r"(?:as )?([\w$]+)[,}]", text[text.rindex("export{") :]))
        for file in (ROOT / "figures").rglob("*.js"):
            for names in re.findall(r'import\s*\{([^}]*)\}\s*from\s*"d3"', file.read_text(encoding="utf-8")):
                wanted = {name.split(" as ")[0].strip() for name in names.split(",")} - {""}
                assert wanted <= exported, file

    def test_katex_asks_only_for_fonts_that_are_there(self) -> None:
        """The style sheet is cut to the one format that is shipped."""
        css = (self.built / "katex" / "katex.min.css").read_text(encoding="utf-8")
        urls = re.findall(r"url\(([^)]*)\)", css)
        assert urls
        assert all((self.built / "katex" / url).is_file() for url in urls)

    def test_the_fonts_of_a_first_load_leave_room_for_the_rest(self) -> None:
        """Text, its italic, headings, captions and code in English: at most 90 KB of the 300."""
        assert sum(file.stat().st_size for file in (self.built / "fonts").glob("*-latin.woff2")) <= 90 * 1024
