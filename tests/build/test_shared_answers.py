"""A site whose answers are shared: what one machine has computed, another publishes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from builder import engine
from builder.build import status, survey
from builder.check import check
from builder.errors import BuildError
from builder.site import find_site

from .conftest import SiteFolder


def _share(folder: SiteFolder, place: str) -> None:
    config = folder.root / "pyproject.toml"
    config.write_text(config.read_text().replace("[tool.fanlight]\n", f'[tool.fanlight]\ncache = "{place}"\n', 1))


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that goes to another machine: a user's cache of its own."""
    return lambda name: monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / name))


@pytest.mark.parametrize("frozen", [False, True])
def test_what_one_machine_computed_another_publishes(
    frozen: bool, folder: SiteFolder, tmp_path: Path, move: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes, and no model is run for it; with --frozen too, for all is answered."""
    (tmp_path / "team").mkdir()
    _share(folder, str(tmp_path / "team"))
    assert folder.build().computed == 2
    before = folder.snapshot()

    move("other")
    computed: list[object] = []
    monkeypatch.setattr(engine, "run_jobs", lambda jobs, *_, **__: computed.extend(jobs))
    built = folder.build(frozen=frozen)
    assert (built.computed, built.cached, built.problems, computed) == (0, 2, (), [])
    assert folder.snapshot() == before
    (tmp_path / "team").rename(tmp_path / "gone")
    assert folder.build(frozen=frozen).problems == ()  # all is on this machine now, and nobody is asked


def test_a_place_that_is_gone_costs_a_warning(folder: SiteFolder, tmp_path: Path) -> None:
    """What is missing is computed, kept on this machine, and the site is as it would be."""
    _share(folder, str(tmp_path / "unmounted"))
    built = folder.build()
    assert built.computed == 2
    assert [problem.severity for problem in built.problems] == ["warning", "warning"]
    assert "cannot be read: there is no folder" in built.problems[0].message
    assert folder.build().problems == ()


def test_a_frozen_build_without_its_place_is_an_error(folder: SiteFolder, tmp_path: Path) -> None:
    """Nothing is computed in its stead; that the place is gone is told beside what is missing."""
    _share(folder, str(tmp_path / "unmounted"))
    with pytest.raises(BuildError, match="missing result: fig-a is not stored") as raised:
        folder.build(frozen=True)
    assert any("cannot be read" in problem.message for problem in raised.value.problems)


def test_a_place_that_cannot_be_spoken_to_is_an_error_before_anything_is_computed(
    folder: SiteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes hours is not computed to be shared with nobody; a check tells of it beside all else."""
    _share(folder, "s3://bucket/x")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.setattr(engine, "run_jobs", lambda *_, **__: pytest.fail("a model was run"))
    message = "missing package: s3:// needs s3fs: pip install s3fs"
    with pytest.raises(BuildError) as raised:
        folder.build()
    assert [problem.message for problem in raised.value.problems] == [message]
    findings = check(find_site(folder.root)).findings
    assert [finding.severity for finding in findings if finding.message == message] == ["error"]
    assert any(finding.message.startswith("missing result: fig-a") for finding in findings)


def test_status_looks_where_a_build_would(folder: SiteFolder, tmp_path: Path, move: Any) -> None:
    """An answer of the team is fresh; with --frozen nobody outside this machine is asked."""
    (tmp_path / "team").mkdir()
    _share(folder, str(tmp_path / "team"))
    folder.build()
    move("other")
    site = find_site(folder.root)
    assert [figure.state for figure in status(site, frozen=True)] == ["missing", "missing"]
    assert [figure.state for figure in status(site)] == ["fresh", "fresh"]
    assert survey(site).problems == ()


def test_processes_share_what_they_compute_and_tell_what_was_refused(
    folder: SiteFolder, tmp_path: Path, move: Any
) -> None:
    """Each process of -j writes through; where the place takes nothing it is told once, whichever process it was."""
    (tmp_path / "team").mkdir()
    _share(folder, f"file://{tmp_path / 'team'}")
    built = folder.build(jobs=2)
    assert (built.computed, built.problems) == (2, ())
    move("other")
    assert folder.build(frozen=True).cached == 2

    shutil.rmtree(tmp_path / "team/results")
    (tmp_path / "team/results").touch()  # no folder can be made there
    built = folder.build(jobs=2, refresh=frozenset({"fig-a"}))
    assert built.computed == 1
    assert ["cannot be written" in problem.message for problem in built.problems] == [True]
