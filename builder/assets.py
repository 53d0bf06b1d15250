"""The front end's files: style sheets, scripts, fonts and the views of the kinds a site uses, under one digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .errors import BuildError
from .folders import built_in
from .kind import Kind
from .site import Site

__all__ = ["SITE_SHEET", "Assets", "collect_assets"]

BUILT = "built"  # what hatch_build.py fetches from npm and bundles when Fanlight is installed

SITE_SHEET = "site.css"
"""A site's own style sheet, which replaces none of ours."""

_IMPORT = re.compile(r'^@import\s+(?:url\()?"\./([\w.-]+\.css)"\)?\s*;[ \t]*$', re.MULTILINE)

_COMMENTS = {
    ".js": re.compile(rb"^[ \t]*(?:/\*(?:[^*]|\*(?!/))*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE),  # lines of their own
    ".css": re.compile(rb"[ \t]*/\*(?:[^*]|\*(?!/))*\*/(?:[ \t]*\n(?=[ \t]*\n))?"),
}

_VENDORED = ("fonts/*.woff2", "katex/katex.min.css", "katex/fonts/*.woff2", "licenses/*")


@dataclass(frozen=True)
class Assets:
    """Files by their path in the site; all lie in one folder named by the digest of their contents.

    So relative imports and `url()`s work as they stand in the sources, and a reader's cache never mixes two versions.
    """

    folder: str
    files: Mapping[str, bytes]

    def path(self, name: str) -> str:
        """Return the path in the site of an asset: `css/fanlight.css`, `js/mount.js`, `figures/KIND/view.js`."""
        return f"{self.folder}/{name}"

    @property
    def names(self) -> list[str]:
        """The assets' names without the digest's folder."""
        return [path[len(self.folder) + 1 :] for path in self.files]

    def __contains__(self, name: object) -> bool:
        return f"{self.folder}/{name}" in self.files


def collect_assets(site: Site, kinds: Iterable[Kind]) -> Assets:
    """Read all that pages need besides their own text. A site's own file wins over the built-in one of that name.

    Raises `BuildError` where the bundle is missing that installing Fanlight makes.
    """
    used = sorted(kinds, key=lambda kind: kind.name)
    found: dict[str, bytes] = {"css/fanlight.css": _style_sheet(site)}
    for folder in reversed(site.folders("theme")):
        found.update({f"js/{file.name}": _read(file) for file in sorted((folder / "js").glob("*.js"))})
        found.update({file.name: file.read_bytes() for file in sorted(folder.glob("favicon.*"))})
    bundle = site.folders("theme")[-1] / BUILT
    if not (bundle / "d3.js").is_file():
        raise BuildError("missing front-end bundle: install Fanlight with pip, or run python hatch_build.py", bundle)
    found["d3.js"] = (bundle / "d3.js").read_bytes()
    for pattern in _VENDORED:
        found.update({str(f.relative_to(bundle).as_posix()): f.read_bytes() for f in sorted(bundle.glob(pattern))})
    for folder in reversed(site.folders("theme")):  # a face that has the name of ours takes its place
        found.update({f"fonts/{file.name}": file.read_bytes() for file in sorted((folder / "fonts").glob("*.woff2"))})
    sheets: dict[str, bytes] = {}
    for folder in reversed(site.folders("figures")):
        found.update({f"figures/shared/{file.name}": _read(file) for file in sorted((folder / "shared").glob("*.js"))})
        sheets.update({file.name: _read(file) for file in sorted((folder / "shared").glob("*.css"))})
    found["css/figures.css"] = b"\n".join(sheets.values())  # one request
    for kind in used:
        for file in [*sorted(kind.folder.glob("*.js")), *sorted(kind.folder.glob("*.css"))]:
            found[f"figures/{kind.name}/{file.name}"] = _read(file)
    digest = hashlib.sha256()
    for name, content in sorted(found.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    place = f"assets/{digest.hexdigest()[:10]}"
    return Assets(place, {f"{place}/{name}": content for name, content in found.items()})


def _read(file: Path) -> bytes:
    """Return a script or style sheet, one of ours without its comments: a sixth of what readers would load.

    A site's own files are left as they are: who knows what stands in a template's text there.
    """
    ours = any(file.is_relative_to(built_in(name)) for name in ("figures", "theme"))
    found = file.stat()
    return _bare(file, found.st_mtime_ns, found.st_size) if ours else file.read_bytes()


@lru_cache(maxsize=512)
def _bare(file: Path, mtime: int, size: int) -> bytes:  # noqa: ARG001 - part of what is remembered
    return _COMMENTS[file.suffix].sub(b"", file.read_bytes())


def _style_sheet(site: Site) -> bytes:
    """Return `theme/css/main.css` with its imports in place: one request, and each concern still a file.

    A site's `theme/css/site.css` comes after all of it: what it says of a variable or an element counts.
    """

    def read(name: str) -> str:
        for folder in site.folders("theme"):
            file = folder / "css" / name
            if file.is_file():
                return _read(file).decode()
        raise BuildError(f"missing style sheet: {name}", site.folders("theme")[0] / "css" / "main.css")

    own = site.root / "theme" / "css" / SITE_SHEET
    last = [own.read_text(encoding="utf-8")] if own.is_file() else []
    return "\n".join([_IMPORT.sub(lambda found: read(found[1]), read("main.css")), *last]).encode()
