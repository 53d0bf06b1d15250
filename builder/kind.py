"""`Kind`: a folder of `figures/` that answers one kind of question; being there is its registration."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from .errors import BuildError
from .figure import Answer
from .folders import built_in
from .parts import Part, Spark

if TYPE_CHECKING:
    from .model import AnyRun

__all__ = ["NOT_CODE", "Analysis", "Kind", "code_digest", "forget_kinds", "load_kinds"]

PACKAGE = "fanlight_figures"  # kinds are imported as fanlight_figures.NAME.analysis, whichever folder they lie in

NOT_CODE = frozenset({".js", ".css", ".html", ".svg"})
"""What draws a figure: it says nothing of the answer."""

_EXAMPLES = ("example.json", "example")


class Analysis(Protocol):
    """What `figures/KIND/analysis.py` holds. It is imported by every build: torch only inside `analyse`."""

    Params: type[Any]
    """A frozen dataclass of the kind's own parameters; types are `str, int, float, bool`, `Literal`, tuples of
    them, or `| None`. Its docstring and field defaults are the kind's manual."""

    def analyse(self, run: AnyRun, params: Any) -> Answer:
        """Compute the answer for one run. Raises `BuildError` for what the author can mend."""

    def describe(self, data: Mapping[str, Any]) -> str:
        """Return one or two plain sentences that say what the figure shows: the alt text unless given."""

    # What a module need not have:
    #
    # READS = ("decoder", "encoder", "encoder-decoder")
    #     The families of models that it takes; decoders alone where it does not say.
    # NEEDS = ("neurons", "attention")
    #     What it asks a run for: of a short text the first pass keeps that, so that no block runs again for it.
    # USES = ("model_view", "head_view")
    #     Kinds whose views its own view draws with: their style sheets come along.
    # def parts(data) -> Mapping[str, Mapping[str, Part]]
    #     What prose may name of the figure, by aspect and name: {"factor": {"1": Part(1, colour=1), …}}.
    # def spark(data, aspect: str, part: Part) -> Spark
    #     One of these parts as a word-sized graphic; aspects that have none are left out of `SPARKS`, a tuple.
    # def extent(data) -> Mapping[str, float]
    #     Upper ends of the scales by name; panels of a gallery share the largest of each.


@dataclass(frozen=True)
class Kind:
    """A kind of figure: `analysis.py` computes, `view.js` draws, `fallback.html` is the same without JavaScript."""

    name: str
    folder: Path

    @property
    def analysis(self) -> Analysis:
        """The kind's module, imported on first use."""
        return cast(Analysis, _import(self.name, self.folder))

    @property
    def reads(self) -> tuple[str, ...]:
        """The families of models that the kind takes: decoders, unless it says more."""
        return tuple(getattr(self.analysis, "READS", ("decoder",)))

    @property
    def needs(self) -> frozenset[str]:
        """What the kind asks a run for."""
        return frozenset(getattr(self.analysis, "NEEDS", ()))

    @property
    def uses(self) -> tuple[str, ...]:
        """The kinds that the kind's own view draws with."""
        return tuple(getattr(self.analysis, "USES", ()))

    def parts(self, data: Mapping[str, Any]) -> Mapping[str, Mapping[str, Part]]:
        """Return what prose may name of a figure: parts by aspect (`factor`, `token`, `layer`) and name."""
        find: Any = getattr(self.analysis, "parts", None)
        return find(data) if find else {}

    @property
    def sparks(self) -> tuple[str, ...]:
        """The aspects whose parts can be drawn as word-sized graphics."""
        return tuple(getattr(self.analysis, "SPARKS", ()))

    def spark(self, data: Mapping[str, Any], aspect: str, part: Part) -> Spark:
        """Return a part of an aspect in `sparks` as a word-sized graphic."""
        draw: Any = getattr(self.analysis, "spark")  # noqa: B009 - not of the protocol
        found: Spark = draw(data, aspect, part)
        return found

    def extent(self, data: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the upper ends of a figure's scales by name, which panels of a gallery share."""
        find: Any = getattr(self.analysis, "extent", None)
        return find(data) if find else {}

    @property
    def code(self) -> str:
        """Digest of the code that computes this kind, of project modules it imports and of data that it may read."""
        return code_digest(self.folder)


def load_kinds(folders: Iterable[Path]) -> dict[str, Kind]:
    """Return the kinds found in `figures/` folders by name; an earlier folder wins over a later one."""
    kinds: dict[str, Kind] = {}
    for folder in folders:
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            if (entry / "analysis.py").is_file():
                kinds.setdefault(entry.name, Kind(entry.name, entry))
    return kinds


_IMPORTING = threading.RLock()
"""A module that one thread is in the middle of importing is already in `sys.modules`: others wait here for the end."""


def _import(name: str, folder: Path) -> ModuleType:
    """Import `folder/analysis.py` as a submodule of a package of its own, so that `from . import x` works there."""
    root = f"{PACKAGE}.{name}_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    with _IMPORTING:
        _join(folder.parent)
        found = sys.modules.get(f"{root}.analysis")
        if found is not None:
            return found
        if root not in sys.modules:
            module = ModuleType(root)
            module.__path__ = [str(folder)]
            sys.modules[root] = module
        try:
            return importlib.import_module(f"{root}.analysis")
        except Exception as error:
            for loaded in [key for key in sys.modules if key.startswith(root)]:
                del sys.modules[loaded]
            line = error.lineno if isinstance(error, SyntaxError) else None
            raise BuildError(
                f"invalid kind: {name} cannot be imported: {error}", folder / "analysis.py", line
            ) from error


def _join(figures: Path) -> None:
    """Let kinds import from one another, `from ..model_view import thumbs`; a site's own kinds come first."""
    package = sys.modules.setdefault(PACKAGE, ModuleType(PACKAGE))
    paths: list[str] = list(getattr(package, "__path__", []))
    if str(figures) not in paths:
        package.__path__ = [*paths, str(figures)] if figures == built_in("figures") else [str(figures), *paths]


def forget_kinds() -> None:
    """Let kinds be imported anew, with the modules beside them: files changed, or others have their names now."""
    with _IMPORTING:
        for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
            del sys.modules[name]


def code_digest(folder: Path) -> str:
    """Return the sha256 of a kind's Python files, of all project modules they import, directly or not, and of its data.

    Modules are found by reading import statements, those inside functions too, so nothing is imported for it.
    `builder.model` always counts: every analysis is handed a `Run`. Data are the other files of the folder, at any
    depth, but for those that draw and the example: whatever `analyse` reads there makes answers stale by changing.
    """
    package = Path(__file__).parent
    pending = [*sorted(folder.glob("*.py")), package / "model" / "__init__.py"]
    seen: dict[Path, bytes] = {}
    while pending:
        file = pending.pop()
        if file in seen or not file.is_file():
            continue
        seen[file] = _source(file, file.stat().st_mtime_ns)
        pending += _imported(file, file.stat().st_mtime_ns)
    digest = hashlib.sha256()
    for content in sorted(seen.values()):  # by content: a moved checkout, or a wheel, has the same digest
        digest.update(hashlib.sha256(content).digest())
    for file, found in _data(folder):
        digest.update(f"{file.relative_to(folder).as_posix()}\0".encode())
        digest.update(_sum(file, found.st_mtime_ns, found.st_size))
    return digest.hexdigest()


def _data(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the files that an analysis may read beside its code, in order of their names."""
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.suffix in NOT_CODE or file.suffix == ".py" or parts[0] in _EXAMPLES:
            continue
        if not any(part.startswith((".", "__pycache__")) for part in parts) and file.is_file():
            yield file, file.stat()


@cache
def _sum(file: Path, mtime: int, size: int) -> bytes:  # noqa: ARG001 - part of what is remembered
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


@cache
def _source(file: Path, mtime: int) -> bytes:  # noqa: ARG001 - part of what is remembered
    return file.read_bytes().replace(b"\r\n", b"\n")


@cache
def _imported(file: Path, mtime: int) -> tuple[Path, ...]:
    """Return the project files that a module imports: `builder.x`, and siblings by relative import."""
    package = Path(__file__).parent
    found: list[Path] = []
    for node in ast.walk(ast.parse(_source(file, mtime))):
        if isinstance(node, ast.Import):
            names = [(alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names = [(f"{base}.{alias.name}".strip("."), node.level) for alias in node.names] + [(base, node.level)]
        else:
            continue
        for name, level in names:
            parts = name.split(".") if name else []
            if level:
                start = file.parents[level - 1]
            elif parts and parts[0] == "builder":
                start, parts = package, parts[1:]
            else:
                continue
            target = start.joinpath(*parts)
            found += [path for path in (target.with_suffix(".py"), target / "__init__.py") if path.is_file()]
    return tuple(found)


def parameters(kind: Kind) -> tuple[dataclasses.Field[Any], ...]:
    """Return the fields of a kind's `Params`."""
    return dataclasses.fields(kind.analysis.Params)
