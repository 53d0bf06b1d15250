"""`Colophon`: which models an article's figures show, and with what and when their answers were computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..figure import Result

__all__ = ["Colophon", "ModelUsed", "read_colophon"]


@dataclass(frozen=True)
class ModelUsed:
    """A model of a certain revision, as a reader would look for it; empty texts are not known."""

    name: str
    revision: str
    licence: str
    network: str
    numbers: str
    """The numeric type of its weights: `float32`."""
    processors: tuple[str, ...]
    """The graphics cards that its answers were computed on."""
    partly: bool
    """Whether other answers were computed without one."""
    dates: tuple[str, ...]
    """The first and the last day of its answers, or the only one."""
    versions: tuple[tuple[str, str], ...]
    """Each library with its version; with several, where answers were computed with several."""


@dataclass(frozen=True)
class Colophon:
    """The models in the order of the figures; what is alike for all of them stands here once, else is empty."""

    models: tuple[ModelUsed, ...]
    dates: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]


def read_colophon(results: Iterable[Result]) -> Colophon:
    """Return what the results say of where they come from."""
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for result in results:
        origin = result.provenance
        model = tuple(str(origin.get(name) or "") for name in ("model", "revision", "license", "class", "dtype"))
        found.setdefault(model, []).append(origin)
    models = tuple(_read_model(model, origins) for model, origins in found.items())
    dates = {model.dates for model in models}
    versions = {model.versions for model in models}
    return Colophon(models, dates.pop() if len(dates) == 1 else (), versions.pop() if len(versions) == 1 else ())


def _read_model(model: tuple[str, ...], origins: list[Mapping[str, Any]]) -> ModelUsed:
    name, revision, licence, network, numbers = model
    days = sorted({str(origin["date"]) for origin in origins if origin.get("date")})
    cards = {str(origin.get("processor") or "") for origin in origins}
    versions: dict[str, set[str]] = {}
    for origin in origins:
        for library, version in (origin.get("versions") or {}).items():
            versions.setdefault(str(library), set()).add(str(version))
    return ModelUsed(
        name=name,
        revision="" if revision in name else revision,
        licence=licence,
        network=network,
        numbers=numbers,
        processors=tuple(sorted(cards - {""})),
        partly=bool(cards - {""}) and "" in cards,
        dates=tuple(dict.fromkeys((days[0], days[-1]))) if days else (),
        versions=tuple((library, " and ".join(sorted(found))) for library, found in versions.items()),
    )
