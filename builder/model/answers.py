"""The answer a figure is about, and the foil it stands against: texts of an author that are one token each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ..errors import BuildError, Problem
from ..rounding import significant
from ..spoken import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from . import Model, Run

__all__ = ["Question", "encoded", "logits_at", "one_token", "read_question", "said"]


class Question(NamedTuple):
    """Why the model says `answer`, and not `foil`, after what it has read up to `position` − 1."""

    position: int
    """Of the token that is predicted."""
    answer: int
    foil: int | None

    def value(self, logits: Tensor) -> Tensor:
        """Return the answer's logit [...], less the foil's if there is one, of logits [..., vocab]."""
        own = logits[..., self.answer]
        return own if self.foil is None else own - logits[..., self.foil]


def one_token(run: Run, text: str, name: str = "answer") -> int:
    """Return the token of a text, as it could follow the run's prompt.

    Raises `BuildError` where it is several tokens, with which ones and which one token is nearest, and where it is
    none: what a tokenizer without bytes says for anything that it does not know is not it.
    """
    model, ids = run.model, encoded(run, text)
    unknown = ids == [getattr(model.tokenizer, "unk_token_id", None)] and model.token_text(ids[0]) != text
    if len(ids) == 1 and not unknown:
        return ids[0]
    if not ids or unknown:
        raise BuildError(f"invalid {name}: {text!r} is no token of model {model.name}")
    pieces = listed([repr(model.token_text(piece)) for piece in ids])
    single = next((other for other in _variants(text) if len(encoded(run, other)) == 1), None)
    near = single or next((other for piece in ids if (other := model.token_text(piece)).strip()), None)
    raise BuildError(
        f"invalid {name}: {text!r} is {counted(len(ids), 'token')} of model {model.name} and not one: {pieces}"
        + (f" (did you mean {near!r}?)" if near else "")
    )


def read_question(run: Run, answer: str | None, foil: str | None, position: int | None = None) -> Question:
    """Return what is asked of a run; where nothing is said, about the first output token, and what stands there.

    `position` is that of the predicted token: after the last one it is what would come next, the model's first choice.

    Raises `BuildError`, with all that is wrong, for texts that are not one token, for a foil that is the answer, and
    for a position that nothing stands before.
    """
    problems: list[Problem] = []
    length = len(run.ids)
    at = min(run.n_input, length) if position is None else position
    if not 1 <= at <= length:
        hint = f" (did you mean {min(max(at, 1), length)}?)"
        problems.append(Problem(f"invalid position: {at} is not between 1 and {length}{hint}"))
    tokens: dict[str, int | None] = {"answer": None, "foil": None}
    for name, text in (("answer", answer), ("foil", foil)):
        try:
            tokens[name] = None if text is None else one_token(run, text, name)
        except BuildError as error:
            problems += error.problems
    if not problems and tokens["answer"] is None:
        tokens["answer"] = int(run.ids[at]) if at < length else int(logits_at(run, at).argmax())
    chosen = tokens["answer"]
    if chosen is not None and chosen == tokens["foil"]:
        problems.append(Problem(f"invalid foil: {run.model.token_text(chosen)!r} is the answer itself"))
    if problems or chosen is None:
        raise BuildError(problems=problems)
    return Question(at, chosen, tokens["foil"])


def logits_at(run: Run, position: int) -> Tensor:
    """Return the logits [vocab] float32 about the token at a position, read at the one before it."""
    with torch.no_grad():
        return run.model.head_logits(run.final[position - 1]).float()


def said(run: Run, token: int, logits: Tensor) -> dict[str, Any]:
    """Return a token as a figure publishes it: its text, id, logit, probability and rank by logits [vocab]."""
    from .lens import probability, rank

    own = logits[token].reshape(1, 1)
    pieces: Mapping[int, bytes] = run.model.pieces  # type: ignore[assignment]
    text = run.model.token_text(token)
    return {
        "text": text,
        "id": token,
        **({"bytes": pieces[token].hex()} if "\ufffd" in text else {}),
        "logit": significant(own, 5),
        "probability": significant(probability(logits[None], own)),
        "rank": int(rank(logits[None], own)),
    }


def encoded(run: Run, text: str) -> list[int]:
    """Return the tokens of a text, as it could follow the run's prompt."""
    model: Model = run.model
    prompt = model.prompt_text(run.spec)
    return model.encode_output(prompt, model.encode(prompt)[0], text)


def _variants(text: str) -> Iterator[str]:
    """Yield the same word as other tokens may hold it: after a space or not, capitalised or not."""
    word = text.strip()
    for form in (word, word.lower(), word.capitalize()):
        yield from (form_ for form_ in (f" {form}", form) if form and form_ != text)
