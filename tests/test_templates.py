"""Compiled templates are kept in the user's cache, and are worth nothing when they are wrong or cannot be kept."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from builder.templates import CompiledTemplates


def render(folder: Path, text: str) -> str:
    """Render a template whose compiled form lies in `folder`."""
    loader = jinja2.DictLoader({"page.html": text})
    return (
        jinja2.Environment(loader=loader, bytecode_cache=CompiledTemplates(folder)).get_template("page.html").render()
    )


def test_a_template_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next build, in another process, reads what this one compiled."""
    assert render(tmp_path, "{{ 1 + 1 }}") == "2"
    assert len(list(tmp_path.iterdir())) == 1

    def compiled(*_: object, **__: object) -> None:
        pytest.fail("compiled again")

    monkeypatch.setattr(jinja2.Environment, "compile", compiled)
    assert render(tmp_path, "{{ 1 + 1 }}") == "2"


def test_a_changed_template_is_compiled_again(tmp_path: Path) -> None:
    """Its text decides, not its name or its age."""
    render(tmp_path, "old")
    assert render(tmp_path, "new") == "new"


@pytest.mark.parametrize("nonsense", [b"", b"nonsense", b"j2\x05\x00\x00\x00\x00\x00"])
def test_a_damaged_file_is_compiled_again(tmp_path: Path, nonsense: bytes) -> None:
    """A cache is never a reason to fail."""
    render(tmp_path, "text")
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:30] + nonsense)
    assert render(tmp_path, "text") == "text"


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    """A read-only cache, or a full disk."""
    (tmp_path / "file").write_text("")
    assert render(tmp_path / "file" / "folder", "text") == "text"
