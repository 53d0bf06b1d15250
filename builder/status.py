"""`FigureStatus`: of each computed figure, whether its answer is fresh, stale or missing, and why."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .cache import Cache, Ledger
from .document import Document
from .errors import Problem
from .plan import Plan, Question

__all__ = ["FigureStatus", "Survey", "figure_name", "read_status"]

State = Literal["fresh", "stale", "missing"]


@dataclass(frozen=True)
class FigureStatus:
    """How one figure stands, or one panel of a gallery.

    `stale`: it was answered before, but the question is another one now.
    """

    article: str
    label: str
    kind: str
    path: Path
    line: int
    state: State
    why: str
    address: str


@dataclass(frozen=True)
class Survey:
    """How all computed figures stand, the plan that their answers come from, and what is to be told of it."""

    figures: tuple[FigureStatus, ...]
    plan: Plan
    problems: tuple[Problem, ...]


def figure_name(article: str, anchor: str, panel: int = 1) -> str:
    """Return the name the ledger knows a figure by, or one of a gallery's panels, counted from 1."""
    return f"{article}#{anchor}" if panel == 1 else f"{article}#{anchor}.{panel}"


def read_status(documents: list[Document], plan: Plan, cache: Cache, ledger: Ledger) -> list[FigureStatus]:
    """Return the status of each computed figure that the plan could place, in reading order."""
    statuses = []
    for document in documents:
        slug = document.article.slug
        for spec in document.figures:
            panels = plan.figures.get((slug, spec.anchor), ())
            for number, panel in enumerate(panels, 1):
                question = plan.jobs[panel.address].question
                state, why = _judge(panel.address, question, cache, ledger.find(figure_name(slug, spec.anchor, number)))
                label = f"{spec.anchor} {number}/{len(panels)}" if len(panels) > 1 else spec.anchor
                status = FigureStatus(slug, label, question.kind, spec.path, spec.line, state, why, panel.address)
                statuses.append(status)
    return statuses


def _judge(address: str, question: Question, cache: Cache, last: Mapping[str, Any] | None) -> tuple[State, str]:
    if address in cache:
        return "fresh", "answered"
    if last is None:
        return "missing", "never computed here"
    changes = list(_changes(last, json.loads(json.dumps(dataclasses.asdict(question)))))
    return ("stale", "; ".join(changes)) if changes else ("missing", "its result is no longer in the cache")


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is different between two questions, in words."""
    if before.get("kind") != now["kind"]:
        yield f"analysis: {before.get('kind')} → {now['kind']}"
        return
    if before.get("code") != now["code"]:
        yield "the analysis' code or data changed"
    if before.get("model") != now["model"]:
        yield "the model's weights or revision changed"
    for part in ("run", "params", "numerics"):
        old = before.get(part)
        old = old if isinstance(old, dict) else {}
        for name, value in now[part].items():
            if old.get(name) != value and name != "model":
                yield f"{name}: {_short(old.get(name))} → {_short(value)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 32 else f"{text[:31]}…"
