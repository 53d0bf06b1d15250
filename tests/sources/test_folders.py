"""Models in a folder of this machine: used as they lie, named by what is in their files."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.site import ModelSource
from builder.sources import fetch, fingerprint, folders

ROOT = Path("/")


def local(folder: Path, **options: str) -> ModelSource:
    """Return a model in a folder."""
    return ModelSource(name="tiny", source=str(folder), **options)


def test_the_folder_is_used_as_it_lies(llama: Path) -> None:
    """Nothing is copied; relative to the site, as everything in its settings is."""
    checkpoint = fetch(ModelSource("tiny", "./llama"), llama.parent)
    assert checkpoint.folder == llama
    assert checkpoint.fingerprint == fingerprint(local(llama), ROOT)
    assert checkpoint.origin == "./llama"
    assert fetch(local(llama), ROOT).origin == "llama"


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors", "generation_config.json"])
def test_every_file_that_counts_is_in_the_fingerprint(llama: Path, file: str) -> None:
    """A changed weight, tokenizer or setting is another model."""
    before = fingerprint(local(llama), ROOT)
    content = (llama / file).read_bytes()
    (llama / file).write_bytes(content + b" ")
    assert fingerprint(local(llama), ROOT) != before
    (llama / file).write_bytes(content)
    assert fingerprint(local(llama), ROOT) == before


def test_a_note_beside_the_weights_changes_nothing(llama: Path) -> None:
    """Nor does the place it lies in, or the name an author gives it."""
    before = fingerprint(local(llama), ROOT)
    (llama / "README.md").write_text("mine")
    moved = llama.rename(llama.parent / "elsewhere")
    assert fingerprint(dataclasses.replace(local(moved), name="other", license="MIT"), ROOT) == before


def test_structural_overrides_are_in_the_fingerprint(llama: Path) -> None:
    """With another norm the lens is another lens."""
    assert fingerprint(local(llama, norm="model.norm"), ROOT) != fingerprint(local(llama), ROOT)


def test_code_that_is_trusted_is_in_the_fingerprint_and_other_code_is_not(llama: Path) -> None:
    """With `trust_remote_code` the folder's Python files are part of the model."""
    plain, trusted = fingerprint(local(llama), ROOT), fingerprint(local(llama, trust_remote_code=True), ROOT)
    (llama / "modeling_mine.py").write_text("pass")
    assert fingerprint(local(llama), ROOT) == plain
    assert fingerprint(local(llama, trust_remote_code=True), ROOT) != trusted != plain


def test_an_unchanged_file_is_read_once(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a gigabyte is not hashed again at every build: size and time of change vouch for it."""
    before = fingerprint(local(llama), ROOT)
    monkeypatch.setattr(folders.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    assert fingerprint(local(llama), ROOT) == before


def test_a_missing_folder_is_an_error_with_the_nearest(llama: Path) -> None:
    """A slip in a path is seen before a model is loaded."""
    with pytest.raises(BuildError, match=r"missing folder: .*/lama, the source of model tiny \(did you mean llama"):
        fingerprint(local(llama.parent / "lama"), ROOT)


def test_pickles_are_refused(llama: Path) -> None:
    """A pickle may run code when it is read."""
    (llama / "model.safetensors").unlink()
    (llama / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(BuildError, match=r"unsupported weights: pytorch_model\.bin .* is a pickle"):
        fingerprint(local(llama), ROOT)


def test_a_truncated_checkpoint_is_named(llama: Path) -> None:
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


def test_a_shard_that_is_not_there_is_named(llama: Path) -> None:
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


def test_a_folder_without_configuration_is_an_error(tmp_path: Path) -> None:
    """It is something else's folder."""
    with pytest.raises(BuildError, match=r"missing config\.json"):
        fingerprint(local(tmp_path), ROOT)


def test_a_subfolder_stays_inside(llama: Path) -> None:
    """`subfolder` names a part of the source, and nothing outside of it."""
    assert fetch(local(llama.parent, subfolder="llama"), ROOT).folder == llama
    for wrong in ("../..", "nothing"):
        with pytest.raises(BuildError, match="missing subfolder"):
            fingerprint(local(llama, subfolder=wrong), ROOT)


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
