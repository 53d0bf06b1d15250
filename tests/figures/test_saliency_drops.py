"""Occlusion and value zeroing equal naive references, and are right where the right answer is known."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from networks import Load
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.model import Model, rerun
from builder.model.rerun import keep

from . import Ask, Part
from .conftest import TEXT

OWN_ATTENTION = ("bloom", "falcon", "gptj")
"""Architectures whose attention does not go through transformers' interface."""
ZEROABLE = tuple(name for name in CAUSAL if name not in OWN_ATTENTION)


def naive(model: Any, spec: RunSpec, disturb: Any) -> list[list[float]]:
    """Return drops of the logit the obvious way: for each target and position one forward pass of the prefix.

    `disturb(x, i)` is a context that hands out the inputs to run with instead of x [p, d].
    """
    run = model.run(spec)
    rows = []
    with torch.no_grad():
        for position in run.targets:
            x, token = model.embed(run.ids[:position]), int(run.ids[position])
            f = model.network(inputs_embeds=x[None], use_cache=False).logits[0, -1, token]
            row = []
            for i in range(position):
                with disturb(x, i) as inputs:
                    logits = model.network(inputs_embeds=inputs[None], use_cache=False).logits[0, -1]
                row.append(float(f - logits[token]))
            rows.append(row)
    return rows


def furthest(ours: list[list[float]], theirs: list[list[float]]) -> float:
    """Return the largest difference over the largest number."""
    pairs = [(a, b) for row, other in zip(ours, theirs, strict=True) for a, b in zip(row, other, strict=True)]
    return max(abs(a - b) for a, b in pairs) / max(abs(b) for _, b in pairs)


class Occluded:
    """The inputs with one embedding replaced."""

    def __init__(self, baseline: torch.Tensor, x: torch.Tensor, i: int) -> None:
        self.inputs = torch.cat([x[:i], baseline[None], x[i + 1 :]])

    def __enter__(self) -> torch.Tensor:
        return self.inputs

    def __exit__(self, *_: object) -> None:
        """Nothing to undo."""


class Unread:
    """The inputs as they are, while a hook zeroes what the value projections hand on at one position."""

    def __init__(self, modules: list[torch.nn.Module], x: torch.Tensor, i: int) -> None:
        self.modules, self.x, self.i = modules, x, i

    def __enter__(self) -> torch.Tensor:
        self.handles = [module.register_forward_hook(self.zero) for module in self.modules]
        return self.x

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            handle.remove()

    def zero(self, _module: torch.nn.Module, _args: Any, out: torch.Tensor) -> torch.Tensor:
        """Return the projection's output, 0 at the position."""
        changed = out.clone()
        changed[:, self.i] = 0
        return changed


@pytest.mark.parametrize("name", CAUSAL)
def test_occlusion_equals_a_pass_for_each_token_and_position(name: str, tiny: Load, ask: Ask) -> None:
    """Batched over occluded positions, read at all later targets at once: published are five digits, so the
    largest number is off by 5e-5 of itself at most.
    """
    model = tiny(name)
    mean = model.embed(torch.arange(model.vocab_size)).mean(0)
    data = ask("saliency", model, method="occlusion").data
    assert data["baseline"] == "mean"
    assert furthest(data["values"], naive(model, TEXT, partial(Occluded, mean))) < 6e-5


@pytest.mark.parametrize("name", [name for name in ZEROABLE if name not in ("gpt2", "gpt_bigcode", "gpt_neox")])
def test_value_zeroing_equals_a_hook_on_the_value_projection(name: str, tiny: Load, ask: Ask) -> None:
    """Where values have a projection of their own, zeroing its output at a position is the same, grouped heads too."""
    model = tiny(name)
    ends = ("v_proj", "self.value")
    modules = [module for path, module in model.network.named_modules() if path.endswith(ends)]
    assert len(modules) == 3
    data = ask("saliency", model, method="value_zeroing").data
    assert furthest(data["values"], naive(model, TEXT, partial(Unread, modules))) < 6e-5


@pytest.mark.parametrize("name", ZEROABLE)
def test_every_architecture_of_the_interface_can_be_zeroed(name: str, tiny: Load, ask: Ask) -> None:
    """All checks hold, and the network is afterwards what it was."""
    model = tiny(name)
    before = model.run(TEXT).logits
    answer = ask("saliency", model, method="value_zeroing", target="logprob")
    assert all(check.holds for check in answer.checks.values())
    assert "what tokens learn of one another with all values zeroed" in answer.checks
    assert model.network.config._attn_implementation == "eager"
    assert torch.equal(model.head_logits(model.forward_ids(model.run(TEXT).ids[None])[0, -9:-1]).float(), before[-8:])


@pytest.mark.parametrize("name", [*OWN_ATTENTION, "mamba"])
def test_a_model_whose_values_cannot_be_zeroed_is_refused(name: str, tiny: Load, ask: Ask) -> None:
    """Not answered with something else: its tokens meet where transformers' interface is not asked."""
    model = tiny(name)
    with pytest.raises(BuildError, match=r"^unsupported method: value_zeroing .*did you mean occlusion\?"):
        ask("saliency", model, method="value_zeroing")


def test_without_a_mask_of_its_own_attention_would_not_be_causal(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap 3: the function is registered for the mask too; where it is not, the logits change and the check tells."""
    from transformers.masking_utils import AttentionMaskInterface

    from builder.model import interface, zeroing

    model = tiny("llama")
    run = model.run(TEXT)
    ids, final = run.ids[None], run.final[None]
    with zeroing.zeroed_values(model.network, torch.zeros_like(ids, dtype=torch.bool)):
        assert torch.equal(model.forward_ids(ids), final)
        monkeypatch.delitem(AttentionMaskInterface._global_mapping, interface.NAME)
        assert (model.forward_ids(ids) - final).abs().max() > 0.1


def test_with_all_values_zeroed_tokens_know_nothing_of_each_other(tiny: Load) -> None:
    """Which is how it is known that nothing goes past the interface."""
    from builder.model.zeroing import mixing_left

    ids = tiny("llama").run(TEXT).ids
    assert mixing_left(tiny("llama"), ids) == 0
    assert mixing_left(tiny("falcon"), ids) > 0.1


def test_value_zeroing_of_the_induction_head_is_known(tiny: Load, ask: Ask) -> None:
    """At the second A of `A B C A` the induction head reads from the B, which it finds by the A that the B keeps.

    Before the final norm stand there: the A, its position, the C before it, and 4 times the B. Without the values of
    the B it is not written; without those of the first A the B cannot be found and the head writes the BOS, which it
    looks at otherwise; without those of the C that is missing. The BOS and the A itself hand nothing on.
    """

    def logit(b: float, *others: float) -> float:
        stream = torch.zeros(32)
        stream[: 1 + len(others)] = torch.tensor([b, *others])
        return float(torch.nn.functional.layer_norm(stream, (32,))[0])

    spec = RunSpec(model="", prompt="A B C A", output="B")
    data = ask("saliency", tiny("hand_written"), spec, method="value_zeroing").data
    whole = logit(4, 1, 1, 1)
    known = [0, whole - logit(0, 1, 1, 1, 4), whole - logit(0, 1, 1, 1), whole - logit(4, 1, 1), 0]
    assert data["values"][0] == pytest.approx(known, abs=2e-3)


def occluded(part: Part, model: Model, baseline: torch.Tensor, *, short: bool) -> Any:
    """Return the drops of a text's targets, by whole texts or from the occluded position on."""
    run = model.run(TEXT)
    length, ids = run.targets[-1], run.ids[run.targets]
    x = model.embed(run.ids[:length])
    original = keep(model, run.ids[:length], lambda: model.forward_embeddings(x[None]))
    assert original is not None
    disturbance = part("saliency", "occlusion").occlusion(
        model.forward_embeddings, x, baseline, original if short else None
    )
    reading = part("saliency", "reading").Reading(model.head_logits, part("saliency", "objective").Objective())
    return part("saliency", "drops").drops(original.final, disturbance, reading, run.targets, ids)


@pytest.mark.parametrize("short", [False, True])
def test_occluding_with_the_tokens_own_embedding_changes_nothing(short: bool, tiny: Load, part: Part) -> None:
    """And a target does not depend on what comes after it."""
    model = tiny("llama")
    x = model.embed(model.run(TEXT).ids)
    found = occluded(part, model, x, short=short)
    assert found.values.abs().max() < 1e-5
    found = occluded(part, model, torch.zeros_like(x), short=short)
    later = torch.arange(found.values.shape[1]) >= torch.tensor(model.run(TEXT).targets)[:, None]
    assert (found.values[later] == 0).all()
    assert found.leak < 1e-6


@pytest.mark.parametrize("name", ["gpt2", "llama", "mistral", "gemma2", "gpt_neox", "opt", "mixtral"])
def test_what_comes_before_need_not_be_computed(name: str, tiny: Load, part: Part) -> None:
    """From the occluded position on, with the keys and values of those before it, is the same as whole texts."""
    model = tiny(name)
    zero = torch.zeros_like(model.embed(model.run(TEXT).ids))
    whole, short = (occluded(part, model, zero, short=way).values for way in (False, True))
    assert whole.abs().max() > 0.1
    assert (short - whole).abs().max() < 2e-5


@pytest.mark.parametrize("method", ["occlusion", "value_zeroing"])
@pytest.mark.parametrize("name", ["llama", "bloom"])
def test_models_that_cannot_be_run_from_a_position_on_go_the_long_way(
    name: str, method: str, tiny: Load, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And their answers are the same, checks included."""
    model = tiny(name)
    if name in OWN_ATTENTION and method == "value_zeroing":
        pytest.skip("its values cannot be zeroed either way")
    before = ask("saliency", model, method=method)
    monkeypatch.setattr(rerun, "_whether", {model: False})
    after = ask("saliency", model, method=method)
    assert furthest(after.data["values"], before.data["values"]) < 6e-5
    assert set(after.checks) == set(before.checks)
    assert all(check.holds for check in after.checks.values())


def test_a_model_that_sees_later_tokens_is_noticed(part: Part) -> None:
    """Final states before the occluded position must not change: of all whole texts, or of the one that is run."""
    head = torch.nn.Linear(4, 9).requires_grad_(False)
    x, ids = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([1, 2])

    def forward(inputs: torch.Tensor) -> torch.Tensor:
        return inputs + inputs.mean(1, keepdim=True)

    reading = part("saliency", "reading").Reading(head, part("saliency", "objective").Objective())
    whole = part("saliency", "occlusion").occlusion(forward, x, 0 * x)
    short = whole._replace(tail=lambda places: x[places.positions])
    for disturbance in (whole, short):
        assert part("saliency", "drops").drops(forward(x[None])[0], disturbance, reading, [3, 5], ids).leak > 0.05


@pytest.mark.parametrize("target", ["logit", "logprob"])
@pytest.mark.parametrize("foil", [None, 7])
def test_rows_of_the_head_say_what_the_head_says(target: str, foil: int | None, tiny: Load, part: Part) -> None:
    """A difference of logits is read from two rows of it, a probability from all; another head is not taken for it."""
    model = tiny("phi")  # its head has a bias
    run = model.run(TEXT)
    objective = part("saliency", "objective").Objective(target, foil)
    slow = part("saliency", "reading").Reading(model.head_logits, objective)
    states, ids = run.final[:5], run.ids[1:6]
    short = replace(slow, linear=model.structure.head)
    reading, f, logits = short.tried(states, ids)
    assert reading == (slow if (target, foil) == ("logprob", None) else short)
    for found, wanted in zip((f, logits), slow.f(states, ids), strict=True):
        assert torch.allclose(found, wanted, atol=1e-5)
    assert replace(short, head=lambda read: 2 * model.head_logits(read)).tried(states, ids)[0].linear is None


@pytest.mark.parametrize("method", ["occlusion", "value_zeroing"])
def test_the_size_of_chunks_of_drops_changes_nothing(
    method: str, tiny: Load, ask: Ask, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One disturbed text at a time, or all at once; one position through the head, or many."""
    whole = ask("saliency", tiny("llama"), method=method).data["values"]
    for tokens, read in ((1, 1), (10_000, 1_000)):
        monkeypatch.setattr(rerun, "TOKENS", tokens)
        monkeypatch.setattr(part("saliency", "reading"), "READ", read)
        assert furthest(ask("saliency", tiny("llama"), method=method).data["values"], whole) < 6e-5
