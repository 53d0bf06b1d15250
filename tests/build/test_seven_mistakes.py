"""The seven mistakes that of eleven generators none reports: planted in one article, told in one run, as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builder.__main__ import main

from .conftest import SiteFolder

FIXTURES = Path(__file__).parents[1] / "fixtures" / "mistakes"
OWN = "@article{own2020, author={Own, O.}, title={Own Things}, journal={Journal}, year={2020}}\n"
OTHER = """---
title: The other article
description: An article without mistakes beside the one that has seven, to which one of its links should lead.
---
## There {#sec-there}

Words [@olsson2022].
"""


@pytest.fixture
def planted(modelless: SiteFolder) -> SiteFolder:
    """A site with the planted article, one without mistakes, and all that the planted one nearly names."""
    folder = modelless
    folder.write("content/seven/article.md", (FIXTURES / "seven.md").read_text(encoding="utf-8"))
    folder.write("content/seven/own.bib", OWN)
    folder.write("content/seven/rank.png", b"\x89PNG\r\n\x1a\n")
    folder.write("content/other/article.md", OTHER)
    folder.write("bib/site.bib", OWN.replace("own2020", "olsson2022").replace("Own", "Olsson"))
    return folder


@pytest.mark.parametrize("command", ["build", "check"])
def test_all_seven_are_told_in_one_run(planted: SiteFolder, command: str, capsys: Any) -> None:
    """Each with file, line, column and the nearest right value, and nothing that is right among them."""
    assert main([command]) == 1
    told = capsys.readouterr().err.splitlines()
    notes = [line for line in told if ": note: " in line]
    expected = (FIXTURES / "told.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in told if line not in notes][:-1] == expected
    assert told[-1].startswith("7 errors, 1 warning")
    assert command == "check" or not notes
    assert not (planted.root / "_site").exists()
