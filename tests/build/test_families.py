"""Encoders and encoder-decoders from an article to a page: pairs of texts, texts that are written, what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.figure import RunSpec
from builder.model import load_model
from builder.quantised import unpack_weights
from builder.site import ModelSource
from builder.sources import fetch

from .conftest import SiteFolder

Source = Callable[[str], ModelSource]


def figure(*options: str) -> str:
    """Return a figure of attention as an author writes it."""
    return "\n".join([":::{figure}", ":analysis: attention_matrix", *options, "", "A caption.", ":::"])


def published(folder: SiteFolder) -> dict[str, Any]:
    """Return the one result that a built site has."""
    (result,) = [json.loads(text) for path, text in folder.snapshot().items() if is_result(path)]
    return result


def is_result(path: str) -> bool:
    """Whether a file is a result, and no piece of one."""
    return path.startswith("data/") and path.count("/") == 1


def text_of(tokens: list[dict[str, Any]], **wanted: Any) -> str:
    """Return the text of the tokens that have certain values, without special ones."""
    chosen = [token for token in tokens if all(token[name] == value for name, value in wanted.items())]
    return "".join(token["text"] for token in chosen if not token.get("special")).strip()


@pytest.mark.parametrize(
    "written",
    [
        ':prompt: ["1. Austria & the Union", "naïve “quotes”"]',
        "---\nprompt:\n  - 1. Austria & the Union\n  - naïve “quotes”\n---",
    ],
    ids=["in a line", "in a block"],
)
def test_an_encoder_reads_a_pair_of_texts(written: str, folder: SiteFolder, tiny_source: Source) -> None:
    """`prompt: [A, B]`: one sequence, each token with the text it is of, and the weights of both together."""
    source = tiny_source("bert")
    folder.article(figure(f":model: {source.source}", ":layer: 1", written))
    folder.build()
    result = published(folder)
    tokens = result["data"]["tokens"]
    assert [token["segment"] for token in tokens if token.get("special")] == [0, 0, 1]
    assert text_of(tokens, segment=0).startswith("1 . Austria &")  # its tokenizer sets punctuation apart
    assert text_of(tokens, segment=1) == "naïve “ quotes ”"
    assert all(check["value"] <= check["bound"] for check in result["checks"].values())
    run = load_model(fetch(source, Path("/"))).run(RunSpec("m", "1. Austria & the Union", pair="naïve “quotes”"))
    weights = run.attention.weights("self", 1).numpy()
    assert abs(unpack_weights(result["data"]["weights"]) - weights).max() <= 0.5 / 255 + 1e-4
    assert "naïve “quotes”" in json.dumps(result["provenance"], ensure_ascii=False)


def test_a_pair_is_another_question_than_its_first_text(folder: SiteFolder, tiny_source: Source) -> None:
    """Answers are stored under what was asked."""
    model = f":model: {tiny_source('bert').source}"
    addresses = set()
    for prompt in ("1. Austria", "[1. Austria, 2. Belgium]", "[2. Belgium, 1. Austria]"):
        folder.article(figure(model, f":prompt: {prompt}"))
        folder.build()
        addresses |= {path for path in folder.snapshot() if is_result(path)}
    assert len(addresses) == 3


def test_an_encoder_decoder_reads_one_text_and_writes_another(folder: SiteFolder, tiny_source: Source) -> None:
    """`output` is what the decoder reads after its own first token; all three parts are published."""
    model = f":model: {tiny_source('t5').source}"
    folder.article(figure(model, ":prompt: The Union", ":output: 1. Austria", ":part: cross"))
    folder.build()
    data = published(folder)["data"]
    assert text_of(data["tokens"], type="output") == "1. Austria"
    assert set(data["parts"]) == {"encoder", "decoder", "cross"}
    assert data["shown"]["part"] == "cross"
    assert "decoder → encoder" in folder.read("a/index.html")


@pytest.mark.parametrize(
    ("name", "options", "line", "why"),
    [
        ("llama", (":prompt: [a, b]",), 7, "unsupported prompt: a pair of texts; model "),
        ("t5", (":prompt: [a, b]",), 7, "unsupported prompt: a pair of texts; model "),
        ("bert", (":prompt: a", ":output: b"), 8, "unsupported output: model "),
        ("bert", (":prompt: a", ":chat: true"), 8, "unsupported chat: model "),
        ("bert", (":prompt: a", ":part: cross"), 8, "unknown part: cross: model "),
        ("t5", (":prompt: a", ":layer: 7"), 8, "invalid layer: 7 is not between 0 and 2"),
        ("mamba", (":prompt: a",), 6, "unsupported model: "),
    ],
)
def test_what_a_model_cannot_do_is_told_at_its_line(
    name: str, options: tuple[str, ...], line: int, why: str, folder: SiteFolder, tiny_source: Source
) -> None:
    """Of a family that reads or writes otherwise."""
    folder.article(figure(f":model: {tiny_source(name).source}", *options))
    (told,) = folder.fail()
    assert re.match(rf"content/a/article\.md:{line}:\d+: {re.escape(why)}", told), told
