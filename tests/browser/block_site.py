"""A small site of blocks: an article of all of them, one of prose, one of three tabs."""

from __future__ import annotations

from pathlib import Path

from builder.build import Builder
from builder.site import Site

ARTICLE = """---
title: Blocks
description: All blocks of an article.
date: 2026-11-01
---

Some <kbd>keys</kbd>, H<sub>2</sub>O, a <mark>mark</mark>, an <abbr title="HyperText">HT</abbr> and [a link](#deep).

:::{note} A *title* with `code`
Text with [a link](https://example.org).
:::

:::{tip}
Text.
:::

:::{important}
Text.
:::

:::{warning}
Text.
:::

:::{caution}
Text.
:::

:::{note} What opens
:collapse: true

Hidden words.
:::

<details>
<summary>An article's own</summary>

More hidden words.

</details>

```python {title="train.py" highlight="1,3" linenos start=7}
import torch

loss = torch.zeros(1)  # a comment that is so long that its line is wider than the window of a telephone, and of a desk
```

::::{tab-set}
:::{tab-item} Python
:sync: py
Tall.

Words of the first.

```python
x = 1
```
:::
:::{tab-item} *Java*Script
:sync: js
Words of the second.

## Deep {#deep}

Words below.
:::
::::

::::{tab-set}
:::{tab-item} JavaScript
:sync: js
Other words.
:::
:::{tab-item} Python
:sync: py
:selected:
Chosen words.
:::
::::

::::{grid} 2
:::{grid-item}
Left.
:::
:::{grid-item-card} A card
Right.
:::
::::

> Words.
>
> -- A name

:::{epigraph}
Words.
-- A name
:::

- [ ] to do
- [x] done

Term
: Its definition.

:::{list-table} A caption.
:header-rows: 1
:stub-columns: 1

* - a
  - b
* - c
  - d
:::

<table>
<thead><tr><th>aaaaaaaaaaaaaaaaaaaaaaa</th><th>bbbbbbbbbbbbbbbbbbbbbbbbbb</th><th>ccccccccccccccccccccccc</th></tr></thead>
<tbody><tr><td>1</td><td>2</td><td>3</td></tr></tbody>
</table>

```{math}
:label: eq-a
a^2
```
"""


PROSE = "---\ntitle: Prose\ncitation: false\n---\nWords.\n"
ITEMS = "\n".join(f":::{{tab-item}} {name}\nWords.\n:::" for name in ("One", "Two", "Three"))
THREE = f"---\ntitle: Three\ncitation: false\n---\n::::{{tab-set}}\n{ITEMS}\n::::\n"


def build_block_site(root: Path) -> Path:
    """Build the site, and return the folder that it lies in."""
    for slug, text in (("all", ARTICLE), ("prose", PROSE), ("three", THREE)):
        folder = root / "content" / slug
        folder.mkdir(parents=True)
        (folder / "article.md").write_text(text, encoding="utf-8")
    built = Builder(Site(root, root / "_site", search=False)).build()
    assert not built.problems
    return root / "_site"
