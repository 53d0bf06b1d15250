"""`Follower`: builds when files change, always in one thread, and tells the preview and the terminal how it went."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import watchfiles
from watchfiles._rust_notify import WatchfilesRustInternalError

from ..errors import BuildError, Problem
from ..kind import forget_kinds
from ..progress import Listener

if TYPE_CHECKING:
    from ..build import Builder, Built
    from ..site import Site
    from ..terminal import Terminal
    from .state import Preview

__all__ = ["Follower", "watched"]

STEP = 20  # milliseconds without another change before a build: an editor's save is several changes
LONGEST = 400  # milliseconds of changes after which a build starts all the same

MakeSite = Callable[[], "Site"]
MakeBuilder = Callable[["Site", Listener], "Builder"]


def watched(site: Site) -> tuple[frozenset[Path], frozenset[Path]]:
    """Return the folders to watch by themselves, and those to watch with all below them.

    The root is watched for its `pyproject.toml`, and because files that are saved by renaming are lost to whoever
    watches them alone. What npm put into the theme is left out: thousands of files that nobody edits.
    """
    themes = [folder for folder in site.folders("theme") if folder.is_dir()]
    flat = {site.root, *themes}
    deep = {folder for folder in (site.content, site.root / "bib", *site.folders("figures")) if folder.is_dir()}
    for theme in themes:
        deep |= {entry for entry in theme.iterdir() if entry.is_dir() and entry.name not in {"node_modules", "built"}}
    return frozenset(flat), frozenset(deep)


class Follower:
    """Keeps a preview up to date. The builder lives in one thread of its own, where QuickJS and models stay loaded."""

    def __init__(self, preview: Preview, make_site: MakeSite, make_builder: MakeBuilder, terminal: Terminal) -> None:
        self.preview = preview
        self.is_building = False
        self._make_site = make_site
        self._make_builder = make_builder
        self._terminal = terminal
        self._builder: Builder | None = None
        self._touched: set[Path] = set()
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="build")
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Build, then build again whenever something changed; what changes during a build makes another."""
        places: object = None
        watchers: list[asyncio.Task[None]] = []
        try:
            while True:
                now = watched(self.preview.site)
                # a folder that came back under its name is another one, and who watched the old one hears nothing
                if now != places or not self._touched.isdisjoint(now[0] | now[1]):
                    places = now
                    await _cancel(watchers)
                    watchers = [
                        asyncio.create_task(self._watch(now[0], recursive=False)),
                        asyncio.create_task(self._watch(now[1], recursive=True)),
                    ]
                    await asyncio.sleep(0)  # they watch before anything is read
                touched, self._touched = frozenset(self._touched), set()
                self._wake.clear()
                await self._rebuild(touched)
                await self._wake.wait()
        finally:
            await _cancel(watchers)
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _watch(self, places: frozenset[Path], *, recursive: bool) -> None:
        site = self.preview.site
        polling: bool | None = None
        while places:
            try:
                async for changes in watchfiles.awatch(
                    *places, recursive=recursive, step=STEP, debounce=LONGEST, force_polling=polling
                ):
                    files = {Path(path) for _, path in changes}
                    if not recursive:  # the root also holds what is no part of the site
                        files = {file for file in files if _is_source(file, site)}
                    if files:
                        self._touched |= files
                        self._wake.set()
            except (OSError, WatchfilesRustInternalError) as error:
                if polling is None:
                    self._terminal.complain(f"files cannot be watched ({error}); looking for changes instead")
                polling = True
                await asyncio.sleep(0.5)

    async def _rebuild(self, touched: frozenset[Path]) -> None:
        start = time.perf_counter()
        self.is_building = True
        try:
            built = await self._loop.run_in_executor(self._thread, self._build, touched)
        except BuildError as error:
            if touched:
                self._say(_names(touched))
            self._terminal.show(error.problems)
            self.preview.fail(tuple(error.problems))
        except Exception as error:  # ours, or that of a kind somebody is writing; the preview outlives both
            self._terminal.complain(traceback.format_exc())
            self.preview.fail((Problem(f"broken build: {type(error).__name__}: {error} (the terminal has more)"),))
        else:
            if self.preview.succeed(built.marks) or not touched:
                self._terminal.show(built.problems)
                self._say(f"built in {time.perf_counter() - start:.2f} s{_names(touched, '  ')}")
        finally:
            self.is_building = False

    def _build(self, touched: frozenset[Path]) -> Built:
        """Build; in the building thread."""
        site = self.preview.site
        if any(file.suffix == ".py" for file in touched):
            forget_kinds()
            self._builder = None
        if self._builder is None or site.config in touched:
            site = self._make_site()
            if self._builder is None or site != self.preview.site:
                self._builder = self._make_builder(site, Relay(self._terminal.listener(), self._show_progress))
                self._loop.call_soon_threadsafe(setattr, self.preview, "site", site)
        return self._builder.build()

    def _show_progress(self, text: str) -> None:
        self._loop.call_soon_threadsafe(self.preview.progress, text)

    def _say(self, text: str) -> None:
        self._terminal.say(f"{time.strftime('%H:%M:%S')}  {text}")


class Relay:
    """A listener that tells another one, and the pages what is running."""

    def __init__(self, listener: Listener, tell: Callable[[str], None]) -> None:
        self._listener = listener
        self._tell = tell
        self._total = self._done = 0

    def started(self, n_jobs: int) -> None:
        """Begin to count."""
        self._total, self._done = n_jobs, 0
        self._listener.started(n_jobs)

    def running(self, text: str, where: str = "") -> None:
        """Pass on what is being done, and how far it is."""
        self._listener.running(text, where)
        if text:
            self._tell(f"{text} ({self._done} of {self._total} done)")

    def finished(self, text: str, where: str = "") -> None:
        """Count."""
        self._done += 1
        self._listener.finished(text, where)

    def left(self, seconds: float) -> None:
        """Pass it on."""
        self._listener.left(seconds)

    def message(self, text: str) -> None:
        """Pass it on."""
        self._listener.message(text)


def _is_source(file: Path, site: Site) -> bool:
    if file.parent == site.root:
        return file == site.config or file.suffix == ".bib" or file.name in {"content", "bib", "figures", "theme"}
    return True


def _names(touched: frozenset[Path], before: str = "") -> str:
    names = sorted({file.name for file in touched})
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{before}{shown}" if shown else ""


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
