"""Forks: how a text would have gone on greedily from a token that was not taken."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

from builder.model.memory import rows
from builder.model.network import decoding
from builder.model.precision import double
from builder.model.tail import logits_in_float32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from builder.model import Model, Run

__all__ = ["Fork", "follow"]

ROWS = 48
"""Forks that go on together. A step costs what reading the weights costs, so that many cost little more than one."""

LOGITS = 32 << 20
"""How many bytes of logits there are at once."""

REJOINED = 3
"""From how many tokens on, in the text's own words, a fork has come back to it: two may be chance."""


class Fork(NamedTuple):
    """One path: the place of its first token among the candidates (from 0), its tokens, and how likely it is."""

    candidate: int
    ids: list[int]
    logprob: float
    """Σ log p of its tokens, each given all before it, in nats, at temperature 1."""
    rejoins: int | None
    """From which of its tokens on, to its end, it is what the text says there or further on."""


def follow(run: Run, candidates: Sequence[Sequence[int]], forks: int, length: int) -> list[list[Fork]]:
    """Return for each step the forks of its first `forks` candidates that the text did not take.

    Each has its first token and up to `length` more: fewer where an end token comes, or the model's context ends.
    """
    found: list[list[Fork]] = [[] for _ in candidates]
    if not forks or not length:
        return found
    ids, model = run.ids.tolist(), run.model
    starts: list[_Start] = []
    for t, position in enumerate(run.targets):
        others = [i for i, v in enumerate(candidates[t]) if v != ids[position]][:forks]
        room = length if model.context is None else min(length, model.context - position - 1)
        starts += [_Start(t, i, candidates[t][i], position, room) for i in others]
    for start, (tail, logprob) in zip(starts, _continue(run, starts), strict=True):
        path = [start.first, *tail]
        first = float(double(run.logits[start.step]).log_softmax(-1)[start.first])
        rejoins = _rejoins(path, ids[start.position :])
        found[start.step].append(Fork(start.candidate, path, first + logprob, rejoins))
    return found


class _Start(NamedTuple):
    step: int
    candidate: int
    first: int
    position: int
    """Of the first token: as many tokens of the text stand before it."""
    room: int


def _continue(run: Run, starts: Sequence[_Start]) -> list[tuple[list[int], float]]:
    """Return what follows each start greedily, and the sum of its logprobs; nothing follows an end token."""
    model = run.model
    cache = _cache(model, run.ids)
    together = min(ROWS, rows(4 * model.logits_size, model.device, most=LOGITS))
    paths: dict[_Start, tuple[list[int], float]] = {}
    going = [start for start in starts if start.room > 0 and start.first not in model.end_tokens]
    # shorter prefixes are padded where their keys and values are known; else only those of one length go together
    for _, alike in groupby(going, key=lambda start: (start.room, None if cache is not None else start.position)):
        group = list(alike)
        for at in range(0, len(group), together):
            batch = group[at : at + together]
            paths |= zip(batch, _generate(model, run.ids, batch, cache), strict=True)
    return [paths.get(start, ([], 0.0)) for start in starts]


def _generate(
    model: Model, ids: Tensor, batch: Sequence[_Start], cache: DynamicCache | None
) -> list[tuple[list[int], float]]:
    """Continue starts that have the same room by transformers' own `generate`, prefixes padded on the left."""
    longest = max(start.position for start in batch)
    given = torch.zeros(len(batch), longest + 1, dtype=ids.dtype, device=ids.device)
    mask = torch.zeros_like(given)
    for row, start in enumerate(batch):
        given[row, longest - start.position :] = torch.cat([ids[: start.position], ids.new_tensor([start.first])])
        mask[row, longest - start.position :] = 1
    known = {} if cache is None else {"past_key_values": _prefixes(cache, [start.position for start in batch])}
    config = decoding(
        model.end_tokens,
        do_sample=False,
        max_new_tokens=batch[0].room,
        output_logits=True,
        return_dict_in_generate=True,
    )
    with torch.no_grad(), logits_in_float32(model.network):
        done = model.network.generate(given, attention_mask=mask, generation_config=config, **known)
    new = done.sequences[:, longest + 1 :]
    logprobs = [
        logs.gather(-1, new[:, at, None].to(logs.device))[:, 0].tolist()
        for at, logs in enumerate(double(logits).log_softmax(-1) for logits in done.logits)
    ]
    paths = []
    for row, tail in enumerate(new.tolist()):
        size = next((at + 1 for at, token in enumerate(tail) if token in model.end_tokens), len(tail))
        paths.append((tail[:size], sum(logprobs[at][row] for at in range(size))))  # after an end there is padding
    return paths


def _cache(model: Model, ids: Tensor) -> DynamicCache | None:
    """Return keys and values of the text, where they are kept in the way that can be cut off anywhere."""
    with torch.no_grad():
        cache = getattr(model.network(input_ids=ids[None], use_cache=True), "past_key_values", None)
    if type(cache) is not DynamicCache or any(type(layer) is not DynamicLayer for layer in cache.layers):
        return None
    return cache


def _prefixes(cache: DynamicCache, lengths: Sequence[int]) -> DynamicCache:
    """Return the cache of a batch of prefixes of one text, the shorter ones padded on the left."""
    longest = max(lengths)
    found = DynamicCache()

    def padded(state: Tensor) -> Tensor:
        return torch.stack([torch.nn.functional.pad(state[0, :, :n], (0, 0, longest - n, 0)) for n in lengths])

    for number, layer in enumerate(cache.layers):
        assert isinstance(layer, DynamicLayer)  # `_cache`
        assert layer.keys is not None  # it was filled
        assert layer.values is not None
        found.update(padded(layer.keys), padded(layer.values), number)
    return found


def _rejoins(path: Sequence[int], text: Sequence[int]) -> int | None:
    """Return the first place in the path from which on its rest stands in the text, if that is three tokens or more."""
    for start in range(1, len(path) - REJOINED + 1):
        rest = list(path[start:])
        if any(list(text[at : at + len(rest)]) == rest for at in range(1, len(text) - len(rest) + 1)):
            return start
    return None
