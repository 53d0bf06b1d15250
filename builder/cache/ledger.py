"""`Ledger`: what each figure of a site asked when it was last answered."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .whole import write_atomically

__all__ = ["Ledger"]


class Ledger:
    """What each figure of a site asked when it was last answered, so that `status` can say why it is stale."""

    def __init__(self, folder: Path, site: Path) -> None:
        name = hashlib.sha256(str(site).encode()).hexdigest()[:16]
        self._file = folder / "ledgers" / f"{name}.json"
        try:
            entries = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            entries = {}
        whole = entries.items() if isinstance(entries, dict) else ()
        self._entries: dict[str, dict[str, Any]] = {name: entry for name, entry in whole if isinstance(entry, dict)}

    def find(self, figure: str) -> Mapping[str, Any] | None:
        """Return the parts of the question that `figure` (`slug#anchor`) asked last, or None."""
        return self._entries.get(figure)

    def record(self, questions: Mapping[str, Any]) -> None:
        """Remember the questions (dataclasses) that figures now have answers to; writes only what changed.

        A disk that refuses costs only the reasons that `status` gives.
        """
        parts = {figure: json.loads(json.dumps(dataclasses.asdict(asked))) for figure, asked in questions.items()}
        if any(self._entries.get(figure) != entry for figure, entry in parts.items()):
            self._entries = {**self._entries, **parts}
            with contextlib.suppress(OSError):
                write_atomically(self._file, json.dumps(self._entries, sort_keys=True).encode())
