"""The corpus of the benchmarks: what is counted in it is there, and it is text that builds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builder.library import Library
from builder.site import find_site
from tests.benchmarks.site_corpus import DIALECTS, count, write_site


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_every_generator_gets_the_same_words(dialect: str, tmp_path: Path) -> None:
    """An article has its words and its formulas in each dialect, and two runs write the same bytes."""
    for name in ("once", "again"):
        write_site(tmp_path / name, 2, dialect=dialect)
    files = sorted(file for file in (tmp_path / "once").rglob("*") if file.is_file())
    assert [file.read_bytes() for file in files] == [
        (tmp_path / "again" / file.relative_to(tmp_path / "once")).read_bytes() for file in files
    ]
    text = next(file for file in files if "00002" in str(file)).read_text(encoding="utf-8")
    assert text.count("$$\n\n") + text.count("$$ {") == 5
    assert (
        len(re.findall(r"[\w’'-]+", re.sub(r"```.*?```|\$\$.*?\$\$|\$[^$]*\$|\{[^}]*\}", "", text, flags=re.S))) > 1650
    )


def test_formulas_repeat_unless_told_otherwise() -> None:
    """Some formulas return, as in real articles; with `distinct` none does."""
    assert count(20, distinct=True).startswith("300 formulas, 300 different")
    assert not count(20, distinct=False).startswith("300 formulas, 300 different")


def test_the_corpus_has_no_mistakes(tmp_path: Path) -> None:
    """Every citation, link, label and formula of it is right."""
    write_site(tmp_path, 2)
    documents = Library(find_site(tmp_path)).read()
    assert [problem for document in documents for problem in document.problems] == []
