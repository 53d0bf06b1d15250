"""The attention flow figure: its methods and displays, what is fetched for them, and the Sankey's ribbons."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kinds import KINDS, example
from playwright.sync_api import Page
from views import CONTRASTS, VALUE

from builder.quantised import pack

SHARES = "() => [...document.querySelectorAll('#fig-it .strip .share')].map((share) => share.textContent)"
SHADES = """() => [...document.querySelectorAll('#fig-it .token.is-shaded')]
  .map((token) => Number(getComputedStyle(token).getPropertyValue('--s')))"""
SAYS = "(text) => document.querySelector('#fig-it [aria-live]').textContent.includes(text)"
RIBBONS = """() => [...document.querySelectorAll('#fig-it .sankey path')]
  .map((path) => [path.classList.contains('is-own'), Number(path.getAttribute('stroke-width'))])"""


def piece(name: str) -> dict[str, Any]:
    """Return a piece of the example."""
    return dict(json.loads((KINDS["attention_flow"].folder / "example" / f"{name}.json").read_text(encoding="utf-8")))


def made_up(texts: list[str], scores: list[list[float]], *, n_input: int, **more: Any) -> dict[str, Any]:
    """Return a result of a text of ours, by raw attention alone; of an encoder where nothing is output."""
    size = len(texts)
    tokens = [{"text": t, "id": i, "type": "input" if i < n_input else "output"} for i, t in enumerate(texts)]
    data = {"tokens": tokens, "targets": list(range(n_input if n_input < size else 0, size)), "causal": n_input < size,
            "token": n_input % size, "method": "raw", "methods": ["raw"], "left_out": {}, "display": "strip",
            "exclude_first": False, "layers": [0, 1], "columns": [None, 0, 1], "scores": scores, **more}  # fmt: skip
    return {"kind": "attention_flow", "data": data, "checks": {}, "provenance": {}}


def test_the_first_output_token_is_chosen_at_first(open_figure: Callable[..., Page]) -> None:
    """Each token before it has its share, as shade and number; the sentence says at which position it is predicted."""
    page = open_figure("attention_flow")
    data = example("attention_flow")["data"]
    row = data["scores"][0]
    assert page.evaluate(VALUE)["token"] == data["token"] == data["targets"][0]
    assert page.evaluate(SHADES) == pytest.approx([share / max(row) for share in row], abs=0.011)
    shares = page.evaluate(SHARES)
    assert all(share.endswith("%") for share in shares[: len(row)])
    assert not any(shares[len(row) :])
    spoken = page.locator("#fig-it [aria-live]").text_content() or ""
    assert f"position {data['token']}, predicted at position {data['token'] - 1}: most from " in spoken


def test_another_method_is_fetched_when_it_is_chosen(open_figure: Callable[..., Page]) -> None:
    """What it says replaces what was there; the address keeps it, and so does a reload."""
    page = open_figure("attention_flow")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.get_by_label("rollout").check()
    row = piece("rollout")["scores"][0]
    page.wait_for_function("document.querySelector('#fig-it .legend-title').textContent === 'rollout'")
    assert asked == ["rollout.json"]
    assert page.evaluate(SHADES) == pytest.approx([share / max(row) for share in row], abs=0.011)
    page.locator("#fig-it [role=button]").first.click()
    value = page.evaluate(VALUE)
    assert value == {**value, "method": "rollout", "pinned": True}
    page.reload()
    page.wait_for_function("document.querySelector('#fig-it .legend-title')?.textContent === 'rollout'")
    assert page.evaluate(VALUE) == value


def test_flow_says_how_much_flows(open_figure: Callable[..., Page]) -> None:
    """Beside the share the flow itself, which is at most 1."""
    page = open_figure("attention_flow")
    flow = piece("flow")
    page.get_by_label("flow", exact=True).check()
    page.wait_for_function(SAYS, arg=f"({max(flow['scores'][0]) * flow['sums'][0]:.2f} of 1)")


def test_without_the_first_token_it_has_nothing(open_figure: Callable[..., Page]) -> None:
    """No shade and no number: the others share what it had, and the legend says so."""
    page = open_figure("attention_flow")
    page.get_by_label("Without the first token").check()
    row = piece("value-norms-rest")["scores"][0]
    page.wait_for_function("document.querySelector('#fig-it .legend-title').textContent.includes('without')")
    assert page.evaluate(SHARES)[0] == ""
    assert page.evaluate(SHADES) == pytest.approx([share / max(row) for share in row[1:]], abs=0.011)


def test_bars_show_a_share_for_each_layer(open_figure: Callable[..., Page]) -> None:
    """Under each token before the chosen one, a bar a layer; a token that is pointed at says where it had most."""
    page = open_figure("attention_flow")
    page.get_by_label("bars").check()
    page.wait_for_function("document.querySelectorAll('#fig-it .layers').length > 0")
    data = example("attention_flow")["data"]
    bars = page.evaluate("""() => [...document.querySelectorAll('#fig-it .layers')]
      .map((svg) => [...svg.children].map((path) => path.getAttribute('d')).join('').split('M').length - 1)""")
    drawn = bars[: data["targets"][0]]  # what eight bits round to nothing has no bar
    assert max(drawn) == len(data["layers"])
    assert min(drawn) > 0
    assert not any(bars[data["targets"][0] :])
    page.locator("#fig-it .strip .token").nth(1).hover()
    assert "most in layer " in (page.locator("#fig-it .tip").text_content() or "")
    page.get_by_label("flow", exact=True).check()  # which has no layers: the shades come back
    page.wait_for_function("document.querySelectorAll('#fig-it .layers').length === 0")
    assert page.get_by_label("shades").is_checked()


def test_ribbons_carry_the_rollout(open_figure: Callable[..., Page]) -> None:
    """Choosing the Sankey chooses the rollout. Names have its shares; what stays is told from what moves, and a ribbon
    says what it carries, and from where to where.
    """
    page = open_figure("attention_flow", height=1200)
    page.get_by_label("Sankey").check()
    page.wait_for_function("document.querySelectorAll('#fig-it .sankey path').length > 0")
    assert page.get_by_label("rollout").is_checked()
    own, moved = ([width for mine, width in page.evaluate(RIBBONS) if mine is stays] for stays in (True, False))
    assert own
    assert moved
    assert 0.999 < piece("rollout")["scores"][0][0] < 1
    assert page.locator("#fig-it .sankey-names div").all_text_contents()[0] == "London>99.9%"
    assert page.locator("#fig-it .sankey text").all_text_contents()[:2] == ["input", "4"]
    page.evaluate("""() => document.querySelector('#fig-it .sankey path')
      .dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))""")
    assert "input to layer 4" in (page.locator("#fig-it .tip").text_content() or "")
    page.get_by_label("raw").check()  # which it cannot draw
    page.wait_for_function("document.querySelector('#fig-it .sankey').hidden")


def test_the_sankeys_height_stays(open_figure: Callable[..., Page]) -> None:
    """Whichever token is chosen, nothing below moves."""
    page = open_figure("attention_flow", height=1200)
    page.get_by_label("Sankey").check()
    heights = set()
    for index in (0, 2, -1):
        page.locator("#fig-it [role=button]").nth(index).hover()
        heights.add(page.locator("#fig-it .view").bounding_box()["height"])  # type: ignore[index]
    assert len(heights) == 1


@pytest.mark.parametrize("display", ["sparks", "sankey"])
@pytest.mark.parametrize("width", [360, 1000])
def test_a_display_takes_the_place_that_the_fallback_kept(
    display: str, width: int, open_figure: Callable[..., Page]
) -> None:
    """Bars and ribbons come later than the page; nothing moves when they do."""
    result = example("attention_flow")
    size, columns = len(result["data"]["tokens"]), len(result["data"]["columns"])
    result["data"] |= {"display": display, "passing": [[1 / size] * size] * columns}
    plain = open_figure(result, width=width, java_script_enabled=False, wait=False)
    fallback = plain.locator("#fig-it .figure-body").bounding_box()
    page = open_figure(result, width=width)
    page.wait_for_function("document.querySelector('#fig-it .layers path, #fig-it .sankey path')")
    view = page.locator("#fig-it .view").bounding_box()
    assert fallback is not None
    assert view is not None
    assert abs(view["height"] - fallback["height"]) <= 4
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_words_average_their_tokens(open_figure: Callable[..., Page]) -> None:
    """A decoder's word gets from those before it, what its tokens give to one another left out, rescaled."""
    scores = [[0.2, 0.3, 0.5], [0.1, 0.2, 0.3, 0.4]]
    page = open_figure(made_up([" in", " Eng", "land", " Slov", "enia"], scores, n_input=3))
    page.get_by_label("Words").check()
    assert page.evaluate(SHARES) == ["19%", "81%", ""]


def test_an_encoders_words_get_from_all(open_figure: Callable[..., Page]) -> None:
    """From later ones and from themselves too; every token can be chosen."""
    scores = [[0.5, 0.1, 0.2, 0.2], [0.1, 0.3, 0.3, 0.3], [0.3, 0.3, 0.1, 0.3], [0.25, 0.25, 0.25, 0.25]]
    page = open_figure(made_up(["a", " Eng", "land", " z"], scores, n_input=4))
    assert page.locator("#fig-it [role=button]").count() == 4
    assert page.evaluate(SHARES) == ["50%", "10%", "20%", "20%"]
    page.get_by_label("Words").check()
    page.locator("#fig-it [role=button]").nth(1).click()
    assert page.evaluate(SHARES) == ["20%", "50%", "30%"]
    assert (page.locator("#fig-it .readout p").first.text_content() or "").startswith(
        "Token  England positions 1 to 2: most"
    )


def test_an_encoder_decoders_output_gets_from_the_source(open_figure: Callable[..., Page]) -> None:
    """And from what is written before it; the sentence says at which position it is predicted, bars and ribbons name
    the layers of both stacks. There is no first token to be left out, whatever the address says.
    """
    layers = ["encoder 0", "decoder 0 self", "decoder 0 cross"]
    steps = np.eye(5)[None].repeat(2, 0)
    steps[1, 2:] = [0.5, 0.25, 0.25, 0, 0]
    pieces = {
        "raw-layers": {"rows": pack(np.array([[0.75, 0.25, 0, 0.5, 0.5, 0, 0]]), by_row=True), "layers": layers[-1:]},
        "rollout": {"scores": [[0.5, 0.25, 0.25], [0.5, 0.25, 0.25, 0]]},
        "ribbons": {"steps": pack(steps)},
    }
    result = made_up(["ein", " Haus", "<pad>", "a", " house"], [[0.75, 0.25, 0], [0.5, 0.5, 0, 0]], n_input=2,
                     targets=[3, 4], token=3, layers=layers, columns=[None, "enc 0", "dec 0"],
                     methods=["raw", "rollout"])  # fmt: skip
    page = open_figure(result, query="?fig-it=token.4_excluded.true")
    page.route("**/*.json", lambda route: route.fulfill(json=pieces[route.request.url.rpartition("/")[2][:-5]]))
    assert page.evaluate(VALUE) == {**page.evaluate(VALUE), "token": 4, "excluded": False}
    assert page.get_by_label("Without the first token").count() == 0
    assert page.evaluate(SHARES) == ["50%", "50%", "", "", ""]
    spoken = page.locator("#fig-it [aria-live]").text_content() or ""
    assert "position 4, predicted at position 3: most from " in spoken
    assert page.locator("#fig-it [role=button]").count() == 2
    page.locator("#fig-it [role=button]").first.click()
    assert page.evaluate(SHARES) == ["75%", "25%", "", "", ""]
    page.get_by_label("bars").check()
    page.wait_for_function("document.querySelectorAll('#fig-it .layers').length > 0")
    page.locator("#fig-it .strip .token").first.hover()
    assert "most in decoder 0 cross: 75%" in (page.locator("#fig-it .tip").text_content() or "")
    page.get_by_label("Sankey").check()
    page.wait_for_function("document.querySelectorAll('#fig-it .sankey path').length > 0")
    assert page.locator("#fig-it .sankey text").all_text_contents() == ["input", "enc 0", "dec 0"]
    page.evaluate("""() => document.querySelector('#fig-it .sankey path')
      .dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))""")
    assert "input to enc 0" in (page.locator("#fig-it .tip").text_content() or "")
    page.set_viewport_size({"width": 360, "height": 800})
    page.wait_for_function("document.querySelector('#fig-it .sankey text + text').textContent === 'e0'")


def test_up_and_down_walk_what_reaches_a_token(open_figure: Callable[..., Page]) -> None:
    """From the most to the least; Escape leaves."""
    page = open_figure(made_up(["a", " b", " c", " d"], [[0.1, 0.6, 0.3]], n_input=3))
    page.locator("#fig-it [role=button]").first.focus()
    for share in ("60%", "30%", "10%"):
        page.keyboard.press("ArrowDown")
        assert share in (page.locator("#fig-it .tip").text_content() or "")
    page.keyboard.press("Escape")
    assert page.locator("#fig-it .tip").is_hidden()


def test_prose_and_other_figures_can_choose(open_figure: Callable[..., Page]) -> None:
    """`show` shows for a while or pins; `follow` goes along without emitting `input`, unless something is pinned."""
    page = open_figure(made_up(["a", " b", " c", " d"], [[0.75, 0.25], [0.1, 0.6, 0.3]], n_input=2))
    view = "document.querySelector('#fig-it .view')"
    page.evaluate(f"() => {{ window.inputs = 0; {view}.addEventListener('input', () => window.inputs++); }}")
    page.evaluate(f"{view}.show({{ token: 3 }})")
    assert page.evaluate(SHARES) == ["10%", "60%", "30%", ""]
    page.evaluate(f"{view}.show(null)")
    assert page.evaluate(SHARES) == ["75%", "25%", "", ""]
    page.evaluate(f"{view}.follow({{ part: 'self', layer: 1, head: 0, token: 3 }})")
    assert page.evaluate(SHARES) == ["10%", "60%", "30%", ""]
    assert page.evaluate("inputs") == 0
    page.evaluate(f"{view}.show({{ token: 2 }}, {{ pin: true }})")
    page.evaluate(f"{view}.follow({{ token: 3 }})")
    assert page.evaluate(VALUE) == {**page.evaluate(VALUE), "token": 2, "pinned": True}


def test_what_cannot_be_fetched_is_told(open_figure: Callable[..., Page]) -> None:
    """And what was there stays."""
    page = open_figure("attention_flow", without="**/raw.json")
    before = page.evaluate(SHARES)
    page.get_by_label("raw").check()
    page.wait_for_function(SAYS, arg="could not be fetched")
    assert page.evaluate(SHARES) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bars_and_ribbons_are_legible(scheme: str, open_figure: Callable[..., Page]) -> None:
    """Contrast of at least 4.5 for the text beside them."""
    page = open_figure("attention_flow", color_scheme=scheme, reduced_motion="reduce")
    page.get_by_label("Sankey").check()
    page.wait_for_function("document.querySelectorAll('#fig-it .sankey path').length > 0")
    assert min(page.evaluate(CONTRASTS, "#fig-it :is(.sankey-names *, .sankey-note)")) >= 4.5
    page.get_by_label("bars").check()
    page.wait_for_function("document.querySelectorAll('#fig-it .layers').length > 0")
    assert min(page.evaluate(CONTRASTS, "#fig-it :is(.token, .share, .bars-key)")) >= 4.5
