"""Figures of several answers: galleries, answers in pieces, and models beside a second one."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable

from builder.build import status
from builder.site import ModelSource, find_site

from .conftest import SiteFolder

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
    assert f"content/a/article.md:8:10: unknown versus: {name}x (did you mean {name}?)" in told


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
