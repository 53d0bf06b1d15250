"""Mistakes: each is told at its place, all in one go, and what is right is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from builder.document import Document

Parse = Callable[..., Document]
Told = Callable[[Document], list[str]]


def test_the_seven_planted_mistakes_come_out_together(parsed: Parse, told: Told) -> None:
    """publishing.md: of eleven generators none reports all seven. Each has its line and column here."""
    body = """
A claim [see @olson2022, p. 3] and $a + \\nope$.

Then ![a plot](rnak.png), a [link](../nowhere/#x) and a note[^two].

:::{figur} rank.png
:::

[^tow]: A note.
"""
    assert told(parsed(body, front="title: x\ndate: [2025")) == [
        "3:12: invalid YAML: expected ',' or ']', but got '<stream end>' (is a ] missing?)",
        "6:14: unknown citation: olson2022 (did you mean olsson2022?)",
        "6:41: unknown TeX command: \\nope",
        "8:6: missing picture: rnak.png (did you mean rank.png?)",
        "8:29: broken link: ../nowhere/#x",
        "8:61: unknown footnote: two (did you mean tow?)",
        "10:5: unknown directive: figur (did you mean figure?)",
        "13:1: warning: missing mark: nothing in the text calls the footnote [^tow]",
    ]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "See @fig-rank.\n\n:::{figure}\n:analysis: x\n:label: fig-ranks\n:::\n",
            "4:5: unknown label: fig-rank (did you mean fig-ranks?)",
        ),
        ("As [@sec-a; -@tbl-b].\n\n## A {#sec-a}\n", "4:13: unknown label: tbl-b"),
        ("> quoted\n> and [@vig2018]\n", "5:8: unknown citation: vig2018 (did you mean vig2019?)"),
        ("| a |\n|---|\n| @vig2018 |\n", "6:3: unknown citation: vig2018 (did you mean vig2019?)"),
        ("- x\n\n  See @vig2018.\n", "6:7: unknown citation: vig2018 (did you mean vig2019?)"),
        ("A[^n].\n\n[^n]: Note\n    of @vig2018.\n", "7:8: unknown citation: vig2018 (did you mean vig2019?)"),
        ("$$\na\n  + \\nope\n$$ {#eq-a}\n", "6:5: unknown TeX command: \\nope"),
        ("$$x$$ {#a}\n", "4:1: invalid label: a (did you mean eq-a?)"),
        ("## A {#fig-a}\n", "4:1: invalid label: fig-a (did you mean sec-fig-a?)"),
        ("A [a](#non)\n\n## Nope!\n\n## None {#none}", "4:3: broken link: #non (did you mean none?)"),
        ("[a](other.md)\n", "4:1: broken link: other.md (did you mean ../the-other/?)"),
        ("[a](../the-othr/)\n", "4:1: broken link: ../the-othr/ (did you mean ../the-other/?)"),
        ("[a](../../../../etc/passwd)\n", "4:1: invalid link: ../../../../etc/passwd leaves the site"),
        ("[a](../../.git/config)\n", "4:1: invalid link: ../../.git/config is hidden"),
        (
            "![](rank.png)\n",
            '4:1: missing alt text: say what rank.png shows, ![here](rank.png), or {alt=""} where it says nothing',
        ),
        ("| a | b |\n|---|\n| 1 | 2 |\n", "4:1: invalid table: its head has 2 columns, and the line below it 1"),
        (": C. {#tbl-a}\n\n| a |\n|---|\n| b |\n", "4:1: invalid caption: tbl-a stands below no table"),
        (
            "Here $$x$$ {#eq-a} is one.\n",
            "4:12: invalid label: eq-a is within a sentence (a formula with a number stands by itself)",
        ),
        (
            "![x](rank.png){#fig-a} @fig-a\n",
            "4:24: unknown label: fig-a (what has it is none; write :::{figure} with `:label:`)",
        ),
        (
            "a\nb ![x](my rank.png)\n",
            "5:3: invalid picture: my rank.png (write <my rank.png>, for it has spaces)",
        ),
        ("[x](my data.csv)\n", "4:1: invalid link: my data.csv (write <my data.csv>, for it has spaces)"),
        ("##A\n", "4:1: warning: invalid heading: ##A (a space follows the signs)"),
        ("a\nLet \\(x^2\\)\n", "5:5: warning: unsupported TeX: \\(x^2\\) is shown as text (write $x^2$)"),
        (
            "\\begin{align}\nx\n\\end{align}\n",
            "4:1: warning: unsupported TeX: \\begin{align} is shown as text (write it between $$ and $$)",
        ),
        ("`H~2~O` H~2~O\n", "4:10: warning: unsupported sign: ~2~ is shown as text (write <sub>2</sub>)"),
        ("x^2^\n", "4:2: warning: unsupported sign: ^2^ is shown as text (write <sup>2</sup>)"),
        ("[a][b]\n", "4:1: warning: unknown link: [a][b] (there is no line [b]: address)"),
        ("[a]()\n", "4:1: missing address: a link names none between its parentheses"),
        ("![]()\n", "4:1: missing picture: none is named between the parentheses"),
        ("@Fig-a\n", "4:1: unknown label: Fig-a (did you mean fig-a?)"),
        ("[@Fig-a]\n", "4:2: unknown citation: Fig-a (did you mean fig-a?)"),
        (
            "| a |\n|---|\n| $|x|$ |\n",
            "6:1: invalid table: a row has 3 cells, the head 1 (| within a cell is written \\|)",
        ),
        ("> | a |\n> |---|\n> | b | c |\n", "6:1: invalid table: a row has 2 cells, the head 1"),
        ("$$\nx\n\ny\n", "4:1: missing end of formula: $$ (an empty line ends what it is in, too)"),
        ('![x](rank.png){dark="rnak.png"}\n', "4:1: missing picture: rnak.png (did you mean rank.png?)"),
        (
            "![x](https://a.example/b.png)\n",
            "4:1: unsupported picture: https://a.example/b.png (pages ask no other host; put it beside the article)",
        ),
        ('![x](rank.png){width="50%"}\n', "4:1: invalid width: 50% is no number of pixels (write it as width=300)"),
        (
            "![x](rank.png){width=50%}\n",
            "4:15: invalid attributes: {width=50%} (a size is a number of pixels, width=300; other signs want quotes)",
        ),
        ("![x](rank.png){widht=50}\n", "4:1: unknown attribute of a picture: widht (did you mean width?)"),
        (
            ":::{image} rank.png\n:alt: x\n:height: 2em\n:::\n",
            "4:12: invalid height: 2em is no number of pixels (write it as height=300)",
        ),
        ("[^a]: x\n[^a]: y\n\nz[^a]\n", "5:1: duplicate footnote: a (first in line 4)"),
        ("# Title\n", "4:1: warning: invalid heading: # is the title's; sections begin with ##"),
        ("## A\n\n#### B\n", "6:1: warning: invalid heading: #### follows ## (did you mean ###?)"),
    ],
)
def test_names_that_lead_nowhere_are_told(parsed: Parse, told: Told, body: str, problem: str) -> None:
    """With line, column and the nearest right name."""
    assert problem in told(parsed(body))


@pytest.mark.parametrize(
    "body",
    [
        "Write to someone@vig2018.example or <a@fig-x.org>, see https://a.example/@fig-x and @someone, @dataclass.",
        "`@fig-x`, \\@fig-x, \\@vig2018, x@fig-x, 5$ and 6$, a_b_c, [x], [^, {#x}",
        "    @fig-x in code\n\n```\n[@vig2018] <br> :::{figur}\n```",
        "<!-- @fig-x [@vig2018]\n\n:::{figur}\n-->\n\na <!-- @fig-x --> b",
        "[a](https://x.example/#y), [b](mailto:x@fig-x.org), [c](//x.example), [d](#), [e](../the-other/#there)",
        "[a](../), [b](/), [c](../other/article.md), [d](/the-other/), [e](./), [f](rank.png)",
        "[a](../the-other/index.html), [b](../the-other/?x=1)",
        "a < b and c > d, 1 <2, <3, x <y and z>, `<b>`, <https://a.example>",
        'a ![x](rank.png "A title.") `![x](a b.png)`, \\![x](c d.png) [y](a b)',
        "`H~2~O` and `\\(x^2\\)`, \\(words\\), #hashtag, a[i][j], [CLS][SEP], [a][b]: no.\n\n[b]: https://a.example",
        "| a | b |\n|---|---|\n| a \\| b | `c` |\n| a |\n",
        "[@olsson2022]{.x} and *@vig2019 [p. 3]*",
        "Term\n: Definition @vig2019\n\n- [ ] task\n- [x] done",
        "## A {#a}\n\n[up](#a) [text]{#b} [down](#b) [notes](#footnotes) [list](#references)",
    ],
)
def test_nothing_is_wrong_with_what_is_right(parsed: Parse, told: Told, body: str) -> None:
    """No false alarms: from addresses, handles, code, comments, money and links out of the site."""
    assert told(parsed(body)) == []


@pytest.mark.parametrize("name", ["plot.svg", "plot.png"])
@pytest.mark.parametrize("body", ["![x]({name})\n", ":::{{figure}} {name}\n:alt: x\n:::\n"])
def test_a_picture_for_the_dark_outside_the_site_is_refused(
    parsed: Parse, told: Told, tmp_path: Path, name: str, body: str
) -> None:
    """Nobody names it, so a link is all there is to see of it; one that stays in the site is followed."""
    folder = tmp_path / "content/ranks"
    outside = tmp_path.parent / f"{tmp_path.name}-{name}"
    for file in (folder / name, folder / "night.png", outside):
        file.write_bytes(b"\x89PNG")
    dark = folder / name.replace(".", ".dark.")
    dark.symlink_to(outside)
    document = parsed(body.format(name=name))
    (problem,) = told(document)
    assert problem.endswith(f": invalid picture: {dark.name} leaves the site")
    assert document.dark == {}
    dark.unlink()
    dark.symlink_to("night.png")
    document = parsed(body.format(name=name))
    assert told(document) == []
    assert document.dark == {name: folder / "night.png"}
