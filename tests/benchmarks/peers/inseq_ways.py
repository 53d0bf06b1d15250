"""Inseq, asked for the same tokens that the subject has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..own import square
from . import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..subjects import Subject, Way


def input_x_gradient() -> Way:
    """`input_x_gradient` of the logit."""
    return _way("input_x_gradient", lambda found: found.norm(dim=-1))


def integrated() -> Way:
    """`integrated_gradients` of the logit, 50 steps at once."""
    return _way("integrated_gradients", lambda found: found.sum(-1).abs(), n_steps=50)


def integrated_5() -> Way:
    """The same, 5 steps at once."""
    return _way("integrated_gradients", lambda found: found.sum(-1).abs(), n_steps=50, internal_batch_size=5)


def _way(method: str, size: Callable[[Any], Any], **options: Any) -> Way:
    import inseq

    peer = load()
    model: Any = inseq.load_model(peer.network, method, tokenizer=peer.tokenizer)

    def way(subject: Subject) -> Callable[[], Any]:
        prompt, text = (peer.tokenizer.decode(subject.ids[:end]) for end in (subject.n_input, len(subject.ids)))
        first, last = subject.targets[0], subject.targets[-1]
        if subject.targets != list(range(first, last + 1)):
            raise ValueError("inseq explains neighbours")

        def work() -> Any:
            found = model.attribute(
                prompt,
                text,
                attributed_fn="logit",
                attr_pos_start=first,
                attr_pos_end=last + 1,
                show_progress=False,
                **options,
            ).sequence_attributions[0]
            if [token.id for token in found.target] != subject.ids:
                raise ValueError("inseq read other tokens")
            sizes = size(found.target_attributions.detach())  # [T, targets]
            rows = [sizes[:at, number] for number, at in enumerate(subject.targets)]
            return square([row / row.sum() for row in rows], subject)

        return work

    return way
