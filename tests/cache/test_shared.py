"""Answers that people share are found where others put them, and nothing that lies there is trusted."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.cache import Cache, open_shared
from builder.cache import shared as shared_module

from .conftest import PIECES, QUESTION, answer, cache_of, number


def test_what_one_puts_another_finds(written: str, tmp_path: Path) -> None:
    """The copy is byte for byte what was put, pieces too, and is asked for once: later it is on this machine."""
    ann, ben = cache_of("ann", written, tmp_path), cache_of("ben", written, tmp_path)
    ann.put(answer(), PIECES)
    assert ben.find(QUESTION.address) is None
    ben.bring([QUESTION, number(1)])
    assert ben.find(QUESTION.address, "activations") == answer()
    assert list(ben) == [QUESTION.address]
    assert ben.path(QUESTION.address).read_bytes() == ann.path(QUESTION.address).read_bytes()
    for name in PIECES:
        assert ben.piece(QUESTION.address, name).read_bytes() == ann.piece(QUESTION.address, name).read_bytes()
    assert ann.warnings() == ben.warnings() == []


def test_many_answers_are_brought(written: str, tmp_path: Path) -> None:
    """More than are asked for together."""
    ann, ben = cache_of("ann", written, tmp_path), cache_of("ben", written, tmp_path)
    questions = [number(n) for n in range(shared_module.AT_ONCE + 3)]
    for question in questions:
        ann.put(answer(question), PIECES)
    ben.bring(questions)
    assert sorted(ben) == sorted(question.address for question in questions)


def test_nothing_is_left_beside_what_was_put(place: Path, tmp_path: Path) -> None:
    """Files grow under another name and are moved: a reader sees a whole one, and no litter stays."""
    for written in (str(place), f"file://{place}"):
        cache_of("ann", written, tmp_path).put(answer(), PIECES)
        names = sorted(path.name for path in place.rglob("*") if path.is_file())
        assert names == sorted([f"{QUESTION.address}.json", "layer-1.json", "layer-2.json"])


def _broken() -> dict[str, Callable[[Path], object]]:
    """Ways in which somebody else's file can be wrong, each done to the file of a whole answer."""
    own, pieces = f"{QUESTION.address}.json", QUESTION.address

    def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
        def edited(folder: Path) -> None:
            body = json.loads((folder / own).read_text())
            change(body)
            (folder / own).write_text(json.dumps(body))

        return edited

    return {
        "empty": lambda folder: (folder / own).write_bytes(b""),
        "cut short": lambda folder: (folder / own).write_bytes((folder / own).read_bytes()[:-9]),
        "no UTF-8": lambda folder: (folder / own).write_bytes(b"\xff\xfe"),
        "a pickle": lambda folder: (folder / own).write_bytes(b"\x80\x04K\x01."),
        "deep": lambda folder: (folder / own).write_text("[" * 200_000),
        "a folder": lambda folder: ((folder / own).unlink(), (folder / own).mkdir()),
        "of another kind": edit(lambda body: body.update(kind="tokens")),
        "of other weights": edit(lambda body: body["provenance"].update(fingerprint="other")),
        "of other code": edit(lambda body: body["provenance"].update(code="other")),
        "of another text": edit(lambda body: body["provenance"].update(prompt="other")),
        "of other parameters": edit(lambda body: body["provenance"].update(params={})),
        "of nothing": edit(lambda body: body.update(provenance={})),
        "NaN": edit(lambda body: body["data"].update(x=float("nan"))),
        "half a character": edit(lambda body: body["data"].update(x="\ud800")),
        "a piece elsewhere": edit(lambda body: body.update(pieces=["../../escaped"])),
        "a piece that is none": edit(lambda body: body.update(pieces=[1])),
        "a piece twice": edit(lambda body: body.update(pieces=["layer-1", "layer-1"])),
        "a lost piece": lambda folder: (folder / pieces / "layer-2.json").unlink(),
        "a piece cut short": lambda folder: (folder / pieces / "layer-1.json").write_text('{"text":"hal'),
        "a piece of NaN": lambda folder: (folder / pieces / "layer-1.json").write_text('{"text":NaN}'),
        "a piece that is a list": lambda folder: (folder / pieces / "layer-1.json").write_text("[]"),
    }


@pytest.mark.parametrize("how", _broken())
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_what_is_broken_or_answers_something_else_is_not_taken(
    how: str, scheme: str, place: Path, tmp_path: Path
) -> None:
    """It counts as missing, is computed anew and written over; no other file appears on this machine."""
    ann, ben = cache_of("ann", str(place), tmp_path), cache_of("ben", f"{scheme}{place}", tmp_path)
    ann.put(answer(), PIECES)
    _broken()[how](place / "results" / QUESTION.address[:2])
    ben.bring([QUESTION])
    assert ben.find(QUESTION.address) is None
    assert not (tmp_path / "ben").exists()
    assert ben.warnings() == []


def test_what_could_end_a_script_element_is_escaped_anew(place: Path, tmp_path: Path) -> None:
    """A published file never holds `<`, whoever wrote the one that it is a copy of."""
    ann, ben = cache_of("ann", str(place), tmp_path), cache_of("ben", str(place), tmp_path)
    ann.put(answer(), PIECES)
    for file in place.rglob("*.json"):
        file.write_text(file.read_text().replace("\\u003c", "<"))
    ben.bring([QUESTION])
    for file in (ben.path(QUESTION.address), ben.piece(QUESTION.address, "layer-1")):
        assert "<" not in file.read_text()
        assert "\\u003c" in file.read_text()


def test_what_is_too_large_is_not_taken(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor read whole: no more than the limit goes over the line."""
    cache_of("ann", str(place), tmp_path).put(answer(), PIECES)
    size = max(file.stat().st_size for file in place.rglob("*.json"))
    for most, taken in ((size, True), (size - 1, False)):
        monkeypatch.setattr(shared_module, "MOST", most)
        for written in (str(place), f"file://{place}"):
            ben = cache_of(f"ben{most}{len(written)}", written, tmp_path)
            ben.bring([QUESTION])
            assert (QUESTION.address in ben) is taken


PATIENCE = 60.0
"""Seconds in which all writers must have begun, and seconds in which they must have ended."""


def _put_often(written: str, folder: str, barrier: Any, n: int) -> None:
    cache = Cache(Path(folder), shared=open_shared(written, Path(folder)))
    barrier.wait(PATIENCE)
    for turn in range(40):
        cache.put(replace(answer(), data={"x": [n, turn] * 2_000}), PIECES)
        if cache.warnings():
            raise SystemExit(3)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_writers_in_several_processes_do_no_harm(scheme: str, place: Path, tmp_path: Path) -> None:
    """Whoever reads meanwhile has a whole answer of one of them, always."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    written = f"{scheme}{place}"
    writers = [
        context.Process(target=_put_often, args=(written, str(tmp_path / f"w{n}"), barrier, n), daemon=True)
        for n in range(2)
    ]
    for writer in writers:
        writer.start()
    barrier.wait(PATIENCE)
    seen, end = 0, time.monotonic() + PATIENCE
    while any(writer.is_alive() for writer in writers):
        assert time.monotonic() < end
        ben = cache_of(f"ben{seen}", written, tmp_path)
        ben.bring([QUESTION])
        if seen or QUESTION.address in ben:
            seen += 1
            found = ben.find(QUESTION.address)
            assert found is not None
            assert len(found.data["x"]) == 4_000
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen
