"""`LoadedModels`: the models that a process has loaded. `serve` and a cluster's workers want them again and again."""

from __future__ import annotations

import gc
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BuildError
from ..model_source import ModelSource

if TYPE_CHECKING:
    from ..model import AnyModel

__all__ = ["LOADED", "LoadedModels"]

SPARE = 1.5
"""Memory that must be free for a model to be loaded beside others, as a multiple of its weights."""

_Key = tuple[ModelSource, str, str]


@dataclass
class LoadedModels:
    """Loaded models by source, fingerprint and device, the longest unused first."""

    models: dict[_Key, AnyModel] = field(default_factory=dict)
    seconds: float = 0.0
    """How long the last `load` took; 0 where the model was there."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the models that are there."""
        return tuple(source.name for source, _, _ in self.models)

    def load(
        self,
        source: ModelSource,
        fingerprint: str,
        root: Path,
        device: str,
        *,
        wanted: Collection[ModelSource],
        keep: bool,
    ) -> AnyModel:
        """Return a model, loaded if it is not there. Raises `BuildError` where it cannot be had, or is another one.

        `wanted` stay where they are. Of the others all go, or with `keep` those longest unused, until there is room.
        """
        key = (source, fingerprint, device)
        self.seconds = 0.0
        if key in self.models:
            self.models[key] = self.models.pop(key)
            return self.models[key]
        begin = time.perf_counter()
        from ..model import load_model  # torch and transformers, 2 s: only where something is computed
        from ..sources import fetch

        checkpoint = fetch(source, root)
        if checkpoint.fingerprint != fingerprint:
            raise BuildError(
                f"broken model: the weights of {source.name} are not those that the build was planned with"
            )
        # the same name with other weights: the old ones are of no more use
        unused = [known for known in self.models if known[0] not in wanted or known[0].name == source.name]
        self._make_room(checkpoint.folder, key, unused, keep=keep)
        self.models[key] = load_model(checkpoint, device=device)
        self.seconds = time.perf_counter() - begin
        return self.models[key]

    def _make_room(self, folder: Path, key: _Key, unused: list[_Key], *, keep: bool) -> None:
        from ..model.memory import available
        from ..sources.weights import stored_bytes

        source, _, device = key
        for known in unused:
            fits = keep and known[0].name != source.name
            if fits and available(device) > SPARE * stored_bytes(source.name, folder, source.dtype):
                continue
            del self.models[known]
            gc.collect()


LOADED = LoadedModels()
"""The one of this process."""
