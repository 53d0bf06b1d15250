"""The saliency figure: what is shaded, what is said, how words are merged."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from kinds import example
from playwright.sync_api import Page
from saliency_views import SHADES, made_up


def test_the_first_output_token_is_selected_at_first(open_figure: Callable[..., Page]) -> None:
    """A reader who does nothing sees an answer: the row of the first output token, its largest share at full shade."""
    page = open_figure("saliency")
    data = example("saliency")["data"]
    row = data["scores"][0]
    assert page.evaluate("document.querySelector('#fig-it .view').value.position") == data["targets"][0]
    assert page.evaluate(SHADES) == pytest.approx([score / max(row) for score in row], abs=0.011)


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
    page.get_by_label("words").check()
    assert page.locator("#fig-it .strip .token").all_text_contents() == [" in", " England", " Slovenia"]
    # means over " in" and " England": (0.2 + 0.1) / 2 and (0.8 + 0.5) / 2, rescaled from 0.8 to 1
    assert page.evaluate(SHADES) == pytest.approx([0.15 / 0.65, 1], abs=0.011)
    assert page.locator("#fig-it .legend-high").text_content() == "81%"


def test_a_group_of_byte_tokens_is_one_unit(open_figure: Callable[..., Page]) -> None:
    """Tokens that are text only together are one chip, shaded by the sum of their shares."""
    result = made_up(["a", " 東", "", "", " x"], 4, [[0.4, 0.3, 0.2, 0.1]])
    for token, (data, span) in zip(result["data"]["tokens"][1:4], [("20e6", 3), ("9d", 0), ("b1", 0)], strict=True):
        token |= {"bytes": data, "span": span}
    page = open_figure(result)
    assert page.locator("#fig-it .strip .token").all_text_contents() == ["a", " 東", " x"]
    assert page.evaluate(SHADES) == pytest.approx([0.4 / 0.6, 1], abs=0.011)


def test_groups_that_say_nothing_new_are_not_offered(open_figure: Callable[..., Page]) -> None:
    """Merged into a single word, no row is left; where a text has one line or sentence, there is no choice of them."""
    result = made_up(["Slov", "en", "ia"], 1, [[1], [0.5, 0.5]])
    for token in result["data"]["tokens"]:
        token["type"] = "input"  # `generate: 0`: a given text is analysed
    page = open_figure(result, query="?fig-it=position.1_unit.words")
    assert page.locator("#fig-it .choice").count() == 0
    assert page.evaluate("document.querySelector('#fig-it .view').value.unit") == "tokens"
    page = open_figure(made_up(["A", "b", " c", " d"], 2, [[0.9, 0.1], [0.2, 0.5, 0.3]]))
    assert page.locator("#fig-it .choice label").all_text_contents() == ["tokens", "words", "lines"]


LINES = made_up(
    ["One", " ends", ".", " Two", "\n", "\n", "Three", " goes", " on", "\n", "Four"],
    6,
    [[0.2, 0.1, 0.1, 0.2, 0.2, 0.2], [0.1] * 7, [0.1] * 8, [0.1] * 9, [0.3] + [0.1] * 7 + [0, 0]],
)


@pytest.mark.parametrize(
    ("by", "pieces"),
    [
        ("lines", ["One ends. Two\n\n", "Three goes on\n", "Four"]),
        ("sentences", ["One ends.", " Two\n", "\n", "Three goes on\n", "Four"]),
    ],
)
def test_lines_and_sentences_are_units(by: str, pieces: list[str], open_figure: Callable[..., Page]) -> None:
    """A sentence begins with the space before its first word; an empty line belongs to the one before; the address
    remembers.
    """
    page = open_figure(LINES)
    page.get_by_label(by).check()
    assert page.locator("#fig-it .strip .token").all_text_contents() == pieces
    page.locator("#fig-it .strip [role=button]").last.click()
    assert f"unit.{by}" in page.url
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.locator("#fig-it .strip .token").all_text_contents() == pieces
    assert page.evaluate("document.querySelector('#fig-it .view').value.position") == 10


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


def test_a_reader_turns_numbers_on_and_off(open_figure: Callable[..., Page]) -> None:
    """`detail` is only how the figure begins."""
    page = open_figure(made_up(["a", " b", " c", " d"], 2, [[0.9, 0.1], [0.2, 0.5, 0.3]], detail=True))
    page.get_by_label("Numbers").uncheck()
    assert page.locator("#fig-it .share").count() == 0
    page.get_by_label("Numbers").check()
    assert page.locator("#fig-it .share").all_text_contents() == ["90%", "10%", "", ""]
