"""What a kind's templates say of an answer is kept while the answer, the scales and the templates are the same."""

from __future__ import annotations

from typing import Any

import jinja2
import pytest

from builder.page import kind_templates
from builder.page.kind_templates import render_kind

NAME = "figures/it/fallback.html"


class Theme(jinja2.Environment):
    """An environment of a few templates, which counts what it renders."""

    def __init__(self, **templates: str) -> None:
        named = {NAME: templates.pop("it"), **{f"figures/{name}.html": text for name, text in templates.items()}}
        super().__init__(loader=jinja2.DictLoader(named), autoescape=True, undefined=jinja2.StrictUndefined)
        self.rendered = 0

    def get_template(self, *names: Any, **options: Any) -> jinja2.Template:
        """Count, where it is asked from outside of a template."""
        self.rendered += names[0] == NAME
        return super().get_template(*names, **options)

    def show(self, number: int, version: object = 1, *, extent: dict[str, float] | None = None, page: str = "") -> str:
        """Render it of an answer that holds a number."""
        context = {"data": {"n": number}, "extent": extent or {}, "page": page, "figure": None, "result": None}
        return str(render_kind(self, NAME, context, version))


def test_an_answer_is_rendered_once() -> None:
    """Again where it is another, where the scales are, and where nobody knows whether it is the same."""
    theme = Theme(it="{% set size = extent.top|default(1) %}{{ data.n }} of {{ size }}")
    assert [theme.show(3), theme.show(3)] == ["3 of 1"] * 2
    assert theme.rendered == 1
    assert theme.show(4, 2) == "4 of 1"
    assert theme.show(3, extent={"top": 9.0}) == "3 of 9.0"
    assert [theme.show(5, None), theme.show(6, None)] == ["5 of 1", "6 of 1"]
    assert theme.rendered == 5


@pytest.mark.parametrize(
    "templates",
    [
        {"it": "{{ page }}"},
        {"it": "{% include 'figures/part.html' %}", "part": "{{ page }}"},
        {"it": "{% include 'figures/' ~ data.get('kind', 'part') ~ '.html' %}", "part": "{{ page }}"},
        {"it": "{% from 'figures/part.html' import said with context %}{{ said() }}",
         "part": "{% macro said() %}{{ page }}{% endmacro %}"},
        {"it": "{% extends 'figures/part.html' %}", "part": "{% if page is defined %}{{ page }}{% endif %}"},
    ],
)  # fmt: skip
def test_what_is_said_of_a_page_is_not_said_on_another(templates: dict[str, str]) -> None:
    """By the template itself, or by one that it names, also where its name is reckoned."""
    theme = Theme(**templates)
    assert [theme.show(3, page=page) for page in ("here", "there")] == ["here", "there"]


def test_templates_may_name_each_other() -> None:
    """What they read is found out all the same."""
    theme = Theme(it="{{ data.n }}{% if data.n < 0 %}{% include 'figures/part.html' %}{% endif %}",
                  part="{% include 'figures/it/fallback.html' %}")  # fmt: skip
    assert [theme.show(3), theme.show(3)] == ["3", "3"]
    assert theme.rendered == 1


def test_the_last_ones_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site of thousands of figures is not held in memory."""
    monkeypatch.setattr(kind_templates, "KEPT", 2)
    theme = Theme(it="{{ data.n }}")
    for number in (1, 2, 1, 3, 1):
        assert theme.show(number, number) == str(number)
    assert theme.rendered == 3
    theme.show(2, 2)
    assert theme.rendered == 4
