"""The head view: what its lines, shades and sentences show is recomputed here from the packed weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kinds import KINDS, example, hostile
from playwright.sync_api import Locator, Page, Route

from builder.quantised import pack_weights, unpack_weights

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"

COPY = """(canvas) => {
  const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height });
  const context = copy.getContext('2d', { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return context;
}"""
"""A canvas that can be read without a warning."""

SHADES = f"""([columns, heads, side]) => {{
  const canvas = document.querySelector('#fig-it .lines canvas:not([hidden])');
  const [width, pitch, context] = [canvas.clientWidth, 24, ({COPY})(canvas)];
  const cell = Math.min(8, width / 4 / heads);
  const start = side === 'from' ? width - heads * cell : 0;
  return Array.from({{ length: heads }}, (_, n) => Array.from({{ length: columns }}, (_, j) =>
    context.getImageData(start + (n + 0.4) * cell, (j + 0.5) * pitch, 1, 1).data[3] / 255));
}}"""
"""Opacities of the shades beside the tokens, a row a head; they are drawn on a root scale."""

PAINTED = f"""() => [...document.querySelectorAll('#fig-it canvas:not([hidden])')].map((canvas) => canvas.width &&
  new Set(new Uint32Array(({COPY})(canvas).getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size)"""
"""How many colours stand on each canvas in sight; 0 for one that has no pixels."""


def crafted(
    weights: np.ndarray,
    texts: str = "abcdefgh",
    *,
    segments: str | None = None,
    parts: dict[str, Any] | None = None,
    **data: Any,
) -> dict[str, Any]:
    """Return a result of one layer of weights [heads, queries, keys] over the letters of a text."""
    size = weights.shape[1]
    tokens = [{"text": letter, "id": i, "type": "input"} for i, letter in enumerate(texts)]
    for token, segment in zip(tokens, segments or "", strict=False):
        token["segment"] = int(segment)
    whole = {"queries": [0, size], "keys": [0, size], "causal": False, "layers": [0], "windows": [None]}
    shown = {"part": "self", "layer": 0, "heads": None, "token": None, "side": "from"}
    base = {
        "tokens": tokens[: None if parts else size],
        "parts": parts or {"self": {**whole, "n_heads": len(weights)}},
        "shown": shown | data.pop("shown", {}),
        "exclude_first": False,
        "weights": pack_weights(weights),
        "edges": [],
    }
    return {"kind": "head_view", "data": base | data, "checks": {}, "provenance": {}}


def drawn(heads: int, queries: int, keys: int | None = None) -> np.ndarray:
    """Return weights that sum to 1 in each row, the same each time."""
    drawn = np.random.default_rng(3).random((heads, queries, keys or queries)) ** 4
    return drawn / drawn.sum(-1, keepdims=True)


def column(page: Page, side: int) -> Locator:
    """Return the tokens of the left column (0) or the right one (1)."""
    return page.locator("#fig-it .columns .strip").nth(side).locator(".token")


def said(page: Page) -> str:
    """Return the sentence above the figure, once there is one: weights are unpacked meanwhile."""
    page.wait_for_function("document.querySelector('#fig-it .readout p').textContent")
    return page.locator("#fig-it .readout p").first.text_content() or ""


def head(page: Page, number: int) -> Locator:
    """Return the square of a head."""
    return page.get_by_role("button", name=f"head {number}", exact=True)


def shades(page: Page, rows: int, heads: int, side: str = "from") -> np.ndarray:
    """Return the weights that the shades beside the tokens show, [heads, rows]."""
    return np.array(page.evaluate(SHADES, [rows, heads, side])) ** 2


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


def test_a_square_takes_its_head_out_and_in(open_figure: Callable[..., Page]) -> None:
    """A press toggles, two isolate, two more bring all back; what is off is neither drawn nor said."""
    page = open_figure("head_view")
    head(page, 3).click()
    assert head(page, 3).get_attribute("aria-pressed") == "false"
    assert page.evaluate(VALUE)["heads"] == "0-1-2-4-5-6-7-8"
    head(page, 3).click()
    assert page.evaluate(VALUE)["heads"] is None
    head(page, 5).dblclick()
    value = page.evaluate(VALUE)
    assert (value["head"], value["heads"]) == (5, "5")
    weights = unpack_weights(example("head_view")["data"]["weights"])
    column(page, 0).nth(12).hover()
    assert np.abs(shades(page, 14, 1)[0] - weights[5, 12]).max() < 0.01
    head(page, 5).dblclick()
    assert page.evaluate(VALUE)["heads"] is None


def test_heads_are_chosen_by_keys(open_figure: Callable[..., Page]) -> None:
    """One tab stop for all squares; arrows walk, space toggles, Shift and Enter isolate."""
    page = open_figure("head_view")
    head(page, 0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert page.evaluate(VALUE)["heads"] == "0-2-3-4-5-6-7-8"
    page.keyboard.press("End")
    page.keyboard.press("Shift+Enter")
    assert page.evaluate(VALUE)["head"] == 8
    page.keyboard.press("Shift+Enter")
    assert page.evaluate(VALUE)["heads"] is None
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "token"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "head 8"


def test_two_taps_isolate_too(open_figure: Callable[..., Page]) -> None:
    """As a double click; the page does not zoom."""
    page = open_figure("head_view", width=390, has_touch=True, is_mobile=True)
    box = head(page, 4).bounding_box()
    assert box is not None
    for _ in range(2):  # in one breath, as the checks before a locator's own taps would not let it
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.evaluate(VALUE)["head"] == 4
    assert page.evaluate("visualViewport.scale") == 1


def test_arrows_walk_both_columns(open_figure: Callable[..., Page]) -> None:
    """Up and down the tokens of a side, left and right to the other side."""
    page = open_figure("head_view")
    column(page, 0).first.focus()
    for key, place in (
        ("ArrowDown", (1, "from")),
        ("PageDown", (11, "from")),
        ("ArrowRight", (11, "to")),
        ("ArrowRight", (11, "to")),
        ("End", (13, "to")),
        ("ArrowDown", (13, "to")),
        ("ArrowLeft", (13, "from")),
        ("Home", (0, "from")),
    ):
        page.keyboard.press(key)
        value = page.evaluate(VALUE)
        assert (value["token"], value["side"]) == place, key


def test_the_first_token_can_be_left_out(open_figure: Callable[..., Page]) -> None:
    """The rest of each row sums to 1 again, and the sentence says how much is missing."""
    weights = unpack_weights(example("head_view")["data"]["weights"])
    page = open_figure("head_view")
    assert f"{weights[:, 1:, 0].mean():.0%} to the first one." in said(page)
    page.get_by_label("Leave out the first token").click()
    assert "to the first one, which is left out." in said(page)
    column(page, 0).nth(9).hover()
    rest = weights[:, 9].copy()
    rest[:, 0] = 0
    left = rest.sum(-1, keepdims=True)
    rest = np.where(left < 10 / 255 - 1e-9, 0, rest / left)
    assert np.abs(shades(page, 14, 9) - rest).max() < 0.01
    assert said(page).endswith(f"; {weights[:, 9, 0].mean():.0%} to the first token, left out")
    column(page, 0).nth(0).hover()
    assert "attends to nothing that is shown; 100% to the first token, left out" in said(page)
    column(page, 0).nth(9).click()
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.get_by_label("Leave out the first token").is_checked()


def test_what_is_almost_nothing_is_not_enlarged(open_figure: Callable[..., Page]) -> None:
    """Where less than 4% of a row is left, the steps of the stored weights would be the picture."""
    weights = np.array([[[0.97, 0.02, 0.01], [0.9, 0.1, 0.0], [0.5, 0.25, 0.25]]])
    page = open_figure(crafted(weights, exclude_first=True))
    found = []
    for row in range(3):
        column(page, 0).nth(row).hover()
        found.append(shades(page, 3, 1)[0].round(2).tolist())
    assert found == [[0, 0, 0], [0, 1, 0], [0, 0.5, 0.5]]


def test_sentences_of_a_pair_can_be_told_apart(open_figure: Callable[..., Page]) -> None:
    """From A to B: other lines are gone, other tokens are dim, and what they hide is not rescaled."""
    weights = drawn(2, 6)
    page = open_figure(crafted(weights, segments="000111"))
    choice = page.get_by_role("group", name="Show")
    assert choice.locator("label").all_text_contents() == ["all", "A → A", "A → B", "B → A", "B → B"]
    choice.get_by_label("A → B").click()
    assert page.evaluate(VALUE)["filter"] == "A-B"
    dim = [column(page, side).evaluate_all("all => all.map((t) => t.matches('.is-later'))") for side in (0, 1)]
    assert dim == [[False] * 3 + [True] * 3, [True] * 3 + [False] * 3]
    column(page, 0).nth(1).hover()
    known = unpack_weights(pack_weights(weights))[:, 1].copy()
    known[:, :3] = 0
    assert np.abs(shades(page, 6, 2) - known).max() < 0.01
    column(page, 0).nth(4).hover()
    assert said(page).endswith("attends to nothing that is shown")


def test_prompt_and_output_can_be_told_apart(open_figure: Callable[..., Page]) -> None:
    """A prompt cannot look at what comes after it, so that pair is not offered."""
    page = open_figure("head_view")
    labels = page.get_by_role("group", name="Show").locator("label").all_text_contents()
    assert labels == ["all", "prompt → prompt", "output → prompt", "output → output"]
    plain = open_figure(crafted(drawn(1, 4)))
    assert not plain.get_by_text("Show").is_visible()


def two_stacks() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return an encoder-decoder's result that shows its cross attention, and the weights of all parts."""
    sizes = {"encoder": (4, 4), "decoder": (3, 3), "cross": (3, 4)}
    ranges = {"encoder": ([0, 4], [0, 4]), "decoder": ([4, 7], [4, 7]), "cross": ([4, 7], [0, 4])}
    weights = {name: drawn(2, *size) for name, size in sizes.items()}
    weights["decoder"] = np.tril(weights["decoder"]) / np.tril(weights["decoder"]).sum(-1, keepdims=True)
    parts = {
        name: {
            "queries": q,
            "keys": k,
            "causal": name == "decoder",
            "layers": [0, 1],
            "n_heads": 2,
            "windows": [None] * 2,
        }
        for name, (q, k) in ranges.items()
    }
    result = crafted(weights["cross"], "abcdxyz", parts=parts, shown={"part": "cross"})
    for token in result["data"]["tokens"][4:]:
        token["type"] = "output"
    return result, weights


def serve(page: Page, weights: dict[str, np.ndarray]) -> None:
    """Answer for pieces, whose layers all have the same weights."""

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2].partition("-")[0]
        packed = pack_weights(weights[name], triangle=name == "decoder")
        route.fulfill(body=json.dumps({"weights": packed}))

    page.route("**/*-*.json", answer)


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


def test_another_layer_comes_when_it_is_chosen(open_figure: Callable[..., Page]) -> None:
    """The pinned token stays, its weights are the layer's; a layer that does not come is said."""
    page = open_figure("head_view", broken=True)
    column(page, 0).nth(9).click()
    page.get_by_label("Layer").select_option("3")
    page.wait_for_function("document.querySelector('#fig-it .readout p').textContent.startsWith('Layer 3,')")
    piece = json.loads((KINDS["head_view"].folder / "example" / "self-3.json").read_text(encoding="utf-8"))
    assert np.abs(shades(page, 14, 9) - unpack_weights(piece["weights"])[:, 9]).max() < 0.01
    assert "layer.3" in page.url
    page.route("**/self-4.json", lambda route: route.abort())
    page.get_by_label("Layer").select_option("4")
    page.wait_for_function("document.querySelector('#fig-it .readout p').textContent.includes('could not be loaded')")


def test_an_authors_choice_stands_first(open_figure: Callable[..., Page]) -> None:
    """Heads, token and side; not pinned, and the address wins over it."""
    result = crafted(drawn(3, 5), shown={"heads": [0, 2], "token": 3, "side": "to"})
    page = open_figure(result)
    value = page.evaluate(VALUE)
    assert value == {**value, "heads": "0-2", "token": 3, "side": "to", "pinned": False}
    assert "d position 3 is attended to by" in said(page)
    page = open_figure(result, query="?fig-it=token.1_side.from_heads.1")
    value = page.evaluate(VALUE)
    assert value == {**value, "head": 1, "token": 1, "side": "from", "pinned": True}


def test_prose_points_at_heads_layers_and_tokens(open_figure: Callable[..., Page]) -> None:
    """Pointing leaves the reader's choice; a pin stays, in the address too, and a second one lets go."""
    page = open_figure("head_view")
    show = "([part, options]) => document.querySelector('#fig-it .view').show(part, options)"
    before = page.evaluate(VALUE)
    page.evaluate(show, [{"head": "self.5.1"}, {}])
    assert said(page).startswith("Layer 5, head 1: ")
    assert page.evaluate(VALUE) == before
    page.evaluate(show, [{"token": 9}, {}])
    assert "position 9 attends to" in said(page)
    page.evaluate(show, [None, {}])
    assert said(page).startswith("Layer 15, all 9 heads: tokens at the left")
    page.evaluate(show, [{"head": "self.5.1"}, {"pin": True}])
    pinned = page.evaluate(VALUE)
    assert pinned == {**before, "layer": 5, "head": 1, "heads": "1", "pinned": True}
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == pinned
    column(page, 0).nth(9).hover()
    assert page.evaluate(VALUE)["token"] == 9  # a pinned head leaves tokens to look at
    page.mouse.move(0, 0)
    page.evaluate(show, [{"head": "self.5.1"}, {"pin": True}])
    assert page.evaluate(VALUE) == before
    assert "fig-it" not in page.url
    page.evaluate(show, [{"layer": "self.2"}, {"pin": True}])
    assert page.evaluate(VALUE) == {**before, "layer": 2, "pinned": True}
    head(page, 0).press("Escape")
    assert page.evaluate(VALUE) == before


def test_it_follows_another_view_without_a_word(open_figure: Callable[..., Page]) -> None:
    """A head and a token of another view are shown, not pinned, and no `input` comes of it; what is unknown is left."""
    page = open_figure("head_view")
    page.evaluate("""() => {
      window.inputs = 0;
      document.querySelector('#fig-it').addEventListener('input', () => window.inputs++);
    }""")
    follow = "(value) => document.querySelector('#fig-it .view').follow(value)"
    page.evaluate(follow, {"part": "self", "layer": 7, "head": 2, "token": 10})
    page.wait_for_function("document.querySelector('#fig-it .readout p').textContent.startsWith('Layer 7, head 2')")
    value = page.evaluate(VALUE)
    assert value == {**value, "layer": 7, "head": 2, "token": 10, "side": "from", "pinned": False}
    page.evaluate(follow, {"part": "cross", "layer": 99, "head": None, "token": None})
    assert page.evaluate(VALUE) == value
    assert page.evaluate("inputs") == 0


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


def test_what_an_author_or_another_view_chose_is_there_again_when_a_pointer_has_passed(
    open_figure: Callable[..., Page],
) -> None:
    """A reader who moves the mouse from the one figure to the other finds what was chosen; Escape lets go of it."""
    page = open_figure(crafted(drawn(3, 5), shown={"heads": [0], "token": 3, "side": "from"}))
    assert page.evaluate(VALUE)["token"] == 3
    column(page, 0).nth(1).hover()
    assert page.evaluate(VALUE)["token"] == 1
    page.mouse.move(0, 0)
    assert page.evaluate(VALUE)["token"] == 3
    page.evaluate("() => document.querySelector('#fig-it .view').follow({ token: 4 })")
    column(page, 0).nth(1).hover()
    page.mouse.move(0, 0)
    assert page.evaluate(VALUE)["token"] == 4
    column(page, 0).nth(1).press("Escape")
    assert page.evaluate(VALUE)["token"] is None
