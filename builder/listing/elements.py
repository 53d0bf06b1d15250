"""Which elements and attributes a feed carries, and what of a page is for readers of the page itself."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ATTRIBUTES", "CHROME", "DROPPED", "EVERYWHERE", "KNOWN", "MATH", "NOT_OF_MATH", "ROLES", "RUNNING", "VOID"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOID = _names("br col hr img source track wbr")

KNOWN = _names("""
    address article aside audio blockquote br caption col colgroup dd del details div dl dt figcaption figure h2 h3 h4
    h5 h6 hr iframe img ins li ol p picture pre section source summary table tbody td tfoot th thead tr track ul video
    a abbr b bdi bdo cite code data dfn em i kbd mark q rp rt ruby s samp small span strong sub sup time u var wbr
""")

MATH = _names("""
    math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt
    mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none
""")

DROPPED = _names("""
    annotation base button canvas datalist dialog embed fieldset head input link meta nav noscript object optgroup
    option output progress script search select style svg template textarea
""")
"""Elements that go with all that is in them. What is not known and not among these goes alone: its text stays."""

CHROME = _names("""
    card cards cite-as controls figure-follows figure-method footnote-backlinks heading-anchor heads legend only-dark
    reference-backlinks strip-key
""")
"""Classes of what is there for a reader with a pointer, or repeats what stands elsewhere."""

RUNNING = _names("token space newline tab code-point")
"""Classes of spans that follow one another as letters do."""

ROLES = {"grid": "table", "row": "tr", "gridcell": "td", "columnheader": "th", "rowheader": "th"}
"""A grid of boxes is a table where no style sheet lays it out."""

ATTRIBUTES: Mapping[str, set[str]] = {
    "a": {"href"},
    "audio": {"src", "controls"},
    "col": {"span"},
    "data": {"value"},
    "details": {"open"},
    "iframe": {"src", "width", "height", "allowfullscreen"},
    "img": {"src", "srcset", "sizes", "alt", "width", "height"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "source": {"src", "srcset", "sizes", "type", "media"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "track": {"src", "kind", "srclang", "label"},
    "video": {"src", "poster", "controls", "width", "height"},
}
EVERYWHERE = {"title", "lang", "dir"}
NOT_OF_MATH = {"class", "style", "id", "href", "src"}
