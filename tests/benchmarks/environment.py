"""The environment of the benchmarks: `python -m tests.benchmarks.environment FOLDER`, run by the project's own Python.

FOLDER sees all that the project's environment has, and has the peers of the dependency group `bench` besides, so that
what they ask for changes nothing there. They are installed together, or, where that fails, one by one; those that do
not install are named, and the suite goes without them.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path

from . import say

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Make the environment, and say what could not be installed."""
    folder = Path(sys.argv[1])
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([python, "-c", query], capture_output=True, text=True, check=True).stdout.strip()
    seen = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"  # with the .pth files in there
    (Path(own) / "project.pth").write_text(seen, encoding="utf-8")
    peers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["bench"]
    if install(python, peers):
        for peer in peers:
            problem = install(python, [peer])
            if problem:
                say(f"make: {peer} does not install, the benchmarks go without it: {problem}")


def install(python: Path, packages: Sequence[str]) -> str:
    """Install packages with the project's pip; return what is wrong, or nothing."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    done = subprocess.run([*command, *constraints, *packages], capture_output=True, text=True, check=False)
    return (done.stderr.strip().splitlines() or ["pip said nothing"])[-1] if done.returncode else ""


if __name__ == "__main__":
    main()
