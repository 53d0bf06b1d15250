"""Small pictures that stand for articles: a drawing of each kind of figure, and which of them an article shows."""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from builder.kind import load_kinds
from builder.site import find_site
from builder.templates import make_theme
from builder.thumbnails import cards, theme_colours

from .conftest import ARTICLE, SiteFolder

SITE = find_site(Path(__file__).parents[2])
KINDS = load_kinds(SITE.folders("figures"))
HOSTILE = ["</svg><script>alert(1)</script>", '"><b>', "", " ", "\n", "\t\x00", "👩‍🔬", "a" * 300, "{{ 1 }}"]

BASE = {"base_url": "https://example.org/project/"}


def example(kind: str) -> dict[str, Any]:
    """Return the data of a kind's example."""
    return dict(json.loads((KINDS[kind].folder / "example.json").read_text(encoding="utf-8"))["data"])


def draw(kind: str, data: dict[str, Any]) -> str:
    """Return a kind's thumbnail."""
    template = make_theme(SITE).get_template(f"figures/{kind}/thumbnail.svg")
    return template.render(data=data, colours=theme_colours(SITE)).strip()


def hostile(value: Any) -> Any:
    """Return data with hostile texts for its own."""
    if isinstance(value, dict):
        return {key: hostile(part) if key != "tokens" else named(part) for key, part in value.items()}
    return [hostile(part) for part in value] if isinstance(value, list) else value


def named(tokens: Any) -> Any:
    """Return tokens with hostile texts."""
    if not all(isinstance(token, dict) for token in tokens):
        return tokens
    return [{**token, "text": HOSTILE[number % len(HOSTILE)]} for number, token in enumerate(tokens)]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_small_drawing_of_its_data(kind: str) -> None:
    """Shapes in the theme's colours, by day and by night, in at most six kilobytes; no words, nothing that runs."""
    drawing = draw(kind, example(kind))
    assert len(drawing) < 6_000
    root = ET.fromstring(drawing)
    assert root.attrib["viewBox"] == "0 0 300 200"
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {"svg", "style", "g", "path"}
    used = {element.attrib["class"] for element in root.iter() if "class" in element.attrib}
    assert len(used) > 1
    for style in re.split("@media", root[0].text or "")[:2]:
        assert used <= set(re.findall(r"\.(\w+)\{color:#", style))
    numbers = [float(n) for path in root.iter() for n in re.findall(r"-?[\d.]+", path.attrib.get("d", ""))]
    assert min(numbers) >= -260
    assert max(numbers) <= 300.5


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_a_model_writes_draws_nothing_else(kind: str) -> None:
    """Texts of tokens are lengths in a drawing, nothing more."""
    drawing = draw(kind, hostile(copy.deepcopy(example(kind))))
    assert {element.tag.rpartition("}")[2] for element in ET.fromstring(drawing).iter()} <= {
        "svg",
        "style",
        "g",
        "path",
    }


def found(folder: SiteFolder) -> list[str]:
    """Return the thumbnails of the built site, without the digest in their names."""
    site = folder.root / "_site" / "a"
    return sorted(re.sub(r"\.[0-9a-f]{8}\.", ".", file.name) for file in site.iterdir() if file.suffix != ".html")


def picture(folder: SiteFolder, name: str, size: tuple[int, int] = (1300, 650)) -> None:
    """Write a picture beside the article."""
    file = folder.write(f"content/a/{name}", b"")
    Image.effect_noise(size, 80).convert("RGB").save(file)


def test_the_first_figure_stands_for_an_article(folder: SiteFolder) -> None:
    """A drawing of its data, or its picture, small; without figures the first picture in the text."""
    plain: dict[str, Any] = {"picture_formats": ()}
    folder.article(ARTICLE)
    folder.build(settings=plain)
    assert found(folder) == ["thumbnail.svg"]
    drawing = next((folder.root / "_site" / "a").glob("thumbnail.*")).read_text()
    assert "<path" in drawing

    picture(folder, "x.jpg")
    folder.article(ARTICLE.replace("Words", ":::{figure} x.jpg\n:alt: Noise.\n:::\n\nWords"))
    folder.build(settings=plain)
    assert found(folder) == ["x.jpg", "x.webp"]
    small = next((folder.root / "_site" / "a").glob("*.webp"))
    with Image.open(small) as image:
        assert image.size == (640, 320)

    folder.article("Words, and ![Noise](x.jpg).")
    folder.build(settings=plain)
    assert found(folder) == ["x.jpg", "x.webp"]
    folder.article("Words.")
    folder.build(settings=plain)
    assert found(folder) == []


def test_front_matter_names_the_thumbnail(folder: SiteFolder) -> None:
    """A picture, which the article need not show, or the label of a figure, which it must have."""
    picture(folder, "y.png", (300, 200))
    named = ARTICLE.replace("title:", "thumbnail: y.png\ntitle:")
    folder.article(named)
    folder.build()
    assert found(folder) == ["y.webp"]
    folder.article(named.replace("y.png", "fig-b"))
    folder.build()
    second = next((folder.root / "_site" / "a").glob("thumbnail.*")).read_text()
    folder.article(named.replace("y.png", "fig-a"))
    folder.build()
    assert next((folder.root / "_site" / "a").glob("thumbnail.*")).read_text() != second
    folder.article(named.replace("y.png", "fig-c"))
    assert "content/a/article.md:2:12: unknown figure: fig-c (did you mean fig-b?)" in folder.fail()


def test_a_kind_without_a_drawing_has_none(folder: SiteFolder) -> None:
    """A site's own kind need not have one; the next figure stands for the article then."""
    ours = (KINDS["saliency"].folder / "fallback.html").read_text(encoding="utf-8")
    for file in KINDS["saliency"].folder.iterdir():
        if file.is_file() and file.name != "thumbnail.svg":
            folder.write(f"figures/saliency/{file.name}", file.read_bytes())
    assert ours
    folder.article(ARTICLE)
    folder.build()
    drawing = next((folder.root / "_site" / "a").glob("thumbnail.*")).read_text()
    folder.article(ARTICLE.replace("title:", "thumbnail: fig-b\ntitle:"))
    folder.build()
    assert next((folder.root / "_site" / "a").glob("thumbnail.*")).read_text() == drawing


def test_a_site_that_has_other_colours_draws_in_them(folder: SiteFolder) -> None:
    """Drawings read the theme's variables, which are written in one place."""
    folder.write(
        "theme/css/variables.css", ":root { --figure-scale-8: light-dark(#123456, #654321); --category-1: #abc; }"
    )
    colours = theme_colours(find_site(folder.root))
    assert colours["s8"] == ("#123456", "#654321")
    assert colours["c1"] == ("#abc", "#abc")
    assert colours["s0"] == theme_colours(SITE)["s0"]


# Cards.


def test_a_link_is_shown_with_a_card(folder: SiteFolder) -> None:
    """1,200 by 630 pixels, named by its content, the same to the byte when it is drawn again."""
    folder.article(ARTICLE)
    folder.build(settings=BASE)
    (card,) = (folder.root / "_site" / "a").glob("card.*.png")
    with Image.open(card) as image:
        assert image.size == (1200, 630)
        assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 100
    page = folder.read("a/index.html")
    assert f'<meta property="og:image" content="https://example.org/project/a/{card.name}">' in page
    assert '<meta property="og:image:width" content="1200">' in page
    content = card.read_bytes()
    for kept in (folder.root.parent / "cache" / "cards").rglob("*.png"):
        kept.unlink()
    folder.article(ARTICLE.replace("Another.", "Another one."))
    folder.build(settings=BASE)
    assert card.read_bytes() == content


def test_pages_that_list_articles_have_a_card_of_the_site(folder: SiteFolder) -> None:
    """All of them the same one."""
    folder.article("---\ntitle: An article\ntags: [one]\n---\nWords.")
    folder.build(settings=BASE)
    (card,) = (folder.root / "_site").glob("card.*.png")
    for page in ("index.html", "tags/index.html", "tags/one/index.html"):
        assert f'<meta property="og:image" content="https://example.org/project/{card.name}">' in folder.read(page)
    folder.build()
    assert "og:image" not in folder.read("index.html")
    assert not card.exists()


def test_a_card_is_drawn_once(folder: SiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn is kept by what it is drawn from."""
    import resvg_py

    folder.article(ARTICLE)
    folder.build(settings=BASE)
    monkeypatch.setattr(resvg_py, "svg_to_bytes", None)
    folder.article(ARTICLE.replace("Another.", "Another one."))
    folder.build(settings=BASE)
    assert list((folder.root / "_site" / "a").glob("card.*.png"))


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {}},
        {"settings": {**BASE, "social_cards": False}},
        {"extra": False},
        {"title": "Πίστις"},
        {"title": "An article\ndraft: true", "settings": {**BASE, "drafts": True}},
    ],
)
def test_where_there_is_no_card(folder: SiteFolder, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an address, by choice, without the extra, for letters that our fonts lack, for drafts."""
    if "extra" in change:
        monkeypatch.setattr(cards, "can_draw", lambda: False)
    folder.article(ARTICLE.replace("An article", change.get("title", "An article")))
    folder.build(settings=change.get("settings", BASE))
    assert not list((folder.root / "_site" / "a").glob("card.*"))
    assert "og:image" not in folder.read("a/index.html")


def test_without_a_card_a_raster_thumbnail_stands_for_an_article(folder: SiteFolder) -> None:
    """Others show no SVG."""
    picture(folder, "a picture.jpg")
    folder.article("![Noise](<a picture.jpg>)")
    folder.build(settings={**BASE, "social_cards": False})
    (small,) = (folder.root / "_site" / "a").glob("a picture.*.webp")
    url = f"https://example.org/project/a/{small.name}".replace(" ", "%20")
    assert f'<meta property="og:image" content="{url}">' in folder.read("a/index.html")


def test_a_site_named_with_control_characters_has_no_card_of_its_own(folder: SiteFolder) -> None:
    """No font has them, and no drawing: those of articles leave the name out."""
    config = folder.root / "pyproject.toml"
    config.write_text(config.read_text().replace('title = "A site"', 'title = "A \\u0008site"'))
    folder.article("Words.")
    folder.build(settings=BASE)
    assert len(list((folder.root / "_site").rglob("card.*.png"))) == 1


def test_what_authors_write_is_text_on_a_card(folder: SiteFolder) -> None:
    """A title with markup is drawn as it is written; a picture that names a file of this machine has none of it."""
    secret = folder.write("secret.png", b"")
    Image.new("RGB", (400, 300), (255, 0, 0)).save(secret)
    folder.write(
        "content/a/x.svg",
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 400 300">'
        f'<image href="{secret}" width="400" height="300"/>'
        f'<image xlink:href="file://{secret}" width="400" height="300"/></svg>',
    )
    title = "\"</text><image href='secret.png' width='1200' height='630'/> & \\\"so\\\" on\""
    folder.article(f"---\ntitle: {title}\n---\n:::{{figure}} x.svg\n:alt: Nothing.\n:::\n")
    folder.build(settings=BASE)
    (card,) = (folder.root / "_site" / "a").glob("card.*.png")
    with Image.open(BytesIO(card.read_bytes())) as image:
        assert not [colour for _, colour in image.convert("RGB").getcolors(1 << 20) or () if colour == (255, 0, 0)]


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("Short", ["Short"]),
        ("What a token leans on", ["What a token", "leans on"]),
        ("  two \n  spaces ", ["two spaces"]),
        ("x" * 60, None),
        ("A title that goes on and on, " * 12, None),
        ("", []),
    ],
)
def test_a_title_stands_in_lines(title: str, lines: list[str] | None) -> None:
    """As large as it may be, in few lines, none wider than its place; what is too long ends in an ellipsis."""
    size, made = cards.fit(title)
    assert size in cards.SIZES
    assert lines is None or made == lines
    assert len(made) <= cards.MOST_LINES
    assert all(cards.measure(line, size) <= cards.WIDTH + size for line in made)
    assert len(title) < 300 or made[-1].endswith("…")
