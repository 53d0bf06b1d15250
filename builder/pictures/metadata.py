"""`without_metadata`: a picture's file without what cameras and programs note in it: where, when, by whom."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

__all__ = ["without_metadata"]

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_NOTES = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}
_JPEG_NOTES = {0xE1, 0xED, 0xFE}  # Exif and XMP, Photoshop's, comments; colour profiles are in others
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


def without_metadata(content: bytes, orientation: int = 1) -> bytes:
    """Return a PNG, JPEG or WebP without Exif, XMP, comments and text; not one pixel changes.

    The turn that a JPEG's or WebP's Exif asks for, `orientation`, is kept, in an Exif that says nothing else. What is
    of another format, or ends before it should, is returned as it is.
    """
    try:
        if content.startswith(_PNG):
            return _PNG + b"".join(_png_chunks(content))
        if content.startswith(b"\xff\xd8"):
            return b"\xff\xd8" + _turn_segment(orientation) + b"".join(_jpeg_segments(content))
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            body = b"WEBP" + b"".join(_webp_chunks(content, orientation))
            return b"RIFF" + struct.pack("<I", len(body)) + body
    except (struct.error, IndexError):
        pass
    return content


def _png_chunks(content: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind not in _PNG_NOTES:
            yield content[at : at + 12 + length]
        at += 12 + length
        if kind == b"IEND":  # what follows is no part of the picture
            return


def _jpeg_segments(content: bytes) -> Iterator[bytes]:
    at = 2
    while (marker := content[at + 1]) != 0xD9:
        if marker == 0xFF:  # filling
            at += 1
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        end = at + 2 + length
        if marker == 0xDA:  # a scan goes on to the next marker that is none of its own
            end = found.start() if (found := _MARKER.search(content, end)) else len(content)
        if marker not in _JPEG_NOTES and content[at + 4 : at + 8] != b"MPF\0":
            yield content[at:end]
        at = end
    yield b"\xff\xd9"  # what follows is another picture, or a film of the same moment


def _webp_chunks(content: bytes, orientation: int) -> Iterator[bytes]:
    at, turned = 12, orientation != 1
    while at + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, at)
        end = at + 8 + length + length % 2
        if kind == b"VP8X":
            flags = content[at + 8] & ~0x0C | (0x08 if turned else 0)  # which says whether there are Exif and XMP
            yield content[at : at + 8] + bytes([flags]) + content[at + 9 : end]
        elif kind not in (b"EXIF", b"XMP "):
            yield content[at:end]
        at = end
    if turned:
        exif = _turn(orientation)
        yield b"EXIF" + struct.pack("<I", len(exif)) + exif


def _turn_segment(orientation: int) -> bytes:
    if orientation == 1:
        return b""
    exif = b"Exif\0\0" + _turn(orientation)
    return b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif


def _turn(orientation: int) -> bytes:
    """Return the shortest TIFF header that names an orientation: one directory of one entry."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
