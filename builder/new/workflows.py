"""The workflows that publish a site on GitHub Pages and compute its answers, out of the files of `starter/`."""

from __future__ import annotations

import difflib
import importlib.metadata
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from .. import __version__
from ..errors import BuildError, Problem
from ..folders import BUILT_IN

__all__ = ["difference", "light_requirements", "make_workflows", "unreleased", "workflow_words", "write_workflows"]

_STARTER = Path(__file__).parent / "starter" / "dot-github"
_FILES = ("fanlight.txt", "workflows/compute.yml", "workflows/pages.yml")
COMPUTING = frozenset({"accelerate", "gguf", "numpy", "scikit-learn", "torch", "transformers"})
"""What only an analysis imports: a build that finds all of its answers stored does without."""


def light_requirements() -> list[str]:
    """Return what must be installed for a build that computes nothing, with the extras that are installed here."""
    checkout = BUILT_IN / "pyproject.toml"  # its metadata are as old as its last installation
    if checkout.is_file():
        project = tomllib.loads(checkout.read_text(encoding="utf-8"))["project"]
        plain, extras = project["dependencies"], project.get("optional-dependencies", {})
    else:
        plain, extras = _read_metadata(importlib.metadata.requires("fanlight") or [])
    more = [requirement for extra in extras.values() if all(map(_is_here, extra)) for requirement in extra]
    return sorted({_in_order(requirement) for requirement in (*plain, *more) if _name(requirement) not in COMPUTING})


def unreleased() -> str:
    """Return what is to be known of workflows where Fanlight did not come from a package index, as theirs will."""
    try:
        elsewhere = importlib.metadata.distribution("fanlight").read_text("direct_url.json")  # PEP 610: from where
    except importlib.metadata.PackageNotFoundError:
        elsewhere = str(BUILT_IN)
    pin = f"fanlight=={__version__}"
    return f"the workflows install {pin} from PyPI, and work once it is released there" if elsewhere else ""


def workflow_words(branch: str = "main", folder: str = ".", plugins: Iterable[str] = ()) -> dict[str, str]:
    """Return what is put into the files: `folder` is the site's, as seen from the top of its repository.

    `plugins` are installed beside Fanlight, as it is without what they depend on: that may be Fanlight with torch.
    """
    releases = dict.fromkeys((f"fanlight=={__version__}", *plugins))
    return {
        "branch": json.dumps(branch, ensure_ascii=False),
        "folder": json.dumps(folder, ensure_ascii=False),
        "output": json.dumps(str(PurePosixPath(folder) / "_site"), ensure_ascii=False),
        "release": " ".join(f'"{release}"' for release in releases),
        "requirements": "\n".join(light_requirements()),
    }


def make_workflows(branch: str, folder: str = ".", plugins: Iterable[str] = ()) -> dict[str, str]:
    """Return the files' texts, by their paths in the repository; `plugins` as pip writes them, `name==version`."""
    words = workflow_words(branch, folder, plugins)
    pattern = re.compile(rf"\$({'|'.join(words)})\b")  # `${{ }}` is GitHub's, `$GITHUB_…` the shell's
    texts = {name: (_STARTER / name).read_text(encoding="utf-8") for name in _FILES}
    return {f".github/{name}": pattern.sub(lambda found: words[found[1]], text) for name, text in texts.items()}


def write_workflows(top: Path, files: Mapping[str, str], *, force: bool = False) -> list[str]:
    """Write the files and return those that are new or other than they were.

    Raises `BuildError`, before anything is written, for each that is there and says something else, unless `force`.
    """
    different = [path for path, text in files.items() if _read(top / path) != text]
    there = [path for path in different if (top / path).exists()]
    if there and not force:
        message = "duplicate workflow: it is there, and differs; --force writes over it"
        raise BuildError(problems=[Problem(message, top / path) for path in there])
    for path in different:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(files[path], encoding="utf-8", newline="\n")
    return different


def difference(top: Path, files: Mapping[str, str]) -> str:
    """Return how the files that are there differ from what would be written, as `diff -u` says it."""
    lines: list[str] = []
    for path, text in files.items():
        old = _read(top / path)
        if old is not None and old != text:
            lines += difflib.unified_diff(old.splitlines(), text.splitlines(), path, path, "there", "new", lineterm="")
    return "\n".join(lines)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _read_metadata(requirements: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return requirements as a project file has them, apart from those of extras."""
    plain: list[str] = []
    extras: dict[str, list[str]] = {}
    for requirement in requirements:
        words, _, extra = requirement.partition("extra == ")
        if extra:
            words = re.sub(r"\s*(;|and)\s*$", "", words.strip())
            extras.setdefault(extra.strip("'\" )"), []).append(words)
        else:
            plain.append(requirement)
    return plain, extras


def _in_order(requirement: str) -> str:
    """Return a requirement as metadata have it, whoever wrote it: versions in order, a space after the semicolon."""
    words, semicolon, marker = requirement.partition(";")
    name, versions = re.fullmatch(r"([\w.-]*(?:\[.*\])?)\s*(.*?)\s*", words).groups()  # type: ignore[union-attr]
    return f"{name}{','.join(sorted(versions.split(',')))}" + (f"; {marker.strip()}" if semicolon else "")


def _is_here(requirement: str) -> bool:
    try:
        importlib.metadata.distribution(_name(requirement))
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]*", requirement)[0]).lower()  # type: ignore[index]
