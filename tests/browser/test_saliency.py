"""The saliency figure: what is shaded, what is said, how words are merged."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from kinds import example
from playwright.sync_api import Page

SHADES = """() => [...document.querySelectorAll('#fig-it .token.is-shaded')]
  .map((token) => Number(getComputedStyle(token).getPropertyValue('--s')))"""


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


SIGNED = made_up(
    ["a", " b", " c", " d", " e"], 2, [[0.75, 0.25], [0.2, 0.5, 0.3], [0.1, 0.2, 0.3, 0.4]],
    values=[[-3, 1], [0.4, -1, 0.6], [0.1, -0.2, 0.3, -0.0004]],
)  # fmt: skip
"""Three output tokens, with values. Shades come in steps of 0.02."""

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"
HALVES = """() => [...document.querySelectorAll('#fig-it .halves')].map((halves) => [...halves.children].map((half) =>
  half.classList.contains('is-shaded') ? Number(getComputedStyle(half).getPropertyValue('--s')) : null))"""


def test_signed_values_have_two_colours_and_a_sign(open_figure: Callable[..., Page]) -> None:
    """For and against are told apart by colour, by a dashed line and, in numbers, by + and −; legible both."""
    page = open_figure(SIGNED, reduced_motion="reduce")
    page.get_by_label("Signed").check()
    chips = page.locator("#fig-it .strip .token.is-shaded")
    assert page.evaluate(SHADES) == pytest.approx([1, 1 / 3], abs=0.011)
    assert [("is-negative" in (chip.get_attribute("class") or "")) for chip in chips.all()] == [True, False]
    colours = [chip.evaluate("(e) => getComputedStyle(e).backgroundColor") for chip in chips.all()]
    assert len(set(colours)) == 2
    assert page.locator("#fig-it .legend span").all_text_contents()[1:] == ["−3.0", "", "+3.0"]
    assert "a −3.0,  b +1.0" in (page.locator("#fig-it .readout p").first.text_content() or "")
    page.get_by_label("Numbers").check()
    assert page.locator("#fig-it .share").all_text_contents() == ["−3.0", "+1.0", "", "", ""]
    page.locator("#fig-it [role=button]").last.click()
    assert page.locator("#fig-it .share").all_text_contents()[3] == "−0.000"
    assert {"signed": True, "detail": True}.items() <= page.evaluate(VALUE).items()


def test_the_gradient_norm_has_no_sign(open_figure: Callable[..., Page]) -> None:
    """Where the answer has no values there is no switch, and an address cannot ask for them."""
    page = open_figure(made_up(["a", " b", " c"], 2, [[0.5, 0.5]]), query="?fig-it=position.2_signed.true")
    assert page.get_by_label("Signed").count() == 0
    assert page.evaluate(VALUE)["signed"] is False


def test_a_reader_turns_numbers_on_and_off(open_figure: Callable[..., Page]) -> None:
    """`detail` is only how the figure begins."""
    page = open_figure(made_up(["a", " b", " c", " d"], 2, [[0.9, 0.1], [0.2, 0.5, 0.3]], detail=True))
    page.get_by_label("Numbers").uncheck()
    assert page.locator("#fig-it .share").count() == 0
    page.get_by_label("Numbers").check()
    assert page.locator("#fig-it .share").all_text_contents() == ["90%", "10%", "", ""]


def test_two_output_tokens_are_compared_with_the_mouse(open_figure: Callable[..., Page]) -> None:
    """Shift and a click: each token before them shows both shares on one scale, and the sentence says where they differ
    most. Hovering changes nothing; a click on the second lets it go.
    """
    page = open_figure(SIGNED)
    outputs = page.locator("#fig-it [role=button]")
    outputs.nth(0).click()
    outputs.nth(2).click(modifiers=["Shift"])
    assert page.evaluate(VALUE)["compare"] == 4
    first, second = [3 / 4, 1 / 4, None, None], [0.1, 0.2, 0.3, 0.4]
    for halves, shares in zip(page.evaluate(HALVES), zip(first, second, strict=True), strict=False):
        assert halves == [share if share is None else pytest.approx(share / 0.75, abs=0.011) for share in shares]
    spoken = "Upper half ‘ c’, lower half ‘ e’: furthest apart at ‘a’ 75% and 10%, ‘ b’ 25% and 20%. Pinned"
    page.wait_for_function("(text) => document.querySelector('#fig-it [aria-live]').textContent === text", arg=spoken)
    outputs.nth(1).hover()
    assert page.evaluate(VALUE)["compare"] == 4
    page.locator("#fig-it .strip .token").first.hover()
    assert "75% | 10%" in (page.locator("#fig-it .tip").text_content() or "")
    outputs.nth(1).click()
    assert page.evaluate(VALUE)["compare"] == 3
    outputs.nth(1).click()
    assert page.evaluate(VALUE) == {**page.evaluate(VALUE), "compare": None, "position": 2, "pinned": True}
    assert page.locator("#fig-it .halves").count() == 0


def test_two_output_tokens_are_compared_with_the_keyboard(open_figure: Callable[..., Page]) -> None:
    """Enter pins one, the arrows lead to another only by the pin; the switch compares with the next, arrows move it."""
    page = open_figure(SIGNED)
    page.locator("#fig-it [role=button]").first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Compare").focus()
    page.keyboard.press("Space")
    assert page.evaluate(VALUE)["compare"] == 3
    page.locator("#fig-it [role=button]").nth(1).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VALUE)["compare"] == 4
    page.keyboard.press("Home")  # the first one itself: nothing to compare
    assert page.evaluate(VALUE)["compare"] is None
    page.locator("#fig-it [role=button]").nth(2).focus()
    page.keyboard.press("Shift+Enter")
    assert page.evaluate(VALUE)["compare"] == 4
    page.keyboard.press("Escape")
    assert {"compare": None, "pinned": True}.items() <= page.evaluate(VALUE).items()
    page.keyboard.press("Escape")
    assert page.evaluate(VALUE)["pinned"] is False


def test_two_output_tokens_are_compared_by_touch(open_figure: Callable[..., Page]) -> None:
    """The switch, then a tap; a tap on the first lets both go."""
    page = open_figure(SIGNED, width=390, has_touch=True, is_mobile=True)
    page.get_by_label("Compare").tap()
    assert {"position": 2, "compare": 3, "pinned": True}.items() <= page.evaluate(VALUE).items()
    page.locator("#fig-it [role=button]").nth(2).tap()
    assert page.evaluate(VALUE)["compare"] == 4
    page.locator("#fig-it [role=button]").nth(0).tap()
    assert {"compare": None, "pinned": False}.items() <= page.evaluate(VALUE).items()
    assert not page.get_by_label("Compare").is_checked()


def test_the_address_restores_a_comparison(open_figure: Callable[..., Page]) -> None:
    """With numbers, signs and groups; a second token that is none, or the first one, is no comparison."""
    page = open_figure(SIGNED)
    page.get_by_label("Signed").check()
    page.get_by_label("Numbers").check()
    page.get_by_label("Compare").check()
    value, halves = page.evaluate(VALUE), page.evaluate(HALVES)
    assert page.locator("#fig-it .halves span").all_text_contents()[:4] == ["−3.0", "+0.40", "+1.0", "−1.0"]
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == value
    assert page.evaluate(HALVES) == halves
    for wrong in ("compare.2", "compare.0", "compare.x", "compare.99"):
        page.goto(f"{page.url.partition('?')[0]}?fig-it=position.2_{wrong}")
        page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
        assert {"compare": None, "pinned": True}.items() <= page.evaluate(VALUE).items()


def test_prose_can_show_and_pin_a_token(open_figure: Callable[..., Page]) -> None:
    """`show({token: position})` shows an output token's row for a while, an input by its card; `value` stays."""
    page = open_figure(SIGNED)
    before = page.evaluate(VALUE)
    call = "([part, options]) => document.querySelector('#fig-it .view').show(part, options)"
    page.evaluate(call, [{"token": 4}, {}])
    assert page.evaluate(SHADES) == pytest.approx([0.25, 0.5, 0.75, 1], abs=0.011)
    page.evaluate(call, [{"token": 0}, {}])
    assert "75%" in (page.locator("#fig-it .tip").text_content() or "")
    for nothing in (None, {"token": 99}, {"layer": 3}):
        page.evaluate(call, [nothing, {}])
        assert page.evaluate(SHADES) == pytest.approx([1, 1 / 3], abs=0.011)
        assert page.locator("#fig-it .tip").is_hidden()
    assert page.evaluate(VALUE) == before
    page.evaluate(call, [{"token": 3}, {"pin": True}])
    assert {"position": 3, "pinned": True}.items() <= page.evaluate(VALUE).items()
    page.evaluate(call, [{"token": 3}, {"pin": True}])
    assert page.evaluate(VALUE)["pinned"] is False


def test_figures_side_by_side_share_a_scale(open_figure: Callable[..., Page]) -> None:
    """With `extent` the full shade is the largest of them all, for shares and for values."""
    page = open_figure(SIGNED)
    page.evaluate("""async (data) => {
      const figure = document.querySelector('#fig-it');
      const view = await import(new URL(figure.dataset.view, document.baseURI));
      figure.querySelector('.figure-body').replaceChildren(view.default(data, { extent: { share: 1, value: 6 } }));
    }""", SIGNED["data"])  # fmt: skip
    assert page.evaluate(SHADES) == pytest.approx([0.75, 0.25], abs=0.011)
    assert page.locator("#fig-it .legend-high").text_content() == "100%"
    page.get_by_label("Signed").check()
    assert page.evaluate(SHADES) == pytest.approx([0.5, 1 / 6], abs=0.011)
    assert page.locator("#fig-it .legend-high").text_content() == "+6.0"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signed_numbers_and_halves_are_legible(scheme: str, open_figure: Callable[..., Page]) -> None:
    """Contrast of at least 4.5 on blue and orange, in chips and halves."""
    from test_every_kind import CONTRASTS

    page = open_figure(SIGNED, color_scheme=scheme, reduced_motion="reduce")
    page.get_by_label("Signed").check()
    page.get_by_label("Numbers").check()
    for compared in (False, True):
        page.get_by_label("Compare").set_checked(compared)
        assert min(page.evaluate(CONTRASTS, "#fig-it .view :is(.token, .share, .halves span)")) >= 4.5
