"""Figure directives: prompts are raw, options have lines, and what is wrong in them is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from builder.document import Document
from builder.figure import Option

Parse = Callable[..., Document]
Told = Callable[[Document], list[str]]


def test_a_prompt_is_taken_raw(parsed: Parse, told: Told) -> None:
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


def test_a_yaml_block_holds_what_has_parts_or_lines(parsed: Parse, told: Told) -> None:
    """Scalars stay as they are written, `|` keeps lines, and lines of options may stand beside the block."""
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
        "generate": ("3", 11),
        "layers": (["0", "1"], 12),
        "output": ("42", 13),
    }


@pytest.mark.parametrize(
    ("figure", "problem"),
    [
        (
            "{figure} rank.png\n:analysis: x\n:alt: x",
            "4: invalid figure: it has a picture and an analysis (leave out one)",
        ),
        ("{figure}\n:alt: x", "4: missing analysis: a figure needs `:analysis: …`, or a picture after its name"),
        ("{figure} rnak.png\n:alt: x", "4:13: missing picture: rnak.png (did you mean rank.png?)"),
        ("{figure} ../../../x.png\n:alt: x", "4:13: invalid picture: ../../../x.png leaves the site"),
        (
            "{figure} x.pdf\n:alt: x",
            "4:13: unsupported picture: x.pdf (known: .avif, .gif, .jpeg, .jpg, .png, .svg, .webp)",
        ),
        (
            "{figure} rank.png",
            '4: missing alt text: say what rank.png shows with `:alt: …`, or `:alt: ""` where it says nothing',
        ),
        ("{figure} rank.png\n:alt:", "5: missing alt: nothing follows `:alt:`"),
        ("{figure} rank.png\n:alt: x\n:dark: rnak.png", "6: missing picture: rnak.png (did you mean rank.png?)"),
        ("{figure}\n:analysis: x\n:dark: rank.png", "6: invalid dark: only a picture has another one for the dark"),
        ("{figure} rank.png\n:alt: x\n:lable: fig-x", "6: unknown option of {figure}: lable (did you mean label?)"),
        (
            "{figure} rank.png\n:alt: x\n:top: 3",
            "6: unknown option of {figure}: top (only computed figures have others than label, alt, layout and dark)",
        ),
        (
            "{figure} rank.png\n:alt: x\n:width: 80%",
            "6: unknown option of {figure}: width (`:layout:` says how wide a figure is and where it stands)",
        ),
        ("{figure} rank.png\n:alt: x\n:name:", "6: missing name: nothing follows `:name:`"),
        ("{figure} rank.png\n:alt: x\n:label: rank", "6: invalid label: rank (did you mean fig-rank?)"),
        ("{figure} rank.png\n:alt: x\n:label: fig-A b", "6: invalid label: fig-A b (did you mean fig-a-b?)"),
        ("{figure} rank.png\n:alt: x\n:label:", "6: missing label: nothing follows `:label:`"),
        ("{figure} rank.png\n:alt: x\n:alt: y", "6:1: duplicate option: alt (first in line 5)"),
        ("{figure} rank.png\n:alt: x\n:layout: l-pgae", "6: unknown layout: l-pgae (did you mean page?)"),
        (
            '{figure} rank.png\n:alt: "a" b "c"',
            '5:1: invalid alt: write quotes within quotes as \\", or leave out the outer ones',
        ),
        ("{figure}\n---\nanalysis: [\n---", "6:12: invalid YAML: expected the node content, but found '<stream end>'"),
        (
            "{figure}\n:analysis: x\n:label:fig-a\n\n@fig-a",
            "6:1: invalid option: :label:fig-a (write `:label: …`)",
        ),
        ("{figure}\n:analysis: x\n:label : fig-a", "6:1: invalid option: :label : fig-a (write `:label: …`)"),
        ("{figure}\n:label: fig-a\nanalysis: x", "6:1: invalid option: analysis: x (write `:analysis: …`)"),
        (
            "{figure}\n:analysis: x\n:prompt: |\n  One.",
            "6:1: invalid prompt: | (what has several lines stands in YAML, between two lines ---)",
        ),
        ("{aside} x", "4: unsupported argument of {aside}: x (write it below)"),
        ("{note} A title\n:lable: x", "5: unknown option of {note}: lable (did you mean label?)"),
        ("figure rank.png", "4:1: unsupported fence: :::figure rank.png (write :::{figure})"),
    ],
)
def test_what_is_wrong_in_a_directive_has_its_line(parsed: Parse, told: Told, figure: str, problem: str) -> None:
    """Form is checked here, parameters of an analysis by the plan."""
    assert problem in told(parsed(f":::{figure}\n\nCaption.\n:::\n"))


@pytest.mark.parametrize("figure", ["{figure} rank.png\n:alt: x", "{figure}\n:analysis: x"])
def test_a_name_is_a_label(parsed: Parse, told: Told, figure: str) -> None:
    """MyST calls it so, of pictures and of what is computed."""
    document = parsed(f":::{figure}\n:name: fig-a\n:::\n\nSee @fig-a.\n")
    assert told(document) == []
    (spec,) = document.figures
    assert (spec.label, dict(spec.options)) == ("fig-a", {})


def test_equal_labels_are_told_with_both_lines(parsed: Parse, told: Told) -> None:
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
        (
            "a <big> b\n",
            (
                "4:3: warning: unsupported HTML: <big> is shown as text"
                " (write [words]{.class}, and a rule in theme/css/site.css)"
            ),
        ),
    ],
)
def test_fences_and_comments_must_end(parsed: Parse, told: Told, body: str, problem: str) -> None:
    """What never ends would swallow the rest of the article unseen."""
    assert told(parsed(body)) == [problem]


def test_fences_of_one_length_nest(parsed: Parse, told: Told) -> None:
    """Code within shows fences without opening any."""
    document = parsed(":::{note}\n:::{tip}\nx\n:::\n```\n:::{figure}\n```\n:::\n\n```{tip}\ny\n```\n")
    assert told(document) == []
    note, tip = document.tokens
    assert [child.type for child in note.children or ()] == ["directive_callout", "fence"]
    assert (tip.type, tip.info) == ("directive_callout", "tip")


def test_a_kinds_own_text_stays_a_text(parsed: Parse) -> None:
    """Which parameters are texts is for the kind to say: YAML's reading of `042` and `yes` never comes between."""
    document = parsed(":::{figure}\n:analysis: saliency\n---\ncontrast: 042\nword: yes\nnothing:\n---\nC.\n:::\n")
    (spec,) = document.figures
    assert {key: option.value for key, option in spec.options.items()} == {
        "contrast": "042",
        "word": "yes",
        "nothing": None,
    }


@pytest.mark.parametrize("body", [':prompt: "\\ud800"', '---\nprompt: "\\ud800"\n---'])
def test_half_a_character_is_no_text(parsed: Parse, told: Told, body: str) -> None:
    """Escapes can write a lone surrogate, which neither a page nor a tokenizer can hold."""
    (problem,) = told(parsed(f":::{{figure}}\n:analysis: tokens\n{body}\n\nC.\n:::\n"))
    assert "invalid" in problem


FOLLOWS = (
    ":::{{figure}}\n:label: fig-all\n:analysis: model_view\n:prompt: x\n:::\n\n"
    ":::{{figure}}\n:label: fig-one\n{}\n:::\n"
)


@pytest.mark.parametrize("written", ["fig-all", "@fig-all"])
def test_a_figure_follows_another(parsed: Parse, told: Told, written: str) -> None:
    """What is chosen in one is shown in the other; that is no parameter of its analysis."""
    document = parsed(FOLLOWS.format(f":analysis: head_view\n:prompt: x\n:follows: {written}"))
    assert told(document) == []
    assert document.figures[1].follows == Option("fig-all", 14)
    assert "follows" not in document.figures[1].options


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (":analysis: head_view\n:prompt: x\n:follows: fig-al", "14: unknown figure: fig-al (did you mean fig-all?)"),
        (":analysis: head_view\n:prompt: x\n:follows: fig-one", "14: invalid follows: a figure cannot follow itself"),
    ],
)
def test_what_cannot_be_followed_is_told(parsed: Parse, told: Told, options: str, why: str) -> None:
    """At its line."""
    assert told(parsed(FOLLOWS.format(options))) == [why]
