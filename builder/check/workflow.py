"""Whether the workflow that publishes installs the Fanlight that computed the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .. import __version__
from ..finding import Finding

__all__ = ["check_workflow"]

_PIN = re.compile(r"\bfanlight==([\w.+!-]+)")


def check_workflow(root: Path) -> Iterator[Finding]:
    """Yield a warning for each workflow with another version: answers are found by the code that made them, too."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    for file in sorted((top / ".github" / "workflows").glob("*.y*ml")):
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for number, line in enumerate(lines, 1):
            found = _PIN.search(line)
            if found and found[1] != __version__:
                wrong = f"invalid version: {found[1]}, and this is {__version__}; fanlight publish --workflow --force"
                yield Finding(wrong, file, number, found.start(1) + 1)
