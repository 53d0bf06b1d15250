"""The logit attribution figure: a sheet of parts whose bars meet, what it says, and figures that it follows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from kinds import example
from playwright.sync_api import Page, expect

VALUE = "document.querySelector('#fig-it .view').value"
SAID = "#fig-it .readout p:first-child"


def made_up(layers: int, heads: int, **more: Any) -> dict[str, Any]:
    """Return a result of that size: head h of layer l adds l − h, an MLP −1."""
    result = example("logit_attribution")
    rows = [[float(layer - head) for head in range(heads)] for layer in range(layers)]
    total = 0.5 + 0.25 + sum(map(sum, rows)) - layers + 2
    result["data"] |= {
        "n_layers": layers,
        "n_heads": heads,
        "heads": rows,
        "biases": [0.0] * layers,
        "mlps": [-1.0] * layers,
        "embeddings": {"token": 0.5, "position": 0.25},
        "constant": 2.0,
        "total": total,
        **more,
    }
    return result


def test_the_bars_are_a_sum(open_figure: Callable[..., Page]) -> None:
    """Each begins where the one before it ended, from 0 to the logit."""
    page = open_figure("logit_attribution", width=1280)
    bars = page.locator("#fig-it .sheet-bars i").evaluate_all("""(bars) => bars.map((bar) => {
      const { left, right } = bar.getBoundingClientRect();
      return bar.className ? [right, left] : [left, right];
    })""")
    data = example("logit_attribution")["data"]
    assert len(bars) == 1 + 2 * data["n_layers"]
    # a bar is a pixel wide at least
    assert max(abs(a[1] - b[0]) for a, b in pairwise(bars)) < 1.6
    lines = page.locator("#fig-it .sheet-bars s").evaluate_all("e => e.map((line) => line.getBoundingClientRect().x)")
    assert lines[-1] == pytest.approx(bars[-1][1], abs=1.6)


@pytest.mark.parametrize(("layers", "heads"), [(12, 12), (32, 32), (48, 25)])
@pytest.mark.parametrize("width", [360, 1280])
def test_all_heads_fit(layers: int, heads: int, width: int, open_figure: Callable[..., Page]) -> None:
    """Nothing scrolls, cells are 4 px wide at least and 17 high, and the bars have room."""
    page = open_figure(made_up(layers, heads), width=width)
    boxes = page.locator("#fig-it .sheet-head").evaluate_all(
        "e => e.map((cell) => cell.getBoundingClientRect()).map(({ width, height }) => [width, height])"
    )
    assert len(boxes) == layers * heads
    assert min(w for w, _ in boxes) >= 4
    assert min(h for _, h in boxes) >= 17
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#fig-it .sheet-bars").first.evaluate("e => e.clientWidth") >= 40


def test_a_head_is_told(open_figure: Callable[..., Page]) -> None:
    """What it adds, of what, to which answer over which foil; its place among all in the card, and heard."""
    page = open_figure("logit_attribution", width=1280)
    cells = page.locator("#fig-it .sheet-head")
    cells.nth(23 * 9 + 3).hover()
    assert page.text_content(SAID) == "Head 3 of layer 23 adds +2.86 of +6.12 to  Mary over  John"
    assert "no. 1 of 301" in (page.locator("#fig-it .tip").text_content() or "")
    told = "adds +2.86 of +6.12 to ‘ Mary’ over ‘ John’; strongest no. 1 of 301; sum after this row +"
    expect(page.locator("#fig-it [aria-live]")).to_contain_text(told)
    assert page.evaluate(VALUE) == {"layer": 23, "head": 3, "what": None, "pinned": False}
    page.locator("#fig-it .sheet-sum").nth(2 * 29 + 1).hover()
    assert (page.text_content(SAID) or "").startswith("The MLP of layer 29 adds +1.39 of +6.12 to")
    assert page.evaluate(VALUE) == {"layer": 29, "head": None, "what": "mlp", "pinned": False}


def test_every_part_has_a_name(open_figure: Callable[..., Page]) -> None:
    """A head's shade is a number for those who walk the table without moving the focus; the others have theirs."""
    page = open_figure(made_up(2, 3))
    names = page.locator("#fig-it .sheet-head").evaluate_all("cells => cells.map((cell) => cell.ariaLabel)")
    assert names == ["0.00", "−1.00", "−2.00", "+1.00", "0.00", "−1.00"]
    assert all(page.locator("#fig-it :is(.sheet-sum, .sheet-wide)").all_text_contents())


def test_all_kinds_of_rows_are_walked(open_figure: Callable[..., Page]) -> None:
    """Up and down keep the column, through rows of one part; Home and End stay in a row, with Ctrl they leave it."""
    page = open_figure(made_up(3, 4))
    page.locator("#fig-it .sheet-head").nth(1 * 4 + 2).focus()
    seen = []
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "End", "Control+End", "ArrowUp", "Home", "Control+Home"):
        page.keyboard.press(key)
        value = page.evaluate(VALUE)
        seen.append(value["what"] or (value["layer"], value["head"]))
    assert seen == [(0, 2), "position", "token", "position", "position", "constant", (2, 0), (2, 0), "token"]


def test_it_shows_what_prose_and_other_figures_choose(open_figure: Callable[..., Page]) -> None:
    """Heads, layers and MLPs; following selects without a word to others, and what it does not know is nothing."""
    page = open_figure("logit_attribution", width=1280)
    page.evaluate("""() => {
      window.view = document.querySelector('#fig-it .view');
      window.inputs = 0;
      view.addEventListener('input', () => window.inputs++);
    }""")
    for call, start in (
        ("view.show({ head: '23.3' })", "Head 3 of layer 23 adds"),
        ("view.show({ mlp: 28 })", "The MLP of layer 28 adds"),
        ("view.show({ layer: 23 })", "Layer 23: heads add +4.99, the MLP +0.46; after it the sum for"),
        ("view.show(null)", "The logit of"),
        ("view.follow({ layer: 24, head: 4 })", "Head 4 of layer 24 adds"),
        ("view.follow({ layer: 99, head: 0 })", "The logit of"),
        ("view.follow({ layer: 24, head: null })", "Layer 24: heads add"),
        ("view.follow({ layer: null, head: null })", "The logit of"),
    ):
        page.evaluate(call)
        assert (page.text_content(SAID) or "").startswith(start)
        assert page.evaluate(VALUE)["layer"] is None
    assert page.evaluate("inputs") == 0
    page.evaluate("view.show({ head: '23.3' }, { pin: true })")
    assert page.evaluate(VALUE) == {"layer": 23, "head": 3, "what": None, "pinned": True}


def test_the_strongest_are_listed(open_figure: Callable[..., Page]) -> None:
    """In order of size, whatever their sign, the same in the fallback."""
    lists = []
    for script in (True, False):
        page = open_figure("logit_attribution", java_script_enabled=script, wait=script)
        lists.append(page.locator("#fig-it .rows tr").evaluate_all("e => e.map((row) => row.textContent)"))
    assert lists[0] == lists[1]
    assert lists[0][0] == "Head 3 of layer 23+2.86"
    assert len(lists[0]) == 12
    sizes = [abs(float(text.replace("−", "-").rpartition("-" if "−" in text else "+")[2])) for text in lists[0]]
    assert sizes == sorted(sizes, reverse=True)


def test_a_pointer_over_a_thousand_heads_touches_few_of_them(open_figure: Callable[..., Page]) -> None:
    """Marked are the cell and its row, and those before let go: a hover costs the same however many heads there are."""
    page = open_figure(made_up(32, 32))
    assert page.locator("#fig-it .sheet-head").count() == 1024
    touched = page.evaluate("""() => {
      const cells = [...document.querySelectorAll('#fig-it .sheet-head')].filter((_, i) => i % 37 === 0);
      const observer = new MutationObserver(() => {});
      observer.observe(document.querySelector('#fig-it .sheet'), { subtree: true, attributes: true, childList: true });
      return cells.map((cell) => {
        cell.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' }));
        return new Set(observer.takeRecords().map(({ target }) => target)).size;
      });
    }""")
    assert 1 <= max(touched) <= 4
