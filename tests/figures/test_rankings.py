"""Rankings are the logit lens: counted ranks equal sorted ones, and a model with known weights gives known answers."""

from __future__ import annotations

from math import exp, log, sqrt
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import Load
from networks.hand_written import D_MODEL, N_TOKENS, STRENGTH
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.kind import Kind
from builder.model import lens
from builder.parts import Part as NamedPart

from . import Ask, Part
from .conftest import TEXT


def sorted_rank(logits: torch.Tensor, token: int) -> int:
    """Return the place of the first token that has this logit, in descending order."""
    order = logits.sort(descending=True).values
    return int((order == logits[token]).nonzero()[0]) + 1


@pytest.mark.parametrize("name", CAUSAL)
def test_ranks_by_counting_are_ranks_by_sorting(name: str, tiny: Load, ask: Ask) -> None:
    """1 + #{v : z_v > z_t} needs no sort; the lens here is the model's own norm and head on a block's output."""
    model = tiny(name)
    run = model.run(TEXT)
    data = ask("rankings", model).data
    found = [
        data["embeddings"],
        *({"ranks": r, "probabilities": p} for r, p in zip(data["ranks"], data["probabilities"], strict=True)),
    ]
    where = torch.tensor(run.targets) - 1
    with torch.no_grad():
        for state, row in zip([run.embeddings, *run.block_outputs], found, strict=True):
            logits = model.unembed(state[where])
            for t, position in enumerate(run.targets):
                token = int(run.ids[position])
                assert row["ranks"][t] == sorted_rank(logits[t], token)
                probability = float(logits[t].double().softmax(-1)[token])
                assert row["probabilities"][t] == pytest.approx(probability, rel=6e-4)  # four digits


@pytest.mark.parametrize("name", CAUSAL)
def test_entropy_and_kl_are_their_definitions(name: str, tiny: Load, ask: Ask, part: Part) -> None:
    """−Σ q ln q and Σ p ln(p/q), p after the last layer, in float64: what a page reads back is off by half a step."""
    model = tiny(name)
    run = model.run(TEXT)
    data = ask("rankings", model).data
    unpack = part("rankings", "packed").unpack
    with torch.no_grad():
        states = torch.cat([run.embeddings[None], run.block_outputs])[:, torch.tensor(run.targets) - 1]
        logs = torch.stack([model.unembed(state) for state in states]).double().log_softmax(-1)
    entropy = -(logs.exp() * logs).sum(-1)
    kl = (logs[-1].exp() * (logs[-1] - logs)).sum(-1)
    for name_, truth in (("entropy", entropy), ("kl", kl)):
        half = torch.tensor(data[name_]["scale"])[:, None] / 2
        assert (torch.tensor(unpack(data[name_])) - truth).abs().le(half + 1e-5).all()
        assert data["means"][name_] == pytest.approx(truth.mean(-1).tolist(), rel=1e-3, abs=1e-5)
    assert not unpack(data["kl"])[-1].any()


@pytest.mark.parametrize("name", CAUSAL)
def test_the_last_layers_ranks_are_the_models_own(name: str, tiny: Load, ask: Ask) -> None:
    """A norm left out, or taken twice, ends here: greedy decoding chose rank 1 each time."""
    assert set(ask("rankings", tiny(name)).data["ranks"][-1]) == {1}


def test_the_induction_head_brings_the_answer_to_the_top(tiny: Load, ask: Ask, part: Part) -> None:
    """In the hand-written GPT-2 the second `A` leads to `B`: A itself stands first after layer 0, B after layer 1."""
    data = ask("rankings", tiny("hand_written"), RunSpec(model="", prompt="A B C A", output="B")).data
    assert data["ranks"] == [[2], [1]]
    assert data["embeddings"]["ranks"] == [2]
    top = part("rankings", "packed").unpack(data["top"])[1:]
    first = [data["vocabulary"][layer[0][0]] for layer in top]
    assert [text.strip() for text in first] == ["A", "B"]


def test_the_statistics_of_known_weights_are_known(tiny: Load, ask: Ask, part: Part) -> None:
    """The stream is ones at A, at its position and at the token before; layer 1 adds 4 at B: the rest is arithmetic."""
    data = ask("rankings", tiny("hand_written"), RunSpec(model="", prompt="A B C A", output="B")).data

    def distribution(tokens: dict[str, float], *others: float) -> list[float]:
        stream = [*tokens.values(), *others]
        mean = sum(stream) / D_MODEL
        spread = sqrt(sum(x * x for x in stream) / D_MODEL - mean**2 + 1e-5)
        weights = [exp(tokens.get(name, 0.0) / spread) for name in "<ABCDEFG"]
        assert len(weights) == N_TOKENS
        return [weight / sum(weights) for weight in weights]

    rows = [
        distribution({"A": 1.0}, 1.0),
        distribution({"A": 1.0}, 1.0, 1.0),
        distribution({"A": 1.0, "B": STRENGTH}, 1.0, 1.0),
    ]
    found = [data["embeddings"]["probabilities"], *data["probabilities"]]
    assert [row[0] for row in found] == [pytest.approx(p[2], rel=1e-3) for p in rows]
    entropies = [-sum(p * log(p) for p in row) for row in rows]
    divergences = [sum(p * log(p / q) for p, q in zip(rows[-1], row, strict=True)) for row in rows]
    unpack = part("rankings", "packed").unpack
    assert unpack(data["entropy"])[:, 0].tolist() == pytest.approx(entropies, abs=1e-4)
    assert unpack(data["kl"])[:, 0].tolist() == pytest.approx(divergences, abs=1e-4)
    cross = [-log(row[2]) for row in rows]
    assert data["means"]["cross_entropy"] == pytest.approx(cross, rel=1e-3)


def test_top_tokens_are_indices_into_one_vocabulary(tiny: Load, ask: Ask, part: Part) -> None:
    """A text stands once in the JSON, however often it is a first choice; more than three come a layer at a time."""
    model = tiny("llama")
    answer = ask("rankings", model, top=5)
    data = answer.data
    assert len(set(data["vocabulary"])) == len(data["vocabulary"])
    run = model.run(TEXT)
    wanted = [model.pieces.shown(token) for token in run.logits[0].topk(5).indices.tolist()]
    packed = part("rankings", "packed").unpack(data["top"])
    assert [data["vocabulary"][v] for v in packed[-1][0]] == wanted[:3]
    assert list(answer.pieces) == ["embeddings", "layer-0", "layer-1", "layer-2"]
    assert answer.pieces["layer-2"]["top"][0] == wanted
    assert not ask("rankings", model).pieces
    assert [len(data[key]) for key in ("ranks", "probabilities")] == [model.n_layers] * 2
    assert data["layers"] == ["embeddings", "0", "1", "2"]


def test_without_the_embeddings_rows_are_layers(tiny: Load, ask: Ask) -> None:
    """`ranks[12][3]` is layer 12 in both cases: what enters block 0 stands beside them."""
    both, layers = (ask("rankings", tiny("llama"), embeddings=given).data for given in (True, False))
    assert both["ranks"] == layers["ranks"]
    assert layers["embeddings"] is None
    assert layers["layers"] == ["0", "1", "2"]
    assert both["entropy"]["shape"] == [4, 8]
    assert layers["entropy"]["shape"] == [3, 8]


@pytest.mark.parametrize("name", [name for name in CAUSAL if name != "opt"])
def test_the_norm_that_ecco_leaves_out(name: str, tiny: Load, ask: Ask) -> None:
    """`reproduce: ecco` ranks transformers' hidden states by the head alone, says so, and proves that it does."""
    model = tiny(name)
    run, answer = model.run(TEXT), ask("rankings", model, reproduce="ecco")
    assert all(check.holds for check in answer.checks.values())
    assert "without the model’s final normalisation" in answer.data["warning"]
    with torch.no_grad():
        listed = model.network(run.ids[None], output_hidden_states=True).hidden_states[1:]
        for layer, state in enumerate(listed):
            logits = model.head_logits(state[0])
            ranks = [sorted_rank(logits[i - 1], int(run.ids[i])) for i in run.targets]
            assert answer.data["ranks"][layer] == ranks
    assert set(answer.data["ranks"][-1]) == {1}


def test_eccos_check_fails_where_the_norm_is_not_left_out(tiny: Load) -> None:
    """A check that cannot fail proves nothing: with one layer's norm taken, or the last one's left out, it does."""
    from builder.model.stream import ecco_error, read_stream

    model = tiny("llama")
    run = model.run(TEXT)
    places = [position - 1 for position in run.targets]
    stream = read_stream(run, places, reproduce="ecco")
    assert ecco_error(run, places, stream) < 1e-5
    for layer, change in ((1, model.structure.norm), (-1, lambda _: run.block_outputs[-1][places])):
        changed = stream.states.clone()
        changed[layer] = change(changed[layer])
        assert ecco_error(run, places, stream._replace(states=changed)) > 1e-3


def test_ecco_needs_a_head_that_reads_what_blocks_write(tiny: Load, ask: Ask) -> None:
    """OPT projects between the two, and the author is told."""
    with pytest.raises(BuildError, match=r"^unsupported reproduce: ecco: the head of model opt reads 16 numbers"):
        ask("rankings", tiny("opt"), reproduce="ecco")


def test_checks_catch_a_divergence_the_other_way_around(tiny: Load, kinds: dict[str, Kind], part: Part) -> None:
    """KL is not symmetric, and the two orders are easily mistaken: the comparison with float64 tells them apart."""
    from builder.model.stream import read_positions

    model = tiny("llama")
    run = model.run(TEXT)
    params = kinds["rankings"].analysis.Params(embeddings=False)
    states = run.block_outputs[:, torch.tensor(run.targets) - 1]
    reading = read_positions(run, [place - 1 for place in run.targets], run.ids[run.targets], top=3)
    logs = torch.stack([model.unembed(state) for state in states]).double().log_softmax(-1)
    wrong = reading._replace(divergences=(logs.exp() * (logs - logs[-1])).sum(-1))
    pack = part("rankings", "packed").pack

    def failed(reading: lens.Reading) -> list[str]:
        data = {"vocab_size": model.logits_size, "entropy": pack(reading.entropies.numpy())}
        data["kl"] = pack(reading.divergences.clamp(min=0).numpy())
        found = part("rankings", "checks").checks(run, reading, data, params)
        return [name for name, check in found.items() if not check.holds]

    assert failed(reading) == []
    assert failed(wrong) == ["entropy and KL of one state against float64, nats"]
    backwards = reading._replace(divergences=reading.divergences.flip(0), probabilities=reading.probabilities.flip(0))
    assert len(failed(backwards)) == 2


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.floats(0, 1e4, width=32), min_size=3, max_size=3), min_size=1, max_size=5))
def test_packed_numbers_are_off_by_half_a_step(part: Part, rows: list[list[float]]) -> None:
    """Each row has its scale, so that small numbers in it keep their digits; whole numbers come back as they were."""
    import numpy as np

    packed = part("rankings", "packed")
    values = np.array(rows, dtype=np.float32)
    made = packed.pack(values)
    assert (np.abs(packed.unpack(made) - values) <= np.array(made["scale"])[:, None] * 0.5001).all()
    whole = values.astype(np.int64) * 10
    assert (packed.unpack(packed.pack(whole)) == whole).all()


def test_the_size_of_blocks_changes_nothing(tiny: Load, ask: Ask, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks bound the memory and nothing else."""
    whole = ask("rankings", tiny("llama")).data
    for name, few in (("HELD", 7000), ("PIECE", 128), ("NEAR", 0.0)):  # of three layers × 320 tokens one position
        monkeypatch.setattr(lens, name, few)
    blocked = ask("rankings", tiny("llama")).data
    unpack = part("rankings", "packed").unpack
    for name, value in whole.items():
        if name in {"entropy", "kl"}:  # a product of another shape may round to the step beside
            assert abs(unpack(blocked[name]) - unpack(value)).max() < 1e-4
        elif name != "means":
            assert blocked[name] == value


def test_the_description_says_when_the_answer_was_settled(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """An alt text tells what is to be seen: which tokens, and from which layer on they stay first."""
    describe = kinds["rankings"].analysis.describe
    data = ask("rankings", tiny("hand_written"), RunSpec(model="", prompt="A B C A", output="B")).data
    assert describe(data) == "Ranks of 1 token after each of 2 layers: “B” stays first from layer 1 on."
    data = dict(data, ranks=[[2], [1200]])
    assert describe(data) == "Ranks of 1 token after each of 2 layers: “B” ends at rank 1,200."


def test_parts_are_ranked_tokens_and_layers_by_number(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """Prose names a layer by its number and the embeddings so; input tokens have no column."""
    kind = kinds["rankings"]
    data = ask("rankings", tiny("hand_written"), RunSpec(model="", prompt="A B C A", output="B")).data
    parts = kind.parts(data)
    assert parts["layer"] == {"embeddings": NamedPart("embeddings"), "0": NamedPart(0), "1": NamedPart(1)}
    assert parts["token"] == {"B": NamedPart(5), "5": NamedPart(5)}
    spark = kind.spark(data, "token", parts["token"]["B"])
    assert spark.values == tuple(round(1 - log(rank) / log(N_TOKENS), 4) for rank in (2, 2, 1))
    assert spark.mark == 2
    assert spark.label == "rank of “B”: 2 in the embeddings, 1 after layer 1"
    assert kind.extent(data) == {
        "rank": 8,
        "entropy": pytest.approx(log(8), abs=1e-4),
        "kl": pytest.approx(max(data["kl"]["scale"]) * 65_535, abs=1e-4),
        "surprisal": pytest.approx(-log(data["embeddings"]["probabilities"][0]), abs=1e-4),
    }


def test_a_large_figure_stays_small(tiny: Load, ask: Ask, part: Part) -> None:
    """48 layers × 100 tokens with all measures are less than 200 KB of JSON, also of a vocabulary that is large."""
    import json

    import numpy as np

    rng = np.random.default_rng(0)
    pack = part("rankings", "packed").pack
    ranks = np.exp(rng.uniform(0, log(150_000), (48, 100))).astype(int)
    data = ask("rankings", tiny("llama")).data | {
        "tokens": [{"text": " something", "id": 100_000 + i, "type": "output"} for i in range(130)],
        "ranks": ranks.tolist(),
        "probabilities": [[float(f"{p:.4g}") for p in row] for row in (0.3 / ranks).tolist()],
        "entropy": pack(rng.uniform(0, 12, (49, 100))),
        "kl": pack(rng.uniform(0, 60, (49, 100))),
        "top": pack(rng.integers(0, 6000, (49, 100, 3))),
        "vocabulary": [f" token{i}" for i in range(4000)],
    }
    assert len(json.dumps(data, separators=(",", ":"))) < 200_000


@pytest.mark.weights
def test_smollm2_ranks_as_a_sort_of_its_own_hidden_states_does(smollm2: Any, ask: Ask) -> None:
    """On the real model, against transformers' hidden states: all but the last without the final norm."""
    spec = RunSpec(model="smollm2", prompt="London is in England. Paris is in", generate=6)
    answer = ask("rankings", smollm2, spec)
    run, network = smollm2.run(spec), smollm2.network
    with torch.no_grad():
        states = network(run.ids[None], output_hidden_states=True).hidden_states[1:]
        for layer, state in enumerate(states):
            normed = state if layer == len(states) - 1 else network.model.norm(state)
            logits = network.lm_head(normed)[0]
            for t, position in enumerate(run.targets):
                assert answer.data["ranks"][layer][t] == sorted_rank(logits[position - 1], int(run.ids[position]))
    assert all(check.holds for check in answer.checks.values())
