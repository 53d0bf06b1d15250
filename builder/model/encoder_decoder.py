"""`EncoderDecoder`: a model that reads a text and writes another (T5, BART, Marian)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from ..errors import BuildError
from ..spoken import counted
from .attention import Attention, read_attention
from .few_rows import by_all_threads
from .language_model import LanguageModel
from .network import context_length, decoding, end_tokens
from .tokens import describe_tokens

if TYPE_CHECKING:
    from torch import Tensor

    from ..figure import RunSpec
    from ..sources.checkpoint import Checkpoint

__all__ = ["EncoderDecoder", "EncoderDecoderRun"]


class EncoderDecoder(LanguageModel):
    """An encoder, and a decoder that looks back at it. Figures of attention show both, and what passes between them."""

    family = "encoder-decoder"

    def __init__(self, checkpoint: Checkpoint, network: Any, tokenizer: Any, *, unused: tuple[str, ...] = ()) -> None:
        super().__init__(checkpoint, network, tokenizer, unused=unused)
        self.end_tokens = end_tokens(network)
        self._start = _start_token(network, self.name)
        own = network.generation_config
        kept = {name: getattr(own, name, None) for name in ("forced_bos_token_id", "bad_words_ids")}
        self._kept = {name: value for name, value in kept.items() if value is not None}
        network.generation_config = decoding(self.end_tokens)  # `generate` would fill gaps from the checkpoint's

    def run(self, spec: RunSpec) -> EncoderDecoderRun:
        """Read the prompt, and write: `output` as it is given, else what greedy decoding or sampling makes of it.

        Raises `BuildError` for what such a model cannot do, and for texts that are empty or longer than the context.
        """
        if spec.pair is not None:
            raise BuildError(f"unsupported prompt: a pair of texts; model {self.name} is no encoder, it reads one text")
        if spec.chat:
            raise BuildError(f"unsupported chat: model {self.name} reads a text and writes another")
        self.check_text(spec.prompt)
        source = torch.tensor(self.tokenizer(spec.prompt)["input_ids"], device=self.device)
        written = None if spec.output is None else [self._start, *self._output_ids(spec.output)]
        wanted = spec.generate + 1 if written is None else len(written)
        context = context_length(self.network)
        for name, size in (("prompt", len(source)), ("generate" if written is None else "output", wanted)):
            if context is not None and size > context:
                what = counted(size, "token")
                raise BuildError(f"invalid {name}: it is {what}, but the context of model {self.name} is {context}")
        ids = torch.tensor(written, device=self.device) if written else self._generate(source, spec)
        return EncoderDecoderRun(self, spec, source, ids)

    def _output_ids(self, output: str) -> list[int]:
        ids = list(self.tokenizer(text_target=output)["input_ids"])
        return ids[1:] if ids[:1] == [self._start] else ids

    def _generate(self, source: Tensor, spec: RunSpec) -> Tensor:
        if not spec.generate:
            return torch.tensor([self._start], device=self.device)
        names = ("do_sample", "temperature", "top_k", "top_p") if spec.do_sample else ()
        chosen = {"do_sample": False} | {name: getattr(spec, name) for name in names} | self._kept
        config = decoding(self.end_tokens, max_new_tokens=spec.generate, decoder_start_token_id=self._start, **chosen)
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), torch.no_grad(), by_all_threads(self.network):
            torch.manual_seed(spec.seed)
            mask = torch.ones_like(source[None])
            done: Tensor = self.network.generate(source[None], attention_mask=mask, generation_config=config)
        return done[0]


class EncoderDecoderRun:
    """A text, `source` [S] int64, and what is written from it, `ids` [T] int64, which a token of its own begins."""

    versus = None

    def __init__(self, model: EncoderDecoder, spec: RunSpec, source: Tensor, ids: Tensor) -> None:
        self.model = model
        self.spec = spec
        self.source = source
        self.ids = ids
        self.n_input = len(source)
        self.targets: list[int] = []

    @property
    def output_text(self) -> str:
        """What is written, as text; the tokens that begin and end it are none."""
        special = self.model.pieces.special
        return b"".join(self.model.pieces[i] for i in self.ids.tolist()[1:] if i not in special).decode(
            errors="replace"
        )

    @property
    def ended_at_once(self) -> bool:
        """Whether something was to be written, and the model's first choice was to end the text."""
        asked = self.spec.output is None and self.spec.generate > 0
        return asked and all(token in self.model.end_tokens for token in self.ids.tolist()[1:])

    @cached_property
    def tokens(self) -> list[dict[str, Any]]:
        """`data.tokens` of a published result: the source's, of type input, then the decoder's, of type output."""
        pieces = self.model.pieces
        read = describe_tokens(pieces, self.source.tolist(), self.n_input, self.spec.prompt)
        return read + describe_tokens(pieces, self.ids.tolist(), 0)

    @cached_property
    def attention(self) -> Attention:
        """Who looks at whom: in the encoder, in the decoder, and from the decoder into the encoder."""
        source, written = (0, self.n_input), (self.n_input, self.n_input + len(self.ids))
        network = self.model.network
        return read_attention(
            self.model.name,
            network,
            lambda **options: network(
                input_ids=self.source[None], decoder_input_ids=self.ids[None], use_cache=False, **options
            ),
            {"encoder": (source, source), "decoder": (written, written), "cross": (written, source)},
            causal=True,
        )


def _start_token(network: Any, name: str) -> int:
    """Return the token that a decoder starts with. Raises `BuildError` where the configuration does not say."""
    for holder in (network.generation_config, network.config.get_text_config(decoder=True), network.config):
        for key in ("decoder_start_token_id", "bos_token_id"):
            start = getattr(holder, key, None)
            if isinstance(start, int):
                return start
    raise BuildError(f"missing decoder_start_token_id: the configuration of model {name} does not say how it starts")
