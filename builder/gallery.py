"""`read_gallery`: `models: [a, b]`, `prompts: [...]` or `runs: [...]` on a figure, as the panels that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from .errors import Problem
from .figure import Option
from .yaml_mapping import read_list

__all__ = ["GALLERY", "PanelSpec", "read_gallery"]

GALLERY = {"models": "model", "prompts": "prompt", "runs": "run"}
"""Options that name several, and what each of them stands for in a panel."""
TITLE = 80  # characters of a prompt that a panel's title shows


@dataclass(frozen=True)
class PanelSpec:
    """One panel as it is asked for: the options it has of its own, and its title."""

    options: Mapping[str, Option] = field(default_factory=dict)
    title: str = ""


def read_gallery(options: Mapping[str, Option], path: Path) -> tuple[tuple[PanelSpec, ...], tuple[Problem, ...]]:
    """Return a figure's panels, one without title where nothing asks for several, and what is wrong with what does.

    Models and prompts make a panel for every pair, the models' in the order of the list. `titles` replaces the titles,
    which otherwise name what differs.
    """
    problems: list[Problem] = []
    axes: list[list[tuple[str, Option]]] = []
    for name, single in GALLERY.items():
        if name not in options:
            continue
        values = _texts(name, options[name], path, problems)
        if single in options:
            line = options[single].line
            problems.append(Problem(f"duplicate {single}: {name} names them already (leave out one)", path, line))
        axes.append([(single, Option(value, options[name].line)) for value in values])
    if problems and not all(axes):  # a list that is none has told so: nothing is known of its panels
        return (), tuple(problems)
    if not axes:
        if "titles" in options:
            line = options["titles"].line
            problems.append(Problem("unknown titles: only a gallery has them (models, prompts or runs)", path, line))
        return (PanelSpec(),), tuple(problems)
    panels = [PanelSpec(dict(chosen), _title(chosen)) for chosen in product(*axes)]
    if "titles" in options:
        panels = _titled(panels, options["titles"], path, problems)
    return tuple(panels), tuple(problems)


def _texts(name: str, option: Option, path: Path, problems: list[Problem]) -> list[str]:
    """Return the texts of a list; a prompt may hold commas, so only YAML's own lists are lists."""
    texts = _list(option)
    if not texts:
        problems.append(Problem(f"invalid {name}: it is not a list such as [one, another]", path, option.line))
        return []
    twice = dict.fromkeys(text for text in texts if texts.count(text) > 1)
    told = [f"duplicate {GALLERY[name]}: {_short(text)} stands twice in {name}" for text in twice]
    problems += [Problem(message, path, option.line) for message in told]
    return texts


def _titled(panels: list[PanelSpec], option: Option, path: Path, problems: list[Problem]) -> list[PanelSpec]:
    titles = _list(option)
    if len(titles) != len(panels):
        problems.append(Problem(f"invalid titles: it is not a list of {len(panels)}, one a panel", path, option.line))
        return panels
    return [PanelSpec(panel.options, title) for panel, title in zip(panels, titles, strict=True)]


def _list(option: Option) -> list[str]:
    """Return a list of texts as they are written (`[yes, no]` are no booleans); an empty one if it is none."""
    found = option.value
    if isinstance(found, str) and found.lstrip().startswith("["):
        found = read_list(found)
    return found if isinstance(found, list) and all(isinstance(text, str) for text in found) else []


def _title(chosen: tuple[tuple[str, Option], ...]) -> str:
    return " · ".join(_short(option.value) for _, option in chosen)


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= TITLE else f"{words[: TITLE - 1].rstrip()}…"
