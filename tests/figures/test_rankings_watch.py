"""Watched rankings: places by sorting, log-odds by the model's probabilities, and strings that are not one token."""

from __future__ import annotations

from itertools import pairwise
from math import log
from typing import Any

import pytest
import torch
from networks import Load
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import Result, RunSpec
from builder.kind import Kind

from . import Ask
from .conftest import TEXT

KIND = "rankings_watch"
INDUCTION = RunSpec(model="", prompt="A B C A", generate=0)


@pytest.mark.parametrize("name", CAUSAL)
def test_ranks_are_places_in_a_sort(name: str, tiny: Load, ask: Ask) -> None:
    """Of the lens at the last token of the prompt, for each watched token and layer."""
    model = tiny(name)
    run = model.run(TEXT)
    data = ask(KIND, model, watch=("a", "b", "1")).data
    ids = [model.encode("a")[0][0], model.encode("b")[0][0], model.encode("1")[0][0]]
    assert data["targets"] == [run.n_input]
    with torch.no_grad():
        lens = model.unembed(run.block_outputs[:, run.n_input - 1]).float()
    for layer, logits in enumerate(lens):
        order = logits.sort(descending=True).values
        p = logits.double().softmax(-1)
        for w, token in enumerate(ids):
            assert data["ranks"][layer][w] == int((order == logits[token]).nonzero()[0]) + 1
            assert data["probabilities"][layer][w] == pytest.approx(float(p[token]), rel=1e-3)
            assert data["log_odds"][layer][w] == pytest.approx(log(p[token] / p[ids[0]]), abs=1e-3)


def test_the_last_row_is_what_the_network_says(tiny: Load, ask: Ask) -> None:
    """Its own forward on the prompt alone, whatever was generated after it."""
    model = tiny("gemma3")
    run = model.run(TEXT)
    data = ask(KIND, model, watch=("a", "b")).data
    with torch.no_grad():
        p = model.network(input_ids=run.ids[None, : run.n_input]).logits[0, -1].double().softmax(-1)
    wanted = [float(p[model.encode(text)[0][0]]) for text in ("a", "b")]
    assert data["probabilities"][-1] == pytest.approx(wanted, rel=1e-3)


def test_the_induction_head_decides_between_two_words(tiny: Load, ask: Ask) -> None:
    """In the hand-written GPT-2 A is ahead after layer 0; B, which followed the first A, from layer 1 on."""
    data = ask(KIND, tiny("hand_written"), INDUCTION, watch=("A", "B"), embeddings=True).data
    assert data["layers"] == ["embeddings", "0", "1"]
    assert data["ranks"] == [[1, 2], [1, 2], [2, 1]]
    assert [odds[0] for odds in data["log_odds"]] == [0, 0, 0]
    assert data["log_odds"][1][1] < 0 < data["log_odds"][2][1]
    assert data["ahead"] == [[1, 0, 2]]
    assert data["vocabulary"][data["top"][-1][0]].strip() == "B"


def test_positions_are_those_of_what_is_predicted(tiny: Load, ask: Ask) -> None:
    """−1 is the place after the prompt, −2 that of its last token; others count from the first token."""
    model = tiny("llama")
    run = model.run(TEXT)
    where = {-1: run.n_input, -2: run.n_input - 1, 3: 3, len(run.ids): len(run.ids)}
    for position, place in where.items():
        assert ask(KIND, model, watch=("a",), position=position).data["targets"] == [place]
    for position in (0, len(run.ids) + 1, -run.n_input - 1):
        with pytest.raises(BuildError, match=f"^unknown position: {position} "):
            ask(KIND, model, watch=("a",), position=position)


def test_all_wrong_strings_are_told_at_once(tiny: Load, ask: Ask) -> None:
    """Which tokens a string is, and the nearest that is one; what is watched twice."""
    with pytest.raises(BuildError) as caught:
        ask(KIND, tiny("llama"), watch=("a", "xyz", "a", "東"))
    messages = [problem.message for problem in caught.value.problems]
    assert messages[0] == "invalid watch: 'xyz' is 3 tokens of model llama: 'x', 'y' and 'z' (did you mean 'x'?)"
    assert messages[1] == "duplicate watch: 'a' is the same token as 'a'"
    assert len(messages) in {2, 3}  # the third may be a token of the tiny vocabulary


def test_a_string_that_the_tokenizer_does_not_know_is_named(tiny: Load, ask: Ask) -> None:
    """What stands for anything unknown is not watched in its place."""
    with pytest.raises(BuildError, match=r"^unknown watch: 'Z' is no token of model hand_written"):
        ask(KIND, tiny("hand_written"), INDUCTION, watch=("A", "Z"))


def test_ecco_leaves_out_the_norm(tiny: Load, ask: Ask) -> None:
    """But for the last layer; and the figure says so."""
    model = tiny("llama")
    run = model.run(TEXT)
    answer = ask(KIND, model, watch=("a", "b"), reproduce="ecco")
    data = answer.data
    assert answer.checks["states against transformers' hidden states"].value <= 1e-6
    assert "Ecco" in data["warning"]
    assert data["ranks"][-1] == ask(KIND, model, watch=("a", "b")).data["ranks"][-1]
    with torch.no_grad():
        raw = model.head_logits(run.block_outputs[0, run.n_input - 1])
    ids = [model.encode(text)[0][0] for text in ("a", "b")]
    assert data["log_odds"][0][1] == pytest.approx(float(raw[ids[1]] - raw[ids[0]]), abs=1e-3)


def test_ecco_needs_a_head_that_reads_what_blocks_write(tiny: Load, ask: Ask) -> None:
    """OPT's projects in between; without it there is no such reading."""
    with pytest.raises(BuildError, match=r"^unsupported reproduce: ecco: the head of model opt reads 16 numbers"):
        ask(KIND, tiny("opt"), watch=("a", "b"), reproduce="ecco")


def test_who_is_ahead_is_told_from_where_it_lasts(tiny: Load, ask: Ask) -> None:
    """Each pair once; before that row the order was another, or there is no row before."""
    data = ask(KIND, tiny("llama"), watch=("a", "b", "1", "2")).data
    assert len(data["ahead"]) == 6
    for a, b, row in data["ahead"]:
        assert all(odds[a] > odds[b] for odds in data["log_odds"][row:])
        assert row == 0 or data["log_odds"][row - 1][a] <= data["log_odds"][row - 1][b]


def test_panels_share_the_ends_of_their_scales(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """The largest rank, probability and log-odds, whatever their sign."""
    data = ask(KIND, tiny("hand_written"), INDUCTION, watch=("B", "A")).data
    extent = kinds[KIND].extent(data)
    assert extent["rank"] == 2
    assert extent["probability"] == max(max(row) for row in data["probabilities"])
    assert extent["odds"] == max(abs(odds[1]) for odds in data["log_odds"]) > 0


def test_prose_may_name_the_watched_tokens(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """With the space before them or without, in the colours of their lines; and with a graphic of the ranks."""
    data = dict(ask(KIND, tiny("llama"), watch=("a", "b")).data, vocabulary=[" is", " are"])
    named = kinds[KIND].parts(data)["token"]
    assert (named[" are"], named["are"]) == (named["are"], named[" are"])
    assert (named["is"].value, named["is"].colour, named["are"].value, named["are"].colour) == (0, 1, 1, 2)
    spark = kinds[KIND].spark(data, "token", named["are"])
    ranks = [row[1] for row in data["ranks"]]
    assert all((a < b) == (x > y) for (a, b), (x, y) in zip(pairwise(ranks), pairwise(spark.values), strict=True))
    assert all(0 <= value <= 1 for value in spark.values)


def test_the_description_says_who_is_ahead(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """In the end, and since when."""
    data = ask(KIND, tiny("hand_written"), INDUCTION, watch=("A", "B")).data
    text = kinds[KIND].analysis.describe(data)
    assert text.startswith("After the last of 2 layers: “A” rank 2 (")
    assert text.endswith("“B” is ahead of “A” from layer 1 on.")


def test_the_example_has_the_shape_of_an_answer(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """`example.json` has the keys that the analysis writes today."""
    example = Result.from_json("0" * 64, (kinds[KIND].folder / "example.json").read_text(encoding="utf-8"))
    answer = ask(KIND, tiny("llama"), watch=("a", "b"))
    assert set(example.data) == set(answer.data)
    assert set(example.checks) == set(answer.checks)
    assert all(check.holds for check in example.checks.values())


@pytest.mark.weights
def test_smollm2_agrees_with_its_subject(smollm2: Any, ask: Ask) -> None:
    """The keys are, the key is; by its own hidden states, each rank that of a sort."""
    for prompt, winner in (("The keys to the cabinet", 1), ("The key to the cabinets", 0)):
        spec = RunSpec(model="smollm2", prompt=prompt, generate=0)
        answer = ask(KIND, smollm2, spec, watch=(" is", " are"))
        assert all(check.holds for check in answer.checks.values())
        assert answer.data["ranks"][-1][winner] == 1
        assert answer.data["ahead"][0][0] == winner
        run, network = smollm2.run(spec), smollm2.network
        with torch.no_grad():
            states = network(run.ids[None], output_hidden_states=True).hidden_states[1:]
            for layer, state in enumerate(states):
                normed = state if layer == len(states) - 1 else network.model.norm(state)
                logits = network.lm_head(normed)[0, -1]
                order = logits.sort(descending=True).values
                places = [int((order == logits[token]).nonzero()[0]) + 1 for token in (314, 359)]
                assert answer.data["ranks"][layer] == places
    with pytest.raises(BuildError) as caught:
        ask(KIND, smollm2, spec, watch=(" cabinetss", "cabinets"))
    assert [problem.message for problem in caught.value.problems] == [
        "invalid watch: ' cabinetss' is 2 tokens of model smollm2: ' cabinet' and 'ss' (did you mean ' cabinet'?)",
        (
            "invalid watch: 'cabinets' is 4 tokens of model smollm2: 'c', 'ab', 'in' and 'ets' "
            "(did you mean ' cabinets' or 'c'?)"
        ),
    ]
