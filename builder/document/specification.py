"""`read_spec`: a figure directive as a `FigureSpec`, its picture found, its layout known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it.token import Token

from ..article import Article
from ..directives.figure import LAYOUTS
from ..errors import nearest
from ..figure import FigureSpec, Option
from ..local import LocalError, find_picture
from ..source_map import Source

__all__ = ["FigureGroup", "FigurePart", "read_group", "read_layout", "read_spec"]

_OWN = ("label", "name", "layout", "alt", "dark", "analysis", "follows")
_GROUP = ("label", "name", "layout", "columns")
_ELSEWHERE = ("width", "height", "align", "class", "figwidth", "figclass")
"""MyST's options of how a figure looks, for which there is `layout`."""
MAX_COLUMNS = 6
"""More stand beside each other in no layout: a page is 1,136 px wide."""


@dataclass(frozen=True)
class FigureGroup(FigureSpec):
    """A figure of several figures, side by side in so many columns; each of them is a `FigurePart`."""

    columns: int = 2


@dataclass(frozen=True)
class FigurePart(FigureSpec):
    """One of the figures within a figure: it has that one's number and a letter of its own."""

    letter: str = ""

    @property
    def anchor(self) -> str:
        """The element's id in the page: the label, or `fig-2a`."""
        return self.label or f"fig-{self.number}{self.letter}"


def read_spec(token: Token, number: int, article: Article, source: Source) -> tuple[FigureSpec, Path | None]:
    """Return what a figure asks for, and its picture's file; what is wrong goes to the source's problems.

    The label is taken as it is written: whether it is well formed and its own is for `Labels` to say.
    """
    options: dict[str, Option] = token.meta["options"]
    line: int = token.meta["line"]
    written: str = token.meta["argument"]
    kind = _text_of(options, "analysis", source)
    file, picture = None, None
    if written and kind is not None:
        source.complain("invalid figure: it has a picture and an analysis (leave out one)", (line, None))
    elif not written and kind is None and token.meta["unread"]:
        pass  # it may be among the options that could not be read, and that was told
    elif not written and kind is None:
        source.complain("missing analysis: a figure needs `:analysis: …`, or a picture after its name", (line, None))
    elif written:
        column = source.lines[line - source.first_line].find(written) + 1
        try:
            file = find_picture(written, article.folder, article.root)
            picture = Option(written, line)
        except LocalError as error:
            source.complain(str(error), (line, column or None))
    label = _label_of(options, source)
    alt = None if _is_decoration(options, source) else _text_of(options, "alt", source)
    if written and kind is None and "alt" not in options:
        wrong = f'missing alt text: say what {written} shows with `:alt: …`, or `:alt: ""` where it says nothing'
        source.complain(wrong, (line, None))
    if kind is not None and "dark" in options:
        source.complain("invalid dark: only a picture has another one for the dark", (options["dark"].line, None))
    rest = {key: option for key, option in options.items() if key not in _OWN}
    if kind is None:
        if "follows" in options:
            source.complain("invalid follows: only a computed figure follows another", (options["follows"].line, None))
        for key, option in rest.items():
            known = _hint(key, _OWN, "only computed figures have others than label, alt, layout and dark")
            source.complain(f"unknown option of {{figure}}: {key}{known}", (option.line, None))
    spec = FigureSpec(
        number=number,
        label=None if label is None else str(label.value),
        path=article.path,
        line=line,
        kind=kind,
        picture=picture,
        layout=read_layout(options, source),
        alt=None if alt is None else str(alt.value),
        options=rest,
        follows=_follows(options, source),
    )
    letter: str = token.meta.get("letter", "")
    if not letter:
        return spec, file
    if "layout" in options:
        source.complain("invalid layout: it is the outer figure that has one", (options["layout"].line, None))
    return FigurePart(**{**vars(spec), "layout": "body"}, letter=letter), file


def read_group(token: Token, number: int, n_parts: int, article: Article, source: Source) -> FigureGroup:
    """Return what a figure asks for that has others within it."""
    options: dict[str, Option] = token.meta["options"]
    line: int = token.meta["line"]
    if token.meta["argument"]:
        source.complain("invalid figure: it has a picture, and figures within it (leave out one)", (line, None))
    for key, option in options.items():
        if key not in _GROUP:
            known = _hint(key, _GROUP, "with figures within it, it has label, layout and columns")
            source.complain(f"unknown option of {{figure}}: {key}{known}", (option.line, None))
    label = _label_of(options, source)
    return FigureGroup(
        number=number,
        label=None if label is None else str(label.value),
        path=article.path,
        line=line,
        layout=read_layout(options, source),
        columns=_columns(options, source) or min(n_parts, 2),
    )


def _hint(key: str, known: tuple[str, ...], otherwise: str) -> str:
    """Return what an author is told of an unknown option: what says the same, the nearest one, or which there are."""
    if key in _ELSEWHERE:
        return " (`:layout:` says how wide a figure is and where it stands)"
    return nearest(key, known) or f" ({otherwise})"


def _label_of(options: dict[str, Option], source: Source) -> Option | None:
    """Return the figure's label, which MyST calls its name."""
    return _text_of(options, "name" if "name" in options and "label" not in options else "label", source)


def _columns(options: dict[str, Option], source: Source) -> int | None:
    """Return in how many columns figures stand, if it is said."""
    option = options.get("columns")
    if option is None:
        return None
    written = str(option.value).strip()
    if re.fullmatch(r"\d{1,6}", written) and 1 <= int(written) <= MAX_COLUMNS:
        return int(written)
    source.complain(f"invalid columns: {written} is no number from 1 to {MAX_COLUMNS}", (option.line, None))
    return None


def _is_decoration(options: dict[str, Option], source: Source) -> bool:
    """Whether an author says of a picture that it says nothing: an empty text in quotes, which is not forgotten."""
    option = options.get("alt")
    if option is None or option.value != "":
        return False
    return re.search(r"""(""|'')\s*$""", source.lines[option.line - source.first_line]) is not None


def _follows(options: dict[str, Option], source: Source) -> Option | None:
    """Return the label of the figure that is followed, which may be written as a reference."""
    option = _text_of(options, "follows", source)
    return None if option is None else Option(str(option.value).lstrip("@#"), option.line)


def read_layout(options: dict[str, Option], source: Source) -> str:
    """Return the layout that is asked for, `body` if none is."""
    option = _text_of(options, "layout", source)
    if option is None:
        return "body"
    name = str(option.value).removeprefix("l-")
    if name not in LAYOUTS:
        known = nearest(name, LAYOUTS) or f" (known: {', '.join(sorted(LAYOUTS))})"
        source.complain(f"unknown layout: {option.value}{known}", (option.line, None))
        return "body"
    return name


def _text_of(options: dict[str, Option], key: str, source: Source) -> Option | None:
    """Return an option that is a text and not empty."""
    option = options.get(key)
    if option is None:
        return None
    if not isinstance(option.value, str):
        source.complain(f"invalid {key}: it must be a text", (option.line, None))
        return None
    if not option.value.strip():
        source.complain(f"missing {key}: nothing follows `:{key}:`", (option.line, None))
        return None
    return option
