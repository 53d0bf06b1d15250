"""Tokens as a page shows them: the exact bytes of each, grouped where a character is split between several."""

from __future__ import annotations

import codecs
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Pieces", "Vocabulary", "describe_tokens"]


_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")  # how SentencePiece writes a byte that no piece holds


class Pieces:
    """What each token of a tokenizer stands for, in bytes: `Pieces(tokenizer)[464] == b" the"`.

    Decoding token by token gives U+FFFD wherever a character is split; bytes never do. Known alphabets: GPT-2's
    byte-level BPE, SentencePiece with byte fallback, WordPiece, and plain vocabularies.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.special = frozenset(tokenizer.all_special_ids)
        added = getattr(tokenizer, "added_tokens_decoder", {})
        self._added = {token: str(entry.content) for token, entry in added.items()}
        state = _decoder(tokenizer)
        names = set(re.findall(r'"type":\s*"(\w+)"', state))
        self._bytes = _byte_alphabet() if "ByteLevel" in names else {}
        self._metaspace = not self._bytes and ("▁" in state or "Metaspace" in names)
        self._fallback = "ByteFallback" in names
        self._continued = "##" if "WordPiece" in names else ""
        suffix = re.search(r'"suffix":\s*"([^"]+)"', state) if "BPEDecoder" in names else None
        self._suffix = suffix[1] if suffix else ""
        self._known: dict[int, bytes] = {}

    def __getitem__(self, token: int) -> bytes:
        if token not in self._known:
            self._known[token] = self._convert(token)
        return self._known[token]

    def text(self, token: int) -> str:
        """Return one token by itself; what is not UTF-8 shows as U+FFFD."""
        return self[token].decode("utf-8", errors="replace")

    def shown(self, token: int) -> str:
        """Return one token by itself as a figure shows it: its text, or where it has none its bytes, as ⟨e6 9d⟩."""
        text = self.text(token)
        return text if text and "\ufffd" not in text else f"⟨{self[token].hex(' ')}⟩"

    def _convert(self, token: int) -> bytes:
        if token in self._added and not (self._fallback and _BYTE.fullmatch(self._added[token])):
            written = self._added[token]  # Gemma's runs of spaces are added tokens too, and no special ones
            return (written.replace("▁", " ") if self._metaspace and token not in self.special else written).encode()
        piece: str | None = self.tokenizer.convert_ids_to_tokens(token)
        if piece is None:  # an embedding row beyond the vocabulary: padding of the matrix
            return f"<{token}>".encode()
        if self._bytes:
            if all(sign in self._bytes for sign in piece):
                return bytes(self._bytes[sign] for sign in piece)
            return piece.encode()
        byte = _BYTE.fullmatch(piece) if self._fallback else None
        if byte:
            return bytes.fromhex(byte[1])
        if self._metaspace:
            piece = piece.replace("▁", " ")
        elif self._continued:
            piece = piece.removeprefix("##") if piece.startswith("##") else f" {piece}"
        elif self._suffix and piece.endswith(self._suffix):
            piece = piece.removesuffix(self._suffix) + " "
        return piece.encode("utf-8", errors="surrogatepass")


class Vocabulary(dict[int, int]):
    """Tokens by id → their number here, in the order in which they are asked for: `Vocabulary(pieces)[464] == 0`.

    `texts` are what figures show for them, each once.
    """

    def __init__(self, pieces: Pieces) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._pieces = pieces

    def __missing__(self, token: int) -> int:
        self.texts.append(self._pieces.shown(token))
        self[token] = len(self)
        return self[token]


class _Span(NamedTuple):
    start: int
    end: int
    text: str | None


def describe_tokens(
    pieces: Pieces, ids: Sequence[int], n_input: int, prompt: str | None = None
) -> list[dict[str, Any]]:
    """Return `data.tokens`: text, id and type of each, and bytes and span where a character is split.

    The first token of the smallest span that decodes has the span's text and `span: n`; the n − 1 after it have no
    text and `span: 0`. Bytes that never decode stand alone with U+FFFD. A space that the tokenizer put before the
    text (SentencePiece's dummy prefix), which `prompt` does not begin with, is not shown.
    """
    chunks = [pieces[token] for token in ids]
    first = next((i for i, token in enumerate(ids) if token not in pieces.special), None)
    if first is not None and prompt is not None and first < n_input and not prompt[:1].isspace():
        chunks[first] = chunks[first].removeprefix(b" ")
    tokens: list[dict[str, Any]] = []
    for span in _spans(chunks, [token in pieces.special for token in ids]):
        for position in range(span.start, span.end):
            entry: dict[str, Any] = {
                "text": (span.text if span.text is not None else "\ufffd") if position == span.start else "",
                "id": int(ids[position]),
                "type": "input" if position < n_input else "output",
            }
            if span.text is None or span.end - span.start > 1:
                entry["bytes"] = chunks[position].hex()
            if span.end - span.start > 1:
                entry["span"] = span.end - span.start if position == span.start else 0
            if ids[position] in pieces.special:
                entry["special"] = True
            tokens.append(entry)
    return tokens


def _spans(chunks: list[bytes], alone: list[bool]) -> list[_Span]:
    """Cut a sequence of byte strings into the smallest runs that are UTF-8; `text` None where none is."""
    spans = []
    start = 0
    while start < len(chunks):
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        text, found = "", None
        for end in range(start, len(chunks)):
            if end > start and alone[end]:
                break
            try:
                text += decoder.decode(chunks[end])
            except UnicodeDecodeError:
                break
            if not decoder.getstate()[0]:
                found = end + 1
                break
        spans.append(_Span(start, found or start + 1, text if found else None))
        start = found or start + 1
    return spans


def _decoder(tokenizer: Any) -> str:
    """Return the JSON of a fast tokenizer's decoder and pre-tokenizer; empty for one written in Python."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    parts = [getattr(backend, name, None) for name in ("decoder", "pre_tokenizer", "normalizer")]
    states = [part.__getstate__() for part in parts if part is not None]
    return " ".join(state.decode() if isinstance(state, bytes) else json.dumps(state) for state in states)


@cache
def _byte_alphabet() -> dict[str, int]:
    """GPT-2's map of bytes to printable signs, inverted (github.com/openai/gpt-2, encoder.py)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    signs = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in printable)
    signs.update({chr(256 + n): byte for n, byte in enumerate(others)})
    return signs
