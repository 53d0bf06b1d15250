"""A fresh clone of a site that keeps its answers: no cache, no weights, no torch, and the same pages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from builder.build import Builder
from builder.check import check
from builder.errors import BuildError
from builder.new.workflows import light_requirements
from builder.site import find_site

from .conftest import SiteFolder

ROOT = Path(__file__).parents[2]


def closure(requirements: list[str]) -> Iterator[metadata.Distribution]:
    """Yield what pip would install for requirements, as far as it is installed here."""
    pending, seen = list(requirements), set()
    while pending:
        words = pending.pop()
        name, extras = re.match(r"([\w.-]+)(?:\[([^\]]*)\])?", words).groups()  # type: ignore[union-attr]
        if (name.lower(), extras) in seen:
            continue
        seen.add((name.lower(), extras))
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another system
        yield found
        for inner in found.requires or ():
            extra = re.search(r"extra == ['\"]([^'\"]+)", inner)
            if extra is None or extra[1] in (extras or "").split(","):
                pending.append(inner.partition(";")[0])


def light_library(folder: Path) -> Path:
    """Make a folder that holds what `light_requirements` brings, and nothing else that is installed here."""
    folder.mkdir()
    for distribution in closure(light_requirements()):
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}:
            target = folder / top
            if not target.exists():
                target.symlink_to(Path(str(distribution.locate_file(top))).resolve())
    return folder


def test_a_clone_builds_from_the_answers_in_it(folder: SiteFolder, tmp_path: Path) -> None:
    """With exactly what the workflow installs: the pages are those of the site, byte for byte."""
    (folder.root / "answers").mkdir()
    folder.build()
    clone = tmp_path / "clone"
    shutil.copytree(folder.root, clone, ignore=shutil.ignore_patterns("_site", "tiny"))
    library = light_library(tmp_path / "library")
    program = (
        f"import sys; sys.path[:0] = [{str(library)!r}, {str(ROOT)!r}]\n"
        "from builder.__main__ import main\n"
        "code = main(['build', '--frozen', '-q'])\n"
        "try: import torch\n"
        "except ImportError: sys.exit(code)\n"
        "sys.exit('torch is here')"
    )
    env = {**os.environ, "FANLIGHT_CACHE": str(tmp_path / "empty")}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=clone, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    files = {path: content for path, content in folder.snapshot().items() if path.startswith(("a/", "data/"))}
    assert len(files) >= 3
    assert {path: (clone / "_site" / path).read_bytes() for path in files} == files


def test_answers_that_no_page_shows_go(folder: SiteFolder) -> None:
    """The folder holds what the site shows, whichever builds there were; where there is no folder, none is made."""
    folder.build()
    assert not (folder.root / "answers").exists()
    (folder.root / "answers").mkdir()
    other = folder.write("answers/ab/notes.txt", "mine")
    folder.build()
    first = {file.stem for file in (folder.root / "answers").glob("??/*.json")}
    assert len(first) == 2
    text = (folder.root / "content/a/article.md").read_text()
    folder.article(text[: text.index(":::{figure}\n:label: fig-b")])
    folder.build()
    left = {file.stem for file in (folder.root / "answers").glob("??/*.json")}
    assert len(left) == 1
    assert left < first
    assert other.read_text() == "mine"
    assert list(json.loads((folder.root / "answers/models.json").read_text()).values()) != []


def test_a_model_that_changed_is_not_hidden_by_what_is_kept(
    folder: SiteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fingerprint that is kept counts only where nobody can know the model's own."""
    (folder.root / "answers").mkdir()
    folder.build()
    weights = folder.root / "tiny/config.json"
    weights.write_text(weights.read_text() + "\n")
    monkeypatch.setenv("FANLIGHT_CACHE", str(folder.root.parent / "empty"))
    with pytest.raises(BuildError, match="missing result"):
        Builder(find_site(folder.root), frozen=True).build()


def test_a_check_says_which_answers_a_clone_will_lack(folder: SiteFolder) -> None:
    """They were computed before the site kept any, say."""
    folder.build()
    (folder.root / "answers").mkdir()
    lacking = [found.message for found in check(find_site(folder.root)).findings if "answers/" in found.message]
    assert lacking == [
        f"missing answer: that of fig-{name} is not in answers/; build, and commit it" for name in ("a", "b")
    ]
    folder.build()
    assert not any("answers/" in found.message for found in check(find_site(folder.root)).findings)
