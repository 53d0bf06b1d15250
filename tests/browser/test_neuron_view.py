"""The neuron view: numbers that the browser computes of vectors, and neurons that are marked through all strips."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kinds import KINDS, example
from playwright.sync_api import Page, Route, expect

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"
CANVAS = "#fig-it .p .cells canvas"


IN_SIGHT = """(selector) => {
  const [part, room, names] = [selector, '.neurons', '.to'].map((name) =>
    document.querySelector(`#fig-it ${name}`).getBoundingClientRect());
  return part.width > 0 && part.left >= names.right - 1 && part.right <= room.right + 1;
}"""
"""Whether a part of the columns is between the names of the keys and the end of what does not scroll away."""


def vectors() -> Any:
    """Return the module that packs vectors."""
    package = KINDS["neuron_view"].analysis.__name__.rpartition(".")[0]  # type: ignore[attr-defined]
    return importlib.import_module(f"{package}.vectors")


def expected(group: dict[str, Any], head: int, token: int, scale: float) -> dict[str, np.ndarray]:
    """Return what a causal head makes at a token: products, scores, weights, and weights × lengths of values."""
    read, seen = vectors(), token + 1
    query = read.unpack_rows(group["query"])[group["heads"].index(head), token]
    key, value = read.unpack_rows(group["key"])[:seen], read.unpack_vectors(group["value"])[:seen]
    scores = key @ query * scale
    raised = np.exp(scores - scores.max())
    weights = raised / raised.sum()
    return {
        "products": key * query,
        "scores": scores,
        "weights": weights,
        "shares": weights * np.linalg.norm(value, axis=1),
    }


def numbers(page: Page, column: str) -> list[float]:
    """Return the numbers that a column shows."""
    text = page.locator(f"#fig-it .{column} .numbers").text_content() or ""
    return [float(re.sub("[<%]", "", line.replace("−", "-"))) for line in text.rstrip("\n").split("\n") if line]


def said(page: Page) -> str:
    """Return the sentence above the figure, once there is one: weights are unpacked meanwhile."""
    page.wait_for_function("document.querySelector('#fig-it .readout p').textContent")
    return page.locator("#fig-it .readout p").first.text_content() or ""


def over(page: Page, place: float, row: int) -> None:
    """Move the mouse over a row of the products, to the `place`th cell from the left."""
    box, rows = page.locator(CANVAS).bounding_box(), example("neuron_view")["data"]["head"]["key"]["shape"]
    assert box
    page.mouse.move(box["x"] + box["width"] * place / rows[1], box["y"] + box["height"] * (row + 0.4) / rows[0])


def test_a_token_shows_what_its_query_makes(open_figure: Callable[..., Page]) -> None:
    """Scores, weights and shares are computed anew; a token does not see the later ones."""
    page = open_figure("neuron_view")
    data = example("neuron_view")["data"]
    scale = data["layers"]["self"][0]["scale"]
    assert numbers(page, "s") == pytest.approx(data["told"]["scores"], abs=0.01)
    for token in (8, 3):
        page.locator("#fig-it .from .name").nth(token).click()
        found = expected(data["head"], data["shown"]["head"], token, scale)
        assert numbers(page, "s") == pytest.approx(found["scores"], abs=0.0051)
        assert numbers(page, "w") == pytest.approx(100 * found["weights"], abs=0.51)
        assert numbers(page, "c") == pytest.approx(found["shares"], abs=0.0051)
        assert page.locator("#fig-it .to .is-masked").count() == len(data["tokens"]) - token - 1
        assert page.evaluate(VALUE)["token"] == token
        page.locator("#fig-it .from .name").nth(token).click()  # lets go
    page.locator("#fig-it .s .numbers").hover(position={"x": 5, "y": 170})
    assert "does not see" in said(page)


def test_a_neuron_is_marked_and_told(open_figure: Callable[..., Page]) -> None:
    """Its place in query, keys and products, and in the sentence q × k of the token below the pointer."""
    page = open_figure("neuron_view")
    data = example("neuron_view")["data"]
    token = data["shown"]["token"]
    found = expected(data["head"], data["shown"]["head"], token, 1)
    over(page, 20.5, 11)
    value = page.evaluate(VALUE)
    assert (value["neuron"], value["key"], value["pinned"]) == (20, 11, False)
    sentence = r"^Neuron 20: q (\S+) × k (\S+) = (\S+) at .*, of q·k (\S+) for "
    product = re.search(sentence, said(page), re.DOTALL)
    assert product
    q, k, both, whole = (float(number.replace("−", "-")) for number in product.groups())
    assert both == pytest.approx(found["products"][11, 20], abs=0.01)
    assert q * k == pytest.approx(both, rel=0.02)
    assert whole == pytest.approx(found["products"][11].sum(), rel=0.01)
    for column in ("k", "p"):
        frame, strip = (page.locator(f"#fig-it .{column} {part}").bounding_box() for part in ("> i", ".cells canvas"))
        assert frame
        assert strip
        assert frame["x"] == pytest.approx(strip["x"] + strip["width"] * 20 / 64, abs=0.6)
    page.mouse.move(1, 1)
    assert page.evaluate(VALUE)["neuron"] is None
    assert page.locator("#fig-it .neurons i:visible").count() == 0


def test_while_a_token_is_pinned_its_neurons_are_told(open_figure: Callable[..., Page]) -> None:
    """Hovering tells of them and changes nothing; a click takes the pin to one of them."""
    page = open_figure("neuron_view")
    page.locator("#fig-it .from .name").nth(9).click()
    pinned = page.evaluate(VALUE)
    over(page, 3.5, 4)
    assert said(page).startswith("Neuron 3: q ")
    assert page.evaluate(VALUE) == pinned
    page.mouse.move(1, 1)
    assert "at position 9 looks at" in said(page)
    over(page, 3.5, 4)
    page.mouse.down()
    page.mouse.up()
    assert page.evaluate(VALUE) == {**pinned, "neuron": 3, "key": 4}
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == {**pinned, "neuron": 3, "key": 4}


def test_neurons_are_ordered_by_their_part(open_figure: Callable[..., Page]) -> None:
    """First comes the one with the largest part in the scores, as the fallback says; or in the change with distance."""
    page = open_figure("neuron_view")
    data = example("neuron_view")["data"]
    (first, part), *_ = data["told"]["neurons"]
    page.get_by_label("by part in the scores").check()
    assert page.evaluate(VALUE)["order"] == "score"
    over(page, 0.5, 12)
    assert page.evaluate(VALUE)["neuron"] == first
    assert f"It makes {part:.0%} of the differences between scores." in said(page)
    page.mouse.move(1, 1)
    page.get_by_label("by change with distance").check()
    products = expected(data["head"], data["shown"]["head"], data["shown"]["token"], 1)["products"][1:]
    slopes = np.polyfit(np.arange(len(products)), products * data["layers"]["self"][0]["scale"], 1)[0]
    over(page, 0.5, 12)
    assert page.evaluate(VALUE)["neuron"] == int(np.abs(slopes).argmax())
    told = re.search(r"changes the score by (\S+) a token nearer", said(page))
    assert told
    assert float(told[1].replace("−", "-")) == pytest.approx(slopes[np.abs(slopes).argmax()], rel=0.01)


def test_keys_walk_tokens_neurons_and_those_looked_at(open_figure: Callable[..., Page]) -> None:
    """Up and down walk tokens, left and right neurons, and with Shift what is looked at, from the strongest on."""
    page = open_figure("neuron_view")
    data = example("neuron_view")["data"]
    last = data["shown"]["token"]
    page.locator("#fig-it .from .name[tabindex='0']").focus()
    for key in ("ArrowUp", "ArrowRight", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    value = page.evaluate(VALUE)
    strongest = int(expected(data["head"], data["shown"]["head"], last - 1, 0.125)["weights"].argmax())
    assert (value["token"], value["neuron"], value["key"]) == (last - 1, 1, strongest)
    page.keyboard.press("Shift+ArrowUp")
    assert page.evaluate(VALUE)["key"] == max(strongest - 1, 0)
    page.get_by_label("Expanded").uncheck()
    page.locator("#fig-it .from .name[tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(VALUE)["token"] == last - 2


def test_on_a_phone_every_column_is_within_reach_of_the_keyboard(open_figure: Callable[..., Page]) -> None:
    """The neuron that is walked to is in sight beside the names of the keys; with Shift the columns beyond are."""
    page = open_figure("neuron_view", width=360)
    page.locator("#fig-it .from .name[tabindex='0']").focus()
    assert page.evaluate(IN_SIGHT, ".p > i") is False
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(VALUE)["neuron"] == 59
    assert page.evaluate(IN_SIGHT, ".p > i") is True
    page.keyboard.press("Home")  # the names of tokens stand at the other end
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(IN_SIGHT, ".p > i") is True
    assert page.evaluate(IN_SIGHT, ".c") is False
    turns = 0
    while not page.evaluate(IN_SIGHT, ".c"):
        page.keyboard.press("Shift+ArrowRight")
        turns += 1
        assert turns < 10
    assert page.evaluate(VALUE)["neuron"] == 58
    for _ in range(turns + 5):
        page.keyboard.press("Shift+ArrowLeft")
    assert page.locator("#fig-it .neurons").evaluate("e => e.scrollLeft") == 0


def test_collapsed_it_is_lines_and_weights(open_figure: Callable[..., Page]) -> None:
    """The author says how it begins, the reader changes it; both have the height of their fallback."""
    result = example("neuron_view")
    result["data"]["expanded"] = False
    page = open_figure(result)
    plain = open_figure(result, java_script_enabled=False, wait=False)
    heights = [p.locator("#fig-it .view").bounding_box() or {} for p in (page, plain)]
    assert abs(heights[0]["height"] - heights[1]["height"]) <= 4
    assert page.locator("#fig-it .k, #fig-it .v, #fig-it .state").first.is_hidden()
    assert page.locator("#fig-it .links canvas").is_visible()
    assert len(numbers(page, "w")) == len(result["data"]["tokens"])
    page.get_by_label("Expanded").check()
    assert page.locator("#fig-it .k canvas").first.is_visible()
    assert page.evaluate(VALUE)["expanded"] is True


def test_other_heads_and_layers_come_when_they_are_chosen(open_figure: Callable[..., Page]) -> None:
    """A head's group is a piece; states are those of the other layer; the token stays."""
    page = open_figure("neuron_view")
    folder = KINDS["neuron_view"].folder / "example"
    for label, piece in (("6", "self-17-2"), ("12", "self-12-2")):
        page.get_by_label(label, exact=True).check()
        page.locator("#fig-it .neurons:not([aria-busy=true])").wait_for()
        group = json.loads((folder / f"{piece}.json").read_text(encoding="utf-8"))
        token = page.evaluate(VALUE)["token"]
        assert numbers(page, "s") == pytest.approx(expected(group, 6, token, 0.125)["scores"], abs=0.0051)
    norms = json.loads((folder / "self-12-states.json").read_text(encoding="utf-8"))["norms"]
    line = page.locator("#fig-it .state").first
    assert f"length {norms[0][token]:.3g}" in (line.text_content() or "")


def test_a_head_that_does_not_come_is_told(open_figure: Callable[..., Page]) -> None:
    """Its controls stay, and another choice may come."""
    page = open_figure("neuron_view", broken=True)
    page.route("**/self-17-2.json", lambda route: route.abort())
    page.get_by_label("6", exact=True).check()
    page.locator("#fig-it .readout p", has_text="Layer 17, head 6 could not be loaded.").first.wait_for()
    page.get_by_label("8", exact=True).check()
    assert len(numbers(page, "s")) == len(example("neuron_view")["data"]["tokens"])


def test_what_is_missing_is_heard_while_it_is_wanted(open_figure: Callable[..., Page]) -> None:
    """A head that fails late, when another one is shown, is not told of; a reader who does not see hears what is."""
    page = open_figure("neuron_view", broken=True)
    late: list[Route] = []
    page.route("**/self-17-2.json", lambda route: late.append(route))
    page.get_by_label("6", exact=True).check()
    page.get_by_label("8", exact=True).check()
    words, heard = page.locator("#fig-it .readout p").all()
    expect(words).to_contain_text("in layer 17, head 8.")
    late[0].abort()
    page.wait_for_timeout(300)
    expect(words).to_contain_text("in layer 17, head 8.")
    page.unroute("**/self-17-2.json")
    page.route("**/self-17-2.json", lambda route: route.abort())
    page.get_by_label("6", exact=True).check()
    expect(heard).to_have_text("Layer 17, head 6 could not be loaded.")


def test_it_follows_and_is_pointed_at(open_figure: Callable[..., Page]) -> None:
    """Another figure's head and token are shown without a word; prose shows a token, head or neuron, and pins it."""
    page = open_figure("neuron_view")
    page.evaluate("document.querySelector('#fig-it').addEventListener('input', () => (window.told = true))")
    before = page.evaluate(VALUE)
    call = "([name, ...given]) => document.querySelector('#fig-it .view')[name](...given)"
    page.evaluate(call, ["follow", {"part": "self", "layer": 12, "head": 7, "token": 5}])
    followed = {**before, "layer": 12, "head": 7, "token": 5}
    assert page.evaluate(VALUE) == followed
    page.evaluate(call, ["follow", {"part": "self", "layer": 3, "head": 1, "token": 99}])  # not built
    page.evaluate(call, ["show", {"token": 2}])
    sentence = page.locator("#fig-it .readout p").first
    expect(sentence).to_contain_text("at position 2 ")  # once the vectors of head 7 have come
    page.evaluate(call, ["show", {"head": "self.17.8"}])
    page.locator("#fig-it .readout p", has_text="in layer 17, head 8.").first.wait_for()
    for nothing in ({"factor": 2}, {"token": 99}, {"head": "self.3.1"}, None):
        page.evaluate(call, ["show", nothing])
        expect(sentence).to_contain_text("at position 5 ")
    assert page.evaluate(VALUE) == followed
    assert page.evaluate("window.told") is None
    for pinned in (True, False):
        page.evaluate(call, ["show", {"neuron": 30}, {"pin": True}])
        assert page.evaluate(VALUE) == {**followed, "neuron": 30, "pinned": pinned}


def test_the_token_that_is_shown_is_in_sight_among_a_hundred(open_figure: Callable[..., Page]) -> None:
    """The last one stands at the end of a list that scrolls in itself."""
    read, size, data = vectors(), 100, example("neuron_view")
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(3, size, 64))
    data["data"]["tokens"] = [{"text": f" t{i}", "id": i, "type": "input"} for i in range(size)]
    data["data"]["parts"]["self"] |= {"queries": [0, size], "keys": [0, size]}
    data["data"]["shown"]["token"] = size - 1
    data["data"]["states"] = None
    data["data"]["told"] |= {name: [0.01] * size for name in ("scores", "weights", "shares")}
    packed = {"query": read.pack_rows(drawn[:1]), "key": read.pack_rows(drawn[1]), "value": read.pack_vectors(drawn[2])}
    data["data"]["head"] |= packed
    page = open_figure({key: item for key, item in data.items() if key != "pieces"}, width=1200)
    assert page.locator("#fig-it .neurons").evaluate("e => e.scrollTop") > 0  # the last token is in sight
