"""Citations: Pandoc's `[@key]` and `@key`, Distill's `<d-cite>`, and MyST's `{cite:p}` and `{cite:t}`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from ..bibliography.references import Reference, format_reference

__all__ = ["Cited", "cite_plugin"]

KEY = r"(?:\{[^{}\s]+\}|\w(?:\w|[:.#$%&+?<>~/-](?=\w))*)"
"""Pandoc's grammar of keys: single punctuation marks within; braces around anything else."""

LABEL = re.compile(r"(?:fig|eq|sec|tbl)-")
"""What `reference.py` reads: labels of figures, equations, sections and tables."""

_ITEM = re.compile(
    rf"(?P<prefix>(?:[^@]*[\s(\[“‘\"'—–])??)(?P<minus>-?)@(?P<key>(?>{KEY}))(?P<suffix>[^@]*)", re.DOTALL
)
_BARE = re.compile(rf"@((?>{KEY}))(?!@)")
_BEFORE = re.compile(r"[\s(\[{\"'“‘«—–*_]")
_PINPOINT = re.compile(
    r"\s?\[((?:pp?\.|chap\.?|chapter|ch\.|secs?\.|section|figs?\.|figure|eqs?\.|tables?|vol\.|app\.|appendix|[§¶\d])"
    r"[^\[\]@]*)\](?![(\[:{])",
    re.IGNORECASE,
)
_ELEMENT = re.compile(
    r"<d-cite\s+(?:bibtex-)?key\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)')\s*(?:/\s*>|>\s*</d-cite\s*>)", re.IGNORECASE
)
_ROLE = re.compile(r"\{cite(?::([a-z]+))?\}(`+)(?!`)([^`]+)\2(?!`)")


def cite_plugin(md: MarkdownIt) -> None:
    """Parse citations; whether a key exists, and its number, is the document's to say.

    | written | in the page |
    |---|---|
    | `[@olsson2022]` | [1] |
    | `[@olsson2022; @vig2019]` | [1, 2] |
    | `[see @olsson2022, p. 3; also @vig2019]` | [see 1, p. 3; also 2] |
    | `@olsson2022 showed`, `@olsson2022 [p. 3]` | Olsson et al. [1] showed, Olsson et al. [1, p. 3] |
    | `Olsson [-@olsson2022]` | Olsson [1] |
    | `<d-cite key="olsson2022,vig2019"></d-cite>` | [1, 2] |
    | `{cite:p}` and `{cite:t}`, each with keys in backticks | [1, 2]; Olsson et al. [1] and Vig [2] |

    Nothing is a citation in code, links, addresses, e-mail, after a letter or digit, or after a backslash.
    Tokens: `citation`, content as written, `meta`: items (each key, prefix, locator, suppress_author), narrative,
    bare (`@key` without brackets, which may turn out to be no citation), raw. A citation is `parts/citation.html`
    (`items`: `Cited`; `narrative`, `card`), its card `parts/citation_card.html` (`id`, `references`) in `env["cards"]`.
    """
    md.inline.ruler.before("link", "citation", _group)
    md.inline.ruler.before("link", "citation_bare", _bare)
    md.inline.ruler.before("autolink", "citation_element", _element)
    md.inline.ruler.before("escape", "citation_role", _role)
    md.add_render_rule("citation", _render)


@dataclass(frozen=True)
class Cited:
    """One work at one citing place. `reference` is None for a key that is not in the bibliography."""

    key: str
    reference: Reference | None
    anchor: str
    prefix: str = ""
    locator: str = ""


def _group(state: StateInline, silent: bool) -> bool:
    """`[see @a, p. 3; @b]`, unless it is the text of a link or within one."""
    if state.src[state.pos] != "[" or state.linkLevel:
        return False
    close = state.src.find("]", state.pos, state.posMax)
    if close < 0 or "@" not in state.src[state.pos : close]:
        return False
    if state.src.find("[", state.pos + 1, close) >= 0:  # brackets in a prefix or locator: let markdown-it match them
        close = state.md.helpers.parseLinkLabel(state, state.pos)
        if close < 0:
            return False
    if state.src[close + 1 : close + 2] == "(" and close + 1 < state.posMax:
        return False
    found = [_ITEM.fullmatch(part.strip()) for part in state.src[state.pos + 1 : close].split(";")]
    matches = [match for match in found if match is not None]
    if len(matches) < len(found) or any(LABEL.match(match["key"]) for match in matches):
        return False
    items = [
        _item(match["key"], " ".join(match["prefix"].split()), match["suffix"], bool(match["minus"]))
        for match in matches
    ]
    return _push(state, silent, close + 1, items)


def _bare(state: StateInline, silent: bool) -> bool:
    """`@key` where a word may begin, with a pinpoint in brackets behind it if there is one."""
    if state.src[state.pos] != "@" or state.linkLevel:
        return False
    if state.pos and not _BEFORE.match(state.src[state.pos - 1]):
        return False
    found = _BARE.match(state.src, state.pos, state.posMax)
    if not found or LABEL.match(found[1]):
        return False
    pinpoint = _PINPOINT.match(state.src, found.end(), state.posMax)
    item = _item(found[1], "", pinpoint[1] if pinpoint else "")
    return _push(state, silent, (pinpoint or found).end(), [item], narrative=True, bare=True)


def _element(state: StateInline, silent: bool) -> bool:
    """`<d-cite key="a,b"></d-cite>`."""
    found = _ELEMENT.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "<" else None
    if found is None or state.linkLevel:
        return False
    return _keys(state, silent, found, found[1] or found[2] or "")


def _role(state: StateInline, silent: bool) -> bool:
    """MyST's roles: `t` names the authors, any other puts the number alone."""
    found = _ROLE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    if found is None or state.linkLevel:
        return False
    return _keys(state, silent, found, found[3], narrative=found[1] == "t")


def _keys(state: StateInline, silent: bool, found: re.Match[str], keys: str, *, narrative: bool = False) -> bool:
    items = [_item(key.strip().lstrip("@"), "", "") for key in keys.split(",") if key.strip()]
    return bool(items) and _push(state, silent, found.end(), items, narrative=narrative)


def _item(key: str, prefix: str, suffix: str, suppress_author: bool = False) -> dict[str, Any]:
    locator = " ".join(suffix.split()).removeprefix(",").strip()
    key = key[1:-1] if key.startswith("{") else key
    return {"key": key, "prefix": prefix, "locator": locator, "suppress_author": suppress_author}


def _push(
    state: StateInline, silent: bool, end: int, items: list[dict[str, Any]], narrative: bool = False, bare: bool = False
) -> bool:
    if not silent:
        token = state.push("citation", "", 0)
        token.content = state.src[state.pos : end]
        token.meta = {"items": items, "narrative": narrative, "bare": bare, "raw": token.content, "offset": state.pos}
    state.pos = end
    return True


def _render(_self: Any, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
    """Render a citation, count its place for the links back, and leave its card in `env["cards"]`."""
    meta, page = tokens[index].meta, env["page"]
    counted = env.setdefault("citing", {})
    items = []
    for item in meta["items"]:
        key = item["key"]
        reference = _reference(key, env)
        counted[key] = counted.get(key, 0) + 1
        items.append(Cited(key, reference, f"cite-{key}-{counted[key]}", item["prefix"], item["locator"]))
    references = tuple(dict.fromkeys(cited.reference for cited in items if cited.reference))
    card = "card-" + "+".join(reference.key for reference in references) if references else None
    cards = env.setdefault("cards", {})
    if card and card not in cards:
        cards[card] = page.part("citation_card", id=card, references=references)
    return str(page.part("citation", items=items, narrative=meta["narrative"], card=card)).strip("\n")


def _reference(key: str, env: Any) -> Reference | None:
    """Return the work as this article numbers it; None was reported, and without --strict shows as its key."""
    known = env.setdefault("references", {})
    if key not in known:
        page = env["page"]
        cited = page.document.citations
        found = key in cited and key in page.bibliography
        known[key] = format_reference(page.bibliography[key], cited.index(key) + 1) if found else None
    reference: Reference | None = known[key]
    return reference
