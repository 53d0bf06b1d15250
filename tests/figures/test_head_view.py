"""The head view: its lines are the model's attention, by a slow and obvious reading and on heads written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from networks import Load

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.kind import Kind
from builder.quantised import unpack_weights

from . import Ask

TEXT = RunSpec(model="tiny", prompt="<b>東京 \U0001f642</b> 1, 1,", generate=5)
PAIR = RunSpec(model="tiny", prompt="The Union", pair="of Europe", generate=0)


def naive(data: dict[str, Any], weights: np.ndarray) -> dict[tuple[int, int, int], float]:
    """Return every edge of `[heads, queries, keys]` by loops over heads, pieces of text and their tokens."""
    part = data["parts"][data["shown"]["part"]]
    (q0, q1), (k0, k1) = part["queries"], part["keys"]
    pieces: dict[int, list[int]] = {}
    for position, token in enumerate(data["tokens"]):
        if token.get("span", 1):
            start = position
        pieces.setdefault(start, []).append(position)
    edges = {}
    for head, rows in enumerate(weights):
        kept = {}
        for q, row in enumerate(rows.astype(float)):
            if data["exclude_first"]:
                left = row[1:].sum()
                row = np.array([0.0, *(row[1:] / left)]) if left >= 10 / 255 else row * 0
            kept[q0 + q] = row
        for start, tokens in ((s, t) for s, t in pieces.items() if q0 <= s < q1):
            rows_of = [kept[token] for token in tokens if kept[token].any()]
            for end, others in ((s, t) for s, t in pieces.items() if k0 <= s < k1):
                given = [sum(row[other - k0] for other in others) for row in rows_of]
                if given:
                    edges[head, start, end] = sum(given) / len(given)
    return edges


@pytest.mark.parametrize("params", [{}, {"exclude_first": True, "heads": (-1, 1), "layer": -1}], ids=str)
@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma3", "bert", "t5"])
def test_edges_are_the_strongest_weights(name: str, params: dict[str, Any], tiny: Load, ask: Ask) -> None:
    """Of the heads that are shown; characters of several tokens are one; without the first token rows sum to 1."""
    model = tiny(name)
    spec = TEXT if name != "bert" else PAIR
    data = ask("head_view", model, spec, **params).data
    weights = model.run(spec).attention.weights(data["shown"]["part"], data["shown"]["layer"]).numpy()
    shown = range(len(weights)) if data["shown"]["heads"] is None else data["shown"]["heads"]
    known = {edge: weight for edge, weight in naive(data, weights).items() if edge[0] in shown and weight >= 0.02}
    found = {(edge["head"], edge["from"], edge["to"]): edge["weight"] for edge in data["edges"]}
    assert len(found) == min(60, len(known)) == len(data["edges"])
    assert found == pytest.approx({edge: known[edge] for edge in found}, rel=1e-3)
    assert min(found.values()) >= max([w for e, w in known.items() if e not in found], default=0) * (1 - 1e-3)
    assert [edge["weight"] for edge in data["edges"]] == sorted(found.values(), reverse=True)


def test_heads_written_by_hand_are_found(tiny: Load, ask: Ask) -> None:
    """A previous-token head gives 1.0 to the token before, an induction head to the one that followed last time."""
    text = RunSpec(model="tiny", prompt="A B C D A B", generate=0)  # behind a <bos>
    model = tiny("hand_written")
    edges = ask("head_view", model, text, layer=0, heads=(0,)).data["edges"]
    assert {(e["from"], e["to"]) for e in edges if e["weight"] == 1.0} >= {(i, i - 1) for i in range(1, 7)}
    data = ask("head_view", model, text, layer=1, heads=(0,), exclude_first=True).data
    assert data["edges"] == [
        {"from": 5, "to": 2, "head": 0, "weight": 1.0},
        {"from": 6, "to": 3, "head": 0, "weight": 1.0},
    ]


@pytest.mark.parametrize(("direction", "end"), [("from", "from"), ("to", "to")])
def test_a_selected_token_has_its_lines(direction: str, end: str, tiny: Load, ask: Ask) -> None:
    """Those that leave it, or those that arrive; a position may count from the end."""
    data = ask("head_view", tiny("gpt2"), TEXT, token=-3, direction=direction).data
    position = len(data["tokens"]) - 3
    assert data["shown"] | {"token": position, "side": direction} == data["shown"]
    assert data["edges"]
    assert {edge[end] for edge in data["edges"]} == {position}


def test_the_middle_layer_and_all_heads_are_shown_first(tiny: Load, ask: Ask) -> None:
    """Unless others are named; every other layer is a piece, and what is published is what the model computed."""
    model = tiny("llama")
    answer = ask("head_view", model, TEXT)
    assert answer.data["shown"] == {"part": "self", "layer": 1, "heads": None, "token": None, "side": "from"}
    assert set(answer.pieces) == {"self-0", "self-2"}
    weights = model.run(TEXT).attention.weights("self", 1).numpy()
    assert np.abs(unpack_weights(answer.data["weights"]) - weights).max() <= 0.5 / 255 + 1e-6
    assert ask("head_view", model, TEXT, heads=(0, 1, -1, 2)).data["shown"]["heads"] is None
    assert ask("head_view", model, TEXT, heads=(2, 0)).data["shown"]["heads"] == [0, 2]


def test_of_an_encoder_decoder_the_writer_looks_at_the_source(tiny: Load, ask: Ask, kinds: dict[str, Kind]) -> None:
    """Cross attention is shown first: from the decoder's tokens to those of the source; the others are pieces."""
    answer = ask("head_view", tiny("t5"), RunSpec(model="tiny", prompt="The Union is", output="a b"), token=-1)
    part = answer.data["parts"]["cross"]
    assert answer.data["shown"]["part"] == "cross"
    assert part["queries"][0] == part["keys"][1]
    assert answer.data["shown"]["token"] == part["queries"][1] - 1
    assert {name.partition("-")[0] for name in answer.pieces} == {"encoder", "decoder", "cross"}
    assert "from decoder to encoder in layer 1 of 3, all 4 heads" in kinds["head_view"].analysis.describe(answer.data)


def test_a_pair_of_texts_has_segments(tiny: Load, ask: Ask) -> None:
    """They are what a reader filters by."""
    tokens = ask("head_view", tiny("bert"), PAIR).data["tokens"]
    assert [token["segment"] for token in tokens] == sorted(token["segment"] for token in tokens)
    assert {token["segment"] for token in tokens} == {0, 1}


@pytest.mark.parametrize(
    ("name", "params", "why"),
    [
        ("gpt2", {"layer": 3}, r"^invalid layer: 3 is not between 0 and 2 \(did you mean 2\?\)"),
        ("lfm2", {"layer": 2}, r"^invalid layer: 2 .*; those with attention are 1, 3"),
        ("gpt2", {"heads": (0, 4)}, r"^invalid heads: 4 is not between 0 and 3 \(did you mean 3\?\)"),
        ("gpt2", {"part": "cros"}, r"^unknown part: cros: model gpt2 has self"),
        ("t5", {"part": "cros"}, r"^unknown part: cros: .* \(did you mean cross\?\)"),
        ("gpt2", {"token": 900}, r"^invalid token: 900 is no position that attends: those are 0 to \d+"),
        ("t5", {"token": 0}, r"^invalid token: 0 is no position that attends: those are \d+ to \d+ \(did you mean \d+"),
        ("mamba", {}, r"^unsupported model: mamba"),
    ],
)
def test_what_is_not_there_is_named(name: str, params: dict[str, Any], why: str, tiny: Load, ask: Ask) -> None:
    """With what there is, and the nearest of it."""
    with pytest.raises(BuildError, match=why):
        ask("head_view", tiny(name), TEXT, **params)


def test_prose_names_heads_in_their_colours(tiny: Load, ask: Ask, kinds: dict[str, Kind]) -> None:
    """`5.1` is head 1 of layer 5 and has the colour of number 2; those of other parts begin with the part's name."""
    parts = kinds["head_view"].parts(
        ask("head_view", tiny("bart"), RunSpec(model="tiny", prompt="1,", output="2")).data
    )
    assert (parts["head"]["2.1"].value, parts["head"]["2.1"].colour) == ("cross.2.1", 2)
    assert parts["head"]["encoder.1.3"].value == "encoder.1.3"
    assert "encoder.2.3" not in parts["head"]  # the encoder has two layers
    assert parts["layer"]["0"].value == "cross.0"
    assert "2" in parts["token"]
