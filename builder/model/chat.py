"""A prompt as a chat's template puts it to a model: on every day the same text, whatever day the template tells."""

from __future__ import annotations

import datetime
from typing import Any

__all__ = ["write_chat"]

TODAY = datetime.datetime(2024, 7, 26)
"""What templates are told that ask for the day. It is the one that Llama 3.2's falls back on."""
_ASKED = "aAbBcdfHIjmMpSuUVwWxXyYzZ"
"""Letters that stand for parts of a time in a format of `strftime`, behind a %."""


def write_chat(tokenizer: Any, prompt: str) -> str:
    """Return a chat that consists of what a user says, up to where the model answers."""
    said = [{"role": "user", "content": prompt}]
    template = _told_the_day() + tokenizer.get_chat_template()
    return str(tokenizer.apply_chat_template(said, chat_template=template, tokenize=False, add_generation_prompt=True))


def _told_the_day() -> str:
    """Return what goes before a template: a `strftime_now` of its own.

    That of transformers tells the real day, so that a stored answer would be to tokens that nobody has tomorrow, and
    what is passed to a template is made plain text there, functions too.
    """
    steps = "".join(f" | replace('%{letter}', '{TODAY.strftime(f'%{letter}')}')" for letter in _ASKED)
    return f"{{%- macro strftime_now(format) -%}}{{{{ format | replace('%-', '%'){steps} }}}}{{%- endmacro -%}}"
