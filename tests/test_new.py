"""Tests of new sites."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from builder.errors import BuildError
from builder.model_source import complaints
from builder.new import new_site
from builder.site import SMOLLM2, find_site

OWN_CACHE = os.environ.get("FANLIGHT_CACHE")  # the user's, before the tests get one of their own: models are there

FILES = {
    ".github/fanlight.txt",
    ".github/workflows/compute.yml",
    ".github/workflows/pages.yml",
    ".gitignore",
    "README.md",
    "answers/.gitattributes",
    "bib/references.bib",
    "content/first-article/article.md",
    "pyproject.toml",
}


def test_a_new_site_is_a_site(tmp_path: Path) -> None:
    """All files are there, and the settings are read without a complaint."""
    folder = tmp_path / "my-first_site"
    assert set(new_site(folder)) == FILES
    assert {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()} == FILES
    site = find_site(folder)
    assert site.root == folder
    assert site.title == "My first site"
    assert [file.name for file in site.bibliographies] == ["references.bib"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["my-first_site"]


def test_the_model_of_a_new_site_is_ours(tmp_path: Path) -> None:
    """A new site's smollm2 is the one this project is tested with; its settings show how another gets a name."""
    new_site(tmp_path / "x")
    site = find_site(tmp_path / "x")
    assert site.models[site.model] == SMOLLM2 == find_site(Path(__file__).parent).models["smollm2"]
    written = (tmp_path / "x/pyproject.toml").read_text(encoding="utf-8")
    shown = tomllib.loads(written[written.index("# [tool") :].replace("# ", ""))["tool"]["fanlight"]["models"]
    assert not list(complaints("gpt2", shown["gpt2"]))


@pytest.mark.parametrize("title", ['Say "no" \\ to C:\\new', "#1: yes & [no] $title <b>", "Ψ 言語\n\x00\x7f", "'''\""])
def test_any_title_will_do(tmp_path: Path, title: str) -> None:
    """A title is text, whatever it would mean to TOML."""
    new_site(tmp_path / "x", title=title)
    assert find_site(tmp_path / "x").title == " ".join(title.replace("\x00", " ").replace("\x7f", " ").split())


def test_mathematics_and_github_expressions_are_left_alone(tmp_path: Path) -> None:
    """Only our own words are replaced."""
    new_site(tmp_path / "x", today=datetime.date(2026, 2, 3))
    article = (tmp_path / "x/content/first-article/article.md").read_text(encoding="utf-8")
    assert yaml.safe_load(article.split("---")[1])["date"] == datetime.date(2026, 2, 3)
    assert "position $t$ into" in article
    workflow = yaml.safe_load((tmp_path / "x/.github/workflows/pages.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["publish"]["environment"]["url"] == "${{ steps.deployment.outputs.page_url }}"


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    """Nothing of anybody's is written over; a fresh git repository is as good as an empty folder."""
    (tmp_path / "x/.git").mkdir(parents=True)
    (tmp_path / "x/thesis.tex").touch()
    with pytest.raises(BuildError, match="not empty"):
        new_site(tmp_path / "x")
    with pytest.raises(BuildError, match="there is a file of that name"):
        new_site(tmp_path / "x/thesis.tex")
    (tmp_path / "x/thesis.tex").unlink()
    new_site(tmp_path / "x")
    assert (tmp_path / "x/pyproject.toml").is_file()


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full half-way leaves no half site."""

    def fail(*args: object, **kwargs: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(BuildError, match="No space left"):
        new_site(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.weights
def test_a_new_site_builds_at_once(tmp_path: Path) -> None:
    """`fanlight new` and `fanlight build`, and there is a page with an answered figure."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    del env["FANLIGHT_CACHE"]
    env.update({"FANLIGHT_CACHE": OWN_CACHE} if OWN_CACHE else {})

    def fanlight(*words: str, cwd: Path) -> None:
        command = [sys.executable, "-m", "builder", *words]
        done = subprocess.run(command, cwd=cwd, env=env, timeout=300, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    fanlight("new", "mine", cwd=tmp_path)
    fanlight("build", cwd=tmp_path / "mine")
    page = (tmp_path / "mine/_site/first-article/index.html").read_text(encoding="utf-8")
    assert 'data-kind="saliency"' in page
    assert len(list((tmp_path / "mine/_site/data").glob("*.json"))) == 1
    assert len(list((tmp_path / "mine/answers").glob("??/*.json"))) == 1
