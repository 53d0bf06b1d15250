"""`Plan`: which questions the figures of all articles ask, each once, before any model is loaded."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .document import Document
from .errors import BuildError, Problem, nearest
from .figure import FigureSpec, Option, RunSpec, address
from .gallery import GALLERY, read_gallery
from .kind import Kind, parameters
from .model_source import ModelSource
from .parameters import read_parameters
from .site import Site, setting_line
from .yaml_mapping import read_list

__all__ = ["Job", "Panel", "Plan", "Question", "make_plan"]

Fingerprint = Callable[[ModelSource], str]

_RUN = tuple(field.name for field in dataclasses.fields(RunSpec) if field.name != "pair")  # that is in the prompt


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
    versus: ModelSource | None = None
    """A second model that reads the same text, for kinds that compare two."""


@dataclass(frozen=True)
class Panel:
    """The address of one answer of a figure. A gallery has several, each with a title; any other figure has one."""

    address: str
    title: str = ""


@dataclass(frozen=True)
class Plan:
    """Jobs by address, and the panels of each figure by `(slug, the figure's anchor)`."""

    jobs: Mapping[str, Job]
    figures: Mapping[tuple[str, str], tuple[Panel, ...]]
    problems: tuple[Problem, ...]


def make_plan(documents: Iterable[Document], site: Site, kinds: Mapping[str, Kind], fingerprint: Fingerprint) -> Plan:
    """Return the plan for all computed figures; what a figure asks wrongly becomes a problem at its line."""
    jobs: dict[str, Job] = {}
    figures: dict[tuple[str, str], tuple[Panel, ...]] = {}
    problems: list[Problem] = list(_default_problems(site.figures, kinds, site.config))
    prints = _Fingerprints(fingerprint)
    for document in documents:
        article = document.article
        defaults = {option: value.value for option, value in article.meta.figures.items()}
        problems += _default_problems(defaults, kinds, article.path, article.meta.figures)
        for spec in document.figures:
            if spec.kind is None:
                continue
            asked, wrong = _ask(spec, document, site, kinds, prints)
            problems += [_where_said(problem, spec, site) for problem in wrong]
            for job, _ in asked:
                known = jobs.get(job.address, job)
                waiting = known.wanted_by if spec in known.wanted_by else (*known.wanted_by, spec)
                jobs[job.address] = replace(known, wanted_by=waiting)
            if asked:
                figures[article.slug, spec.anchor] = tuple(Panel(job.address, title) for job, title in asked)
    return Plan(jobs, figures, tuple(dict.fromkeys(problems)))


def _where_said(problem: Problem, spec: FigureSpec, site: Site) -> Problem:
    """Return a problem at the site's setting, where it is about one: what an author wrote has a line of its own.

    What the figure takes from the settings has the line that it begins on.
    """
    found = re.match(r"(?:invalid|unknown) (\w+):", problem.message)
    key = found[1] if found else ""
    if problem.line != spec.line or key in spec.options or not (key == "model" or key in site.figures):
        return problem
    return replace(problem, path=site.config, line=setting_line(site.config, key), column=None)


def _ask(
    spec: FigureSpec, document: Document, site: Site, kinds: Mapping[str, Kind], prints: _Fingerprints
) -> tuple[list[tuple[Job, str]], list[Problem]]:
    """Return the jobs of a figure's panels, each with the panel's title; none of them where one is wrong."""
    assert spec.kind is not None
    name = str(spec.kind.value)
    if name not in kinds:
        return [], [Problem(f"unknown analysis: {name}{_known(name, kinds)}", spec.path, spec.kind.line)]
    panels, wrong = read_gallery(spec.options, spec.path)
    problems = list(wrong)
    shared = {key: option for key, option in spec.options.items() if key not in (*GALLERY, "titles")}
    asked = []
    for panel in panels:
        job, wrong_panel = _ask_panel(spec, {**shared, **panel.options}, document, site, kinds[name], prints)
        problems += wrong_panel
        if job is not None:
            asked.append((job, panel.title))
    return ([] if problems or len(asked) < len(panels) else asked), problems


def _ask_panel(
    spec: FigureSpec,
    written: Mapping[str, Option],
    document: Document,
    site: Site,
    kind: Kind,
    prints: _Fingerprints,
) -> tuple[Job | None, list[Problem]]:
    own = {field.name for field in parameters(kind)}
    options, problems = _merge(spec, written, document, site, own)
    lines = {key: option.line for key, option in options.items()}

    run_options = {key: options[key] for key in _RUN if key in options}
    options = {key: option for key, option in options.items() if key not in _RUN or key in own}  # both have a seed
    unknown = {key: option for key, option in options.items() if key not in own}
    for key, option in unknown.items():
        close = nearest(key, [*own, *_RUN, *GALLERY, "titles", "label", "layout", "alt", "run"])
        known = close or _known(key, own, "; or an option of every computed figure")
        problems.append(Problem(f"unknown parameter of {kind.name}: {key}{known}", spec.path, option.line))
        del options[key]
    run_options.setdefault("model", Option(site.model, spec.line))
    if "prompt" not in run_options:
        problems.append(Problem("missing prompt: a computed figure needs one, or a run", spec.path, spec.line))
        run_options["prompt"] = Option("missing", spec.line)
    run_options |= _pair(run_options["prompt"])
    run, wrong_run = read_parameters(RunSpec, run_options, spec.path)
    params, wrong_params = read_parameters(kind.analysis.Params, options, spec.path)
    # what is missing stands nowhere: it is the figure that lacks it
    problems += [replace(wrong, line=wrong.line or spec.line) for wrong in (*wrong_run, *wrong_params)]

    source, wrong_model = _find_model(run_options["model"], site, spec)
    problems += wrong_model
    versus, wrong_versus = _find_versus(params, options, site, spec)
    problems += wrong_versus
    if source is None or problems or run is None or params is None:
        return None, problems
    weights, wrong_weights = prints.ask(source, spec.path, run_options["model"].line)
    numerics = {"dtype": source.dtype}
    if versus is not None:
        others, wrong_others = prints.ask(versus, spec.path, options["versus"].line)
        wrong_weights += wrong_others
        numerics |= {"versus": others or "", "versus dtype": versus.dtype}
    if weights is None or wrong_weights:
        return None, wrong_weights
    question = Question(kind.name, kind.code, weights, run, dataclasses.asdict(params), numerics)
    return Job(question.address, question, kind, source, run, (spec,), lines, versus), []


def _pair(prompt: Option) -> dict[str, Option]:
    """Return the options of a prompt that is a list of two texts, `[one, another]`; an encoder reads them as a pair.

    Other brackets belong to the text: `[INST] Hello [/INST]`, `[1, 2]`.
    """
    texts = prompt.value
    if isinstance(texts, str) and texts.lstrip().startswith("["):
        texts = read_list(texts)
    if isinstance(texts, list) and len(texts) == 2 and not any(map(_is_number, texts)):
        return {"prompt": Option(texts[0], prompt.line), "pair": Option(texts[1], prompt.line)}
    return {}


def _is_number(item: Any) -> bool:
    return not isinstance(item, str) or re.fullmatch(r"\s*[-+]?[\d._]+\s*", item) is not None


def _merge(
    spec: FigureSpec, written: Mapping[str, Option], document: Document, site: Site, own: set[str]
) -> tuple[dict[str, Option], list[Problem]]:
    """Return the options that hold for a panel: the site's defaults, the article's, the run's, its own."""
    meta = document.article.meta
    fitting = {*own, *_RUN}
    merged = {key: Option(value, spec.line) for key, value in site.figures.items() if key in fitting}
    merged.update({key: option for key, option in meta.figures.items() if key in fitting})
    asked = dict(written)
    problems = []
    run = asked.pop("run", None)
    if run is not None:
        name = run.value if isinstance(run.value, str) else ""
        if name in meta.runs:
            merged.update(meta.runs[name])
        else:
            problems.append(Problem(f"unknown run: {name}{_known(name, meta.runs)}", spec.path, run.line))
            merged["prompt"] = run
    merged.update(asked)
    return merged, problems


def _known(name: str, names: Iterable[str], more: str = "") -> str:
    """Return the nearest of the names that there are, or all of them where none is near."""
    return nearest(name, names) or f" (known: {', '.join(sorted(names)) or 'none of its own'}{more})"


def _default_problems(
    defaults: Mapping[str, Any], kinds: Mapping[str, Kind], path: Path, options: Mapping[str, Option] | None = None
) -> Iterable[Problem]:
    """Yield a problem for each default that neither a run nor any kind knows."""
    if not defaults:
        return
    known = {*_RUN, *(field.name for kind in kinds.values() for field in parameters(kind))}
    for key in defaults:
        if key not in known:
            line = options[key].line if options else setting_line(path, key)
            yield Problem(f"unknown default for figures: {key}{nearest(key, known)}", path, line)


def _find_model(
    option: Option, site: Site, spec: FigureSpec, key: str = "model"
) -> tuple[ModelSource | None, list[Problem]]:
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
    return None, [Problem(f"unknown {key}: {name}{known}", spec.path, option.line)]


def _find_versus(
    params: Any, options: Mapping[str, Option], site: Site, spec: FigureSpec
) -> tuple[ModelSource | None, list[Problem]]:
    """Return the source of the second model, where the kind's parameters name one as `versus`."""
    name = getattr(params, "versus", None)
    if name is None:
        return None, []
    return _find_model(Option(name, options["versus"].line), site, spec, "versus")


class _Fingerprints:
    """Each model's fingerprint, asked for once; a model that cannot be had is told of once."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        self._fingerprint = fingerprint
        self._known: dict[ModelSource, str | BuildError] = {}
        self.told: set[ModelSource] = set()

    def ask(self, source: ModelSource, path: Path, line: int) -> tuple[str | None, list[Problem]]:
        """Return a model's fingerprint, or None and, the first time, why it cannot be had."""
        if source not in self._known:
            try:
                self._known[source] = self._fingerprint(source)
            except BuildError as error:
                self._known[source] = error
        found = self._known[source]
        if isinstance(found, str):
            return found, []
        told = source in self.told
        self.told.add(source)
        return None, [] if told else [p if p.path else Problem(p.message, path, line) for p in found.problems]
