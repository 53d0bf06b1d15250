"""`render_kind`: what a kind's templates say of an answer; while neither changes, it is rendered once a process.

In the preview half of the time between a saved word and its page went into figures that it does not touch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from jinja2 import Environment, meta
from markupsafe import Markup

__all__ = ["render_kind"]

KEPT = 256
"""How many renderings of a theme are kept, the last ones; each is a few kilobytes, seldom a hundred."""
ANSWER = frozenset({"data", "extent"})
"""What a template may read if its rendering is to be kept: the answer, and the ends of scales that a gallery shares.
Of the rest that it is given, the page among it, it would have to be known what of it was read."""

_kept: WeakKeyDictionary[Environment, OrderedDict[Hashable, Markup]] = WeakKeyDictionary()
_read: WeakKeyDictionary[Environment, dict[str, frozenset[str]]] = WeakKeyDictionary()


def render_kind(theme: Environment, name: str, context: Mapping[str, Any], version: Hashable) -> Markup:
    """Render `figures/KIND/NAME.html`. `version` tells one content of an answer from all others; None keeps nothing."""
    if version is None or not _reads(theme, name).isdisjoint(context.keys() - ANSWER):
        return _render(theme, name, context)
    kept = _kept.setdefault(theme, OrderedDict())
    key = (name, version, tuple(sorted(context["extent"].items())))
    if key in kept:
        kept.move_to_end(key)
        return kept[key]
    kept[key] = _render(theme, name, context)
    if len(kept) > KEPT:
        kept.popitem(last=False)
    return kept[key]


def _render(theme: Environment, name: str, context: Mapping[str, Any]) -> Markup:
    return Markup(theme.get_template(name).render(context))


def _reads(theme: Environment, name: str) -> frozenset[str]:
    """Return the variables that a template may read, those of the templates that it names too.

    One that reckons a template's name while it is rendered may read anything, so the page too.
    """
    known = _read.setdefault(theme, {})
    if name not in known:
        found: set[str] = set()
        named = [name]
        for one in named:  # it grows
            tree = theme.parse(_source(theme, one))
            found |= meta.find_undeclared_variables(tree)
            for other in meta.find_referenced_templates(tree):
                if other is None:
                    found.add("page")
                elif other not in named:
                    named.append(other)
        known[name] = frozenset(found)
    return known[name]


def _source(theme: Environment, name: str) -> str:
    assert theme.loader is not None
    return theme.loader.get_source(theme, name)[0]
