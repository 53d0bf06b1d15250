"""A build of a whole site: what it writes, what it keeps, and what it says."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from builder import engine
from builder.build import Builder, status
from builder.cache import Cache
from builder.site import ModelSource, find_site

from .conftest import ARTICLE, SiteFolder


def test_an_article_becomes_a_page_with_live_figures(folder: SiteFolder) -> None:
    """The whole way, from Markdown and weights to a page, its data and its assets."""
    built = folder.build()
    assert (built.computed, built.cached) == (2, 0)
    assert set(built.pages) == {"a/index.html", "index.html", "404.html"}
    page = folder.read("a/index.html")
    data = re.findall(r'data-src="([^"]+)"', page)
    assert len(data) == 2
    for url in data:
        published = json.loads((folder.root / "_site/a" / url).resolve().read_text())
        assert {"kind", "data", "checks", "provenance"} <= published.keys()
        assert all(check["value"] <= check["bound"] for check in published["checks"].values())
        assert published["provenance"]["prompt"] == "The countries"
    assert "Known Things" in page
    assert "katex" in page


def test_every_address_in_a_page_is_relative_and_leads_somewhere(folder: SiteFolder) -> None:
    """No other host, no absolute path: the site works under any path, and every file it names is there."""
    folder.build()
    for name in ("index.html", "a/index.html"):
        page = folder.root / "_site" / name
        text = page.read_text()
        text = re.sub(r'<a [^>]*href="https://[^>]*>', "", text)  # a reader may leave, a page may not fetch
        for url in re.findall(r'(?:href|src|data-src|data-view)="([^"#]+)', text):
            assert not re.match(r"[a-z]+:|/", url), url
            target = (page.parent / url).resolve()
            assert (target / "index.html" if target.is_dir() else target).is_file(), url


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


def test_only_builds_one_article_and_leaves_the_others(folder: SiteFolder) -> None:
    """`--only SLUG` for a long site and one article in work."""
    folder.article("Plain words.", slug="b")
    folder.build()
    folder.article("Other words.", slug="b")
    folder.article(ARTICLE.replace("Words", "Changed"))
    folder.build(only=frozenset({"b"}))
    assert "Other words." in folder.read("b/index.html")
    assert "Changed" not in folder.read("a/index.html")
    assert folder.fail(only=frozenset({"bb"})) == ["unknown article: bb (did you mean b?)"]
    assert folder.fail(only=frozenset({"nothing"})) == ["unknown article: nothing (known: a, b)"]


def test_drafts_are_shown_on_request_only(folder: SiteFolder) -> None:
    """`draft: true` keeps an article, and all of its computing, out of the site."""
    folder.article("---\ntitle: Secret\ndraft: true\n---\nWords.", slug="b")
    folder.build()
    assert not (folder.root / "_site/b").exists()
    assert "Secret" not in folder.read("index.html")
    folder.build(settings={"drafts": True})
    assert "Secret" in folder.read("index.html")


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


def test_a_sites_own_kind_theme_and_style_win(folder: SiteFolder) -> None:
    """A folder in the site's `figures/` is a kind; a file in its `theme/` takes the place of ours."""
    folder.write(
        "figures/length/analysis.py",
        "from dataclasses import dataclass\nfrom builder.figure import Answer\n"
        "@dataclass(frozen=True)\nclass Params:\n    times: int = 1\n"
        "def analyse(run, params):\n    return Answer({'n': len(run.tokens) * params.times}, {})\n"
        "def describe(data):\n    return f'{data[\"n\"]} tokens'\n",
    )
    folder.write("figures/length/fallback.html", "<p>{{ data.n }} tokens</p>")
    folder.write("figures/length/view.js", "export default () => document.createElement('p')")
    folder.write("theme/css/variables.css", ":root { --ink: rebeccapurple }")
    folder.article(":::{figure}\n:analysis: length\n:prompt: The countries\n:generate: 2\n:times: 3\n\nLength.\n:::\n")
    built = folder.build()
    assert re.search(r"<p>\d+ tokens</p>", folder.read("a/index.html"))
    style = next(path for path in built.marks if path.endswith("css/fanlight.css"))
    assert "rebeccapurple" in folder.read(style)


def test_hostile_content_stays_text(folder: SiteFolder) -> None:
    """Prompts, titles, names and captions may hold markup; none of it becomes an element."""
    evil = "</script><img src=x onerror=alert(1)>"
    folder.article(
        f"---\ntitle: '{evil}'\nauthors: ['{evil}']\ndescription: '{evil}'\n---\n{evil}\n\n"
        f':::{{figure}}\n:analysis: tokens\n:prompt: "{evil}"\n:alt: {evil}\n:generate: 1\n\n{evil}\n:::\n'
    )
    folder.build()
    for page in ("a/index.html", "index.html"):
        assert "<img src=x" not in folder.read(page)
        assert "onerror=alert(1)>" not in re.sub(r"&lt;img[^<]*", "", folder.read(page))
    for data in (folder.root / "_site/data").iterdir():
        assert "<" not in data.read_text()


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


def test_two_builds_at_once_do_no_harm(folder: SiteFolder) -> None:
    """Both end well, and the site is what one of them alone would have made."""
    command = [sys.executable, "-m", "builder", "build", "-q"]
    builds = [subprocess.Popen(command, cwd=folder.root, stderr=subprocess.PIPE) for _ in range(2)]
    ends = [(build.wait(timeout=240), build.stderr.read() if build.stderr else b"") for build in builds]
    assert ends == [(0, b""), (0, b"")]
    before = folder.snapshot()
    assert folder.build().computed == 0
    assert folder.snapshot() == before


def test_a_builder_reads_again_only_what_changed(folder: SiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preview builds on every save: an article that did not change is not parsed again."""
    from builder import library as module

    folder.article("Plain words.", slug="b")
    builder = Builder(find_site(folder.root))
    builder.build()
    parsed = []
    parse = module.parse

    @wraps(parse)
    def noted(article: Any, *args: Any, **options: Any) -> Any:
        parsed.append(article.slug)
        return parse(article, *args, **options)

    monkeypatch.setattr(module, "parse", noted)
    folder.article("Other words.", slug="b")
    monkeypatch.setattr(engine, "run_jobs", lambda jobs, *a, **k: None if not jobs else pytest.fail("computed"))
    builder.build()
    assert parsed == ["b"]
    assert "Other words." in folder.read("b/index.html")


GALLERY = """
:::{figure}
:label: fig-two
:analysis: rankings
:prompts: [The countries, 1. Austria]
:generate: 2

Two texts; @fig-two.
:::
"""


def test_a_gallery_is_published_with_an_answer_a_panel(folder: SiteFolder) -> None:
    """One figure, two results, each with its title; `status` tells of both."""
    folder.article(GALLERY)
    built = folder.build()
    assert (built.computed, len([path for path in built.marks if path.startswith("data/")])) == (2, 2)
    page = folder.read("a/index.html")
    assert page.count('class="panel"') == 2
    assert page.count("<figure") == 1
    extent = re.search(r'data-extent="([^"]*)"', page)
    assert extent
    assert "rank" in json.loads(html.unescape(extent[1]))  # whole, in spite of its quotes
    assert "1. Austria" in page
    labels = [entry.label for entry in status(find_site(folder.root))]
    assert labels == ["fig-two 1/2", "fig-two 2/2"]


PIECES = """
from dataclasses import dataclass
from builder.figure import Answer, Check

@dataclass(frozen=True)
class Params:
    versus: str | None = None

def analyse(run, params):
    other = run.versus.output_text if run.versus else ""
    data = {"same": run.output_text == other, "first": run.ended_at_once}
    return Answer(data, {"true": Check(0.0, 0.0)}, {"layer-0": {"values": [1]}})

def describe(data):
    return "Pieces."
"""


def test_pieces_are_published_beside_their_result(folder: SiteFolder) -> None:
    """Each a file of its own in a folder named as the result, and gone with it."""
    folder.write("figures/pieces/analysis.py", PIECES)
    folder.write("figures/pieces/fallback.html", "{# Gets: data. #}<p>{{ data.same }}</p>")
    folder.article(":::{figure}\n:analysis: pieces\n:prompt: 1. Austria\n:generate: 2\n\nA caption.\n:::\n")
    folder.build()
    (piece,) = [path for path in folder.snapshot() if path.endswith("layer-0.json")]
    assert folder.snapshot()[piece] == b'{"values":[1]}'
    assert f"{piece.removesuffix('/layer-0.json')}.json" in folder.snapshot()
    folder.article("Words.")
    folder.build()
    assert not [path for path in folder.snapshot() if path.startswith("data")]


def test_a_second_model_reads_the_text_that_the_first_one_wrote(folder: SiteFolder) -> None:
    """`versus` names it; its weights are part of the question, and a wrong name is told at its line."""
    folder.write("figures/pieces/analysis.py", PIECES)
    folder.write("figures/pieces/fallback.html", "{# Gets: data. #}<p>{{ data.same }}</p>")
    figure = ":::{figure}\n:analysis: pieces\n:prompt: 1. Austria\n:generate: 2\n:versus: VERSUS\n\nA caption.\n:::\n"
    name = find_site(folder.root).model
    folder.article(figure.replace("VERSUS", name))
    folder.build()
    assert "<p>True</p>" in folder.read("a/index.html")
    folder.article(figure.replace("VERSUS", f"{name}x"))
    (told,) = folder.fail()
    assert f"content/a/article.md:8:10: unknown model: {name}x (did you mean {name}?)" in told


def test_what_the_second_model_cannot_do_is_told_at_its_line(
    folder: SiteFolder, tiny_source: Callable[[str], ModelSource]
) -> None:
    """Not at the line of `model`, which names the first one."""
    folder.write("figures/pieces/analysis.py", PIECES)
    source = tiny_source("bert").source
    figure = f":::{{figure}}\n:analysis: pieces\n:prompt: x\n:model: tiny\n:versus: {source}\n\nA caption.\n:::\n"
    folder.article(figure)
    (told,) = folder.fail()
    assert told.startswith("content/a/article.md:8:10: unsupported versus: ")


def test_layers_of_two_models_are_compared(folder: SiteFolder) -> None:
    """A model beside itself: every layer is like itself, whichever loads first."""
    name = find_site(folder.root).model
    options = [":analysis: layer_similarity", ":prompt: 1. Austria 2. Belgium 3. Bulgaria", f":versus: {name}"]
    figure = "\n".join([":::{figure}", *options, "", "Two.", ":::", ""])
    folder.article(figure)
    folder.build()
    (data,) = [json.loads(text) for path, text in folder.snapshot().items() if path.startswith("data/")]
    assert data["provenance"]["params"]["versus"] == name
    assert all(check["value"] <= check["bound"] for check in data["checks"].values())
