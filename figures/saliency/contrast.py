"""The contrast: the token that stands against each output token, why this and not that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.errors import BuildError
from builder.spoken import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.model import Run

__all__ = ["foil"]


def foil(run: Run, contrast: str | None) -> int | None:
    """Return the id of the contrast, encoded as what could follow the prompt.

    Raises `BuildError` where it is several tokens; it says which, and which one token is nearest.
    """
    if contrast is None:
        return None
    ids = _encoded(run, contrast)
    if len(ids) == 1:
        return ids[0]
    model = run.model
    pieces = listed([repr(model.token_text(piece)) for piece in ids])
    single = next((text for text in _variants(contrast) if len(_encoded(run, text)) == 1), None)
    near = single or next((text for piece in ids if (text := model.token_text(piece)).strip()), None)
    raise BuildError(
        f"invalid contrast: {contrast!r} is {counted(len(ids), 'token')} of model {model.name} and not one: {pieces}"
        + (f" (did you mean {near!r}?)" if near else "")
    )


def _encoded(run: Run, text: str) -> list[int]:
    prompt = run.spec.prompt
    return run.model.encode_output(prompt, run.model.encode(prompt)[0], text)


def _variants(text: str) -> Iterator[str]:
    """Yield the same word as other tokens may hold it: after a space or not, capitalised or not."""
    word = text.strip()
    for form in (word, word.lower(), word.capitalize()):
        yield from (form_ for form_ in (f" {form}", form) if form and form_ != text)
