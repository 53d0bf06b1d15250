"""Ablation: losses known by hand, naive passes for every cell, edges that are cut, and models of other builds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from networks import Load
from networks.hand_written import D_MODEL, STRENGTH

from builder.errors import BuildError
from builder.figure import Answer, Result, RunSpec
from builder.kind import Kind
from builder.model import Model, rerun

from . import Ask, Part

INDUCTION = RunSpec("", "A B C A", generate=0)
TEXT = RunSpec("", "1, 1, 1,\nThe", generate=2)
ALL = {"replace": "mean", "edges": True, "window": 2, "factors": 2}


def failed(answer: Answer) -> dict[str, Any]:
    """Return the checks that do not hold."""
    return {name: check for name, check in answer.checks.items() if not check.holds}


def plainly(model: Model, ids: torch.Tensor, module: Any, hook: Callable[..., Any], *, before: bool = False) -> Any:
    """Return the last logits [vocab] of a forward pass with one hook."""
    register = module.register_forward_pre_hook if before else module.register_forward_hook
    handle = register(hook)
    with torch.no_grad():
        logits = model.network(ids[None]).logits[0, -1]
    handle.remove()
    return logits


def test_induction_needs_its_two_heads_and_nothing_else(tiny: Load, ask: Ask) -> None:
    """Without the head that looks at the previous token, or the induction head, the answer is gone; others are idle."""
    answer = ask("ablation", tiny("hand_written"), INDUCTION, answer="B", foil="C")
    assert not failed(answer)
    data, heads = answer.data, answer.data["heads"]
    assert heads["lost"][1] == pytest.approx([data["value"], 0], abs=1e-4)  # `B` is then as likely as `C`
    assert heads["lost"][0][1] == data["mlps"]["lost"][0] == data["mlps"]["lost"][1] == 0
    assert heads["lost"][0][0] >= data["value"] - 1e-4
    says = [[data["vocabulary"][v] for v in row] for row in heads["says"]]
    assert says[0][1] == says[1][1] == "B"
    assert "B" not in {says[0][0], says[1][0]}
    assert data["attentions"]["lost"] == [row[0] for row in heads["lost"]]


def test_edges_are_refused_where_tokens_meet_elsewhere_too(tiny: Load, ask: Ask) -> None:
    """A convolution needs the tokens before the last one, which alone is run again."""
    with pytest.raises(BuildError, match=r"^unsupported edges: in model lfm2 \(Lfm2ForCausalLM\) tokens meet outside"):
        ask("ablation", tiny("lfm2"), TEXT, edges=True)


def test_one_edge_carries_the_answer(tiny: Load, ask: Ask) -> None:
    """Cut in layer 1, from the last token to the `B` after the first `A`, it is lost; every other edge may go."""
    answer = ask("ablation", tiny("hand_written"), INDUCTION, answer="B", foil="D", edges=True)
    assert not failed(answer)
    lost = torch.tensor(answer.data["edges"]["lost"])
    assert lost.argmax() == 1 * 5 + 2  # positions: <bos> A B C A
    parts = [1.0, 1.0, 1.0, STRENGTH]
    mean = sum(parts) / D_MODEL
    value = STRENGTH / (sum(x * x for x in parts) / D_MODEL - mean**2 + 1e-5) ** 0.5
    assert lost[1, 2] == pytest.approx(value, rel=1e-4)
    assert lost[1, [0, 1, 3, 4]].abs().max() == 0
    # in layer 0 the last token tells itself what came before it, which the answer does not need but the norm counts
    assert lost[0, [0, 1, 2, 4]].abs().max() == 0
    assert lost[0, 3].abs() < 0.1


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma2", "gpt_neox", "opt", "phi", "mistral", "falcon", "gptj"])
def test_checks_hold_in_every_architecture(name: str, tiny: Load, ask: Ask) -> None:
    """Grouped, windowed, parallel, normed afterwards, and attention of a model's own, of which no edge can be cut."""
    for params in ({}, ALL):
        if params and name in {"falcon", "gptj"}:
            with pytest.raises(BuildError, match=f"^unsupported edges: model {name} "):
                ask("ablation", tiny(name), TEXT, **params)
            continue
        answer = ask("ablation", tiny(name), TEXT, **params)
        assert not failed(answer)
        Result("0" * 64, "ablation", answer.data, answer.checks, {}).to_json()


@pytest.mark.parametrize("replace", ["zero", "mean"])
def test_every_cell_is_a_plain_pass(replace: str, tiny: Load, ask: Ask) -> None:
    """Of a model with grouped queries: each head, attention and MLP by a hook of its own on the whole network."""
    model = tiny("llama")
    data = ask("ablation", model, TEXT, replace=replace).data
    ids, answer = model.run(TEXT).ids[: data["position"]], data["answer"]["id"]

    def stand_in(x: torch.Tensor) -> torch.Tensor:
        return x[:, 1:].mean(1, keepdim=True).expand_as(x) if replace == "mean" else torch.zeros_like(x)

    for layer, block in enumerate(model.network.model.layers):
        for head in range(4):
            part = slice(8 * head, 8 * head + 8)

            def mute(_: Any, args: Any, part: slice = part) -> Any:
                x = args[0].clone()
                x[..., part] = stand_in(args[0])[..., part]
                return (x,)

            logits = plainly(model, ids, block.self_attn.o_proj, mute, before=True)
            assert data["value"] - float(logits[answer]) == pytest.approx(data["heads"]["lost"][layer][head], abs=1e-4)
            assert float(logits.softmax(-1)[answer]) == pytest.approx(
                data["heads"]["probabilities"][layer][head], abs=1e-4
            )
            assert data["vocabulary"][data["heads"]["says"][layer][head]] == model.pieces.shown(int(logits.argmax()))
        logits = plainly(model, ids, block.mlp, lambda _, __, out: stand_in(out))
        assert data["value"] - float(logits[answer]) == pytest.approx(data["mlps"]["lost"][layer], abs=1e-4)
        logits = plainly(model, ids, block.self_attn, lambda _, __, out: (stand_in(out[0]), *out[1:]))
        assert data["value"] - float(logits[answer]) == pytest.approx(data["attentions"]["lost"][layer], abs=1e-4)


@pytest.mark.parametrize("name", ["gpt2", "gemma3"])
def test_edges_are_plain_passes_too(name: str, tiny: Load, ask: Ask) -> None:
    """All of them, in windows of layers: the last row of the mask changed in the whole network's own attention."""
    from builder.model.interface import attending

    model = tiny(name)
    data = ask("ablation", model, TEXT, edges=True, window=2).data
    run = model.run(TEXT)
    ids, n = run.ids[: data["position"]], data["position"]
    for layer in range(3):
        window = [found for found in (layer - 1, layer) if found >= 0]
        modules = [run.attention.module("self", found) for found in window]
        for source in range(n):

            def cut(call: Any, modules: list[Any] = modules, source: int = source) -> None:
                if call.module in modules:
                    call.mask = call.mask.clone()
                    call.mask[..., -1, source] = -1e30

            with torch.no_grad(), attending(model.network, cut):
                logits = model.network(ids[None]).logits[0, -1]
            lost = data["value"] - float(logits[data["answer"]["id"]])
            assert lost == pytest.approx(data["edges"]["lost"][layer][source], abs=1e-4)


def test_small_batches_give_the_same(tiny: Load, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few variants of the text a batch may hold."""
    whole = ask("ablation", tiny("llama"), TEXT, **ALL).data
    monkeypatch.setattr(rerun, "TOKENS", 1)
    one = ask("ablation", tiny("llama"), TEXT, **ALL).data
    for name in ("heads", "edges"):
        for ours, theirs in zip(whole[name]["lost"], one[name]["lost"], strict=True):
            assert ours == pytest.approx(theirs, abs=1e-4)


def test_a_factors_neurons_go_together(tiny: Load, ask: Ask, part: Part) -> None:
    """Those that weigh more than 1/√N in it, in all layers at once; as many others of the same layers beside it."""
    from builder.model.answers import read_question

    model = tiny("llama")
    neurons = part("ablation", "neurons")
    data = ask("ablation", model, TEXT, factors=2).data
    run = model.run(TEXT)
    text = part("ablation", "text").read_text(run, read_question(run, None, None))
    found = neurons.find_factors(run, text, 2)
    assert found.members.sum(1).tolist() == data["factors"]["neurons"]
    assert not bool((found.members & found.drawn).any())
    for own, drawn in zip(found.members, found.drawn, strict=True):
        counts = [[int(layer.sum()) for layer in row.split(found.widths)] for row in (own, drawn)]
        assert counts[0] == counts[1]
    masks = found.members[0].split(found.widths)
    handles = [
        block.mlp.down_proj.register_forward_pre_hook(lambda _, args, mask=mask: (args[0] * ~mask,))
        for block, mask in zip(model.network.model.layers, masks, strict=True)
    ]
    with torch.no_grad():
        logits = model.network(text.ids[None]).logits[0, -1]
    for handle in handles:
        handle.remove()
    lost = data["value"] - float(logits[data["answer"]["id"]])
    assert lost == pytest.approx(data["factors"]["lost"][0], abs=1e-4)


def test_what_cannot_be_taken_out_is_said(tiny: Load, ask: Ask) -> None:
    """More factors than tokens, neurons in one tensor or that never fire, one token alone, no attention at all."""
    with pytest.raises(BuildError, match=r"^invalid edges: one token stands before the answer"):
        ask("ablation", tiny("llama"), TEXT, position=1, edges=True)
    assert not failed(ask("ablation", tiny("llama"), TEXT, position=1))
    with pytest.raises(BuildError, match=r"^invalid factors: 16 cannot be told apart in \d+ tokens after the first"):
        ask("ablation", tiny("llama"), TEXT, factors=16)
    with pytest.raises(BuildError, match=r"^unsupported model: mixtral has no FFN neurons"):
        ask("ablation", tiny("mixtral"), TEXT, factors=2)
    with pytest.raises(BuildError, match=r"^invalid factors: no neuron fires in this text"):
        ask("ablation", tiny("hand_written"), INDUCTION, factors=2)
    with pytest.raises(BuildError, match=r"^unsupported model: mamba .* has no attention"):
        ask("ablation", tiny("mamba"), TEXT)


def test_the_example_is_an_answer_with_everything(tiny: Load, ask: Ask, kinds: dict[str, Kind]) -> None:
    """Its keys and checks are those of an answer today, and prose may name its parts."""
    kind = kinds["ablation"]
    example = Result.from_json("0" * 64, (kind.folder / "example.json").read_text(encoding="utf-8"))
    answer = ask("ablation", tiny("llama"), TEXT, edges=True, factors=2)
    assert set(example.data) == set(answer.data)
    assert set(example.checks) == set(answer.checks)
    assert all(check.holds for check in example.checks.values())
    parts = kind.parts(example.data)
    assert set(parts) == {"head", "layer", "mlp", "factor", "token"}
    assert kind.spark(example.data, "layer", parts["layer"]["23"]).mark == 3
    assert set(kind.extent(example.data)) == {"head", "edge", "above", "below"}
    said = kind.analysis.describe(example.data)
    assert said.startswith("What the logit of “Mary” over “John”, +6.12, loses without each part: ")


def test_edges_are_cut_where_attention_goes_to_no_token_too(tiny: Load, ask: Ask) -> None:
    """Rows of weights need not sum to 1 there (gpt-oss): the check is of those that do."""
    answer = ask("ablation", tiny("gpt_oss"), TEXT, edges=True, window=2)
    assert not failed(answer)
    assert max(abs(lost) for row in answer.data["edges"]["lost"] for lost in row) > 0


@pytest.mark.weights
def test_smollm2_needs_the_head_that_moves_the_name(smollm2: Any, ask: Ask) -> None:
    """Of all heads, that of layer 23 which writes most of it; and of all edges of that layer, the one to the name."""
    spec = RunSpec("smollm2", "Mary and John went out, John gave a drink to", generate=0)
    answer = ask("ablation", smollm2, spec, answer=" Mary", foil=" John", edges=True)
    assert not failed(answer)
    lost = torch.tensor(answer.data["edges"]["lost"])
    assert int(lost[23].argmax()) == [token["text"] for token in answer.data["tokens"]].index("Mary")
    assert answer.data["heads"]["lost"][23][3] > 1
