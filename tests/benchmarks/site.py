"""Whole sites: `python -m tests.benchmarks.site [--articles 1000] [--peers DIR]` beside Pelican, MkDocs and Hugo.

Each tool builds `site_corpus` from nothing, again with nothing changed, and again with one article edited, always in
a new process as from a command line. Ours and Hugo (once) set every formula at build; the others leave them to the
browser. The others are installed into environments of their own under `--peers`, a temporary folder otherwise; what
cannot be installed is left out.

CPU seconds are those of all processes of a build, memory is the most that they hold at one time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import say
from .site_corpus import slug, write_site

ROOT = Path(__file__).parents[2]
SETTINGS = Path(__file__).parent / "peers"
STEPS = ("clean", "nothing changed", "one edited")
STEP = 0.05
"""Seconds between two looks at how much memory is held."""


@dataclass(frozen=True)
class Tool:
    """A generator: how it is installed and called, and where it keeps what it wrote."""

    name: str
    dialect: str
    command: Callable[[Path], Sequence[str]]
    """From the folder of its environment."""
    page: str
    """A page, with `{}` for the slug."""
    formula: str
    """What each formula that was set at build has, or each that is left to the browser."""
    installs: Sequence[Sequence[str]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def _program(name: str) -> Callable[[Path], Sequence[str]]:
    return lambda folder: [str(folder / ("Scripts" if os.name == "nt" else "bin") / name)]


def _hugo(name: str, formula: str, katex: str) -> Tool:
    return Tool(
        name,
        "hugo",
        lambda folder: [*_program("hugo")(folder), "--quiet", "--cacheDir", "{cache}"],
        "_site/posts/{}/index.html",
        formula,
        [["hugo"]],
        {"HUGO_PARAMS_KATEX": katex},
    )


TOOLS = (
    Tool(
        "Fanlight",
        "fanlight",
        lambda _: [sys.executable, "-m", "builder", "build", "-q"],
        "_site/{}/index.html",
        'class="katex"',
        environment={"FANLIGHT_CACHE": "{cache}", "PYTHONPATH": "{program}"},
    ),
    _hugo("Hugo, KaTeX at build", 'class="katex"', "true"),
    _hugo("Hugo, browser mathematics", "\\(", "false"),
    Tool(
        "Pelican, browser mathematics",
        "pelican",
        lambda folder: [*_program("pelican")(folder), "-q", "-s", "pelicanconf.py"],
        "_site/{}.html",
        'class="math"',
        # pelican-cite asks for a pybtex that Python 3.11 does not run
        [["pelican", "markdown", "pelican-render-math", "pybtex>=0.24", "setuptools"], ["--no-deps", "pelican-cite"]],
    ),
    Tool(
        "MkDocs, browser mathematics",
        "mkdocs",
        lambda folder: [*_program("mkdocs")(folder), "build", "-q"],
        "_site/{}/index.html",
        'class="arithmatex"',
        [["mkdocs", "pymdown-extensions", "mkdocs-bibtex"]],
    ),
)


@dataclass(frozen=True)
class Cost:
    """What one build took; memory in bytes."""

    wall: float
    cpu: float
    memory: int


def build(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a build and return what it took. Raises `subprocess.CalledProcessError` where it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        peak = [0]
        watcher = threading.Thread(target=_watch, args=(process.pid, peak))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.join()
        if process.returncode:
            output.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, output.read().decode()[-2000:])
    return Cost(wall, usage.ru_utime + usage.ru_stime, max(peak[0], usage.ru_maxrss * 1024))


def _watch(pid: int, peak: list[int]) -> None:
    """Note how much a process and those below it hold together, as long as it runs; where /proc tells."""
    while (held := _held(pid)) > 0:
        peak[0] = max(peak[0], held)
        time.sleep(STEP)


def _held(pid: int) -> int:
    proc = Path(f"/proc/{pid}")
    try:
        pages = int((proc / "statm").read_text().split()[1])
        below = [int(child) for task in (proc / "task").iterdir() for child in (task / "children").read_text().split()]
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_held(child) for child in below)


def measure(tool: Tool, n_articles: int, peers: Path, options: argparse.Namespace) -> dict[str, Cost]:
    """Return what each step takes, the median of the rounds."""
    with tempfile.TemporaryDirectory() as temporary:
        site, cache = Path(temporary, "site"), Path(temporary, "cache")
        write_site(site, n_articles, dialect=tool.dialect, distinct=options.distinct, extras=options.extras)
        if (SETTINGS / tool.dialect).is_dir():
            shutil.copytree(SETTINGS / tool.dialect, site, dirs_exist_ok=True)
        command = [word.replace("{cache}", str(cache)) for word in tool.command(peers / tool.dialect)]
        given = {"{cache}": str(cache), "{program}": str(peers / "program")}
        environment = {name: given.get(value, value) for name, value in tool.environment.items()}
        edited = next(site.glob(f"**/{slug(n_articles // 2)}*/*.md"), None) or next(
            site.glob(f"**/{slug(n_articles // 2)}.md")
        )
        costs: dict[str, list[Cost]] = {step: [] for step in STEPS}
        for number in range(options.rounds):
            for folder in (site / "_site", cache):
                shutil.rmtree(folder, ignore_errors=True)
            costs["clean"].append(build(command, site, environment))
            _check(tool, site, n_articles)
            costs["nothing changed"].append(build(command, site, environment))
            text = edited.read_text(encoding="utf-8")
            edited.write_text(text.replace("\n\n## ", f" Edited{number}.\n\n## ", 1), encoding="utf-8", newline="\n")
            costs["one edited"].append(build(command, site, environment))
            page = site / tool.page.format(slug(n_articles // 2))
            if f"Edited{number}" not in page.read_text(encoding="utf-8"):
                raise RuntimeError(f"{tool.name} did not build what was edited")
    return {step: _median(found) for step, found in costs.items()}


def _check(tool: Tool, site: Path, n_articles: int) -> None:
    """Raise `RuntimeError` unless the first, middle and last page are there with all of their formulas."""
    for number in (0, n_articles // 2, n_articles - 1):
        page = (site / tool.page.format(slug(number))).read_text(encoding="utf-8")
        found = page.count(tool.formula) + (page.count("\\[") if tool.formula == "\\(" else 0)
        if found < 15:
            raise RuntimeError(f"{tool.name}: {found} formulas in {slug(number)}")


def _median(costs: Sequence[Cost]) -> Cost:
    wall, cpu = (statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu"))
    return Cost(wall, cpu, max(cost.memory for cost in costs))


def install(tool: Tool, peers: Path) -> str:
    """Install a tool unless it is there; return what is wrong, or nothing."""
    folder = peers / tool.dialect
    if not tool.installs or (folder / "done").exists():
        return ""
    venv.create(folder, with_pip=True, clear=True)
    for packages in tool.installs:
        command = [*_program("python")(folder), "-m", "pip", "install", "-q", *packages]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1]
    (folder / "done").touch()
    return ""


def report(name: str, costs: Mapping[str, Cost]) -> None:
    """Print a row: wall and CPU seconds of each step, and memory."""
    cells = "".join(f"{costs[step].wall:10.2f} ({costs[step].cpu:6.2f})" for step in STEPS)
    memory = max(cost.memory for cost in costs.values()) / 2**20
    say(f"{name:34}{cells}{memory:9.0f}{os.getloadavg()[0]:7.1f}")


def main() -> None:
    """Install, build, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 300], help="sites that ours is built for, too")
    parser.add_argument("--peers", type=Path, help="where the other generators are installed, and kept")
    parser.add_argument("--only", nargs="*", default=[], help="words of tools' names")
    parser.add_argument("--distinct", action="store_true", help="no two formulas alike")
    parser.add_argument("--extras", action="store_true", help="ours with search and cards, where they are installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        peers = (options.peers or Path(temporary)).resolve()
        copy_program(peers / "program")
        compare(options, peers)


def copy_program(folder: Path) -> None:
    """Copy ourselves: a page depends on the program's files, and somebody may work on them meanwhile."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("builder", "figures", "theme"):
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)


def compare(options: argparse.Namespace, peers: Path) -> None:
    """Build every site; print what it took, how ours grows with the articles, and the others as times ours."""
    say(f"{options.articles} articles, {os.cpu_count()} cores; seconds, wall (CPU); MB")
    say(f"{'':34}{''.join(f'{step:>19}' for step in STEPS)}{'memory':>9}{'load':>7}")
    ours: dict[str, Cost] | None = None
    for tool in TOOLS:
        if options.only and not any(word.casefold() in tool.name.casefold() for word in options.only):
            continue
        problem = install(tool, peers)
        if problem:
            say(f"{tool.name:34}left out: {problem}")
            continue
        try:
            if ours is None and tool is TOOLS[0]:
                ours = _grow(tool, peers, options)
                continue
            costs = measure(tool, options.articles, peers, options)
        except subprocess.CalledProcessError as error:
            say(f"{tool.name:34}failed: {error.output}")
            continue
        report(tool.name, costs)
        if ours is not None:
            ratios = ((costs[step].wall / ours[step].wall, costs[step].cpu / ours[step].cpu) for step in STEPS)
            say(f"{'  times ours':34}{''.join(f'{wall:10.1f} ({cpu:6.1f})' for wall, cpu in ratios)}")


def _grow(tool: Tool, peers: Path, options: argparse.Namespace) -> dict[str, Cost]:
    """Build sites of ours of all sizes, and return what the largest took."""
    least, costs = 0, dict[str, Cost]()
    first = 0.0
    for size in sorted({*options.sizes, options.articles}):
        costs = measure(tool, size, peers, options)
        report(f"{tool.name}, {size}", costs)
        if least:
            each = (costs["clean"].cpu - first) / (size - least) * 1000
            say(f"{f'  an article beyond {least}':34}{each:10.1f} ms of CPU")
        else:
            least, first = size, costs["clean"].cpu
    return costs


if __name__ == "__main__":
    main()
