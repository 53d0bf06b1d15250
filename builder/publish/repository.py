"""`Repository`: the git repository that a site lies in, asked by git's own commands; ghp-import makes the commit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import BuildError, nearest

__all__ = ["Repository", "open_repository"]


@dataclass(frozen=True)
class Repository:
    """A repository with a working tree at `top`. Nothing here changes that tree or the index."""

    top: Path

    def address(self, remote: str) -> str:
        """Return the address that is pushed to."""
        return self._ask("remote", "get-url", "--push", remote).strip()

    def check_remote(self, remote: str) -> None:
        """Raise `BuildError` for a remote that there is not."""
        known = self._ask("remote").split()
        if not known:
            raise BuildError(f"missing remote: {remote}; git remote add {remote} ADDRESS")
        if remote not in known:
            close = nearest(remote, known) or f" (known: {', '.join(known)})"
            raise BuildError(f"unknown remote: {remote}{close}")

    def check_branch(self, branch: str) -> None:
        """Raise `BuildError` for what is no name of a branch, and for a branch that is checked out somewhere."""
        if self._run("check-ref-format", f"refs/heads/{branch}").returncode or branch.startswith("-"):
            raise BuildError(f"invalid branch: {branch} is no name that git takes")
        in_use = re.findall(r"^branch refs/heads/(.+)$", self._ask("worktree", "list", "--porcelain"), re.MULTILINE)
        if branch in in_use:
            raise BuildError(f"invalid branch: {branch} is checked out; a site is published on a branch of its own")

    def is_detached(self) -> bool:
        """Whether a commit is checked out, and no branch."""
        return self._run("symbolic-ref", "-q", "HEAD").returncode != 0

    def branch(self) -> str:
        """Return the branch that is checked out, `main` where none is."""
        return self._run("symbolic-ref", "-q", "--short", "HEAD").stdout.strip() or "main"

    def short_head(self) -> str:
        """Return the short name of the commit that is checked out."""
        return self._ask("rev-parse", "--short", "HEAD").strip()

    def changes(self, folder: Path, but: Iterable[Path] = ()) -> list[str]:
        """Return the files below a folder that differ from the last commit, new ones too; ignored ones do not count."""
        inside = [path for path in but if path.is_relative_to(folder) and path != folder]
        left_out = [f":(exclude){path.relative_to(folder).as_posix()}" for path in inside]
        words = ("status", "--porcelain", "-z", "--no-renames", "--", ".", *left_out)
        return [entry[3:] for entry in self._ask(*words, cwd=folder).split("\0") if entry]

    def fetch(self, remote: str, branch: str) -> str | None:
        """Return the remote branch's last commit, fetched; None where there is no such branch yet."""
        listed = self._run("ls-remote", "--heads", remote, f"refs/heads/{branch}")
        if listed.returncode:
            raise BuildError(f"broken remote: {remote} cannot be asked: {_reason(listed.stderr)}")
        tracking = f"refs/remotes/{remote}/{branch}"
        if not listed.stdout.strip():
            self._run("update-ref", "-d", tracking)  # it was removed there: this is a first time again
            return None
        self._ask("fetch", "--quiet", "--no-tags", remote, f"+refs/heads/{branch}:{tracking}")
        return self._ask("rev-parse", tracking).strip()

    def has(self, commit: str, path: str) -> bool:
        """Whether a commit holds a file."""
        return self._run("cat-file", "-e", f"{commit}:{path}").returncode == 0

    def read(self, commit: str, path: str) -> str:
        """Return a file as a commit holds it, the empty text where it does not."""
        found = self._run("cat-file", "blob", f"{commit}:{path}")
        return found.stdout if found.returncode == 0 else ""

    def blobs(self, commit: str) -> dict[str, str]:
        """Return the name of each file's content, by path."""
        entries = self._ask("ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
        found = (entry.partition("\t") for entry in entries if entry)
        return {path: head.split()[2] for head, _, path in found}

    def hashes(self, files: Sequence[Path]) -> list[str]:
        """Return the names that git gives to the contents of files."""
        paths = "".join(f"{file}\n" for file in files)
        return self._ask("hash-object", "--no-filters", "--stdin-paths", given=paths).split()

    @contextmanager
    def branch_kept(self, branch: str) -> Iterator[None]:
        """Put a local branch back where it was if something fails within: what was not published is no history."""
        name = f"refs/heads/{branch}"
        before = self._run("rev-parse", "-q", "--verify", name).stdout.strip()
        try:
            yield
        except BaseException:
            self._run("update-ref", *((name, before) if before else ("-d", name)))
            raise

    def commit_folder(self, folder: Path, remote: str, branch: str, message: str) -> str:
        """Make a folder the next commit of a local branch, after the remote's last one, and return that commit."""
        words = ["-m", "ghp_import", "--no-jekyll", "-r", remote, "-b", branch, "-m", message, str(folder)]
        environment = {**os.environ, **self._committer()}
        command = [sys.executable, *words]
        done = subprocess.run(  # noqa: S603 - our own interpreter
            command, cwd=self.top, env=environment, capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode:
            raise BuildError(f"broken commit: ghp-import says: {_reason(done.stderr)}")
        return self._ask("rev-parse", f"refs/heads/{branch}").strip()

    def push(self, remote: str, branch: str, *, force: bool = False) -> None:
        """Push a branch. Raises `BuildError` where the remote refuses."""
        forced = ["--force"] if force else []
        pushed = self._run("push", "--quiet", *forced, remote, f"refs/heads/{branch}:refs/heads/{branch}")
        if pushed.returncode:
            raise BuildError(f"broken push: {remote} refuses {branch}: {_reason(pushed.stderr)}")

    def _committer(self) -> dict[str, str]:
        """Return who commits, as git itself finds out; ghp-import knows fewer places to look."""
        found = self._run("var", "GIT_COMMITTER_IDENT")
        who = re.fullmatch(r"(.*) <(.*)> \d+ [+-]\d+", found.stdout.strip())
        if found.returncode or not who:
            wrong = "missing identity: git config user.name and user.email say who commits"
            raise BuildError(wrong)
        return {"GIT_COMMITTER_NAME": who[1], "GIT_COMMITTER_EMAIL": who[2]}

    def _ask(self, *words: str, cwd: Path | None = None, given: str | None = None) -> str:
        done = self._run(*words, cwd=cwd, given=given)
        if done.returncode:
            raise BuildError(f"broken repository: git {words[0]} says: {_reason(done.stderr)}")
        return done.stdout

    def _run(self, *words: str, cwd: Path | None = None, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return _git(cwd or self.top, words, given)


def open_repository(folder: Path, *, committed: bool = True) -> Repository:
    """Return the repository that a folder lies in.

    Raises `BuildError` where there is none, no git, or, if something must be `committed`, no commit.
    """
    top = _git(folder, ("rev-parse", "--show-toplevel"))
    if top.returncode:
        found = "dubious ownership" in top.stderr and _reason(top.stderr)
        missing = "the site lies in no git repository; run `git init`, commit, and add a remote"
        raise BuildError(f"missing repository: {found or missing}")
    repository = Repository(Path(top.stdout.rstrip("\n")).resolve())
    if committed and _git(repository.top, ("rev-parse", "-q", "--verify", "HEAD")).returncode:
        raise BuildError("missing commit: nothing is committed yet")
    return repository


def _git(folder: Path, words: Sequence[str], given: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}  # a `status` writes no index
    try:
        return subprocess.run(  # noqa: S603 - words of ours, and names that git was asked about
            ["git", *words],  # noqa: S607 - the user's own
            cwd=folder,
            env=environment,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except FileNotFoundError as error:
        raise BuildError("missing program: git is not to be found") from error


def _reason(stderr: str) -> str:
    """Return what git says in one line: the first that tells of an error, else the last."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"fatal:|error:|remote: error|! \[|ghp-import: error", line)]
    words = (told or lines[-1:] or ["nothing"])[0]
    return re.sub(r"^(fatal|error): ", "", words)
