"""The command line: `fanlight new import build serve status check publish clean`; only it prints and exits.

Everything a command needs is imported when it runs: `fanlight --help` answers at once, and a build that finds all its
answers stored never loads torch.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .arguments import parse
from .errors import BuildError, Problem

if TYPE_CHECKING:
    from .build import Builder
    from .progress import Listener
    from .site import Site
    from .terminal import Terminal

__all__ = ["build", "main", "serve"]

WELL, AUTHOR, USAGE, OURS, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 well, 1 the author's errors, 2 usage, 3 ours, 130 interrupted."""
    from .terminal import Terminal

    gc.set_threshold(50_000, 20, 20)  # a command does not live long enough to look for cycles all the time
    try:
        options = parse(sys.argv[1:] if argv is None else list(argv))
    except SystemExit as exit_:  # argparse has printed help, a version, or what is wrong with the arguments
        return int(exit_.code or 0)
    terminal = Terminal(quiet=options.quiet, verbose=options.verbose)
    try:
        return COMMANDS[options.command](options, terminal)
    except BuildError as error:
        terminal.show(error.problems)
        return AUTHOR
    except KeyboardInterrupt:
        terminal.complain("interrupted; the last good site stands")
        return INTERRUPTED
    except BrokenPipeError:  # `fanlight status | head`: whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WELL
    except Exception as error:
        return _explain(error, terminal)


def build() -> int:
    """Run `fanlight build`, as the command `build`."""
    return main(["build", *sys.argv[1:]])


def serve() -> int:
    """Run `fanlight serve`, as the command `serve`."""
    return main(["serve", *sys.argv[1:]])


# the commands


def _new(options: argparse.Namespace, terminal: Terminal) -> int:
    from .new import new_site

    for path in new_site(options.folder, title=options.title):
        terminal.say(f"  {path}")
    here = options.folder.resolve() == Path.cwd()
    terminal.say(f"made a site; next: {'' if here else f'cd {options.folder} && '}fanlight serve")
    return WELL


def _import(options: argparse.Namespace, terminal: Terminal) -> int:
    from .importing import import_article

    site = _site(options, terminal)
    done = import_article(options.source, site, into=options.into, slug=options.slug, force=options.force)
    terminal.show(done.problems, count=False)
    told = f", {_number(len(done.problems), 'thing')} to look at" if done.problems else ""
    terminal.say(f"{_number(len(done.files), 'file')} in {terminal.seen(done.folder)}{told}")
    return WELL


def _build(options: argparse.Namespace, terminal: Terminal) -> int:
    site = _site(options, terminal)
    built = _builder(site, options, terminal.listener(), keep_models=False).build()
    terminal.show(built.problems)
    answers = f"{_number(built.computed, 'answer')} computed, {built.cached} stored"
    page = "index.html" if "index.html" in built.pages else built.pages[0]
    where = terminal.seen(site.output / page)
    terminal.say(f"{_number(len(built.pages), 'page')}, {answers}, in {built.seconds:.2f} s: {where}")
    return WELL


def _serve(options: argparse.Namespace, terminal: Terminal) -> int:
    from .serve import serve as run_server

    def make_builder(site: Site, listener: Listener) -> Builder:
        builder = _builder(site, options, listener, keep_models=True)
        options.refresh = []  # once, and not again whenever the settings change
        return builder

    served = run_server(
        lambda: _site(options, terminal),
        make_builder,
        terminal,
        port=options.port,
        open_browser=options.open,
    )
    if served.is_building:  # its thread cannot be stopped, only left behind; all it writes, it writes atomically
        import multiprocessing

        terminal.rest()
        for process in multiprocessing.active_children():  # those of -j, which would wait for work for ever
            process.terminate()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)
    return INTERRUPTED


def _status(options: argparse.Namespace, terminal: Terminal) -> int:
    from .build import survey
    from .terminal import table

    site = _site(options, terminal)
    if options.estimate:
        return _estimate(site, options, terminal)
    found = survey(site, frozen=options.frozen)
    figures = found.figures
    terminal.show(found.problems)
    if options.json:
        import dataclasses
        import json

        rows = [{**dataclasses.asdict(figure), "path": terminal.seen(figure.path)} for figure in figures]
        terminal.answer(json.dumps(rows, indent=2, ensure_ascii=False))
        return WELL
    if not figures:
        terminal.say("no computed figures")
        return WELL
    colours = {"fresh": "green", "stale": "yellow", "missing": "red"}
    head = ("figure", "kind", "state", "why", "where")
    cells = [(f"{f.article}#{f.label}", f.kind, f.state, f.why, f"{terminal.seen(f.path)}:{f.line}") for f in figures]
    lines = table(cells, head)
    terminal.answer(terminal.paint(lines[0], "dim"))
    for figure, line in zip(figures, lines[1:], strict=True):
        state = terminal.paint(figure.state, colours[figure.state])
        at = line.index(f"  {figure.state}", len(f"{figure.article}#{figure.label}")) + 2
        terminal.answer(line[:at] + state + line[at + len(figure.state) :])
    return WELL


def _estimate(site: Site, options: argparse.Namespace, terminal: Terminal) -> int:
    from .estimate import estimate
    from .terminal import table

    expected = estimate(site, frozen=options.frozen, workers=options.jobs)
    terminal.show(expected.problems)
    if options.json:
        import dataclasses
        import json

        told = {name: value for name, value in dataclasses.asdict(expected).items() if name != "problems"}
        terminal.answer(json.dumps(told, indent=2, ensure_ascii=False))
        return WELL
    from .estimate.table import HEAD, remarks, rows

    if not expected.models:
        terminal.say("nothing to compute: all figures are answered" if expected.figures else "no computed figures")
        return WELL
    head, *lines = table(rows(expected), HEAD)
    terminal.answer(terminal.paint(head, "dim"))
    for line in lines:
        terminal.answer(line)
    terminal.say("")
    for number, line in enumerate(remarks(expected)):
        terminal.say(line, "" if number == 0 else "dim")
    return WELL


def _check(options: argparse.Namespace, terminal: Terminal) -> int:
    from .check import check

    checked = check(_site(options, terminal), external=options.external)
    findings = [*checked.findings, *checked.outside]
    failed = checked.count("error") or (options.strict_warnings and checked.count("warning"))
    if options.json:
        import dataclasses
        import json

        rows = [{**dataclasses.asdict(row), "path": row.path and terminal.seen(row.path)} for row in findings]
        terminal.answer(json.dumps(rows, indent=2, ensure_ascii=False))
        return AUTHOR if failed else WELL
    terminal.show(findings)
    asked = f", {_number(checked.n_links, 'link')} to other hosts" if options.external else ""
    terminal.say(f"checked {_number(checked.n_articles, 'article')}{asked}")
    return AUTHOR if failed else WELL


def _publish(options: argparse.Namespace, terminal: Terminal) -> int:
    from .publish import Target, publish

    site = _site(options, terminal)
    if options.workflow:
        return _write_workflows(site, options, terminal)
    target = Target(
        remote=options.remote,
        branch=options.branch,
        message=options.message,
        domain=options.domain,
        allow_dirty=options.allow_dirty,
        force=options.force,
        dry_run=options.dry_run,
    )
    published = publish(site, target, lambda built: _make(built, options, terminal), terminal.show)
    for sign, paths in (("+", published.added), ("~", published.changed), ("-", published.removed)):
        for path in paths if options.dry_run or terminal.verbose else ():
            terminal.say(f"  {sign} {path}")
    parts = ((len(published.added), "added"), (len(published.changed), "changed"), (len(published.removed), "removed"))
    different = ", ".join(f"{number} {word}" for number, word in parts if number) or "nothing has changed"
    size = f"{_number(published.n_files, 'file')}, {published.n_bytes / 1024:,.0f} KB; {different}"
    where = f"{target.remote} {target.branch}"
    if published.commit is None:
        terminal.say(
            f"{'would push' if options.dry_run and published.is_new else 'nothing to push'} to {where}: {size}"
        )
        return WELL
    seen = f"; readers find it at {published.address}" if published.address else ""
    terminal.say(f"pushed {published.commit[:7]} to {where}: {size}{seen}")
    return WELL


def _make(site: Site, options: argparse.Namespace, terminal: Terminal) -> list[Problem]:
    """Build a site for publishing, check it, and return what a reader of it might stumble over."""
    from .build.records import forget
    from .check import check
    from .finding import with_columns

    options.refresh = options.only = ()
    try:
        built = _builder(site, options, terminal.listener(), keep_models=False, keep_answers=False).build()
    finally:
        forget(site)  # its output is gone in a moment
    found = [finding.as_problem() for finding in check(site).findings if finding.severity != "note"]
    return list(dict.fromkeys([*with_columns(built.problems), *found]))


def _write_workflows(site: Site, options: argparse.Namespace, terminal: Terminal) -> int:
    from .deposit import Deposit
    from .publish import open_repository
    from .workflows import difference, make_workflows, write_workflows

    repository = open_repository(site.root, committed=False)
    folder = site.root.relative_to(repository.top).as_posix()
    files = make_workflows(repository.branch(), folder, [plugin.version for plugin in site.plugins])
    changes = difference(repository.top, files)
    if changes:
        terminal.say(changes)
    for path in write_workflows(repository.top, files, force=options.force):
        terminal.say(f"wrote {terminal.seen(repository.top / path)}")
    Deposit(site.root).open()
    for step in (
        "fanlight build, which from now on keeps its answers in answers/",
        "git add .github answers, commit, and push",
        "on GitHub, Settings → Pages → Source: GitHub Actions",
    ):
        terminal.say(f"next: {step}")
    return WELL


def _clean(options: argparse.Namespace, terminal: Terminal) -> int:
    from .clean import clean

    for what, n_files in clean(_site(options, terminal), results=options.all, models=options.models):
        terminal.say(f"removed {_number(n_files, 'file')} from {terminal.seen(what)}")
    return WELL


def _site(options: argparse.Namespace, terminal: Terminal) -> Site:
    """Return the site that the current folder lies in, with what the options say over what its file says."""
    from .site import find_site
    from .write import check_output

    overrides: dict[str, Any] = {}
    if getattr(options, "base_url", None) is not None:
        overrides["base_url"] = options.base_url
    if getattr(options, "drafts", False):
        overrides["drafts"] = True
    if getattr(options, "no_strict", False):
        overrides["strict"] = False
    site = find_site(Path.cwd(), output=getattr(options, "output", None), **overrides)
    terminal.root = site.root
    if options.command in ("build", "serve"):
        check_output(site.output, site.root)  # before anything is computed for it
    return site


def _builder(
    site: Site, options: argparse.Namespace, listener: Listener, *, keep_models: bool, keep_answers: bool = True
) -> Builder:
    from .build import Builder

    return Builder(
        site,
        frozen=options.frozen,
        refresh=frozenset(options.refresh),
        only=frozenset(options.only),
        jobs=options.jobs,
        device=options.device,
        scheduler=options.scheduler or "",
        listener=listener,
        keep_models=keep_models,
        keep_answers=keep_answers,
    )


COMMANDS: dict[str, Callable[[argparse.Namespace, Terminal], int]] = {
    "new": _new,
    "import": _import,
    "build": _build,
    "serve": _serve,
    "status": _status,
    "check": _check,
    "publish": _publish,
    "clean": _clean,
}


# what went wrong


def _explain(error: Exception, terminal: Terminal) -> int:
    """Say whose fault an unexpected exception is: a kind of the site's own, or else ours; return the exit status."""
    frames = traceback.extract_tb(error.__traceback__)
    what = f"{type(error).__name__}: {error}"
    if terminal.verbose:
        terminal.complain("".join(traceback.format_exception(error)).rstrip())
    for part, folder in _own_code(terminal.root):  # templates have frames, too
        inside = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
        if inside:
            terminal.show([Problem(f"broken {part}: {what}", Path(inside[-1].filename), inside[-1].lineno)])
            return AUTHOR
    terminal.complain(what)
    for note in getattr(error, "__notes__", ()):  # which figure it was, if it was one
        terminal.complain(f"  {note}")
    package = Path(__file__).parent
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(package)] or list(frames)
    for frame in reversed(ours[-2:]):
        terminal.complain(f"  at {Path(frame.filename).name}:{frame.lineno} in {frame.name}")
    more = "" if terminal.verbose else " With -v all of it is shown."
    terminal.complain(f"This is a fault of Fanlight {__version__}, not of your site; please report it.{more}")
    return OURS


def _own_code(root: Path | None) -> list[tuple[str, Path]]:
    """Return where code lies that is not ours: the site's own kinds and theme, and the plugins that it names."""
    from .plugins import places_of_plugins
    from .site import BUILT_IN

    own = [] if root in (None, BUILT_IN) else [("kind", root / "figures"), ("theme", root / "theme")]
    return own + [(f"plugin {name}", place) for name, places in places_of_plugins().items() for place in places]


def _number(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


if __name__ == "__main__":
    sys.exit(main())
