"""Results are stored whole or not at all, and what cannot be read counts as missing."""

from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from builder.cache import Cache, Ledger, remove_parts, write_atomically
from builder.figure import Answer, Check, Result

TOKENS = ["</script>", "é", "\u2028"]
RESULT = Result("ab" * 32, "tokens", {"tokens": TOKENS}, {"sum": Check(0.0, 1e-6)}, {"model": "m"})


def test_a_result_comes_back_as_it_was_put(tmp_path: Path) -> None:
    """The stored form loses nothing."""
    cache = Cache(tmp_path)
    cache.put(RESULT)
    assert cache.find(RESULT.address) == RESULT
    assert RESULT.address in cache
    assert list(cache) == [RESULT.address]


def test_a_stored_result_could_stand_in_a_script_element(tmp_path: Path) -> None:
    """Tokens may be `</script>`: `<` is escaped, and JSON readers see the same text."""
    cache = Cache(tmp_path)
    cache.put(RESULT)
    text = cache.path(RESULT.address).read_text(encoding="utf-8")
    assert "<" not in text
    assert json.loads(text)["data"]["tokens"][0] == "</script>"


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"kind": "tokens"}', b"\xff\xfe", b'{"kind":1,"checks":[]}'])
def test_a_broken_file_counts_as_missing(tmp_path: Path, broken: bytes) -> None:
    """A disk that filled up, or a hand that slipped: the result is computed again."""
    cache = Cache(tmp_path)
    file = cache.path(RESULT.address)
    file.parent.mkdir(parents=True)
    file.write_bytes(broken)
    assert cache.find(RESULT.address) is None


def test_not_a_number_is_not_stored(tmp_path: Path) -> None:
    """NaN is no JSON; a browser could not read it."""
    with pytest.raises(ValueError, match="Out of range"):
        Cache(tmp_path).put(Result("cd" * 32, "tokens", {"x": float("nan")}, {}, {}))
    assert list(Cache(tmp_path)) == []


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk or Ctrl-C at any moment costs nothing that was there."""
    file = tmp_path / "kept"
    write_atomically(file, b"old")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_others_may_read_what_the_writers_umask_lets_them(tmp_path: Path) -> None:
    """A folder that a team shares is of no use where each can read their own files alone."""
    before = os.umask(0o002)
    try:
        write_atomically(tmp_path / "team" / "answer", b"x")
        os.umask(0o077)
        write_atomically(tmp_path / "own", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "team" / "answer").stat().st_mode & 0o777 == 0o664
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o600


def test_what_killed_writers_left_is_removed(tmp_path: Path) -> None:
    """And what one is writing now is not, nor is anything else."""
    (tmp_path / "results" / "ab").mkdir(parents=True)
    kept = [tmp_path / "results" / ".x.json.12.part", tmp_path / "results" / "whole.part", tmp_path / ".hidden"]
    left = [tmp_path / ".y.json.34.part", tmp_path / "results" / "ab" / ".z.json.56.part"]
    for file in (*kept, *left):
        file.write_bytes(b"x")
    for file in (*kept[1:], *left):
        os.utime(file, (1e9, 1e9))
    remove_parts(tmp_path)
    assert sorted(file for file in tmp_path.rglob("*") if file.is_file()) == sorted(kept)
    remove_parts(tmp_path / "nowhere")


def test_many_writers_of_one_address_do_no_harm(tmp_path: Path) -> None:
    """Two builds at once may find the same answer: a reader sees a whole one, always."""
    cache = Cache(tmp_path)
    wrong = []

    def work() -> None:
        for _ in range(50):
            cache.put(RESULT)
            if cache.find(RESULT.address) != RESULT:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert [f.name for f in cache.path(RESULT.address).parent.iterdir()] == [f"{RESULT.address}.json"]


@dataclass(frozen=True)
class Asked:
    """A question, as small as can be."""

    kind: str
    params: dict[str, int]


def test_the_ledger_remembers_and_writes_only_changes(tmp_path: Path) -> None:
    """A build with nothing changed touches nothing."""
    site = tmp_path / "site"
    Ledger(tmp_path, site).record({"a#fig-x": Asked("tokens", {"k": 1})})
    file = next((tmp_path / "ledgers").iterdir())
    before = file.stat().st_mtime_ns
    ledger = Ledger(tmp_path, site)
    ledger.record({"a#fig-x": Asked("tokens", {"k": 1})})
    assert file.stat().st_mtime_ns == before
    assert ledger.find("a#fig-x") == {"kind": "tokens", "params": {"k": 1}}
    assert Ledger(tmp_path, tmp_path / "other").find("a#fig-x") is None
    file.write_text("not json")
    assert Ledger(tmp_path, site).find("a#fig-x") is None


def test_a_result_of_another_kind_is_none(tmp_path: Path) -> None:
    """What a file says of itself is checked before a page is made of it."""
    cache = Cache(tmp_path)
    cache.put(RESULT)
    assert cache.find(RESULT.address, RESULT.kind) == RESULT
    assert cache.find(RESULT.address, "another") is None


def test_a_ledger_that_is_nonsense_or_cannot_be_written_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It only explains: a full disk or a strange file must not fail a build that is done."""
    Ledger(tmp_path, tmp_path).record({"a#fig-x": Asked("tokens", {"k": 1})})
    file = next((tmp_path / "ledgers").iterdir())
    file.write_text('{"a#fig-x": 3, "a#fig-y": {"kind": "tokens"}}')
    ledger = Ledger(tmp_path, tmp_path)
    assert ledger.find("a#fig-x") is None
    assert ledger.find("a#fig-y") == {"kind": "tokens"}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    ledger.record({"a#fig-z": Asked("tokens", {"k": 1})})


def test_a_result_is_there_only_with_its_pieces(tmp_path: Path) -> None:
    """Pieces are written first; a result that has lost one is computed again."""
    cache = Cache(tmp_path)
    whole = Result("ef" * 32, "activations", {}, {}, {}, ("layer-1", "layer-2"))
    cache.put(whole, {"layer-1": {"text": "</script>"}, "layer-2": {}})
    assert cache.find(whole.address) == whole
    assert "<" not in cache.piece(whole.address, "layer-1").read_text()
    assert list(cache) == [whole.address]
    cache.piece(whole.address, "layer-2").unlink()
    assert cache.find(whole.address) is None


def test_a_piece_that_json_cannot_hold_leaves_nothing(tmp_path: Path) -> None:
    """Neither the result nor its other pieces are stored."""
    with pytest.raises(ValueError, match="Out of range"):
        Cache(tmp_path).put(Result("ef" * 32, "x", {}, {}, {}, ("a", "b")), {"a": {}, "b": {"x": float("inf")}})
    assert not list(tmp_path.rglob("*.json"))


def test_a_piece_with_a_path_for_a_name_is_none() -> None:
    """A file in the cache may be somebody else's: names of pieces become paths in the site."""
    for name in ("../../etc/passwd", "a/b", "Layer 1", ""):
        text = json.dumps({"kind": "x", "data": {}, "checks": {}, "provenance": {}, "pieces": ["ok-1", name]})
        with pytest.raises(ValueError, match="invalid name of a piece"):
            Result.from_json("0" * 64, text)
        with pytest.raises(ValueError, match="invalid name of a piece"):
            Answer({}, {}, {name: {}})


@pytest.mark.parametrize("content", [b"", b'{"text":"half a'])
def test_a_piece_that_was_cut_short_is_lost(tmp_path: Path, content: bytes) -> None:
    """A machine that loses its power keeps a file's name, and not always all of the file."""
    cache = Cache(tmp_path)
    whole = Result("ef" * 32, "activations", {}, {}, {}, ("layer-1",))
    cache.put(whole, {"layer-1": {"text": "half a loaf"}})
    cache.piece(whole.address, "layer-1").write_bytes(content)
    assert cache.find(whole.address) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"kind":"x","data":[],"checks":{},"provenance":{}}',
        '{"kind":"x","data":{},"checks":{},"provenance":null}',
        '{"kind":"x","data":{},"checks":{"a":{"value":"0","bound":1}},"provenance":{}}',
        "[" * 200_000,
    ],
)
def test_json_that_is_no_result_is_none(tmp_path: Path, text: str) -> None:
    """Whatever stands in the file, the answer is computed anew and nothing breaks later."""
    cache = Cache(tmp_path)
    file = cache.path("ef" * 32)
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert cache.find("ef" * 32) is None


def test_a_second_place_is_read_and_never_written(tmp_path: Path) -> None:
    """What the user's own cache lacks, or holds a part of after a power cut, is found there, pieces too."""
    kept, own = Cache(tmp_path / "kept"), Cache(tmp_path / "own", tmp_path / "kept" / "results")
    result = Result("ab" * 32, "tokens", {"x": 1}, {}, {}, ("more",))
    kept.put(result, {"more": {"y": 2}})
    assert own.find(result.address) == result
    assert result.address in own
    assert own.piece(result.address, "more").read_text() == '{"y":2}'
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").rglob("*")}
    own.put(replace(result, data={"x": 3}), {"more": {"y": 4}})
    assert own.find(result.address) == replace(result, data={"x": 3})
    own.path(result.address).write_text('{"kind":"tok')
    assert own.find(result.address) == result
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").rglob("*")} == before
