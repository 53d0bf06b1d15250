"""The rankings figure: a grid of ranks, or a text with courses, that can be walked, read, switched and pinned."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kinds import example
from large import large_rankings, packed
from playwright.sync_api import Page
from views import CONTRASTS
from work import work_of

VALUE = "document.querySelector('#fig-it .view').value"


def test_cells_hold_ranks_and_shades(open_figure: Callable[..., Page]) -> None:
    """A cell's number is the rank, and its shade 1 for rank 1, 0 for the last of the vocabulary, even in logarithm."""
    result = large_rankings(2, 3)
    result["data"]["ranks"] = [[49_152, 222, 1], [1, 1, 1]]
    page = open_figure(result, width=1200)
    cells = page.locator("#fig-it td")
    assert cells.all_text_contents() == ["49,152", "222", "1", "1", "1", "1"]
    shades = cells.evaluate_all("cells => cells.map((cell) => Number(cell.style.getPropertyValue('--s')))")
    assert shades == [0, 0.5, 1, 1, 1, 1]


def test_a_narrow_cell_shortens_its_rank(open_figure: Callable[..., Page]) -> None:
    """Numbers never stick out of their cells, also on a phone."""
    for width in (360, 1280):
        page = open_figure(large_rankings(), width=width)
        outside = "cells => cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1).length"
        assert page.locator("#fig-it td").evaluate_all(outside) == 0


def test_a_large_grid_scrolls_under_its_layer_names(open_figure: Callable[..., Page]) -> None:
    """On a phone the grid scrolls by itself, and the names of the layers stay in sight."""
    page = open_figure(large_rankings(), width=360)
    page.locator("#fig-it td").nth(39).scroll_into_view_if_needed()
    name = page.locator("#fig-it tbody th").first.bounding_box()
    figure = page.locator("#fig-it .heat").bounding_box()
    assert name is not None
    assert figure is not None
    assert abs(name["x"] - figure["x"]) < 1
    assert page.evaluate("document.querySelector('#fig-it .heat').scrollLeft") > 100


def test_arrows_walk_the_grid(open_figure: Callable[..., Page]) -> None:
    """Arrows go by cells and stop at the edges; Ctrl+End goes to the last layer of the last token."""
    page = open_figure("rankings")
    data = example("rankings")["data"]
    page.locator("#fig-it td[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VALUE)["layer"] == "embeddings"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    shown = {"measure": "rank", "display": "grid", "numbers": True, "words": False}
    assert page.evaluate(VALUE) == {"layer": 1, "position": data["targets"][1], "pinned": False, **shown}
    page.keyboard.press("Control+End")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VALUE)["position"] == data["targets"][-1]
    assert page.evaluate(VALUE)["layer"] == len(data["ranks"]) - 1


def test_a_cell_tells_rank_probability_and_first_choices(open_figure: Callable[..., Page]) -> None:
    """The card beside a cell: a small probability is "<0.01%", never 0%."""
    result = large_rankings(2, 3)
    result["data"]["probabilities"][0][0] = 1e-9
    page = open_figure(result)
    page.locator("#fig-it td").first.hover()
    tip = page.locator("#fig-it .tip").text_content() or ""
    assert "layer 0" in tip
    assert "40,000 of 49,152" in tip
    assert "<0.01%" in tip
    assert "<b>" in tip


def test_the_sentence_says_how_a_token_came_to_the_top(open_figure: Callable[..., Page]) -> None:
    """From which layer on it stays first, or in the first ten, or that it does not."""
    result = large_rankings(3, 3)
    result["data"]["ranks"] = [[1, 9, 5], [3, 8, 5], [1, 2, 99]]
    page = open_figure(result)
    said = []
    for column in range(3):
        page.locator("#fig-it td").nth(column).hover()
        said.append((page.locator("#fig-it .readout p").first.text_content() or "").split(". ", 1)[1])
    assert said == [
        "It stays first from layer 2 on.",
        "It stays in the first ten from layer 0 on.",
        "It is not among the first ten at the end.",
    ]


def test_a_token_pins_its_column(open_figure: Callable[..., Page]) -> None:
    """A click on a token's name frames its column from name to name, one on a layer's its row."""
    page = open_figure("rankings")
    below = page.locator("#fig-it tfoot th[scope=col]").nth(1)
    below.click()
    assert page.evaluate(VALUE)["pinned"] is True
    frame, name = page.locator("#fig-it .heat.is-pinned .is-line").bounding_box(), below.bounding_box()
    assert frame is not None
    assert name is not None
    assert abs(frame["x"] - name["x"]) <= 1
    assert abs(frame["y"] + frame["height"] - name["y"] - name["height"]) <= 1
    page.locator("#fig-it tbody th").nth(3).click()
    assert {key: page.evaluate(VALUE)[key] for key in ("layer", "position")} == {"layer": 2, "position": None}
    said = page.locator("#fig-it .readout p").first.text_content() or ""
    assert "tokens rank first after layer 2. On average, entropy is " in said
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE)["layer"] == 2


def test_a_hover_costs_as_much_in_a_large_grid(open_figure: Callable[..., Page]) -> None:
    """48 layers × 100 tokens: what is under the pointer is told and marked, and no other cell is touched."""
    small, great = (
        work_of(open_figure(large_rankings(layers, columns, embeddings=True), width=1600), "#fig-it td")
        for layers, columns in ((12, 20), (48, 100))
    )
    assert great.writes < 1.1 * small.writes < 12
    assert great.layouts < 2.5


def test_the_cell_whose_card_is_shown_is_marked(open_figure: Callable[..., Page]) -> None:
    """While a column is pinned, the card tells of another cell: a line says of which, until the pointer leaves."""
    page = open_figure("rankings")
    page.locator("#fig-it td").nth(0).click()
    other = page.locator("#fig-it td").nth(1)
    other.hover()
    line, cell = page.locator("#fig-it .heat-frame.is-look").bounding_box(), other.bounding_box()
    assert line is not None
    assert cell is not None
    assert all(abs(line[side] - cell[side]) < 1 for side in ("x", "y", "width", "height"))
    page.mouse.move(1, 1)
    assert page.locator("#fig-it .heat-frame.is-look").is_hidden()


def test_the_first_number_says_what_is_numbered(open_figure: Callable[..., Page]) -> None:
    """Rows are layers, and nothing else on the figure says so; what enters the first one stands above it, and apart."""
    for script in (True, False):
        page = open_figure("rankings", java_script_enabled=script, wait=script)
        assert page.locator("#fig-it tbody th").all_text_contents()[:3] == ["embeddings", "layer 0", "1"]
        first, second, third = (page.locator("#fig-it tbody tr").nth(row).locator("td").first for row in range(3))
        tops = [(box.bounding_box() or {})["y"] for box in (first, second, third)]
        assert tops[1] - tops[0] >= tops[2] - tops[1] + 4


def test_a_reader_switches_what_cells_tell(open_figure: Callable[..., Page]) -> None:
    """Each measure has its numbers, scale and unit; the pinned cell stays, and the address keeps the measure."""
    result = large_rankings(2, 3)
    result["data"]["probabilities"] = [[1e-9, 0.004, 1.0], [0.04, 0.42, 0.9999]]
    result["data"]["entropy"] = packed([[10.8, 0.0, 1.23], [0.5, 0.5, 0.5]], 0.001)
    result["data"]["kl"] = packed([[20.0, 0.003, 0.01], [0.0, 0.0, 0.0]], 0.001)
    page = open_figure(result, width=1200)
    cells = page.locator("#fig-it td")
    cells.nth(1).click()
    told = {
        "probability": (["<0.01%", "0.40%", "100%", "4.0%", "42%", ">99.9%"], [0, 0.004, 1, 0.04, 0.42, 1]),
        "surprisal": (["20.7", "5.52", "0", "3.22", "0.87", "<0.001"], [0, 0.173, 1, 0.244, 0.416, 1]),
        "entropy": (["10.8", "0", "1.23", "0.50", "0.50", "0.50"], [0, 1, 0.886, 0.954, 0.954, 0.954]),
        "KL to the last layer": (["20.0", "0.003", "0.01", "0", "0", "0"], [0, 1, 1, 1, 1, 1]),
    }
    for name, (numbers, shades) in told.items():
        page.get_by_label(name, exact=True).check()
        assert cells.all_text_contents() == numbers
        found = cells.evaluate_all("cells => cells.map((cell) => Number(cell.style.getPropertyValue('--s')))")
        assert all(abs(a - b) < 0.002 for a, b in zip(found, shades, strict=True)), (name, found)
    assert "measure.kl" in page.url
    assert "20.0 nats" in (page.locator("#fig-it .legend").text_content() or "")
    assert "KL to the last layer 0.003 nats" in (page.locator("#fig-it .readout p").first.text_content() or "")
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE)["measure"] == "kl"
    assert page.evaluate(VALUE)["pinned"] is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_are_legible_in_every_colour(scheme: str, open_figure: Callable[..., Page]) -> None:
    """Contrast of at least 4.5 on every shade of every measure's own scale."""
    result = large_rankings(24, 3)
    result["data"]["kl"] = packed([[0.01 * 1.5**row] * 3 for row in range(24)], 0.002)
    page = open_figure(result, color_scheme=scheme, reduced_motion="reduce")
    for name in ("probability", "surprisal", "entropy", "KL to the last layer"):
        page.get_by_label(name, exact=True).check()
        assert min(page.evaluate(CONTRASTS, "#fig-it td")) >= 4.5


def test_numbers_of_narrow_cells_have_four_characters(open_figure: Callable[..., Page]) -> None:
    """Whatever a cell tells, its number fits on a phone."""
    page = open_figure(large_rankings(12, 20), width=360)
    for name in ("probability", "surprisal", "entropy", "KL to the last layer"):
        page.get_by_label(name, exact=True).check()
        assert max(map(len, page.locator("#fig-it td").all_text_contents())) <= 4
        outside = "cells => cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1).length"
        assert page.locator("#fig-it td").evaluate_all(outside) == 0


def test_many_tokens_are_shades_until_numbers_are_asked_for(open_figure: Callable[..., Page]) -> None:
    """A hundred columns fit a wide screen; their numbers stand in the card, or in cells that scroll."""
    page = open_figure(large_rankings(48, 100, embeddings=True), width=1600)
    heat = page.locator("#fig-it .heat")
    assert set(page.locator("#fig-it td").all_text_contents()) == {""}
    narrow = heat.evaluate("e => e.scrollWidth")
    page.locator("#fig-it td").nth(2_040).hover()
    assert "of 49,152" in (page.locator("#fig-it .tip").text_content() or "")
    page.get_by_label("Numbers in all cells").check()
    assert page.locator("#fig-it td").first.text_content() == "40k"
    assert heat.evaluate("e => e.scrollWidth") > narrow
    assert page.evaluate("document.documentElement.scrollWidth") <= 1600


def test_the_text_shows_the_courses(open_figure: Callable[..., Page]) -> None:
    """`display: text`: a line under each output token, drawn without JavaScript too; arrows walk tokens and layers."""
    result = example("rankings")
    result["data"]["display"] = "text"
    targets = result["data"]["targets"]
    plain = open_figure(result, java_script_enabled=False, wait=False)
    assert plain.locator("#fig-it .token .course-line").count() == len(targets)
    page = open_figure(result)
    chips = page.locator("#fig-it .token[tabindex]")
    assert chips.count() == len(targets)
    chips.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    value = page.evaluate(VALUE)
    assert {key: value[key] for key in ("position", "layer", "display")} == {
        "position": targets[1],
        "layer": len(result["data"]["ranks"]) - 2,
        "display": "text",
    }
    page.get_by_label("grid", exact=True).check()
    assert page.locator("#fig-it .heat-frame.is-cell").is_visible()
    assert page.locator("#fig-it .course").count() == 0


def test_a_lines_points_are_layers(open_figure: Callable[..., Page]) -> None:
    """A mouse over the left end of a line reads the embeddings, over its right end the last layer."""
    result = example("rankings")
    result["data"]["display"] = "text"
    page = open_figure(result)
    box = page.locator("#fig-it .course").first.bounding_box()
    assert box is not None
    for x, layer in ((0.5, "embeddings"), (box["width"] - 0.5, len(result["data"]["ranks"]) - 1)):
        page.mouse.move(box["x"] + x, box["y"] + box["height"] / 2)
        assert page.evaluate(VALUE)["layer"] == layer


def test_prose_shows_a_token_or_a_layer(open_figure: Callable[..., Page]) -> None:
    """Pointing at words shows their part as a hover would and changes nothing; a click pins it, and lets it go."""
    page = open_figure("rankings")
    target = example("rankings")["data"]["targets"][2]
    before = page.evaluate(VALUE)
    show = "part => document.querySelector('#fig-it .view').show(part)"
    line = page.locator("#fig-it .heat-frame.is-line")
    for part, head in (({"token": target}, "thead th >> nth=3"), ({"layer": 4}, "tbody th >> nth=5")):
        page.evaluate(show, part)
        box, name = line.bounding_box(), page.locator(f"#fig-it {head}").bounding_box()
        assert box is not None
        assert name is not None
        assert abs(box["x"] - name["x"]) <= 1
        assert abs(box["y"] - name["y"]) <= 1
        assert page.evaluate(VALUE) == before
    for part in ({"factor": 2}, {"token": 0}, {"layer": 99}, None):
        page.evaluate(show, part)
        assert line.is_hidden()
    for pinned in (True, False):
        page.evaluate(
            "part => document.querySelector('#fig-it .view').show(part, { pin: true })", {"layer": "embeddings"}
        )
        assert page.evaluate(VALUE)["pinned"] is pinned


def test_more_top_tokens_come_when_they_are_asked_for(open_figure: Callable[..., Page]) -> None:
    """The first three stand in the card at once, the rest of a layer is fetched."""
    result = large_rankings(2, 3, embeddings=True, most_top=5)
    page = open_figure(result)
    page.evaluate("""async () => {
      const { view, src } = document.querySelector('#fig-it').dataset;
      const { default: draw } = await import(new URL(view, document.baseURI));
      const { data } = await (await fetch(src)).json();
      window.asked = [];
      const piece = async (name) => (window.asked.push(name), { top: [[], ["a", "b", "c", "d", "e"], []] });
      document.querySelector('#fig-it .figure-body').replaceChildren(draw(data, { piece }));
    }""")
    page.locator("#fig-it td").nth(4).hover()
    page.locator("#fig-it .tip q").nth(4).wait_for()
    assert page.locator("#fig-it .tip q").all_text_contents() == ["a", "b", "c", "d", "e"]
    page.locator("#fig-it td").nth(1).hover()
    page.locator("#fig-it td").nth(4).hover()
    assert page.evaluate("asked") == ["layer-0", "embeddings"]
