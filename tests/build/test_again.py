"""What a second build makes: what changed, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from markupsafe import Markup

from builder.build import Builder, printing, records, rendering
from builder.folders import cache_folder
from builder.page import kind_templates
from builder.site import find_site

from .conftest import ARTICLE, SiteFolder

ROOT = Path(__file__).parents[2]

ONE = """---
title: One
date: 2024-03-01
---

## A place

To [two](../two/#there), with $x^2$ [@known2020], by @someonex.

![A cat](cat.svg)
"""
TWO = "---\ntitle: Two\ndate: 2024-02-01\n---\n\n## There\n\nWords.\n"
THREE = "---\ntitle: Three\ndate: 2024-01-01\n---\n\nA remark.[^1]\n\n[^2]: Nobody calls it.\n\n[^1]: Here.\n"
CAT = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><circle r="{}"/></svg>'
BIB = """@misc{{known2020, author={{Known, K.}}, title={{{}}}, year={{2020}}}}
@misc{{other, title={{{}}}, year={{2021}}}}
"""


@pytest.fixture
def three(folder: SiteFolder) -> SiteFolder:
    """A site of three articles without computed figures, built once."""
    shutil.rmtree(folder.root / "content" / "a")
    folder.article(ONE, "one")
    folder.article(TWO, "two")
    folder.article(THREE, "three")
    folder.write("content/one/cat.svg", CAT.format(1))
    folder.write("bib/site.bib", BIB.format("Known Things", "Other Things"))
    folder.build()
    return folder


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The slugs of the articles that are made from now on."""
    slugs: list[str] = []
    make = rendering.Renderer.make

    def note(self: rendering.Renderer, document: object, entry: rendering.Entry, *rest: object) -> rendering.Made:
        slugs.append(entry.summary.slug)
        return make(self, document, entry, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(rendering.Renderer, "make", note)
    return slugs


def test_nothing_changed_makes_nothing(three: SiteFolder, made: list[str]) -> None:
    """No article is parsed, no file is touched, and what there was to tell is told again."""
    before = {path: path.stat().st_mtime_ns for path in (three.root / "_site").rglob("*")}
    built = three.build()
    assert made == []
    assert {path: path.stat().st_mtime_ns for path in (three.root / "_site").rglob("*")} == before
    assert [problem.message for problem in built.problems] == [
        "missing mark: nothing in the text calls the footnote [^2]"
    ]


def test_nothing_changed_imports_little(three: SiteFolder) -> None:
    """Neither what computes, draws, typesets and reads references, nor the lock of an output that is not written."""
    program = (
        "import sys; from pathlib import Path; from builder.build import Builder; from builder.site import find_site\n"
        f"Builder(find_site(Path({str(three.root)!r}))).build()\n"
        "print(sorted({'torch', 'numpy', 'filelock', 'sqlite3', 'multiprocessing', 'PIL', 'pybtex', 'quickjs', 'rich'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_an_edit_makes_its_article(three: SiteFolder, made: list[str]) -> None:
    """Prose concerns the article's own page; a title is on its neighbours' pages too."""
    three.article(TWO + "\nMore.\n", "two")
    three.build()
    assert made == ["two"]
    assert "More." in three.read("two/index.html")
    three.article(TWO.replace("Two", "Zwei"), "two")
    three.build()
    assert sorted(made) == ["one", "three", "two", "two"]
    assert all("Zwei" in three.read(path) for path in ("index.html", "one/index.html", "three/index.html"))


def test_a_bibliography_concerns_those_who_cite_what_changed(three: SiteFolder, made: list[str]) -> None:
    """A work that nobody cites may change; a key that a bare word meant all along makes a citation of it."""
    three.write("bib/site.bib", BIB.format("Known Things", "Changed Things"))
    three.build()
    assert made == []
    three.write("bib/site.bib", BIB.format("Known Things, Revised", "Changed Things"))
    three.build()
    assert made == ["one"]
    assert "Known Things, Revised" in three.read("one/index.html")
    three.write("bib/more.bib", "@misc{someonex, author={Someone, S.}, title={Some}, year={2021}}\n")
    three.build()
    assert made[1:] == ["one"]
    assert "Someone" in three.read("one/index.html")


@pytest.mark.parametrize("path", ["two/index.html", "index.html", "feed.xml", "404.html"])
def test_what_is_missing_is_made_again(folder: SiteFolder, path: str) -> None:
    """Somebody removed a page from the site, or wrote into it."""
    folder.article(TWO, "two")
    folder.build(settings={"base_url": "https://example.org/"})
    whole = folder.read(path)
    for damage in (lambda file: file.unlink(), lambda file: file.write_text("damaged")):
        damage(folder.root / "_site" / path)
        folder.build(settings={"base_url": "https://example.org/"})
        assert folder.read(path) == whole


def test_a_picture_a_template_and_a_setting_change_pages(three: SiteFolder, made: list[str]) -> None:
    """A picture those that show it, the other two all of them."""
    three.write("content/one/cat.svg", CAT.format(2))
    three.build()
    assert made == ["one"]
    three.write("theme/parts/footnote_mark.html", "<sup>!</sup>")
    three.build()
    assert sorted(made[1:]) == ["one", "three", "two"]
    assert "<sup>!</sup>" in three.read("three/index.html")
    three.build(settings={"base_url": "https://example.org/x/"})
    assert sorted(made[4:]) == ["one", "three", "two"]


def test_figures_are_rendered_anew_where_their_answer_or_their_template_changed(
    folder: SiteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not for a word of prose: in the preview that is what takes longest."""
    rendered: list[str] = []
    render = kind_templates._render

    def noted(theme: Environment, name: str, context: Mapping[str, Any]) -> Markup:
        rendered.append(name)
        return render(theme, name, context)

    monkeypatch.setattr(kind_templates, "_render", noted)
    builder = Builder(find_site(folder.root))
    builder.build()
    assert len(rendered) == 4
    rendered.clear()
    folder.article(ARTICLE + "\nMore.\n")
    builder.build()
    assert "More." in folder.read("a/index.html")
    assert rendered == []

    [stored] = [path for path in map(builder.cache.path, builder.cache) if '"kind":"saliency"' in path.read_text()]
    result = json.loads(stored.read_text())
    result["data"]["tokens"][0]["text"] = "Countryside"
    stored.write_text(json.dumps(result))
    builder.build()
    assert set(rendered) == {"figures/saliency/fallback.html", "figures/saliency/method.html"}
    assert "Countryside" in folder.read("a/index.html")

    folder.write("figures/shared/fallback.html", (ROOT / "figures/shared/fallback.html").read_text() + "{# ! #}")
    rendered.clear()
    builder.build()
    assert len(rendered) == 4


def test_a_link_breaks_though_its_article_did_not_change(three: SiteFolder) -> None:
    """The place that it leads to was renamed, or the article is a draft now; nothing is published then."""
    three.article(TWO.replace("There", "Elsewhere"), "two")
    assert three.fail()[-1].endswith("broken link: #there is not in two")
    three.article(TWO.replace("---\n\n", "draft: true\n---\n\n"), "two")
    assert "is not built (is it a draft?)" in "\n".join(three.fail())
    assert "There" in three.read("two/index.html")


def test_a_site_that_is_not_kept_leaves_nothing_in_the_cache(three: SiteFolder) -> None:
    """`fanlight publish` builds into a folder of another name each time: records and locks would be more and more."""

    def known() -> set[Path]:
        return {path for name in ("locks", "records") for path in (cache_folder() / name).iterdir()}

    before = known()
    site = replace(find_site(three.root), output=three.root.parent / "scratch")
    Builder(site).build()
    assert len(known() - before) == 2
    records.forget(site)
    assert known() == before
    records.forget(site)


def test_records_that_cannot_be_read_cost_only_time(
    three: SiteFolder, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged file, and one of another program."""
    (file,) = (records.cache_folder() / "records").glob("*.json")
    for text in ("", "{", '{"ground": 1}', file.read_text().replace('"sources":', '"source":')):
        file.write_text(text)
        three.build()
    assert sorted(made) == sorted(["one", "two", "three"] * 4)
    three.build()
    assert len(made) == 12


def test_several_processes_make_the_same_bytes(
    three: SiteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebuilt from nothing, alone or in company, a site is the same to the byte."""
    alone = three.snapshot()
    for number, worth_it in enumerate((1, 10**6)):
        monkeypatch.setattr(printing, "WORTH_IT", worth_it)
        monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / f"cache-{number}"))
        (three.root / "_site").rename(tmp_path / f"site-{number}")
        three.build()
        assert three.snapshot() == alone


def test_a_command_forks_and_a_preview_does_not(three: SiteFolder) -> None:
    """Alone in its process a build forks others, which go on with no thread and no file that it has open."""
    before = three.snapshot()
    three.article(ONE.replace("x^2", "x^3"), "one")
    program = (
        "import sys, threading; from pathlib import Path\n"
        "from builder.build import Builder, printing; from builder.site import find_site\n"
        "printing.WORTH_IT = 1\n"
        "how = [printing._context().get_start_method()]\n"
        "Builder(find_site(Path(sys.argv[1]))).build()\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "print(how + [printing._context().get_start_method()])"
    )
    run = [sys.executable, "-c", program, str(three.root)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    assert done.stdout.strip() == str(["fork" if sys.platform == "linux" else "spawn", "spawn"])
    assert "x^3" in three.read("one/index.html")
    three.article(ONE, "one")
    subprocess.run(run, capture_output=True, check=True, timeout=60, cwd=ROOT)
    assert three.snapshot() == before


def test_a_broken_process_is_made_up_for(three: SiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process dies, for want of memory, say, this one does its work."""
    monkeypatch.setattr(printing, "WORTH_IT", 1)
    monkeypatch.setattr(printing, "_start", _die)
    three.article(TWO + "\nMore.\n", "two")
    three.build()
    assert "More." in three.read("two/index.html")


def _die(*_: object) -> None:
    raise MemoryError
