"""`fanlight publish`: the site, built afresh and checked, as a commit of the branch that a host serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..spoken import counted
from .exits import Exit
from .options import add_workers, base_url, make_builder, open_site

if TYPE_CHECKING:
    import argparse

    from ..errors import Problem
    from ..site import Site
    from ..terminal import Terminal

ABOUT = "build the site afresh, check it, and push it to the branch that a host serves"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to, how it is built, and what may be overridden."""
    add = parser.add_argument
    add("--remote", default="origin", help="the remote to push to (else origin)")
    add("--branch", default="gh-pages", help="the branch to push to, which holds nothing else (else gh-pages)")
    add("-m", "--message", metavar="TEXT", help="what the commit says (else which commit the site was built from)")
    add("--dry-run", action="store_true", help="push nothing, and say what would be pushed")
    add("--allow-dirty", action="store_true", help="publish what is not committed, too")
    add("--frozen", action="store_true", help="compute nothing: publish from stored answers, without torch")
    add("--base-url", metavar="URL", type=base_url, help="where the site will be published")
    add("--domain", "--cname", metavar="HOST", help="a domain of your own, written as CNAME; one that is there stays")
    add_workers(parser)
    add(
        "--workflow",
        action="store_true",
        help="publish nothing, and write the GitHub workflows that publish and compute",
    )
    add("--force", action="store_true", help="push over what others pushed; with --workflow, write over files")


def run(options: argparse.Namespace, terminal: Terminal) -> Exit:
    """Push, or say what would be pushed; or write workflows that do."""
    site = open_site(options, terminal)
    (_write_workflows if options.workflow else _push)(site, options, terminal)
    return Exit.WELL


def _push(site: Site, options: argparse.Namespace, terminal: Terminal) -> None:
    from ..publish import Target, publish

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
    size = f"{counted(published.n_files, 'file')}, {published.n_bytes / 1024:,.0f} KB; {different}"
    where = f"{target.remote} {target.branch}"
    if published.commit is None:
        done = "would push" if options.dry_run and published.is_new else "nothing to push"
        terminal.say(f"{done} to {where}: {size}")
        return
    seen = f"; readers find it at {published.address}" if published.address else ""
    terminal.say(f"pushed {published.commit[:7]} to {where}: {size}{seen}")


def _make(site: Site, options: argparse.Namespace, terminal: Terminal) -> list[Problem]:
    """Build a site for publishing, check it, and return what a reader of it might stumble over."""
    from ..build.records import forget
    from ..check import check
    from ..finding import with_columns

    options.refresh = options.only = ()
    try:
        built = make_builder(site, options, terminal.listener(), keep_models=False, keep_answers=False).build()
    finally:
        forget(site)  # its output is gone in a moment
    found = [finding.as_problem() for finding in check(site).findings if finding.severity != "note"]
    return list(dict.fromkeys([*with_columns(built.problems), *found]))


def _write_workflows(site: Site, options: argparse.Namespace, terminal: Terminal) -> None:
    from ..deposit import Deposit
    from ..new.workflows import difference, make_workflows, unreleased, write_workflows
    from ..publish import open_repository

    repository = open_repository(site.root, committed=False)
    folder = site.root.relative_to(repository.top).as_posix()
    files = make_workflows(repository.branch(), folder, [plugin.version for plugin in site.plugins])
    changes = difference(repository.top, files)
    if changes:
        terminal.say(changes)
    for path in write_workflows(repository.top, files, force=options.force):
        terminal.say(f"wrote {terminal.seen(repository.top / path)}")
    if note := unreleased():
        terminal.say(f"note: {note}")
    Deposit(site.root).open()
    for step in (
        "fanlight build, which from now on keeps its answers in answers/",
        "git add .github answers, commit, and push",
        "on GitHub, Settings → Pages → Source: GitHub Actions",
    ):
        terminal.say(f"next: {step}")
