"""What `fanlight clean` removes: the site that builds made, and, if asked, what lies in the user's cache."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from .errors import BuildError
from .folders import cache_folder
from .site import Site
from .write import remove_site

__all__ = ["clean"]

RESULTS = ("results", "ledgers", "math", "files", "pictures", "drawings", "cards", "records", "feed", "search")
MODELS = ("checkpoints", "models", "offload")
KEPT = ("locks",)
"""What stays: empty files, which another build may hold; and so does `costs.jsonl`, how long answers took."""


def clean(site: Site, *, results: bool = False, models: bool = False) -> Iterator[tuple[Path, int]]:
    """Remove the site, and yield each folder that something was removed from, with the number of files.

    `results` adds the stored answers, formulas, pictures and cards, `models` the checkpoints and what is known of the
    hub's; sites share both, so others will compute or fetch them anew. The hub's own cache is not ours and stays.
    Raises `BuildError` where a file cannot be removed.
    """
    yield site.output, len(remove_site(site.output, root=site.root))
    for name in (*(RESULTS if results else ()), *(MODELS if models else ())):
        folder = cache_folder() / name
        n_files = sum(file.is_file() for file in folder.rglob("*"))
        try:
            if folder.is_dir():
                shutil.rmtree(folder)
        except OSError as error:
            raise BuildError(f"broken cache: {error.strerror or error}", folder) from error
        if n_files:
            yield folder, n_files
