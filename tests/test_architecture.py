"""The shape of the project: imports point one way, and nothing heavy is imported where nothing is computed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILDER = ROOT / "builder"

# From left to right as in `article → document → plan → results → page → site`: a module imports only from rows above,
# or from its own, where nothing comes back to it.
LAYERS = [
    {"__init__", "errors", "folders", "rounding"},
    {"finding", "model_source", "summary"},
    {"site", "slug", "figure", "parts", "quantised", "yaml_mapping"},
    {
        "kind",
        "parameters",
        "progress",
        "local",
        "machine",
        "source_map",
        "spoken",
        "gallery",
        "numerals",
        "paths",
        "ranges",
        "shares",
        "spark",
    },
    {"article", "bibliography", "mathematics"},
    {"directives"},
    {"document"},
    {"library"},
    {"plan"},
    {"cache", "sources"},
    {"costs"},
    {"model"},
    {"engine", "status"},
    {"assets", "faults", "pictures", "prose", "templates"},
    {"page"},
    {"listing", "thumbnails", "write"},
    {"deposit"},
    {"build"},
    {"check", "estimate", "publish"},
    {"terminal", "new", "clean", "importing"},
    {"preview"},
    {"commands"},
    {"arguments"},
    {"__main__"},
]


def room(path: Path) -> str:
    """Return the module or sub-package of `builder` a file belongs to."""
    return path.relative_to(BUILDER).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    """Return the project's own modules, without the files that a new site starts from."""
    return [p for p in sorted(BUILDER.rglob("*.py")) if "starter" not in p.parts]


def imported(path: Path) -> set[str]:
    """Return which rooms of `builder` a module imports from at run time, inside functions too."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            package = path.parents[node.level - 1]
            inside = package.relative_to(BUILDER).parts
            dotted = [*inside, *(node.module or "").split(".")] if node.module else list(inside)
            names = [dotted[0]] if dotted else [alias.name for alias in node.names]
            found.update(name for name in names if (BUILDER / name).is_dir() or (BUILDER / f"{name}.py").is_file())
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "builder":
            found.add((node.module or "").split(".")[1])
    return found - {room(path)}


def rank(name: str) -> int:
    """Return the row a room stands in."""
    return next(number for number, layer in enumerate(LAYERS) if name in layer)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(BUILDER)))
def test_every_module_has_its_place(path: Path) -> None:
    """A new module is put into a layer on purpose, not by accident."""
    assert any(room(path) in layer for layer in LAYERS), f"give {room(path)} a place in LAYERS"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(BUILDER)))
def test_imports_point_one_way(path: Path) -> None:
    """A module knows only what stands to its left in the pipeline."""
    right = {name for name in imported(path) if rank(name) > rank(room(path))}
    assert not right, f"{room(path)} imports {right}, which come after it"


def test_rooms_of_a_row_do_not_need_each_other() -> None:
    """Within a row, too, what is imported does not import its importer, not even by way of others."""
    needs: dict[str, set[str]] = {}
    for path in modules():
        beside = {name for name in imported(path) if rank(name) == rank(room(path))}
        needs.setdefault(room(path), set()).update(beside)
    tuple(TopologicalSorter(needs).static_order())  # raises CycleError


def test_a_build_imports_neither_torch_nor_transformers() -> None:
    """Importing the whole pipeline and every kind's analysis costs no torch, nor what takes long beside it."""
    program = (
        "import sys; from builder import __main__, build, folders, kind\n"
        "for found in kind.load_kinds([folders.built_in('figures')]).values(): found.analysis\n"
        "print(sorted({'torch', 'transformers', 'sklearn', 'numpy', 'psutil'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_only_main_prints_and_exits() -> None:
    """Everything else returns values and raises; what reaches a terminal goes through one door."""
    left_behind = {"commands/serve.py", "engine/pool.py"}  # a thread or a process that cannot be stopped in another way
    for path in modules():
        if room(path) in {"__main__", "terminal"}:
            continue
        calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
        names = {ast.unparse(call.func) for call in calls}
        assert not names & {"print", "sys.exit", "exit", "quit"}, path
        assert "os._exit" not in names or path.relative_to(BUILDER).as_posix() in left_behind, path


def test_html_and_scripts_stay_out_of_python() -> None:
    """Markup lives in templates: no Python string opens an element with attributes, a block or a script."""
    opened = re.compile(r"<(?:script|style|div)\b|<[a-zA-Z][\w-]*\s[^<>`]*=")
    others = {  # markup that is not ours to write elsewhere
        "directives/elsewhere.py",  # told to an author
        "directives/html_blocks.py",  # a placeholder in what an author wrote, until it is safe
        "importing/drawings.py",  # around a drawing that is taken over
    }
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                told = "`" in node.value or path.relative_to(BUILDER).as_posix() in others
                assert told or not opened.search(node.value), f"{path}:{node.lineno}"
