"""A figure as it is asked for (`FigureSpec`, `RunSpec`), as it is answered (`Result`), and the answer's address."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Answer", "Check", "FigureSpec", "Option", "Result", "RunSpec", "address", "published"]

MIN_TEMPERATURE = 0.001
"""Logits divided by less overflow in float16 and, with less again, in float32: there is nothing to sample from."""


MAX_GENERATE = 100_000_000
"""The longest contexts of today have ten million tokens."""


@dataclass(frozen=True)
class Option:
    """A value an author wrote, and the line it stands on."""

    value: Any
    line: int


@dataclass(frozen=True)
class FigureSpec:
    """A figure directive as written: nothing is looked up yet, so nothing here can be wrong but its form.

    `options` holds all that is neither label, layout, alt, follows nor the analysis' name: `model`, `prompt`,
    `generate`, `run` and the kind's own parameters, each with its line.
    """

    number: int
    label: str | None
    path: Path
    line: int
    kind: Option | None = None
    picture: Option | None = None
    layout: str = "body"
    alt: str | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    follows: Option | None = None
    """The label of a figure whose readers choose for this one too: the head of a `model_view`, for a `head_view`."""

    @property
    def anchor(self) -> str:
        """The element's id in the page: the label, or `fig-N`."""
        return self.label or f"fig-{self.number}"


@dataclass(frozen=True)
class RunSpec:
    """Which text goes through which model: the prompt, and its continuation by decoding or by hand.

    `pair` is a second text that an encoder reads together with the prompt; authors write `prompt: [one, another]`.
    `output` given: the continuation is that text and nothing is generated. `generate` 0 and no output: the prompt
    itself is the text to analyse. With `chat` the prompt is what a user says, put into the tokenizer's chat template.
    Decoding parameters are transformers' `GenerationConfig` fields of the same name.
    """

    model: str
    prompt: str
    generate: int = 20
    output: str | None = None
    chat: bool = False
    do_sample: bool = False
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    seed: int = 0
    pair: str | None = None

    def validate(self) -> Iterator[tuple[str, str]]:
        """Yield `(field, what is wrong)` for values no model can run with."""
        if not self.prompt:
            yield "prompt", "it is empty; a model needs at least one token to start from"
        if self.generate < 0:
            yield "generate", f"{self.generate} is below 0"
        if self.generate > MAX_GENERATE:
            yield "generate", f"it is over {MAX_GENERATE:,}, which is more than any model reads at once"
        if self.temperature < MIN_TEMPERATURE:
            yield "temperature", f"{self.temperature} is below {MIN_TEMPERATURE}; greedy decoding needs no do_sample"
        if self.top_k < 0:
            yield "top_k", f"{self.top_k} is below 0"
        if not 0 < self.top_p <= 1:
            yield "top_p", f"{self.top_p} is not in (0, 1]"
        if not 0 <= self.seed < 2**63:
            yield "seed", f"{self.seed} is not from 0 to 2**63 - 1"
        if self.pair == "":
            yield "prompt", "the second of its texts is empty"
        if self.output == "":
            yield "output", "it is empty; for the prompt alone say `generate: 0`"


@dataclass(frozen=True)
class Check:
    """What proves a result: a measured value and the bound that it must not pass."""

    value: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the value is within its bound; NaN never is."""
        return self.value <= self.bound


@dataclass(frozen=True)
class Answer:
    """What an analysis returns: `data` that JSON can hold, and the checks by name.

    `pieces` are what a reader may never ask for, each a file of its own beside the result: a view gets one by
    `options.piece(name)`. A name is of lower-case letters, digits and hyphens.
    """

    data: Mapping[str, Any]
    checks: Mapping[str, Check]
    pieces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.pieces:
            _must_be_name(name)


@dataclass(frozen=True)
class Result:
    """An answer with its address and provenance; its JSON form is what the site publishes."""

    address: str
    kind: str
    data: Mapping[str, Any]
    checks: Mapping[str, Check]
    provenance: Mapping[str, Any]
    pieces: tuple[str, ...] = ()
    """The names of its pieces, which are published beside it."""

    def to_json(self) -> str:
        """Return the published form; `<` is escaped so that it may stand inside a script element."""
        checks = {name: asdict(check) for name, check in self.checks.items()}
        body = {"kind": self.kind, "data": self.data, "checks": checks, "provenance": self.provenance}
        return published({**body, **({"pieces": self.pieces} if self.pieces else {})})

    @classmethod
    def from_json(cls, address: str, text: str) -> Result:
        """Read the published form; raises `ValueError` or `KeyError` where it is not one."""
        body = json.loads(text)
        checks = {name: Check(**check) for name, check in body["checks"].items()}
        measured = [number for check in checks.values() for number in (check.value, check.bound)]
        mappings = all(isinstance(body[name], dict) for name in ("data", "provenance"))
        if not mappings or not all(isinstance(number, (int, float)) for number in measured):
            raise ValueError("the file is no result")
        pieces = tuple(_must_be_name(name) for name in body.get("pieces", ()))
        return cls(address, body["kind"], body["data"], checks, body["provenance"], pieces)


def published(value: Mapping[str, Any]) -> str:
    """Return the JSON of a result or a piece. Raises `ValueError` for what JSON cannot hold: NaN, infinities."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


_PIECE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""The form of a piece's name: it becomes a file's."""


def _must_be_name(name: str) -> str:
    """Return a piece's name. Raises `ValueError` for what is none, a path somewhere else, say."""
    if not _PIECE.fullmatch(name):
        raise ValueError(f"invalid name of a piece: {name} (lower-case letters, digits and hyphens)")
    return name


def address(
    kind: str, code: str, model: str, run: RunSpec, params: Mapping[str, Any], numerics: Mapping[str, Any]
) -> str:
    """Return the content address of a question, a sha256 in hex.

    `code` is the digest of the code that computes the kind, `model` the fingerprint of the weights (so that the
    short name an author gives a model does not matter), `numerics` what changes numbers: the dtype. Not the device:
    who has no card publishes what was computed on one, and results say on which.
    """
    asked = asdict(run)
    del asked["model"]
    for name in ("chat", "pair"):
        if not asked[name]:
            del asked[name]
    if not run.do_sample:  # greedy decoding does not read these
        for name in ("temperature", "top_k", "top_p", "seed"):
            del asked[name]
    question = {
        "kind": kind,
        "code": code,
        "model": model,
        "run": asked,
        "params": dict(params),
        "numerics": dict(numerics),
    }
    text = json.dumps(question, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
