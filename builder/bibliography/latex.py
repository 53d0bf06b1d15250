r"""The text of a BibTeX field as plain Unicode: `{\'E}cole` is École, `{BERT}` is BERT, `1--9` is 1–9."""

from __future__ import annotations

import codecs
import re
import unicodedata

__all__ = ["plain"]

# https://www.bibtex.com/s/special-characters/ ; the combining character of each accent command
ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
    "b": "\u0331",
}
LETTERS = {
    "aa": "å", "AA": "Å", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł",
    "ss": "ß", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "dj": "đ", "DJ": "Đ", "th": "þ", "TH": "Þ", "ng": "ŋ",
    "textendash": "–", "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "textquotedblleft": "“",
    "textquotedblright": "”", "textunderscore": "_", "ldots": "…", "textasciicircum": "^",
    "dots": "…", "textellipsis": "…", "S": "§", "P": "¶", "copyright": "©", "pounds": "£", "euro": "€", "TeX": "TeX",
    "LaTeX": "LaTeX", "times": "×", "cdot": "·", "to": "→", "rightarrow": "→", "infty": "∞", "ell": "ℓ",
    "textregistered": "®", "texttrademark": "™", "textdegree": "°", "approx": "≈", "le": "≤", "leq": "≤", "ge": "≥",
    "geq": "≥", "neq": "≠", "pm": "±", "propto": "∝", "cdots": "⋯", "circ": "∘", "star": "⋆", "dagger": "†",
    "textquotesingle": "'", "slash": "/", "LaTeXe": "LaTeX2ε", "sim": "∼", "sqrt": "√", "mid": "|",
    "log": "log", "exp": "exp", "max": "max", "min": "min", "sin": "sin", "cos": "cos",
}  # fmt: skip
_APART = {  # what mathematics has spaces around; TeX forgets those that are written
    "log", "exp", "max", "min", "sin", "cos", "mid", "le", "leq", "ge", "geq", "neq", "to", "rightarrow", "approx",
    "propto", "times", "sim",
}  # fmt: skip
WRAPPERS = re.compile(  # commands whose argument is what is read
    r"em|emph|enquote|ensuremath|hbox|mbox|mkbib(?:emph|bold|italic|quote)|path|relax|url|bf|it|rm|sc|sl|tt|"
    r"text(?:bf|it|md|normal|rm|sc|sf|sl|tt|up)?|math(?:bb|bf|cal|it|rm|sf|tt)|operatorname|uppercase"
)
DROPPED = re.compile(  # \noopsort{1973a} exists to sort, not to be read; others place what is no text
    r"\\(?:noop[a-z]*|raisebox|[hv]space\*?|includegraphics)\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}"
)

_TRIVIAL = re.compile(r"(?:[^\\{}$~`'\-\s]|(?<!\s) (?=\S)|-(?!-)|'(?!'))*")
_ACCENT = re.compile(
    r"""\\(?:(["'`^~=.])\s*|([uvHcdbrk])(?:\s+|(?=[{\\])))   # \"o, \v{c}, \c c
        (?:\{\s*(\\?[^\W\d_])\s*\}|(\\[ij](?![A-Za-z])|[^\W\d_]))""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\([&%$#_{}])")
_COMMAND = re.compile(r"\\([A-Za-z]+)(?:\s*\{\}|\s+(?=[^{\s])|(?=\{)|\b|)")
_VERBATIM = re.compile(r"\\(?:url|path|nolinkurl)\s*\{[^{}]*\}")
_SCRIPT = re.compile(r"([\^_])(?:\{([-+]?\d+|n|st|nd|rd|th)\}|(\d|n))")
_TEXT_SCRIPT = re.compile(r"\\textsu(b|per)script\s*\{(\d+)\}")
_SUPERSCRIPT = str.maketrans("0123456789-+n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ")
_SUBSCRIPT = str.maketrans("0123456789-+n", "₀₁₂₃₄₅₆₇₈₉₋₊ₙ")
_PROTECT = 0xE000  # private use: keeps an escaped brace from being taken for a brace
LETTERS |= {
    name: chr(_PROTECT + ord(letter))
    for name, letter in {
        "textasciigrave": "`", "textasciitilde": "~", "textbackslash": "\\", "textbraceleft": "{",
        "textbraceright": "}",
    }.items()
}  # fmt: skip


def plain(tex: str) -> str:
    r"""Return the text of a field with accents composed, braces gone and spaces made single. It is not HTML.

    Commands that wrap their argument (`\emph{x}`) leave the argument; unknown ones disappear.

    >>> plain(r"Schr{\"o}dinger and {\L}ukasz's {BERT}---\emph{a} test, 3--4")
    "Schrödinger and Łukasz's BERT—a test, 3–4"
    """
    if _TRIVIAL.fullmatch(tex):
        return tex
    text = DROPPED.sub("", unicodedata.normalize("NFC", tex))
    text = re.sub(r"\\href\s*\{[^{}]*\}", "", text)
    text = _ESCAPED.sub(lambda found: chr(_PROTECT + ord(found[1])), text)
    text = _VERBATIM.sub(lambda found: found[0].replace("~", chr(_PROTECT + ord("~"))), text)
    text, _ = _ACCENT.subn(_compose, text)
    text, _ = _ACCENT.subn(_compose, text)  # one above another: \~{\^e}
    text = re.sub(r"\$([^$]*)\$", lambda found: _SCRIPT.sub(_script, found[1]), text)
    text = _TEXT_SCRIPT.sub(_text_script, text)
    text = re.sub(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"\1/\2", text)
    text = re.sub(r"\\(?:\\|[ ,;:])", " ", text)
    text = re.sub(r"\\[-/!]", "", text)
    text = _COMMAND.sub(_letter, text)
    text = text.replace("~", "\u00a0").replace("---", "—").replace("--", "–")
    text = text.replace("``", "“").replace("''", "”")
    text = re.sub(r"`([^`']*)'(?!\w)", r"‘\1’", text).replace("`", "‘")
    text = re.sub(r"[{}]|\\(?=\W|$)", "", text)
    text = re.sub(f"[{chr(_PROTECT)}-{chr(_PROTECT + 127)}]", lambda found: chr(ord(found[0]) - _PROTECT), text)
    return re.sub(r"[^\S\u00a0]+", " ", text).strip()


def _compose(found: re.Match[str]) -> str:
    accent = ACCENTS[found[1] or found[2]]
    base = (found[3] or found[4]).lstrip("\\")  # an accent over \i replaces its dot anyway
    return unicodedata.normalize("NFC", base + accent)


def _script(found: re.Match[str]) -> str:
    text = found[2] or found[3]
    if text in ("st", "nd", "rd", "th"):  # $8^{th}$ is 8th
        return text
    return text.translate(_SUPERSCRIPT if found[1] == "^" else _SUBSCRIPT)


def _text_script(found: re.Match[str]) -> str:
    return found[2].translate(_SUPERSCRIPT if found[1] == "per" else _SUBSCRIPT)


def _letter(found: re.Match[str]) -> str:
    """Return what a command stands for: a letter of ours, one that latexcodec knows, or nothing."""
    name = found[1]
    if name in LETTERS or WRAPPERS.fullmatch(name):
        apart = name in _APART and found[0][-1].isspace()
        return LETTERS.get(name, "") + (" " if apart else "")
    import latexcodec  # noqa: F401 - registers the codec; its tables take 40 ms to load, so only when they are needed

    for form in (f"$\\{name}$", f"\\{name}"):
        text: str = codecs.getdecoder("ulatex")(form)[0].strip()  # type: ignore[arg-type]  # str in, str out
        if "\\" not in text:
            return text
    return ""
