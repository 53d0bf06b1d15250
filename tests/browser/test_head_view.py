"""The head view: what its lines, shades and sentences show is recomputed here from the packed weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from head_views import COPY, VALUE, column, crafted, drawn, head, said, serve, shades, two_stacks
from kinds import example, hostile
from playwright.sync_api import Page

from builder.quantised import pack_weights, unpack_weights

PAINTED = f"""() => [...document.querySelectorAll('#fig-it canvas:not([hidden])')].map((canvas) => canvas.width &&
  new Set(new Uint32Array(({COPY})(canvas).getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size)"""
"""How many colours stand on each canvas in sight; 0 for one that has no pixels."""


def test_a_token_at_the_left_shades_what_it_attends_to(open_figure: Callable[..., Page]) -> None:
    """A shade a head beside each attended token, as strong as the root of its weight, and none beyond the diagonal."""
    data = example("head_view")["data"]
    weights = unpack_weights(data["weights"])
    page = open_figure("head_view")
    column(page, 0).nth(9).hover()
    found = shades(page, weights.shape[2], len(weights))
    assert np.abs(found - weights[:, 9]).max() < 0.01
    assert not found[:, 10:].any()


def test_a_token_at_the_right_shades_what_attends_to_it(open_figure: Callable[..., Page]) -> None:
    """Then the shades stand at the left: the column of the matrix instead of its row."""
    weights = unpack_weights(example("head_view")["data"]["weights"])
    page = open_figure("head_view")
    column(page, 1).nth(4).hover()
    assert page.evaluate(VALUE)["side"] == "to"
    assert np.abs(shades(page, weights.shape[1], len(weights), "to") - weights[:, :, 4]).max() < 0.01


def test_the_sentence_names_the_strongest(open_figure: Callable[..., Page]) -> None:
    """By their mean over the heads that are on, with the head that gives the most; of one head, its weight alone."""
    weights = drawn(3, 6)
    page = open_figure(crafted(weights))
    column(page, 0).nth(2).hover()
    known = unpack_weights(pack_weights(weights))
    means = known[:, 2].mean(0)
    order = np.argsort(-means)[:3]
    strongest = known[:, 2].argmax(0)
    named = [f"{'abcdef'[k]} {means[k]:.0%} (head {strongest[k]}: {known[strongest[k], 2, k]:.0%})" for k in order]
    assert said(page) == f"Layer 0, all 3 heads: c position 2 attends to {', '.join(named)}"
    head(page, 1).click()
    assert said(page).startswith("Layer 0, heads 0 and 2: tokens at the left attend to those at the right, ")
    head(page, 0).click()
    column(page, 1).nth(5).hover()
    giver = int(known[2, :, 5].argmax())
    assert f"f position 5 is attended to by {'abcdef'[giver]} {known[2, giver, 5]:.0%}, " in said(page)
    head(page, 2).click()
    assert said(page) == "No head is chosen, so there are no lines."
    assert page.evaluate(VALUE)["heads"] == "none"


def test_a_window_is_told(open_figure: Callable[..., Page]) -> None:
    """Where a layer sees only some tokens, lines to the others are missing for that reason."""
    result = crafted(np.eye(5)[None])
    result["data"]["parts"]["self"]["windows"] = [4]
    assert said(open_figure(result)).endswith(" Here a token sees 4 at most, itself included.")


def test_what_is_almost_nothing_is_not_enlarged(open_figure: Callable[..., Page]) -> None:
    """Where less than 4% of a row is left, the steps of the stored weights would be the picture."""
    weights = np.array([[[0.97, 0.02, 0.01], [0.9, 0.1, 0.0], [0.5, 0.25, 0.25]]])
    page = open_figure(crafted(weights, exclude_first=True))
    found = []
    for row in range(3):
        column(page, 0).nth(row).hover()
        found.append(shades(page, 3, 1)[0].round(2).tolist())
    assert found == [[0, 0, 0], [0, 1, 0], [0, 0.5, 0.5]]


def test_cross_attention_goes_from_decoder_to_source(open_figure: Callable[..., Page]) -> None:
    """At the left stands what is written, at the right what is read; other parts come when they are chosen."""
    result, weights = two_stacks()
    page = open_figure(result)
    serve(page, weights)
    assert column(page, 0).all_text_contents() == ["x", "y", "z"]
    assert column(page, 1).all_text_contents() == ["a", "b", "c", "d"]
    column(page, 0).nth(2).hover()
    assert np.abs(shades(page, 4, 2) - weights["cross"][:, 2]).max() < 0.01
    assert page.evaluate(VALUE)["token"] == 6
    assert said(page).startswith("Decoder → encoder, layer 0, all 2 heads: z position 6 attends to ")
    page.get_by_label("encoder", exact=True).check()
    page.wait_for_function("document.querySelectorAll('#fig-it .columns .token').length === 8")
    assert column(page, 0).all_text_contents() == column(page, 1).all_text_contents() == ["a", "b", "c", "d"]
    page.get_by_role("group", name="Layer").get_by_label("1").and_(page.locator(":visible")).check()
    assert {**page.evaluate(VALUE), "part": "encoder", "layer": 1} == page.evaluate(VALUE)
    column(page, 1).nth(3).click()
    assert np.abs(shades(page, 4, 2, "to") - weights["encoder"][:, :, 3]).max() < 0.01
    assert "part.encoder_layer.1" in page.url


def test_words_are_one_row(open_figure: Callable[..., Page]) -> None:
    """What is given to a word's tokens is added, what they give averaged; a position inside is the word's."""
    weights = drawn(2, 5)
    result = crafted(weights, shown={"token": 3})
    for token, text in zip(result["data"]["tokens"], ["Be", "lg", "ium", " is", " old"], strict=True):
        token["text"] = text
    page = open_figure(result)
    page.get_by_label("Merge into words").click()
    assert column(page, 0).all_text_contents() == ["Belgium", " is", " old"]
    known = unpack_weights(pack_weights(weights))
    merged = np.add.reduceat(known, [0, 3, 4], axis=2)
    merged = np.stack([merged[:, :3].mean(1), merged[:, 3], merged[:, 4]], axis=1)
    for row in range(3):
        column(page, 0).nth(row).hover()
        assert np.abs(shades(page, 3, 2) - merged[:, row]).max() < 0.01
    column(page, 1).nth(0).click()
    assert "Belgium positions 0 to 2 is attended to by" in said(page)
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert column(page, 1).first.get_attribute("aria-pressed") == "true"


def test_tokens_that_are_one_character_are_one_row(open_figure: Callable[..., Page]) -> None:
    """A position in the middle of it is its row's."""
    weights = drawn(1, 4)
    result = crafted(weights, shown={"token": 2})
    for token, (text, span) in zip(result["data"]["tokens"], [("a", 1), ("東", 2), ("", 0), ("b", 1)], strict=True):
        token |= {"text": text, "span": span}
    page = open_figure(result)
    assert column(page, 0).all_text_contents() == ["a", "東", "b"]
    assert "東 positions 1 to 2 attends to" in said(page)
    known = unpack_weights(pack_weights(weights))[0, 1:3].mean(0)
    assert np.abs(shades(page, 3, 1)[0] - [known[0], known[1] + known[2], known[3]]).max() < 0.01


def test_a_phone_has_room_for_lines(open_figure: Callable[..., Page]) -> None:
    """Long tokens are cut: 80 pixels between the columns at least."""
    page = open_figure(hostile("head_view"), width=360)
    assert page.evaluate("document.querySelector('#fig-it .lines').clientWidth") >= 80
    long = page.locator("#fig-it .columns .token", has_text="a" * 80).first
    assert long.evaluate("(token) => token.scrollWidth > token.clientWidth")


def test_a_long_text_is_painted_where_it_is_seen(open_figure: Callable[..., Page]) -> None:
    """Canvases far from the screen have no pixels, those on it have lines; the sentence stays in sight."""
    size = 200
    weights = np.array([np.eye(size), 0.6 * np.eye(size) + 0.4 * np.eye(size)[::-1]])
    page = open_figure(crafted(weights, "a" * size))
    painted = page.evaluate(PAINTED)
    assert len(painted) == 6
    assert painted[0] > 10
    assert painted[-1] == 0
    column(page, 0).last.scroll_into_view_if_needed()
    page.wait_for_function(f"({PAINTED})().at(-1) > 10")
    assert page.evaluate(PAINTED)[0] == 0
    assert page.locator("#fig-it .readout").bounding_box()["y"] >= 0  # type: ignore[index]
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert min(page.evaluate(PAINTED)) > 1


def test_lines_have_the_colours_of_the_theme(open_figure: Callable[..., Page]) -> None:
    """Painted anew when it changes."""
    page = open_figure(crafted(np.eye(3)[None]), color_scheme="light")
    strongest = f"""() => {{
      const canvas = document.querySelector('#fig-it .lines canvas:not([hidden])');
      return [...({COPY})(canvas).getImageData(30, 12, 1, 1).data];
    }}"""
    assert page.evaluate(strongest) == pytest.approx([0x1C, 0x5F, 0xB6, 255], abs=3)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"({strongest})()[0] > 100")
    assert page.evaluate(strongest) == pytest.approx([0x86, 0xAD, 0xEA, 255], abs=3)


def test_without_scripts_there_are_lines_and_a_list(open_figure: Callable[..., Page]) -> None:
    """The strongest lines as a drawing, each in its head's colour; ten of them as a table."""
    page = open_figure("head_view", java_script_enabled=False, wait=False)
    edges = example("head_view")["data"]["edges"]
    assert page.locator("#fig-it .lines path").count() == len(edges)
    cells = page.locator("#fig-it tbody tr").first.locator("td").all_text_contents()
    assert [cells[2], cells[3]] == [str(edges[0]["head"]), "100%"]
    assert page.locator("#fig-it tbody tr").count() == 10
