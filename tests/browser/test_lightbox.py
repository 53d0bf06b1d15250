"""Pictures in a browser: the file that is loaded, day and night, large over the page and back."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from served import BASE, serve_site
from visits import Visit, visit

from builder.build import Builder
from builder.site import find_site

ARTICLE = f"""---
title: Pictures
---

Text with an icon ![of a dot](dot.png) in its line, and a link: [![A dot](dot.png)](https://example.org/).

:::{{figure}} photo.jpg
:label: fig-photo
:alt: Clouds by day.

By day and by night.
:::

{"Text. " * 400}

:::{{figure}} drawing.svg
:label: fig-drawing
:alt: A box.

Drawn for paper.
:::

{"Text. " * 400}

:::{{figure}} wide.jpg
:label: fig-wide
:alt: Clouds that are wide.
:layout: page

Wide.
:::

![](dot.png){{alt=""}}
"""

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 200"><path d="M9 9h380v180H9z"/></svg>'


def clouds(width: int, height: int, base: tuple[int, int, int]) -> Image.Image:
    """Return a picture that is a photograph to encoders, in a colour of its own."""
    chance = random.Random(0)
    small = Image.new("RGB", (12, 8))
    small.putdata([tuple(max(0, min(255, c + chance.randrange(-40, 40))) for c in base) for _ in range(96)])
    return small.resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with pictures of all sorts, built."""
    root = tmp_path_factory.mktemp("pictures")
    folder = root / "content" / "pictures"
    folder.mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.fanlight]\ntitle = "Pictures"\n')
    (folder / "article.md").write_text(ARTICLE, encoding="utf-8")
    (folder / "drawing.svg").write_text(SVG, encoding="utf-8")
    clouds(1500, 1000, (200, 150, 150)).save(folder / "photo.jpg", quality=95)
    clouds(1500, 1000, (60, 60, 120)).save(folder / "photo.dark.jpg", quality=95)
    clouds(1600, 500, (150, 200, 150)).save(folder / "wide.jpg", quality=95)
    Image.new("RGB", (20, 20), (180, 80, 10)).save(folder / "dot.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FANLIGHT_CACHE", str(root / "cache"))
        Builder(find_site(root)).build()
    return root / "_site"


@pytest.fixture
def arrive(chromium: Browser, site: Path) -> Iterator[Callable[..., Visit]]:
    """Open the article for one test, in which nothing may go wrong."""
    server = serve_site(site)
    visits: list[Visit] = []

    def arrive(**options: Any) -> Visit:
        visits.append(visit(chromium, f"http://127.0.0.1:{server.server_port}", f"{BASE}pictures/", **options))
        return visits[-1]

    yield arrive
    for opened in visits:
        opened.context.close()
    server.shutdown()
    assert not [complaint for opened in visits for complaint in opened.complaints]


def loaded(opened: Visit) -> list[str]:
    """Return the pictures that were asked for: name and format, without digests."""
    names = [response.url.rpartition("/")[2] for response in opened.responses]
    parts = [name.split(".") for name in names]
    return sorted({f"{'.'.join(name[:-2])}.{name[-1]}" for name in parts if name[-1] in ("avif", "webp", "jpg", "png")})


@pytest.mark.parametrize(("width", "scale", "file"), [(360, 1, "704"), (1280, 1, "704"), (1280, 2, "1500")])
def test_a_reader_loads_what_the_screen_needs(arrive: Callable[..., Visit], width: int, scale: int, file: str) -> None:
    """One file of each picture, in the smallest format and the narrowest that is sharp; and nothing jumps."""
    opened = arrive(viewport={"width": width, "height": 900}, device_scale_factor=scale)
    best = opened.page.locator("#fig-photo source").first.get_attribute("type") or ""
    opened.read()
    shown = loaded(opened)
    assert [name for name in shown if name.startswith("photo")] == [f"photo-{file}.{best.rpartition('/')[2]}"]
    assert "dot.png" in shown
    assert sum(shift[0] for shift in opened.shifts) < 0.01


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("scripts", [True, False])
def test_by_night_another_picture_is_loaded(arrive: Callable[..., Visit], scheme: str, scripts: bool) -> None:
    """Only the one that is shown is; without scripts browsers load all there is, and show that one."""
    opened = arrive(color_scheme=scheme, java_script_enabled=scripts)
    wanted, other = ("photo.dark", "photo-") if scheme == "dark" else ("photo-", "photo.dark")
    expect(opened.page.locator(f"#fig-photo .only-{scheme} img")).to_be_visible()
    opened.page.wait_for_load_state("networkidle")
    assert any(name.startswith(wanted) for name in loaded(opened))
    if scripts:
        assert not any(name.startswith(other) for name in loaded(opened))
        opened.page.locator(".theme-toggle").click()
        against = {"light": "dark", "dark": "light"}[scheme]
        expect(opened.page.locator(f"#fig-photo .only-{against} img")).to_be_visible()
        expect(opened.page.locator(f"#fig-photo .only-{scheme} img")).to_be_hidden()
        opened.page.emulate_media(media="print")
        expect(opened.page.locator("#fig-photo .only-light img")).to_be_visible()
        expect(opened.page.locator("#fig-photo .only-dark img")).to_be_hidden()


def test_a_drawing_for_paper_has_a_light_ground_by_night(arrive: Callable[..., Visit]) -> None:
    """And none by day, where paper is what it lies on."""
    colour = "e => getComputedStyle(e).backgroundColor"
    assert arrive(color_scheme="light").page.locator("#fig-drawing img").evaluate(colour) == "rgba(0, 0, 0, 0)"
    night = arrive(color_scheme="dark").page.locator("#fig-drawing img").evaluate(colour)
    assert min(int(part) for part in night.removeprefix("rgb(").removesuffix(")").split(",")) > 200
    photo = arrive(color_scheme="dark").page.locator("#fig-photo .only-dark img")
    assert photo.evaluate(colour) == "rgba(0, 0, 0, 0)"


def test_an_arrow_leads_to_the_picture_that_it_points_to(arrive: Callable[..., Visit]) -> None:
    """On a page that is written from right to left the next one is at the left."""
    page: Page = arrive().page
    page.evaluate("document.dir = 'rtl'")
    page.locator("#fig-photo .only-light").press("Enter")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("dialog")).to_contain_text("2 of 3")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog")).to_contain_text("1 of 3")


def test_the_keyboard_opens_pictures_and_comes_back(arrive: Callable[..., Visit]) -> None:
    """Enter opens one, arrows go round, Escape closes, and the focus is at the picture that was seen last."""
    page: Page = arrive().page
    dialog = page.get_by_role("dialog")
    page.locator("#fig-photo .only-light").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    expect(dialog).to_have_accessible_name("Clouds by day.")
    expect(dialog).to_contain_text("1 of 3")
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("img")).to_have_accessible_name("A box.")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("1 of 3")
    page.keyboard.press("ArrowLeft")
    expect(dialog).to_have_accessible_name("Clouds that are wide.")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 1600)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#fig-wide a.enlarge")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_large_picture_fits_and_is_accessible(arrive: Callable[..., Visit], scheme: str) -> None:
    """On a phone, by touch: as large as the screen lets it, closed by a tap anywhere."""
    options = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    page: Page = arrive(color_scheme=scheme, reduced_motion="reduce", **options).page
    page.locator("#fig-drawing .enlarge").tap()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    box = dialog.locator("img").bounding_box() or {}
    assert 320 <= box["width"] <= 360
    assert dialog.evaluate("e => getComputedStyle(e).animationDuration") == "0s"
    assert not Axe().run(page).response["violations"]
    dialog.locator("img").tap()
    expect(dialog).to_be_hidden()


def test_what_is_a_link_already_or_says_nothing_is_not_enlarged(arrive: Callable[..., Visit]) -> None:
    """Only pictures of figures are; and a click with Ctrl opens the file as any link does."""
    page: Page = arrive().page
    assert page.locator("a.enlarge").count() == 4
    assert page.locator("a a").count() == 0
    page.locator("#fig-wide .enlarge").dispatch_event("click", {"ctrlKey": True, "bubbles": True, "cancelable": True})
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_script_is_loaded_where_there_are_pictures(site: Path) -> None:
    """It is less than a kilobyte, and pages without pictures do without."""
    (script,) = site.glob("assets/*/js/lightbox.js")
    assert len(gzip.compress(script.read_bytes())) < 1000
    assert "lightbox.js" in (site / "pictures" / "index.html").read_text()
    assert "lightbox.js" not in (site / "index.html").read_text()


def test_without_scripts_a_picture_leads_to_its_file(arrive: Callable[..., Visit], site: Path) -> None:
    """The link is in the page, to the picture as its author made it."""
    page: Page = arrive(java_script_enabled=False).page
    href = page.locator("#fig-wide .enlarge").get_attribute("href")
    assert (site / "pictures" / str(href)).is_file()
