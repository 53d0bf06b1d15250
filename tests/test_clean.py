"""What `fanlight clean` removes from the user's cache is what the rest of the program puts there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import builder
from builder.clean import KEPT, MODELS, RESULTS, clean
from builder.folders import cache_folder
from builder.site import Site


def test_every_folder_of_the_cache_is_removed_or_kept_on_purpose() -> None:
    """A module that begins to keep something there says here who removes it."""
    sources = [file.read_text(encoding="utf-8") for file in Path(builder.__file__).parent.rglob("*.py")]
    named = {name for text in sources for name in re.findall(r'cache(?:_folder\(\))? / "(\w+)"', text)}
    assert {"checkpoints", "models", "pictures", "locks"} <= named
    assert named - {*RESULTS, *MODELS, *KEPT} == set()


def test_all_and_models_empty_the_cache_but_for_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither removes what the other does."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    for name in (*RESULTS, *MODELS, *KEPT):
        (cache_folder() / name).mkdir(parents=True, exist_ok=True)
        (cache_folder() / name / "file").touch()
    site = Site(root=tmp_path, output=tmp_path / "_site")
    assert {path.name for path, n_files in clean(site, results=True) if n_files} == set(RESULTS)
    assert {path.name for path, n_files in clean(site, models=True) if n_files} == set(MODELS)
    assert {entry.name for entry in cache_folder().iterdir() if entry.is_dir()} == set(KEPT)
