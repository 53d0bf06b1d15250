"""Mentions: words that show a part of a figure while they are pointed at, by mouse, finger and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from gzip import compress
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from harness import Harness
from kinds import example
from markupsafe import Markup
from playwright.sync_api import Page

from builder.document import Mention
from builder.numerals import shown_value
from builder.parts import Spark
from builder.prose import Found
from builder.spark import draw

WORDS = "a mention of many words that goes on for long enough to be broken over the lines of a narrow page"
LINE = Spark(tuple(abs(i - 20) / 20 for i in range(41)), "falls and rises")
BARS = Spark((0.1, 0.7, 1, 0.3), "four bars", shape="bars", mark=2)


def mention(harness: Harness, words: str, part: int, panel: int = 1, **found: object) -> Markup:
    """Return a mention as the theme writes it."""
    drawing = draw(found.pop("spark")) if "spark" in found else None  # type: ignore[arg-type]
    named = Mention("fig-it", panel, None, None, "token", str(part))
    shown = Found(str(part), found.pop("colour", None), drawing)  # type: ignore[arg-type]
    template = harness.theme.get_template("parts/mention.html")
    return Markup(template.render(mention=named, found=shown, words=Markup(words), id=None, classes=[], lang=None))


@pytest.fixture
def open_prose(open_page: Callable[..., Page], harness: Harness) -> Callable[..., Page]:
    """Open a page with a figure between two paragraphs of mentions; `gap` pixels above it, `panels` in it."""

    def open_prose(*, gap: int = 0, panels: int = 1, wait: bool = True, **options: object) -> Page:
        result = example("tokens")
        shown = result if panels == 1 else [{**result, "title": f"panel {n}"} for n in range(panels)]
        address = harness.write("prose", {"fig-it": shown}, gap=gap)
        file = harness.folder / "prose.html"
        above = (
            mention(harness, "one", 1),
            mention(harness, "two", 2, colour=2),
            mention(harness, WORDS, 3, colour=5, spark=LINE),
            mention(harness, "", 4, spark=BARS),
            mention(harness, "last", 5, panel=panels),
        )
        page = file.read_text(encoding="utf-8")
        script = f'<script type="module" src="{harness.assets.path("js/mentions.js")}"></script>'
        words = " and ".join(str(found) for found in above)
        page = page.replace("</head>", f"{script}</head>").replace(
            "<h1>Figures</h1>", f"<h1>A</h1><p id=words>{words}.</p>"
        )
        page = page.replace('<p id="after">', f'<p id="after">{mention(harness, "below", 6)} ')
        file.write_text(page, encoding="utf-8")
        opened = open_page(address, **options)
        if wait:
            opened.locator("#fig-it[data-state=ready]").wait_for(state="attached")
        return opened

    return open_prose


def selected(page: Page, panel: int = 1) -> list[str]:
    """Return the positions of the tokens that a panel shows as selected."""
    chips = f"document.querySelector('#fig-it').views[{panel - 1}].querySelectorAll('.token.is-selected')"
    return page.evaluate(f"[...{chips}].map((chip) => chip.dataset.position)")


def value(page: Page) -> dict[str, object]:
    """Return the view's value."""
    return page.evaluate("document.querySelector('#fig-it').views[0].value")


def test_hovered_words_show_their_part_and_leaving_restores(open_prose: Callable[..., Page]) -> None:
    """What is pinned stays pinned beneath, and what the figure would keep is untouched."""
    page = open_prose()
    page.get_by_text("one", exact=True).hover()
    page.wait_for_function("document.querySelector('#fig-it .token.is-selected')")
    assert selected(page) == ["1"]
    assert value(page) == {"position": None, "words": False, "pinned": False}
    page.get_by_text("two", exact=True).hover()
    page.wait_for_function("document.querySelector('#fig-it .token.is-selected').dataset.position === '2'")
    page.mouse.move(5, 5)
    page.wait_for_function("!document.querySelector('#fig-it .token.is-selected')")
    page.locator("#fig-it .token[data-position='7']").click()
    page.get_by_text("one", exact=True).hover()
    page.wait_for_function("document.querySelector('#fig-it .token.is-selected').dataset.position === '1'")
    assert value(page) == {"position": 7, "words": False, "pinned": True}
    page.mouse.move(5, 5)
    page.wait_for_function("document.querySelector('#fig-it .token.is-selected').dataset.position === '7'")
    assert "position.7" in page.url


def test_a_click_pins_and_another_lets_go(open_prose: Callable[..., Page]) -> None:
    """A figure that is seen stays where it is; the pin is kept in the address as the figure's own."""
    page = open_prose()
    link = page.get_by_text("two", exact=True)
    link.click()
    page.wait_for_function("document.querySelector('#fig-it').views[0].value.pinned")
    page.mouse.move(5, 5)
    assert value(page) == {"position": 2, "words": False, "pinned": True}
    assert "fig-it=position.2" in page.url
    assert "#" not in page.url
    assert page.evaluate("scrollY") == 0
    link.click()
    page.wait_for_function("!document.querySelector('#fig-it').views[0].value.pinned")


def test_escape_lets_go_of_what_words_have_pinned(open_prose: Callable[..., Page]) -> None:
    """But not of what the reader has pinned in the figure since."""
    page = open_prose()
    pin = "document.querySelector('#fig-it').views[0].value"
    page.get_by_text("two", exact=True).press("Enter")
    page.wait_for_function(f"{pin}.pinned")
    page.keyboard.press("Escape")
    page.wait_for_function(f"!{pin}.pinned")
    page.get_by_text("two", exact=True).press("Enter")
    page.wait_for_function(f"{pin}.pinned")
    page.locator("#fig-it .token[data-position='7']").click()
    page.get_by_text("one", exact=True).focus()
    page.keyboard.press("Escape")
    page.wait_for_timeout(50)
    assert value(page) == {"position": 7, "words": False, "pinned": True}


def test_escape_lets_go_of_what_came_late(open_prose: Callable[..., Page]) -> None:
    """A view may fetch what it is to show, and be pinned only then; without a pin there is nothing to let go of."""
    page = open_prose()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    pin = "document.querySelector('#fig-it').views[0].value"
    page.evaluate("""() => {
      const view = document.querySelector('#fig-it').views[0];
      const { show } = view;
      view.show = async (...asked) => { await new Promise((done) => setTimeout(done, 30)); show(...asked); };
    }""")
    link = page.get_by_text("two", exact=True)
    link.press("Enter")
    page.wait_for_function(f"{pin}.pinned")
    page.keyboard.press("Escape")
    page.wait_for_function(f"!{pin}.pinned")
    link.press("Enter")
    page.wait_for_function(f"{pin}.pinned")
    link.press("Enter")
    page.wait_for_function(f"!{pin}.pinned")
    page.wait_for_timeout(50)
    page.keyboard.press("Escape")
    page.wait_for_timeout(50)
    assert not errors


def test_the_keyboard_reaches_words_and_shows_their_part(open_prose: Callable[..., Page]) -> None:
    """Focus shows, as hovering does; the next mention takes over; leaving restores."""
    page = open_prose()
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('#fig-it .token.is-selected')?.dataset.position === '1'")
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('#fig-it .token.is-selected')?.dataset.position === '2'")
    page.evaluate("document.activeElement.blur()")
    page.wait_for_function("!document.querySelector('#fig-it .token.is-selected')")


def test_a_finger_pins(open_prose: Callable[..., Page]) -> None:
    """A tap pins, a second lets go."""
    page = open_prose(has_touch=True, width=390)
    page.get_by_text("one", exact=True).tap()
    page.wait_for_function("document.querySelector('#fig-it').views[0].value.position === 1")
    page.get_by_text("one", exact=True).tap()
    page.wait_for_function("!document.querySelector('#fig-it').views[0].value.pinned")


def test_a_figure_out_of_sight_is_drawn_and_brought_into_view(open_prose: Callable[..., Page]) -> None:
    """Back leads back to the words."""
    page = open_prose(gap=4000, wait=False)
    assert page.locator("#fig-it[data-state]").count() == 0
    page.get_by_text("one", exact=True).hover()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    page.wait_for_function("document.querySelector('#fig-it .token.is-selected')?.dataset.position === '1'")
    assert page.evaluate("scrollY") == 0
    page.get_by_text("two", exact=True).click()
    page.wait_for_function("document.querySelector('#fig-it').views[0].value.pinned")
    page.wait_for_function("document.querySelector('#fig-it').getBoundingClientRect().top < innerHeight / 2")
    assert page.url.endswith("#fig-it")
    page.go_back()
    page.wait_for_function("scrollY === 0")
    page.evaluate("document.querySelector('#after').scrollIntoView()")
    page.get_by_text("below", exact=True).click()  # half of the figure is seen, and nothing jumps
    page.wait_for_function("document.querySelector('#fig-it').views[0].value.position === 6")


def test_words_of_a_panel_point_at_it(open_prose: Callable[..., Page]) -> None:
    """The others are left alone."""
    page = open_prose(panels=2)
    page.get_by_text("last", exact=True).hover()
    page.wait_for_function("document.querySelector('#fig-it-panel-2 .token.is-selected')")
    assert (selected(page, 1), selected(page, 2)) == ([], ["5"])


def test_without_a_script_words_lead_to_the_figure(open_prose: Callable[..., Page]) -> None:
    """A link, with its graphic drawn."""
    page = open_prose(gap=4000, wait=False, java_script_enabled=False)
    assert page.locator("#words .spark").count() == 2
    box = page.locator("#words .spark").first.bounding_box()
    assert box is not None
    assert 90 < box["width"] < 130
    page.get_by_text("one", exact=True).click()
    assert page.url.endswith("#fig-it")


def test_words_of_a_figure_that_cannot_be_drawn_do_no_harm(open_prose: Callable[..., Page]) -> None:
    """The fallback stays, and nothing is said in the console."""
    page = open_prose(wait=False, without="**/view.js")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_text("one", exact=True).click()
    page.locator("#fig-it[data-state=failed]").wait_for(state="attached")
    page.keyboard.press("Escape")
    page.wait_for_timeout(50)
    assert not errors


@pytest.mark.parametrize("width", [360, 1280])
def test_long_mentions_break_over_lines(open_prose: Callable[..., Page], width: int) -> None:
    """Each line with its own rounded paint, in the page; the graphic stays with the last word."""
    page = open_prose(width=width)
    boxes = page.evaluate(
        "[...document.querySelectorAll('#words .mention')[2].getClientRects()].map((r) => [r.left, r.right, r.top])"
    )
    assert len({top for _, _, top in boxes}) > 1
    assert all(0 <= left < right <= width for left, right, _ in boxes)
    for size in range(320, 420, 7):  # wherever the line breaks
        page.set_viewport_size({"width": size, "height": 800})
        word, graphic = page.evaluate("""() => {
          const mention = document.querySelectorAll('#words .mention')[2];
          const range = document.createRange();
          range.selectNode(mention.querySelector('.spark-word').firstChild);
          const boxes = [range, mention.querySelector('svg')].map((it) => it.getBoundingClientRect());
          return boxes.map((box) => [box.top, box.bottom]);
        }""")
        assert word[0] < (graphic[0] + graphic[1]) / 2 < word[1], size
    assert page.evaluate("document.documentElement.scrollWidth") == size


def test_graphics_do_not_stretch_lines(open_prose: Callable[..., Page]) -> None:
    """A paragraph with one is as high as without."""
    page = open_prose()
    height = "document.querySelector('#words').offsetHeight"
    before = page.evaluate(height)
    page.evaluate("document.querySelectorAll('#words svg').forEach((svg) => (svg.style.height = '1px'))")
    assert page.evaluate(height) == before


@pytest.mark.parametrize("media", [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"forced_colors": "active"}])
def test_axe_finds_nothing(open_prose: Callable[..., Page], media: dict[str, str]) -> None:
    """Nor in forced colours, where the line under the words is left."""
    page = open_prose()
    page.emulate_media(**media)  # type: ignore[arg-type]
    page.wait_for_function("document.getAnimations().length === 0")
    found = Axe().run(page, context="#words").response["violations"]
    assert not found, [(v["id"], v["nodes"][0]["failureSummary"]) for v in found]
    lines = page.evaluate(
        "[...document.querySelectorAll('.mention')].map((m) => getComputedStyle(m).textDecorationLine)"
    )
    assert set(lines) == {"underline"}


def test_the_script_is_small() -> None:
    """0.9 KB compressed."""
    script = Path(__file__).parents[2] / "theme" / "js" / "mentions.js"
    assert len(compress(script.read_bytes())) <= 0.9 * 1024


def test_numbers_read_alike_in_prose_and_in_figures(open_prose: Callable[..., Page], harness: Harness) -> None:
    """What is exactly in the middle of two digits too."""
    shares = [0, 5e-5, 1e-4, 0.00123, 0.00995, 0.01, 0.0994, 0.0995, 0.125, 0.135, 0.625, 0.9951, 0.9996, 0.5, 1]
    ranks = [1, 999, 1000, 1250, 1350, 9949, 9950, 12_500, 13_500, 49_152]
    shown = open_prose().evaluate(
        """async ([url, shares, ranks]) => {
          const { percent, compact, whole } = await import(url);
          return [shares.map(percent), ranks.map(compact), ranks.map(whole)];
        }""",
        [f"{harness.url}/{harness.assets.path('figures/shared/format.js')}", shares, ranks],
    )
    prose = [[shown_value(share, "percent") for share in shares], [shown_value(rank, "rank") for rank in ranks]]
    assert shown == [*prose, [shown_value(rank, "count") for rank in ranks]]
