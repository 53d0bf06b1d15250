"""The only writer into the site: data and assets first, pages last, nothing that is not ours is touched."""

from __future__ import annotations

import contextlib
import errno
import filecmp
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import BuildError, Problem
from .manifest import MANIFEST, STAGE, is_inside, read_manifest, write_manifest
from .turn import forget_output, turn

__all__ = ["MANIFEST", "File", "Kept", "Written", "check_output", "forget_output", "remove_site", "write_site"]

SOURCES = ("content", "bib", "figures", "theme")


@dataclass(frozen=True)
class Kept:
    """A file of the site that stands as an earlier build left it."""


File = bytes | Path | Kept
"""A file's content, or a file to copy, or one that is there."""


@dataclass(frozen=True)
class Written:
    """Paths in the site that were written because they are new or differ, and those that were removed."""

    changed: frozenset[str]
    removed: frozenset[str]


def write_site(files: Mapping[str, File], output: Path, *, root: Path | None = None, prune: bool = True) -> Written:
    """Make `output` hold `files` (by path in the site) and what others put there.

    All that changed is first staged beside the old site, so a full disk leaves that as it was. Then come renames:
    assets and data, articles, the pages that list them; last goes what an earlier build made and this one does not.
    A page therefore never stands without what it needs, wherever a kill falls. Files that are the same already are
    not touched. Without `prune` nothing goes: `--only` adds to a site. There is no fsync: a site is made again, not
    recovered, after a power cut.

    Raises `BuildError` for an output that is not ours to write into, a path that leaves it, or a disk that refuses.
    """
    check_output(output, root)
    wanted: dict[str, File] = {**files, ".nojekyll": b""}  # GitHub Pages drops `_*` files without it
    _check_paths(wanted)
    with _plain_words(output):
        if _stands(wanted, output, prune):
            return Written(frozenset(), frozenset())
        with turn(output):
            return _write(wanted, output, prune)


def check_output(output: Path, root: Path | None = None) -> None:
    """Raise `BuildError` unless `output` may be written into: new, empty or ours, and no part of the site's sources."""
    if output.is_symlink():
        raise BuildError("invalid output: the folder is a symbolic link; name the folder it leads to", output)
    output = output.resolve()
    home = Path.home().resolve()
    if root is not None and root.resolve().is_relative_to(output):
        raise BuildError(f"invalid output: the site itself lies in {output}; choose a folder below it", output)
    if home.is_relative_to(output):
        raise BuildError(f"invalid output: the home folder lies in {output}", output)
    for name in SOURCES if root is not None else ():
        if root is not None and output.is_relative_to(root.resolve() / name):
            raise BuildError(f"invalid output: {output} lies among the site's sources in {name}/", output)
    if output.exists() and not output.is_dir():
        raise BuildError("invalid output: this is a file, not a folder", output)
    with _plain_words(output):
        names = {entry.name for entry in output.iterdir()} if output.is_dir() else set()
    if names - {STAGE} and MANIFEST not in names:  # a build killed before its first rename leaves only the stage
        raise BuildError("invalid output: the folder is not empty and no build of Fanlight made it", output)


def remove_site(output: Path, *, root: Path | None = None) -> frozenset[str]:
    """Remove what builds made in `output`, and return it; files that others put there stay, and so do their folders."""
    check_output(output, root)
    if not output.is_dir():
        return frozenset()
    with _plain_words(output), turn(output):
        ours = read_manifest(output)
        shutil.rmtree(output / STAGE, ignore_errors=True)
        _remove(sorted(ours, key=_order, reverse=True), output)
        (output / MANIFEST).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others' files keep the folder
            output.rmdir()
    return ours


def _stands(wanted: Mapping[str, File], output: Path, prune: bool) -> bool:
    """Whether all is as it should be, and so nobody's turn need be waited for; pages differ soonest."""
    if (output / STAGE).exists():  # somebody is writing, or was killed while writing
        return False
    before = read_manifest(output)
    _check_obstacles([path for path, content in wanted.items() if not isinstance(content, Kept)], before, output)
    is_whole = before == wanted.keys() if prune else before >= wanted.keys()
    return is_whole and all(_is_same(wanted[path], output / path) for path in sorted(wanted, key=_order, reverse=True))


def _write(wanted: Mapping[str, File], output: Path, prune: bool) -> Written:
    fresh = not output.exists()
    output.mkdir(parents=True, exist_ok=True)
    stage = output / STAGE
    shutil.rmtree(stage, ignore_errors=True)  # left by a build that was killed
    before = read_manifest(output)
    _check_obstacles([path for path, content in wanted.items() if not isinstance(content, Kept)], before, output)
    changed = [path for path in sorted(wanted, key=_order) if not _is_same(wanted[path], output / path)]
    stale = sorted(before - wanted.keys(), key=_order, reverse=True) if prune else []
    after = wanted.keys() if prune else before | wanted.keys()
    if not changed and before == after:
        return Written(frozenset(), frozenset())
    try:
        stage.mkdir()
        for number, path in enumerate(changed):
            _store(wanted[path], stage / str(number))
        write_manifest(output, before | wanted.keys())  # a kill from here on leaves no file that nobody owns
        for number, path in enumerate(changed):
            _make_way(path, before, output)
            (output / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / str(number)).replace(output / path)
        removed = _remove([path for path in stale if not _is_renamed(path, wanted, output)], output)
        write_manifest(output, after)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if fresh:
            with contextlib.suppress(OSError):  # nothing came of it
                output.rmdir()
    return Written(frozenset(changed), removed)


def _order(path: str) -> tuple[int, str]:
    """Sort what pages need before pages, and articles before the pages and feeds at the top that list them."""
    if not path.endswith((".html", ".xml")):
        return 0, path
    return 1 if "/" in path else 2, path


def _is_same(content: File, target: Path) -> bool:
    if isinstance(content, Kept):
        return True
    try:
        found = target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    if not stat.S_ISREG(found.st_mode):
        return False
    if isinstance(content, Path):
        return filecmp.cmp(content, target, shallow=False)
    return found.st_size == len(content) and target.read_bytes() == content


def _store(content: File, staged: Path) -> None:
    if isinstance(content, Path):
        shutil.copyfile(content, staged)
    elif isinstance(content, bytes):
        staged.write_bytes(content)


def _check_paths(paths: Iterable[str]) -> None:
    """Raise `BuildError` with one problem for each path that could lead out of the output, here or on Windows."""
    wrong = [path for path in paths if not is_inside(path)]
    if wrong:
        raise BuildError(problems=[Problem(f"invalid path: {path!r} leaves the site or is taken") for path in wrong])


def _check_obstacles(wanted: Sequence[str], ours: frozenset[str], output: Path) -> None:
    """Raise `BuildError` where somebody else's file, folder or link stands where one of ours must go."""
    problems = []
    for folder in sorted(_folders(wanted)):
        here = output / folder
        if here.is_symlink() or (here.exists() and not here.is_dir() and folder not in ours):
            problems.append(Problem("invalid output: a file or link stands where a folder must go", here))
    for path in wanted:
        here = output / path
        if here.is_dir() and not here.is_symlink():
            inside = (file.relative_to(output).as_posix() for file in here.rglob("*") if not file.is_dir())
            if not ours.issuperset(inside):
                problems.append(Problem("invalid output: a folder stands where a file must go", here))
    if problems:
        raise BuildError(problems=problems)


def _folders(paths: Iterable[str]) -> set[str]:
    """Return the folders in which these lie, and those in which they do."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def _make_way(path: str, ours: frozenset[str], output: Path) -> None:
    """Remove our own old file where a folder must go now, and our own old folder where a file must go."""
    for parent in PurePosixPath(path).parents:
        if str(parent) in ours and (output / parent).is_file():
            (output / parent).unlink()
    target = output / path
    if target.is_dir() and not target.is_symlink():
        _remove([old for old in ours if old.startswith(f"{path}/")], output)
        with contextlib.suppress(FileNotFoundError):
            target.rmdir()


def _is_renamed(old: str, wanted: Iterable[str], output: Path) -> bool:
    """Whether an old path is a new one in another case, on a file system where both are the same file."""
    twins = [path for path in wanted if path.casefold() == old.casefold()]
    return any((output / old).exists() and (output / old).samefile(output / twin) for twin in twins)


def _remove(paths: Iterable[str], output: Path) -> frozenset[str]:
    """Remove files, then the folders that this left empty; nothing behind a symbolic link."""
    removed = set()
    for path in paths:
        folders = [output / parent for parent in PurePosixPath(path).parents][:-1]
        if any(folder.is_symlink() for folder in folders):
            continue
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            (output / path).unlink()
            removed.add(path)
        for folder in folders:
            with contextlib.suppress(OSError):  # not empty
                folder.rmdir()
    return frozenset(removed)


@contextlib.contextmanager
def _plain_words(output: Path) -> Iterator[None]:
    """Turn what the operating system refuses into something an author can mend."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
        why = "the disk is full" if full else (error.strerror or str(error))
        place = Path(error.filename) if isinstance(error.filename, str) and not full else output
        raise BuildError(f"broken output: cannot write the site, {why}; the last good one stands", place) from error
