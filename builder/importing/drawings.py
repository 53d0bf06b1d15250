"""`read_drawing`: a drawing that stands in a page, as a file of its own."""

from __future__ import annotations

from xml.etree import ElementTree

from .tree import words

__all__ = ["read_drawing"]

_SHAPES = words("path rect circle ellipse line polyline polygon text image use")
_SVG = "http://www.w3.org/2000/svg"


def read_drawing(source: str) -> bytes | None:
    """Return the file of an `<svg>` element, in which nothing runs or is loaded; None if it has no shapes."""
    if "<!DOCTYPE" in source or "<!ENTITY" in source:
        return None
    if "xmlns=" not in source.partition(">")[0]:
        source = source.replace("<svg", f'<svg xmlns="{_SVG}"', 1)
    if "xlink:" in source and "xmlns:xlink" not in source:
        source = source.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"', 1)
    try:
        root = ElementTree.fromstring(source)  # noqa: S314 - no document type, so no entities
    except (ElementTree.ParseError, ValueError):
        return None
    for parent in list(root.iter()):
        for name in list(parent.attrib):
            is_link = name.endswith("href") and not parent.attrib[name].startswith(("#", "data:image/"))
            if name.lower().startswith("on") or is_link:
                del parent.attrib[name]
        for child in list(parent):
            if str(child.tag).rpartition("}")[2].lower() in ("script", "foreignobject", "iframe", "set", "animate"):
                parent.remove(child)
    if not any(str(node.tag).rpartition("}")[2] in _SHAPES for node in root.iter()):
        return None
    ElementTree.register_namespace("", _SVG)
    content: bytes = ElementTree.tostring(root, encoding="utf-8")
    return content
