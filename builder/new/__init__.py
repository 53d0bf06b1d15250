"""A new site: the files of `starter/`, with its title put in."""

from __future__ import annotations

import datetime
import json
import re
import shutil
import tempfile
from pathlib import Path

from ..errors import BuildError
from .workflows import workflow_words

__all__ = ["new_site"]

STARTER = Path(__file__).parent / "starter"

HIDDEN = "dot-"  # a file that begins with a dot would mean something to git and packagers here already


def new_site(folder: Path, *, title: str | None = None, today: datetime.date | None = None) -> tuple[str, ...]:
    """Make a site in `folder` and return its files; it builds at once.

    Nothing is there before everything is: files are made beside the folder and moved. A folder that holds only `.git`
    counts as empty. Raises `BuildError` if there is something in it, or it cannot be made.
    """
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise BuildError("invalid folder: there is a file of that name", folder)
    try:
        if folder.is_dir() and {entry.name for entry in folder.iterdir()} - {".git"}:
            raise BuildError("invalid folder: it is not empty; a new site wants a folder of its own", folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as stage:
            files = _fill(Path(stage), _words(title or _title_of(folder), today or datetime.date.today()))
            folder.mkdir(exist_ok=True)
            # the pyproject.toml last: it is what makes a folder a site
            for entry in sorted(Path(stage).iterdir(), key=lambda entry: (entry.name == "pyproject.toml", entry.name)):
                shutil.move(entry, folder / entry.name)
    except OSError as error:
        raise BuildError(f"broken folder: {error.strerror or error}", folder) from error
    return files


def _fill(stage: Path, words: dict[str, str]) -> tuple[str, ...]:
    files = []
    for source in sorted(STARTER.rglob("*")):
        if source.is_dir() or "__pycache__" in source.parts:
            continue
        parts = [re.sub(f"^{HIDDEN}", ".", part) for part in source.relative_to(STARTER).parts]
        target = stage.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        # only these words: `$x$` is mathematics and `${{ }}` is GitHub's
        text = re.sub(rf"\$({'|'.join(words)})\b", lambda found: words[found[1]], text)
        target.write_text(text, encoding="utf-8", newline="\n")
        files.append("/".join(parts))
    return tuple(files)


def _words(title: str, today: datetime.date) -> dict[str, str]:
    """Return what is put in: the title as a TOML string and as Markdown, the date, and what workflows say."""
    title = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", title).split()) or "Fanlight"
    escaped = re.sub(r"([\\`*_{}\[\]<>#&|])", r"\\\1", title)
    own = {"title": json.dumps(title, ensure_ascii=False), "heading": escaped, "date": today.isoformat()}
    return {**workflow_words(), **own}


def _title_of(folder: Path) -> str:
    words = re.sub(r"[-_\s]+", " ", folder.resolve().name).strip()
    return words[:1].upper() + words[1:]
