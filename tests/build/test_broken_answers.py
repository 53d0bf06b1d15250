"""A stored answer may have any form: what its kind cannot show is told at the figure, and computed anew on demand."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateSyntaxError, UndefinedError

from builder.__main__ import main
from builder.build import Builder, status
from builder.cache import Cache
from builder.check import check
from builder.errors import BuildError
from builder.figure import Result
from builder.folders import built_in
from builder.kind import load_kinds
from builder.site import find_site

from .conftest import SiteFolder

KINDS = load_kinds([built_in("figures")])
EXAMPLES = {
    name: json.loads((kind.folder / "example.json").read_text(encoding="utf-8")) for name, kind in KINDS.items()
}
NEEDED = {"causal_trace": ":subject: Paris\n", "rankings_watch": ':watch: [" is"]\n'}


@pytest.fixture
def site(modelless: SiteFolder) -> SiteFolder:
    """A site whose model nobody has."""
    return modelless


def store(site: SiteFolder, kind: str, contents: Sequence[Mapping[str, Any]], words: str = "", **changed: Any) -> None:
    """Write an article with a figure for each of these data, from line 6 on, and store them as answers of a kind."""
    figures = [
        f":::{{figure}}\n:label: fig-{number}\n:analysis: {kind}\n:prompt: {number} Paris\n{NEEDED.get(kind, '')}:::\n"
        for number in range(len(contents))
    ]
    site.article(f"{words}\n\n{''.join(figures)}")
    cache = Cache(site.root.parent / "cache")
    for row, data in zip(status(find_site(site.root)), contents, strict=True):
        cache.put(Result(row.address, kind, data, {}, {**EXAMPLES[kind]["provenance"], **changed}))


def spoilt(kind: str) -> list[dict[str, Any]]:
    """Return the data of a kind's example without one of its fields, or with something else in its place."""
    data = EXAMPLES[kind]["data"]
    without = [{name: value for name, value in data.items() if name != key} for key in data]
    return without + [{**data, key: other} for key in data for other in (None, 7, "x", [], [{"x": 1}])]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_form_of_an_answer_is_taken_for_a_fault_of_fanlight(kind: str, site: SiteFolder) -> None:
    """Whatever field has a wrong type, or is not there: all figures that cannot be shown are told together."""
    store(site, kind, [{}, EXAMPLES[kind]["data"], *spoilt(kind)])
    height = 6 if kind in NEEDED else 5
    problems = Builder(find_site(site.root, strict=False), frozen=True).build().problems
    told = {(problem.path, problem.line) for problem in problems}
    assert all(problem.message.startswith("broken result: fig-") for problem in problems)
    assert {(line - 6) % height for _, line in told if line is not None} == {0}
    assert (site.root / "content/a/article.md", 6) in told  # the empty one; and the example is as it should be
    assert (site.root / "content/a/article.md", 6 + height) not in told
    with pytest.raises(BuildError) as raised:
        Builder(find_site(site.root), frozen=True).build()
    assert [problem.message for problem in raised.value.problems] == [problem.message for problem in problems]


def test_what_is_broken_is_told_with_its_place_and_what_to_do(site: SiteFolder, capsys: Any) -> None:
    """A build and a check end as they do where the author is wrong, and point to where the kind stumbled."""
    store(site, "saliency", [{}, EXAMPLES["saliency"]["data"]])
    assert main(["build", "--frozen", "-q"]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "broken result" in line]
    assert re.fullmatch(
        r"content/a/article\.md:6:\d+: broken result: fig-0 is stored in a form that saliency cannot show "
        r"\(KeyError: '\w+', analysis\.py:\d+\); compute it anew with `fanlight build --refresh fig-0`",
        line,
    )
    assert main(["check"]) == 1
    assert line.split(":", 3)[3] in capsys.readouterr().err.replace("error: ", "")
    assert main(["build", "--frozen", "--no-strict", "-q"]) == 0
    page = (site.root / "_site/a/index.html").read_text()
    assert page.count('data-kind="saliency"') == 1
    assert "This figure has not been computed yet." in page


def test_prose_about_a_broken_answer_is_told_at_the_figure(site: SiteFolder) -> None:
    """Not where it is named: nothing is wrong there. Without `strict` there are plain words."""
    store(site, "saliency", [{"tokens": 7}], words="[Paris]{token=Paris of=fig-0} and [it]{token=2 of=fig-0}.")
    (problem,) = site.fail(frozen=True)
    assert problem.startswith("content/a/article.md:6:")
    assert "broken result: fig-0 is stored in a form that saliency cannot show" in problem
    site.build(frozen=True, settings={"strict": False})
    assert "<p>Paris and it.</p>" in site.read("a/index.html")


@pytest.mark.parametrize("changed", [{"generation": "x"}, {"versions": [1]}, {"dtype": []}, {"model": {}}, {"date": 7}])
def test_an_answer_that_says_nonsense_of_its_origin_is_none(changed: dict[str, Any], site: SiteFolder) -> None:
    """Every page tells of it, whatever the kind; the answer is missing, and the next build computes it."""
    store(site, "saliency", [EXAMPLES["saliency"]["data"]], **changed)
    (problem,) = site.fail(frozen=True)
    assert "missing result: fig-0 is not stored" in problem


def test_a_broken_answer_of_a_shared_place_is_mended_on_demand(folder: SiteFolder, tmp_path: Path) -> None:
    """`--refresh` computes it here, and writes it over there: the others need not."""
    config = folder.root / "pyproject.toml"
    config.write_text(
        config.read_text().replace("[tool.fanlight]\n", f'[tool.fanlight]\ncache = "{tmp_path}/team"\n', 1)
    )
    (tmp_path / "team").mkdir()
    folder.build()
    whole = folder.snapshot()
    for file in (tmp_path / "team/results").glob("??/*.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "data": {}}))
    shutil.rmtree(tmp_path / "cache")
    told = folder.fail()
    assert [problem.partition(" is stored")[0] for problem in told] == [
        "content/a/article.md:9:1: broken result: fig-a",
        "content/a/article.md:17:1: broken result: fig-b",
    ]
    assert sum("broken result" in found.message for found in check(find_site(folder.root)).findings) == 2
    assert folder.build(refresh=frozenset({"fig-a", "fig-b"})).computed == 2
    shutil.rmtree(tmp_path / "cache")
    assert folder.build(frozen=True).computed == 0
    assert folder.snapshot().keys() == whole.keys()


def test_a_fault_in_a_kind_stays_one_where_the_answer_is_new(folder: SiteFolder) -> None:
    """It is raised as it is, with its traceback; once stored, the answer may be to blame, and the place is told."""
    shutil.copytree(built_in("figures") / "saliency", folder.root / "figures/saliency")
    own = folder.root / "figures/saliency/fallback.html"
    own.write_text("{{ data.nowhere }}")
    with pytest.raises(UndefinedError, match="nowhere") as raised:
        folder.build()
    assert any(frame.path == own for frame in raised.traceback)
    problems = folder.fail()
    assert len(problems) == 1
    assert "content/a/article.md:9:1: broken result: fig-a is stored in a form that saliency cannot show" in problems[0]
    assert "has no attribute 'nowhere', fallback.html:1)" in problems[0]
    own.write_text("{% if %}")  # of that no answer is to blame
    with pytest.raises(TemplateSyntaxError):
        folder.build()
