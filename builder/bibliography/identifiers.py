"""DOIs, arXiv numbers and web addresses as authors write them, made into links that are safe to print."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

__all__ = ["Eprint", "find_arxiv", "find_doi", "find_eprint", "find_url"]

# https://www.crossref.org/blog/dois-and-matching-regular-expressions/
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")
# https://info.arxiv.org/help/arxiv_identifier.html
_ARXIV = re.compile(
    r"(?:(?<=arxiv\.)|(?<![\w.]))(\d{4}\.\d{4,5}|[a-z][a-z-]+(?:\.[A-Z]{2})?/\d{7})(v\d+)?(?!\w|\.\d)", re.IGNORECASE
)
_URL = re.compile(r"https?://[^\s\"<>{}|\\^`]+", re.IGNORECASE)


def find_doi(text: str) -> str | None:
    """Return the DOI in a text (`10.…`, `doi:10.…`, `https://doi.org/10.…`), or None."""
    found = _DOI.search(_untex(text).replace("%2F", "/").replace("%2f", "/"))
    return found[0].rstrip(".,;") if found else None


def find_arxiv(text: str) -> str | None:
    """Return the arXiv number in a text (`arXiv:2209.11895`, `CoRR abs/1706.03762`, an address), or None."""
    found = _ARXIV.search(text, 0, 1000)  # in a longer text it is no more than mentioned
    return found[0] if found else None


@dataclass(frozen=True)
class Eprint:
    """A work in an archive: what its link says, and where it leads."""

    text: str
    url: str


_ARCHIVES = {  # what an archive's numbers look like, its name, and where they lead
    "hal": (re.compile(r"[a-z]+-\d{6,}(?:v\d+)?"), "HAL", "https://hal.science/"),
    "jstor": (re.compile(r"[\w./-]+"), "JSTOR", "https://www.jstor.org/stable/"),
    "pubmed": (re.compile(r"\d+"), "PubMed", "https://pubmed.ncbi.nlm.nih.gov/"),
    "pmc": (re.compile(r"PMC\d+"), "PMC", "https://pmc.ncbi.nlm.nih.gov/articles/"),
    "hdl": (re.compile(r"[\d.]+/\S+"), "hdl", "https://hdl.handle.net/"),
    "googlebooks": (re.compile(r"[\w-]+"), "Google Books", "https://books.google.com/books?id="),
}
_OTHER_NAMES = {"pmid": "pubmed", "hal_id": "hal", "hal-id": "hal", "pmcid": "pmc", "handle": "hdl"}


def find_eprint(fields: Mapping[str, str]) -> Eprint | None:
    """Return where a work is in an archive other than arXiv, if its fields say so in a way that can be linked."""
    archive = (fields.get("eprinttype") or fields.get("archiveprefix") or "").lower()
    given = [(archive, fields.get("eprint", "")), *((name, fields.get(name, "")) for name in _OTHER_NAMES)]
    for name, number in given:
        known = _ARCHIVES.get(_OTHER_NAMES.get(name, name))
        if known and number and (found := known[0].fullmatch(_untex(number).strip())):
            return Eprint(f"{known[1]}:{found[0]}", known[2] + quote(found[0], safe="/"))
    return None


def find_url(text: str) -> str | None:
    r"""Return the http or https address in a text, `\url{}` and TeX's escapes undone, or None.

    Anything else, `javascript:` above all, is not an address. The result has only characters that may stand in one.
    """
    found = _URL.search(_untex(text))
    if not found:
        return None
    url = found[0].rstrip(".,;")
    try:
        if not urlsplit(url).hostname:
            return None
    except ValueError:
        return None
    return quote(url, safe="/:?#[]@!$&'()*+,;=-._~%")


def _untex(text: str) -> str:
    text = re.sub(r"\\(?:url|href|path|nolinkurl)\s*\{([^{}]*)\}", r" \1 ", text)
    text = re.sub(r"\{?\\textasciitilde\s*(?:\{\})?\}?|\\~\{\}|\$\\sim\$", "~", text)
    return re.sub(r"\\([_%&#$~])", r"\1", text)
