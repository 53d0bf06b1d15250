"""`Settling`: one pass over an article's tokens that numbers what has numbers and looks up what has names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count, product
from pathlib import Path
from string import ascii_lowercase

from markdown_it.token import Token

from ..article import Article
from ..bibliography import Bibliography
from ..directives.markup import tag_message
from ..errors import nearest
from ..figure import FigureSpec, Option
from ..mathematics import TexError
from ..source_map import Place, Source
from .blocks import Blocks, make_image, make_list_table
from .citations import Citations
from .labels import PREFIXES, Label, LabelKind, Labels
from .mentions import Mentions
from .reading import Locate, is_displayed, plain_text, unlinked
from .slips import tell_slips
from .specification import read_group, read_layout, read_spec
from .targets import Targets

__all__ = ["Heading", "Settling"]


@dataclass(frozen=True)
class Heading:
    """A heading, as a table of contents shows it: `tokens` are inline, without links, notes and citations."""

    level: int
    number: str
    anchor: str
    text: str
    tokens: tuple[Token, ...]
    in_appendix: bool = False


def _label_option(token: Token) -> Option | None:
    """Return what names a figure, a table or an equation: our `label`, or MyST's `name`."""
    options: Mapping[str, Option] = token.meta["options"]
    return options.get("label") or options.get("name")


def _letters() -> Iterator[str]:
    """Yield a, b, … z, aa, ab and so on: the names of the figures within one."""
    for length in count(1):
        yield from map("".join, product(ascii_lowercase, repeat=length))


_NOT_IN_TOC = ("link_open", "link_close", "footnote_ref", "citation", "reference", "image", "spark")


class Settling:
    """The state of the pass; `settle()` is called with each token in reading order, `finish()` after the last."""

    def __init__(
        self,
        article: Article,
        bibliography: Bibliography,
        articles: Mapping[str, Path],
        tex: Callable[[str, bool], str] | None,
        source: Source,
        html: str,
    ) -> None:
        self.article = article
        self.tex = tex
        self.source = source
        self.labels = Labels(source)
        self.figures: list[FigureSpec] = []
        self.headings: list[Heading] = []
        self.citations = Citations(source, bibliography)
        self.mentions = Mentions(source)
        self.blocks = Blocks(source, self.labels)
        self.targets = Targets(source, self.labels, article, articles, html)
        self.has_math = False
        self.n_words = 0
        self._n_figures = 0
        self._told: set[str] = set()
        self._n_tables = 0
        self._n_equations = 0
        self._sections: list[int] = []
        self._in_appendix = False
        self._titles: list[tuple[Token, Heading]] = []
        self._unlabelled: list[tuple[str, Place]] = []
        self._references: list[tuple[str, Place]] = []
        self._rules: dict[str, Callable[[Token, Locate], None]] = {
            "text": self._text,
            "inline": self._inline,
            "appendix": self._appendix,
            "heading": self._heading,
            "directive_figure": self._figure,
            "directive_table": self._table,
            "directive_list-table": self._list_table,
            "directive_math": self._math_directive,
            "directive_image": self._image_directive,
            "math_inline": self._math,
            "math_block": self._math,
            "math_block_label": self._equation,
            "citation": self.citations.add,
            "reference": self._reference,
            "mention": self.mentions.add_mention,
            "spark": self.mentions.add_mention,
            "value": self.mentions.add_value,
            "tag": self._tag,
            "markup": self._markup,
            "foreign": self._foreign,
            **self.blocks.rules,
            **self.targets.rules,
        }

    def settle(self, token: Token, locate: Locate) -> None:
        """Settle one token: what it needs to be rendered goes to its `meta`."""
        rule = self._rules.get(token.type)
        if rule is not None:
            rule(token, locate)
        if token.attrs.get("id") and token.type != "heading":
            self.labels.add_anchor(str(token.attrs["id"]), locate(0))

    def finish(self) -> None:
        """Settle what depends on all of the article: titles' anchors, references, links within the page."""
        for anchor, place in self._unlabelled:
            self.labels.add_anchor(anchor, place)
        for token, heading in self._titles:
            anchor = heading.anchor or self.labels.make_anchor(heading.text)
            token.attrs["id"] = anchor
            self.headings.append(replace(heading, anchor=anchor))
        for name, place in self._references:
            self.labels.check_reference(name, place)
        self._check_follows()
        self.mentions.finish(self.figures, self.labels.by_name)
        self.targets.finish()

    def _text(self, token: Token, locate: Locate) -> None:  # noqa: ARG002 - a rule as the others
        self.n_words += 0 if self._in_appendix else len(token.content.split())  # for the time that reading takes

    def _inline(self, token: Token, locate: Locate) -> None:
        line = token.map[0] if token.map else (locate(0)[0] or 0) - self.source.first_line
        tell_slips(token, self.source, line)

    def _appendix(self, token: Token, locate: Locate) -> None:  # noqa: ARG002 - a rule as the others
        self._in_appendix = True  # to the end: it is the last token

    def _heading(self, token: Token, locate: Locate) -> None:
        level, place = int(token.tag[1:]), locate(0)
        before = self._titles[-1][1].level if self._titles else 1
        if level == 1:
            self.source.complain("invalid heading: # is the title's; sections begin with ##", place, "warning")
        elif level > before + 1:
            wrong = f"invalid heading: {'#' * level} follows {'#' * before} (did you mean {'#' * (before + 1)}?)"
            self.source.complain(wrong, place, "warning")
        is_numbered = "unnumbered" not in str(token.attrs.get("class", "")).split()
        number = token.meta["number"] = self._next_section(level) if is_numbered else ""
        inline = token.children[0].children if token.children else None
        shown = tuple(unlinked(inline or (), _NOT_IN_TOC))
        heading = Heading(level, number, str(token.attrs.get("id") or ""), plain_text(shown), shown, self._in_appendix)
        if re.match("|".join(PREFIXES.values()), heading.anchor):
            self.labels.add(heading.anchor, Label("section", number, heading.anchor, heading.text, shown), place)
        elif heading.anchor:
            self.labels.add_anchor(heading.anchor, place)
        self._titles.append((token, heading))

    def _next_section(self, level: int) -> str:
        depth = max(level - 1, 1)
        self._sections = [*self._sections, *[0] * depth][:depth]
        self._sections[-1] += 1
        return ".".join(str(count) for count in self._sections)

    def _figure(self, token: Token, locate: Locate) -> None:
        letter = token.meta.get("letter", "")
        parts = [child for child in token.children or () if child.type == "directive_figure"]
        if letter and parts:
            self.source.complain("invalid figure: it is within another, and has others within it", locate(0))
        self._n_figures += not letter
        spec: FigureSpec
        if parts and not letter:
            for part, name in zip(parts, _letters(), strict=False):
                part.meta["letter"] = name
            spec = read_group(token, self._n_figures, len(parts), self.article, self.source)
        else:
            spec, file = read_spec(token, self._n_figures, self.article, self.source)
            if spec.picture is not None and file is not None:
                option = token.meta["options"].get("dark")
                place = (option.line, None) if option is not None else locate(0)
                self.targets.add_picture(str(spec.picture.value), file, option and str(option.value), place)
        if not self._label(token, "figure", f"{spec.number}{letter}", spec.label):
            spec = replace(spec, label=None)
        token.meta["spec"] = spec
        self.mentions.note_caption(token, spec)
        self.figures.append(spec)

    def _check_follows(self) -> None:
        """Complain of a figure that follows what is no computed figure of this article, or itself."""
        computed = [spec.label for spec in self.figures if spec.kind is not None and spec.label]
        for spec in self.figures:
            if spec.follows is None or spec.kind is None:
                continue
            name = str(spec.follows.value)
            if name == spec.label:
                self.source.complain("invalid follows: a figure cannot follow itself", (spec.follows.line, None))
            elif name not in computed:
                self.source.complain(f"unknown figure: {name}{nearest(name, computed)}", (spec.follows.line, None))

    def _table(self, token: Token, locate: Locate) -> None:
        self._n_tables += 1
        option = _label_option(token)
        label = str(option.value) if option is not None and option.value else None
        labelled = self._label(token, "table", self._n_tables, label)
        anchor = label if label and labelled else f"tbl-{self._n_tables}"
        layout = read_layout(token.meta["options"], self.source)
        token.meta.update(number=self._n_tables, anchor=anchor, layout=layout)
        if not any(child.type == "table" for child in token.children or ()):
            self.source.complain(f"missing table: {{{token.info}}} has none in it", locate(0))

    def _label(self, token: Token, kind: LabelKind, number: int | str, label: str | None) -> bool:
        """Give a figure or a table its label; without one its number is its anchor, when all labels are known."""
        place = (token.meta["line"], token.meta["column"])
        if label is None:
            self._unlabelled.append((f"{PREFIXES[kind]}{number}", place))
            return False
        option = _label_option(token)
        place = (option.line if option else None, None)
        return self.labels.add(label, Label(kind, str(number), label), place)

    def _list_table(self, token: Token, locate: Locate) -> None:
        make_list_table(token, self.source)
        self._table(token, locate)

    def _math_directive(self, token: Token, locate: Locate) -> None:
        """Make of MyST's directive what `$$ … $$ {#eq-x}` is."""
        option, meta = _label_option(token), token.meta
        first = meta["line"] - self.source.first_line
        before = "\n" * (meta["first"] - first)  # so that lines are counted from the directive's first
        token.type, token.markup, token.info = "math_block", "$$", ""
        token.content = f"{meta['argument']}{before}{token.content}"
        if option is None:
            self._math(token, locate)
            return
        token.type, token.info = "math_block_label", str(option.value)
        token.map = [first, option.line - self.source.first_line + 1]  # to where the label is
        self._equation(token, locate)

    def _image_directive(self, token: Token, locate: Locate) -> None:  # noqa: ARG002 - a rule as the others
        make_image(token)

    def _math(self, token: Token, locate: Locate) -> None:
        self.has_math = True
        if token.type == "math_block" and token.content.startswith("$$"):
            self.source.complain("missing end of formula: $$ (an empty line ends what it is in, too)", locate(0))
            return
        if self.tex is None:
            return
        display = is_displayed(token)
        begin = len(token.markup) if token.type == "math_inline" else 0  # a block's content begins after the dollars
        try:
            self.tex(token.content, display)
        except TexError as error:
            self.source.complain(error.message, locate(begin + error.offset))

    def _equation(self, token: Token, locate: Locate) -> None:
        self._math(token, locate)
        self._n_equations += 1
        token.meta["number"] = self._n_equations
        label = Label("equation", str(self._n_equations), token.info)
        place = self.source.begin(token.map[1] - 1) if token.map else locate(0)
        self.labels.add(token.info, label, place)

    def _reference(self, token: Token, locate: Locate) -> None:
        self._references.append((token.meta["label"], locate(max(token.content.find(token.meta["raw"]), 0))))

    def _tag(self, token: Token, locate: Locate) -> None:
        if token.content == "<!--":
            self.source.complain("missing end of comment: -->", locate(0))
            return
        name = re.sub(r"^</?([\w-]+).*", r"\1", token.content, flags=re.DOTALL).lower()
        if name not in self._told:
            self._told.add(name)
            self.source.complain(tag_message(token.content, name, token.info), locate(0), "warning")

    def _markup(self, token: Token, locate: Locate) -> None:
        for message, offset in token.meta.get("told", ()):
            if message not in self._told:
                self._told.add(message)
                self.source.complain(message, locate(offset), "warning")

    def _foreign(self, token: Token, locate: Locate) -> None:
        self.source.complain(token.meta["message"], locate(0), "warning")
