"""Citations in an article: what is one, what is not, and what the page makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from markdown_it import MarkdownIt

from builder.directives.cite import cite_plugin


def citations(text: str) -> list[dict[str, Any]]:
    """Return the `meta` of all citations in a text, at any depth."""
    md = MarkdownIt("js-default").use(cite_plugin)
    return [
        child.meta
        for token in md.parse(text)
        if token.type == "inline"
        for child in token.children or ()
        if child.type == "citation"
    ]


def short(meta: dict[str, Any]) -> str:
    """Return a citation as one line: `prefix|key|locator; …`, narrative ones with `@` before."""
    items = "; ".join("|".join((item["prefix"], item["key"], item["locator"])).strip("|") for item in meta["items"])
    return f"@{items}" if meta["narrative"] else items


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[@a]", ["a"]),
        ("[@a; @b]", ["a; b"]),
        ("[@a;@b ;\n@c]", ["a; b; c"]),
        ("[see @a, p. 3; also @b]", ["see|a|p. 3; also|b"]),
        ("[e.g., @a, pp. 3--9, and passim]", ["e.g.,|a|pp. 3–9, and passim"]),
        ("[-@a]", ["a"]),
        ("[see -@a]", ["see|a"]),
        ("@a says", ["@a"]),
        ("As @a, and (@b).", ["@a", "@b"]),
        ("@a's and *@b* and “@c”", ["@a", "@b", "@c"]),
        ("@a [p. 3] and @b [§2]", ["@a|p. 3", "@b|§2"]),
        ("@a [a link](https://x.org)", ["@a"]),
        ("@doe_2020:a-b.", ["@doe_2020:a-b"]),
        ("[@doi:10.1000/x.y]", ["doi:10.1000/x.y"]),
        ("[@{odd key!}] @{https://x.org/1}", ["@https://x.org/1"]),
        ("@müller2020", ["@müller2020"]),
        ('<d-cite key="a,b"></d-cite>', ["a; b"]),
        ('<d-cite key="a, b,">[1]</d-cite> <d-cite class="x" key=a>', ["a; b", "a"]),
        ("<d-cite bibtex-key='a'/> <dt-cite key='b'></dt-cite>", ["a", "b"]),
        ("{cite:p}`a,b` {cite:t}`a` {cite}`b`", ["a; b", "@a", "b"]),
        ("{cite:p}`{see}a{p. 3}; b` {cite:year}`a`", ["see|a|p. 3; b", "a"]),
        ("[@a p. 3] [@a and others] [@a, see me@x.org]", ["a|p. 3", "a|and others", "a|see me@x.org"]),
        ("[@a, p. 3 [sic]; @b;]", ["a|p. 3 [sic]; b"]),
        ("[see [@a]] [[@b]]", ["a", "b"]),
        ("_@a_ **@b** [@a_b]", ["@a", "@b", "a_b"]),
        ("[@a", ["@a"]),
        ("[@a][@b] [x](https://x.org/@y) [@a]{.x}", ["a", "b", "a"]),
        ("| x |\n|---|\n| [@a] |", ["a"]),
    ],
)
def test_a_citation_is_read(text: str, expected: list[str]) -> None:
    """Pandoc's, Distill's and MyST's ways of writing one."""
    assert [short(meta) for meta in citations(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "me@example.org",
        "<me@example.org>",
        "[mail me@example.org]",
        "git@github.com:x/y.git",
        "https://example.org/@user",
        "<https://example.org/@user>",
        "https://x.org/?q=@user",
        "@user@example.social",
        "`@code` and ``[@code]``",
        "    @indented",
        "```\n[@a]\n```",
        r"\@a and [\@a]",
        "[@a](https://example.org)",
        "[see @a](https://example.org)",
        "[@a][there]\n\n[there]: https://example.org",
        "[@a]\n\n[@a]: https://example.org",
        "[x [@a] y](https://example.org)",
        "[see `@a`] [see ` @a`]",
        "@ a, @, [@], [@ a]",
        "pytest.mark.@x",
        "a/@b",
        "<d-cite></d-cite>",
        '<d-cite key=""></d-cite>',
        "@fig-x, @eq-x, @sec-x, @tbl-x",
        "[@fig-x; @eq-y]",
        "{cite:p}` `",
    ],
)
def test_nothing_else_is_a_citation(text: str) -> None:
    """A bare `@` in addresses, handles and code raises no alarm; labels are read by another rule."""
    assert citations(text) == []


def test_how_far_apart_brackets_are_does_not_matter_to_the_time_it_takes() -> None:
    """Brackets that nothing closes are not looked through again from each of them."""
    assert citations("[see " * 3000 + "@a]")[-1]["items"][0]["key"] == "a"
    assert len(citations("[@a;" * 3000 + "]")) == 3000


def test_a_bare_key_can_be_given_back_as_text() -> None:
    """The document turns an unknown `@handle` into text again: the token says how it was written, and where."""
    (meta,) = citations("Follow @handle [p. 2] there")
    assert meta["bare"]
    assert meta["raw"] == "@handle [p. 2]"
    assert meta["offset"] == 7
    assert not citations("[@handle]")[0]["bare"]
