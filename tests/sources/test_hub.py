"""Models on the hub, on a machine that cannot reach it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.site import ModelSource
from builder.sources import fetch, fingerprint

ROOT = Path("/")


def hub(source: str = "someone/model", **options: str) -> ModelSource:
    """Return a model on the hub."""
    return ModelSource(name="tiny", source=source, **options)


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def snapshot(llama: Path, tmp_path: Path) -> Path:
    """The hub's own cache with one model in it."""
    repository = tmp_path / "hf" / "hub" / "models--someone--model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    return Path(shutil.copytree(llama, repository / "snapshots" / COMMIT))


def test_what_is_in_the_hubs_cache_is_used(snapshot: Path) -> None:
    """`HF_HOME` means what it means everywhere, and the hub is not asked."""
    checkpoint = fetch(hub(), ROOT)
    assert checkpoint.folder == snapshot
    assert checkpoint.revision == COMMIT
    assert checkpoint.fingerprint == fingerprint(hub(), ROOT) == fingerprint(hub(revision=COMMIT), ROOT)
    assert checkpoint.origin == "someone/model"


def test_a_commit_is_its_own_fingerprint() -> None:
    """Nothing needs to be asked, or to be there."""
    assert fingerprint(hub(revision=COMMIT), ROOT) != fingerprint(hub(revision="f" * 40), ROOT)


def test_the_last_build_remembers_the_commit(snapshot: Path) -> None:
    """A frozen build in another place has neither the hub nor its cache."""
    known = fetch(hub(), ROOT).fingerprint
    shutil.rmtree(snapshot.parents[1])
    assert fingerprint(hub(), ROOT, frozen=True) == known


def test_a_frozen_build_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no huggingface_hub; what nobody on this machine knows is an error."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(BuildError, match=r"missing model: someone/model \(main\).*build once without --frozen"):
        fingerprint(hub(), ROOT, frozen=True)


def test_offline_is_offline(snapshot: Path) -> None:
    """`HF_HUB_OFFLINE` is heeded, and named where it is why."""
    with pytest.raises(BuildError, match="HF_HUB_OFFLINE is set"):
        fingerprint(hub("other/model"), ROOT)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(BuildError, match="is not whole in this machine's cache, and HF_HUB_OFFLINE is set"):
        fetch(hub(), ROOT)


def test_an_unreachable_hub_is_an_error_in_seconds() -> None:
    """Its client alone would try for over a minute."""
    code = (
        "from pathlib import Path; from builder.site import ModelSource; from builder.sources import fetch\n"
        "fetch(ModelSource('tiny', 'someone/model'), Path('/'))"
    )
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment = {**kept, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0"}
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, env=environment, timeout=60
    )
    assert "BuildError: missing model: someone/model (main)" in done.stderr, done.stderr
    assert "the hub says" in done.stderr


@pytest.mark.parametrize("source", ["", "a/b/c", "../x/y\\z", "http://somewhere", "a b"])
def test_what_is_nothing_at_all_is_an_error(source: str) -> None:
    """Neither hub id nor path nor package."""
    with pytest.raises(BuildError):
        fingerprint(hub(source), ROOT)


def test_a_revision_is_no_path() -> None:
    """It would be looked up among the refs of the cache."""
    with pytest.raises(BuildError, match="invalid revision"):
        fingerprint(hub(revision="../../../etc/passwd"), ROOT)


def test_of_a_repository_only_what_is_needed_is_fetched() -> None:
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
