"""Where Chromium is: on the system, from Playwright, or from Debian.

As a program it installs what is missing, also for the tests in other engines, which do without where there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from engines import ENGINES, PACKAGES, missing

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

ARGUMENTS = [
    "--no-sandbox",  # root, as in CI, has no other way
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
]

PLAYWRIGHT = (sys.executable, "-m", "playwright")


def find_chromium() -> str | None:
    """Return the first Chromium that starts: `FANLIGHT_CHROMIUM` if set, else one on PATH, else Playwright's."""
    # A path is not enough: Playwright's may lack system libraries, and Ubuntu's may be a word on where to get it.
    return next((path for path in _candidates() if _try(path, "--version", quiet=True)), None)


def playwright_starts() -> bool:
    """Return whether Playwright's driver runs: it brings its own Node.js, which needs the system's libatomic."""
    return _try(*PLAYWRIGHT, "--version", quiet=True)


def _candidates() -> Iterator[str]:
    if named := os.environ.get("FANLIGHT_CHROMIUM"):
        yield named
        return
    yield from filter(None, map(shutil.which, NAMES))
    if playwright_starts():
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
        yield path


def _try(*command: str, quiet: bool = False) -> bool:
    if not quiet:
        print("·", " ".join(command), flush=True)  # noqa: T201 - a program of the set-up, and this may take a minute
    errors = subprocess.DEVNULL if quiet else None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # apt names five hundred packages
            stderr=errors,
            timeout=900,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Make sure that there is a Chromium, and a Playwright to drive it; return an exit status."""
    named = os.environ.get("FANLIGHT_CHROMIUM")
    if named and not find_chromium():
        sys.stderr.write(f"broken FANLIGHT_CHROMIUM: {named} does not start\n")
        return 1
    if not find_chromium() and playwright_starts():
        _try(*PLAYWRIGHT, "install", "chromium")
    lacking = [] if find_chromium() else ["chromium"]
    lacking += [] if playwright_starts() else ["libatomic1"]
    more = [] if not any(map(missing, ENGINES)) else PACKAGES
    if (lacking or more) and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        _try("apt-get", "update", "-qq")
        for package in (*lacking, *more):  # one by one: those that a system does not have keep no other out
            _try("apt-get", "install", "-y", "-qq", "-o=Dpkg::Use-Pty=0", "--no-install-recommends", package)
    if not playwright_starts():
        sys.stderr.write(
            "broken Playwright: its driver, which drives the browser tests, does not start. "
            f"`{' '.join(PLAYWRIGHT)} --version` says why; on Debian it may be that libatomic1 is missing.\n"
        )
        return 1
    if not find_chromium():
        sys.stderr.write(
            "missing Chromium: the browser tests need one. Install it with your system's packages, "
            "or name one with FANLIGHT_CHROMIUM=/path/to/chrome\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
