"""Citations: Pandoc's `[@key]` and `@key`, Distill's `<d-cite>`, and MyST's `{cite:p}` and `{cite:t}`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from ..bibliography.reference import Reference

__all__ = ["Cited", "cite_plugin"]

KEY = r"(?:\{[^{}\s]+\}|\w(?:(?:\w|[:.#$%&+?<>~/-](?=\w))*[^\W_])?)"
"""Pandoc's grammar of keys: single punctuation marks within; braces around anything else."""

LABEL = re.compile(r"(?:fig|eq|sec|tbl)-")
"""What `reference.py` reads: labels of figures, equations, sections and tables."""

_ITEM = re.compile(
    rf"(?P<prefix>(?:[^@]*[\s(\[“‘\"'—–])??)(?P<minus>-?)@(?P<key>(?>{KEY}))(?P<suffix>(?:[^@]|(?<=\w)@)*)", re.DOTALL
)
_BARE = re.compile(rf"@((?>{KEY}))(?!@)")
_BRACKET = re.compile(r"\\.|(`+)(?!`).*?(?<!`)\1(?!`)|[\[\]]", re.DOTALL)
_LONGEST = 1000
"""No citation has more characters between its brackets; it is not looked for any further."""
_BEFORE = re.compile(r"[\s(\[{\"'“‘«—–*_]")
_PLACE = r"(?:pp?\.|chap\.?|chapter|ch\.|secs?\.|section|figs?\.|figure|eqs?\.|tables?|vol\.|app\.|appendix|[§¶\d])"
_PINPOINT = re.compile(rf"\s?\[({_PLACE}[^\[\]@]*)\](?![(\[:{{])", re.IGNORECASE)
_POINTS = re.compile(rf"\s*(?:,|{_PLACE})", re.IGNORECASE)
_ELEMENT = re.compile(
    r"<dt?-cite((?:\s+[\w-]+(?:\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=]+))?)++)\s*(?:/\s*>|>(?:[^<\n]*</dt?-cite\s*>)?)",
    re.IGNORECASE,
)
_KEYS = re.compile(r"\s(?:bibtex-)?key\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+))", re.IGNORECASE)
_ROLE = re.compile(r"\{cite(?::([a-z]+))?\}(`+)(?!`)([^`]+)\2(?!`)")
_ROLE_ITEM = re.compile(r"\s*(?:\{([^{}]*)\}\s*)?@?([^\s{};,]+)\s*(?:\{([^{}]*)\}\s*)?(?:[;,]|\Z)")
ROLES = {"p": False, "ps": False, "t": True, "ts": True, "year": False, "yearpar": False}
"""MyST's roles, and whether each names the authors in the sentence; `year` and `yearpar` leave them out."""


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

    In the style of author and year these are (Olsson et al., 2022), (Olsson et al., 2022; Vig, 2019),
    (see Olsson et al., 2022, p. 3; also Vig, 2019), Olsson et al. (2022) showed, Olsson et al. (2022, p. 3),
    Olsson (2022), and again (Olsson et al., 2022; Vig, 2019). Numbers stay as they are written, and are not drawn
    together to 1–3, so that each is a link to its work.

    Nothing is a citation in code, links, addresses, e-mail, after a letter or digit, or after a backslash.
    Tokens: `citation`, content as written, `meta`: items (each key, prefix, locator, suppress_author), narrative,
    bare (`@key` without brackets, which may turn out to be no citation), raw, unknown_role. A citation is
    `parts/citation.html` (`items`: `Cited`; `narrative`, `card`), its card `parts/citation_card.html` (`id`,
    `references`) in `env["cards"]`. `env["citing"]` holds the ids of all citing places by key, for the links back.
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
    """With the comma or space before it."""
    suppress_author: bool = False
    follows_author: bool = False
    """Whether the work before it, of the same people, has named them: (Alammar, 2020, 2021)."""


def _group(state: StateInline, silent: bool) -> bool:
    """`[see @a, p. 3; @b]`, unless it is the text of a link or within one."""
    if state.src[state.pos] != "[" or state.linkLevel or silent:  # silent: a link may end further on
        return False
    content = _bracketed(state.src[state.pos : min(state.pos + _LONGEST, state.posMax)])
    close = state.pos + len(content) + 1
    if "@" not in content or _is_link(state, content, close + 1):
        return False
    found = [_ITEM.fullmatch(part.strip()) for part in content.split(";") if part.strip()]
    matches = [match for match in found if match is not None]
    if len(matches) < len(found) or not all(map(_is_cited, matches)):
        return False
    items = [_item(match["key"], match["prefix"], match["suffix"], bool(match["minus"])) for match in matches]
    return _push(state, False, close + 1, items)


def _bracketed(text: str) -> str:
    """Return what stands between the bracket that a text begins with and the one that closes it, or nothing."""
    depth = 0
    for found in _BRACKET.finditer(text):
        depth += {"[": 1, "]": -1}.get(found[0], 0)
        if depth == 0:
            return text[1 : found.start()]
        if depth > 3:
            return ""
    return ""


def _is_cited(match: re.Match[str]) -> bool:
    """Whether an item names a work: not a figure, and not within code or brackets of its own."""
    prefix = match["prefix"]
    return not LABEL.match(match["key"]) and "`" not in prefix and prefix.count("[") == prefix.count("]")


def _is_link(state: StateInline, content: str, end: int) -> bool:
    """Whether what stands in brackets is the text of a link: `[@a](…)`, or of one that is defined elsewhere."""
    following = state.src[end : min(end + 1, state.posMax)]
    if following == "(":
        return True
    known = state.env.get("references", {})
    if not known:
        return False
    named = state.src[end + 1 : state.src.find("]", end)] if following == "[" else ""
    return normalizeReference(named or content) in known


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
    item = _item(found[1], "", f", {pinpoint[1]}" if pinpoint else "")
    return _push(state, silent, (pinpoint or found).end(), [item], narrative=True, bare=True)


def _element(state: StateInline, silent: bool) -> bool:
    """`<d-cite key="a,b"></d-cite>`."""
    found = _ELEMENT.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "<" else None
    keys = _KEYS.search(found[1]) if found and not state.linkLevel else None
    if found is None or keys is None:
        return False
    items = [
        _item(key.strip().lstrip("@"), "", "")
        for key in (keys[1] or keys[2] or keys[3] or "").split(",")
        if key.strip()
    ]
    return bool(items) and _push(state, silent, found.end(), items)


def _role(state: StateInline, silent: bool) -> bool:
    """MyST's roles: `t` names the authors. A key may have a prefix and a locator: `{see}key{p. 3}`."""
    found = _ROLE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    if found is None or state.linkLevel:
        return False
    role, items, position = found[1] or "p", [], 0
    while match := _ROLE_ITEM.match(found[3], position):
        items.append(_item(match[2], match[1] or "", f", {match[3]}" if match[3] else "", role.startswith("year")))
        position = match.end()
    if not items or position < len(found[3].rstrip()):
        return False
    unknown = "" if role in ROLES else role
    return _push(state, silent, found.end(), items, narrative=ROLES.get(role, False), unknown_role=unknown)


def _item(key: str, prefix: str, suffix: str, suppress_author: bool = False) -> dict[str, Any]:
    key = key[1:-1] if key.startswith("{") else key
    return {
        "key": key,
        "prefix": " ".join(_dashes(prefix).split()),
        "locator": " ".join(_dashes(suffix).split()).removeprefix(",").strip(),
        "joint": ", " if not suffix or _POINTS.match(suffix) else " " if suffix[0].isspace() else "",
        "suppress_author": suppress_author,
    }


def _dashes(text: str) -> str:
    """Return `pp. 3–9` for `pp. 3-9` and for `pp. 3--9`."""
    return re.sub(r"(?<=\d)-(?=\d)", "–", text.replace("---", "—").replace("--", "–"))


def _keep_together(locator: str) -> str:
    """Return `p. 3` such that no line ends within it."""
    return re.sub(r"(?<=[.§]) (?=\d)", "\u00a0", locator)


def _push(
    state: StateInline,
    silent: bool,
    end: int,
    items: list[dict[str, Any]],
    narrative: bool = False,
    bare: bool = False,
    unknown_role: str = "",
) -> bool:
    if not silent:
        token = state.push("citation", "", 0)
        token.content = raw = state.src[state.pos : end]
        token.meta = {"items": items, "narrative": narrative, "bare": bare, "raw": raw, "offset": state.pos}
        token.meta["unknown_role"] = unknown_role
    state.pos = end
    return True


def _render(_self: Any, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
    """Render a citation, note its place for the links back, and leave its card in `env["cards"]`."""
    meta, page = tokens[index].meta, env["page"]
    known = env.get("cited")
    if known is None:
        known = env["cited"] = {reference.key: reference for reference in page.references}
    items: list[Cited] = []
    for item in meta["items"]:
        places = env.setdefault("citing", {}).setdefault(item["key"], [])
        places.append(f"cite-{item['key']}-{len(places) + 1}")
        items.append(_cited(item, known.get(item["key"]), places[-1], items[-1] if items else None))
    references = tuple({cited.key: cited.reference for cited in items if cited.reference}.values())
    card = "card-" + "+".join(reference.key for reference in references) if references else None
    if card and card not in env["cards"]:
        env["cards"][card] = page.part("citation_card", id=card, references=references)
    noted = any(cited.prefix or cited.locator for cited in items)
    return str(page.part("citation", items=items, narrative=meta["narrative"], noted=noted, card=card)).strip("\n")


def _cited(item: Mapping[str, Any], reference: Reference | None, anchor: str, before: Cited | None) -> Cited:
    """Return a work at a citing place; one that is not known was reported, and without --strict shows as its key."""
    locator = item["locator"] and item["joint"] + _keep_together(item["locator"])
    follows = bool(
        reference
        and before
        and before.reference
        and reference.who == before.reference.who
        and not (before.locator or before.suppress_author or item["prefix"] or item["suppress_author"])
    )
    return Cited(item["key"], reference, anchor, item["prefix"], locator, item["suppress_author"], follows)
