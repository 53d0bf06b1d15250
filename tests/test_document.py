"""Parsing articles: everything is numbered as it is read, and every mistake is told at its place, all in one go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from builder.article import read_article
from builder.bibliography import read_bibliography
from builder.document import Document, check_fragments, parse
from builder.figure import Option
from builder.mathematics import TexError
from builder.site import Site

BIB = """
@article{olsson2022, title={Induction}, author={Olsson, Catherine}, year=2022}
@article{vig2019, title={Attention}, author={Vig, Jesse}, year=2019}
@book{knuth, title={TeX}, author={Knuth, Donald}, year=1984}
"""

Parse = Callable[..., Document]


def strict_tex(tex: str, display: bool) -> str:
    """Refuse a command that does not exist, as KaTeX does."""
    if "\\nope" in tex:
        raise TexError("unknown TeX command: \\nope", tex.index("\\nope"), 5)
    return tex


@pytest.fixture
def parsed(tmp_path: Path) -> Parse:
    """Return a function that parses a body, of the article `ranks` unless it names another."""
    (tmp_path / "refs.bib").write_text(BIB)
    bibliography = read_bibliography([tmp_path / "refs.bib"])
    site = Site(tmp_path, tmp_path / "_site")
    other = site.content / "other" / "article.md"
    for path in (other, site.content / "ranks" / "article.md"):
        path.parent.mkdir(parents=True)
        path.write_text("---\ntitle: Other\n---\n## There\n")
    (other.parent / "rank.png").write_bytes(b"")
    (other.parent.parent / "ranks" / "rank.png").write_bytes(b"")

    def make(body: str, slug: str = "ranks", front: str = "title: x", tex: object = strict_tex) -> Document:
        path = site.content / slug / "article.md"
        path.write_text(f"---\n{front}\n---\n{body}", encoding="utf-8")
        articles = {"ranks": site.content / "ranks" / "article.md", "the-other": other}
        return parse(read_article(path, site), bibliography, articles=articles, tex=tex)  # type: ignore[arg-type]

    return make


def told(document: Document) -> list[str]:
    """Return the problems as authors see them, without the path; the body begins in line 4."""
    return [str(problem).removeprefix(f"{document.article.path}:") for problem in document.problems]


def test_the_seven_planted_mistakes_come_out_together(parsed: Parse) -> None:
    """publishing.md: of eleven generators none reports all seven. Each has its line and column here."""
    body = """
A claim [see @olson2022, p. 3] and $a + \\nope$.

Then ![a plot](rnak.png), a [link](../nowhere/#x) and a note[^two].

:::{figur} rank.png
:::

[^tow]: A note.
"""
    assert told(parsed(body, front="title: x\ndate: [2025")) == [
        "3:12: invalid YAML: expected ',' or ']', but got '<stream end>'",
        "6:14: unknown citation: olson2022 (did you mean olsson2022?)",
        "6:41: unknown TeX command: \\nope",
        "8:6: missing picture: rnak.png (did you mean rank.png?)",
        "8:29: broken link: ../nowhere/#x",
        "8:61: unknown footnote: two (did you mean tow?)",
        "10:5: unknown directive: figur (did you mean figure?)",
        "13:1: warning: missing mark: nothing in the text calls the footnote [^tow]",
    ]


# numbers


def test_everything_is_numbered_as_it_is_read(parsed: Parse) -> None:
    """Citations in captions and notes count where the reader meets them, though notes are written at the end."""
    document = parsed(
        """## One {#sec-one}

Text[^n] cites @knuth.

:::{figure} rank.png
:label: fig-a
:alt: Ranks.

Caption [@vig2019].^[In place [@olsson2022].]
:::

$$x$$

$$y$$ {#eq-y}

### Two

:::{table}
:label: tbl-t

| a |
|---|
| b |

A caption.
:::

:::{figure}
:analysis: saliency
:prompt: x
:::

[^n]: Cites [@olsson2022].
"""
    )
    assert told(document) == []
    assert document.citations == ("olsson2022", "knuth", "vig2019")
    assert document.citing_places == {"olsson2022": 2, "knuth": 1, "vig2019": 1}
    assert [note.label for note in document.footnotes] == ["n", None]
    assert {name: (label.kind, label.number) for name, label in document.labels.items()} == {
        "sec-one": ("section", "1"),
        "fig-a": ("figure", "1"),
        "eq-y": ("equation", "1"),
        "tbl-t": ("table", "1"),
    }
    assert [(heading.level, heading.number, heading.anchor) for heading in document.headings] == [
        (2, "1", "sec-one"),
        (3, "1.1", "two"),
    ]
    assert [spec.anchor for spec in document.figures] == ["fig-a", "fig-2"]
    assert document.has_math


def test_a_note_that_calls_itself_ends(parsed: Parse) -> None:
    """Its second mark is a mark, not another note."""
    (note,) = parsed("a[^n]\n\n[^n]: See [^n].\n").footnotes
    assert (note.number, note.n_marks) == (1, 2)


def test_titles_make_anchors_that_do_not_collide(parsed: Parse) -> None:
    """Explicit names come first, whatever the order; the page keeps some for itself."""
    document = parsed("## References\n\n## A *b* `c`!\n\n## a b c\n\n## X {#a-b-c}\n")
    assert [heading.anchor for heading in document.headings] == ["references-2", "a-b-c-2", "a-b-c-3", "a-b-c"]
    assert document.headings[1].text == "A b c!"


def test_words_are_counted_and_the_first_paragraph_is_the_excerpt(parsed: Parse) -> None:
    """For the reading time, and for feeds and cards."""
    document = parsed("## Title\n\nTwo *words* `x`.\n\n```python\nnot these\n```\n")
    assert document.excerpt == "Two words x."
    assert document.n_words == 4


# figures


def test_a_prompt_is_taken_raw(parsed: Parse) -> None:
    r"""Nothing in it is Markdown; in double quotes, `\n` is a new line. All else goes to `options` with its line."""
    document = parsed(
        """:::{figure}
:label: fig-a
:analysis: saliency
:prompt: "1. *a* $b$ @c\\n2. \\"d\\""
:do-sample: true
:contrast: " the"

:::
"""
    )
    assert told(document) == []
    (spec,) = document.figures
    assert spec.kind == Option("saliency", 6)
    assert spec.options == {
        "prompt": Option('1. *a* $b$ @c\n2. "d"', 7),
        "do_sample": Option("true", 8),
        "contrast": Option(" the", 9),
    }


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=60))
@example("$ * @ ` [x](y) <b> & \\ {#z}")
@example(":key: ::: ```")
def test_prompts_round_trip(parsed: Parse, prompt: str) -> None:
    """What stands after `:prompt:` is the prompt, without the spaces around it."""
    wanted = prompt.strip()
    if not wanted or (wanted[0] == wanted[-1] == '"'):
        return
    (spec,) = parsed(f":::{{figure}}\n:analysis: tokens\n:prompt: {prompt}\n:::\n").figures
    assert spec.options["prompt"].value == wanted


def test_a_yaml_block_holds_what_has_parts_or_lines(parsed: Parse) -> None:
    """Texts stay texts, `|` keeps lines, and lines of options may stand beside the block."""
    document = parsed(
        """:::{figure}
:analysis: saliency
---
prompt: |
  1. $a$

  2. *b*
generate: 3
layers: [0, 1]
output: 42
---
Caption.
:::
"""
    )
    assert told(document) == []
    (spec,) = document.figures
    values = {key: (option.value, option.line) for key, option in spec.options.items()}
    assert values == {
        "prompt": ("1. $a$\n\n2. *b*\n", 7),
        "generate": (3, 11),
        "layers": ([0, 1], 12),
        "output": ("42", 13),
    }


@pytest.mark.parametrize(
    ("figure", "problem"),
    [
        ("{figure} rank.png\n:analysis: x\n:alt: x", "4: invalid figure: it has a picture and an analysis (leave out one)"),
        ("{figure}\n:alt: x", "4: missing analysis: a figure needs `:analysis: …`, or a picture after its name"),
        ("{figure} rnak.png\n:alt: x", "4:13: missing picture: rnak.png (did you mean rank.png?)"),
        ("{figure} ../../../x.png\n:alt: x", "4:13: invalid picture: ../../../x.png leaves the site"),
        ("{figure} x.pdf\n:alt: x", "4:13: unsupported picture: x.pdf (known: .avif, .gif, .jpeg, .jpg, .png, .svg, .webp)"),
        ("{figure} rank.png", "4: warning: missing alt text: say what rank.png shows with `:alt: …`"),
        ("{figure} rank.png\n:alt: x\n:lable: fig-x", "6: unknown option of {figure}: lable (did you mean label?)"),
        ("{figure} rank.png\n:alt: x\n:label: rank", "6: invalid label: rank (did you mean fig-rank?)"),
        ("{figure} rank.png\n:alt: x\n:label: fig-A b", "6: invalid label: fig-A b (did you mean fig-a-b?)"),
        ("{figure} rank.png\n:alt: x\n:label:", "6: missing label: nothing follows `:label:`"),
        ("{figure} rank.png\n:alt: x\n:alt: y", "6:1: duplicate option: alt (first in line 5)"),
        ("{figure} rank.png\n:alt: x\n:layout: l-pgae", "6: unknown layout: l-pgae (did you mean page?)"),
        ('{figure} rank.png\n:alt: "a" b "c"', '5:1: invalid alt: write quotes within quotes as \\", or leave out the outer ones'),
        ("{figure}\n---\nanalysis: [\n---", "6:12: invalid YAML: expected the node content, but found '<stream end>'"),
        ("{aside} x", "4: unsupported argument of {aside}: x (write it below)"),
        ("{note} A title\n:label: x", "5: unknown option of {note}: label"),
        ("figure rank.png", "4:1: unsupported fence: :::figure rank.png (write :::{figure})"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_directive_has_its_line(parsed: Parse, figure: str, problem: str) -> None:
    """Form is checked here, parameters of an analysis by the plan."""
    assert problem in told(parsed(f":::{figure}\n\nCaption.\n:::\n"))


def test_equal_labels_are_told_with_both_lines(parsed: Parse) -> None:
    """Whatever they name: an equation cannot have a heading's name either."""
    figure = ":::{figure}\n:analysis: x\n:label: fig-a\n:::\n\n"
    assert told(parsed(figure + figure)) == ["11: duplicate label: fig-a (first in line 6)"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (":::{note}\nx\n", "4:1: missing end of {note}: a line :::"),
        ("::::{note}\n:::{tip}\nx\n::::\n", "5:1: missing end of {tip}: a line :::"),
        ("x\n\n:::\n", "6:1: broken fence: ::: closes nothing"),
        ("```python\nx\n", "4:1: missing end of code: a line ```"),
        ("```pyton\nx\n```\n", "4:1: warning: unknown language: pyton (did you mean python?)"),
        ("a <!-- b\n", "4:3: missing end of comment: -->"),
        ("a <br> b\n", "4:3: warning: unsupported HTML: <br> is shown as text"),
    ],
)
def test_fences_and_comments_must_end(parsed: Parse, body: str, problem: str) -> None:
    """What never ends would swallow the rest of the article unseen."""
    assert told(parsed(body)) == [problem]


def test_fences_of_one_length_nest(parsed: Parse) -> None:
    """Code within shows fences without opening any."""
    document = parsed(":::{note}\n:::{tip}\nx\n:::\n```\n:::{figure}\n```\n:::\n\n```{tip}\ny\n```\n")
    assert told(document) == []
    note, tip = document.tokens
    assert [child.type for child in note.children or ()] == ["directive_tip", "fence"]
    assert tip.type == "directive_tip"


# names


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("See @fig-rank.\n\n:::{figure}\n:analysis: x\n:label: fig-ranks\n:::\n", "4:5: unknown label: fig-rank (did you mean fig-ranks?)"),
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
        ("![](rank.png)\n", "4:1: warning: missing alt text: say what rank.png shows, ![here](rank.png)"),
        ("![x](https://a.example/b.png)\n", "4:1: unsupported picture: https://a.example/b.png (pages ask no other host; put it beside the article)"),
        ("[^a]: x\n[^a]: y\n\nz[^a]\n", "5:1: duplicate footnote: a (first in line 4)"),
        ("# Title\n", "4:1: warning: invalid heading: # is the title's; sections begin with ##"),
        ("## A\n\n#### B\n", "6:1: warning: invalid heading: #### follows ## (did you mean ###?)"),
    ],
)  # fmt: skip
def test_names_that_lead_nowhere_are_told(parsed: Parse, body: str, problem: str) -> None:
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
        "[a](../), [b](/), [c](../other/article.md), [d](/the-other/), [e](./), [f](rank.png), [g](../the-other/index.html)",
        "a < b and c > d, 1 <2, <3, x <y and z>, `<b>`, <https://a.example>",
        "[@olsson2022]{.x} and *@vig2019 [p. 3]*",
        "Term\n: Definition @vig2019\n\n- [ ] task\n- [x] done",
        "## A {#a}\n\n[up](#a) [text]{#b} [down](#b) [notes](#footnotes) [list](#references)",
    ],
)
def test_nothing_is_wrong_with_what_is_right(parsed: Parse, body: str) -> None:
    """No false alarms: from addresses, handles, code, comments, money and links out of the site."""
    assert told(parsed(body)) == []


def test_links_within_the_site_lead_to_pages_and_files(parsed: Parse) -> None:
    """An article by its file or folder, its page under its slug; other files are published beside the page."""
    document = parsed("[a](../other/article.md#there) [b](rank.png) [c](../other/rank.png)\n")
    links = [child.meta.get("target") for child in document.tokens[1].children or () if child.type == "link_open"]
    assert links == ["the-other/index.html", "ranks/files/rank.png", "ranks/files/content/other/rank.png"]
    assert set(document.files) == set(links[1:])


def test_places_in_other_articles_are_looked_up_when_all_are_parsed(parsed: Parse) -> None:
    """A heading that was renamed breaks the links of others."""
    other = parsed("## There\n", slug="other", front="title: x\nslug: the-other")
    ranks = parsed("[a](../the-other/#there) [b](../the-other/#ther)\n")
    assert [(problem.message, problem.line, problem.column) for problem in check_fragments([ranks, other])] == [
        ("broken link: #ther is not in the-other (did you mean there?)", 4, 26)
    ]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(codec="utf-8"), max_size=120)
    | st.lists(
        st.sampled_from(
            [":::", "::::", "```", "~~~", "{figure}", "{note} x", "{figur}", " ", "\n", "\n\n", "    ", "> ", "- ", "---",
             ":label: fig-a", ":prompt: x", "$", "$$", "{#eq-a}", "[^a]", "[^a]: ", "^[", "[", "]", "(", ")", "@fig-a",
             "@vig2019", "[@vig2019; @fig-a]", "<!--", "-->", "<br>", "| a |", "|---|", "## ", "![", "x", "\\", "`", "*",
             "<d-cite key=\"a\">", "{.a #b}", ": ", "&amp;", "\0", "\r", "\u2028", "\t", "../", "#", "%00", "%2e%2e/"]
        ),
        max_size=40,
    ).map("".join)
)  # fmt: skip
@example("![%00](%00.png) [a](%00)")
@example("![a](" + "x" * 400 + ".png) [a](" + "y" * 400 + ")")
@example(":::{note}\n" * 200)
@example("> " * 300 + "x")
@example("[" * 3000)
@example("[^a" + "^[" * 200)
def test_no_article_raises(parsed: Parse, body: str) -> None:
    """Whatever stands there becomes problems, each with a line of the file."""
    document = parsed(body)
    last = document.article.path.read_text(encoding="utf-8").count("\n") + 1 + body.count("\r")
    assert all(problem.line is None or 1 <= problem.line <= last for problem in document.problems)
