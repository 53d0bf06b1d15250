"""`SETTINGS`: what may stand under `[tool.fanlight]` in a site's `pyproject.toml`, and what each value must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import nearest

__all__ = ["CITATION_STYLES", "REFERENCE_ORDERS", "SETTINGS", "Setting"]

CITATION_STYLES = ("numbered", "author-year")
REFERENCE_ORDERS = ("cited", "sorted")


@dataclass(frozen=True)
class Setting:
    """What a value must be; `choices` are the texts that it may be, or that the entries of a list may be.

    A text with a `form` must match it; `like` is one that does.
    """

    type: type
    choices: tuple[str, ...] = ()
    form: str = ""
    like: str = ""

    def complaint(self, key: str, value: Any) -> str | None:
        """Return what is wrong with a value, or None."""
        if type(value) is not self.type:  # `true` is no number
            return f"invalid setting: {key} must be {_WORDS[self.type]}"
        if isinstance(value, int) and value < 0:
            return f"invalid setting: {key} must be a number from 0 up"
        if self.form and not re.fullmatch(self.form, str(value)):
            return f"invalid setting: {key} = {value!r} (write it as {self.like})"
        for entry in value if isinstance(value, list) else (value,):
            if self.type is list and not isinstance(entry, str):
                return f"invalid setting: {key} must be a list of texts"
            if self.choices and entry not in self.choices:
                known = nearest(str(entry), self.choices) or f" (known: {', '.join(self.choices)})"
                return f"invalid setting: {key} = {str(entry)!r}{known}"
        return None


_WORDS = {str: "a text", bool: "true or false", dict: "a table", list: "a list of texts", int: "a number"}

SETTINGS: Mapping[str, Setting] = {
    "title": Setting(str),
    "description": Setting(str),
    "language": Setting(str, form=r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", like="en, pt-BR or ar"),  # BCP 47
    "base_url": Setting(str),
    "output": Setting(str),
    "license": Setting(str),
    "model": Setting(str),
    "models": Setting(dict),
    "figures": Setting(dict),
    "strict": Setting(bool),
    "citation_style": Setting(str, CITATION_STYLES),
    "reference_order": Setting(str, REFERENCE_ORDERS),
    "html": Setting(str, ("safe", "refuse", "raw")),
    "sidenotes": Setting(bool),
    "picture_formats": Setting(list, ("avif", "webp")),
    "social_cards": Setting(bool),
    "search": Setting(bool),
    "feed_length": Setting(int),
    "payload_limit": Setting(int),
    "plugins": Setting(list),
    "cache": Setting(str),
}
