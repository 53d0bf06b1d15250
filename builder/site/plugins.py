"""`Plugin`: what an installed package adds to a site that names it: kinds of figures, or a plugin of markdown-it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BuildError, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from markdown_it import MarkdownIt

__all__ = ["GROUPS", "Plugin", "find_plugins", "places_of_plugins"]

GROUPS = {"kinds": "fanlight.kinds", "markdown": "fanlight.markdown"}
"""The groups of entry points. One in the first names a package whose folder holds kinds, as `figures/` does; one in the
second a function that is called with the parser when it has all of ours."""

_FOUND: dict[str, tuple[Path, ...]] = {}


@dataclass(frozen=True)
class Plugin:
    """One name of `plugins` in a site's settings. Pages depend on its `version`, and on the files in `places`."""

    name: str
    version: str
    """Distribution and version, as pip writes them."""
    kinds: Path | None = None
    """The folder that holds its kinds."""
    markdown: str = ""
    """`module:function`; the empty string for a plugin that has none."""
    places: tuple[Path, ...] = ()
    """The folders, or single modules, that its code lies in."""

    def extend(self, md: MarkdownIt) -> None:
        """Let the plugin change the parser. Raises `BuildError` where it cannot."""
        if not self.markdown:
            return
        from importlib.metadata import EntryPoint

        try:
            extend: Callable[[MarkdownIt], Any] = EntryPoint(self.name, self.markdown, GROUPS["markdown"]).load()
            extend(md)
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise BuildError(f"broken plugin: {self.name} ({self.markdown}, of {self.version}): {what}") from error


def find_plugins(names: Sequence[str], complain: Callable[[str], None]) -> tuple[Plugin, ...]:
    """Return the plugins that a site asks for, in its order; what is wrong with one is told.

    Nothing runs that is not named: other packages may have entry points here, and nobody looks at them. To look through
    all that is installed takes 10 ms; a site without plugins does not pay for it.
    """
    if not names:
        return ()
    from importlib.metadata import entry_points

    installed = {kind: {point.name: point for point in entry_points(group=group)} for kind, group in GROUPS.items()}
    known = {name for points in installed.values() for name in points}
    found = []
    for name in dict.fromkeys(names):
        if name not in known:
            complain(f"unknown plugin: {name}{nearest(name, known)} (is its package installed?)")
            continue
        points = {kind: points[name] for kind, points in installed.items() if name in points}
        try:
            found.append(_read(name, points))
            _FOUND[name] = found[-1].places
        except Exception as error:  # a parent package of it may fail in any way
            complain(f"broken plugin: {name} ({', '.join(p.value for p in points.values())}): {error}")
    return tuple(found)


def places_of_plugins() -> dict[str, tuple[Path, ...]]:
    """Return where the code of each plugin lies that was asked for in this process, by name."""
    return dict(_FOUND)


def _read(name: str, points: dict[str, EntryPoint]) -> Plugin:
    """Return a plugin. Raises what importing its parent packages does, and `ValueError` where there is no folder."""
    places = {kind: _place(point.module) for kind, point in points.items()}
    kinds = places.get("kinds")
    if kinds is not None and not kinds.is_dir():
        raise ValueError(f"{kinds.name} is no package")
    markdown = points.get("markdown")
    distribution = next(iter(points.values())).dist
    version = f"{distribution.name}=={distribution.version}" if distribution else ""
    return Plugin(name, version, kinds, markdown.value if markdown else "", tuple(dict.fromkeys(places.values())))


def _place(module: str) -> Path:
    """Return the folder of a package, or the file of a module, without importing it. Raises `ValueError`."""
    from importlib.util import find_spec

    spec = find_spec(module)
    if spec is None:
        raise ValueError(f"there is no module {module}")
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    if not spec.origin:
        raise ValueError(f"{module} has no file")
    return Path(spec.origin).resolve()
