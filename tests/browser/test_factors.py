"""The factors figure: sparklines that isolate, tokens in the colour of their strongest, solutions to choose from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from large import large_factors
from playwright.sync_api import Page
from work import work_of

VALUE = "document.querySelector('#fig-it .view').value"
SHADES = """() => [...document.querySelectorAll('#fig-it .strip .token')]
  .map((chip) => [chip.style.getPropertyValue('--c'), Number(chip.style.getPropertyValue('--s'))])"""


def small(**changes: Any) -> dict[str, Any]:
    """Return a result of two solutions on four tokens, the first of which is left out."""
    tokens = [{"text": text, "id": i, "type": "input" if i < 3 else "output"} for i, text in enumerate("abcd")]
    facts = [
        {"number": j, "neurons": 10 * j, "share": 0.1 * j, "energy": 0.3, "layers": [0.25, 0.75],
         "top": [{"layer": 1, "index": 7, "weight": 0.5}]} for j in (1, 2)
    ]  # fmt: skip
    solution = {
        "layers": 0, "n_factors": 2, "explained": 0.6, "bound": 0.1, "overlaps": [[10, 4], [4, 20]], "factors": facts,
        "weights": [[None, 4, 1, 0], [None, 0, 2, 2]],
    }  # fmt: skip
    single = {**solution, "n_factors": 1, "overlaps": [[10]], "factors": facts[:1], "weights": [[None, 1, 2, 4]]}
    data = {
        "tokens": tokens, "targets": [3], "method": "nmf", "signed": False, "negative": "clip",
        "first_token": "exclude",
        "layers": [{"name": "all", "span": [0, 1], "n_neurons": 100, "first_token": 0.9, "loudest": [1, 0.4],
                    "discarded": {"l1": 0.5, "energy": 0.4}}],
        "factors": [2, 1], "solutions": [solution, single],
    }  # fmt: skip
    return {"kind": "factors", "data": {**data, **changes}, "checks": {}, "provenance": {}}


def readout(page: Page) -> str:
    """Return what the sentence says."""
    return page.locator("#fig-it .readout p").first.text_content() or ""


def test_each_token_has_its_strongest_factor(open_figure: Callable[..., Page]) -> None:
    """Inputs by the activations at them, outputs by those one position earlier; strength by opacity, and a number."""
    page = open_figure(small())
    assert page.evaluate(SHADES)[1:] == [
        ["var(--category-1)", 1],
        ["var(--category-2)", 0.5],
        ["var(--category-2)", 0.5],
    ]
    assert page.locator("#fig-it .strip .number").all_text_contents() == ["·", "1", "2", "2"]
    page.get_by_label("as read", exact=True).check()
    assert page.locator("#fig-it .strip .number").all_text_contents() == ["·", "1", "2", "2"]
    page.get_by_label("as written", exact=True).check()
    assert page.locator("#fig-it .strip .number").all_text_contents() == ["·", "·", "1", "2"]
    assert page.evaluate(VALUE)["tint"] == "written"


def test_a_sparkline_isolates_its_factor_and_leaving_restores(open_figure: Callable[..., Page]) -> None:
    """Hovering shows one factor alone on the text; leaving gives each token its strongest again."""
    page = open_figure(small())
    before = page.evaluate(SHADES)
    page.locator("#fig-it .factor").nth(0).hover()
    alone = page.evaluate(SHADES)
    assert {colour for colour, _ in alone} == {"var(--category-1)"}
    assert [shade for _, shade in alone] == [0, 1, 0.25, 0.25]
    assert "10 neurons, 10% of all; 30% of the energy; in common with 2: 4" in readout(page)
    page.mouse.move(1, 1)
    assert page.evaluate(SHADES) == before


def test_a_finger_isolates_and_lets_go(open_figure: Callable[..., Page]) -> None:
    """A tap pins, another restores."""
    page = open_figure(small(), width=390, has_touch=True, is_mobile=True)
    row = page.locator("#fig-it .factor").nth(1)
    row.tap()
    assert page.evaluate(VALUE)["factor"] == 2
    assert "is-alone" in (page.locator("#fig-it .factors").get_attribute("class") or "")
    row.tap()
    assert page.evaluate(VALUE)["pinned"] is False


def test_keys_go_from_the_factors_to_the_text(open_figure: Callable[..., Page]) -> None:
    """Down walks the factors, right enters the text and walks it, left leads back."""
    page = open_figure(small())
    page.locator("#fig-it .factor").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(VALUE)["factor"] == 2
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VALUE)["position"] == 1
    assert "factor 1 100%" in readout(page)
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate(VALUE)["factor"] == 2


def test_another_number_of_factors_is_drawn(open_figure: Callable[..., Page]) -> None:
    """The reader switches; a factor that the other solution lacks is let go; the address keeps the solution."""
    page = open_figure(small())
    page.locator("#fig-it .factor").nth(1).click()
    page.get_by_label("1", exact=True).check()
    page.wait_for_function(f"{VALUE}.solution === 1")
    assert page.locator("#fig-it .factor").count() == 1
    assert page.evaluate(VALUE)["factor"] is None
    page.locator("#fig-it .factor").first.click()
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == {
        "solution": 1, "factor": 1, "position": None, "tint": "both", "words": False, "pinned": True,
    }  # fmt: skip


def test_prose_shows_a_factor_for_as_long_as_it_is_pointed_at(open_figure: Callable[..., Page]) -> None:
    """`show` isolates, in another solution too, and null restores; the value stays; with pin it is pinned."""
    page = open_figure(small())
    value = page.evaluate(VALUE)
    show = "(part) => document.querySelector('#fig-it .view').show(part)"
    page.evaluate(show, {"factor": 2})
    assert {colour for colour, _ in page.evaluate(SHADES)} == {"var(--category-2)"}
    page.evaluate(show, {"factor": "1.1"})
    assert page.locator("#fig-it .factor").count() == 1
    assert page.evaluate(VALUE) == value
    page.evaluate(show, {"layer": 3})
    page.evaluate(show, None)
    assert page.locator("#fig-it .factor").count() == 2
    assert page.locator("#fig-it .is-alone").count() == 0
    page.evaluate("() => document.querySelector('#fig-it .view').show({ factor: 2 }, { pin: true })")
    assert page.evaluate(VALUE) == {**value, "factor": 2, "pinned": True}
    page.evaluate("() => document.querySelector('#fig-it .view').show({ factor: 2 }, { pin: true })")
    assert page.evaluate(VALUE)["pinned"] is False


def test_a_solution_is_fetched_when_it_is_asked_for(open_figure: Callable[..., Page]) -> None:
    """What lies in a piece is drawn once it has come."""
    page = open_figure("factors")
    drawn = page.evaluate("""async () => {
      const { view, src } = document.querySelector('#fig-it').dataset;
      const { default: draw } = await import(new URL(view, document.baseURI));
      const { data } = await (await fetch(src)).json();
      const { layers, n_factors, ...rest } = data.solutions[1];
      data.solutions[1] = { layers, n_factors, piece: "solution-1" };
      const asked = [];
      const element = draw(data, { piece: async (name) => (asked.push(name), rest) });
      await element.show({ factor: `${n_factors}.1` });
      return [asked, element.querySelectorAll(".factor").length, n_factors];
    }""")
    assert drawn == [["solution-1"], drawn[2], drawn[2]]


def test_a_solution_that_does_not_come_is_said_and_may_be_asked_for_again(open_figure: Callable[..., Page]) -> None:
    """The drawing, its controls and what is kept stay with what was there; so they do where a link or prose asks."""
    page = open_figure("factors")
    told = page.evaluate("""async () => {
      const { view, src } = document.querySelector('#fig-it').dataset;
      const { default: draw } = await import(new URL(view, document.baseURI));
      const { data } = await (await fetch(src)).json();
      const { layers, n_factors, ...rest } = data.solutions[1];
      data.solutions[1] = { layers, n_factors, piece: "solution-1" };
      let comes = false;
      const piece = () => (comes ? Promise.resolve(rest) : Promise.reject(new Error("lost")));
      const link = { solution: 1, factor: n_factors, pinned: true };
      const restored = draw(structuredClone(data), { piece, value: link });
      const element = draw(data, { piece });
      document.body.append(restored, element);
      const settled = () => new Promise((done) => setTimeout(done, 300));
      const found = (root) => [
        root.querySelectorAll(".factor").length, root.value.solution, root.value.pinned,
        [...root.querySelectorAll("fieldset:first-of-type input")].findIndex((box) => box.checked),
        root.querySelector(".readout p").textContent, root.querySelector("[aria-live]").textContent,
      ];
      await settled();
      const seen = [found(restored)];
      const radio = element.querySelectorAll("fieldset:first-of-type input")[1];
      radio.click();
      await settled();
      seen.push(found(element));
      await element.show({ factor: `${n_factors}.1` }, { pin: true });
      await settled();
      seen.push(found(element));
      comes = true;
      radio.click();
      await settled();
      return [...seen, found(element).slice(0, 4)];
    }""")
    lost = "These factors could not be loaded; what was shown before stays."
    assert told == [[2, 0, False, 0, lost, lost]] * 3 + [[5, 1, False, 1]]


def test_panels_share_a_scale(open_figure: Callable[..., Page]) -> None:
    """The largest weight of all panels of a gallery is the full tint of each."""
    page = open_figure(small())
    shades = page.evaluate("""async () => {
      const { view, src } = document.querySelector('#fig-it').dataset;
      const { default: draw } = await import(new URL(view, document.baseURI));
      const { data } = await (await fetch(src)).json();
      const chips = [...draw(data, { extent: { weight: 8 } }).querySelectorAll(".strip .token")];
      return chips.map((chip) => Number(chip.style.getPropertyValue("--s")));
    }""")
    assert shades == [0, 0.5, 0.25, 0.25]


def test_hovering_two_hundred_tokens_touches_each_a_few_times(open_figure: Callable[..., Page]) -> None:
    """A factor's shades are laid on all tokens, of which one is told without touching the others; one layout each."""
    page = open_figure(large_factors(200))
    work = work_of(page, "#fig-it .factor", times=10, apart=1)
    assert work.writes < 4 * 200
    assert work.layouts < 1.5
    work = work_of(page, "#fig-it .strip .token[role]", times=20, apart=7)
    assert work.writes < 40
