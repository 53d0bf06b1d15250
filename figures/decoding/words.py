"""`Words`: the texts of tokens, each once, known by an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.model.tokens import Pieces, describe_tokens
from builder.rounding import significant

if TYPE_CHECKING:
    from .forks import Fork

__all__ = ["Words"]


class Words:
    """Hands out indices into `texts`, which grows as it is asked."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._known: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        """All texts so far."""
        return list(self._known)

    def index(self, token: int) -> int:
        """Return the index of one token by itself."""
        return self._add(describe_tokens(self._pieces, [token], 0)[0])

    def fork(self, fork: Fork) -> dict[str, Any]:
        """Return a fork as it is published; characters that several tokens make up are put together."""
        entries = describe_tokens(self._pieces, fork.ids, 0)
        shown = [i for i, entry in enumerate(entries) if entry.get("span", 1)]
        rejoins = fork.rejoins
        return {
            "candidate": fork.candidate,
            "text": [self._add(entries[i]) for i in shown],
            "length": len(fork.ids),
            "logprob": significant(fork.logprob, 5),
            "rejoins": None if rejoins is None else next((n for n, i in enumerate(shown) if i >= rejoins), None),
        }

    def _add(self, entry: dict[str, Any]) -> int:
        text = str(entry["text"])
        if "\ufffd" in text and entry.get("bytes"):
            text = f"⟨{bytes.fromhex(entry['bytes']).hex(' ')}⟩"
        return self._known.setdefault(text, len(self._known))
