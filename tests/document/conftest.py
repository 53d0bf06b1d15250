"""A site with two articles and a bibliography, and a function that parses one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from builder.article import read_article
from builder.bibliography import read_bibliography
from builder.document import Document, parse
from builder.mathematics import TexError
from builder.site import Site

BIB = """
@article{olsson2022, title={Induction}, author={Olsson, Catherine}, year=2022}
@article{vig2019, title={Attention}, author={Vig, Jesse}, year=2019}
@book{knuth, title={TeX}, author={Knuth, Donald}, year=1984}
"""


def strict_tex(tex: str, display: bool) -> str:
    """Refuse a command that does not exist, as KaTeX does."""
    if "\\nope" in tex:
        raise TexError("unknown TeX command: \\nope", tex.index("\\nope"), 5)
    return tex


@pytest.fixture
def parsed(tmp_path: Path) -> Callable[..., Document]:
    """Return a function that parses a body, of the article `ranks` unless it names another."""
    (tmp_path / "refs.bib").write_text(BIB)
    bibliography = read_bibliography([tmp_path / "refs.bib"])
    site = Site(tmp_path, tmp_path / "_site")
    other = site.content / "other" / "article.md"
    for path in (other, site.content / "ranks" / "article.md"):
        path.parent.mkdir(parents=True)
        path.write_text("---\ntitle: Other\n---\n## There\n")
    (other.parent / "rank.png").write_bytes(b"\x89PNG")
    (other.parent.parent / "ranks" / "rank.png").write_bytes(b"\x89PNG")

    def make(
        body: str, slug: str = "ranks", front: str = "title: x", tex: object = strict_tex, html: str = "safe"
    ) -> Document:
        path = site.content / slug / "article.md"
        path.write_text(f"---\n{front}\n---\n{body}", encoding="utf-8")
        articles = {"ranks": site.content / "ranks" / "article.md", "the-other": other}
        return parse(read_article(path, site), bibliography, articles=articles, tex=tex, html=html)  # type: ignore[arg-type]

    return make


@pytest.fixture
def told() -> Callable[[Document], list[str]]:
    """Return a function that lists problems as authors see them, without the path; the body begins in line 4."""

    def tell(document: Document) -> list[str]:
        return [str(problem).removeprefix(f"{document.article.path}:") for problem in document.problems]

    return tell
