"""Models that do not fit the memory: layers on the disk, with the answers of the undivided model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from networks import Load, Source

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.folders import cache_folder
from builder.model import Model, load_model, memory, placement
from builder.model.placement import offload_folder, present
from builder.model_source import ModelSource
from builder.sources import fetch

from . import Ask, alike

TEXT = RunSpec(model="tiny", prompt="1. Austria\n2. ", generate=6)
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("saliency", {}),
    ("saliency", {"method": "integrated_gradients", "steps": 4, "baseline": "mean"}),
    ("saliency", {"method": "occlusion"}),
    ("saliency", {"method": "value_zeroing"}),
    ("rankings", {}),
    ("decoding", {"candidates": 5, "forks": 2, "fork_length": 3}),
    ("activations", {}),
    ("factors", {}),
    ("attention", {}),
    ("attention_flow", {}),
    ("neuron_view", {}),
    ("logit_attribution", {}),
    ("ablation", {}),
    ("causal_trace", {"subject": "Austria"}),
)


def limited(source: ModelSource, *, share: float = 0.75, dtype: str = "float32") -> ModelSource:
    """Return a source of a model of whose weights only that share may lie in memory."""
    size = (Path(source.source) / "model.safetensors").stat().st_size
    return replace(source, dtype=dtype, device_map="auto", max_memory=(("cpu", str(int(share * size))),))


@pytest.fixture(scope="module")
def divided(tiny_source: Source):
    """`divided("llama")`: that tiny model with most of its layers on the disk, loaded once."""
    known: dict[str, Model] = {}

    def load(name: str) -> Any:
        if name not in known:
            known[name] = load_model(fetch(limited(tiny_source(name)), Path("/")))  # type: ignore[assignment]
        return known[name]

    return load


@pytest.mark.parametrize("name", ["llama", "gemma3", "gpt_oss"])
@pytest.mark.parametrize(("kind", "params"), KINDS, ids=str)
def test_layers_on_the_disk_give_the_same_answer(
    name: str, kind: str, params: dict[str, Any], tiny: Load, divided: Load, ask: Ask
) -> None:
    """Where weights lie is no matter, forwards and backwards, but for a last digit that is added up another way."""
    if name == "gpt_oss" and kind in ("activations", "factors"):
        pytest.skip("a mixture of experts keeps its neurons in one tensor")
    ours, theirs = (ask(kind, model, TEXT, **params) for model in (divided(name), tiny(name)))
    assert all(check.holds for check in ours.checks.values())
    assert alike(ours.data, theirs.data)


def test_results_say_what_lies_where(divided: Load, tiny: Load) -> None:
    """A reader learns how many layers were on the disk, and nothing of folders."""
    provenance = divided("llama").provenance()
    assert sum(provenance["placement"].values()) == divided("llama").n_layers
    assert provenance["placement"]["disk"] > 0
    assert "/" not in json.dumps(provenance)
    assert "placement" not in tiny("llama").provenance()


@pytest.mark.parametrize("name", ["bert", "t5"])
def test_other_families_are_shared_out_too(name: str, tiny: Load, divided: Load, ask: Ask) -> None:
    """Encoders and encoder-decoders: the same attention."""
    answers = [ask("head_view", model(name), replace(TEXT, generate=0)).data for model in (divided, tiny)]
    assert answers[0] == answers[1]
    assert divided(name).provenance()["placement"]


def test_weights_on_the_disk_can_be_read(divided: Load, tiny: Load) -> None:
    """`present` brings a module's own weights, and takes them away again."""
    head = divided("llama").structure.blocks[-1].mlp.down_proj
    assert head.weight.is_meta
    with present(head):
        assert torch.equal(head.weight, tiny("llama").structure.blocks[-1].mlp.down_proj.weight)
    assert head.weight.is_meta


def test_a_model_that_fits_is_not_divided(tiny_source: Source, tiny: Load) -> None:
    """`device_map = "auto"` costs nothing where it is not needed."""
    model = load_model(fetch(replace(tiny_source("llama"), device_map="auto"), Path("/")))
    assert "placement" not in model.provenance()
    assert not any(parameter.is_meta for parameter in model.network.parameters())


def test_what_does_not_fit_is_told_before_it_is_loaded(tiny_source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the headers of the files, with what would help: no swapping, no process that is killed."""
    monkeypatch.setattr(placement, "available", lambda device: 100_000)
    with pytest.raises(BuildError, match=r"^missing memory: model llama needs about 0\.000193 GB in float32") as caught:
        load_model(fetch(tiny_source("llama"), Path("/")))
    assert 'try dtype = "bfloat16", or device_map = "auto"' in str(caught.value)
    monkeypatch.undo()
    monkeypatch.setattr(placement, "available", lambda device: 100_000)
    half = load_model(fetch(replace(tiny_source("llama"), dtype="bfloat16"), Path("/")))  # 97 kB
    assert half.provenance()["dtype"] == "bfloat16"


def test_the_files_own_format_can_be_kept(tiny_source: Source) -> None:
    """`dtype = "auto"` is what the configuration says; results say which that was."""
    model = load_model(fetch(replace(tiny_source("llama"), dtype="auto"), Path("/")))
    assert model.provenance()["dtype"] == "float32"


def test_folders_of_processes_that_are_gone_are_removed() -> None:
    """One that another process holds stays; one whose holder was killed goes with the next that is made."""
    ours, remove = offload_folder()
    left = cache_folder() / "offload" / "left"
    left.mkdir()
    other, remove_other = offload_folder()
    assert ours.is_dir()
    assert other.is_dir()
    assert not left.exists()
    remove()
    remove_other()
    assert not ours.exists()
    assert not other.exists()


def test_nobody_else_s_memory_is_asked_for(tiny_source: Source) -> None:
    """A limit for a card that this machine does not have is another machine's."""
    source = replace(tiny_source("llama"), device_map="auto", max_memory=(("7", "1GB"),))
    assert "placement" not in load_model(fetch(source, Path("/"))).provenance()


@pytest.mark.parametrize(("kind", "params"), KINDS, ids=str)
def test_answers_are_alike_where_memory_is_short(
    kind: str, params: dict[str, Any], tiny: Load, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no more than a row fits, everything is done row by row; what differs is the rounding of a last digit."""
    plenty = ask(kind, tiny("llama"), TEXT, **params)
    monkeypatch.setattr(memory, "available", lambda device: 1)
    monkeypatch.setattr(memory, "LEAST", 1)
    short = ask(kind, tiny("llama"), TEXT, **params)
    assert all(check.holds for check in short.checks.values())
    assert alike(short.data, plenty.data)
