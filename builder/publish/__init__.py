"""`publish`: a site, built afresh and checked, as the next commit of the branch that a host serves it from."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import BuildError, Problem
from ..site import Site
from ..write import MANIFEST
from .address import pages_address, same_place
from .repository import Repository, open_repository

__all__ = ["Publication", "Target", "open_repository", "publish"]

DOMAIN = "CNAME"
"""The file at the top of a branch that tells GitHub Pages of a domain of one's own."""
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """Where to publish, and how: `message` None names the commit that the site was built from."""

    remote: str = "origin"
    branch: str = "gh-pages"
    message: str | None = None
    domain: str | None = None
    allow_dirty: bool = False
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Publication:
    """What was pushed, or would be: all files and their bytes, and how they differ from those published before."""

    target: Target
    address: str
    """Where readers find it, as far as that is known."""
    n_files: int
    n_bytes: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    commit: str | None
    """The commit that was pushed; None in a dry run, and where nothing is different."""

    @property
    def is_new(self) -> bool:
        """Whether anything differs from what is published."""
        return bool(self.added or self.changed or self.removed)


def publish(
    site: Site,
    target: Target,
    make: Callable[[Site], Iterable[Problem]],
    tell: Callable[[Iterable[Problem]], None] = lambda _: None,
) -> Publication:
    """Build the site into a folder of its own, and push that to the branch; the working tree is not touched.

    `make` builds and checks a site, and returns what is wrong with it; an error stops everything. `tell` is handed
    all warnings. The branch grows by a commit that holds the site and nothing else; a `CNAME` that was there stays.
    Raises `BuildError` for whatever makes publishing impossible or unwise, before anything is built where it can.
    """
    repository = open_repository(site.root)
    _check_target(repository, target, site)
    before = repository.fetch(target.remote, target.branch)
    if before is not None:
        _check_branch(repository, before, target, site)
    domain = target.domain or (repository.read(before, DOMAIN).strip() if before else "")
    if domain and not _HOST.fullmatch(domain):
        raise BuildError(f"invalid domain: {domain} (write it as www.example.org)")
    implied = pages_address(repository.address(target.remote), domain)
    tell(_address_problems(site, implied))
    with tempfile.TemporaryDirectory(prefix="fanlight-publish-") as scratch:
        folder = Path(scratch).resolve() / "site"
        built = replace(site, output=folder, base_url=site.base_url or implied)
        problems = list(make(built))
        if any(problem.severity == "error" for problem in problems):
            raise BuildError(problems=problems)
        tell(problems)
        (folder / MANIFEST).unlink(missing_ok=True)
        if domain:
            (folder / DOMAIN).write_text(f"{domain}\n", encoding="utf-8")
        publication = _compare(repository, folder, before, target, built.base_url)
        if target.dry_run or not publication.is_new:
            return publication
        changed = " and changes to it" if repository.changes(site.root, [site.output]) else ""
        message = target.message or f"Publish {repository.short_head()}{changed}"
        with repository.branch_kept(target.branch):
            commit = repository.commit_folder(folder, target.remote, target.branch, message)
            repository.push(target.remote, target.branch, force=target.force)
    return replace(publication, commit=commit)


def _check_target(repository: Repository, target: Target, site: Site) -> None:
    """Raise `BuildError` for a remote that is not there, a branch that is in use, changes that no commit holds."""
    repository.check_remote(target.remote)
    repository.check_branch(target.branch)
    if target.allow_dirty:
        return
    if repository.is_detached():
        raise BuildError("invalid checkout: HEAD is on no branch; check one out, or say --allow-dirty")
    changed = repository.changes(site.root, [site.output])
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        wrong = f"invalid working tree: {changed[0]}{more} not committed; commit first, or say --allow-dirty"
        raise BuildError(wrong)


def _check_branch(repository: Repository, commit: str, target: Target, site: Site) -> None:
    """Raise `BuildError` for a branch that holds the site's sources: they would be replaced by its pages."""
    config = site.config.relative_to(repository.top).as_posix() if site.config.is_relative_to(repository.top) else ""
    if config and repository.has(commit, config):
        raise BuildError(f"invalid branch: {target.branch} of {target.remote} holds the site's sources; name another")


def _address_problems(site: Site, implied: str) -> list[Problem]:
    """Return a warning where pages will be elsewhere than they say; canonical links and feeds would lead astray."""
    if not implied or same_place(site.base_url, implied):
        return []
    write = f'write base_url = "{implied}" under [tool.fanlight]'
    if not site.base_url:
        return [Problem(f"missing base_url: {implied} is taken; {write}", site.config, severity="warning")]
    wrong = f"invalid base_url: {site.base_url} is not where this is published; {write}"
    return [Problem(wrong, site.config, severity="warning")]


def _compare(repository: Repository, folder: Path, before: str | None, target: Target, address: str) -> Publication:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    now = dict(zip((file.relative_to(folder).as_posix() for file in files), repository.hashes(files), strict=True))
    then = repository.blobs(before) if before else {}
    return Publication(
        target=target,
        address=address,
        n_files=len(files),
        n_bytes=sum(file.stat().st_size for file in files),
        added=tuple(path for path in now if path not in then),
        changed=tuple(path for path, blob in now.items() if then.get(path, blob) != blob),
        removed=tuple(path for path in then if path not in now),
        commit=None,
    )
