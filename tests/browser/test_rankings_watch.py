"""Watched tokens: a grid and lines that show the same numbers, three measures, panels on one scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from harness import Harness
from kinds import example
from playwright.sync_api import Page

KIND = "rankings_watch"
VALUE = "document.querySelector('#fig-it .view').value"
SHOW = "(part, options) => document.querySelector('#fig-it .view').show(part, options)"


def data() -> dict[str, Any]:
    """Return the example's data."""
    return example(KIND)["data"]


def choose(page: Page, name: str) -> None:
    """Choose a measure, or grid or lines."""
    page.get_by_role("radio", name=name, exact=True).check()


def test_cells_hold_what_is_chosen(open_figure: Callable[..., Page]) -> None:
    """Ranks, probabilities, or log-odds with their sign: the first token is the one they are against."""
    page = open_figure(KIND)
    cells = page.locator("#fig-it .heat td")
    assert cells.all_text_contents() == [str(rank) for row in data()["ranks"] for rank in row]
    choose(page, "probability")
    assert cells.last.text_content() == "16%"
    assert cells.first.text_content() == "<0.01%"
    choose(page, "log-odds")
    assert {cells.nth(i).text_content() for i in range(0, 60, 2)} == {"0"}
    assert [cells.nth(1).text_content(), cells.nth(59).text_content()] == ["−3.6", "+3.4"]
    negative = page.locator("#fig-it .heat td.is-negative").count()
    assert negative == sum(odds[1] < 0 for odds in data()["log_odds"])


def test_the_sentence_names_the_layer_of_the_crossing(open_figure: Callable[..., Page]) -> None:
    """From which layer on the one that wins is ahead for good; of a layer, how both stand there."""
    page = open_figure(KIND)
    said = page.locator("#fig-it .readout p").first
    assert (said.text_content() or "").endswith(" are is ahead of  is from layer 26 on.")
    page.locator("#fig-it .heat td").nth(12 * 2).hover()
    rank = data()["ranks"][12]
    text = said.text_content() or ""
    assert text.startswith(f"After layer 12:  is rank {rank[0]} (")
    assert f" are rank {rank[1]} (" in text
    assert "log-odds of  are against  is −" in text


def test_first_choices_are_heard(open_figure: Callable[..., Page]) -> None:
    """They stand in the card, which a screen reader does not read."""
    page = open_figure(KIND)
    page.locator("#fig-it .heat td").nth(12 * 2).hover()
    known = data()
    firsts = ", ".join(f"‘{known['vocabulary'][v]}’" for v in known["top"][12])
    said = "(text) => document.querySelector('#fig-it [aria-live]').textContent.endsWith(text)"
    page.wait_for_function(said, arg=f". First choices there: {firsts}.")


def test_a_name_too_long_for_its_place_is_cut(open_figure: Callable[..., Page]) -> None:
    """With dots, and not by the edge of a phone; the grid and the sentence have it whole."""
    result = example(KIND)
    result["data"]["vocabulary"][:2] = [" incomprehensibility", " are"]
    page = open_figure(result, width=360)
    choose(page, "lines")
    page.locator("#fig-it .series").nth(1).wait_for(state="attached")
    names = page.locator("#fig-it .series").evaluate_all(
        "names => names.map((name) => [name.textContent, name.getBoundingClientRect().right])"
    )
    assert names[0][0].startswith("incom")
    assert names[0][0].endswith("…")
    assert names[1][0] == "are"
    right = page.locator("#fig-it svg").evaluate("svg => svg.getBoundingClientRect().right")
    assert all(end <= right for _, end in names)


def test_lines_end_in_names_and_ranks_go_up(open_figure: Callable[..., Page]) -> None:
    """Rank 1 at the top, a line a token in its colour; names do not overlap."""
    page = open_figure(KIND, width=1000)
    page.locator("#fig-it .series").nth(1).wait_for(state="attached")  # drawn once its size is known
    ends = page.evaluate("""() => [...document.querySelectorAll('#fig-it .chart g')].map((g) => {
      const [text, dots] = [g.querySelector('.series'), [...g.querySelectorAll('circle')]];
      return { name: text.textContent, colour: g.style.getPropertyValue('--c'),
               dots: dots.map((dot) => Number(dot.getAttribute('cy'))) };
    })""")
    assert [end["name"] for end in ends] == ["is", "are"]
    assert [end["colour"] for end in ends] == ["var(--category-1)", "var(--category-2)"]
    for w, end in enumerate(ends):
        ranks = [row[w] for row in data()["ranks"]]
        order = sorted(range(30), key=lambda r: ranks[r])
        assert [end["dots"][r] for r in order] == sorted(end["dots"])
    result = example(KIND)
    result["data"]["ranks"] = [[5, 5]] * 30
    page = open_figure(result, width=1000)
    page.locator("#fig-it .series").nth(1).wait_for(state="attached")
    names = page.evaluate("[...document.querySelectorAll('#fig-it .series')].map((t) => Number(t.getAttribute('y')))")
    assert abs(names[0] - names[1]) >= 15


def test_the_chart_selects_a_layer_and_the_nearest_line(open_figure: Callable[..., Page]) -> None:
    """By pointing; a click pins, a second one lets go."""
    page = open_figure(KIND, width=1000)
    dot = page.locator("#fig-it .chart g").nth(1).locator("circle").nth(20)
    box = dot.bounding_box()
    assert box is not None
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*at)
    assert page.evaluate(VALUE) == {"layer": 20, "token": 1, "measure": "rank", "view": "grid", "pinned": False}
    page.mouse.click(*at)
    assert page.evaluate(VALUE)["pinned"] is True
    page.mouse.click(*at)
    assert page.evaluate(VALUE)["pinned"] is False
    page.mouse.move(1, 1)
    assert page.evaluate(VALUE)["layer"] is None


@pytest.mark.parametrize("width", [360, 500])
def test_a_narrow_screen_has_the_grid_or_the_lines(width: int, open_figure: Callable[..., Page]) -> None:
    """A choice; keys and a screen reader's table work with both."""
    page = open_figure(KIND, width=width)
    assert page.locator("#fig-it .heat").is_visible()
    assert page.locator("#fig-it .chart").is_hidden()
    choose(page, "lines")
    assert page.locator("#fig-it .chart").is_visible()
    page.locator("#fig-it .heat td[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate(VALUE) == {"layer": 2, "token": 1, "measure": "rank", "view": "lines", "pinned": True}
    assert page.locator("#fig-it .chart .rule").evaluate("e => getComputedStyle(e).display") != "none"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == {"layer": 2, "token": 1, "measure": "rank", "view": "lines", "pinned": True}
    assert page.locator("#fig-it .chart").is_visible()


def test_a_wide_screen_has_both(open_figure: Callable[..., Page]) -> None:
    """Side by side, and no choice between them."""
    page = open_figure(KIND, width=1280)
    assert page.locator("#fig-it .heat").is_visible()
    assert page.locator("#fig-it .chart").is_visible()
    assert page.get_by_role("radio", name="lines").is_hidden()


def test_panels_share_their_scales(open_page: Callable[..., Page], harness: Harness) -> None:
    """The same rank has the same shade and the same height in both."""
    calm = example(KIND)
    calm["data"]["ranks"] = [[10, 20]] * 30
    page = open_page(harness.write("watch", {"fig-it": [{**example(KIND), "title": "a"}, {**calm, "title": "b"}]}))
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    shades = page.evaluate("""() => [...document.querySelectorAll('#fig-it .panel')].map((panel) =>
      [...panel.querySelectorAll('td')].map((td) => [td.textContent, td.style.getPropertyValue('--s')]))""")
    known = dict(map(tuple, shades[0]))
    assert known["10"] == dict(map(tuple, shades[1]))["10"]


def test_one_watched_token_has_no_odds(open_figure: Callable[..., Page]) -> None:
    """There is nothing to be against."""
    result = example(KIND)
    for key in ("ranks", "probabilities", "log_odds"):
        result["data"][key] = [row[:1] for row in result["data"][key]]
    result["data"] |= {"watched": 1, "ahead": []}
    for script in (True, False):
        page = open_figure(result, java_script_enabled=script, wait=script)
        assert page.get_by_role("radio", name="log-odds").count() == 0
        assert page.locator("#fig-it .heat td").count() == 30


def test_prose_shows_layers_and_tokens(open_figure: Callable[..., Page]) -> None:
    """For as long as it is pointed at, and pinned where it is pressed; what is unknown changes nothing."""
    page = open_figure(KIND, width=1000)
    before = page.evaluate(VALUE)
    page.evaluate(f"() => ({SHOW})({{ token: 1 }})")
    assert page.locator("#fig-it .heat td.is-column").count() == 30
    assert page.locator("#fig-it .chart g.is-dim").count() == 1
    page.evaluate(f"() => ({SHOW})({{ layer: 26 }})")
    assert page.locator("#fig-it th.is-row").text_content() == "26"
    assert (page.locator("#fig-it .readout p").first.text_content() or "").startswith("After layer 26:")
    assert page.evaluate(VALUE) == before
    page.evaluate(f"() => ({SHOW})(null)")
    assert page.locator("#fig-it :is(.is-column, .is-row, .is-dim)").count() == 0
    for part in ("{ token: 9 }", "{ factor: 1 }", "{ layer: 99 }"):
        page.evaluate(f"() => ({SHOW})({part}, {{ pin: true }})")
        assert page.evaluate(VALUE) == before
    page.evaluate(f"() => ({SHOW})({{ layer: 26 }}, {{ pin: true }})")
    assert page.evaluate(VALUE) == {**before, "layer": 26, "pinned": True}
    page.evaluate(f"() => ({SHOW})({{ layer: 26 }}, {{ pin: true }})")
    assert page.evaluate(VALUE)["pinned"] is False


def test_only_what_is_there_is_restored(open_figure: Callable[..., Page]) -> None:
    """An address may name anything that JavaScript finds in a list or an object."""
    for query in ("layer.length", "token.length", "layer.3.5", "measure.constructor", "layer.30"):
        page = open_figure(KIND, query=f"?fig-it={query}")
        assert page.evaluate(VALUE) == {
            "layer": None,
            "token": None,
            "measure": "rank",
            "view": "grid",
            "pinned": False,
        }
    page = open_figure(KIND, query="?fig-it=token.1_measure.log-odds")
    assert page.evaluate(VALUE) == {"layer": None, "token": 1, "measure": "log-odds", "view": "grid", "pinned": True}
