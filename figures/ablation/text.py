"""The text an answer follows, what the model makes of it, and what is said of the answer in other circumstances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from builder.model.interventions import record_states
from builder.model.lens import probability
from builder.model.rerun import at_once
from builder.model.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from builder.model import Model, Run
    from builder.model.answers import Question
    from builder.model.interventions import States
    from builder.model.sweep import Changes

__all__ = ["Effects", "Text", "read_text"]


class Effects(NamedTuple):
    """What a model says of the answer, with each of some things taken out."""

    values: Tensor
    """[...], the answer's logit, less the foil's."""
    probabilities: Tensor
    """[...], the answer's."""
    first: Tensor
    """[...], the likeliest token."""

    @classmethod
    def join(cls, rows: Sequence[Effects]) -> Effects:
        """Return the effects of several batches as one."""
        return cls(*(torch.cat(column) for column in zip(*rows, strict=True)))

    def split(self, sizes: list[int]) -> list[Effects]:
        """Return the first of them, so many, and so on."""
        return [Effects(*columns) for columns in zip(*(torch.split(column, sizes) for column in self), strict=True)]


@dataclass(frozen=True)
class Text:
    """The tokens up to the answer, and the states that they lead to when nothing is taken out."""

    model: Model
    question: Question
    ids: Tensor
    """[T]"""
    states: States

    @property
    def clean(self) -> Effects:
        """What is said with nothing taken out, one of each."""
        return self.effects(self.states.final[None])

    def effects(self, final: Tensor) -> Effects:
        """Return what is said after final states [N, T, d] of N variants of the text."""
        with torch.no_grad():
            return self._said(self.model.head_logits(final[:, -1]).float())

    def effects_of(self, changes: Changes) -> Effects:
        """Return what is said in changed runs of the text."""
        numbers, found = [], []
        with torch.no_grad():
            for runs, last in sweep(self.model, len(self.ids), changes):
                numbers += runs
                found.append(self._said(self.model.unembed(last).float()))
        order = torch.tensor(numbers).argsort().to(self.ids.device)
        return Effects(*(column[order] for column in Effects.join(found)))

    def _said(self, logits: Tensor) -> Effects:
        own = logits[:, self.question.answer, None]
        return Effects(self.question.value(logits), probability(logits, own), logits.argmax(-1))

    @property
    def at_once(self) -> int:
        """How many variants of the text go through the network at once."""
        return max(1, at_once(self.model, len(self.ids)) // len(self.ids))


def read_text(run: Run, question: Question) -> Text:
    """Run the text before the answer."""
    ids = run.ids[: question.position]
    states = record_states(run.model.structure, lambda: run.model.forward_ids(ids[None]))
    return Text(run.model, question, ids, states)
