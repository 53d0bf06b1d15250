"""What all ways are given: a text of smollm2 as tokens, of which the model wrote the last ones itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import load
from .saliency import TEXT

if TYPE_CHECKING:
    from builder.model import Model, Run

Told = Callable[[], tuple[Any, Mapping[str, float]]]
"""Called after the clock has stopped: the answer as an array, and numbers to tell of it."""

Way = Callable[["Subject"], Callable[[], Any]]
"""Given a subject it makes ready what is not timed, and returns what is: that returns an array, or `Told`."""


@dataclass(frozen=True)
class Subject:
    """Tokens [T], of which the first `n_input` are the prompt's, and the options of a section."""

    ids: list[int]
    n_input: int
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def targets(self) -> list[int]:
        """The positions that are explained: `targets`, or as many as are `explained` in the output's middle, or all."""
        if "targets" in self.options:
            return list(self.options["targets"])
        n_output = len(self.ids) - self.n_input
        number = min(self.options.get("explained", n_output), n_output)
        first = self.n_input + (n_output - number) // 2
        return list(range(first, first + number))

    def start(self) -> Subject:
        """Return its first tokens, to warm up with: enough for ten factors."""
        return Subject(self.ids[:12], 9, {**self.options, "input": 9, "output": 3})

    def run(self, model: Model) -> Run:
        """Return a new run of it, of which nothing is known yet."""
        import torch

        from builder.figure import RunSpec
        from builder.model import Run

        return Run(model, RunSpec("smollm2", TEXT, generate=0), torch.tensor(self.ids), n_input=self.n_input)


def write() -> Way:
    """Have the model continue a prompt of `input` tokens by `output`, and tell the tokens."""
    from builder.figure import RunSpec

    model = load()

    def way(subject: Subject) -> Callable[[], Told]:
        n_input, n_output = subject.options["input"], subject.options["output"]
        prompt = model.encode(TEXT * (1 + n_input // 20))[0][:n_input]
        text = model.tokenizer.decode(prompt)

        def work() -> Told:
            ids = model.run(RunSpec("smollm2", text, generate=n_output)).ids.tolist()
            if model.encode(model.tokenizer.decode(ids))[0] != ids:  # peers that take texts would read other tokens
                raise ValueError(f"a text of {n_input} + {n_output} tokens is read as other tokens than were written")
            return lambda: (None, {str(place): token for place, token in enumerate(ids)})

        return work

    return way
