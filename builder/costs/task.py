"""`Task`: what is to be computed, as far as its cost depends on it; and `Measurement`, what one took."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ..figure import RunSpec
    from ..kind import Kind
    from ..plan import Job

__all__ = ["CHARACTERS", "Measurement", "Step", "Task", "text_length"]

Step = Literal["answer", "run", "load"]
"""An analysis; the generation and forward pass that figures of one run share; a model's way into memory."""

CHARACTERS = 4
"""Characters a token where nobody has counted: a usual rate of English text."""


@dataclass(frozen=True)
class Task:
    """One thing to compute. `parameters` 0: nobody knows how many the model has."""

    step: Step
    kind: str = ""
    variant: str = ""
    """The parameters that are not as the kind has them by default, without texts: `method=occlusion`."""
    model: str = ""
    """The fingerprint of the weights."""
    parameters: int = 0
    device: str = "cpu"
    dtype: str = "float32"
    n_input: int = 0
    n_output: int = 0

    @classmethod
    def of(cls, job: Job, run: Any = None, *, step: Step = "answer", device: str = "cpu") -> Task:
        """Return the task of a job, or a step before it; without the run its tokens are guessed from its texts."""
        own = step == "answer"
        task = cls(
            step,
            kind=job.kind.name if own else "",
            variant=_variant(job.kind, job.question.params) if own else "",
            model=job.question.model,
            device=device,
            dtype=job.source.dtype,
            n_input=text_length(job.run.prompt) + text_length(job.run.pair or ""),
            n_output=_output_length(job.run),
        )
        if run is None:
            return task
        model = run.model
        before = 0 if model.family == "encoder-decoder" else run.n_input  # whose `ids` are the decoder's alone
        return dataclasses.replace(
            task,
            parameters=sum(parameter.numel() for parameter in model.network.parameters()),
            device=model.device.type,
            dtype=str(model.network.dtype).removeprefix("torch."),
            n_input=int(run.n_input),
            n_output=len(run.ids) - before,
        )

    @property
    def method(self) -> str:
        """The `method` that a figure asks for, empty for the kind's usual one."""
        found = re.search(r"\bmethod=(\S+)", self.variant)
        return found[1] if found else ""


@dataclass(frozen=True)
class Measurement:
    """What one task took: wall seconds, and bytes above what was there before (0: not measured).

    `place` is empty for this machine, or the address of a cluster's scheduler.
    """

    task: Task
    seconds: float
    memory: int = 0
    threads: int = 0
    place: str = ""

    def to_line(self) -> str:
        """Return it as a line of a file."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: bytes) -> Measurement | None:
        """Read such a line; None where it is none: half of one, or of another version."""
        try:
            body = json.loads(line)
            found = cls(Task(**body.pop("task")), **body)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        task = found.task
        texts = (task.step, task.kind, task.variant, task.model, task.device, task.dtype, found.place)
        numbers = (task.parameters, task.n_input, task.n_output, found.memory, found.threads)
        if not all(isinstance(text, str) for text in texts):
            return None
        if not all(type(number) is int and 0 <= number < 2**60 for number in numbers):
            return None
        return found if isinstance(found.seconds, (int, float)) and 0 <= found.seconds < 1e9 else None


def text_length(text: str) -> int:
    """Return about how many tokens a text has, by its characters."""
    return math.ceil(len(text) / CHARACTERS)


def _output_length(run: RunSpec) -> int:
    return run.generate if run.output is None else text_length(run.output)


def _variant(kind: Kind, params: Mapping[str, Any]) -> str:
    """Return the parameters that are not their kind's own defaults, as words; texts, such as answers, cost nothing."""
    words = []
    for field in dataclasses.fields(kind.analysis.Params):
        value = params.get(field.name)
        if value is None or value == field.default or str(field.type).startswith("str"):
            continue
        parts = [str(part) for part in value] if isinstance(value, (list, tuple)) else [str(value)]
        plain = len(parts) <= 8 and all(re.fullmatch(r"[\w.-]{1,24}", part) for part in parts)
        words.append(f"{field.name}={','.join(parts) if plain else len(parts)}")
    return " ".join(words)
