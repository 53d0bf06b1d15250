"""Where Chromium is: on the system, from Playwright, or from Debian; as a program it installs what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

ARGUMENTS = [
    "--no-sandbox",  # root, as in CI, has no other way
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
]


def find_chromium() -> str | None:
    """Return a Chromium's path: `FANLIGHT_CHROMIUM`, one on PATH, or the one that Playwright installed."""
    named = os.environ.get("FANLIGHT_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or _find_playwrights()


def _find_playwrights() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def _try(*command: str) -> bool:
    print("·", " ".join(command), flush=True)  # noqa: T201 - a program of the set-up, and this may take a minute
    try:
        return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, timeout=900).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def main() -> int:
    """Make sure that there is a Chromium; return an exit status."""
    if find_chromium() or (_try(sys.executable, "-m", "playwright", "install", "chromium") and find_chromium()):
        return 0
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        _try("apt-get", "update", "-qq")
        _try("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
    if find_chromium():
        return 0
    sys.stderr.write(
        "missing Chromium: the browser tests need one. Install it with your system's packages, "
        "or name one with FANLIGHT_CHROMIUM=/path/to/chrome\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
