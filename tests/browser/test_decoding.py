"""The decoding figure: sliders rank candidates as transformers does, forks can be followed, and all can be undone."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from kinds import KINDS, example
from large import large_decoding
from playwright.sync_api import Page
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper
from work import work_of

from builder.kind import Kind

VALUE = "document.querySelector('#fig-it .view').value"
SETTLED = """async ([data, asked]) => {
  const view = new URL(document.querySelector('#fig-it').dataset.view, document.baseURI);
  const { settled } = await import(new URL('settings.js', view));
  return asked.map(([t, temperature, topk, topp]) => {
    const { left, share, own } = settled(data, t, { temperature, topk, topp });
    return [left, data.logits[t].map((_, i) => share(i)), own];
  });
}"""


def move(page: Page, name: str, stop: int) -> None:
    """Set a slider to a stop, as a hand does."""
    page.get_by_label(name).evaluate(
        "(input, stop) => { input.value = stop; input.dispatchEvent(new Event('input', { bubbles: true })); }", stop
    )


def tables(kind: Kind) -> Any:
    """Return the kind's module that reads logits."""
    import importlib

    package = kind.analysis.__name__.rpartition(".")[0]  # type: ignore[attr-defined]
    return importlib.import_module(f"{package}.tables")


@pytest.mark.parametrize("ties", [False, True])
def test_what_is_left_is_what_transformers_leaves(ties: bool, open_figure: Callable[..., Page]) -> None:
    """Every stop of the three sliders: as many tokens, with the same probabilities, as its processors in float64."""
    module = tables(KINDS["decoding"])
    logits = torch.randn(3, 400, generator=torch.Generator().manual_seed(0)) * torch.tensor([[0.5], [2.0], [6.0]])
    if ties:
        logits = logits.round()
    ids = torch.tensor([5, 17, 300])
    heats, tops, ks = [0.3, 1.0, 2.0], [0.1, 0.7, 0.95], [*range(1, 21, 3), 20, 100, 0]
    steps = module.read_steps(logits, ids, 20)
    data = {
        "logits": steps.logits,
        "tied": steps.tied,
        "own": steps.own,
        "places": steps.places,
        "levels": module.read_levels(logits, 20, heats, tops, [100, 0]),
        "temperatures": heats,
        "top_ps": [*tops, 1],
        "vocab_size": 400,
    }
    asked = list(itertools.product(range(3), heats, ks, [*tops, 1]))
    page = open_figure("decoding")
    for (t, heat, k, p), (left, shares, own) in zip(asked, page.evaluate(SETTLED, [data, asked]), strict=True):
        scores = TemperatureLogitsWarper(heat)(None, logits[t : t + 1].double())
        scores = TopKLogitsWarper(k)(None, scores) if k else scores
        scores = TopPLogitsWarper(p)(None, scores) if p < 1 else scores
        truth = scores.softmax(-1)[0]
        assert left == int((truth > 0).sum()), (t, heat, k, p)
        most = truth.sort(descending=True).values[:20].tolist()
        assert shares == pytest.approx(most, rel=2e-4, abs=1e-6), (t, heat, k, p)
        if not ties:
            assert own == pytest.approx(float(truth[ids[t]]), rel=2e-4, abs=1e-6)


def test_it_begins_as_the_text_was_written(open_figure: Callable[..., Page]) -> None:
    """The sliders stand where the author's decoding stood, and the numbers are those that the analysis found."""
    data = example("decoding")["data"]
    page = open_figure("decoding")
    start = {"position": data["targets"][0], "temperature": 1, "topk": 0, "topp": 1, "fork": None, "pinned": False}
    assert page.evaluate(VALUE) == start
    shades = page.locator("#fig-it .token.is-shaded").evaluate_all(
        "e => e.map((c) => Number(c.style.getPropertyValue('--s')))"
    )
    assert shades == pytest.approx(data["probabilities"], abs=1e-3)
    assert "Written greedily" in (page.locator("#fig-it .origin").text_content() or "")


def test_nothing_stands_there_that_cannot_be_used(open_figure: Callable[..., Page]) -> None:
    """Without scripts the settings are told in words; a slider would only pretend."""
    page = open_figure("decoding", java_script_enabled=False, wait=False)
    assert page.locator("#fig-it :is(input, button)").count() == 0
    told = [" ".join(text.split()) for text in page.locator("#fig-it .slider").all_text_contents()]
    assert told == ["Temperature 1", "Top-k all", "Top-p all"]


def test_sliders_cut_and_reset_brings_back(open_figure: Callable[..., Page]) -> None:
    """Top-k 3 leaves three candidates that sum to 1; the line says what cut; reset is as before."""
    page = open_figure("decoding")
    before = page.locator("#fig-it .candidate .number").all_text_contents()
    move(page, "Top-k", 2)
    assert page.evaluate(VALUE)["topk"] == 3
    assert page.locator("#fig-it .candidate.is-cut").count() == page.locator("#fig-it .candidate").count() - 3
    assert page.locator("#fig-it .candidate.is-first-cut .number").text_content() == "top-k"
    shares = page.locator("#fig-it .candidate .bar").evaluate_all(
        "e => e.map((b) => Number(b.style.getPropertyValue('--share')))"
    )
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    assert "tokens are cut off" in (page.locator("#fig-it .more").text_content() or "")
    page.get_by_role("button", name="Reset").click()
    assert page.locator("#fig-it .candidate .number").all_text_contents() == before
    assert page.evaluate(VALUE)["topk"] == 0


def test_a_colder_text_is_surer(open_figure: Callable[..., Page]) -> None:
    """A temperature near 0 gives the first candidate nearly all, and shades the text with it."""
    page = open_figure("decoding")
    move(page, "Temperature", 0)
    numbers = page.locator("#fig-it .candidate .number").all_text_contents()
    data = example("decoding")["data"]
    colder = 1 / sum(2.718281828459045 ** (z / 0.1) for z in data["logits"][0])
    assert float(numbers[0].strip("%>")) == pytest.approx(100 * colder, abs=0.6)
    shade = page.locator("#fig-it .token.is-shaded").first.evaluate("e => Number(e.style.getPropertyValue('--s'))")
    assert shade == pytest.approx(colder, abs=1e-3)


def test_a_followed_candidate_is_told_under_the_text(open_figure: Callable[..., Page]) -> None:
    """Its words stand there, the text after it fades, the address keeps it; a second press and Escape let go."""
    data = example("decoding")["data"]
    page = open_figure("decoding")
    fork = data["forks"][0][0]
    row = page.locator("#fig-it .candidate").nth(fork["candidate"])
    row.click()
    words = "".join(data["vocabulary"][v] for v in fork["text"])
    assert "".join(page.locator("#fig-it .fork .token").all_text_contents()) == words
    assert page.locator("#fig-it .strip .token.is-later").count() == len(data["targets"]) - 1
    value = page.evaluate(VALUE)
    assert (value["fork"], value["pinned"]) == (fork["candidate"], True)
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == value
    page.locator("#fig-it .candidate").nth(fork["candidate"]).click()
    assert page.evaluate(VALUE)["fork"] is None
    assert page.locator("#fig-it .fork .token").count() == 0
    page.locator("#fig-it .candidate").nth(fork["candidate"]).click()
    page.keyboard.press("Escape")
    assert (page.evaluate(VALUE)["fork"], page.evaluate(VALUE)["pinned"]) == (None, False)


def test_a_fork_belongs_to_its_step(open_figure: Callable[..., Page]) -> None:
    """Another step has others; by touch too, and only what was followed can be pressed."""
    page = open_figure("decoding", width=390, has_touch=True, is_mobile=True)
    enabled = page.locator("#fig-it .candidate:enabled")
    assert enabled.count() == len(example("decoding")["data"]["forks"][0])
    enabled.first.tap()
    assert page.locator("#fig-it .fork .token").count() > 0
    page.locator("#fig-it .strip [role=button]").nth(1).tap()
    assert page.evaluate(VALUE)["fork"] is None
    assert page.evaluate(VALUE)["pinned"] is True


def test_prose_shows_a_step_and_gives_it_back(open_figure: Callable[..., Page]) -> None:
    """`show` is seen and leaves the value alone; pinned, it stays until it is shown so again."""
    page = open_figure("decoding")
    data = example("decoding")["data"]
    view = "document.querySelector('#fig-it .view')"
    before = page.evaluate(VALUE)
    page.evaluate(f"{view}.show({{ token: {data['targets'][2]} }})")
    assert page.locator("#fig-it .token.is-selected").evaluate("e => Number(e.dataset.item)") == data["targets"][2]
    assert page.evaluate(VALUE) == before
    page.evaluate(f"{view}.show(null)")
    assert page.locator("#fig-it .token.is-selected").evaluate("e => Number(e.dataset.item)") == data["targets"][0]
    page.evaluate(f"{view}.show({{ token: {data['targets'][2]} }}, {{ pin: true }})")
    assert page.evaluate(VALUE) == {**before, "position": data["targets"][2], "pinned": True}
    page.evaluate(f"{view}.show({{ token: {data['targets'][2]} }}, {{ pin: true }})")
    assert page.evaluate(VALUE)["pinned"] is False
    page.evaluate(f"{view}.show({{ layer: 3 }})")


def test_nonsense_settings_are_the_authors(open_figure: Callable[..., Page]) -> None:
    """A temperature that is no stop, a fork that nobody followed: what was there at first."""
    position = example("decoding")["data"]["targets"][1]
    page = open_figure("decoding", query=f"?fig-it=position.{position}_temperature.0.123_topk.-4_topp.7_fork.11")
    assert page.evaluate(VALUE) == {
        "position": position,
        "temperature": 1,
        "topk": 0,
        "topp": 1,
        "fork": None,
        "pinned": True,
    }


def test_hovering_two_hundred_tokens_touches_each_once(open_figure: Callable[..., Page]) -> None:
    """A step's candidates are told, its token marked, and the page is laid out once."""
    small, great = (work_of(open_figure(large_decoding(n)), "#fig-it .strip [role=button]") for n in (50, 200))
    assert great.writes < small.writes + 1.1 * 150
    assert great.layouts < 1.5
