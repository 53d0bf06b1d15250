"""Decoding: candidates, tables and forks against transformers' own filters and its own generate, without a cache."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from networks import Load
from networks.tiny import CAUSAL
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.kind import Kind
from builder.model.network import decoding

from . import Ask, Part
from .conftest import TEXT

SAMPLED = replace(TEXT, do_sample=True, temperature=0.75, top_k=150, top_p=0.92, seed=1)


def filtered(logits: torch.Tensor, temperature: float, top_k: int, top_p: float) -> torch.Tensor:
    """Return what transformers' own processors leave of logits [1, vocab] in float64, as probabilities [vocab]."""
    scores = TemperatureLogitsWarper(temperature)(None, logits.double())
    if top_k:
        scores = TopKLogitsWarper(top_k)(None, scores)
    if top_p < 1:
        scores = TopPLogitsWarper(top_p)(None, scores)
    return scores.softmax(-1)[0]


def continued(model: Any, ids: list[int], length: int) -> list[int]:
    """Return a greedy continuation by whole forward passes: no cache, no batch, no padding."""
    made: list[int] = []
    while len(made) < length and not (made and made[-1] in model.end_tokens):
        with torch.no_grad():
            made.append(int(model.network(torch.tensor([ids + made]), use_cache=False).logits[0, -1].argmax()))
    return made


def test_candidates_are_the_sorted_logits(tiny: Load, ask: Ask) -> None:
    """The likeliest first, relative to the first; the text's own token with its place, wherever that is."""
    model, spec = tiny("llama"), replace(TEXT, output=" Union & 東京")
    data, run = ask("decoding", model, spec).data, tiny("llama").run(spec)
    for t, logits in enumerate(run.logits):
        values, order = logits.sort(descending=True, stable=True)
        assert data["logits"][t] == pytest.approx((values[:20] - values[0]).tolist(), abs=1e-6)
        own = int(run.ids[run.targets[t]])
        assert order[data["places"][t] - 1] == own
        assert data["own"][t] == pytest.approx(float(logits[own] - values[0]), abs=1e-6)
    assert data["written"] == "given"
    assert data["initial"] == {"temperature": 1.0, "top_k": 0, "top_p": 1.0}


def test_greedy_decoding_takes_the_first(tiny: Load, ask: Ask) -> None:
    """What was generated without sampling stands at place 1 of every step."""
    data = ask("decoding", tiny("llama")).data
    assert data["written"] == "greedy"
    assert set(data["places"]) == {1}
    assert all(own == 0 for own in data["own"])


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma3"])
def test_tables_are_what_transformers_leaves(name: str, tiny: Load, ask: Ask) -> None:
    """For every temperature and top-p, and both levels: how many tokens are left, and their share of the sum."""
    model = tiny(name)
    data, run = ask("decoding", model, SAMPLED).data, model.run(SAMPLED)
    assert [level["top_k"] for level in data["levels"]] == [150, 0]
    for t, (at, heat), level in product(range(3), enumerate(data["temperatures"]), data["levels"]):
        whole = filtered(run.logits[t : t + 1], heat, level["top_k"], 1.0)
        assert level["kept"][t] == int((whole > 0).sum())
        counts, excess = level["counts"][t][at], level["excess"][t][at]
        for p, top_p in enumerate(data["top_ps"][:-1]):
            left = int((filtered(run.logits[t : t + 1], heat, level["top_k"], top_p) > 0).sum())
            i = p - (len(data["top_ps"]) - 1 - len(counts))
            assert (left <= 20) if i < 0 else (counts[i] == left)
            if i >= 0:
                share = float(whole.sort(descending=True).values[:left].sum())
                assert top_p + excess[i] * 1e-5 == pytest.approx(share, abs=6e-6)


def test_a_top_k_that_is_not_large_needs_no_sums(tiny: Load, ask: Ask) -> None:
    """Up to 100 the logits of what it keeps are stored, more than are shown; tables are of the vocabulary alone."""
    data = ask("decoding", tiny("llama"), replace(SAMPLED, top_k=50)).data
    assert [level["top_k"] for level in data["levels"]] == [0]
    assert {len(row) for row in data["logits"]} == {50}
    assert {len(row) for row in data["candidates"]} == {20}
    assert data["top_ks"] == [*range(1, 21), 50, 0]
    assert all(count > 50 for step in data["levels"][0]["counts"] for row in step for count in row)


def test_it_begins_with_what_the_text_was_written_with(tiny: Load, ask: Ask) -> None:
    """The author's own settings are stops of the sliders, also between two others, and every token could be drawn."""
    model = tiny("llama")
    data, run = ask("decoding", model, SAMPLED).data, model.run(SAMPLED)
    assert data["initial"] == {"temperature": 0.75, "top_k": 150, "top_p": 0.92}
    assert 0.75 in data["temperatures"]
    assert 150 in data["top_ks"]
    assert 0.92 in data["top_ps"]
    for t, own in enumerate(run.ids[run.targets[0] :].tolist()):
        shares = filtered(run.logits[t : t + 1], 0.75, 150, 0.92)
        assert data["probabilities"][t] == pytest.approx(float(shares[own]), rel=1e-3)
        assert data["probabilities"][t] > 0
        assert data["left"][t] == int((shares > 0).sum())


@pytest.mark.parametrize("name", [*CAUSAL, "minimax"])  # which keeps states beside keys and values
def test_forks_are_plain_greedy_continuations(name: str, tiny: Load, part: Part) -> None:
    """Batched, padded and with a cache, they are what one forward pass after another gives, on every architecture."""
    model = tiny(name)
    run = model.run(TEXT)
    order = run.logits.topk(4).indices.tolist()
    forks = part("decoding", "forks").follow(run, order, 2, 5)
    for t in (0, 3, len(forks) - 1):
        prefix = run.ids[: run.targets[t]].tolist()
        own = int(run.ids[run.targets[t]])
        others = [v for v in order[t] if v != own][:2]
        assert [fork.ids[0] for fork in forks[t]] == others
        for fork in forks[t]:
            ended = fork.ids[0] in model.end_tokens
            assert fork.ids[1:] == ([] if ended else continued(model, [*prefix, fork.ids[0]], 5))
            with torch.no_grad():
                logits = model.network(torch.tensor([prefix + fork.ids]), use_cache=False).logits[0].double()
            logprobs = logits.log_softmax(-1)[len(prefix) - 1 : -1]
            assert fork.logprob == pytest.approx(
                float(sum(row[v] for row, v in zip(logprobs, fork.ids, strict=True))), abs=1e-3
            )


def test_a_fork_ends_with_the_text_or_the_context(tiny: Load, part: Part) -> None:
    """After an end token nothing follows; a context that is nearly full bounds what does."""
    model = tiny("llama")
    follow = part("decoding", "forks").follow
    end = model.end_tokens[0]
    run = model.run(TEXT)
    first = follow(run, [[end, *row] for row in run.logits.topk(3).indices.tolist()], 1, 4)
    assert first[0][0].ids == [end]
    long = model.run(RunSpec("tiny", "1, " * 30, generate=0))
    assert len(long.ids) > 58
    forks = follow(long, long.logits.topk(2).indices.tolist(), 1, 8)
    assert all(len(step[0].ids) <= model.context - position for step, position in zip(forks, long.targets, strict=True))
    assert follow(run, [[1, 2]] * len(run.targets), 3, 0) == [[] for _ in run.targets]


def test_a_fork_that_comes_back_says_where(part: Part) -> None:
    """Three tokens of the text in a row, up to the fork's end, at the same place or further on; its own are none."""
    rejoins = part("decoding", "forks")._rejoins
    text = [10, 11, 12, 13, 14]
    assert rejoins([99, 11, 12, 13], text) == 1
    assert rejoins([99, 98, 12, 13, 14], text) == 2
    assert rejoins([99, 12, 13, 14], text) == 1
    assert rejoins([99, 98, 13, 14], text) is None
    assert rejoins([10, 11, 12, 13], text) == 1
    assert rejoins([99, 10, 11, 12], text) is None  # it begins anew; what it left is not what it comes back to


def test_the_hand_written_model_is_sure(tiny: Load, ask: Ask) -> None:
    """The induction head writes 4 for `B` where the token itself has 1: the candidates and shares follow from that."""
    data = ask("decoding", tiny("hand_written"), RunSpec("", "A B C A", output="B")).data
    first = [data["vocabulary"][v].strip() for v in data["candidates"][0]]
    assert first[0] == "B"
    assert data["places"] == [1]
    assert data["tied"] == [0]
    assert data["top_ks"] == [1, 2, 3, 4, 5, 6, 7, 8, 0]
    assert sum(2.718281828459045**z for z in data["logits"][0]) == pytest.approx(
        2.718281828459045 ** data["levels"][-1]["log_sums"][0][data["temperatures"].index(1.0)], rel=1e-4
    )


def test_equal_logits_are_counted_and_kept_together(part: Part) -> None:
    """Top-k keeps what equals the k-th; tokens beyond the last candidate that equal it are counted."""
    tables = part("decoding", "tables")
    logits = torch.tensor([[3.0, 1.0, 2.0, 1.0, 1.0, 0.0, 1.0]])
    steps = tables.read_steps(logits, torch.tensor([6]), 3)
    assert steps.ids == [[0, 2, 1]]
    assert steps.tied == [3]
    assert (steps.places, steps.own) == ([6], [-2.0])
    level = tables.read_levels(logits, 3, [1.0], [0.5, 0.99], [4, 0])[0]
    assert level["kept"] == [6]


def test_prose_can_name_tokens_and_draw_them(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """A word-sized graphic shows a step's first candidates, the one that was written marked."""
    kind = kinds["decoding"]
    data = ask("decoding", tiny("llama")).data
    parts = kind.parts(data)["token"]
    assert str(data["targets"][0]) in parts
    spark = kind.spark(data, "token", parts[str(data["targets"][0])])
    assert spark.values[0] == 1
    assert spark.mark == 0
    assert len(spark.values) == 8
    assert spark.label.startswith("candidates for ")


@pytest.mark.weights
def test_a_hundred_tokens_fit(smollm2: Any, ask: Ask) -> None:
    """At most 2 KB of JSON a token, also where it is drawn with a top-k beyond the candidates, which costs most."""
    spec = RunSpec("smollm2", "The lamps", generate=12, do_sample=True, temperature=1.2, top_k=50, top_p=0.97)
    data = ask("decoding", smollm2, spec).data
    size = len(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode())
    assert size < 2000 * len(data["targets"])


def test_one_token_has_no_steps(tiny: Load, ask: Ask) -> None:
    """Nothing was chosen; the author is told."""
    with pytest.raises(BuildError, match=r"^missing output: the prompt is one token"):
        ask("decoding", tiny("llama"), RunSpec("", "a", generate=0))


@pytest.mark.weights
def test_smollm2s_forks_are_transformers_own(smollm2: Any, ask: Ask) -> None:
    """On the real model: each fork of a step is what `generate` gives alone, without cache; all checks hold."""
    spec = RunSpec("smollm2", "The capital of France is Paris. The capital of Italy is", generate=4)
    answer, run = ask("decoding", smollm2, spec, forks=2, fork_length=4), smollm2.run(spec)
    assert all(check.holds for check in answer.checks.values())
    order = run.logits.topk(3).indices.tolist()
    for t, step in enumerate(answer.data["forks"]):
        for fork in step:
            prefix = torch.cat([run.ids[: run.targets[t]], torch.tensor([order[t][fork["candidate"]]])])
            config = decoding(smollm2.end_tokens, do_sample=False, max_new_tokens=4, use_cache=False)
            ones = torch.ones_like(prefix[None])
            made = smollm2.network.generate(prefix[None], attention_mask=ones, generation_config=config)[0]
            text = b"".join(smollm2.pieces[v] for v in made[run.targets[t] :].tolist()).decode()
            assert "".join(answer.data["vocabulary"][v] for v in fork["text"]) == text
