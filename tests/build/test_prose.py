"""What prose says of figures, once their results are there: parts and values are the figure's, or the build says no."""

# ruff: noqa: E501 - the table of mistakes has one a line
from __future__ import annotations

import html
import re

import pytest

from .conftest import SiteFolder

KIND = '''"""Counting: a kind with parts of every sort, for tests."""

from dataclasses import dataclass

from builder.figure import Answer, Check
from builder.parts import Part, Spark, layer_parts, numbered_parts, token_parts


@dataclass(frozen=True)
class Params:
    """Nothing can be chosen."""


def analyse(run, params):
    sizes = [{"factors": [{"neurons": 5449, "share": 0.29876}, {"neurons": 3, "share": 0.00001}]}]
    data = {"tokens": run.tokens, "targets": run.targets, "sizes": sizes, "names": ["<b>", "x"], "n": len(run.tokens)}
    return Answer(data, {"rows sum to 1": Check(1.19e-7, 1e-4)})


def describe(data):
    return "It counts."


def parts(data):
    return {
        "factor": numbered_parts(14),
        "layer": layer_parts(["embeddings", "0", "1"]),
        "token": token_parts(data["tokens"]),
        "head": {"1.2": Part("1.2 <")},
    }


SPARKS = ("factor", "layer")


def spark(data, aspect, part):
    if aspect == "layer":
        return Spark((0.2, 1, 0), "rises & falls", shape="bars", mark=1)
    return Spark(tuple(i / 40 for i in range(41)), f"factor {part.value} <rises>", colour=part.colour)
'''

FIGURE = """

:::{figure}
:label: fig-count
:analysis: counting
:prompt: "The European Union, The Union"
:output: " The Union"

In a caption, [the commas]{factor=2} and {value}`n`.
:::
"""

COUNT = "sizes[0].factors"


@pytest.fixture
def site(folder: SiteFolder) -> SiteFolder:
    """A site with a kind of its own."""
    folder.write("figures/counting/analysis.py", KIND)
    folder.write("figures/counting/view.js", "export default () => document.createElement('div');")
    folder.write("figures/counting/fallback.html", "<p>{{ data.n }}</p>")
    return folder


def links(page: str) -> list[dict[str, str]]:
    """Return the attributes of each mention, and its words."""
    found = []
    for attributes, words in re.findall(r'<a (class="mention.*?)>(.*?)</a>', page, re.DOTALL):
        pairs = re.findall(r'([\w-]+)="([^"]*)"', attributes)
        found.append({key: html.unescape(value) for key, value in pairs} | {"words": words})
    return found


def test_words_become_links_to_the_figure_with_the_part_they_stand_for(site: SiteFolder) -> None:
    """A number of a colour where the part has one, begun anew after twelve; what a view is told, as JSON."""
    site.article(
        "[two]{factor=2 of=fig-count}, [14]{factor=14 of=fig-count}, [first]{layer=embeddings of=fig-count .x #y}, "
        '[*union*]{token=" Union" of=fig-count}, [head]{head=1.2 of=fig-count}' + FIGURE
    )
    assert site.build().problems == ()
    two, fourteen, first, union, head, caption = links(site.read("a/index.html"))
    assert two == {
        "class": "mention mention-coloured",
        "href": "#fig-count",
        "data-figure": "fig-count",
        "data-aspect": "factor",
        "data-part": "2",
        "style": "--mention: var(--category-2)",
        "words": "two",
    }
    assert (fourteen["data-part"], fourteen["style"]) == ("14", "--mention: var(--category-2)")
    assert (first["class"], first["id"], first["data-part"]) == ("mention x", "y", "0")
    assert "style" not in first
    assert union["words"] == "<em>union</em>"
    assert head["data-part"] == '"1.2 <"'
    assert caption["words"] == "the commas"


def test_tokens_are_named_by_position_text_or_several_tokens(site: SiteFolder) -> None:
    """The output's before the input's, and of several tokens the first."""
    site.article(
        '[a]{token=0 of=fig-count} [b]{token="The Union" of=fig-count} [c]{token="The European Union" of=fig-count} '
        '{value}`tokens["The Union"].type of=fig-count` {value}`targets[0] of=fig-count`' + FIGURE
    )
    site.build()
    page = site.read("a/index.html")
    a, b, c, _ = links(page)
    first = re.search(r'output <data class="value" value="(\d+)">', page)
    assert first is not None
    assert (a["data-part"], c["data-part"]) == ("0", "0")
    assert int(b["data-part"]) >= int(first[1])


def test_numbers_come_from_the_result(site: SiteFolder) -> None:
    """Formed for the eye, and as they are for machines; texts are escaped."""
    site.article(
        f"{{value}}`{COUNT}[0].neurons of=fig-count` neurons, {{value}}`{COUNT}[0].share of=fig-count as=percent`, "
        f"{{value}}`{COUNT}[-1].share as=percent of=fig-count`, {{value}}`names[0] of=fig-count`, "
        '{value}`checks["rows sum to 1"].value of=fig-count`, {value}`provenance.generation.generate of=fig-count`'
        + FIGURE
    )
    site.build()
    page = site.read("a/index.html")
    assert '<p><data class="value" value="5449">5,449</data> neurons, ' in page
    assert (
        '<data class="value" value="0.29876">30%</data>, <data class="value" value="1e-05">&lt;0.01%</data>, &lt;b&gt;'
        in page
    )
    assert '<data class="value" value="1.19e-07">1.19 × 10⁻⁷</data>' in page
    assert re.search(r'</a> and <data class="value" value="\d+">\d+</data>\.', page)


def test_graphics_are_drawn_on_the_page(site: SiteFolder) -> None:
    """An image with words for it, kept with the word before it, without a script; and a mention as well."""
    site.article("It {spark}`factor=3 of=fig-count`, [so]{.spark layer=0 of=fig-count}." + FIGURE)
    site.build()
    line, bars, _ = links(site.read("a/index.html"))
    assert line["words"].startswith(
        '<span class="spark-word"><svg class="spark" role="img" aria-label="factor 3 &lt;rises&gt;"'
    )
    assert line["style"] == "--mention: var(--category-3)"
    assert 'viewBox="0 0 96.0 16" width="6.0em" height="1em"' in line["words"]
    points = re.findall(r"([\d.]+),([\d.]+)", line["words"])
    assert (points[0], points[-1], len(points)) == (("2.0", "14.0"), ("94.0", "2.0"), 41)
    assert 'cx="94.0" cy="2.0"' in line["words"]
    assert bars["words"].startswith('<span class="spark-word">so<svg')
    assert bars["words"].count("<path") == 2
    assert "style" not in bars


def test_a_panel_of_a_gallery_is_named_by_its_number(site: SiteFolder) -> None:
    """From 1; each panel has parts and values of its own."""
    gallery = ':prompts: ["A B", "A B C D"]\n:generate: 0'
    figure = re.sub(r":prompt: .*\n:output: .*", gallery, FIGURE)
    site.article("[a]{token=0 of=fig-count panel=2} {value}`n of=fig-count`{value}`n of=fig-count panel=2`" + figure)
    site.build()
    page = site.read("a/index.html")
    assert links(page)[0]["data-panel"] == "2"
    one, two = (int(value) for value in re.findall(r'class="value" value="(\d+)"', page)[:2])
    assert one < two
    site.article("[a]{token=0 of=fig-count panel=3}" + figure)
    assert site.fail() == ["content/a/article.md:4:5: unknown panel: 3 of fig-count (known: 1, 2)"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("[a]{factor=17 of=fig-count}", "4:5: unknown factor: 17 of fig-count (known: 1 to 14)"),
        ("[a]{facter=2 of=fig-count}", "4:5: unknown aspect of counting: facter (did you mean factor?)"),
        ("[a]{x=2 of=fig-count}", "4:5: unknown aspect of counting: x (known: factor, layer, token, head)"),
        ("[a]{layer=embedding of=fig-count}", "4:5: unknown layer: embedding of fig-count (did you mean embeddings?)"),
        ("[a]{token=Unoin of=fig-count}", "4:5: unknown token: Unoin of fig-count"),
        ("{spark}`token=0 of=fig-count`", "4:9: unknown spark of counting: token (known: factor, layer)"),
        ("{value}`sizes[0].factrs of=fig-count`", "4:9: unknown value: sizes[0].factrs of fig-count (did you mean factors?)"),
        ("{value}`sizes of=fig-count`", "4:9: invalid value: sizes of fig-count is a list of 1 (go on with [0] to [0])"),
        (
            "{value}`checks.x.value of=fig-count`",
            "4:9: unknown value: checks.x of fig-count (known: rows sum to 1)",
        ),
        (
            "{value}`names[1] of=fig-count as=percent`",
            "4:9: invalid form: as=percent of names[1] in fig-count: it is text, no number",
        ),
        ("{value}`n of=fig-count panel=2`", "4:9: unknown panel: 2 of fig-count (known: 1)"),
    ],
)  # fmt: skip
def test_what_a_figure_does_not_have_is_told_and_leaves_the_site(site: SiteFolder, body: str, problem: str) -> None:
    """With line, column and what is there; nothing is written."""
    site.article("Words." + FIGURE)
    site.build()
    before = site.snapshot()
    site.article(body + FIGURE)
    assert any(line.startswith(f"content/a/article.md:{problem}") for line in site.fail())
    assert site.snapshot() == before


def test_all_of_it_is_told_in_one_run(site: SiteFolder) -> None:
    """Of all articles, beside a figure that cannot be computed."""
    site.article("[a]{factor=17 of=fig-count} and\n{value}`x of=fig-count`" + FIGURE)
    site.article(
        "{spark}`token=0 of=fig-count`"
        + FIGURE
        + "\n:::{figure}\n:analysis: tokens\n:prompt: "
        + "word " * 300
        + "\n:::",
        slug="b",
    )
    told = site.fail()
    assert [line.partition(": ")[0] for line in told if "unknown" in line] == [
        "content/a/article.md:4:5", "content/a/article.md:5:9", "content/b/article.md:4:9",
    ]  # fmt: skip
    assert any("context" in line for line in told)


def test_without_strict_words_are_words_and_values_dots(site: SiteFolder) -> None:
    """What is wrong is a warning, and the page shows what it can."""
    site.article(
        "[a]{factor=17 of=fig-count} [b]{factor=1 of=fig-x .x} {value}`x of=fig-count` {spark}`y=1 of=fig-x`." + FIGURE
    )
    built = site.build(settings={"strict": False})
    assert len(built.problems) == 4
    assert '<p>a <span class="x">b</span> … ….</p>' in site.read("a/index.html")


def test_a_figure_without_result_leaves_words(site: SiteFolder) -> None:
    """Nothing is told twice: that the figure could not be had is enough."""
    site.article("[a]{factor=2 of=fig-count} {value}`n of=fig-count`" + FIGURE)
    (problem,) = site.build(settings={"strict": False}, frozen=True).problems
    assert problem.message.startswith("missing result")
    assert "<p>a …</p>" in site.read("a/index.html")


def test_only_pages_with_mentions_have_their_script(site: SiteFolder) -> None:
    """A page of figures alone asks for less."""
    site.article("[a]{factor=2 of=fig-count}" + FIGURE)
    site.article(re.sub(r"\nIn a caption.*", "", FIGURE), slug="b")
    site.build()
    assert "js/mentions.js" in site.read("a/index.html")
    assert "js/mount.js" in site.read("b/index.html")
    assert "js/mentions.js" not in site.read("b/index.html")
