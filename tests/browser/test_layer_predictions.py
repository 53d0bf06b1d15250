"""Predictions after every layer: walked by steps and cells, far steps fetched, one layer as bars."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from kinds import example
from playwright.sync_api import Page

KIND = "layer_predictions"
VALUE = "document.querySelector('#fig-it .view').value"
SHOW = "(part, options) => document.querySelector('#fig-it .view').show(part, options)"


def data(page_kind: str = KIND) -> dict[str, Any]:
    """Return the example's data."""
    return example(page_kind)["data"]


def one_layer() -> dict[str, Any]:
    """Return the example as the last layer alone."""
    result = example(KIND)
    result["data"]["shown"] = [29]
    for step in result["data"]["steps"]:
        step["tokens"], step["probabilities"] = step["tokens"][-1:], step["probabilities"][-1:]
    return result


def test_cells_hold_tokens_and_probabilities(open_figure: Callable[..., Page]) -> None:
    """A small probability is "<0.01%", never 0%; the shade is the probability."""
    result = example(KIND)
    result["data"]["steps"][0]["probabilities"][3][5] = 1e-9
    page = open_figure(result)
    cells = page.locator("#fig-it .prediction")
    step = result["data"]["steps"][0]
    assert cells.count() == 30 * 6
    assert cells.nth(3 * 6 + 5).locator(".share").text_content() == "<0.01%"
    shade = cells.first.evaluate("cell => Number(cell.style.getPropertyValue('--s'))")
    assert abs(shade - step["probabilities"][0][0]) < 1e-3
    assert cells.first.locator(".name").text_content() == result["data"]["vocabulary"][step["tokens"][0][0]]


def test_the_winner_is_outlined_in_every_row_it_is_in(open_figure: Callable[..., Page]) -> None:
    """And joined to the row before where it stood there too; its rank stands beside the layer's name."""
    page = open_figure(KIND)
    known = data()
    step = known["steps"][0]
    rows = [known["winners"][0] in row for row in step["tokens"]]
    assert page.locator("#fig-it .prediction.is-winner").count() == sum(rows)
    joined = sum(a and b for a, b in pairwise(rows))
    assert page.locator("#fig-it .prediction.is-joined").count() == joined
    assert page.locator("#fig-it .own-rank").last.text_content() == str(known["ranks"][-1][0])


@pytest.mark.parametrize("script", [True, False])
def test_every_token_is_told_of(script: bool, open_figure: Callable[..., Page]) -> None:
    """One is drawn; a table says of all how likely they are, and since when they are among the first, and the first."""
    result = example(KIND)
    result["data"]["settles"][1] = None
    page = open_figure(result, java_script_enabled=script, wait=script)
    page.locator("#fig-it .rows summary").click()
    page.locator("#fig-it .rows tbody tr").first.wait_for()
    rows = page.locator("#fig-it .rows tbody tr").all()
    known = result["data"]
    assert len(rows) == len(known["targets"])
    for t, row in enumerate(rows):
        cells = row.locator("th, td").all_text_contents()
        position = known["targets"][t]
        assert cells[:2] == [str(position), known["tokens"][position]["text"]]
        assert cells[2].endswith("%")
        assert cells[3:] == ["–" if n is None else f"layer {n}" for n in (known["enters"][t], known["settles"][t])]


def test_a_chip_steps_to_its_token(open_figure: Callable[..., Page]) -> None:
    """By pointing, and back; a click pins the step, and cells can be read meanwhile."""
    page = open_figure(KIND)
    chips = page.locator("#fig-it .token[role=button]")
    chips.nth(1).hover()
    assert page.evaluate(VALUE)["position"] == data()["targets"][1]
    chips.nth(2).click()
    assert page.evaluate(VALUE) == {"position": data()["targets"][2], "layer": None, "choice": None, "pinned": True}
    page.locator("#fig-it .prediction").nth(7).hover()
    assert page.locator("#fig-it .tip").is_visible()
    assert page.evaluate(VALUE)["choice"] is None


def test_a_cell_shows_its_token_everywhere(open_figure: Callable[..., Page]) -> None:
    """All cells of the same token are marked; the sentence counts them."""
    page = open_figure(KIND)
    known = data()
    step = known["steps"][0]
    page.locator("#fig-it .prediction").nth(10 * 6 + 1).hover()
    v = step["tokens"][10][1]
    rows = sum(v in row for row in step["tokens"])
    assert rows > 1
    assert page.locator("#fig-it .prediction.is-same").count() == rows
    said = page.locator("#fig-it .readout p").first.text_content() or ""
    assert "no. 2 after layer 10" in said
    assert f"in {rows} of 30 rows" in said


def test_keys_go_from_text_to_table_and_back(open_figure: Callable[..., Page]) -> None:
    """Down from a chip into the table, up again; with Shift the token changes and the cell stays."""
    page = open_figure(KIND)
    targets = data()["targets"]
    page.locator("#fig-it [tabindex='0']").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VALUE) == {"position": targets[1], "layer": 1, "choice": 1, "pinned": False}
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(VALUE) == {"position": targets[2], "layer": 1, "choice": 1, "pinned": False}
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.classList.contains('token')")
    assert page.evaluate(VALUE) == {"position": targets[2], "layer": None, "choice": None, "pinned": False}


def test_a_step_that_does_not_come_is_not_told_of_once_the_reader_has_gone_on(open_figure: Callable[..., Page]) -> None:
    """The sentence is about what is shown by then."""
    page = open_figure(KIND)
    told = page.evaluate("""async () => {
      const { view, src } = document.querySelector('#fig-it').dataset;
      const { default: draw } = await import(new URL(view, document.baseURI));
      const { data } = await (await fetch(src)).json();
      data.steps[4] = null;
      let lose;
      const root = draw(data, { piece: () => new Promise((_, fail) => (lose = fail)) });
      document.body.append(root);
      root.querySelectorAll('.token[role=button]')[4].click();
      root.querySelectorAll('.token[role=button]')[1].click();
      const before = root.querySelector('.readout p').textContent;
      lose();
      await new Promise((done) => setTimeout(done));
      return [before, root.querySelector('.readout p').textContent];
    }""")
    assert told[0] == told[1]


def test_a_far_step_is_fetched_when_it_is_stepped_to(open_figure: Callable[..., Page]) -> None:
    """The table fades meanwhile; what cannot be had is said, and the rest still works."""
    page = open_figure(KIND)
    found = page.evaluate("""async () => {
      const { view, src } = document.querySelector('#fig-it').dataset;
      const { default: draw } = await import(new URL(view, document.baseURI));
      const { data } = await (await fetch(src)).json();
      const far = { ...data.steps[4], vocabulary: data.vocabulary.map((t) => t + '!'), winner: data.winners[4] };
      data.steps[4] = data.steps[5] = null;
      const asked = [];
      let arrive;
      const piece = (name) => {
        asked.push(name);
        return name.endsWith(data.targets[4]) ? new Promise((done) => (arrive = () => done(far))) : Promise.reject(1);
      };
      const root = draw(data, { piece });
      document.body.append(root);
      const box = root.querySelector('.predictions');
      root.querySelectorAll('.token[role=button]')[4].click();
      const busy = box.getAttribute('aria-busy');
      arrive();
      await new Promise((done) => setTimeout(done));
      const shown = [box.getAttribute('aria-busy'), root.querySelector('.prediction .name').textContent];
      root.querySelectorAll('.token[role=button]')[5].click();
      await new Promise((done) => setTimeout(done));
      const lost = root.querySelector('.readout p').textContent;
      root.querySelectorAll('.token[role=button]')[0].click();
      return { asked, busy, shown, lost, first: root.querySelector('.prediction .name').textContent };
    }""")
    targets, known = data()["targets"], data()
    assert found["asked"] == [f"step-{targets[4]}", f"step-{targets[5]}"]
    assert found["busy"] == "true"
    assert found["shown"] == ["false", known["vocabulary"][known["steps"][4]["tokens"][0][0]] + "!"]
    assert found["lost"] == "The predictions of this token could not be loaded."
    assert found["first"] == known["vocabulary"][known["steps"][0]["tokens"][0][0]]


def test_one_layer_is_a_list_of_bars(open_figure: Callable[..., Page]) -> None:
    """A row a choice, its bar as long as its probability; the same in the fallback."""
    for script in (True, False):
        page = open_figure(one_layer(), java_script_enabled=script, wait=script)
        rows = page.locator("#fig-it [data-bars] tbody tr")
        assert rows.count() == 6
        assert rows.first.locator("th").text_content() == "1."
        step = data()["steps"][0]
        wanted = [data()["vocabulary"][v] for v in step["tokens"][-1]]
        assert page.locator("#fig-it .prediction .name").all_text_contents() == wanted
    page = open_figure(one_layer())
    page.locator("#fig-it .prediction").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(VALUE)["choice"] == 1
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VALUE)["position"] == data()["targets"][1]


def test_a_token_that_is_to_come_is_a_blank(open_figure: Callable[..., Page]) -> None:
    """The place after the text is a chip of its own; there is no other to step to."""
    result = example(KIND)
    known = result["data"]
    known["targets"] = [len(known["tokens"])]
    for key in ("steps", "winners", "enters", "settles"):
        known[key] = known[key][:1]
    for script in (True, False):
        page = open_figure(result, java_script_enabled=script, wait=script)
        assert page.locator("#fig-it .token[data-blank]").count() == 1
        assert "would come" in (page.locator("#fig-it .readout p").first.text_content() or "")


def test_prose_shows_tokens_and_layers(open_figure: Callable[..., Page]) -> None:
    """For as long as it is pointed at, and pinned where it is pressed; what is unknown changes nothing."""
    page = open_figure(KIND)
    targets = data()["targets"]
    before = page.evaluate(VALUE)
    selected = "document.querySelector('#fig-it .token.is-selected').textContent"
    first = page.evaluate(selected)
    page.evaluate(f"() => ({SHOW})({{ token: {targets[4]} }})")
    assert page.evaluate(selected) == data()["tokens"][targets[4]]["text"]
    assert page.evaluate(VALUE) == before
    page.evaluate(f"() => ({SHOW})({{ layer: 12 }})")
    assert page.locator("#fig-it tr.is-row th").text_content() == "12"
    page.evaluate(f"() => ({SHOW})(null)")
    assert page.locator("#fig-it tr.is-row").count() == 0
    assert page.evaluate(selected) == first
    for part in ("{ token: 0 }", "{ factor: 2 }", "{ layer: 99 }"):
        page.evaluate(f"() => ({SHOW})({part}, {{ pin: true }})")
        assert page.evaluate(VALUE) == before
    page.evaluate(f"() => ({SHOW})({{ token: {targets[2]} }}, {{ pin: true }})")
    assert page.evaluate(VALUE) == {"position": targets[2], "layer": None, "choice": None, "pinned": True}
    page.evaluate(f"() => ({SHOW})({{ token: {targets[2]} }}, {{ pin: true }})")
    assert page.evaluate(VALUE)["pinned"] is False


def test_a_phone_scrolls_under_the_names_of_the_layers(open_figure: Callable[..., Page]) -> None:
    """The table scrolls by itself."""
    page = open_figure(KIND, width=360)
    page.locator("#fig-it .prediction").nth(5).scroll_into_view_if_needed()
    name = page.locator("#fig-it tbody th").first.bounding_box()
    box = page.locator("#fig-it .predictions").bounding_box()
    assert name is not None
    assert box is not None
    assert abs(name["x"] - box["x"]) <= 3
    assert page.evaluate("document.querySelector('#fig-it .predictions').scrollLeft") > 100


def test_only_cells_that_are_there_are_restored(open_figure: Callable[..., Page]) -> None:
    """An address may name the length of a list for a place in it."""
    known = data()["targets"][1]
    for query in (f"position.{known}_layer.3_choice.length", f"position.{known}_layer.3_choice.99"):
        page = open_figure(KIND, query=f"?fig-it={query}")
        assert page.evaluate(VALUE)["choice"] is None
    page = open_figure(KIND, query=f"?fig-it=position.{known}_layer.3_choice.2")
    assert page.evaluate(VALUE) == {"position": known, "layer": 3, "choice": 2, "pinned": True}
