"""The saliency figure: what is shaded, what is said, how words are merged."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from conftest import example
from playwright.sync_api import Page

SHADES = """() => [...document.querySelectorAll('#fig-it .token.is-shaded')]
  .map((token) => Number(token.style.getPropertyValue('--s')))"""


def made_up(texts: list[str], n_input: int, scores: list[list[float]], **more: Any) -> dict[str, Any]:
    """Return a saliency result of a text of ours."""
    tokens = [{"text": t, "id": i, "type": "input" if i < n_input else "output"} for i, t in enumerate(texts)]
    data = {"tokens": tokens, "targets": list(range(n_input, len(texts))), "scores": scores, "method": "gradient",
            "target": "logit", "contrast": None, "detail": False, **more}  # fmt: skip
    return {"kind": "saliency", "data": data, "checks": {}, "provenance": {}}


def test_the_first_output_token_is_selected_at_first(open_figure: Callable[..., Page]) -> None:
    """A reader who does nothing sees an answer: the row of the first output token, its largest share at full shade."""
    page = open_figure("saliency")
    data = example("saliency")["data"]
    row = data["scores"][0]
    assert page.evaluate("document.querySelector('#fig-it .view').value.position") == data["targets"][0]
    assert page.evaluate(SHADES) == pytest.approx([score / max(row) for score in row], abs=1e-4)


def test_each_row_has_a_scale_of_its_own(open_figure: Callable[..., Page]) -> None:
    """The largest share of the selected row has the full shade, and the legend says how much that is."""
    page = open_figure(made_up(["a", " b", " c", " d"], 2, [[0.9, 0.1], [0.2, 0.5, 0.3]]))
    page.locator("#fig-it [role=button]").nth(1).click()
    assert page.evaluate(SHADES) == pytest.approx([0.4, 1, 0.6])
    assert page.locator("#fig-it .legend-high").text_content() == "50%"


def test_the_sentence_names_the_strongest_inputs(open_figure: Callable[..., Page]) -> None:
    """What is spoken holds the token, its position and the three strongest inputs in order."""
    page = open_figure(made_up(["a", " b", "\n", " d", " e"], 4, [[0.1, 0.55, 0.3, 0.05]]))
    text = page.locator("#fig-it [aria-live]").text_content()
    assert text == "Output token ‘ e’, position 4: strongest inputs ‘ b’ 55%, new line 30%, ‘a’ 10%"


def test_up_and_down_walk_the_inputs_by_strength(open_figure: Callable[..., Page]) -> None:
    """Every share can be had with the keyboard, strongest first."""
    page = open_figure(made_up(["a", " b", " c", " d"], 3, [[0.1, 0.6, 0.3]]))
    page.locator("#fig-it [role=button]").first.focus()
    for share in ("60%", "30%", "10%"):
        page.keyboard.press("ArrowDown")
        assert share in (page.locator("#fig-it .tip").text_content() or "")
    page.keyboard.press("Escape")
    assert page.locator("#fig-it .tip").is_hidden()


def test_detail_writes_a_share_under_each_token(open_figure: Callable[..., Page]) -> None:
    """`detail: true` shows all percentages of the row, and none for tokens that come later."""
    page = open_figure(made_up(["a", " b", " c", " d"], 2, [[0.9, 0.1], [0.2, 0.5, 0.3]], detail=True))
    assert page.locator("#fig-it .share").all_text_contents() == ["90%", "10%", "", ""]


def test_merged_words_average_their_tokens(open_figure: Callable[..., Page]) -> None:
    """A word's row is the mean of its tokens' rows over earlier words, own shares left out, summing to 1."""
    scores = [[0.2, 0.3, 0.5], [0.1, 0.2, 0.3, 0.4]]
    page = open_figure(made_up([" in", " Eng", "land", " Slov", "enia"], 3, scores))
    page.get_by_label("Merge into words").check()
    assert page.locator("#fig-it .strip .token").all_text_contents() == [" in", " England", " Slovenia"]
    # means over " in" and " England": (0.2 + 0.1) / 2 and (0.8 + 0.5) / 2, rescaled from 0.8 to 1
    assert page.evaluate(SHADES) == pytest.approx([0.15 / 0.65, 1], abs=1e-4)
    assert page.locator("#fig-it .legend-high").text_content() == "81%"


def test_a_group_of_byte_tokens_is_one_unit(open_figure: Callable[..., Page]) -> None:
    """Tokens that are text only together are one chip, shaded by the sum of their shares."""
    result = made_up(["a", " 東", "", "", " x"], 4, [[0.4, 0.3, 0.2, 0.1]])
    for token, (data, span) in zip(result["data"]["tokens"][1:4], [("20e6", 3), ("9d", 0), ("b1", 0)], strict=True):
        token |= {"bytes": data, "span": span}
    page = open_figure(result)
    assert page.locator("#fig-it .strip .token").all_text_contents() == ["a", " 東", " x"]
    assert page.evaluate(SHADES) == pytest.approx([0.4 / 0.6, 1], abs=1e-4)


def test_a_text_of_one_word_has_nothing_before_it(open_figure: Callable[..., Page]) -> None:
    """Merged into a single word, no row is left; the figure says so and goes on working."""
    result = made_up(["Slov", "en", "ia"], 1, [[1], [0.5, 0.5]])
    for token in result["data"]["tokens"]:
        token["type"] = "input"  # `generate: 0`: a given text is analysed
    page = open_figure(result)
    words = page.get_by_label("Merge into words")
    words.check()
    page.locator("#fig-it .strip .token").hover()
    assert "nothing stands before it" in (page.locator("#fig-it .readout p").first.text_content() or "")
    words.uncheck()
    assert len(page.evaluate(SHADES)) == 1


def test_a_row_of_nothing_is_not_shaded(open_figure: Callable[..., Page]) -> None:
    """A token contrasted with itself depends on nothing; nothing breaks."""
    page = open_figure(made_up(["a", " b", " c"], 2, [[0, 0]]))
    assert page.evaluate(SHADES) == [0, 0]


def test_the_scale_is_even(open_figure: Callable[..., Page]) -> None:
    """Equal steps of the share are nearly equal steps of lightness (OKLab), one direction, light and dark."""
    for scheme in ("light", "dark"):
        page = open_figure("saliency", color_scheme=scheme, reduced_motion="reduce")
        lightness = page.evaluate("""() => {
          const token = document.querySelector('#fig-it .token.is-shaded');
          return [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => {
            token.style.setProperty('--s', i / 8);
            return Number(/oklab\\(([\\d.]+)/.exec(getComputedStyle(token).backgroundColor)[1]);
          });
        }""")
        steps = [b - a for a, b in pairwise(lightness)]
        assert all(step < 0 for step in steps) if scheme == "light" else all(step > 0 for step in steps)
        assert max(map(abs, steps)) / min(map(abs, steps)) < 1.35


def test_escape_brings_the_sentence_back(open_figure: Callable[..., Page]) -> None:
    """After walking the inputs, Escape says again what is selected."""
    page = open_figure("saliency")
    sentence = page.locator("#fig-it .readout p").first
    before = sentence.text_content()
    page.locator("#fig-it [role=button]").first.focus()
    page.keyboard.press("ArrowDown")
    assert sentence.text_content() != before
    page.keyboard.press("Escape")
    assert sentence.text_content() == before
