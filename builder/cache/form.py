"""`has_form`: whether what a stored result says of where it comes from has the form in which pages show it."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any

__all__ = ["has_form"]

_TEXTS = ("model", "revision", "license", "class", "dtype", "device", "processor", "prompt", "date")
_MAPPINGS = ("generation", "params", "placement", "versions")


def has_form(provenance: Mapping[str, Any]) -> bool:
    """Whether all that is there of it is of its type; a build would break off at anything else, in every article."""
    forms = [(name, str) for name in _TEXTS] + [(name, dict) for name in _MAPPINGS]
    return all(isinstance(provenance.get(name), (form, NoneType)) for name, form in forms)
