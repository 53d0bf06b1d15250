"""The tokens figure: white space that can be seen and still be copied, bytes on demand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

VALUE = "document.querySelector('#fig-it .view').value"


def made_up(texts: list[str], n_input: int) -> dict[str, Any]:
    """Return a tokens result of a text of ours."""
    tokens = [{"text": t, "id": 7 * i, "type": "input" if i < n_input else "output"} for i, t in enumerate(texts)]
    targets = list(range(n_input, len(texts)))
    return {"kind": "tokens", "data": {"tokens": tokens, "targets": targets}, "checks": {}, "provenance": {}}


def test_the_text_itself_is_in_the_page(open_figure: Callable[..., Page]) -> None:
    """Spaces and line ends are painted over, not replaced: the text is what the model read."""
    page = open_figure(made_up(["def", " f", "(", ")", ":", "\n", "\t", "pass"], 6))
    assert page.locator("#fig-it .strip").text_content() == "def f():\n\tpass"
    marks = page.evaluate("""() => ['space', 'newline', 'tab'].map((name) =>
      getComputedStyle(document.querySelector(`#fig-it .${name}`), '::before').content.slice(1, 2))""")
    assert marks == ["·", "⏎", "→"]


def test_lines_break_where_the_text_breaks(open_figure: Callable[..., Page]) -> None:
    """A token after a line end stands at the start of the next line."""
    page = open_figure(made_up(["a", "\n", "b", " c"], 2))
    boxes = [box.bounding_box() for box in page.locator("#fig-it .token[data-position]").all()]
    a, newline, b, c = [(round(box["x"]), round(box["y"])) for box in boxes if box]
    assert a[1] == newline[1] < b[1] == c[1]
    assert a[0] == b[0]


def test_output_is_told_from_input_without_colour(open_figure: Callable[..., Page]) -> None:
    """The line under an output token is thicker."""
    page = open_figure(made_up(["a", " b"], 1))
    widths = "chips => chips.map((chip) => getComputedStyle(chip).borderBottomWidth)"
    assert page.locator("#fig-it .strip .token").evaluate_all(widths) == ["1px", "3px"]


def test_a_token_tells_position_id_bytes_and_role(open_figure: Callable[..., Page]) -> None:
    """All that is known of a token, at a touch."""
    page = open_figure(made_up(["a", " é"], 1))
    page.locator("#fig-it .strip .token").nth(1).hover()
    facts = page.locator("#fig-it .tip dl").evaluate("(list) => [...list.children].map((e) => e.textContent)")
    assert facts == ["position", "1", "id", "7", "bytes", "20 c3 a9", "role", "output"]


def test_what_the_card_tells_is_heard(open_figure: Callable[..., Page]) -> None:
    """Bytes and a pin too, of each token of a word."""
    page = open_figure(made_up(["a", " Slov", "enia", " é"], 3))
    heard = page.locator("#fig-it [aria-live]")
    page.locator("#fig-it .strip .token").nth(3).click()
    expect(heard).to_have_text("‘ é’, position 3, id 21, bytes 20 c3 a9, output. Pinned")
    page.get_by_label("Words").check()
    page.locator("#fig-it .strip .token").nth(1).click()
    hex_bytes = "20 53 6c 6f 76, 65 6e 69 61"
    expect(heard).to_have_text(f"‘ Slovenia’, 2 tokens, positions 1 to 2, ids 7 14, bytes {hex_bytes}, input. Pinned")


@pytest.mark.parametrize("script", [True, False])
def test_every_token_is_listed(script: bool, open_figure: Callable[..., Page]) -> None:
    """Position, id and bytes as a table that can be opened, script or not."""
    result = made_up(["a", " é", "京", ""], 4)
    for token, (data, span) in zip(result["data"]["tokens"][2:], [("e4ba", 2), ("ac", 0)], strict=True):
        token |= {"bytes": data, "span": span}
    page = open_figure(result, java_script_enabled=script, wait=script)
    page.locator("#fig-it .rows summary").click()
    cells = page.locator("#fig-it .rows tbody :is(th, td)")
    expect(cells).to_have_count(16)
    assert [text.strip() for text in cells.all_text_contents()] == [
        *("0", "a", "0", "61"),
        *("1", "é", "7", "20 c3 a9"),
        *("2", "⟨e4 ba⟩", "14", "e4 ba"),
        *("3", "⟨ac⟩", "21", "ac"),
    ]


def test_tokens_merge_into_words(open_figure: Callable[..., Page]) -> None:
    """At a switch, where it would change something; what is pinned stays, and the address keeps both."""
    page = open_figure(made_up(["in", " Slov", "enia", "."], 4))
    page.locator("#fig-it .strip .token").nth(2).click()
    page.get_by_label("Words").check()
    assert page.locator("#fig-it .strip .token").all_text_contents() == ["in", " Slovenia", "."]
    assert page.locator("#fig-it .strip [tabindex='0']").text_content() == " Slovenia"
    value = page.evaluate(VALUE)
    assert value == {"position": 1, "words": True, "pinned": True}
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == value
    page.evaluate("document.querySelector('#fig-it .view').show({ token: 2 })")
    assert page.locator("#fig-it .is-selected").text_content() == " Slovenia"
    page.get_by_label("Words").uncheck()
    assert page.evaluate(VALUE) == {"position": 1, "words": False, "pinned": True}
    page.locator("#fig-it .strip .token").nth(1).click()
    assert page.evaluate(VALUE)["pinned"] is False
    assert open_figure(made_up(["in", " Rome"], 2)).get_by_label("Words").count() == 0


def test_a_wide_text_fits_a_phone(open_figure: Callable[..., Page]) -> None:
    """As many characters as a quotation has, each as wide as it is high: it breaks, and short ones never do."""
    page = open_figure(made_up(["字" * 24, " a", "a" * 24, " word"], 4), width=320)
    for chip in page.locator("#fig-it .strip .token").all():
        chip.click()
        said = page.locator("#fig-it .readout q").bounding_box()
        figure = page.locator("#fig-it .view").bounding_box()
        assert said
        assert figure
        assert said["x"] + said["width"] <= figure["x"] + figure["width"] + 0.5
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_parts_of_a_character_are_grouped(open_figure: Callable[..., Page]) -> None:
    """Tokens that are text only together make one chip, and the card shows the bytes of each."""
    result = made_up([" 🌸", "", "", "x"], 3)
    for token, (data, span) in zip(result["data"]["tokens"], [("20f09f", 3), ("8c", 0), ("b8", 0)], strict=False):
        token |= {"bytes": data, "span": span}
    page = open_figure(result)
    assert page.locator("#fig-it .strip .token").all_text_contents() == [" 🌸", "x"]
    page.locator("#fig-it .strip .token").first.hover()
    tip = page.locator("#fig-it .tip").text_content() or ""
    assert "0 to 2" in tip
    assert "20 f0 9f | 8c | b8" in tip


def test_bytes_stand_for_what_is_no_text(open_figure: Callable[..., Page]) -> None:
    """A generation cut within a character ends in bytes, shown as such."""
    result = made_up(["a", "\ufffd"], 1)
    result["data"]["tokens"][1] |= {"bytes": "e69d", "span": 1}
    page = open_figure(result)
    assert page.locator("#fig-it .strip .token").all_text_contents() == ["a", "⟨e6 9d⟩"]
    plain = open_figure(result, java_script_enabled=False, wait=False)
    assert plain.locator("#fig-it .strip .token").all_text_contents() == ["a", "⟨e6 9d⟩"]


def test_unseen_characters_are_named(open_figure: Callable[..., Page]) -> None:
    """A zero-width space, a right-to-left override, a bell: shown by their code points, script or not."""
    result = made_up(["\u200b", "\u202e", "\x07", "\u00a0", "👩‍🔬"], 5)
    for script in (True, False):
        page = open_figure(result, java_script_enabled=script, wait=script)
        shown = page.locator("#fig-it .strip .token").all_text_contents()
        assert shown == ["U+200B", "U+202E", "U+0007", "U+00A0", "👩‍🔬"]


def test_unseen_characters_are_heard(open_figure: Callable[..., Page]) -> None:
    """By what the eye sees: a screen reader would say nothing for them; an emoji keeps what joins it."""
    page = open_figure(made_up(["\u200b", "a\x07", "\u00a0", "👩‍🔬"], 4))
    heard = page.locator("#fig-it [aria-live]")
    for index, name in enumerate(("‘U+200B’", "‘aU+0007’", "U+00A0", "‘👩‍🔬’")):
        page.locator("#fig-it .strip .token").nth(index).hover()
        expect(heard).to_contain_text(f"{name}, position {index}, ")


def test_a_key_stands_only_where_there_are_two_things_to_tell_apart(open_figure: Callable[..., Page]) -> None:
    """A text that is all input explains no output, script or not."""
    for generated, keys in ((0, 0), (1, 1)):
        for script in (True, False):
            page = open_figure(made_up(["a", "b"], 2 - generated), java_script_enabled=script, wait=script)
            assert page.locator("#fig-it .strip-key").count() == keys
