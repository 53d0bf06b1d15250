"""Attention flow where tokens look both ways, and through an encoder and a decoder one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from networks import Load
from networks.encoders import ENCODER_DECODERS, ENCODERS

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.kind import Kind
from builder.model import Model
from builder.quantised import unpack

from . import Ask, apart
from .paths import METHODS, PAIR, naive_flow, naive_rollout, rows

TRANSLATED = RunSpec(model="", prompt="The Union is", output="1, 2, 1")


def test_flow_in_an_encoder_may_go_either_way(tiny: Load, ask: Ask) -> None:
    """Later tokens give, too."""
    model = tiny("bert")
    run = model.run(PAIR)
    attention = np.array([run.attention.weights("self", layer).double().mean(0).numpy() for layer in range(3)])
    found = rows(ask("attention_flow", model, PAIR), "flow")
    for source, sink in ((0, len(run.ids) - 1), (3, 1), (2, 2)):
        flow = found["scores"][source][sink] * found["sums"][source]
        assert flow == pytest.approx(naive_flow(attention, source, sink), rel=2e-3)


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_have_a_row_for_every_token(name: str, tiny: Load, ask: Ask) -> None:
    """Over all tokens, those around the texts and the token itself included; each row sums to 1, each check holds."""
    answer = ask("attention_flow", tiny(name), PAIR)
    size = len(answer.data["tokens"])
    assert answer.data["targets"] == list(range(size))
    assert not answer.data["causal"]
    for method in METHODS:
        for excluded in (False, True):
            found = rows(answer, method, excluded=excluded)["scores"]
            assert [len(row) for row in found] == [size] * size
            assert all(sum(row) == pytest.approx(1, abs=1e-3) for row in found[1:])
    assert all(check.holds for check in answer.checks.values())


def both_stacks(model: Model, spec: RunSpec) -> tuple[Any, Any, int, np.ndarray]:
    """Return a run of an encoder-decoder, transformers' output, the source's length and its sublayers' attention,
    written down token by token: what does not attend in a sublayer looks at itself.
    """
    run: Any = model.run(spec)
    with torch.no_grad():
        out = model.network(run.source[None], decoder_input_ids=run.ids[None], output_attentions=True)
    first, size = len(run.source), len(run.source) + len(run.ids)
    steps = [("encoder", layer) for layer in out.encoder_attentions]
    for own, cross in zip(out.decoder_attentions, out.cross_attentions, strict=True):
        steps += [("decoder", own), ("cross", cross)]
    found = np.zeros((len(steps), size, size))
    for n, (name, layer) in enumerate(steps):
        mean = layer[0].double().mean(0).numpy()
        for q in range(size):
            if (q < first) != (name == "encoder"):
                found[n, q, q] = 1
            elif name == "encoder":
                found[n, q, :first] = mean[q]
            elif name == "cross":
                found[n, q, :first] = mean[q - first]
            else:
                found[n, q, first:] = mean[q - first]
    return run, out, first, found


@pytest.mark.parametrize("name", ENCODER_DECODERS)
def test_an_encoder_decoders_paths_lead_through_both_stacks(name: str, tiny: Load, ask: Ask) -> None:
    """Rollout through the encoder, then each decoder layer's two attentions, against path-by-path sums; raw attention
    is the cross-attention alone. Each row has what stands before its target, sums to 1, and each check holds.
    """
    model = tiny(name)
    answer = ask("attention_flow", model, TRANSLATED)
    run, out, first, attention = both_stacks(model, TRANSLATED)
    targets = answer.data["targets"]
    assert targets == list(range(first + 1, first + len(run.ids)))
    assert answer.data["methods"] == list(METHODS)
    assert answer.data["layers"][-3:] == ["decoder 1 cross", "decoder 2 self", "decoder 2 cross"]
    assert len(answer.data["layers"]) == len(attention)
    assert answer.data["columns"][-3:] == ["dec 0", "dec 1", "dec 2"]
    rollout = naive_rollout(attention)
    assert apart(rows(answer, "rollout")["scores"], [rollout[p - 1, :p].tolist() for p in targets]) < 1e-4
    steps = unpack(answer.pieces["ribbons"]["steps"])
    assert np.linalg.multi_dot(steps[::-1])[-1] == pytest.approx(rollout[-1], abs=0.02)
    cross = torch.stack(out.cross_attentions)[:, 0].double().mean((0, 1))
    for t, (raw, p) in enumerate(zip(rows(answer, "raw")["scores"], targets, strict=True)):
        assert raw[:first] == pytest.approx(cross[t].tolist(), abs=1e-4)
        assert raw[first:] == [0.0] * (p - first)
    names = answer.pieces["raw-layers"]["layers"]
    assert names == ["decoder 0 cross", "decoder 1 cross", "decoder 2 cross"]
    assert unpack(answer.pieces["raw-layers"]["rows"]).shape == (3, sum(targets))
    for method in METHODS:
        found = rows(answer, method)["scores"]
        assert [len(row) for row in found] == targets
        assert all(sum(row) == pytest.approx(1, abs=1e-3) for row in found)
    assert not any(piece.endswith("-rest") for piece in answer.pieces)
    assert all(check.holds for check in answer.checks.values())
    assert "flow against the capacity of its cut, three tokens" in answer.checks


def test_flow_to_the_source_may_go_either_way(tiny: Load, ask: Ask) -> None:
    """In the encoder later tokens carry, too: of every pair, by augmenting paths."""
    model = tiny("bart")
    found = rows(ask("attention_flow", model, TRANSLATED, method="flow"), "flow")
    _, _, first, attention = both_stacks(model, TRANSLATED)
    for t, (row, total) in enumerate(zip(found["scores"], found["sums"], strict=True)):
        for token, share in enumerate(row):
            assert share * total == pytest.approx(naive_flow(attention, first + t, token), rel=2e-3, abs=1e-6)


def test_value_norms_are_of_what_the_source_hands_to_the_decoder(tiny: Load, ask: Ask) -> None:
    """‖Σ_h α_h v_h W_h‖ by loops over a T5's own cross-attention, and the mean of the layers' shares."""
    model = tiny("t5")
    run: Any = model.run(TRANSLATED)
    with torch.no_grad():
        out = model.network(run.source[None], decoder_input_ids=run.ids[None], output_attentions=True)
        shares = torch.zeros(3, len(run.ids), len(run.source))
        for n, block in enumerate(model.network.decoder.block):
            attends = block.layer[1].EncDecAttention
            values = attends.v(out.encoder_last_hidden_state[0])  # [S, heads · 8]
            for q in range(len(run.ids)):
                for k in range(len(run.source)):
                    weights = out.cross_attentions[n][0, :, q, k].repeat_interleave(8)
                    shares[n, q, k] = attends.o(weights * values[k]).norm()
    shares /= shares.sum(-1, keepdim=True)
    found = rows(ask("attention_flow", model, TRANSLATED), "value_norms")["scores"]
    first = len(run.source)
    assert apart([row[:first] for row in found], shares.mean(0)[:-1].tolist()) < 1e-4


def test_a_stack_whose_attention_cannot_be_read_is_told(kinds: dict[str, Kind], tiny: Load) -> None:
    """LED's encoder lists what each token sees of its neighbours, and no matrix."""
    analysis = kinds["attention_flow"].analysis
    run: Any = tiny("bart").run(TRANSLATED)
    del run.attention.parts["encoder"]
    with pytest.raises(BuildError, match=r"^unsupported model: the attention of the encoder of bart cannot be read"):
        analysis.analyse(run, analysis.Params())


def test_what_an_encoder_decoder_has_not_is_told(tiny: Load, ask: Ask) -> None:
    """All in one go: a choice of layers, a first token, and something written."""
    silent = RunSpec(model="", prompt="The Union is", generate=0)
    with pytest.raises(BuildError) as told:
        ask("attention_flow", tiny("t5"), silent, layers="0-1", exclude_first=True)
    starts = ["unsupported layers: 0-1", "unsupported exclude_first: ", "missing output: "]
    assert [str(p).startswith(start) for p, start in zip(told.value.problems, starts, strict=True)] == [True] * 3
    with pytest.raises(BuildError, match=r"^invalid token: 0 is not between "):
        ask("attention_flow", tiny("t5"), TRANSLATED, token=0)
