"""A page of Distill's template, the first or the second, as front matter and Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from .files import FileError, Files
from .macros import take_macros
from .markdown import Writer
from .matter import read_matter
from .shelter import Shelter
from .tree import Element, Node, parse_html

__all__ = ["read_page"]

Complain = Callable[[str, int], None]


def read_page(
    source: str, files: Files, find_article: Callable[[str], str | None], complain: Complain
) -> tuple[dict[str, Any], str]:
    """Return front matter and text. What cannot be carried over is told, with its line."""
    source, macros = take_macros(Shelter.clear(source))
    root = parse_html(source)
    given, line = _front_matter(root, complain)
    article = root.find("d-article", "dt-article") or root.find("article", "main") or root.find("body") or root
    appendix = root.find("d-appendix", "dt-appendix")
    abstract = root.find("d-abstract")
    title = root.find("d-title")
    inside = list(article.children)
    heading = article.find("h1")
    if title is None and heading is not None and len(article.find_all("h1")) == 1:
        given, inside = _without_title(heading, inside, given)
    levels = [int(one.tag[1]) for node in inside if isinstance(node, Element) for one in _headings(node)]
    writer = Writer(
        files,
        Shelter(),
        complain,
        source,
        dollars=_has_dollars(given, source),
        wanted=frozenset(
            found.attrs["href"][1:] for found in root.find_all("a") if found.attrs.get("href", "").startswith("#")
        ),
        shift=2 - min(levels, default=2),
        find_article=find_article,
    )
    _tell_of_page(root, article, complain)
    nodes = [*inside, *([appendix] if appendix is not None and appendix not in article.find_all(appendix.tag) else [])]
    if abstract is not None:
        given = {"abstract": abstract.text, **given}
    banners = [
        figure for figure in (title.children if title else ()) if isinstance(figure, Element) and figure.find("img")
    ]
    text = writer.write([*banners, *(node for node in nodes if node is not abstract)])
    matter = read_matter({**_from_title(root, title), **given}, line, complain)
    if macros:
        matter["math"] = {"macros": macros}
    bibliography = _bibliography(root, files, complain)
    if bibliography:
        matter["bibliography"] = bibliography
    return matter, text


def _headings(node: Element) -> list[Element]:
    names = ("h1", "h2", "h3", "h4")
    return [*([node] if node.tag in names else []), *node.find_all(*names)]


def _without_title(
    heading: Element, inside: list[Node], given: Mapping[str, Any]
) -> tuple[Mapping[str, Any], list[Node]]:
    """Return an article without the title that it begins with, and without the subtitle right below it."""
    given = {"title": heading.text, **given}
    at = next((place for place, node in enumerate(inside) if node is heading), None)
    if at is None:
        return given, inside
    rest = inside[at + 1 :]
    below = next((node for node in rest if isinstance(node, Element)), None)
    if below is not None and below.tag == "h2":
        given = {"description": below.text, **given}
        rest = [node for node in rest if node is not below]
    return given, [*inside[:at], *rest]


def _tell_of_page(root: Element, article: Element, complain: Complain) -> None:
    """Tell of styles and scripts beside the article, but for the template's own."""
    for element in root.find_all("style", "script"):
        source = element.attrs.get("src", "")
        known = re.search(r"template(\.v\d)?\.js|distill|katex|mathjax", source, re.IGNORECASE)
        kind = element.attrs.get("type", "")
        if article.begin <= element.begin < article.end or known or kind.startswith(("text/", "application/")):
            continue
        complain(f"unsupported {element.tag}{': ' if source else ''}{source[:80]}", element.line)


def _front_matter(root: Element, complain: Complain) -> tuple[Mapping[str, Any], Callable[[str], int]]:
    """Return what the page says of itself, in JSON or YAML, and where."""
    block = root.find("d-front-matter")
    script = block.find("script") if block else None
    script = script or next(
        (one for one in root.find_all("script") if one.attrs.get("type") == "text/front-matter"), None
    )
    if script is None:
        return {}, lambda _: root.line
    text = script.text.strip("\n")
    given: Any = {}
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        try:
            given = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):
            complain("broken front matter: it is neither JSON nor YAML", script.line)
    if not isinstance(given, Mapping):
        given = {}

    def line(key: str) -> int:
        found = re.search(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?\s*:", text, re.MULTILINE)
        return script.line + (text.count("\n", 0, found.start()) + 1 if found else 0)

    return given, line


def _from_title(root: Element, title: Element | None) -> dict[str, str]:
    """Return title and description as the page shows them."""
    heading = title.find("h1") if title else None
    page = root.find("title")
    meta = next((one for one in root.find_all("meta") if one.attrs.get("name") == "description"), None)
    paragraph = title.find("p") if title else None
    found = {
        "title": heading.text if heading else page.text if page else "",
        "description": paragraph.text if paragraph else meta.attrs.get("content", "") if meta else "",
    }
    return {key: text for key, text in found.items() if text.strip()}


def _has_dollars(given: Mapping[str, Any], source: str) -> bool:
    """Whether `$x$` is a formula on the page: where it says so, or loads what makes it one."""
    katex = given.get("katex")
    delimiters = katex.get("delimiters") if isinstance(katex, Mapping) else None
    if isinstance(delimiters, list):
        return any(isinstance(one, Mapping) and one.get("left") == "$" for one in delimiters)
    return re.search(r"inlineMath[^\n]*\[\s*['\"]\$['\"]|left:\s*['\"]\$['\"]", source) is not None


def _bibliography(root: Element, files: Files, complain: Complain) -> list[str]:
    """Return the names of the bibliographies: a file, or BibTeX or JSON in the page."""
    names: list[str] = []
    for element in root.find_all("d-bibliography", "dt-bibliography", "script"):
        kind, source = element.attrs.get("type", ""), element.attrs.get("src", "")
        if element.tag == "script" and kind not in ("text/bibliography", "text/bibtex"):
            continue
        try:
            if source:
                names.append(files.take_bibliography(source))
        except FileError as error:
            complain(str(error), element.line)
        inner = element.find("script")
        text = element.text if element.tag == "script" or inner is None else ""
        if inner is not None and inner.attrs.get("type") in ("text/json", "application/json"):
            text = _bibtex(inner.text)
        if text.strip() and "@" in text:
            names.append(files.add("bibliography.bib", (text.strip() + "\n").encode()))
    return list(dict.fromkeys(names))


def _bibtex(text: str) -> str:
    """Return a published page's bibliography, JSON by now, as BibTeX again."""
    try:
        entries = json.loads(text)
        pairs = list(entries.items() if isinstance(entries, Mapping) else entries)
        written = []
        for key, fields in pairs:
            kind = re.sub(r"\W", "", str(fields.get("type", "misc"))) or "misc"
            values = [
                f"  {name} = {{{value}}}"
                for name, value in fields.items()
                if name != "type" and _is_balanced(str(value))
            ]
            written.append(f"@{kind}{{{key},\n" + ",\n".join(values) + "\n}")
        return "\n\n".join(written)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ""


def _is_balanced(text: str) -> bool:
    depth = 0
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if depth < 0:
            return False
    return depth == 0
