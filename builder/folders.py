"""Folders that belong to no site: what comes with Fanlight, and the user's cache.

A module of its own: the code that runs models needs the cache, and the settings of a site are no part of an answer.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["BUILT_IN", "built_in", "cache_folder"]

_PACKAGE = Path(__file__).resolve().parent
BUILT_IN = _PACKAGE if (_PACKAGE / "theme").is_dir() else _PACKAGE.parent
"""The folder that holds our own `figures/` and `theme/`: inside the package in a wheel, beside it in a checkout."""


def built_in(name: str) -> Path:
    """Return one of the folders that come with Fanlight (`figures`, `theme`)."""
    return BUILT_IN / name


def cache_folder() -> Path:
    """Return the user's cache, shared between sites: `FANLIGHT_CACHE`, or where the platform keeps caches."""
    return Path(os.environ.get("FANLIGHT_CACHE") or platformdirs.user_cache_dir("fanlight")).expanduser().resolve()
