"""BertViz, fetched from its registry and run as it is, for a comparison; nothing of it comes into the environment."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

VERSION = "1.4.1"

SCRIPTS = {
    "require.min.js": ("requirejs@2.3.6", "package/require.js"),
    "d3.min.js": ("d3@5.7.0", "package/dist/d3.min.js"),
    "jquery.min.js": ("jquery@2.1.4", "package/dist/jquery.min.js"),  # npm has no 2.0.0, which it asks for
}
"""What its pages load from a CDN, by the last part of the address: the package on npm, and the file in it."""


def fetch(folder: Path) -> dict[str, bytes]:
    """Put BertViz into a folder and on Python's path; return the scripts that its pages load, by name."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*command, f"bertviz=={VERSION}"], check=True)
    sys.path.insert(0, str(folder))
    # it wants IPython for two classes that hold a text
    holder = lambda text: SimpleNamespace(data=text)  # noqa: E731
    display = ModuleType("IPython.display")
    display.__dict__.update(HTML=holder, Javascript=holder, display=print)
    sys.modules.setdefault("IPython", ModuleType("IPython"))
    sys.modules.setdefault("IPython.display", display)
    scripts = {}
    for name, (package, inside) in SCRIPTS.items():
        done = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(folder / done.stdout.split()[-1]) as archive:
            found = archive.extractfile(inside)
            assert found
            scripts[name] = found.read()
    return scripts


def page(view: str, attention: Sequence[Tensor], tokens: Sequence[str]) -> str:
    """Return the HTML of its `head_view` or `model_view`: attention a layer, each [1, heads, T, T]."""
    show: Any = getattr(importlib.import_module("bertviz"), view)
    made = show(list(attention), list(tokens), html_action="return")
    return f"<!doctype html><html><head><meta charset='utf-8'></head><body>{made.data}</body></html>"
