"""`Mentions`: what prose names of figures, parts and values, with the figure looked up and the form checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from ..directives.attributes import Attributes, Pair, read_attributes
from ..errors import nearest
from ..figure import FigureSpec
from ..numerals import FORMS, is_form
from ..paths import Step, read_path
from ..source_map import Place, Source
from .labels import Label
from .reading import Locate, walk_inside
from .specification import FigureGroup

__all__ = ["Mention", "Mentions", "Value"]


@dataclass(frozen=True)
class Named:
    """What is named of a figure: `anchor` is its id in the page; a panel is counted from 1."""

    anchor: str
    panel: int
    line: int | None
    column: int | None


@dataclass(frozen=True)
class Mention(Named):
    """Words, or a graphic the size of one (`drawn`), that stand for a part: `factor=2`, `token=Croatia`."""

    aspect: str
    name: str
    drawn: bool = False


@dataclass(frozen=True)
class Value(Named):
    """A number or text of a result, in the form that `as=` asks for."""

    path: tuple[Step, ...]
    form: str | None = None


_NAMED = ("mention", "spark", "value")
_OF = {"mention": "[words]{factor=2 of=fig-count}", "spark": "{spark}`factor=2 of=fig-count`"}
_HTML = re.compile(r"on\w+|style|title|href|src\w*|target|rel|role|name|form\w*|aria-.*|data-.*|width|height|dir")
_NO_LINKS = {"link_open": "a link", "citation": "a citation", "reference": "a reference", "footnote_ref": "a footnote",
             "mention": "a mention", "spark": "a spark"}  # fmt: skip


@dataclass(frozen=True)
class _Pending:
    """What waits until all figures are known."""

    token: Token
    attributes: Attributes
    locate: Locate
    part: Pair | None = None
    path: tuple[Step, ...] = ()


class Mentions:
    """Collects an article's mentions, sparks and values; what is wrong with them goes to the source's problems.

    A token that is right gets `meta["mention"]` or `meta["value"]`.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.mentions: list[Mention] = []
        self.values: list[Value] = []
        self._captions: dict[int, FigureSpec] = {}
        self._pending: list[_Pending] = []

    def note_caption(self, figure: Token, spec: FigureSpec) -> None:
        """Note what stands in a figure's caption, where `of` may be left out."""
        if not isinstance(spec, FigureGroup):  # the figures within it are noted each by itself
            self._captions.update({id(token): spec for token in walk_inside(figure) if token.type in _NAMED})

    def add_mention(self, token: Token, locate: Locate) -> None:
        """Add a mention or a spark."""
        attributes: Attributes = token.meta["attributes"]
        drawn = token.type == "spark" or "spark" in attributes.classes
        parts = [pair for pair in attributes.pairs if pair.key not in ("of", "panel", "lang")]
        if token.meta.get("linked"):
            return self._complain("unsupported spark: it is within a link (put it after)", locate(0))
        if not self._is_read(token.type, attributes, locate):
            return None
        for pair in parts:
            if _HTML.fullmatch(pair.key):
                known = "an element has id, class and lang"
                return self._complain(f"unsupported attribute: {pair} ({known})", locate(pair.offset))
        if not parts:
            return self._complain(f"missing part: {_OF[token.type]} names one", locate(0))
        if len(parts) > 1:
            listed = " and ".join(str(pair) for pair in parts)
            return self._complain(f"invalid {token.type}: {listed} (one each)", locate(parts[1].offset))
        self._pending.append(_Pending(token, attributes, locate, part=parts[0]))
        token.meta["spark"] = drawn
        return None

    def add_value(self, token: Token, locate: Locate) -> None:
        """Add a value."""
        written, begin = str(token.meta["written"]), int(token.meta["begin"])
        lead = len(written) - len(written.lstrip())
        path, end = read_path(written.lstrip())
        attributes = read_attributes(written[lead + end :], begin + lead + end)
        if not path or (written[lead + end :] and not written[lead + end].isspace()):
            what = "a path such as sizes[0].factors[1].share"
            return self._complain(f"invalid value: {written.strip()} ({what} comes first)", locate(begin + lead + end))
        if not self._is_read("value", attributes, locate):
            return None
        for pair in attributes.pairs:
            if pair.key not in ("of", "panel", "as"):
                near = nearest(pair.key, ("of", "panel", "as")) or " (known: as, of, panel)"
                return self._complain(f"unknown attribute of {{value}}: {pair.key}{near}", locate(pair.offset))
        form = attributes.find("as")
        if form is not None and not is_form(form.value):
            near = nearest(form.value, FORMS) or f" (known: {', '.join(FORMS)}, .2)"
            return self._complain(f"unknown form: as={form.value}{near}", locate(form.offset))
        self._pending.append(_Pending(token, attributes, locate, path=path))
        return None

    def finish(self, figures: Sequence[FigureSpec], labels: Mapping[str, Label]) -> None:
        """Look up the figures."""
        known = {spec.label: spec for spec in figures if spec.label}
        for item in self._pending:
            spec = self._find(item, known, labels)
            panel = self._panel(item)
            if spec is None or panel is None or self._has_links(item):
                continue
            if item.part is None:
                form = item.attributes.find("as")
                place = item.locate(int(item.token.meta["begin"]))
                value = Value(spec.anchor, panel, *place, item.path, form.value if form else None)
                item.token.meta["value"] = value
                self.values.append(value)
            else:
                place = item.locate(item.part.offset)
                key, name, drawn = item.part.key, item.part.value, item.token.meta["spark"]
                mention = Mention(spec.anchor, panel, *place, key, name, drawn)
                item.token.meta["mention"] = mention
                self.mentions.append(mention)

    def _find(self, item: _Pending, known: Mapping[str, FigureSpec], labels: Mapping[str, Label]) -> FigureSpec | None:
        """Return the figure that is meant, or complain."""
        of = item.attributes.find("of")
        own = self._captions.get(id(item.token))
        if of is None and own is None:
            what = item.part or item.token.meta["written"].strip()
            self._complain(f"missing of: {what} of which figure? (add of=LABEL)", item.locate(0))
            return None
        spec = own if of is None else known.get(of.value)
        place = item.locate(of.offset if of else 0)
        if spec is None and of is not None:
            wrong = f"invalid of: {of.value} is no figure" if of.value in labels else f"unknown label: {of.value}"
            self._complain(f"{wrong}{nearest(of.value, known)}", place)
        elif spec is not None and spec.picture is not None:
            self._complain(f"unsupported {item.token.type}: {spec.anchor} is a picture, and has no data", place)
            return None
        elif isinstance(spec, FigureGroup):
            self._complain(f"unsupported {item.token.type}: {spec.anchor} is several figures (name one of them)", place)
            return None
        return spec

    def _panel(self, item: _Pending) -> int | None:
        panel = item.attributes.find("panel")
        if panel is None:
            return 1
        if not re.fullmatch(r"\d{1,6}", panel.value) or int(panel.value) < 1:
            self._complain(f"invalid panel: {panel.value} (they are counted from 1)", item.locate(panel.offset))
            return None
        return int(panel.value)

    def _has_links(self, item: _Pending) -> bool:
        """Whether a mention, which is a link, has another within it."""
        for token in walk_inside(item.token):
            if token.type in _NO_LINKS:
                wrong = f"unsupported mention: {_NO_LINKS[token.type]} is within it (put it after)"
                self._complain(wrong, item.locate(0))
                return True
        return False

    def _is_read(self, notation: str, attributes: Attributes, locate: Locate) -> bool:
        if attributes.rest:
            hint = "write key=value, and in double quotes what is not one word"
            self._complain(f"invalid {notation}: {attributes.rest} ({hint})", locate(attributes.rest_offset))
        return not attributes.rest

    def _complain(self, message: str, place: Place) -> None:
        self.source.complain(message, place)
