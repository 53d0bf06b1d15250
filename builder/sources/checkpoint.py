"""`Checkpoint`: a folder that `from_pretrained` reads, and what names its weights for ever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ..model_source import ModelSource

__all__ = ["Checkpoint"]


@dataclass(frozen=True)
class Checkpoint:
    """A model's files on this machine.

    `fingerprint` is a sha256 in hex that changes whenever the weights, the tokenizer or the structural overrides do.
    `revision` is what a reader would look up: a hub commit, `NAME==VERSION` of a package, or the hash of local files.
    """

    source: ModelSource
    folder: Path
    fingerprint: str
    revision: str | None = None
    license: str | None = None

    @property
    def origin(self) -> str:
        """Where it comes from, as readers are told: the source, without the folders of this machine."""
        written = self.source.source
        return PurePath(written).name if written.startswith(("/", "~")) or PurePath(written).is_absolute() else written
