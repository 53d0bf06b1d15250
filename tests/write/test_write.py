"""Tests of the only writer into the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.write import MANIFEST, STAGE, Written, check_output, remove_site, write_site

from .sites import NEW, OLD, read


def test_a_site_is_what_was_handed_over(output: Path, tmp_path: Path) -> None:
    """Bytes are written, paths are copied, and GitHub Pages is told to leave the files alone."""
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"\x89PNG")
    written = write_site({**OLD, "a/cat.png": picture}, output)
    assert read(output) == {**OLD, "a/cat.png": b"\x89PNG"}
    assert (output / ".nojekyll").is_file()
    assert written.changed == {*OLD, "a/cat.png", ".nojekyll"}
    assert written.removed == frozenset()
    assert not (output / STAGE).exists()


def test_what_is_the_same_is_not_touched(output: Path) -> None:
    """A second build of the same site changes no file's time, so that servers and tools need not look again."""
    write_site(OLD, output)
    times = {file: file.stat().st_mtime_ns for file in output.rglob("*")}
    assert write_site(OLD, output) == Written(frozenset(), frozenset())
    assert {file: file.stat().st_mtime_ns for file in output.rglob("*")} == times


def test_only_what_changed_is_written(output: Path) -> None:
    """The other files keep their times."""
    write_site(OLD, output)
    kept = (output / "index.html").stat()
    written = write_site({**OLD, "a/index.html": b"new a"}, output)
    assert written.changed == {"a/index.html"}
    assert ((output / "index.html").stat().st_mtime_ns, (output / "index.html").stat().st_ino) == (
        kept.st_mtime_ns,
        kept.st_ino,
    )


def test_what_an_earlier_build_made_goes_and_what_others_put_there_stays(output: Path) -> None:
    """Files and empty folders of old builds are removed; a CNAME put there by hand is not ours."""
    write_site(OLD, output)
    (output / "CNAME").write_text("example.org")
    (output / "gone" / "notes.txt").write_text("mine")
    written = write_site(NEW, output)
    assert written.removed == {"assets/1/a.css", "gone/index.html"}
    assert read(output) == {**NEW, "CNAME": b"example.org", "gone/notes.txt": b"mine"}
    assert not (output / "assets" / "1").exists()


def test_a_build_of_a_part_removes_nothing(output: Path) -> None:
    """`--only` adds to a site; what the rest needs stays, and stays ours."""
    write_site(OLD, output)
    assert write_site({"a/index.html": b"new a"}, output, prune=False).removed == frozenset()
    assert read(output) == {**OLD, "a/index.html": b"new a"}
    assert write_site(NEW, output).removed == {"assets/1/a.css", "gone/index.html"}


def test_a_page_may_become_a_folder_and_a_folder_a_page(output: Path) -> None:
    """Our own old files make way for new ones of another shape."""
    write_site({"x": b"file", "y/index.html": b"page", "y/z/deep.html": b"page"}, output)
    write_site({"x/index.html": b"page", "y": b"file"}, output)
    assert read(output) == {"x/index.html": b"page", "y": b"file"}


@pytest.mark.parametrize(
    "path", ["../evil", "/etc/evil", "a/../../evil", "a//b", "", ".", "C:/evil", "a\\..\\evil", MANIFEST, f"{STAGE}/x"]
)
def test_no_path_leaves_the_site(output: Path, path: str) -> None:
    """A path that leads out, or that is our own bookkeeping, is refused before anything is written."""
    with pytest.raises(BuildError, match="invalid path"):
        write_site({"index.html": b"", path: b""}, output)
    assert not output.exists()


def test_no_symbolic_link_leads_out_of_the_site(output: Path, tmp_path: Path) -> None:
    """A link where a folder must go is refused, a link where a file must go is replaced, neither is followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.css").write_bytes(b"precious")
    write_site({"index.html": b"old"}, output)
    (output / "a").symlink_to(outside)
    with pytest.raises(BuildError, match="a file or link stands where a folder must go"):
        write_site({"index.html": b"new", "a/a.css": b"ours"}, output)
    assert (output / "index.html").read_bytes() == b"old"
    (output / "a").unlink()
    (output / "b.css").symlink_to(outside / "a.css")
    write_site({"index.html": b"new", "b.css": b"precious"}, output)
    assert not (output / "b.css").is_symlink()
    assert (outside / "a.css").read_bytes() == b"precious"


def test_a_forged_manifest_removes_nothing_outside(output: Path, tmp_path: Path) -> None:
    """Names in the manifest are believed only where they lie in the site, and not behind a link."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"precious")
    output.mkdir()
    (output / "link").symlink_to(outside)
    (output / MANIFEST).write_text('{"files": ["../outside/precious", "link/precious", "/etc/hosts", 7]}')
    write_site({"index.html": b""}, output)
    assert (outside / "precious").is_file()


def test_an_output_that_is_not_ours_is_refused(output: Path) -> None:
    """A folder with somebody's files and without our manifest is left alone."""
    output.mkdir()
    (output / "thesis.tex").write_text("three years of work")
    with pytest.raises(BuildError, match="not empty and no build of Fanlight made it"):
        write_site(OLD, output)
    assert [file.name for file in output.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("where", [".", "..", "content", "content/a", "bib", "figures", "theme", "/"])
def test_the_sources_of_a_site_are_no_output(tmp_path: Path, where: str) -> None:
    """Neither the site's root, nor what holds it, nor a folder of its sources, even with a manifest in it."""
    root = tmp_path / "mine"
    (root / "content").mkdir(parents=True)
    with pytest.raises(BuildError, match="invalid output"):
        check_output(root / where, root)
    check_output(root / "_site", root)


def test_neither_home_nor_a_file_nor_a_link_is_an_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home folder is still no place for a site."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    (tmp_path / "home").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for wrong in (tmp_path / "home", tmp_path, tmp_path / "file", tmp_path / "link"):
        with pytest.raises(BuildError, match="invalid output"):
            check_output(wrong)


def test_clean_removes_what_is_ours(output: Path) -> None:
    """The folder goes with our files, unless somebody else's keep it."""
    write_site(OLD, output)
    assert remove_site(output) == {*OLD, ".nojekyll"}
    assert not output.exists()
    assert remove_site(output) == frozenset()
    write_site(OLD, output)
    (output / "CNAME").write_text("example.org")
    remove_site(output)
    assert [file.name for file in output.iterdir()] == ["CNAME"]
