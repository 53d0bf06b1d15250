"""`Encoder`: a model that reads a text, or a pair of them, and writes none (BERT and its kin)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from ..errors import BuildError
from ..spoken import counted
from .attention import Attention, read_attention
from .language_model import LanguageModel
from .network import context_length
from .tokens import describe_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ..figure import RunSpec

__all__ = ["Encoder", "EncoderRun"]


class Encoder(LanguageModel):
    """An encoder, in which every token sees every other. Figures of attention show it; it predicts no next word."""

    family = "encoder"

    def run(self, spec: RunSpec) -> EncoderRun:
        """Read a text, or a pair of texts, with the tokens around it that the tokenizer puts there.

        Raises `BuildError` for what only a decoder can do, for a text without tokens and one longer than the context.
        """
        for name, asked in (("output", spec.output is not None), ("chat", spec.chat)):
            if asked:
                raise BuildError(
                    f"unsupported {name}: model {self.name} is an encoder: it reads a text and writes none"
                )
        texts = (spec.prompt,) if spec.pair is None else (spec.prompt, spec.pair)
        for text in texts:
            self.check_text(text)
        encoding = self.tokenizer(*texts)
        size, context = len(encoding["input_ids"]), context_length(self.network)
        if context is not None and size > context:
            what = counted(size, "token")
            raise BuildError(f"invalid prompt: it is {what}, but the context of model {self.name} is {context}")
        return EncoderRun(self, spec, encoding)


class EncoderRun:
    """A text, or a pair of texts, as an encoder reads it: `ids` [T] int64, of which all are input."""

    versus = None
    output_text = ""
    ended_at_once = False

    def __init__(self, model: Encoder, spec: RunSpec, encoding: Mapping[str, Any]) -> None:
        self.model = model
        self.spec = spec
        self.ids = torch.tensor(encoding["input_ids"], device=model.device)
        self.n_input = len(self.ids)
        self.targets: list[int] = []
        names = ("input_ids", "token_type_ids")
        self._inputs = {name: torch.tensor([encoding[name]], device=model.device) for name in names if name in encoding}
        self.segments = _segments(encoding, self.n_input) if spec.pair is not None else None
        """Of a pair: 0 for tokens of the first text, 1 for those of the second; a token that ends one belongs to it."""

    @cached_property
    def tokens(self) -> list[dict[str, Any]]:
        """`data.tokens` of a published result: text, id, type, and `segment` where there is a pair."""
        tokens = describe_tokens(self.model.pieces, self.ids.tolist(), self.n_input, self.spec.prompt)
        if self.segments is not None:
            for token, segment in zip(tokens, self.segments, strict=True):
                token["segment"] = segment
        return tokens

    @cached_property
    def attention(self) -> Attention:
        """Who looks at whom, in every layer and head; one forward pass, of the encoder without its head."""
        whole = (0, self.n_input)
        network = self.model.network
        return read_attention(
            self.model.name,
            network,
            lambda **options: network.base_model(**self._inputs, **options),
            {"self": (whole, whole)},
            causal=False,
        )

    @cached_property
    def final(self) -> Tensor:
        """The last hidden states, [T, d]."""
        with torch.no_grad():
            return self.model.network.base_model(**self._inputs).last_hidden_state[0]  # type: ignore[no-any-return]


def _segments(encoding: Any, size: int) -> list[int]:
    known = (
        encoding.sequence_ids(0) if getattr(encoding, "is_fast", False) else encoding.get("token_type_ids", [0] * size)
    )
    segments: list[int] = []
    for segment in known:
        segments.append(int(segment) if segment is not None else segments[-1] if segments else 0)
    return segments
