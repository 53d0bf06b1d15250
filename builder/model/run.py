"""`Run`: one sequence of tokens through one model, and what analyses share of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from ..errors import BuildError
from .attention import Attention, read_attention, read_chain
from .first_pass import FirstPass, first_pass
from .memory import rows
from .tokens import describe_tokens
from .trace import may_stop, reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

    from ..figure import RunSpec
    from . import Model
    from .chain import Steps

__all__ = ["Run", "Said"]


class Said(NamedTuple):
    """What a model says of the tokens that follow, the targets; on the processor."""

    logits: Tensor
    """[N] float32"""
    probabilities: Tensor
    """[N] float64, by the softmax over the vocabulary: what a logit of −200 stands for is still more than 0."""
    size: float
    """The largest logit at all, whatever its sign; NaN where one is none."""


class Run:
    """One sequence of tokens through one model. All below is computed once, when it is first asked for.

    `ids` is [T] int64, of which `n_input` are the prompt's (what the tokenizer put before it included). Positions
    count from 0, and the logits at position i are about token i + 1: `logits[t]` is about the token at `targets[t]`
    and was read at position `targets[t] - 1`.
    """

    def __init__(self, model: Model, spec: RunSpec, ids: Tensor, *, n_input: int) -> None:
        self.model = model
        self.spec = spec
        self.ids = ids
        self.n_input = n_input
        self.versus: Run | None = None
        """The same text as a second model reads it, where a figure compares two."""
        self.expected: frozenset[str] = frozenset()
        """What figures of it will ask for, `neurons` or `attention`: of a short text the first pass keeps it."""
        self.shared: dict[Any, Any] = {}
        """Small answers about it that several figures ask for, by whatever tells them apart."""

    @property
    def output_text(self) -> str:
        """What follows the prompt, as text; an end token is none."""
        ids = [token for token in self.ids[self.n_input :].tolist() if token not in self.model.end_tokens]
        return b"".join(self.model.pieces[token] for token in ids).decode(errors="replace")

    @property
    def ended_at_once(self) -> bool:
        """Whether something was to be generated, and the model's first choice was to end the text."""
        asked = self.spec.output is None and self.spec.generate > 0
        return asked and all(token in self.model.end_tokens for token in self.ids[self.n_input :].tolist())

    @cached_property
    def tokens(self) -> list[dict[str, Any]]:
        """`data.tokens` of every published result: text, id, type, and bytes where text alone would lie."""
        return describe_tokens(self.model.pieces, self.ids.tolist(), self.n_input, self.model.prompt_text(self.spec))

    @cached_property
    def targets(self) -> list[int]:
        """The positions that are explained: the output's, or all from 1 on where there is only a prompt."""
        return list(range(self.n_input if len(self.ids) > self.n_input else 1, len(self.ids)))

    @cached_property
    def _first_pass(self) -> FirstPass:
        found = first_pass(self.model, self.ids, self.expected)
        self._check(found.final)
        return found

    @property
    def embeddings(self) -> Tensor:
        """What enters block 0's residual stream, [T, d_model] (position embeddings included where they are added)."""
        return self.stream[0].float()

    @property
    def block_outputs(self) -> Tensor:
        """The residual stream after each block, before the final norm: [n_layers, T, d_model] float32.

        Taken by hooks: the last of transformers' `hidden_states` is normed already, the others are not.
        """
        return self.stream[1:].float()

    @property
    def stream(self) -> Tensor:
        """What enters each block, and what the last one hands on: [n_layers + 1, T, d_model], as the network has it."""
        return self._first_pass.stream

    @cached_property
    def steps(self) -> Steps | None:
        """The blocks by themselves, each to be run again on what entered it; None where they are no chain."""
        return self.model.chain(self.model.embed(self.ids)[None]) if self.model.chained else None

    @property
    def final(self) -> Tensor:
        """What the head reads, after the final norm: [T, d]."""
        return self._first_pass.final

    @cached_property
    def logits(self) -> Tensor:
        """The logits that predict each target: [len(targets), vocab] float32, read at position target − 1."""
        where = torch.tensor(self.targets, dtype=torch.long, device=self.ids.device) - 1
        with torch.no_grad():
            return self.model.head_logits(self.final[where]).float()

    def blocks_of_logits(self, targets: Sequence[int]) -> Iterator[tuple[slice, Tensor]]:
        """Yield the logits [n, vocab] float32 about tokens at some positions, blocks that fit memory; none is kept.

        With each come the places of its tokens among the targets.
        """
        where = torch.tensor(list(targets), dtype=torch.long, device=self.ids.device) - 1
        size = rows(4 * self.model.logits_size, self.ids.device, most=16 << 20)
        for start in range(0, len(where), size):
            block = slice(start, min(start + size, len(where)))
            with torch.no_grad():
                yield block, self.model.head_logits(self.final[where[block]]).float()

    @cached_property
    def said(self) -> Said:
        """What the logits say of the targets, without the logits."""
        own, probabilities, sizes = [torch.empty(0)], [torch.empty(0, dtype=torch.float64)], [0.0]
        for block, logits in self.blocks_of_logits(self.targets):
            z = logits.gather(-1, self.ids[self.targets[block.start] :][: len(logits), None])
            most = logits.amax(-1, keepdim=True)
            total = (logits - most).exp_().sum(-1)
            own.append(z[:, 0].cpu())
            probabilities.append((z - most)[:, 0].cpu().double().exp() / total.cpu().double())
            sizes.append(float(torch.maximum(most.max(), -logits.min())))
        return Said(torch.cat(own), torch.cat(probabilities), max(sizes, key=lambda size: (size != size, size)))

    def activations(self, layers: Sequence[int]) -> list[Tensor]:
        """The FFN's neurons of some layers, each [T, n_neurons] float32: what the layer's down projection reads.

        Of a gated MLP that is act(gate) · up, of GPT-2's act(c_fc). At position i they are what the network makes of
        the token at i and of those before it, on its way to token i + 1.

        Raises `BuildError` where a layer has no such projection (a mixture of experts keeps them in one tensor).
        """
        return list(self.neurons(layers))

    def neurons(self, layers: Sequence[int]) -> Iterator[Tensor]:
        """Yield what `activations` returns, layer by layer, and keep none; raise what it raises, at once.

        A network whose blocks are no chain runs once for all of them, and up to the last of them.
        """
        modules = [self.model.structure.down_projections[layer] for layer in layers]
        found = [module for module in modules if module is not None]
        if len(found) < len(modules):
            layer = layers[modules.index(None)]
            raise BuildError(
                f"unsupported model: {self.model.name} has no FFN neurons that can be read in layer {layer}"
            )
        return self._neurons(layers, found)

    def _neurons(self, layers: Sequence[int], modules: Sequence[nn.Module]) -> Iterator[Tensor]:
        network, size, stream = self.model.network, len(self.ids), self.stream
        kept = self._first_pass.neurons
        if all(layer in kept for layer in layers):
            yield from (kept[layer].float().clone() for layer in layers)  # no figure writes over another's
            return
        stops = may_stop(network)
        if self.steps is None:
            with torch.no_grad(), reading(modules, stop=stops) as read:
                self.model.forward_ids(self.ids[None])
            for number in range(len(modules)):
                yield read.pop(number).reshape(size, -1).float()
            return
        for layer, module in zip(layers, modules, strict=True):
            with torch.no_grad(), reading([module], stop=stops) as read:
                self.steps.block(layer, stream[layer][None])
            yield read[0].reshape(size, -1).float()

    def rerun(self, layers: Sequence[int]) -> None:
        """Run some blocks again, for those who watch them; a network whose blocks are no chain runs as a whole."""
        with torch.no_grad():
            if self.steps is None:
                self.model.forward_ids(self.ids[None])
            else:
                for layer in layers:
                    self.steps.block(layer, self.stream[layer][None])

    @cached_property
    def attention(self) -> Attention:
        """Who looks at whom, in every layer and head, and the queries, keys and values that it comes from.

        Raises `BuildError` for a model that has no attention.
        """
        name, network, structure = self.model.name, self.model.network, self.model.structure
        layers = [layer for layer, module in enumerate(structure.attentions) if module is not None]
        if self.steps is not None:
            found = read_chain(name, network, self.steps, self.stream, layers, self._first_pass.attention)
            if found is not None:
                return found
        whole = (0, len(self.ids))
        base: Any = structure.base
        return read_attention(
            name,
            network,
            lambda **options: base(input_ids=self.ids[None], use_cache=False, **options),
            {"self": (whole, whole)},
            causal=True,
            n_layers=self.model.n_layers,
        )

    def _check(self, final: Tensor) -> None:
        """Raise `BuildError` where a number of final hidden states [T, d] is none."""
        broken = (~final.isfinite()).any(-1).nonzero()
        if len(broken):
            hint = "" if final.dtype == torch.float32 else "; does float32 help?"
            raise BuildError(
                f"invalid numbers: model {self.model.name} computes NaN or infinity from position {int(broken[0])} on "
                f"({str(final.dtype).removeprefix('torch.')}{hint})"
            )

    def forward_embeddings(self, embeddings: Tensor) -> Tensor:
        """Input embeddings [B, T', d] → final hidden states [B, T', d]; see `Model.forward_embeddings`."""
        return self.model.forward_embeddings(embeddings)
