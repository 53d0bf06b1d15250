"""Answers of a clone or of a shared folder are others' work: a link among them is followed nowhere else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.cache import Cache, open_cache, open_shared
from builder.deposit import Deposit
from builder.errors import BuildError
from builder.figure import Result, RunSpec
from builder.plan import Question
from builder.site import Site

QUESTION = Question("activations", "code", "weights", RunSpec("m", "A prompt"), {}, {})
SAYS = {"fingerprint": "weights", "code": "code", "params": {}, "prompt": "A prompt"}
RESULT = Result(QUESTION.address, "activations", {"x": 1}, {}, SAYS, ("layer",))
PIECES = {"layer": {"x": 2}}
AT = QUESTION.address[:2]


def swap(place: Path, outside: Path) -> None:
    """Move what lies at a place out of its folder, and leave a link to it there: the content is right all the same."""
    outside.parent.mkdir(parents=True, exist_ok=True)
    place.rename(outside)
    place.symlink_to(outside)


def become_pipe(place: Path, outside: Path) -> None:
    """Put a pipe at a place, which nobody ever writes into."""
    place.unlink()
    os.mkfifo(place)


BROKEN = [
    (f"{AT}/{QUESTION.address}.json", swap),
    (f"{AT}/{QUESTION.address}/layer.json", swap),
    (f"{AT}/{QUESTION.address}", swap),
    (AT, swap),
    (f"{AT}/{QUESTION.address}.json", become_pipe),
    (f"{AT}/{QUESTION.address}/layer.json", become_pipe),
]
"""What lies in a folder of answers, and what somebody makes of it."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that keeps one answer, on a machine that has none."""
    root = tmp_path / "site"
    Cache(tmp_path / "maker").put(RESULT, PIECES)
    root.mkdir()
    (tmp_path / "maker/results").rename(root / "answers")
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "own"))
    return Site(root, root / "_site")


def test_what_lies_there_itself_is_found(site: Site) -> None:
    """As it is in a clone; a link that stays in the folder leads nowhere else."""
    assert open_cache(site).find(RESULT.address) == RESULT
    swap(site.root / "answers" / AT, site.root / "answers/elsewhere")
    assert open_cache(site).find(RESULT.address) == RESULT


@pytest.mark.parametrize(("path", "make"), BROKEN)
def test_a_link_among_a_clones_answers_is_not_read(
    path: str, make: Callable[[Path, Path], None], site: Site, tmp_path: Path
) -> None:
    """Whatever it leads to would be published; the answer is missing, and a pipe is not waited for."""
    make(site.root / "answers" / path, tmp_path / "outside/secret")
    assert open_cache(site).find(RESULT.address) is None


@pytest.mark.parametrize("scheme", ["", "file://", "local://"])
@pytest.mark.parametrize(("path", "make"), BROKEN)
def test_a_link_in_a_shared_folder_is_not_read(
    path: str, make: Callable[[Path, Path], None], scheme: str, tmp_path: Path
) -> None:
    """What only its reader may see would lie in their own cache, and in their site next."""
    place = tmp_path / "shared"
    place.mkdir()
    Cache(tmp_path / "ann", shared=open_shared(f"{scheme}{place}", tmp_path)).put(RESULT, PIECES)
    make(place / "results" / path, tmp_path / "outside/secret")
    ben = Cache(tmp_path / "ben", shared=open_shared(f"{scheme}{place}", tmp_path))
    ben.bring([QUESTION])
    assert ben.find(RESULT.address) is None
    assert ben.warnings() == []
    assert not list(tmp_path.glob("ben/**/*.json"))


@pytest.mark.parametrize("scheme", ["", "file://", "local://"])
@pytest.mark.parametrize("path", ["results", f"results/{AT}", f"results/{AT}/{QUESTION.address}"])
def test_nothing_is_written_behind_a_link_in_a_shared_folder(path: str, scheme: str, tmp_path: Path) -> None:
    """Who shares a folder may write into it, and has no say over what else its users may write into."""
    link, outside = tmp_path / "shared" / path, tmp_path / "outside"
    link.parent.mkdir(parents=True)
    outside.mkdir()
    link.symlink_to(outside)
    ann = Cache(tmp_path / "ann", shared=open_shared(f"{scheme}{tmp_path / 'shared'}", tmp_path))
    ann.put(RESULT, PIECES)
    (warning,) = ann.warnings()
    assert "leaves the folder; answers stay on this machine" in warning.message
    assert list(outside.iterdir()) == []
    assert ann.find(RESULT.address) == RESULT


def test_a_folder_of_answers_elsewhere_is_an_error(site: Site, tmp_path: Path) -> None:
    """What lies there was read, pruned and written over; now nothing is, and it is told before anything is computed."""
    other = tmp_path / "other/answers"
    swap(site.root / "answers", other)
    (other / "models.json").write_text("{}")
    before = {file: file.read_bytes() for file in other.rglob("*") if file.is_file()}
    deposit = Deposit(site.root)
    for doing in (lambda: open_cache(site), lambda: deposit.is_open, deposit.open):
        with pytest.raises(BuildError, match="invalid folder: answers is a link that leaves the site"):
            doing()
    assert {file: file.read_bytes() for file in other.rglob("*") if file.is_file()} == before
    assert not (other / ".gitattributes").exists()


@pytest.mark.parametrize("path", [AT, f"{AT}/{QUESTION.address}"])
def test_nothing_is_written_or_removed_behind_a_link_among_the_answers(path: str, site: Site, tmp_path: Path) -> None:
    """That the folder is one does not say that what lies in it is; a link is named, for somebody to remove."""
    deposit, own = Deposit(site.root), Cache(tmp_path / "own")
    swap(site.root / "answers" / path, tmp_path / "outside" / path)
    before = {file: file.read_bytes() for file in (tmp_path / "outside").rglob("*") if file.is_file()}
    deposit.keep([], {}, own, prune=True)
    assert {file: file.read_bytes() for file in (tmp_path / "outside").rglob("*") if file.is_file()} == before
    own.put(RESULT, {"layer": {"x": 3}})
    with pytest.raises(BuildError, match=f"invalid folder: answers/{AT}.* leads out of answers; remove the link"):
        deposit.keep([RESULT.address], {}, own, prune=True)
    assert {file: file.read_bytes() for file in (tmp_path / "outside").rglob("*") if file.is_file()} == before


def test_a_link_in_a_files_place_makes_way_for_the_file(site: Site, tmp_path: Path) -> None:
    """What it led to stays as it was, and what it said of models is not believed."""
    deposit, own = Deposit(site.root), Cache(tmp_path / "own")
    own.put(RESULT, PIECES)
    names = (f"{AT}/{QUESTION.address}.json", "models.json", ".gitattributes")
    for name in names:
        place, outside = site.root / "answers" / name, tmp_path / "outside" / name
        outside.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(outside)
        if name != ".gitattributes":  # what is not there yet must not be made, either
            outside.write_text('{"mine": "alone"}')
    assert deposit.addresses() == []
    deposit.open()
    deposit.keep([RESULT.address], {}, own, prune=False)
    assert deposit.addresses() == [RESULT.address]
    assert not any((site.root / "answers" / name).is_symlink() for name in names)
    assert (site.root / "answers/models.json").read_text() == "{}\n"
    assert [(tmp_path / "outside" / name).exists() for name in names] == [True, True, False]
    assert (tmp_path / "outside/models.json").read_text() == '{"mine": "alone"}'
