"""The theme's style sheets: they hold together, and their colours can be read."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from pathlib import Path

import pytest

THEME = Path(__file__).resolve().parent.parent / "theme"
SHEETS = sorted((THEME / "css").glob("*.css"))


def css(file: Path) -> str:
    """Return a style sheet without comments."""
    return re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)


ALL = "\n".join(css(file) for file in SHEETS)


def test_the_style_sheet_imports_every_file_once() -> None:
    """A file that nobody imports is dead; the build puts the others in place of their import."""
    main = (THEME / "css" / "main.css").read_text(encoding="utf-8")
    assert sorted([*re.findall(r'^@import "\./(.+?)";$', main, re.MULTILINE), "main.css"]) == [f.name for f in SHEETS]


@pytest.mark.parametrize("file", SHEETS, ids=lambda file: file.name)
def test_braces_are_closed(file: Path) -> None:
    """Files are put together as text: one that is open swallows the next."""
    text = css(file)
    assert text.count("{") == text.count("}")
    assert text.count("(") == text.count(")")


def test_every_property_that_is_used_is_defined() -> None:
    """By the theme, or by who uses it with a fallback or sets it in `style`."""
    defined = set(re.findall(r"(--[\w-]+)\s*:", ALL))
    used = set(re.findall(r"var\((--[\w-]+)\s*\)", ALL))
    assert not used - defined


def test_figures_find_every_property_they_ask_of_the_theme() -> None:
    """The names in the style sheets of figures/ are the theme's, or their own."""
    sheets = "\n".join(css(file) for file in (THEME.parent / "figures").rglob("*.css"))
    own = set(re.findall(r"(--[\w-]+)\s*:", sheets)) | {"--s", "--columns", "--rows", "--figure-token-size"}
    styled = "\n".join(f.read_text(encoding="utf-8") for f in (THEME.parent / "figures").rglob("*.html"))
    own |= set(re.findall(r"(--[\w-]+)\s*:", styled))
    theirs = set(re.findall(r"(--[\w-]+)\s*:", css(THEME / "css" / "variables.css")))
    asked = set(re.findall(r"var\((--[\w-]+)", sheets))
    scripts = "\n".join(file.read_text(encoding="utf-8") for file in (THEME.parent / "figures").rglob("*.js"))
    assert asked <= own | theirs | set(re.findall(r'setProperty\("(--[\w-]+)"', scripts))


def test_every_property_that_is_defined_is_used() -> None:
    """By a style sheet, a script, a template or the builder: one that nobody asks for is dead."""
    root = THEME.parent
    files = [f for room in ("theme", "figures", "builder") for f in (root / room).rglob("*")]
    kinds, made = {".css", ".js", ".html", ".svg", ".py", ".xml"}, {"node_modules", "built"}
    texts = [f.read_text(encoding="utf-8") for f in files if f.suffix in kinds and not made & set(f.parts)]
    named, defined = (
        Counter(re.sub(r"\d+$", "", name) for name in re.findall(pattern, "\n".join(texts)))  # a scale's steps are one
        for pattern in (r"--[a-z][\w-]*", r"(--[a-z][\w-]*)\s*:")
    )
    assert not {name for name in defined if named[name] == defined[name]}


def test_style_sheets_ask_only_for_fonts_that_the_bundle_makes() -> None:
    """`url()` is a font beside the css folder, or a picture within the sheet; and every font is used."""
    urls = set(re.findall(r"url\([\"']?(.*?)[\"']?\)", re.sub(r"url\('data:image/svg\+xml,.*?'\)", "", ALL)))
    bundle = (THEME / "bundle.mjs").read_text(encoding="utf-8")
    names = re.findall(r'\{ name: "([\w-]+)"', bundle)
    made = {f"../fonts/{name}-{subset}.woff2" for name in names for subset in ("latin", "latin-rest", "latin-ext")}
    assert urls == made


def test_the_grid_has_distills_lines() -> None:
    """All layouts that a figure may ask for are classes, and lines of the one declaration."""
    grid = css(THEME / "css" / "grid.css")
    assert grid.count("[body-start]") == 1
    for name in ("body", "body-outset", "page", "screen", "screen-inset", "gutter"):
        assert f"{name}-start" in grid
        assert f"{name}-end" in grid
        assert name == "body" or f".l-{name}" in grid


# colours


def colours() -> dict[str, tuple[str, str]]:
    """Return every colour of variables.css as a pair: day and night."""
    found = re.findall(r"(--[\w-]+): light-dark\((#\w{6}), (#\w{6})\);", css(THEME / "css" / "variables.css"))
    return {name: (day, night) for name, day, night in found}


def luminance(colour: str) -> float:
    """Return WCAG's relative luminance of `#rrggbb`."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(top: str, share: float, under: str) -> str:
    """Return `top` laid over `under` with that opacity."""
    pairs = [(int(top[i : i + 2], 16), int(under[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


INKS = ("--ink", "--ink-soft", "--ink-faint", "--accent", "--error", "--positive", "--negative")
PAPERS = ("--paper", "--paper-raised", "--paper-sunken", "--accent-soft")
CODE = ("--code-keyword", "--code-string", "--code-number", "--code-name", "--code-comment", "--ink")


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize(
    ("ink", "paper"), [*itertools.product(INKS, PAPERS[:3]), *itertools.product(CODE, PAPERS[2:3])]
)
def test_text_has_contrast(ink: str, paper: str, theme: str) -> None:
    """4.5:1 on every paper, by day and by night (WCAG 2.2, 1.4.3)."""
    at = ("day", "night").index(theme)
    assert contrast(colours()[ink][at], colours()[paper][at]) >= 4.5


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("tone", ["--positive", "--error"])
def test_text_has_contrast_in_boxes(tone: str, theme: str) -> None:
    """A box is its tone at 7% over the paper; its title has that tone, its text the ink, with code and links in it."""
    at = ("day", "night").index(theme)
    known = {name: pair[at] for name, pair in colours().items()}
    box = mix(known[tone], 0.07, known["--paper"])
    assert all(contrast(known[ink], box) >= 4.5 for ink in (tone, "--ink", "--accent"))
    assert contrast(known["--ink"], mix(known["--ink"], 0.065, box)) >= 4.5


@pytest.mark.parametrize("theme", ["day", "night"])
def test_text_has_contrast_in_a_tip(theme: str) -> None:
    """A tip is accent on soft accent."""
    at = ("day", "night").index(theme)
    assert all(contrast(colours()[ink][at], colours()["--accent-soft"][at]) >= 4.5 for ink in ("--ink", "--accent"))


@pytest.mark.parametrize("theme", ["day", "night"])
def test_focus_is_seen(theme: str) -> None:
    """A ring has 3:1 to the paper (WCAG 2.2, 1.4.11)."""
    at = ("day", "night").index(theme)
    assert all(contrast(colours()["--focus"][at], colours()[paper][at]) >= 3 for paper in PAPERS)


@pytest.mark.parametrize("theme", ["day", "night"])
def test_the_scale_of_figures_goes_one_way(theme: str) -> None:
    """Lightness alone tells more from less, for who sees no colour: each step is at least 1.1:1 from the last."""
    at = ("day", "night").index(theme)
    scale = [luminance(colours()[f"--figure-scale-{step}"][at]) + 0.05 for step in range(9)]
    ratios = [b / a for a, b in itertools.pairwise(scale)]
    assert all(ratio > 1.1 for ratio in ratios) or all(ratio < 1 / 1.1 for ratio in ratios)


def test_the_scale_of_figures_does_not_glare_at_night() -> None:
    """A heat map fills a field with its strongest shade: there it is well below the light of the text."""
    assert luminance(colours()["--figure-scale-8"][1]) < 0.75 * luminance(colours()["--ink"][1])


def test_the_browsers_own_colour_is_the_paper() -> None:
    """`theme-color` is written in the head, where style sheets are not known yet."""
    base = (THEME / "base.html").read_text(encoding="utf-8")
    assert re.findall(r'<meta name="theme-color".* content="(#\w+)">', base) == list(colours()["--paper"])


# things that are told apart

CATEGORIES = [f"--category-{number}" for number in range(1, 13)]
TOLD_APART = [
    *itertools.combinations(CATEGORIES[:6], 2),
    *zip(CATEGORIES, [*CATEGORIES[1:], CATEGORIES[0]], strict=True),
]

# Machado, Oliveira and Fernandes 2009, https://doi.org/10.1109/TVCG.2009.113: linear RGB as who lacks a cone sees it
SIGHTS = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}

# Ottosson 2020, https://bottosson.github.io/posts/oklab/
TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
TO_LAB = (
    (0.2104542553, 0.793617785, -0.0040720468),
    (1.9779984951, -2.428592205, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.808675766),
)


def times(matrix: tuple[tuple[float, ...], ...], vector: list[float]) -> list[float]:
    """Return a matrix times a vector."""
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def seen(colour: str, sight: str) -> list[float]:
    """Return `#rrggbb` in OKLab as that kind of colour vision sees it."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    shown = [min(max(channel, 0.0), 1.0) for channel in times(SIGHTS[sight], linear)]
    return times(TO_LAB, [cone ** (1 / 3) for cone in times(TO_CONES, shown)])


def apart(one: str, other: str, sight: str) -> float:
    """Return how far apart two colours are in OKLab, where black and white are 1 apart.

    >>> round(apart("#000000", "#ffffff", "protanopia"), 3)
    1.0
    """
    return math.dist(seen(one, sight), seen(other, sight))


def test_the_measure_of_colours_is_oklabs() -> None:
    """Its author's own example: sRGB red is (0.628, 0.225, 0.126); a red and a green of one lightness fall together."""
    assert seen("#ff0000", "all cones") == pytest.approx([0.628, 0.225, 0.126], abs=1e-3)
    assert apart("#b8393f", "#7d5a3c", "protanopia") < 0.05 < apart("#b8393f", "#7d5a3c", "all cones")


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("sight", SIGHTS)
def test_things_are_told_apart_by_every_kind_of_colour_vision(sight: str, theme: str) -> None:
    """At least 0.07 for the first six and for neighbours, 0.11 with all cones; what is just noticed is some 0.02."""
    at = ("day", "night").index(theme)
    least = 0.11 if sight == "all cones" else 0.07
    near = {pair: apart(colours()[pair[0]][at], colours()[pair[1]][at], sight) for pair in TOLD_APART}
    assert min(near.values()) >= least, min(near, key=near.__getitem__)


@pytest.mark.parametrize("theme", ["day", "night"])
def test_no_two_things_have_all_but_one_colour(theme: str) -> None:
    """0.075 between any two of the twelve, with all cones."""
    at = ("day", "night").index(theme)
    twelve = [colours()[name][at] for name in CATEGORIES]
    assert min(apart(one, other, "all cones") for one, other in itertools.combinations(twelve, 2)) >= 0.075


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("name", CATEGORIES)
def test_things_stand_out_from_every_paper(name: str, theme: str) -> None:
    """3:1 for lines and marks (WCAG 2.2, 1.4.11)."""
    at = ("day", "night").index(theme)
    assert all(contrast(colours()[name][at], colours()[paper][at]) >= 3 for paper in PAPERS)


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("name", CATEGORIES)
def test_text_has_contrast_where_it_has_a_parts_colour(name: str, theme: str) -> None:
    """Ink on the colour, thin as mentions.css lays it, thinner than 30%, on every paper and in every box."""
    at = ("day", "night").index(theme)
    sheet = css(THEME / "css" / "mentions.css")
    shares = [int(share) / 100 for share in re.findall(r"var\(--mention\) (\d+)%, transparent", sheet)]
    assert len(shares) == 2
    assert max(shares) <= 0.3
    known = {token: pair[at] for token, pair in colours().items()}
    papers = [known[paper] for paper in PAPERS] + [
        mix(known[t], 0.07, known["--paper"]) for t in ("--positive", "--error")
    ]
    for paper, share in itertools.product(papers, shares):
        assert contrast(known["--ink"], mix(known[name], share, paper)) >= 4.5
