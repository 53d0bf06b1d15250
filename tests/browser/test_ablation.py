"""The ablation figure: losses as cells and bars, a factor's neurons, and edges of attention as a grid of their own."""

from __future__ import annotations

from collections.abc import Callable

from kinds import example
from playwright.sync_api import Page, expect

VALUE = "document.querySelector('#fig-it .view').value"
SAID = "#fig-it .readout p:first-child"


def test_a_loss_is_told_with_what_comes_instead(open_figure: Callable[..., Page]) -> None:
    """The logit, the probability before and after, and the token that then comes first, if it is another."""
    page = open_figure("ablation", width=1280)
    page.locator("#fig-it .sheet-sum").nth(1).hover()  # the MLP of layer 0
    said = page.text_content(SAID) or ""
    assert said.startswith("Without the MLP of layer 0,  Mary over  John loses 11.8 of +6.12; its probability is ")
    assert "; first comes " in said
    page.locator("#fig-it .sheet-head").nth(23 * 9 + 3).hover()
    assert (page.text_content(SAID) or "").startswith(
        "Without head 3 of layer 23,  Mary over  John loses 3.04 of +6.12;"
    )
    assert page.evaluate(VALUE)["head"] == 3


def test_a_gain_is_no_loss(open_figure: Callable[..., Page]) -> None:
    """Words and colour say which way it goes."""
    lost = example("ablation")["data"]["heads"]["lost"]
    flat = [loss for row in lost for loss in row]
    page = open_figure("ablation", width=1280)
    cells = page.locator("#fig-it .sheet-head")
    worst = flat.index(min(flat))
    cells.nth(worst).hover()
    assert " gains " in (page.text_content(SAID) or "")
    assert "is-negative" in (cells.nth(worst).get_attribute("class") or "")
    assert page.locator("#fig-it .sheet-head.is-negative").count() == sum(loss < 0 for loss in flat)


def test_a_factor_is_compared_with_as_many_others(open_figure: Callable[..., Page]) -> None:
    """Its row says how many neurons it has, the card what others would have cost, which is heard, too."""
    factors = example("ablation")["data"]["factors"]
    page = open_figure("ablation", width=1280)
    rows = page.locator("#fig-it .sheet-wide")
    assert rows.count() == len(factors["lost"]) == 3
    assert (rows.first.text_content() or "").startswith(f"factor 1: {factors['neurons'][0]:,} neurons")
    rows.nth(1).hover()
    assert "as many others" in (page.locator("#fig-it .tip").text_content() or "")
    drawn = factors["drawn"][1]
    told = f"; without as many other neurons it {'loses' if drawn > 0 else 'gains'} {abs(drawn):.2f}"
    expect(page.locator("#fig-it [aria-live]")).to_contain_text(told)
    assert page.evaluate(VALUE)["what"] == "factor-2"
    shaded = page.locator("#fig-it .strip .is-shaded")
    assert shaded.count() == len(factors["weights"][1])
    strongest = factors["weights"][1].index(max(factors["weights"][1]))
    assert shaded.nth(strongest).get_attribute("data-s") == "50"
    page.locator("#fig-it .sheet-head").first.hover()
    assert shaded.count() == 0


def test_edges_are_another_grid(open_figure: Callable[..., Page]) -> None:
    """Layers by tokens; a cell tells its edge, and the token is marked in the text. There is one tab stop in either."""
    page = open_figure("ablation", width=1280)
    page.locator("#fig-it .sheet-head").nth(4).click()
    page.get_by_label("edges of attention").check()
    page.locator("#fig-it .heat").wait_for()
    assert page.evaluate(VALUE) == {
        "show": "edges", "layer": None, "head": None, "what": None, "token": None, "words": False, "pinned": False,
    }  # fmt: skip
    assert page.locator("#fig-it .view [data-item][tabindex='0']").count() == 1
    cells = page.locator("#fig-it .heat td")
    data = example("ablation")["data"]
    assert cells.count() == data["n_layers"] * data["position"]
    cells.nth(23 * data["position"] + 1).click()
    said = page.text_content(SAID) or ""
    assert said.startswith("In layer 23 without a look at  Mary,  Mary over  John loses 4.11 of +6.12;")
    assert page.locator("#fig-it .strip .is-looked-at").text_content() == " Mary"
    value = page.evaluate(VALUE)
    assert (value["layer"], value["token"], value["pinned"]) == (23, 1, True)
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == value
    page.get_by_label("parts", exact=True).check()
    assert page.evaluate(VALUE)["pinned"] is False
    assert page.locator("#fig-it .sheet").is_visible()


def test_the_strongest_edges_are_listed(open_figure: Callable[..., Page]) -> None:
    """In order of size, whatever their sign, the same in the fallback; of a window all its layers."""
    result = example("ablation")
    spans = [[max(0, layer - 2), min(29, layer + 1)] for layer in range(30)]
    edges = result["data"]["edges"] | {"window": 4, "spans": spans}
    result["data"]["edges"] = edges
    lists = []
    for script in (True, False):
        page = open_figure(result, java_script_enabled=script, wait=script)
        listed = page.locator("#fig-it .rows").nth(1).locator("tr")
        lists.append(listed.evaluate_all("rows => rows.map((row) => row.textContent)"))
    assert lists[0] == lists[1]
    assert len(lists[0]) == 12
    assert lists[0][0] == "In layers 21 to 24 without a look at  Mary+4.11"
    assert open_figure({**result, "data": {**result["data"], "edges": None}}).locator("#fig-it .rows").count() == 1


def test_an_edge_that_is_none_is_nothing(open_figure: Callable[..., Page]) -> None:
    """Whatever an address says: what lists have besides their items is no item."""
    page = open_figure("ablation")
    for place in ("layer.length_token.1", "layer.2_token.length", "layer.-1_token.0", "layer.0.5"):
        page.goto(f"{page.url.partition('?')[0]}?fig-it=show.edges_{place}")
        page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
        assert page.evaluate(VALUE)["pinned"] is False


def test_it_shows_what_prose_and_other_figures_choose(open_figure: Callable[..., Page]) -> None:
    """Parts while parts are shown; a pinned token turns to the edges, at the layer where it weighs most."""
    page = open_figure("ablation", width=1280)
    page.evaluate("""() => {
      window.view = document.querySelector('#fig-it .view');
      window.inputs = 0;
      view.addEventListener('input', () => window.inputs++);
    }""")
    for call, start in (
        ("view.show({ head: '23.3' })", "Without head 3 of layer 23"),
        ("view.show({ mlp: 28 })", "Without the MLP of layer 28"),
        ("view.show({ layer: 23 })", "Without the attention of layer 23"),
        ("view.show({ factor: 3 })", "Without the neurons of factor 3"),
        ("view.show(null)", "The logit of"),
        ("view.follow({ layer: 1, head: 5, token: 2 })", "Without head 5 of layer 1"),
        ("view.follow({ layer: 1, head: 50 })", "The logit of"),
        ("view.follow({ layer: 1, head: null })", "Without the attention of layer 1"),
        ("view.follow({ layer: null, head: null })", "The logit of"),
    ):
        page.evaluate(call)
        assert (page.text_content(SAID) or "").startswith(start)
    assert page.evaluate("inputs") == 0
    page.evaluate("view.show({ token: 1 }, { pin: true })")
    value = page.evaluate(VALUE)
    assert (value["show"], value["layer"], value["token"], value["pinned"]) == ("edges", 23, 1, True)
    assert page.get_by_label("edges of attention").is_checked()
    page.evaluate("view.follow({ layer: 20, head: 0, token: 9 })")
    assert (page.text_content(SAID) or "").startswith("In layer 20 without a look at  John")


def test_where_edges_cannot_be_drawn_there_is_no_choice(open_figure: Callable[..., Page]) -> None:
    """As on a train: what is there stays, and parts are shown also to who was sent a link to an edge."""
    for query in ("", "?fig-it=show.edges_layer.23_token.1"):
        page = open_figure("ablation", without="**/ablation/edges.js", query=query)
        expect(page.locator("#fig-it .choice")).to_have_count(0)
        assert page.locator("#fig-it .sheet").is_visible()
        page.locator("#fig-it .sheet-sum").nth(1).click()
        assert page.evaluate(VALUE)["show"] == "parts"
        assert page.evaluate(VALUE)["pinned"] is True


def test_without_edges_and_factors_there_is_no_choice(open_figure: Callable[..., Page]) -> None:
    """Only the sheet."""
    result = example("ablation")
    result["data"] |= {"edges": None, "factors": None}
    page = open_figure(result)
    assert page.locator("#fig-it .choice").count() == 0
    assert page.locator("#fig-it .sheet-wide").count() == 0
