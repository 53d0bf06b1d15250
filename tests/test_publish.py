"""Tests of publishing: what is pushed to a remote on this disk, what is refused, and what nobody may touch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from builder.__main__ import main
from builder.publish.address import pages_address, same_place
from builder.publish.repository import Repository

ARTICLE = "---\ntitle: {title}\ndescription: {title}, and {title} once more, so that it is long enough.\n---\nWords.\n"


def git(*words: str, cwd: Path) -> str:
    """Run git, and return what it says."""
    done = subprocess.run(["git", *words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a committed site with a bare repository as its `origin`; it is the current folder."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "A. Author")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "author@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "site"
    (root / "content/a").mkdir(parents=True)
    (root / "content/a/article.md").write_text(ARTICLE.format(title="One"))
    settings = '[tool.fanlight]\nbase_url = "https://example.org/project/"\nsearch = false\nsocial_cards = false\n'
    (root / "pyproject.toml").write_text(settings)
    git("init", "-q", "-b", "main", ".", cwd=root)
    git("add", ".", cwd=root)
    git("commit", "-q", "-m", "sources", cwd=root)
    git("init", "-q", "--bare", str(tmp_path / "remote.git"), cwd=tmp_path)
    git("remote", "add", "origin", str(tmp_path / "remote.git"), cwd=root)
    monkeypatch.chdir(root)
    return root


def raising(error: BaseException) -> Callable[..., None]:
    """Return a function that fails."""

    def fail(*args: Any, **options: Any) -> None:
        raise error

    return fail


def published(site: Path, *words: str) -> set[str]:
    """Return the files that the remote's branch holds."""
    remote = site.parent / "remote.git"
    return set(git("ls-tree", "-r", "--name-only", "gh-pages", cwd=remote).splitlines())


def state(site: Path) -> tuple[Any, ...]:
    """Return all that publishing must leave alone: the tree, the index, the branch that is checked out."""
    files = {str(f.relative_to(site)): f.read_bytes() for f in site.rglob("*") if ".git" not in f.parts and f.is_file()}
    return (
        files,
        (site / ".git/index").read_bytes(),
        git("rev-parse", "HEAD", cwd=site),
        (site / ".git/HEAD").read_text(),
    )


def test_a_site_becomes_a_branch_and_nothing_else_is_touched(site: Path, capsys: Any) -> None:
    """Exactly the site's files, `.nojekyll` with them; a second time adds a commit, and one without changes none."""
    before = state(site)
    assert main(["publish"]) == 0
    assert {"index.html", "a/index.html", "404.html", ".nojekyll"} <= published(site)
    assert not {".fanlight.json", "pyproject.toml", "content/a/article.md"} & published(site)
    assert state(site) == before
    remote = site.parent / "remote.git"
    page = git("show", "gh-pages:a/index.html", cwd=remote)
    assert "https://example.org/project/a/" in page
    assert main(["publish"]) == 0
    assert "nothing to push" in capsys.readouterr().out
    assert git("rev-list", "--count", "gh-pages", cwd=remote) == "1"
    (site / "content/a/article.md").write_text(ARTICLE.format(title="Two"))
    git("commit", "-q", "-a", "-m", "other words", cwd=site)
    assert main(["publish", "-m", "second"]) == 0
    assert git("log", "--format=%s %an", "gh-pages", cwd=remote).splitlines()[0] == "second A. Author"
    assert git("rev-list", "--count", "gh-pages", cwd=remote) == "2"
    assert not list((site.parent / "cache/records").glob("*.json"))


def test_a_dry_run_says_what_would_be_pushed(site: Path, capsys: Any) -> None:
    """Every file with its fate, how many and how large, and no branch anywhere."""
    assert main(["publish", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "  + a/index.html\n" in out
    assert out.splitlines()[-1].startswith("would push to origin gh-pages: ")
    assert git("branch", "--list", "gh-pages", cwd=site) == ""
    assert git("branch", "--list", cwd=site.parent / "remote.git") == ""
    assert main(["publish", "-q"]) == 0
    (site / "content/a").rename(site / "content/b")
    git("add", "-A", cwd=site)
    git("commit", "-q", "-m", "moved", cwd=site)
    assert main(["publish", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert {"  + b/index.html", "  - a/index.html", "  ~ index.html"} <= set(out.splitlines())


def test_what_would_be_unwise_is_refused_before_anything_is_built(
    site: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with what is meant, or what to do."""

    def refused(*words: str) -> str:
        assert main(["publish", *words]) == 1
        return capsys.readouterr().err

    assert "unknown remote: orgin (did you mean origin?)" in refused("--remote", "orgin")
    assert "invalid branch: main is checked out" in refused("--branch", "main")
    assert "invalid branch: a..b" in refused("--branch", "a..b")
    assert "invalid domain: x/y" in refused("--domain", "x/y")
    git("push", "-q", "origin", "main:sources", cwd=site)
    assert "sources of origin holds the site's sources" in refused("--branch", "sources")
    (site / "content/a/new.md").touch()
    assert "invalid working tree: content/a/new.md not committed" in refused()
    assert main(["publish", "--allow-dirty", "--dry-run"]) == 0
    (site / "content/a/new.md").unlink()
    git("checkout", "-q", "--detach", cwd=site)
    assert "HEAD is on no branch" in refused()
    git("checkout", "-q", "main", cwd=site)
    git("remote", "set-url", "origin", str(site.parent / "nowhere.git"), cwd=site)
    assert "broken remote: origin cannot be asked" in refused()
    git("remote", "remove", "origin", cwd=site)
    assert "missing remote: origin; git remote add origin" in refused()
    (site / ".git").rename(site.parent / "dot-git")
    assert "missing repository: the site lies in no git repository; run `git init`, commit, and add" in refused()
    git("init", "-q", cwd=site)
    assert "missing commit" in refused()


def test_a_site_with_mistakes_is_not_published(site: Path, capsys: Any) -> None:
    """What the check calls an error stops it, and the last good site stays."""
    assert main(["publish"]) == 0
    (site / "content/a/article.md").write_text(ARTICLE.format(title="Two") + "\n[there](nowhere.md)\n")
    assert main(["publish", "--allow-dirty"]) == 1
    assert "content/a/article.md:7:1: broken link: nowhere.md" in capsys.readouterr().err
    assert git("rev-list", "--count", "gh-pages", cwd=site.parent / "remote.git") == "1"


def test_others_may_publish_meanwhile_and_a_domain_stays(site: Path) -> None:
    """The next commit stands on theirs, wherever it was made; a CNAME that the host put there is kept."""
    assert main(["publish"]) == 0
    other = site.parent / "other"
    git("clone", "-q", "-b", "gh-pages", str(site.parent / "remote.git"), str(other), cwd=site.parent)
    (other / "CNAME").write_text("www.example.org\n")
    git("add", ".", cwd=other)
    git("commit", "-q", "-m", "Create CNAME", cwd=other)
    git("push", "-q", cwd=other)
    (site / "content/a/article.md").write_text(ARTICLE.format(title="Two"))
    assert main(["publish", "--allow-dirty"]) == 0
    remote = site.parent / "remote.git"
    assert git("show", "gh-pages:CNAME", cwd=remote) == "www.example.org"
    assert git("rev-list", "--count", "gh-pages", cwd=remote) == "3"


def test_a_push_that_fails_breaks_nothing(site: Path, capsys: Any) -> None:
    """The remote's reason is told, nothing has changed there, and the next time works."""
    hook = site.parent / "remote.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho no more disk >&2\nexit 1\n")
    hook.chmod(0o755)
    before = state(site)
    assert main(["publish"]) == 1
    assert "broken push: origin refuses gh-pages" in capsys.readouterr().err
    assert state(site) == before
    hook.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Repository, "push", raising(KeyboardInterrupt()))
        assert main(["publish"]) == 130
    assert state(site) == before
    assert git("branch", "--list", cwd=site.parent / "remote.git") == ""
    assert main(["publish"]) == 0
    assert git("rev-list", "--count", "gh-pages", cwd=site.parent / "remote.git") == "1"
    assert "index.html" in published(site)


def test_where_readers_find_it_is_read_off_the_remote(site: Path, capsys: Any) -> None:
    """A `base_url` that is not where GitHub serves the repository is told with the right one."""
    assert pages_address("git@github.com:Ada/engine.git") == "https://ada.github.io/engine/"
    assert pages_address("ssh://git@github.com/ada/Ada.github.io.git") == "https://ada.github.io/"
    assert pages_address("https://token@github.com/ada/engine/") == "https://ada.github.io/engine/"
    assert pages_address("https://gitlab.com/ada/engine.git") == ""
    assert pages_address("anything", "www.example.org") == "https://www.example.org/"
    assert same_place("http://ada.github.io/engine", "https://Ada.github.io/engine/")
    assert not same_place("https://ada.github.io/", "https://ada.github.io/engine/")
    assert main(["publish", "--domain", "www.example.org"]) == 0
    told = 'base_url = "https://www.example.org/" under [tool.fanlight]'
    assert f"invalid base_url: https://example.org/project/ is not where this is published; write {told}" in (
        capsys.readouterr().err
    )
    assert git("show", "gh-pages:CNAME", cwd=site.parent / "remote.git") == "www.example.org"


def test_workflows_are_written_once_and_never_over_others(site: Path, capsys: Any) -> None:
    """The differences are shown; `--force` writes them; the folder for answers is there from then on."""
    assert main(["publish", "--workflow"]) == 0
    out = capsys.readouterr().out
    assert "wrote .github/workflows/pages.yml\n" in out
    assert "Settings → Pages → Source: GitHub Actions" in out
    assert (site / "answers/.gitattributes").is_file()
    assert main(["publish", "--workflow"]) == 0
    pages = site / ".github/workflows/pages.yml"
    text = pages.read_text()
    pages.write_text(text.replace("timeout-minutes: 20", "timeout-minutes: 30"))
    assert main(["publish", "--workflow"]) == 1
    told = capsys.readouterr()
    assert "-    timeout-minutes: 30\n+    timeout-minutes: 20\n" in told.out
    assert ".github/workflows/pages.yml: duplicate workflow" in told.err
    assert "30" in pages.read_text()
    assert main(["publish", "--workflow", "--force"]) == 0
    assert pages.read_text() == text


def test_who_runs_what_no_index_has_is_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflows install a release; a checkout, or a wheel out of one, may be of none."""
    from builder.new.workflows import unreleased

    for record, told in (('{"dir_info": {"editable": true}}', True), ('{"archive_info": {}}', True), (None, False)):
        installed = SimpleNamespace(read_text={"direct_url.json": record}.get)
        monkeypatch.setattr("importlib.metadata.distribution", {"fanlight": installed}.__getitem__)
        assert ("from PyPI" in unreleased()) is told


@pytest.mark.parametrize("folder", [".", "a site"])
def test_workflows_are_yaml_that_names_the_sites_folder(folder: str) -> None:
    """Of a site in a part of its repository, too; what they install computes nothing, and is of this version."""
    import yaml

    from builder import __version__
    from builder.new.workflows import COMPUTING, make_workflows

    files = make_workflows("trunk: 1", folder, ["a-plugin==2.1"])
    pages = yaml.safe_load(files[".github/workflows/pages.yml"])
    assert pages[True]["push"]["branches"] == ["trunk: 1"]  # `on` is true in YAML 1.1
    assert pages["defaults"]["run"]["working-directory"] == folder
    steps = {str(step.get("uses", step.get("name"))).split("@")[0]: step for step in pages["jobs"]["publish"]["steps"]}
    assert steps["actions/upload-pages-artifact"]["with"]["path"] == (f"{folder}/_site" if folder != "." else "_site")
    assert "--frozen" in steps["Build"]["run"]
    (install,) = [step["run"] for name, step in steps.items() if name.startswith("Install")]
    assert f'--no-deps "fanlight=={__version__}" "a-plugin==2.1"' in install
    assert f"fanlight=={__version__}" in files[".github/workflows/compute.yml"]
    listed = {line.split(">")[0] for line in files[".github/fanlight.txt"].splitlines()}
    assert "jinja2" in listed
    assert not listed & COMPUTING
    assert yaml.safe_load(files[".github/workflows/compute.yml"])["permissions"]["contents"] == "write"


def test_publishing_needs_no_torch(site: Path) -> None:
    """Neither does the check: CI has none."""
    program = (
        "import sys; from builder.__main__ import main\n"
        "code = main(['publish', '--dry-run', '-q']) or main(['check', '-q'])\n"
        "print(code, sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.splitlines()[-1] == "0 []"
