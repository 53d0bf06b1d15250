"""Rankings of words: tokens are merged at a switch, by the worst rank, the product and the sums of what they have."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from math import log, prod
from random import Random
from typing import Any

import numpy as np
import pytest
from harness import Harness
from kinds import example
from large import large_rankings, packed
from playwright.sync_api import Page
from views import CONTRASTS, VALUE

from builder.numerals import shown_value

TEXTS = [" The", " Al", "h", "amb", "ra", ".", " Gran", "ada", "!"]
WORDS = {" The": [0], " Alhambra": [1, 2, 3, 4], ".": [5], " Granada": [6, 7], "!": [8]}
FIRST = 20  # the position of the first of them
MEASURES = ("rank", "probability", "surprisal", "entropy", "KL to the last layer")
STICKING_OUT = "cells => Math.max(...cells.map((cell) => cell.scrollWidth - cell.clientWidth))"
SHOW = "([part, options]) => document.querySelector('#fig-it .view').show(part, options)"

displays = pytest.mark.parametrize(("display", "item"), [("grid", "td"), ("text", ".token[tabindex]")])


def spelt(texts: list[str] = TEXTS, layers: int = 3, seed: int = 0, display: str = "grid") -> dict[str, Any]:
    """Return a result with these output tokens and numbers without a pattern, a probability among them that is tiny."""
    result, rng, rows = large_rankings(layers, len(texts), embeddings=True), Random(seed), range(layers + 1)
    data = result["data"]
    for token, text in zip(data["tokens"][FIRST:], texts, strict=True):
        token["text"] = text
    ranks = [[round(49_152 ** rng.random()) for _ in texts] for _ in rows]
    shares = [[float(f"{rng.random() ** 5 + 1e-9:.4g}") for _ in texts] for _ in rows]
    shares[1][1:3] = [1e-200, 1e-250]  # their product is less than any float
    data |= {"display": display, "embeddings": {"ranks": ranks[0], "probabilities": shares[0]}}
    data |= {"ranks": ranks[1:], "probabilities": shares[1:]}
    for name in ("entropy", "kl"):
        data[name] = packed([[rng.randrange(10_000) / 1000 for _ in texts] for _ in rows], 0.001)
    return result


def tables(result: dict[str, Any]) -> dict[str, list[list[float]]]:
    """Return the numbers of tokens, row by row, as the file has them."""
    data = result["data"]
    shares = [data["embeddings"]["probabilities"], *data["probabilities"]]
    codes = [np.frombuffer(b64decode(data[key]["base64"]), "<u2").reshape(len(shares), -1) for key in ("entropy", "kl")]
    entropy, kl = ((rows * 0.001).tolist() for rows in codes)
    ranks = [data["embeddings"]["ranks"], *data["ranks"]]
    surprisals = [[-log(p) for p in row] for row in shares]
    return dict(zip(MEASURES, (ranks, shares, surprisals, entropy, kl), strict=True))


def merged(name: str, own: list[float]) -> str:
    """Return a word's number as a cell shows it, from the numbers of its tokens."""
    if name in MEASURES[:2]:
        return f"{max(own):,}" if name == "rank" else shown_value(prod(own), "percent")
    total = sum(own)
    return f"{total:.{3 if total < 0.01 else 2 if total < 10 else 1}f}"


def joined(page: Page) -> Page:
    """Merge into words."""
    page.get_by_label("Merge into words").check()
    return page


def said(page: Page) -> str:
    """Return the sentence that is seen."""
    return page.locator("#fig-it .readout p").first.text_content() or ""


def over(page: Page, name: str) -> bool:
    """Tell whether the frame of a column or a row begins at a name."""
    boxes: list[Any] = [page.locator(f"#fig-it {selector}").bounding_box() for selector in (".is-line", name)]
    return all(abs(boxes[0][side] - boxes[1][side]) <= 1 for side in ("x", "y"))


def test_a_words_numbers_are_those_of_its_tokens(open_figure: Callable[..., Page]) -> None:
    """The worst rank, the product of probabilities, the sum of what is in nats; at every layer, of every word."""
    result = spelt()
    page = joined(open_figure(result, width=1280))
    for name, table in tables(result).items():
        page.get_by_label(name, exact=True).check()
        expected = [merged(name, [row[t] for t in word]) for row in table for word in WORDS.values()]
        assert page.locator("#fig-it td").all_text_contents() == expected, name
    names = [page.locator(f"#fig-it {part} .column-name").all_text_contents() for part in ("thead", "tfoot")]
    assert names == [[" t19", " The", "ra", ".", "ada"], list(WORDS)]
    page.get_by_label("Merge into words").uncheck()
    assert page.locator("#fig-it tfoot .column-name").all_text_contents() == TEXTS


@pytest.mark.parametrize("name", MEASURES[2:])
def test_a_scale_reaches_to_the_largest_sum(name: str, open_figure: Callable[..., Page]) -> None:
    """The palest shade is that of the largest sum alone, and the legend ends there."""
    result = spelt()
    page = joined(open_figure(result, width=1280))
    page.get_by_label(name, exact=True).check()
    sums = [sum(row[t] for t in word) for row in tables(result)[name] for word in WORDS.values()]
    assert max(sums) > log(49_152)
    shades = page.locator("#fig-it td").evaluate_all("cells => cells.map((cell) => cell.style.getPropertyValue('--s'))")
    assert [i for i, shade in enumerate(shades) if shade == "0.000"] == [sums.index(max(sums))]
    assert f"{max(sums):.1f} nats" in (page.locator("#fig-it .legend").text_content() or "")
    assert "word" in (page.locator("#fig-it .legend-title").text_content() or "")


@pytest.mark.parametrize("texts", [None, [" a", " b", ".", ".", "\n"]])
def test_the_switch_is_there_where_words_have_several_tokens(
    texts: list[str] | None, open_figure: Callable[..., Page]
) -> None:
    """Of the output: elsewhere it would do nothing, and an address that asks for words gets tokens."""
    result = spelt(texts) if texts else example("rankings")
    result["data"]["tokens"][1]["text"] = "er"  # a word of the input is none of the figure's
    page = open_figure(result, query="?fig-it=layer.1_words.true")
    assert page.get_by_label("Merge into words").count() == 0
    assert page.evaluate(VALUE)["words"] is False
    page = open_figure(spelt(), query="?fig-it=layer.1_words.perhaps")
    assert not page.get_by_label("Merge into words").is_checked()


def test_what_is_selected_stays_selected(open_figure: Callable[..., Page]) -> None:
    """A token's word has the frame, the address keeps both, a press on the word lets go, and tokens come back."""
    page = open_figure(spelt(), width=1280)
    page.locator("#fig-it td").nth(2 * len(TEXTS) + 3).click()
    before = page.evaluate(VALUE)
    value = joined(page).evaluate(VALUE)
    assert value == {**before, "layer": 1, "position": FIRST + 3, "words": True, "pinned": True}
    assert "words.true" in page.url
    for _ in range(2):
        assert said(page).startswith(" Alhambra at positions 21–24: worst rank of 4 tokens ")
        assert over(page, "thead th >> nth=2")
        page.reload()
        page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
        assert page.evaluate(VALUE) == value
    page.get_by_label("Merge into words").uncheck()
    assert said(page).startswith("amb at position 23: rank ")
    assert page.evaluate(VALUE) == before
    joined(page).locator("#fig-it td").nth(2 * len(WORDS) + 1).click()
    assert page.evaluate(VALUE)["pinned"] is False


@displays
def test_keys_go_by_words(display: str, item: str, open_figure: Callable[..., Page]) -> None:
    """Right leads to the next word and up and down by layers, Enter pins, Escape lets go, End is the last word."""
    page = joined(open_figure(spelt(display=display), width=1280))
    page.locator(f"#fig-it {item}").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VALUE)["position"] == FIRST + 5
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown" if display == "grid" else "ArrowUp")
    page.keyboard.press("Enter")
    value = page.evaluate(VALUE)
    layer = 0 if display == "grid" else 1
    assert (value["layer"], value["position"], value["pinned"]) == (layer, FIRST + 1, True)
    page.locator("#fig-it [aria-live]", has_text="‘ Alhambra’ at positions 21–24: ").wait_for(state="attached")
    page.keyboard.press("Escape")
    assert page.evaluate(VALUE)["pinned"] is False
    page.keyboard.press("End")
    assert page.evaluate(VALUE)["position"] == FIRST + 8


@displays
def test_a_tap_pins_a_word(display: str, item: str, open_figure: Callable[..., Page]) -> None:
    """And another on it lets go."""
    page = joined(open_figure(spelt(display=display), width=390, has_touch=True, is_mobile=True))
    for pinned in (True, False):
        page.locator(f"#fig-it {item}").nth(3).tap()
        assert page.evaluate(VALUE)["pinned"] is pinned
        assert page.evaluate(VALUE)["position"] == FIRST + 6


def test_the_text_has_a_line_under_each_word(open_figure: Callable[..., Page]) -> None:
    """Input stays as it is; a line is that of the word's worst ranks."""
    result = spelt(display="text")
    page = joined(open_figure(result))
    assert page.locator("#fig-it .strip .token[data-course]").all_text_contents() == list(WORDS)
    lines = page.locator("#fig-it .course-line").evaluate_all("lines => lines.map((line) => line.getAttribute('d'))")
    ranks = tables(result)["rank"]
    for line, word in zip(lines, WORDS.values(), strict=True):
        depths = [float(point.split(",")[1]) for point in line.removeprefix("M").split("L")]
        worst = [log(max(row[t] for t in word)) / log(49_152) for row in ranks]
        assert depths == pytest.approx(worst, abs=0.0006)


def test_the_card_lists_a_words_tokens(open_figure: Callable[..., Page]) -> None:
    """What the word's numbers are, and of each token its rank and first choices, heard, too; of many, eight."""
    page = joined(open_figure(spelt(), width=1280))
    page.locator("#fig-it td").nth(3).hover()
    card = page.locator("#fig-it .tip")
    ranks, surprisals = (tables(spelt())[name][0][6:8] for name in ("rank", "surprisal"))
    assert card.locator("dd").first.text_content() == " Granada positions 26–27"
    told = card.text_content() or ""
    assert f"{max(ranks):,} of 49,152, worst of 2 tokens" in told
    assert f"{sum(surprisals):.{2 if sum(surprisals) < 10 else 1}f} nats, sum" in told
    listed = zip(card.locator("dt").all_text_contents(), card.locator("dd").all_text_contents(), strict=True)
    assert list(listed)[-2:] == [
        (f"rank {rank:,}", f"{name} first:  the \n <b> ") for rank, name in zip(ranks, (" Gran", "ada"), strict=True)
    ]
    heard = f"‘ada’ rank {ranks[1]:,}, first choices ‘ the’, new line, ‘<b>’."
    page.locator("#fig-it .readout [aria-live]", has_text=heard).wait_for(state="attached")
    page = joined(open_figure(spelt(["x"] * 11), width=1280))
    page.locator("#fig-it td").first.hover()
    card = page.locator("#fig-it .tip")
    assert card.locator("dd").last.text_content() == "3 more tokens"
    assert card.locator("dd", has_text=" first: ").count() == 8


def test_a_word_of_one_token_is_told_as_a_token(open_figure: Callable[..., Page]) -> None:
    """There is no worst of one, and no sum."""
    page = open_figure(spelt())
    told = []
    for index in (0, 5):
        page.locator("#fig-it td").nth(index).hover()
        told.append((said(page), page.locator("#fig-it .tip").text_content()))
    assert "worst" not in str(told)
    joined(page)
    for index, before in zip((0, 2), told, strict=True):
        page.locator("#fig-it td").nth(index).hover()
        assert (said(page), page.locator("#fig-it .tip").text_content()) == before


def test_prose_shows_the_word_that_holds_a_token(open_figure: Callable[..., Page]) -> None:
    """Or a layer; pointing changes nothing, a click pins the token that was named, another lets go."""
    page = joined(open_figure(spelt(), width=1280))
    before = page.evaluate(VALUE)
    for part, head in (({"token": FIRST + 7}, "thead th >> nth=4"), ({"layer": 1}, "tbody th >> nth=2")):
        page.evaluate(SHOW, [part, {}])
        assert over(page, head)
        assert page.evaluate(VALUE) == before
    assert " of 5 words rank first after layer 1. " in said(page)
    for pinned in (True, False):
        page.evaluate(SHOW, [{"token": FIRST + 3}, {"pin": True}])
        assert page.evaluate(VALUE)["position"] == FIRST + 3
        assert page.evaluate(VALUE)["pinned"] is pinned


def test_a_word_is_cut_where_ranks_begin(open_figure: Callable[..., Page]) -> None:
    """A prompt's first token has no rank: what is left of its word is the first column, and keeps its own text."""
    result = spelt(["Lon", "d", "on", " is"])
    data = result["data"]
    data["tokens"] = [{**token, "type": "input"} for token in data["tokens"][FIRST:]]
    data["targets"] = [1, 2, 3]
    for key in ("ranks", "probabilities"):
        data[key], data["embeddings"][key] = [row[1:] for row in data[key]], data["embeddings"][key][1:]
    data["entropy"] = data["kl"] = packed([[1.0, 2.0, 3.0]] * 4, 0.001)
    data["top"] = packed([[[0, 1, 2]] * 3] * 4)
    page = joined(open_figure(result))
    names = [page.locator(f"#fig-it {part} .column-name").all_text_contents() for part in ("thead", "tfoot")]
    assert names == [["Lon", "on"], ["don", " is"]]
    page.get_by_label("text", exact=True).check()
    assert page.locator("#fig-it .strip .token").all_text_contents() == ["Lon", "don", " is"]
    page.locator("#fig-it .strip .token").nth(1).click()
    assert said(page).startswith("don at positions 1–2: worst rank of 2 tokens ")


def test_the_panels_of_a_gallery_keep_their_scale(open_page: Callable[..., Page], harness: Harness) -> None:
    """It ends where that of tokens does, and says so where the sum of a word is beyond."""
    panels = [{**spelt(), "title": "one"}, {**spelt([" a", " b", " c"], seed=3), "title": "two"}]
    page = joined(open_page(harness.write("gallery-words", {"fig-it": panels}), width=1280))  # two has nothing to join
    beyond: list[bool] = []
    for name in MEASURES[2:]:
        for radio in page.get_by_label(name, exact=True).all():
            radio.check()
        one, two = page.locator("#fig-it .legend").all_text_contents()
        most = max(sum(row[t] for t in word) for row in tables(panels[0])[name] for word in WORDS.values())
        end = re.findall(r"[\d.]+(?= nats)", two)[0]
        assert (f"{end} nats" in one, "≥" in two) == (True, False)
        beyond.append(f"≥ {end}" in one)
        assert beyond[-1] == (most > float(end) + 0.1)
    assert any(beyond)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_are_legible_and_fit(scheme: str, open_figure: Callable[..., Page]) -> None:
    """On a phone, sums of hundreds of nats too."""
    page = joined(open_figure(spelt(layers=12), width=360, color_scheme=scheme, reduced_motion="reduce"))
    for name in MEASURES:
        page.get_by_label(name, exact=True).check()
        assert page.locator("#fig-it td").evaluate_all(STICKING_OUT) <= 1
        assert min(page.evaluate(CONTRASTS, "#fig-it td")) >= 4.5
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("width", [360, 500, 760, 1280])
def test_the_grid_stays_where_it_is(width: int, open_figure: Callable[..., Page]) -> None:
    """There is room for what is told of a word, whatever cells tell: nothing moves away under the pointer."""
    page = joined(open_figure(spelt(), width=width))
    for name in MEASURES:
        page.get_by_label(name, exact=True).check()
        page.mouse.move(1, 1)
        before = page.locator("#fig-it table").bounding_box()
        page.locator("#fig-it td").nth(1).hover()
        assert page.locator("#fig-it table").bounding_box() == before
