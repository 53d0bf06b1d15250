"""The two runs: a text, and the same with other tokens or with noise on the embeddings of some of them."""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from builder.errors import BuildError, nearest
from builder.model.interventions import record_states
from builder.model.memory import rows
from builder.model.precision import double
from builder.spoken import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from builder.model import Model, Run
    from builder.model.interventions import States

__all__ = ["Corruption", "by_noise", "by_prompt", "find_subject"]

CHUNK = 32 << 20
"""How many bytes of the embedding matrix are read at once, in float64."""


@dataclass(frozen=True)
class Corruption:
    """What was done to a text: its tokens, the positions where they differ, and the inputs of one run a sample."""

    ids: Tensor
    """[T], those of the corrupted text; with noise, those of the text itself."""
    positions: list[int]
    embeddings: Tensor | None = None
    """[samples, T, d] with noise on them; None where other tokens are read."""
    sigma: float | None = None
    tokens: list[dict[str, Any]] | None = None
    """As a figure shows them, where they are others."""

    @property
    def samples(self) -> int:
        """How many runs there are."""
        return 1 if self.embeddings is None else len(self.embeddings)

    def final(self, model: Model, sample: int) -> Tensor:
        """Run the network; return its final states [1, T, d']."""
        if self.embeddings is None:
            return model.forward_ids(self.ids[None])
        return model.forward_embeddings(self.embeddings[sample : sample + 1])

    def states(self, model: Model) -> Iterator[States]:
        """Yield the states of each sample."""
        for sample in range(self.samples):
            yield record_states(model.structure, lambda sample=sample: self.final(model, sample))  # type: ignore[misc]


def by_prompt(run: Run, prompt: str) -> Corruption:
    """Return a corruption by another prompt.

    Raises `BuildError` where it has another number of tokens, or the very same ones.
    """
    model, clean = run.model, run.ids[: run.n_input]
    other = model.run(replace(run.spec, prompt=prompt, output=None, generate=0))
    if len(other.ids) != len(clean):
        raise BuildError(
            f"invalid corrupted: it must be as many tokens as the prompt, and it is {_counted(other, other.ids)}; "
            f"the prompt is {_counted(run, clean)}"
        )
    positions = (other.ids != clean).nonzero()[:, 0].tolist()
    if not positions:
        raise BuildError("invalid corrupted: its tokens are those of the prompt")
    return Corruption(other.ids, positions, tokens=other.tokens)


def _counted(run: Run, ids: Tensor) -> str:
    texts = [repr(run.model.token_text(token)) for token in ids.tolist()]
    return f"{counted(len(texts), 'token')} ({' '.join(texts)})"


def by_noise(run: Run, subject: str, factor: float, samples: int, seed: int) -> Corruption:
    """Return a corruption by Gaussian noise on the embeddings of a subject's tokens.

    Its standard deviation is `factor` times that of all numbers of the model's input embeddings. The noise is drawn on
    the CPU, the same on every device.

    Raises `BuildError` for a subject that is not in the prompt, and for a model that reads token ids in its blocks.
    """
    model, ids = run.model, run.ids[: run.n_input]
    positions = find_subject(run, subject)
    with torch.no_grad():
        x = model.embed(ids)
    sigma = factor * _deviation(model)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(samples, len(positions), x.shape[-1], generator=generator) * sigma
    noisy = x.repeat(samples, 1, 1)
    noisy[:, positions] += noise.to(x)
    return Corruption(ids, positions, noisy, sigma)


_deviations: weakref.WeakKeyDictionary[Model, float] = weakref.WeakKeyDictionary()


def _deviation(model: Model) -> float:
    """Return the standard deviation of the numbers of all input embeddings, as the model reads them."""
    if model not in _deviations:
        _deviations[model] = _measure_deviation(model)
    return _deviations[model]


@torch.no_grad()
def _measure_deviation(model: Model) -> float:
    total, squares, count = 0.0, 0.0, 0
    size = rows(8 * model.d_model, model.device, most=CHUNK)
    for start in range(0, model.vocab_size, size):
        ids = torch.arange(start, min(start + size, model.vocab_size), device=model.device)
        x = double(model.embed(ids))
        total, squares, count = total + float(x.sum()), squares + float(x.square().sum()), count + x.numel()
    return float(max(squares / count - (total / count) ** 2, 0.0) ** 0.5)


def _find_words(text: str, words: str, start: int) -> int:
    """Return where words stand in a text, from `start` on; −1 where they do not.

    As words of their own (`man`) rather than as a part of others (`woman`), and as they are written rather than not.
    """
    written = re.escape(words)
    for pattern in (rf"(?<!\w){written}(?!\w)", written):
        for flags in (0, re.IGNORECASE):
            found = re.compile(pattern, flags).search(text, start)
            if found:
                return found.start()
    return -1


def find_subject(run: Run, subject: str) -> list[int]:
    """Return the positions of the tokens that hold a subject where it first stands in the prompt.

    Raises `BuildError` where it does not, with the nearest words that do.
    """
    pieces = [run.model.pieces[token] for token in run.ids[: run.n_input].tolist()]
    text = b"".join(pieces).decode(errors="surrogateescape")
    spoken = text.find(run.spec.prompt.strip())  # behind the words of a chat's template
    found = _find_words(text, subject.strip(), max(spoken, 0))
    if found < 0:
        words = text.encode(errors="surrogateescape").decode(errors="replace").split()
        size = len(subject.split())
        runs = [
            " ".join(words[i : i + n]) for n in range(max(1, size - 1), size + 2) for i in range(len(words) - n + 1)
        ]
        hint = nearest(subject.strip(), [entry.strip(",.;:!?") for entry in runs])
        raise BuildError(f"unknown subject: {subject!r} is not in the prompt{hint or f'; it has {listed(words[:8])}'}")
    start, end = (len(text[:at].encode(errors="surrogateescape")) for at in (found, found + len(subject.strip())))
    positions, at = [], 0
    for position, piece in enumerate(pieces):
        if at < end and at + len(piece) > start:
            positions.append(position)
        at += len(piece)
    return positions
