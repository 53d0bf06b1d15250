"""How figures come into a page: late, once, without a jump, and not at all where something is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness import Harness
from kinds import KINDS, example
from playwright.sync_api import Page


def test_figures_far_below_wait(open_page: Callable[..., Page], harness: Harness) -> None:
    """Neither data nor view of a figure is fetched before it nears the screen."""
    address = harness.write("lazy", {"fig-it": example("tokens"), "fig-far": example("saliency")}, gap=4000)
    page = open_page("about:blank", broken=True)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert not any("/data/" in address for address in fetched)
    page.locator("#fig-it").scroll_into_view_if_needed()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert not any("saliency/view.js" in address for address in fetched)
    page.locator("#fig-far").scroll_into_view_if_needed()
    page.locator("#fig-far[data-state=ready]").wait_for(state="attached")
    assert any("saliency/view.js" in address for address in fetched)


def test_figures_that_share_an_answer_fetch_it_once(open_page: Callable[..., Page], harness: Harness) -> None:
    """Two figures of one result are one request."""
    fetched: list[str] = []
    address = harness.write("shared", {"fig-a": example("tokens"), "fig-b": example("tokens")})
    page = open_page("about:blank", broken=True)
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address)
    page.locator("#fig-b[data-state=ready]").wait_for(state="attached")
    assert page.locator("figure[data-state=ready]").count() == 2
    assert sum("/data/" in address for address in fetched) == 1


def test_two_figures_keep_their_pins_apart(open_page: Callable[..., Page], harness: Harness) -> None:
    """Each figure's pin stands in the address under its own name."""
    page = open_page(harness.write("apart", {"fig-a": example("tokens"), "fig-b": example("tokens")}))
    for anchor, item in (("fig-a", 1), ("fig-b", 2)):
        page.locator(f"#{anchor}[data-state=ready] .token[data-item='{item}']").click()
    page.reload()
    page.locator("#fig-b[data-state=ready]").wait_for(state="attached")
    values = page.evaluate("['fig-a', 'fig-b'].map((id) => document.querySelector(`#${id} .view`).value.position)")
    assert values == [1, 2]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_kept_has_names_without_underscores(kind: str, open_figure: Callable[..., Page]) -> None:
    """They part one name and its value from the next in the address."""
    page = open_figure(kind)
    names = page.evaluate("Object.keys(document.querySelector('#fig-it .view').value)")
    assert not [name for name in names if "_" in name or "." in name]


def test_values_may_have_underscores_in_the_address(open_figure: Callable[..., Page]) -> None:
    """As the method `value_norms` has: a link that was shared restores it, and what it is pinned to."""
    result = example("attention_flow")
    result["data"]["method"] = "rollout"
    target = result["data"]["targets"][1]
    page = open_figure(result, query=f"?fig-it=token.{target}_method.value_norms_display.strip", broken=True)  # no rows
    value = page.evaluate("document.querySelector('#fig-it .view').value")
    assert (value["token"], value["method"], value["display"], value["pinned"]) == (
        target,
        "value_norms",
        "strip",
        True,
    )


@pytest.mark.parametrize("refusal", ["throw new DOMException('too often', 'SecurityError')", "return undefined"])
def test_an_address_that_is_refused_is_written_later(
    refusal: str, open_page: Callable[..., Page], harness: Harness
) -> None:
    """Browsers refuse many addresses in a short time, Safari by an error, Chromium in silence; no pin is lost."""
    page = open_page(harness.write("refused", {"fig-a": example("saliency"), "fig-b": example("saliency")}), own=True)
    page.evaluate(f"""() => {{
      const own = history.replaceState;
      history.replaceState = () => {{ {refusal}; }};
      window.relent = () => {{ history.replaceState = own; }};
    }}""")
    places = example("saliency")["data"]["targets"][1:3]
    for anchor, position in zip(("fig-a", "fig-b"), places, strict=True):
        page.locator(f"#{anchor}[data-state=ready] .token[data-item='{position}']").click()
    assert "fig-" not in page.url.partition("?")[2]
    page.evaluate("relent()")
    page.wait_for_url(lambda address: all(f"=position.{position}_" in address for position in places))


def test_without_data_the_fallback_stays(open_figure: Callable[..., Page]) -> None:
    """A figure whose data or view cannot be had keeps what it shows and says so in a line."""
    for missing in ("**/data/*.json", "**/view.js", "**/d3.js"):
        page = open_figure("saliency", without=missing, wait=False)
        page.locator("#fig-it[data-state=failed]").wait_for(state="attached")
        assert page.locator("#fig-it .strip").is_visible()
        assert "could not be loaded" in (page.locator("#fig-it .figure-note").text_content() or "")


def test_an_old_browser_draws_all_at_once(open_page: Callable[..., Page], harness: Harness) -> None:
    """Without IntersectionObserver figures are drawn on loading."""
    address = harness.write("old", {f"fig-{kind}": example(kind) for kind in KINDS}, gap=3000)
    page = open_page("about:blank", broken=True)
    page.add_init_script("delete window.IntersectionObserver")
    page.goto(address)
    page.wait_for_function("(n) => document.querySelectorAll('figure[data-state=ready]').length === n", arg=len(KINDS))


def test_all_is_drawn_for_paper(open_page: Callable[..., Page], harness: Harness) -> None:
    """Printing draws what was not reached yet; what does not come in time prints as its fallback."""
    page = open_page(harness.write("paper", {"fig-it": example("tokens"), "fig-far": example("rankings")}, gap=4000))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.locator("#fig-far[data-state=ready]").wait_for(state="attached")


def test_a_page_of_figures_does_not_jump(open_page: Callable[..., Page], harness: Harness) -> None:
    """Cumulative layout shift of a page with every kind stays below 0.05 while it is read to its end."""
    page = open_page(harness.write("jump", {f"fig-{kind}": example(kind) for kind in KINDS}, gap=300), own=True)
    page.evaluate("""() => {
      window.shift = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.shift += entry.value)))
        .observe({ type: 'layout-shift', buffered: true });
    }""")
    for _ in range(40):
        page.mouse.wheel(0, 150)
        page.wait_for_timeout(20)
    page.wait_for_timeout(200)
    assert page.evaluate("shift") < 0.05


def test_numbers_read_alike_with_and_without_script(open_figure: Callable[..., Page], harness: Harness) -> None:
    """The macros of `fallback.html` write percentages and ranks as `format.js` does."""
    shares = [0, 5e-5, 1e-4, 0.00123, 0.0099, 0.00995, 0.01, 0.0523, 0.0994, 0.0995, 0.1, 0.214, 0.994, 0.9951, 1]
    shares += [0.9996]
    ranks = [1, 999, 1000, 1234, 9949, 9950, 12_345, 49_152, 250_000]
    page = open_figure("tokens")
    script = page.evaluate(
        """async ([url, shares, ranks]) => {
          const { percent, compact } = await import(url);
          return [shares.map(percent), ranks.map(compact)];
        }""",
        [f"{harness.url}/{harness.assets.path('figures/shared/format.js')}", shares, ranks],
    )
    macros = harness.theme.get_template("figures/shared/fallback.html").module
    plain = [[str(macros.percent(share)).replace("&lt;", "<").replace("&gt;", ">") for share in shares]]  # type: ignore[attr-defined]
    plain.append([str(macros.compact(rank)) for rank in ranks])  # type: ignore[attr-defined]
    assert script == plain


@pytest.mark.parametrize("kind", ["activations", "factors", "rankings"])
def test_room_for_controls_is_neither_seen_nor_reached(kind: str, open_figure: Callable[..., Page]) -> None:
    """Without scripts nothing is there that does nothing; in a gallery it has no room, as controls stand above it."""
    page = open_figure(kind, java_script_enabled=False, wait=False)
    controls = page.locator("#fig-it .figure-body :is(input, select, button)")
    assert controls.count() > 2
    for control in controls.all():
        assert control.is_hidden()
        assert control.evaluate("control => control.closest('[inert]') !== null")
    assert page.locator("#fig-it .view-bar > :is(.choice, .switch)").count() == 0


def test_a_reader_who_is_in_the_fallback_keeps_the_place(open_page: Callable[..., Page], harness: Harness) -> None:
    """A view that arrives under the keyboard's focus takes it over: the next Tab goes on from the figure."""
    page = open_page("about:blank", broken=True)
    page.route("**/data/*.json", lambda route: page.wait_for_timeout(300) or route.continue_())
    page.goto(harness.write("held", {"fig-it": example("saliency")}))
    page.locator("#fig-it .figure-body summary").focus()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(
        "document.activeElement.closest('#fig-it .view') !== null && document.activeElement.tabIndex === 0"
    )
