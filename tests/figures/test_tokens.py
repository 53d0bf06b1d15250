"""The tokens kind shows the text as the model has it, and proves it against the tokenizer's own decoding."""

from __future__ import annotations

from typing import Any

import pytest
from networks import Load

from builder.figure import RunSpec
from builder.kind import Kind

from . import Ask, Part


@pytest.mark.parametrize(
    "prompt", ["a  b\n\n\tc", "東京 \U0001f469‍\U0001f680", "</script>&amp;", " leading", "\u202e<b>"]
)
def test_the_texts_of_the_tokens_make_the_prompt(prompt: str, tiny: Load, ask: Ask) -> None:
    """Nothing is lost or added, a character split over several tokens least of all."""
    answer = ask("tokens", tiny("gpt2"), RunSpec(model="", prompt=prompt, output=" end"))
    text = "".join(entry["text"] for entry in answer.data["tokens"] if entry["type"] == "input")
    assert text == prompt
    assert [check.value for check in answer.checks.values()] == [0]


@pytest.mark.parametrize(
    ("tokens", "text", "wrong"),
    [
        ([{"text": "ab"}, {"text": " c"}], "ab c", 0),
        ([{"text": "ab"}, {"text": "c"}], "ab d", 1),
        ([{"text": "ab"}], "abcd", 2),
        ([{"text": "京", "bytes": "e4ba"}, {"text": "", "bytes": "ac"}], "京", 0),
        ([{"text": "\ufffd", "bytes": "e4"}], "", 0),
        ([{"text": "\ufffd", "bytes": "e4"}], "x", 1),
    ],
)
def test_the_check_counts_what_differs(tokens: list[dict[str, Any]], text: str, wrong: int, part: Part) -> None:
    """A check must be able to fail; white space and broken bytes are matters of taste among tokenizers."""
    analysis = part("tokens", "analysis")
    assert analysis.different(analysis.joined(tokens), text) == wrong


def test_the_description_reads_the_text_out(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """A line end is said, and a text that goes on is cut."""
    describe = kinds["tokens"].analysis.describe
    data = ask("tokens", tiny("hand_written"), RunSpec(model="", prompt="A B", output="C")).data
    assert describe(data) == "2 input tokens, “A” and “B”, and 1 output token, “C”."
    entry = {"text": "\n", "id": 1, "type": "input"}
    assert describe({"tokens": [entry], "targets": []}) == "1 input token, new line."
    assert describe({"tokens": [entry] * 9, "targets": []}).endswith("new line and so on.")


def test_prose_may_name_tokens_and_draw_them(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """By position or text; the graphic has the lengths of all tokens, the named one marked."""
    kind = kinds["tokens"]
    data = ask("tokens", tiny("hand_written"), RunSpec(model="", prompt="A B", output="C")).data
    tokens = kind.parts(data)["token"]
    assert [tokens[name].value for name in ("0", "A", "B", "C")] == [0, 1, 2, 3]
    assert tokens["A"].colour is None
    drawn = kind.spark(data, "token", tokens["C"])
    assert kind.sparks == ("token",)
    longest = len(data["tokens"][0]["text"])  # of the token before the text
    assert (drawn.values[0], drawn.values[3], drawn.mark, drawn.shape) == (1, 1 / longest, 3, "bars")
    assert drawn.label == f"“C”, 1 character long, the longest of 4 tokens is {longest}"
