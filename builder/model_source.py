"""`ModelSource`: where a model comes from, as a site's settings say it.

A module of its own: it belongs to the code of every answer, and the other settings do not.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModelSource"]


@dataclass(frozen=True)
class ModelSource:
    """Where a model comes from: a hub id, a path (`./`, `/`, `~`), or `pypi:NAME==VERSION`.

    The fields are `from_pretrained`'s of the same name; `member` and `sha256` belong to `pypi:` (which file of the
    wheel, and the wheel's hash), `norm`, `head`, `blocks`, `embedding` override what is found by structure (dotted
    module names), `license` is passed on to readers.
    """

    name: str
    source: str
    revision: str | None = None
    subfolder: str = ""
    dtype: str = "float32"
    gguf_file: str | None = None
    trust_remote_code: bool = False
    member: str | None = None
    sha256: str | None = None
    license: str | None = None
    embedding: str | None = None
    blocks: str | None = None
    norm: str | None = None
    head: str | None = None
