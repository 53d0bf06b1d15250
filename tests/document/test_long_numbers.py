"""Digits without end: Python reads no number of more than 4,300, and an article may hold one wherever a number goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from builder.document import Document

Parse = Callable[..., Document]
Told = Callable[[Document], list[str]]

MANY = "9" * 5000
FIGURE = ":::{figure}\n:analysis: x\n:label: fig-x\n:::\n\n"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (f"{FIGURE}{{value}}`a[{MANY}] of=fig-x`", "9:10: invalid value: a[999"),
        (f"{FIGURE}{{value}}`a of=fig-x panel={MANY}`", "9:20: invalid panel: 999"),
        (f"{FIGURE}[a]{{token=b of=fig-x panel={MANY}}}", "9:22: invalid panel: 999"),
        (f"```python {{start={MANY}}}\nx\n```\n", "4:12: invalid start: 999"),
        (f"```{{code-block}} python\n:lineno-start: {MANY}\nx\n```\n", "5: invalid lineno_start: 999"),
        (f"```python {{highlight={MANY}}}\nx\n```\n", "4:12: invalid highlight: 999"),
        (f":::{{list-table}}\n:header-rows: {MANY}\n* - a\n:::\n", "5: invalid header_rows: 999"),
        (f":::{{list-table}}\n:stub-columns: {MANY}\n* - a\n:::\n", "5: invalid stub_columns: 999"),
        (f"::::{{grid}} {MANY}\n:::{{grid-item}}\na\n:::\n::::\n", "4:1: invalid columns: 999"),
        (f"::::{{figure}}\n:columns: {MANY}\n:::{{figure}} rank.png\n:alt: x\n:::\n::::\n", "5: invalid columns: 999"),
        (f"![a](rank.png){{width={MANY}}}", "4:1: invalid width: 999"),
    ],
)
def test_a_number_that_is_too_long_is_told(parsed: Parse, told: Told, body: str, wrong: str) -> None:
    """In its line, as any other that cannot be meant."""
    (problem,) = told(parsed(body))
    assert problem.startswith(wrong)


@pytest.mark.parametrize(
    "body",
    [
        f"{MANY}. a\n",
        f"[^{MANY}]",
        f"<ol start={MANY}><li value={MANY}>a</li></ol>\n",
        f'<hr title="&#115;lot{MANY}">\n\na\n\n<hr>\n',
        f"&#{MANY}; &#x{MANY};",
        f"a <b title='&#{MANY};'>b</b> <a href='&#{MANY};x'>c</a>",
        f"<p title='&#{MANY};'>\na\n</p>\n",
        f"a <a href='&#{'0' * 5000}106;avascript:alert(1)'>b</a>",
    ],
)
def test_no_number_breaks_the_reading(parsed: Parse, body: str) -> None:
    """Lists, notes, entities and HTML have numbers too, and `parse` raises nothing for what an author wrote."""
    parsed(body)


@pytest.mark.parametrize("front", ["date", "draft", "thumbnail", "comments: {x"])
def test_a_number_in_front_matter_is_read(parsed: Parse, front: str) -> None:
    """Whether its key wants one or not."""
    assert parsed("a", front=f"title: x\n{front}: {MANY}{'}' * front.count('{')}").problems
