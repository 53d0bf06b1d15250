"""kramdown, the Markdown of Jekyll: what our Markdown writes differently."""

from __future__ import annotations

import re

from .liquid import Complain, line_of
from .shelter import Shelter, displayed, equation_label, inline

__all__ = ["hide_code", "hide_mathematics", "rewrite"]

_FENCE = re.compile(
    r"^([ \t>]*)(`{3,}|~{3,})[ \t]*([^\n`]*)\n(.*?)(?:^[ \t>]*\2[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_CODE = re.compile(r"(?<![`\\])(`+)(?!`)((?:(?!\n[ \t]*\n).)+?)(?<!`)\1(?!`)", re.DOTALL)
_AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^\s<>]+>|<[\w.+-]+@[\w.-]+\.\w+>")
_ALONE = re.compile(
    r"^([ \t]*)(?:\$\$((?:(?!\$\$|\n[ \t]*\n).)+?)\$\$|\\\\\[((?:(?!\n[ \t]*\n).)+?)\\\\\])[ \t]*([.,;:]?)[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_LINES = re.compile(r"^([ \t]*)\$\$[ \t]*\n((?:(?!\$\$).)+?)\n[ \t]*\$\$([.,;:]?)[ \t]*$", re.DOTALL | re.MULTILINE)
_DOUBLE = re.compile(r"(?<!\\)\$\$((?:(?!\$\$|\n[ \t]*\n).)+?)\$\$", re.DOTALL)
_PARENTHESES = re.compile(r"\\\\?\(((?:(?!\n[ \t]*\n|\\\().)+?)\\\\?\)", re.DOTALL)
_BRACKETS = re.compile(r"\\\\\[((?:(?!\n[ \t]*\n).)+?)\\\\\]", re.DOTALL)
_BODY = r"((?:\\.|(?!\n[ \t]*\n)[^$\\])+?)"
_SINGLE = re.compile(rf"(?<![\\$\d])\$(?:(?![\s$]){_BODY}(?<!\s)|(?=\s){_BODY}(?<=\s))\$(?![\d$])", re.DOTALL)
_ENVIRONMENT = re.compile(
    r"^[ \t]*(\\begin\{(align|equation|gather|multline|eqnarray)(\*?)\}.*?\\end\{\2\3\})[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_REFERENCE = re.compile(r"\$?\\(?:eq)?ref\{([^{}]+)\}\$?")

_TOC = re.compile(
    r"^[ \t]*(?:[-*+]|\d+\.)[ \t]+[^\n]*\n\{:[ \t]*toc[^}]*\}[ \t]*$|^\{:[ \t]*toc[^}]*\}[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_BOX = re.compile(r"(?<=\n)\n((?:>[^\n]*\n)+)\{:[ \t]*\.block-(tip|warning|danger)[ \t]*\}[ \t]*$", re.MULTILINE)
_ATTRIBUTES = re.compile(r"\{:((?:\"[^\"]*\"|[^}\n])*)\}")
_EXTENSION = re.compile(r"\{::?/?(?:nomarkdown|comment|options)?[^}\n]*\}")
_UNDERLINED = re.compile(r"(?<=\n\n)([^\s>#|*+-][^\n]*)\n(=+|-{3,})[ \t]*$", re.MULTILINE)
_ABBREVIATION = re.compile(r"^\*\[([^\]\n]+)\]:[^\n]*$", re.MULTILINE)


def hide_code(text: str, shelter: Shelter) -> str:
    """Put fenced code, code in sentences and addresses in angles aside."""

    def fence(found: re.Match[str]) -> str:
        margin, ticks, info, code = found[1], found[2], found[3].strip(), found[4]
        language = re.match(r"\{?\.?([\w+#-]*)", info)
        lines = [line.removeprefix(margin) for line in code.splitlines()]
        mark = ticks if ticks[0] == "`" else "`" * len(ticks)
        written = "\n".join([f"{mark}{language[1] if language else ''}", *lines, mark])
        return margin + shelter.keep(written, found[0])

    text = _FENCE.sub(fence, text)
    text = shelter.replace(_CODE, lambda found: found[0], text)
    return shelter.replace(_AUTOLINK, lambda found: found[0], text)


def hide_mathematics(text: str, shelter: Shelter) -> str:
    r"""Put formulas aside, as ours are written.

    kramdown writes all of them between two dollars: those on lines of their own are displayed. `\\(…\\)` and `\\[…\\]`
    are MathJax', `$…$` KaTeX' where a page turns it on; there it is mathematics if it looks like it.
    """

    def alone(found: re.Match[str]) -> str:
        tex = (found[2] or found[3]).rstrip() + found[4]
        return found[1] + shelter.keep(displayed(tex), found[0])

    def lines(found: re.Match[str]) -> str:
        return found[1] + shelter.keep(displayed(found[2].rstrip() + found[3]), found[0])

    def single(found: re.Match[str]) -> str | None:
        if found[1] is None and not re.search(r"[\\^_=]|^\s*[A-Za-z]\s*$", found[2]):
            return None
        return inline(found[1] or found[2])

    text = _LINES.sub(lines, _ALONE.sub(alone, text))
    text = shelter.replace(_ENVIRONMENT, lambda found: displayed(found[1]), text)
    text = shelter.replace(_DOUBLE, lambda found: inline(found[1]), text)
    text = shelter.replace(_BRACKETS, lambda found: f"\n{displayed(found[1])}\n", text)
    text = shelter.replace(_PARENTHESES, lambda found: inline(found[1]), text)
    text = shelter.replace(_REFERENCE, lambda found: f"@{equation_label(found[1])}", text)
    return shelter.replace(_SINGLE, single, text)


def _box(found: re.Match[str]) -> str:
    """Return a callout of al-folio's, a quotation with a class, in ours; its fence stands where the empty line was."""
    lines = [re.sub(r"^> ?", "", line) for line in found[1].rstrip("\n").split("\n")]
    title = re.match(r"#{1,6}[ \t]+(.*)", lines[0])
    name = {"danger": "caution"}.get(found[2], found[2])
    words = title[1].strip() if title and title[1].strip().casefold() != found[2] else ""
    return "\n".join([f":::{{{name}}} {words}".rstrip(), *([""] if title else lines[:1]), *lines[1:], ":::"])


def rewrite(text: str, complain: Complain) -> str:
    """Return a text without what only kramdown has: tables of contents, attributes in `{: }`, abbreviations.

    Underlined titles become those with number signs. There are as many lines as before.
    """
    text = _UNDERLINED.sub(lambda found: f"{'#' if found[2][0] == '=' else '##'} {found[1]}\n", text)
    text = _TOC.sub(lambda found: "\n" * found[0].count("\n"), text)
    text = _BOX.sub(_box, text)

    def attributes(found: re.Match[str]) -> str:
        anchor = re.search(r"#([\w:.-]+)", found[1])
        head = found.string[: found.start()]
        title, before = head.rpartition("\n")[2], head.rstrip("\n").rpartition("\n")[2]
        if anchor and title.startswith("#"):
            return f"{{#{anchor[1]}}}"
        if anchor and not title and before.startswith("#"):
            return f"\ue002{{#{anchor[1]}}}"
        rest = re.sub(
            r"(?:target|rel|style|width|height)=(?:\"[^\"]*\"|\S+)|\.(?:language-\S+|no_toc)|#\S+", "", found[1]
        ).strip()
        if rest:
            complain(f"unsupported attributes: {{: {rest}}}", line_of(found))
        return ""

    text = _ATTRIBUTES.sub(attributes, text)
    text = re.sub(r"[ \t]*\n\ue002(\{[^}]*\})", r" \1\n", text)  # as many lines as before
    text = _EXTENSION.sub("", text)

    def abbreviation(found: re.Match[str]) -> str:
        complain(f"unsupported abbreviation: {found[1]}", line_of(found))
        return ""

    return _ABBREVIATION.sub(abbreviation, text)
