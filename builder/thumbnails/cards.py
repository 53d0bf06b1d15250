"""`find_card`: the picture that a link to an article is shown with, drawn from the theme's `parts/card.svg`."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from ..article import Article
from ..cache import write_atomically
from ..errors import BuildError
from ..folders import built_in, cache_folder
from ..page import SocialImage
from ..site import Site
from . import FoundThumbnail, theme_colours

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

__all__ = ["can_draw", "find_card", "find_site_card", "find_social_image", "fit", "measure", "wrap"]

SIZE = (1200, 630)
SIZES = (84, 76, 68, 60, 54, 48)
"""Of a title's letters, in pixels: the largest in which it has few lines."""
MOST_LINES = 5
WIDTH = 584
"""Pixels that a title may take, beside its picture."""

_OURS = re.compile(r"[\t\n\r\x20-\x7e\xa0-\u024f\u1e00-\u1eff\u2000-\u206f\u20a0-\u20bf]*")
"""What our fonts have: letters of Latin scripts; the renderer leaves a hole for all others."""


def find_social_image(
    article: Article, found: FoundThumbnail, theme: jinja2.Environment, site: Site
) -> tuple[SocialImage | None, dict[str, bytes | Path]]:
    """Return what a link to the article is shown with, and its file: a card, else its thumbnail if that is a raster.

    There is none without the site's full address: others do not take a relative one. A title in letters that are not
    Latin has no card.
    """
    if not site.base_url or article.meta.draft:
        return None, {}
    if site.social_cards and can_draw() and _is_ours(article.meta.title):
        card = find_card(article, found, theme, site)
        path = f"{article.slug}/card.{_mark(card)}.png"
        return SocialImage(site.base_url + quote(path), *SIZE, article.meta.title), {path: card}
    thumbnail = found.thumbnail
    if thumbnail is None or thumbnail.path.endswith(".svg"):
        return None, {}
    url = site.base_url + quote(thumbnail.path)
    return SocialImage(url, thumbnail.width, thumbnail.height, thumbnail.alt or article.meta.title), {}


@cache
def can_draw() -> bool:
    """Whether the extra `cards` is installed, and the fonts are there."""
    return importlib.util.find_spec("resvg_py") is not None and bool(_fonts())


def find_card(article: Article, found: FoundThumbnail, theme: jinja2.Environment, site: Site) -> bytes | Path:
    """Return an article's card, drawn now if it is not in the user's cache; raises `BuildError` as `_draw`."""
    names = _joined([author.name for author in article.meta.authors if _is_ours(author.name)])
    drawing = Markup(found.drawing) if found.drawing else None
    picture = _address(found) if drawing is None else None
    return _draw(article.meta.title, names, theme, site, drawing=drawing, picture=picture)


def find_site_card(theme: jinja2.Environment, site: Site) -> tuple[SocialImage | None, dict[str, bytes | Path]]:
    """Return what links to pages that list articles are shown with, and its file, where cards can be drawn."""
    if not (site.base_url and site.social_cards and can_draw() and _is_ours(site.title)):
        return None, {}
    card = _draw(site.title, "", theme, site)
    path = f"card.{_mark(card)}.png"
    return SocialImage(site.base_url + path, *SIZE, site.title), {path: card}


def _draw(
    title: str,
    names: str,
    theme: jinja2.Environment,
    site: Site,
    *,
    drawing: Markup | None = None,
    picture: str | None = None,
) -> bytes | Path:
    """Return a card in the user's cache, or by itself where that cannot be written.

    Raises `BuildError` where the theme's template makes no drawing.
    """
    import resvg_py

    size, lines = fit(title)
    name = site.title if _is_ours(site.title) and site.title != title else ""
    colours: dict[str, Any] = theme_colours(site)
    svg = theme.get_template("parts/card.svg").render(
        lines=lines, size=size, names=names, name=name, site=site, colours=colours, drawing=drawing, picture=picture
    )
    digest = hashlib.sha256(f"{resvg_py.__version__} {resvg_py.__resvg_version__}\0{_digest()}\0{svg}".encode())
    file = cache_folder() / "cards" / digest.hexdigest()[:2] / f"{digest.hexdigest()}.png"
    if not file.is_file():
        fonts = [str(font) for font in _fonts()]
        try:
            drawn = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=fonts))
        except ValueError as error:
            raise BuildError(f"invalid card: parts/card.svg cannot be drawn: {error}") from error
        try:
            write_atomically(file, drawn)
        except OSError:
            return drawn
    return file


def _mark(card: bytes | Path) -> str:
    """Return what a card's name has of its content."""
    return hashlib.sha256(card if isinstance(card, bytes) else card.read_bytes()).hexdigest()[:8]


def fit(title: str) -> tuple[int, list[str]]:
    """Return the size of letters and the lines of a title; what does not fit into the smallest ends in an ellipsis."""
    for size in SIZES:
        lines = wrap(title, WIDTH, size)
        if len(lines) <= MOST_LINES and len(lines) * size * 1.1 <= 400:
            return size, lines
    lines = wrap(title, WIDTH, SIZES[-1])[:MOST_LINES]
    return SIZES[-1], [*lines[:-1], lines[-1][: max(len(lines[-1]) - 2, 1)].rstrip() + "…"]


def wrap(text: str, width: float, size: int) -> list[str]:
    """Return a text in lines of at most `width` pixels; a word that is wider is broken."""
    lines = [""]
    for piece in _broken(" ".join(text.split()), width, size):  # Pillow measures no line breaks
        if measure(lines[-1] + piece.rstrip(), size) <= width or not lines[-1].strip():
            lines[-1] = (lines[-1] + piece).lstrip()
        else:
            lines.append(piece.lstrip())
    return [line.strip() for line in lines if line.strip()]


def measure(text: str, size: int) -> float:
    """Return how wide a text is in the titles' font, in pixels."""
    return float(_font(size).getlength(text))


def _broken(text: str, width: float, size: int) -> Iterator[str]:
    for piece in re.findall(r"\S+|\s+", text):
        while measure(piece, size) > width and len(piece) > 1:
            end = next(n for n in range(len(piece) - 1, 0, -1) if n == 1 or measure(piece[:n], size) <= width)
            yield piece[:end]
            piece = piece[end:]
        yield piece


def _is_ours(text: str) -> bool:
    return _OURS.fullmatch(text) is not None


def _joined(names: Sequence[str]) -> str:
    """Return authors' names in a line: all, or the first ones and that there are others."""
    joined = ", ".join(names)
    return joined if len(joined) <= 60 or len(names) < 2 else f"{names[0]} and {len(names) - 1} others"


def _address(found: FoundThumbnail) -> str | None:
    """Return a thumbnail's address with its data in it, or None."""
    for path, content in found.files.items():
        data = content.read_bytes() if isinstance(content, Path) else content
        kind = {"jpg": "jpeg", "svg": "svg+xml"}.get(path.rpartition(".")[2], path.rpartition(".")[2])
        if kind in ("png", "jpeg", "gif", "webp", "svg+xml"):
            return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return None


def _fonts() -> list[Path]:
    """Return the files of the cards' typeface; that with the common letters is asked first."""
    found = [built_in("theme") / "built" / "cards" / f"display-{letters}.ttf" for letters in ("latin", "latin-ext")]
    return [file for file in found if file.is_file()]


@cache
def _digest() -> str:
    return hashlib.sha256(b"".join(font.read_bytes() for font in _fonts())).hexdigest()


@cache
def _font(size: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(_fonts()[0]), size)
