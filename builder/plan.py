"""`Plan`: which questions the figures of all articles ask, each once, before any model is loaded."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .document import Document
from .errors import BuildError, Problem, nearest
from .figure import FigureSpec, Option, RunSpec, address
from .kind import Kind, parameters
from .parameters import read_parameters
from .site import ModelSource, Site

__all__ = ["Job", "Plan", "Question", "make_plan"]

Fingerprint = Callable[[ModelSource], str]

_RUN = tuple(field.name for field in dataclasses.fields(RunSpec))


@dataclass(frozen=True)
class Question:
    """What a figure asks, in parts; their digest is the address, and their differences say why it is stale."""

    kind: str
    code: str
    model: str
    run: RunSpec
    params: Mapping[str, Any]
    numerics: Mapping[str, Any]

    @property
    def address(self) -> str:
        """The content address of the answer."""
        return address(self.kind, self.code, self.model, self.run, self.params, self.numerics)


@dataclass(frozen=True)
class Job:
    """A question to be answered, with whatever answers it, and the figures that wait for the answer."""

    address: str
    question: Question
    kind: Kind
    source: ModelSource
    run: RunSpec
    wanted_by: tuple[FigureSpec, ...]
    lines: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Where the first figure's article says what: its own options, its run's, its defaults'."""


@dataclass(frozen=True)
class Plan:
    """Jobs by address, and the address of each figure by `(slug, figure number)`."""

    jobs: Mapping[str, Job]
    figures: Mapping[tuple[str, int], str]
    problems: tuple[Problem, ...]


def make_plan(documents: Iterable[Document], site: Site, kinds: Mapping[str, Kind], fingerprint: Fingerprint) -> Plan:
    """Return the plan for all computed figures; what a figure asks wrongly becomes a problem at its line."""
    jobs: dict[str, Job] = {}
    figures: dict[tuple[str, int], str] = {}
    problems: list[Problem] = list(_default_problems(site.figures, kinds, site.config))
    prints = _Fingerprints(fingerprint)
    for document in documents:
        article = document.article
        defaults = {option: value.value for option, value in article.meta.figures.items()}
        problems += _default_problems(defaults, kinds, article.path, article.meta.figures)
        for spec in document.figures:
            if spec.kind is None:
                continue
            job, wrong = _ask(spec, document, site, kinds, prints)
            problems += wrong
            if job is not None:
                known = jobs.get(job.address)
                if known is not None:
                    job = dataclasses.replace(known, wanted_by=(*known.wanted_by, spec))
                jobs[job.address] = job
                figures[article.slug, spec.number] = job.address
    return Plan(jobs, figures, tuple(problems))


def _ask(
    spec: FigureSpec, document: Document, site: Site, kinds: Mapping[str, Kind], prints: _Fingerprints
) -> tuple[Job | None, list[Problem]]:
    assert spec.kind is not None
    name = str(spec.kind.value)
    if name not in kinds:
        return None, [Problem(f"unknown analysis: {name}{nearest(name, kinds)}", spec.path, spec.kind.line)]
    kind = kinds[name]
    own = {field.name for field in parameters(kind)}
    options, problems = _merge(spec, document, site, own)
    lines = {key: option.line for key, option in options.items()}

    run_options = {key: options.pop(key) for key in _RUN if key in options}
    unknown = {key: option for key, option in options.items() if key not in own}
    for key, option in unknown.items():
        close = nearest(key, [*own, *_RUN, "label", "layout", "alt", "run"])
        problems.append(Problem(f"unknown parameter of {name}: {key}{close}", spec.path, option.line))
        del options[key]
    run_options.setdefault("model", Option(site.model, spec.line))
    if "prompt" not in run_options:
        problems.append(Problem("missing prompt: a computed figure needs one, or a run", spec.path, spec.line))
        run_options["prompt"] = Option("missing", spec.line)
    run, wrong_run = read_parameters(RunSpec, run_options, spec.path)
    params, wrong_params = read_parameters(kind.analysis.Params, options, spec.path)
    problems += (*wrong_run, *wrong_params)

    source, wrong_model = _find_model(run_options["model"], site, spec)
    problems += wrong_model
    if source is None or problems or run is None or params is None:
        return None, problems
    try:
        weights = prints.of(source)
    except BuildError as error:
        if source in prints.told:
            return None, []
        prints.told.add(source)
        line = run_options["model"].line
        return None, [p if p.path else Problem(p.message, spec.path, line) for p in error.problems]
    question = Question(name, kind.code, weights, run, dataclasses.asdict(params), {"dtype": source.dtype})
    return Job(question.address, question, kind, source, run, (spec,), lines), []


def _merge(spec: FigureSpec, document: Document, site: Site, own: set[str]) -> tuple[dict[str, Option], list[Problem]]:
    """Return the options that hold for a figure: the site's defaults, the article's, the run's, its own."""
    meta = document.article.meta
    fitting = {*own, *_RUN}
    merged = {key: Option(value, spec.line) for key, value in site.figures.items() if key in fitting}
    merged.update({key: option for key, option in meta.figures.items() if key in fitting})
    asked = dict(spec.options)
    problems = []
    run = asked.pop("run", None)
    if run is not None:
        name = run.value if isinstance(run.value, str) else ""
        if name in meta.runs:
            merged.update(meta.runs[name])
        else:
            problems.append(Problem(f"unknown run: {name}{nearest(name, meta.runs)}", spec.path, run.line))
            merged["prompt"] = run
    merged.update(asked)
    return merged, problems


def _default_problems(
    defaults: Mapping[str, Any], kinds: Mapping[str, Kind], path: Path, options: Mapping[str, Option] | None = None
) -> Iterable[Problem]:
    """Yield a problem for each default that neither a run nor any kind knows."""
    if not defaults:
        return
    known = {*_RUN, *(field.name for kind in kinds.values() for field in parameters(kind))}
    for key in defaults:
        if key not in known:
            line = options[key].line if options else None
            yield Problem(f"unknown default for figures: {key}{nearest(key, known)}", path, line)


def _find_model(option: Option, site: Site, spec: FigureSpec) -> tuple[ModelSource | None, list[Problem]]:
    """Return the source of a model by its short name, or by what transformers users write: a hub id or a path.

    A bare word is a short name, or one of the hub's old ids without an owner (`gpt2`); if it is close to a short name
    it is a slip of the pen.
    """
    name = option.value
    if not isinstance(name, str):
        return None, []  # told as a wrong value of the run's
    if name in site.models:
        return site.models[name], []
    close = nearest(name, site.models)
    plain = re.fullmatch(r"[\w.-]+", name) is not None
    if re.match(r"(\.{0,2}/|~|pypi:)", name) or re.fullmatch(r"[\w.-]+/[\w.-]+", name) or (plain and not close):
        return ModelSource(name, name), []
    known = close or f" (known: {', '.join(sorted(site.models))}; or a hub id, or a path)"
    return None, [Problem(f"unknown model: {name}{known}", spec.path, option.line)]


class _Fingerprints:
    """Each model's fingerprint, asked for once; a model that cannot be had is told of once."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        self._fingerprint = fingerprint
        self._known: dict[ModelSource, str | BuildError] = {}
        self.told: set[ModelSource] = set()

    def of(self, source: ModelSource) -> str:
        if source not in self._known:
            try:
                self._known[source] = self._fingerprint(source)
            except BuildError as error:
                self._known[source] = error
        found = self._known[source]
        if isinstance(found, BuildError):
            raise found
        return found
