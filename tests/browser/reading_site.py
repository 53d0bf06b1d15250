"""A small site to read: notes in all places, figures within a figure, references to all that has a label."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from builder.build import Builder
from builder.site import find_site

TEXT = (
    "What a reader reads before the next note is called, long enough for the text to take a few lines on a desk. " * 3
)

NOTES = f"""
{TEXT}A first note.[^one] {TEXT}

## A section {{#sec-first}}

See @fig-both, @fig-left, @fig-wide, @tbl-models, @eq-energy, @sec-last and {{numref}}`Fig. %s <fig-both>`.

{TEXT}^[An inline note with $x^2$ and [@vig2019].] {TEXT}[^one] {TEXT}^[{TEXT}] And.^[Short.] And.^[Short again.]

::::{{figure}}
:label: fig-both

:::{{figure}} a.png
:label: fig-left
:alt: A red square.

On the left.
:::

:::{{figure}} a.png
:alt: The same.

On the right.^[In a caption.]
:::

Two of a kind.
::::

### A title^[Of a heading.]

:::{{aside}}
An aside stands in the margin where there is one. {TEXT}
:::

{TEXT}^[Its mark is beside the aside.] {TEXT}^[This one's, too.]

{TEXT}^[Just before what is wide. {TEXT}]

:::{{figure}} a.png
:label: fig-wide
:layout: page
:alt: Wide.

From side to side.^[In the caption of a wide figure.]
:::

{TEXT}^[After it.]

$$
p(x) = \\frac{{1}}{{Z}} \\exp(-E(x)), \\qquad {" + ".join(f"x_{{{i}}}" for i in range(40))}
$$ {{#eq-energy}}

:::{{table}}
:label: tbl-models

| model^[In a table.] | layers |
|---|--:|
| one | 12 |
{"".join(f"| {i} | {i} |{chr(10)}" for i in range(20))}
Many models.
:::

- a list
  - in a list^[In a nested list.]

## The last {{#sec-last}}

{TEXT}^[At the end. {TEXT} {TEXT}]

[^one]: Of two paragraphs.

    The second has a formula $\\frac{{a}}{{b}}$ and a citation [@vig2019].
"""

BIB = "@article{vig2019, title={A Multiscale Visualization}, author={Vig, Jesse}, year=2019}\n"


def build_reading_site(root: Path, *, sidenotes: bool) -> Path:
    """Build the site, and return the folder that it lies in."""
    for name, front in {
        "notes": f"date: 2026-02-02\nsidenotes: {str(sidenotes).lower()}",
        "old": "date: 2025-01-01",
    }.items():
        folder = root / "content" / name
        folder.mkdir(parents=True)
        text = NOTES if name == "notes" else "Nothing."
        (folder / "article.md").write_text(f"---\ntitle: On {name}\n{front}\n---\n{text}", encoding="utf-8")
    Image.new("RGB", (800, 500), (170, 40, 40)).save(root / "content" / "notes" / "a.png")
    (root / "bib").mkdir()
    (root / "bib" / "all.bib").write_text(BIB, encoding="utf-8")
    (root / "pyproject.toml").write_text('[tool.fanlight]\ntitle = "Notes"\n', encoding="utf-8")
    Builder(find_site(root)).build()
    return root / "_site"
