"""`Targets`: settles what an article points at: links, pictures, and the files that are published beside its page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from markdown_it.token import Token

from ..article import Article
from ..errors import nearest
from ..local import LocalError, find_dark, find_picture
from ..source_map import Place, Source
from .labels import Labels
from .links import find_target
from .reading import Locate, plain_text

__all__ = ["Link", "Targets"]

_OWN = ("alt", "dark")
"""Attributes that are ours to write out, and no element's."""


@dataclass(frozen=True)
class Link:
    """A link to another article, perhaps to a place in it."""

    slug: str
    fragment: str
    line: int | None
    column: int | None


class Targets:
    """Where links lead, and which files a page needs; what is not there goes to the source's problems."""

    def __init__(
        self, source: Source, labels: Labels, article: Article, articles: Mapping[str, Path], html: str
    ) -> None:
        self.source = source
        self.labels = labels
        self.article = article
        self.articles = articles
        self.html = html
        self.pictures: dict[str, Path] = {}
        self.dark: dict[str, Path] = {}
        self.files: dict[str, Path] = {}
        self.links: list[Link] = []
        self._fragments: list[tuple[str, Place]] = []
        self.rules: Mapping[str, Callable[[Token, Locate], None]] = {"link_open": self._link, "image": self._image}

    def finish(self) -> None:
        """Look up links within the page, when all of its places are known."""
        for fragment, place in self._fragments:
            self.labels.check_fragment(fragment, place)

    def add_picture(self, name: str, file: Path, dark: str | None, place: Place) -> None:
        """Note a picture, and the one to show by night: the one that is named, else `x.dark.png` beside `x.png`."""
        self.pictures[name] = file
        found, root = None, self.article.root
        try:
            found = find_dark(file, root) if dark is None else find_picture(dark, self.article.folder, root)
        except LocalError as error:
            self.source.complain(str(error), place)
        if found is not None:
            self.dark[name] = found

    def _link(self, token: Token, locate: Locate) -> None:
        if not token.attrs.get("href"):
            self.source.complain("missing address: a link names none between its parentheses", locate(0))
            return
        try:
            target = find_target(str(token.attrs.get("href", "")), self.article, self.articles, self.html)
        except LocalError as error:
            self.source.complain(str(error), locate(0))
            return
        if target is None:
            return
        fragment = unquote(target.fragment.removeprefix("#"))
        if target.path is None:
            self._fragments.append((fragment, locate(0)))
            return
        token.meta.update(target=target.path, fragment=target.fragment)
        if target.slug == self.article.slug:
            self._fragments.append((fragment, locate(0)))
        elif target.slug is not None:
            self.links.append(Link(target.slug, fragment, *locate(0)))
        elif target.file is not None:
            self.files[target.path] = target.file

    def _image(self, token: Token, locate: Locate) -> None:
        written = str(token.attrs.get("src", ""))
        if not written:
            self.source.complain("missing picture: none is named between the parentheses", locate(0))
            return
        for child in token.children or ():
            if child.type == "citation":  # an alt text is text alone
                child.type, child.content = "text", str(child.meta["raw"])
        more = token.meta.get("insecure_attrs", {})
        if not plain_text(token.children) and more.get("alt") != "":
            self.source.complain(
                f'missing alt text: say what {written} shows, ![here]({written}), or {{alt=""}} where it says nothing',
                locate(0),
            )
        self._check_attributes(token, locate)
        if written.startswith("data:"):
            return
        name = unquote(written)
        try:
            file = find_picture(name, self.article.folder, self.article.root)
            token.meta["source"] = name
            self.add_picture(name, file, more.get("dark"), locate(0))
        except LocalError as error:
            self.source.complain(str(error), locate(0))

    def _check_attributes(self, token: Token, locate: Locate) -> None:
        """Complain of what would be left out: an attribute that pictures do not have, a size that is not in pixels."""
        for name in token.meta.get("insecure_attrs", ()):
            if name not in _OWN:
                known = nearest(name, (*_OWN, "width", "height", "class", "id", "lang"))
                self.source.complain(f"unknown attribute of a picture: {name}{known}", locate(0))
        for side in ("width", "height"):
            given = str(token.attrs.get(side, "1")).removesuffix("px")
            if re.fullmatch(r"[0-9]{1,5}", given):
                token.attrs.update({side: given} if side in token.attrs else {})
            else:
                wrong = f"invalid {side}: {given} is no number of pixels (write it as {side}=300)"
                self.source.complain(wrong, locate(0))
