"""`Shared`: answers at a place that people and machines share. Whatever lies there is checked before it is taken."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import Problem
from ..figure import Result, published
from ..site import CONFIG
from .folder import Folder
from .form import has_form
from .remote import OnlyReadError, Remote, is_address

if TYPE_CHECKING:
    from ..plan import Question

__all__ = ["Place", "Shared", "open_shared"]

MOST = 64 << 20
"""Bytes of a file: the largest that the built-in kinds make, of texts of 1,000 tokens, have a quarter of that."""

MOST_PIECES = 4_096
AT_ONCE = 32
"""How many answers are asked for together."""

PAUSE = 60.0
"""Seconds in which a place that did not answer is not asked again: a preview builds every few seconds."""


class Place(Protocol):
    """Where files lie, named from the place on with slashes. Both methods raise `OSError`."""

    @property
    def name(self) -> str:
        """How the place is called in messages."""

    def read(self, paths: Sequence[str], most: int) -> dict[str, bytes]:
        """Return the files that are there, without those of more than `most` bytes."""

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put files there, each at once or not at all, in their order."""


class Shared:
    """Answers of a place, in the form of the cache: `results/ab/ADDRESS.json` and `results/ab/ADDRESS/PIECE.json`.

    What somebody else wrote is taken only if it is small enough, JSON of the right form, says of itself that it
    answers the very question, and has all its pieces; it is written down anew, `<` escaped as everywhere. All else is
    as good as missing, and written over. A place that refuses is told of once, and the build goes on without it.
    """

    def __init__(self, place: Place, config: Path | None = None) -> None:
        self.place = place
        self.config = config
        self._warnings: list[Problem] = []
        self._asleep = {"read": 0.0, "written": 0.0}

    def find(self, questions: Iterable[Question]) -> Iterator[tuple[str, tuple[bytes, Mapping[str, bytes]]]]:
        """Yield the answers that are there: an address, and the texts of the result and its pieces."""
        asked = list(questions)
        for start in range(0, len(asked), AT_ONCE):
            part = {question.address: question for question in asked[start : start + AT_ONCE]}
            for address, text in self._read({_path(address): address for address in part}).items():
                result = _checked_result(address, text, part[address])
                if result is None:
                    continue
                wanted = {_path(address, name): name for name in result.pieces}
                pieces = {name: _checked(text) for name, text in self._read(wanted).items()}
                whole = {name: text for name, text in pieces.items() if text is not None}
                if len(whole) == len(result.pieces):
                    yield address, (result.to_json().encode(), whole)

    def put(self, address: str, result: bytes, pieces: Mapping[str, bytes]) -> bool:
        """Put an answer there, after its pieces, and return whether it is there now."""
        if self._is_asleep("written"):
            return False
        files = {_path(address, name): text for name, text in pieces.items()}
        try:
            if files:
                self.place.write(files)
            self.place.write({_path(address): result})
        except OnlyReadError:
            return False
        except OSError as error:
            self._sleep("written", error)
            return False
        return True

    def warn(self, warnings: Iterable[Problem]) -> None:
        """Take over what was refused in another process."""
        self._warnings = list(dict.fromkeys([*self._warnings, *warnings]))

    def warnings(self) -> list[Problem]:
        """Return what was refused since this was last asked."""
        told, self._warnings = self._warnings, []
        return told

    def _read(self, wanted: Mapping[str, str]) -> dict[str, bytes]:
        """Return the files that are there, by the names that are wanted."""
        if not wanted or self._is_asleep("read"):
            return {}
        try:
            return {wanted[path]: text for path, text in self.place.read(list(wanted), MOST).items()}
        except OSError as error:
            self._sleep("read", error)
            return {}

    def _is_asleep(self, doing: str) -> bool:
        return time.monotonic() < self._asleep[doing]

    def _sleep(self, doing: str, error: OSError) -> None:
        self._asleep[doing] = time.monotonic() + PAUSE
        why = error.strerror or str(error) or type(error).__name__
        then = "answers are computed here" if doing == "read" else "answers stay on this machine"
        message = f"broken cache: {self.place.name} cannot be {doing}: {why}; {then}"
        self._warnings.append(Problem(message, self.config, severity="warning"))


def open_shared(written: str, root: Path) -> Shared | None:
    """Return the place that a site's setting `cache` names, None where it is empty; nobody is asked yet.

    Paths are relative to `root`, the site's folder. A cluster's workers open the same address with credentials of
    their own.
    """
    if not written:
        return None
    config = root / CONFIG
    if is_address(written):
        return Shared(Remote(written.rstrip("/"), config), config)
    return Shared(Folder(root / Path(written).expanduser()), config)


def _path(address: str, piece: str = "") -> str:
    return f"results/{address[:2]}/{address}{f'/{piece}' if piece else ''}.json"


def _checked_result(address: str, text: bytes, question: Question) -> Result | None:
    """Return the result that a file holds, None where it is none, or the answer to another question."""
    try:
        result = Result.from_json(address, text.decode())
        result.to_json().encode()
        asked = json.loads(json.dumps({"run": question.run.prompt, "params": dict(question.params)}))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    says = result.provenance
    right = (
        result.kind == question.kind
        and says.get("fingerprint") == question.model
        and says.get("code") == question.code
        and says.get("params") == asked["params"]
        and says.get("prompt") == asked["run"]
        and has_form(says)
    )
    return result if right and len(set(result.pieces)) == len(result.pieces) <= MOST_PIECES else None


def _checked(text: bytes) -> bytes | None:
    """Return a piece as this machine would have written it, None where it is none."""
    try:
        value = json.loads(text)
        return published(value).encode() if isinstance(value, dict) else None
    except (ValueError, TypeError, RecursionError):
        return None
