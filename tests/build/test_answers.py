"""Answers in a build: each is computed once, shared, stored, and computed anew when its question changed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.build import status
from builder.cache import Cache
from builder.site import find_site

from .conftest import ARTICLE, SiteFolder


def test_a_second_build_computes_nothing_and_writes_nothing(folder: SiteFolder) -> None:
    """Answers are stored; files that did not change are not touched."""
    folder.build()
    before = {f: f.stat().st_mtime_ns for f in (folder.root / "_site").rglob("*.html")}
    again = folder.build()
    assert (again.computed, again.cached) == (0, 2)
    assert {f: f.stat().st_mtime_ns for f in before} == before


def test_prose_is_free(folder: SiteFolder) -> None:
    """Editing words, captions, labels and layouts computes nothing."""
    folder.build()
    folder.article(ARTICLE.replace("Words before", "Other words before").replace("A caption", "New"))
    assert folder.build().computed == 0
    assert "Other words before" in folder.read("a/index.html")


@pytest.mark.parametrize(
    ("old", "new", "computed"),
    [
        ("generate: 3", "generate: 2", 2),
        (":analysis: saliency\n", ":analysis: saliency\n:target: logprob\n", 1),
    ],
)
def test_a_changed_question_is_computed_and_only_that(folder: SiteFolder, old: str, new: str, computed: int) -> None:
    """A run's change concerns its figures, a parameter's change its figure."""
    folder.build()
    folder.article(ARTICLE.replace(old, new))
    assert folder.build().computed == computed


def test_figures_of_one_run_share_it(folder: SiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Generation and forward pass happen once for all analyses of a text."""
    from builder.model import Model

    made = []
    run = Model.run
    monkeypatch.setattr(Model, "run", lambda self, spec: made.append(spec) or run(self, spec))
    folder.build()
    assert len(made) == 1


def test_answers_are_shared_between_articles(folder: SiteFolder) -> None:
    """Two articles that ask the same have one answer, and one file."""
    folder.article(ARTICLE.replace("An article", "Another"), slug="b")
    assert folder.build().computed == 2
    assert len(list((folder.root / "_site/data").iterdir())) == 2


def test_status_says_fresh_stale_and_missing_and_why(folder: SiteFolder) -> None:
    """Before and after each kind of change."""

    def states() -> list[tuple[str, str, str]]:
        return [(s.label, s.state, s.why) for s in status(find_site(folder.root))]

    assert [state for _, state, _ in states()] == ["missing", "missing"]
    folder.build()
    assert [state for _, state, _ in states()] == ["fresh", "fresh"]
    folder.article(ARTICLE.replace("generate: 3", "generate: 2"))
    assert states() == [("fig-a", "stale", "generate: 3 → 2"), ("fig-b", "stale", "generate: 3 → 2")]
    folder.article(ARTICLE)
    config = folder.root / "tiny" / "config.json"
    config.write_text(config.read_text().replace('"n_head"', '"x": 1, "n_head"'))
    assert all("weights or revision changed" in why for _, _, why in states())


def test_a_stored_answer_that_is_broken_is_computed_again(folder: SiteFolder, tmp_path: Path) -> None:
    """A truncated result in the cache is no answer."""
    folder.build()
    cache = Cache(tmp_path / "cache")
    address = next(iter(cache))
    cache.path(address).write_text('{"kind": "sal')
    assert folder.build().computed == 1


def test_refresh_computes_again_what_it_names(folder: SiteFolder) -> None:
    """`--refresh LABEL`, `--refresh all`, and a label that nobody has."""
    folder.build()
    assert folder.build(refresh=frozenset({"fig-b"})).computed == 1
    assert folder.build(refresh=frozenset({"all"})).computed == 2
    assert folder.fail(refresh=frozenset({"fig-c"})) == ["unknown figure: fig-c (did you mean fig-b?)"]


def test_frozen_publishes_from_stored_answers_without_torch(folder: SiteFolder) -> None:
    """CI has no torch: a frozen build of a site with stored answers never imports it, nor transformers."""
    folder.build()
    program = (
        "import sys\nsys.modules.update(dict.fromkeys(['torch', 'transformers', 'sklearn', 'numpy']))\n"
        "from builder.__main__ import main\nsys.exit(main(['build', '--frozen']))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_frozen_names_each_missing_figure_and_how_to_compute_it(folder: SiteFolder) -> None:
    """An error with file and line and the command that mends it; the site stays as it was."""
    folder.build()
    before = folder.snapshot()
    folder.article(ARTICLE.replace("generate: 3", "generate: 2"))
    found = folder.fail(frozen=True)
    assert [line.split(" ", 1)[0] for line in found] == ["content/a/article.md:9:1:", "content/a/article.md:17:1:"]
    assert "fanlight build --refresh fig-a" in found[0]
    assert folder.snapshot() == before


def test_a_pool_of_processes_gives_the_same_answers(folder: SiteFolder, tmp_path: Path) -> None:
    """`-j 2` changes where jobs run, not what they find."""
    folder.article(ARTICLE + ":::{figure}\n:label: fig-c\n:analysis: tokens\n:prompt: Other\n\nA third.\n:::\n")
    folder.build()
    cache = Cache(tmp_path / "cache")
    alone = {address: cache.find(address) for address in cache}
    assert folder.build(jobs=2, refresh=frozenset({"all"})).computed == 3
    pooled = {address: cache.find(address) for address in cache}

    def figures(results: dict[str, Any]) -> dict[str, Any]:
        return {address: replace(result, provenance={}) for address, result in results.items()}

    assert figures(pooled) == figures(alone)


def test_interrupting_the_computation_keeps_what_was_found(folder: SiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between two figures: the first answer is stored, the site untouched, and the next build goes on."""
    folder.article("Plain words.", slug="b")
    folder.article("Plain words.")
    folder.build()
    before = folder.snapshot()
    folder.article(ARTICLE)
    put = Cache.put

    def put_and_stop(self: Cache, result: Any, pieces: Any) -> None:
        put(self, result, pieces)
        raise KeyboardInterrupt

    monkeypatch.setattr(Cache, "put", put_and_stop)
    with pytest.raises(KeyboardInterrupt):
        folder.build()
    assert folder.snapshot() == before
    monkeypatch.setattr(Cache, "put", put)
    built = folder.build()
    assert (built.computed, built.cached) == (1, 1)
