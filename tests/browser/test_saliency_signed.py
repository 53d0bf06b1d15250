"""Saliency with signs, and of two output tokens side by side: by mouse, keys, touch, prose and address."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from saliency_views import SHADES, VALUE, made_up
from views import CONTRASTS

SIGNED = made_up(
    ["a", " b", " c", " d", " e"], 2, [[0.75, 0.25], [0.2, 0.5, 0.3], [0.1, 0.2, 0.3, 0.4]],
    values=[[-3, 1], [0.4, -1, 0.6], [0.1, -0.2, 0.3, -0.0004]],
)  # fmt: skip
"""Three output tokens, with values. Shades come in steps of 0.02."""

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
    page = open_figure(SIGNED, color_scheme=scheme, reduced_motion="reduce")
    page.get_by_label("Signed").check()
    page.get_by_label("Numbers").check()
    for compared in (False, True):
        page.get_by_label("Compare").set_checked(compared)
        assert min(page.evaluate(CONTRASTS, "#fig-it .view :is(.token, .share, .halves span)")) >= 4.5
