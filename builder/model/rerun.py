"""A text run again with something changed in it: what comes before the change is not computed again.

In a causal model no state before a changed position differs, in any layer. Of another run of the text only the tokens
from there on go through the network, each as a text of one token at its own place, and attention gives them the keys
and values that the others had. So texts that change at different places go through together, and none is padded.
"""

from __future__ import annotations

import contextlib
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from .heard import attend, attend_alone, hear
from .interface import attending
from .interventions import entering, leaving
from .memory import ON_CARDS, rows
from .precision import tolerance
from .trace import recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from . import Model
    from .heard import Heard
    from .interface import AttentionCall

__all__ = ["TOKENS", "Original", "Places", "at_once", "batches", "keep", "tails"]

TOKENS = 768
"""How many tokens go through the network at once on a processor: with smollm2 fewer take up to a tenth longer, and
2,048 too. Eight times as many on a card, as chunks are in `memory.py`."""


def at_once(model: Model, length: int) -> int:
    """Return how many tokens of texts of `length` go through the network at once."""
    # a token's numbers: the stream and the MLP's, some copies of each, and scores of as many heads as large models have
    fit = rows(4 * (24 * model.d_model + 64 * length), model.device)
    return min(fit, TOKENS * (1 if model.device.type == "cpu" else ON_CARDS))


class Places(NamedTuple):
    """Which tokens of R changed texts are computed: from each text's start on, N in all, text after text."""

    starts: Tensor
    """[R]"""
    texts: Tensor
    """[N], the number of the text that a token is of."""
    positions: Tensor
    """[N], where it stands there."""

    def number(self, texts: Tensor, positions: Tensor) -> Tensor:
        """Return where among the N tokens those of some texts at some positions are, from the texts' starts on."""
        counts = torch.bincount(self.texts, minlength=len(self.starts))
        return (counts.cumsum(0) - counts)[texts] + positions - self.starts[texts]


def tails(starts: Tensor, length: int) -> Places:
    """Return the places of texts of `length` tokens that change at `starts` [R]."""
    every = torch.arange(length, device=starts.device)
    texts, positions = torch.nonzero(every >= starts[:, None], as_tuple=True)
    return Places(starts, texts, positions)


def batches(starts: Sequence[int], length: int, most: int) -> Iterator[slice]:
    """Cut texts that change at ascending `starts` into neighbours that go through the network together.

    A batch has `most` tokens at most, or one text.

    In the attention of a batch all texts are as long as the first one's tail.
    """
    begin = 0
    while begin < len(starts):
        end, count = begin + 1, length - starts[begin]
        while end < len(starts) and count + length - starts[end] <= most:
            count += length - starts[end]
            end += 1
        yield slice(begin, end)
        begin = end


@dataclass(frozen=True)
class Original:
    """A text's run, kept to be changed.

    original = keep(model, ids, lambda: model.forward_ids(ids[None]))
    places = tails(torch.tensor([3, 4]), len(ids))  # two texts: in one the token at 3 changes, in the other that at 4
    x = model.embed(ids)[places.positions]
    x[places.number(torch.tensor([0, 1]), places.starts)] = 0
    original.again(places, x)  # the final states of the tokens at 3, 4, 5 …, and at 4, 5 …
    """

    model: Model
    ids: Tensor
    """[T]"""
    final: Tensor
    """After the final norm, [T, d']."""
    heard: dict[Any, Heard]
    """By the module that attends."""

    @torch.no_grad()
    def again(
        self,
        places: Places,
        states: Tensor,
        layer: int | None = None,
        *,
        until: int | None = None,
        silent: Tensor | None = None,
    ) -> Tensor:
        """Return the final states [N, d'] of the tokens at `places`; or with `until` what enters that block, [N, d].

        `states` [N, d] are what enters block `layer`, or without one the input embeddings. Where `silent` [N] is true
        a token's value vectors are 0 in every layer and head.
        """
        structure = self.model.structure
        seen: dict[int, Tensor] = {}
        given = {"inputs_embeds": states[:, None]}
        with contextlib.ExitStack() as stack:
            if layer is not None:
                given = {"input_ids": self.ids[places.positions][:, None]}
                stack.enter_context(entering(structure, layer, states[:, None]))
            if until is not None:
                seen = stack.enter_context(recording(structure.blocks[until - 1 : until]))
                stack.enter_context(leaving(structure, until))
            stack.enter_context(attending(self.model.network, lambda call: self._attend(call, places, silent)))
            found = structure.base(**given, position_ids=places.positions[:, None], use_cache=False)
        final = found.last_hidden_state if until is None else seen[0]
        return final[:, 0].to(self.ids.device)  # of a divided network it is where its last layers are

    def _attend(self, call: AttentionCall, places: Places, silent: Tensor | None) -> None:
        """Attend from the tokens at `places` to those of their text: their own, and the original's before them."""
        heard, n, first = self.heard[call.module], len(places.starts), int(places.starts.min())
        texts, positions = (where.to(call.query.device) for where in (places.texts, places.positions))
        if silent is not None:
            call.value = call.value.masked_fill(silent.to(texts.device)[:, None, None, None], 0)
        if len(texts) == n and heard.plain:
            call.settle(attend_alone(call, heard, positions, heard.mask[0, :, positions])[0])
            return
        slots = positions - first
        query = call.query.new_zeros(n, len(self.ids) - first, *call.query.shape[1::2])
        query[texts, slots] = call.query[:, :, 0]
        key, value = heard.key.repeat(n, 1, 1, 1), heard.value.repeat(n, 1, 1, 1)
        key[texts, :, positions] = call.key[:, :, 0]
        value[texts, :, positions] = call.value[:, :, 0]
        mask = heard.mask[:, :, first:]
        attended = attend(call, query.transpose(1, 2), key, value, mask, plain=heard.plain)
        call.settle(attended[texts, slots][:, None])


def keep(model: Model, ids: Tensor, forward: Callable[[], Tensor]) -> Original | None:
    """Keep the one text `ids` [T] that `forward` sends through the network, returning final states [1, T, d'].

    None for a model of which a part of a text cannot be run: whose tokens meet outside of transformers' attention
    interface. That is found out once, by a text that is run both ways.
    """
    if model not in _whether:
        _whether[model] = _can_rerun(model)
    return _keep(model, ids, forward) if _whether[model] else None


_whether: weakref.WeakKeyDictionary[Model, bool] = weakref.WeakKeyDictionary()


@torch.no_grad()
def _keep(model: Model, ids: Tensor, forward: Callable[[], Tensor]) -> Original:
    heard: dict[Any, Heard] = {}
    with attending(model.network, lambda call: heard.__setitem__(call.module, hear(call))):
        final = forward()[0]
    return Original(model, ids, final, heard)


def _can_rerun(model: Model) -> bool:
    """Whether a run from the middle is the end of a whole one: of its embeddings, and of the stream in the middle."""
    try:
        return _rerun_error(model) <= tolerance(model.network.dtype)
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError):  # each model refuses in its own way
        return False


@torch.no_grad()
def _rerun_error(model: Model) -> float:
    """Return how far final states of two changed texts are from those of whole runs, over the largest number there."""
    ids = torch.tensor([3, 5, 7, 11, 13, 2, 17, 19], device=model.device) % model.vocab_size
    original = _keep(model, ids, lambda: model.forward_ids(ids[None]))
    places = tails(torch.tensor([2, 5], device=ids.device), len(ids))
    changed = model.embed(ids).repeat(2, 1, 1)
    changed[[0, 1], places.starts] = model.embed(ids[[5, 0]])
    layer = model.n_layers // 2
    with recording(model.structure.blocks) as seen:
        whole = model.forward_embeddings(changed)
    at = (places.texts, places.positions)
    stream = seen[layer - 1].to(ids.device)
    found = [original.again(places, changed[at]), original.again(places, stream[at], layer)]
    return max(float((part - whole[at]).abs().max() / whole.abs().max()) for part in found)
