"""Tokens: the text as the model reads it, and what it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from builder.figure import Answer, Check
from builder.parts import Part, Spark, token_parts
from builder.spoken import counted, listed, token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.model import Run
    from builder.model.encoder import EncoderRun

READS = ("decoder", "encoder")


@dataclass(frozen=True)
class Params:
    """Nothing can be chosen."""


def analyse(run: Run | EncoderRun, params: Params) -> Answer:  # noqa: ARG001
    """Return the run's tokens: `{tokens, targets}`.

    Checked: their bytes, joined, are the text that the tokenizer itself decodes.
    """
    tokens = run.tokens
    decoded = run.model.tokenizer.decode(
        run.ids.tolist(), skip_special_tokens=False, clean_up_tokenization_spaces=False
    )
    checks = {"characters that differ from the tokenizer's text": Check(different(joined(tokens), decoded), 0)}
    return Answer({"tokens": tokens, "targets": run.targets}, checks)


def joined(tokens: list[dict[str, Any]]) -> str:
    """Return the text that tokens make together; bytes that are not UTF-8 become U+FFFD."""
    parts = [bytes.fromhex(entry["bytes"]) if "bytes" in entry else entry["text"].encode() for entry in tokens]
    return b"".join(parts).decode("utf-8", errors="replace")


def different(ours: str, theirs: str) -> int:
    """Return at how many characters two texts differ.

    White space is left out, SentencePiece and WordPiece make some up; and U+FFFD, of which tokenizers write one or
    several for the same bytes.
    """
    kept = ([sign for sign in text if not sign.isspace() and sign != "\ufffd"] for text in (ours, theirs))
    return sum(a != b for a, b in zip_longest(*kept))


def describe(data: Mapping[str, Any]) -> str:
    """Say how the text begins and how it goes on."""
    given = [entry for entry in data["tokens"] if entry["type"] == "input" and not entry.get("special")]
    written = [entry for entry in data["tokens"] if entry["type"] == "output"]
    start = f"{counted(len(given), 'input token')}, {_words(given)}"
    if not written:
        return f"{start}."
    return f"{start}, and {counted(len(written), 'output token')}, {_words(written)}."


def parts(data: Mapping[str, Any]) -> dict[str, dict[str, Part]]:
    """Return the tokens."""
    return {"token": token_parts(data["tokens"])}


SPARKS = ("token",)


def spark(data: Mapping[str, Any], aspect: str, part: Part) -> Spark:  # noqa: ARG001 - there is one aspect
    """Return the lengths of all tokens in characters, as bars; the one that is meant stands out."""
    lengths = [len(entry["text"]) for entry in data["tokens"]]
    longest = max(lengths, default=0) or 1
    at = int(part.value)
    entry = data["tokens"][at]
    length = counted(lengths[at], "character")
    label = f"{token(entry)}, {length} long, the longest of {counted(len(lengths), 'token')} is {longest}"
    return Spark(tuple(length / longest for length in lengths), label, shape="bars", mark=at)


def _words(entries: list[dict[str, Any]], most: int = 8) -> str:
    names = [token(entry) for entry in entries if entry["text"]]
    return listed(names) if len(names) <= most else f"{', '.join(names[:most])} and so on"
