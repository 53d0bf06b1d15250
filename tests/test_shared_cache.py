"""Answers that people share are found where others put them, and nothing that lies there is trusted or waited for."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.cache import Cache, Shared, open_cache, open_shared
from builder.cache import remote as remote_module
from builder.cache import shared as shared_module
from builder.cache.remote import Remote, without_password
from builder.errors import BuildError
from builder.figure import Result, RunSpec
from builder.plan import Question
from builder.site import Site, find_site

QUESTION = Question("activations", "code", "weights", RunSpec("m", "A </prompt>"), {"layers": ("all",)}, {})
PIECES = {"layer-1": {"text": "</script>"}, "layer-2": {}}


def answer(question: Question = QUESTION, **changed: Any) -> Result:
    """Return an answer to the question with two pieces, as an engine would."""
    said = {
        "fingerprint": question.model,
        "code": question.code,
        "params": dict(question.params),
        "prompt": question.run.prompt,
        **changed,
    }
    return Result(question.address, question.kind, {"x": 0.1}, {}, json.loads(json.dumps(said)), tuple(PIECES))


def number(n: int) -> Question:
    """Return the n-th of many questions."""
    return replace(QUESTION, run=RunSpec("m", f"Prompt {n}"))


@pytest.fixture(params=["folder", "file", "local", "memory"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A place as a site's settings name it: a path, or an address that fsspec opens."""
    if request.param != "memory":
        folder = tmp_path / "a place with spaces"
        folder.mkdir()
        yield str(folder) if request.param == "folder" else f"{request.param}://{folder}"
        return
    from fsspec.implementations.memory import MemoryFileSystem

    yield f"memory://{tmp_path.name}"
    MemoryFileSystem.store.clear()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that is shared."""
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


def cache_of(name: str, written: str, tmp_path: Path) -> Cache:
    """Return the cache of somebody who shares a place with others."""
    return Cache(tmp_path / name, shared=open_shared(written, tmp_path))


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


def _put_often(written: str, folder: str, barrier: Any, n: int) -> None:
    cache = Cache(Path(folder), shared=open_shared(written, Path(folder)))
    barrier.wait()
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
        context.Process(target=_put_often, args=(written, str(tmp_path / f"w{n}"), barrier, n)) for n in range(2)
    ]
    for writer in writers:
        writer.start()
    barrier.wait()
    seen = 0
    while any(writer.is_alive() for writer in writers):
        ben = cache_of(f"ben{seen}", written, tmp_path)
        ben.bring([QUESTION])
        if seen or QUESTION.address in ben:
            seen += 1
            found = ben.find(QUESTION.address)
            assert found is not None
            assert len(found.data["x"]) == 4_000
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen


class Gone:
    """A place that refuses, and counts how often it was asked."""

    name = "s3://bucket"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def read(self, *_: object) -> dict[str, bytes]:
        """Refuse."""
        self.asked.append("read")
        raise ConnectionError("connection refused")

    def write(self, *_: object) -> None:
        """Refuse."""
        self.asked.append("write")
        raise PermissionError(13, "Permission denied")


def test_a_place_that_refuses_is_told_of_once_and_the_build_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading and writing each; after a pause it is asked again. What was put is on this machine all the same."""
    gone = Gone()
    cache = Cache(tmp_path, shared=Shared(gone, tmp_path / "pyproject.toml"))
    for n in range(3):
        cache.bring([number(n)])
        cache.put(answer(number(n)), PIECES)
    assert gone.asked == ["read", "write"]
    assert len(list(cache)) == 3
    read, written = cache.warnings()
    assert "broken cache: s3://bucket cannot be read: connection refused; answers are computed here" in str(read)
    assert "cannot be written: Permission denied; answers stay on this machine" in str(written)
    assert {read.severity, written.severity} == {"warning"}
    assert cache.warnings() == []
    monkeypatch.setattr(shared_module.time, "monotonic", lambda: 1e9)
    cache.bring([QUESTION])
    assert gone.asked == ["read", "write", "read"]


def test_a_folder_that_is_not_mounted_is_not_made(tmp_path: Path) -> None:
    """Answers of a whole team would land on one machine's disk, under the place that the next mount hides."""
    cache = cache_of("ann", str(tmp_path / "mnt"), tmp_path)
    cache.put(answer(), PIECES)
    (warning,) = cache.warnings()
    assert "there is no folder" in warning.message
    assert not (tmp_path / "mnt").exists()


def test_an_empty_object_is_missing_and_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 has no first byte of it to give, and says so as of any wrong range."""
    from fsspec.implementations.memory import MemoryFileSystem

    wrong = OSError(22, "The requested range is not satisfiable")
    monkeypatch.setattr(MemoryFileSystem, "cat_ranges", lambda *_, **__: [wrong])
    cache = cache_of("ann", "memory://empty", tmp_path)
    cache.bring([QUESTION])
    assert cache.warnings() == []
    monkeypatch.setattr(MemoryFileSystem, "cat_ranges", lambda *_, **__: [PermissionError("Forbidden")])
    cache.bring([QUESTION])
    assert "cannot be read: Forbidden" in cache.warnings()[0].message


def test_a_store_that_does_not_answer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients of stores try dead ones for minutes, each in its own way: none has longer than our patience."""
    from fsspec.implementations.memory import MemoryFileSystem

    release = threading.Event()

    def hang(*_: object, **__: object) -> None:
        release.wait(60)
        release.set()

    monkeypatch.setattr(remote_module, "PATIENCE", -0.8)  # and a second for the file
    monkeypatch.setattr(MemoryFileSystem, "cat_ranges", hang)
    cache = cache_of("ann", "memory://slow", tmp_path)
    cache.bring([QUESTION])
    assert not release.is_set()  # it would hang on
    release.set()
    (warning,) = cache.warnings()
    assert "memory://slow cannot be read: no answer in" in warning.message


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("gs4://bucket/x", "unknown protocol: gs4:// (did you mean gs?)"),
        ("s3://bucket/x", "missing package: s3:// needs s3fs: pip install s3fs"),
        ("sftp://host/x", "missing package: sftp:// needs paramiko: pip install paramiko"),
    ],
)
def test_a_protocol_that_cannot_be_spoken_is_the_authors_error(
    written: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours of computing would be shared with nobody: it is said before, at the file that says so."""
    for package in ("s3fs", "paramiko"):  # an installed one is none for this test
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BuildError) as raised:
        cache_of("ann", written, tmp_path).bring([QUESTION])
    (problem,) = raised.value.problems
    assert problem.message == message
    assert problem.path == tmp_path / "pyproject.toml"


def test_a_mirror_on_the_web_is_only_read(tmp_path: Path) -> None:
    """Nobody is asked to take anything there, and nobody is warned: it is as it should be."""
    cache = cache_of("ann", "https://example.org/answers", tmp_path)
    cache.put(answer(), PIECES)
    assert cache.find(QUESTION.address) == answer()
    assert cache.warnings() == []
    assert cache.shared is not None
    assert not cache.shared.put(QUESTION.address, b"{}", {})


def test_what_other_processes_were_refused_is_told_once(tmp_path: Path) -> None:
    """Each process of -j has a copy of the cache, and finds out by itself."""
    cache = Cache(tmp_path, shared=Shared(Gone()))
    told = []
    for _ in range(2):
        copy = pickle.loads(pickle.dumps(cache))
        copy.put(answer(), PIECES)
        told += copy.warnings()
    cache.warn(told)
    assert len(told) == 2
    assert len(cache.warnings()) == 1


def test_a_password_in_an_address_is_not_shown() -> None:
    """Messages land in logs that many read."""
    assert Remote("sftp://ann:secret@host/x").name == "sftp://host/x"
    assert without_password("no answer from ftp://a:b@c/d") == "no answer from ftp://c/d"


def test_fsspec_is_imported_only_where_something_is_missing(tmp_path: Path) -> None:
    """A build that finds all its answers on this machine neither pays for it nor asks anybody."""
    program = (
        "import sys; from pathlib import Path; from builder.cache import Cache, open_shared\n"
        f"cache = Cache(Path({str(tmp_path)!r}), shared=open_shared('s3://bucket', Path({str(tmp_path)!r})))\n"
        "cache.bring([]); cache.find('ab' * 32); print('fsspec' in sys.modules, cache.warnings())"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "False []"


def test_a_site_names_what_it_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is relative to the site; without the setting nothing is shared."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "own"))
    config = tmp_path / "pyproject.toml"
    config.write_text('[tool.fanlight]\ncache = "../team"\n')
    cache = open_cache(find_site(tmp_path))
    assert cache.shared is not None
    assert cache.shared.place.name == str(tmp_path / "../team")
    assert open_cache(Site(tmp_path, tmp_path / "_site")).shared is None
    config.write_text("[tool.fanlight]\ncache = true\n")
    with pytest.raises(BuildError, match="invalid setting: cache must be a text"):
        find_site(tmp_path)
