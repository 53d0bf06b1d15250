"""Attention flow: rollout, flow and value norms against naive versions of themselves, and on heads written by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from networks import Load

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.kind import Kind
from builder.model import Model
from builder.quantised import unpack

from . import Ask, Part, apart
from .conftest import TEXT
from .paths import METHODS, PAIR, eager, naive_flow, naive_rollout, rows

INDUCTION = RunSpec(model="", prompt="A B C A", output="B D")
SHORT = RunSpec(model="", prompt="1, 1", output=", 1")


def test_induction_is_followed_to_its_source(tiny: Load, ask: Ask) -> None:
    """At the second A of `<bos> A B C A` head 0 looks at the token before in layer 0, and at B in layer 1; head 1 looks
    at all alike and writes nothing. Numbers by hand, for the B that follows.

    With U for a row of 1/(q + 1), layer 1 gives ½ δ₄ + ¼ δ₂ + ¼ U = [.05, .05, .30, .05, .55], and layer 0 gives
    ½ δ_q + ¼ δ_{q−1} + ¼ U. B gets .30 · 7/12 + .05 · 5/16 + .55 · .05 by rollout, and as pipes B, C and A carry at
    most .30 + .05 + .05 from it.
    """
    answer = ask("attention_flow", tiny("hand_written"), INDUCTION)
    assert answer.data["targets"][0] == 5
    assert rows(answer, "rollout")["scores"][0] == pytest.approx(
        [0.124375, 0.161875, 0.218125, 0.193125, 0.3025], rel=1e-3
    )
    flow = rows(answer, "flow")
    flows = [share * flow["sums"][0] for share in flow["scores"][0]]
    assert flows[2] == pytest.approx(0.40, rel=1e-3)
    assert flows[0] == pytest.approx(0.05 + 0.05 + 1 / 12 + 0.05 + 0.05, rel=1e-3)
    assert rows(answer, "raw")["scores"][0] == pytest.approx([0.1, 0.1, 0.35, 0.35, 0.1], rel=1e-3)
    assert rows(answer, "value_norms")["scores"][0] == pytest.approx([0, 0, 0.5, 0.5, 0], abs=1e-6)


@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma2", "gemma3", "gpt_neox"])
def test_rollout_adds_up_all_paths(name: str, tiny: Load, ask: Ask) -> None:
    """The row of a target is that of the position before it; by loops over transformers' own weights."""
    model = tiny(name)
    answer = ask("attention_flow", model)
    run = model.run(TEXT)
    expected = naive_rollout(eager(model, run.ids))
    found = rows(answer, "rollout")["scores"]
    assert [len(row) for row in found] == run.targets
    assert apart(found, [expected[p - 1, :p].tolist() for p in run.targets]) < 1e-4
    layers = unpack(answer.pieces["rollout-layers"]["rows"])
    assert layers.shape == (model.n_layers, sum(run.targets))
    assert layers[-1] == pytest.approx(np.concatenate([expected[p - 1, :p] for p in run.targets]), abs=1 / 255)


@pytest.mark.parametrize("name", ["gpt2", "gemma3"])
def test_flow_is_the_maximum_flow(name: str, tiny: Load, ask: Ask) -> None:
    """Of every pair of tokens, by augmenting paths; never more than leaves the position, or its token can hand on."""
    model = tiny(name)
    run = model.run(SHORT)
    attention = eager(model, run.ids)
    found = rows(ask("attention_flow", model, SHORT), "flow")
    edges = (attention + np.eye(len(run.ids))) / 2
    for target, row, total in zip(run.targets, found["scores"], found["sums"], strict=True):
        for token, share in enumerate(row):
            flow = share * total
            assert flow == pytest.approx(naive_flow(attention, target - 1, token), rel=2e-3)
            assert flow <= min(edges[-1, target - 1].sum(), edges[0, :, token].sum()) + 1e-3


def test_a_flow_is_as_wide_as_its_cut(part: Part) -> None:
    """Two layers of two tokens by hand: .3 and .4 reach token 0 side by side, .6 of .7 get through to token 1."""
    flow = part("attention_flow", "flow")
    edges = torch.tensor([[[1.0, 0.0], [0.4, 0.6]], [[1.0, 0.0], [0.3, 0.7]]], dtype=torch.float64)
    assert flow.attention_flow(edges, [1], causal=True).scores[0].tolist() == pytest.approx([0.7, 0.6])
    assert flow.gap_to_cut(edges, 1, 0, causal=True) < 1e-8


def test_value_norms_are_lengths_of_what_is_handed_over(tiny: Load, ask: Ask) -> None:
    """‖Σ_h α_h v_h W_h‖ by loops over a Llama's own modules, its heads grouped, and the mean of the layers' shares."""
    model = tiny("llama")
    run = model.run(SHORT)
    values: dict[int, torch.Tensor] = {}
    blocks = model.network.model.layers
    hooks = [
        block.self_attn.v_proj.register_forward_hook(lambda m, a, out, n=n: values.__setitem__(n, out[0]))
        for n, block in enumerate(blocks)
    ]
    with torch.no_grad():
        attentions = model.network(run.ids[None], output_attentions=True).attentions
    for hook in hooks:
        hook.remove()
    shares = torch.zeros(len(blocks), len(run.ids), len(run.ids))
    for n, block in enumerate(blocks):
        projection = block.self_attn.o_proj.weight  # [d_model, heads · 8]
        for q in range(len(run.ids)):
            for k in range(q + 1):
                handed = torch.zeros(32)
                for head in range(4):
                    value = values[n][k].view(2, 8)[head // 2]
                    handed += attentions[n][0, head, q, k] * projection[:, 8 * head : 8 * head + 8] @ value
                shares[n, q, k] = handed.norm()
    shares /= shares.sum(-1, keepdim=True)
    answer = ask("attention_flow", model, SHORT)
    assert apart(answer.data["scores"], [shares.mean(0)[p - 1, :p].tolist() for p in run.targets]) < 1e-4
    layers = unpack(answer.pieces["value-norms-layers"]["rows"])
    assert layers == pytest.approx(torch.cat([shares[:, p - 1, :p] for p in run.targets], 1).numpy(), abs=1 / 255)


@pytest.mark.parametrize("method", METHODS)
def test_without_the_first_token_the_others_share_what_it_had(method: str, tiny: Load, ask: Ask) -> None:
    """It is taken out of every layer: the answer is that of attention whose first column is 0, rows rescaled."""
    model = tiny("gpt2")
    answer = ask("attention_flow", model, SHORT, method=method)
    found = rows(answer, method, excluded=True)["scores"]
    assert all(row[0] == 0 for row in found)
    assert all(sum(row) == pytest.approx(1, abs=1e-3) for row in found)
    assert ask("attention_flow", model, SHORT, method=method, exclude_first=True).data["scores"] == found
    run = model.run(SHORT)
    attention = eager(model, run.ids)[:, 1:, 1:]
    attention /= attention.sum(-1, keepdims=True)
    if method == "raw":
        expected = [attention.mean(0)[p - 2, : p - 1] for p in run.targets]
    elif method == "rollout":
        expected = [naive_rollout(attention)[p - 2, : p - 1] for p in run.targets]
    else:
        return
    assert apart([row[1:] for row in found], [row.tolist() for row in expected]) < 1e-4


def test_what_looks_only_at_the_first_token_keeps_to_itself_without_it(tiny: Load, ask: Ask, part: Part) -> None:
    """As position 0 does, whose own row says nothing then."""
    edges = part("attention_flow", "edges")
    attention = torch.tensor([[[1.0, 0, 0], [1.0, 0, 0], [0.5, 0.3, 0.2]]], dtype=torch.float64)
    assert torch.allclose(edges.without_first(attention)[0, 1:], torch.tensor([[0, 1, 0], [0, 0.6, 0.4]]).double())
    answer = ask(
        "attention_flow", tiny("gpt2"), RunSpec(model="", prompt="1, 1", generate=0), exclude_first=True, token=1
    )
    assert answer.data["scores"][0] == [0]
    assert "nothing but the first token" in str(part("attention_flow", "analysis").describe(answer.data))


def test_ribbons_lead_from_the_input_to_the_last_layer(tiny: Load, ask: Ask, part: Part) -> None:
    """Rows of each step sum to 1, and the steps multiply to the rollout; columns are every n-th layer, up to eight."""
    model = tiny("llama")
    answer = ask("attention_flow", model)
    assert answer.data["columns"] == [None, 0, 1, 2]
    steps = unpack(answer.pieces["ribbons"]["steps"])
    assert steps.sum(-1) == pytest.approx(1, abs=0.02)
    run = model.run(TEXT)
    assert math.prod(steps.shape) == 3 * len(run.ids) ** 2
    product = steps[2] @ steps[1] @ steps[0]
    assert apart([product[p - 1, :p].tolist() for p in run.targets], rows(answer, "rollout")["scores"]) < 0.01
    shown = ask("attention_flow", model, display="sankey", token=-1).data
    assert shown["method"] == "rollout"
    assert shown["passing"][-1] == [float(p == run.targets[-1] - 1) for p in range(len(run.ids))]
    assert apart([shown["passing"][0][:-1]], [rows(answer, "rollout")["scores"][-1]]) < 0.01
    rollout = part("attention_flow", "rollout")
    assert rollout.column_ends(30) == [0, 5, 10, 15, 20, 25, 30]
    assert all(len(rollout.column_ends(n)) <= 8 and rollout.column_ends(n)[-1] == n for n in range(1, 100))


def test_layers_can_be_chosen(tiny: Load, ask: Ask) -> None:
    """Those alone are followed; a layer that is not there is told with the nearest right ones."""
    model = tiny("gpt2")
    answer = ask("attention_flow", model, layers="1-2")
    assert answer.data["layers"] == [1, 2]
    run = model.run(TEXT)
    expected = naive_rollout(eager(model, run.ids)[1:])
    assert apart(rows(answer, "rollout")["scores"], [expected[p - 1, :p].tolist() for p in run.targets]) < 1e-4
    with pytest.raises(BuildError, match=r"^unknown layers: 1-3 .*did you mean 1-2"):
        ask("attention_flow", model, layers="1-3")


def test_a_model_whose_values_cannot_be_had_is_followed_by_the_rest(tiny: Load, ask: Ask) -> None:
    """GPT-J's attention weights can be read, its value vectors not: the figure says so; by name it is an error."""
    answer = ask("attention_flow", tiny("gptj"))
    assert answer.data["methods"] == ["raw", "rollout", "flow"]
    assert answer.data["method"] == "raw"
    assert answer.data["left_out"] == {"value_norms": "the value vectors of model gptj cannot be captured"}
    with pytest.raises(BuildError, match=r"^unsupported method: value_norms: .* \(did you mean raw, rollout, flow\?\)"):
        ask("attention_flow", tiny("gptj"), method="value_norms")


def test_a_long_text_has_no_flow(tiny: Load, ask: Ask, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit it is left out and said so; by name it is an error that says how many there are."""
    monkeypatch.setattr(part("attention_flow", "flow"), "MOST_TOKENS", 10)
    answer = ask("attention_flow", tiny("gpt2"))
    assert "flow" not in answer.data["methods"]
    assert answer.data["left_out"]["flow"].startswith("it is computed for at most 10 tokens, and these are ")
    with pytest.raises(BuildError, match=r"^unsupported methods: flow: .*\(did you mean raw\?\)"):
        ask("attention_flow", tiny("gpt2"), methods=("raw", "flow"))


def test_only_what_is_asked_for_is_computed(tiny: Load, ask: Ask) -> None:
    """One method: no pieces but its layers, and itself without the first token."""
    answer = ask("attention_flow", tiny("gpt2"), methods=("raw",))
    assert set(answer.pieces) == {"raw-layers", "raw-rest", "raw-layers-rest"}
    assert answer.data["method"] == "raw"
    assert not any("flow" in name or "rollout" in name for name in answer.checks)


def test_the_first_choice_is_a_token_that_has_a_row(tiny: Load, ask: Ask) -> None:
    """From the end where it is negative; another is told with the nearest."""
    model = tiny("gpt2")
    run = model.run(SHORT)
    assert ask("attention_flow", model, SHORT).data["token"] == run.n_input
    assert ask("attention_flow", model, SHORT, token=-1).data["token"] == len(run.ids) - 1
    unwritten = ask("attention_flow", model, RunSpec(model="", prompt="1, 1", generate=0)).data
    assert unwritten["token"] == len(unwritten["tokens"]) - 1  # where nothing is output, what has most before it
    assert ask("attention_flow", tiny("bert"), PAIR).data["token"] == 1  # not the mark before the text
    with pytest.raises(BuildError, match=rf"^invalid token: 0 .*did you mean {run.n_input}"):
        ask("attention_flow", model, SHORT, token=0)


def test_prose_may_name_every_token(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """A chosen one's row, or what another gives, as bars."""
    kind = kinds["attention_flow"]
    data = ask("attention_flow", tiny("hand_written"), INDUCTION).data
    named = kind.parts(data)["token"]
    row = kind.spark(data, "token", named["B"])
    assert row.values == pytest.approx([0, 0, 1, 1, 0], abs=1e-6)
    assert row.label == "What reaches “B”. For “B”: “B” (50%) and “C” (50%)."
    assert kind.spark(data, "token", named["2"]).label.startswith("Share of “B” in each of 2 tokens: at most ")
    assert kind.extent(data) == {"share": max(map(max, data["scores"]))}


@pytest.mark.weights
def test_thirty_layers_and_fifty_tokens(kinds: dict[str, Kind], smollm2: Model) -> None:
    """All checks hold for the real model, its first token takes all of the rollout, and the main JSON is small."""
    analysis = kinds["attention_flow"].analysis
    prompt = "The countries of the European Union are:\n1. Austria\n2. Belgium\n3. Bulgaria\n4."
    run = smollm2.run(RunSpec(model="smollm2", prompt=prompt, generate=30))
    answer = analysis.analyse(run, analysis.Params())
    assert all(check.holds for check in answer.checks.values())
    assert len(json.dumps(answer.data)) < 40_000
    assert min(row[0] for row in rows(answer, "rollout")["scores"]) > 0.999
    assert (
        max(row[0] for row in rows(answer, "value_norms")["scores"])
        < 0.25
        < max(row[0] for row in rows(answer, "raw")["scores"])
    )
