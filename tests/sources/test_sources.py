"""Sources: a model's name becomes a fingerprint cheaply and a checkpoint once, or an error that says what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.site import ModelSource
from builder.sources import scheme, store
from builder.sources.gguf import align
from builder.sources.store import RECORD

ROOT = Path("/")


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


def test_a_conversion_runs_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds this very package from wherever it is called, and its last word is passed on."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    with pytest.raises(
        BuildError, match=r"broken checkpoint: x\.gguf of model tiny cannot be converted: \w+"
    ) as caught:
        store.convert("tiny", tmp_path / "x.gguf", tmp_path / "out")
    assert "No module named" not in str(caught.value)


def test_converted_weights_begin_at_a_cache_line(tmp_path: Path) -> None:
    """Whatever the length of the header; the tensors are the same."""
    import torch
    from safetensors.torch import load_file, save_file

    for length in range(1, 12):
        file = tmp_path / "model.safetensors"
        tensors = {"x" * length: torch.arange(5.0), "y": torch.ones(2, 3)}
        save_file(tensors, file, metadata={"format": "pt"})
        align(file)
        content = file.read_bytes()
        assert (8 + int.from_bytes(content[:8], "little")) % 64 == 0
        loaded = load_file(file)
        assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())
        assert list(tmp_path.iterdir()) == [file]


@pytest.mark.weights
def test_the_converted_smollm2_says_what_it_was_made_from(smollm2) -> None:
    """Package, hashes and licence stand beside the weights, which are float32; no code is among them."""
    record = json.loads((smollm2.checkpoint.folder / RECORD).read_text())
    assert record["sha256"] == smollm2.checkpoint.source.sha256
    assert record["license"] == "Apache-2.0"
    assert not list(smollm2.checkpoint.folder.glob("*.py"))
    assert (smollm2.checkpoint.folder / "model.safetensors").stat().st_size == pytest.approx(538e6, rel=0.01)
