"""Places at which answers are shared: one that refuses, is slow or only read costs a warning, and nobody waits."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from builder.cache import Cache, Shared, open_cache
from builder.cache import remote as remote_module
from builder.cache import shared as shared_module
from builder.cache.remote import Remote, without_password
from builder.errors import BuildError
from builder.site import Site, find_site

from .conftest import PIECES, QUESTION, Gone, answer, cache_of, number


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
    root = Path(__file__).parents[2]
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
