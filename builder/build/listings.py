"""`Listings`: the files that list articles, made anew only where what they say of them changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from ..listing import list_articles, list_contents
from ..summary import Summary
from ..write import File, Kept
from .records import Listing, Records, stamps_in
from .rendering import Renderer, neutral_digest

__all__ = ["Listings"]

_CONTENTS = ("digest", "n_words")
"""What is known of an article and stands on no page that lists it."""


class Listings:
    """The lists of one build; `records` say of what those of the last one were made."""

    def __init__(self, records: Records, renderer: Renderer) -> None:
        self.records = records
        self.renderer = renderer
        self._made: dict[str, tuple[str, Mapping[str, File]]] = {}

    def make(
        self, summaries: Sequence[Summary], read_page: Callable[[Summary], str], *, preview: bool
    ) -> dict[str, File]:
        """Return the files, those that stand as `Kept`. A preview does not wait for the index of the search."""
        renderer = self.renderer
        basis = (renderer.site, renderer.theme, renderer.assets)
        known = [summary.to_json() for summary in summaries]
        lines = [{name: value for name, value in one.items() if name not in _CONTENTS} for one in known]
        names = self._files("names", lines, lambda: list_articles(summaries, *basis))
        contents = self._files(
            "contents", [known, preview], lambda: list_contents(summaries, *basis, read_page, old_search=preview)
        )
        return {**names, **contents}

    def _files(self, name: str, basis: object, make: Callable[[], Mapping[str, File]]) -> Mapping[str, File]:
        inputs = hashlib.sha256(f"{self.renderer.assets.folder}{json.dumps(basis)}".encode()).hexdigest()
        before = self.records.listings.get(name, Listing())
        if inputs == before.inputs and stamps_in(self.renderer.site.output, before.outputs) == before.outputs:
            return dict.fromkeys(before.outputs, Kept())
        files = make()
        self._made[name] = inputs, files
        return files

    def keep(self) -> None:
        """Note in the records what was made, now that it is written."""
        for name, (inputs, files) in self._made.items():
            pages = [(path, content) for path, content in files.items() if isinstance(content, bytes)]
            marks = {path: neutral_digest(content, self.renderer.assets) for path, content in pages}
            self.records.listings[name] = Listing(inputs, stamps_in(self.renderer.site.output, files), marks)
