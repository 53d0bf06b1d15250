"""The model view publishes every head: its picture, its numbers, and the weights they are made of."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from networks import Load

from builder.errors import BuildError
from builder.figure import Answer, Result, RunSpec
from builder.kind import Kind
from builder.model import Model
from builder.model.heads import distance, entropy, first_token, induction, previous_token
from builder.quantised import unpack_weights

from . import Ask, Part
from .conftest import TEXT

KIND = "model_view"
INDUCTION = RunSpec(model="hand_written", prompt="A B C D A B C D", generate=0)


def layer_weights(answer: Answer, part: str, layer: int) -> np.ndarray:
    """Return a layer's weights as a reader's browser gets them: from the data, or from its piece."""
    shown = answer.data["shown"]
    if (part, layer) == (shown["part"], shown["layer"]):
        return unpack_weights(answer.data["weights"])
    return unpack_weights(answer.pieces[f"{part}-{layer}"]["weights"])


def pooled(weights: np.ndarray, dots: list[int]) -> np.ndarray:
    """Return the largest weight under each dot, one by one."""
    n_heads, rows, columns = weights.shape
    out = np.zeros((n_heads, -(-rows // dots[0]), -(-columns // dots[1])))
    for h, q, k in np.ndindex(weights.shape):
        at = (h, q // dots[0], k // dots[1])
        out[at] = max(out[at], weights[h, q, k])
    return out


@pytest.mark.parametrize("name", ["llama", "gemma3", "bert", "t5"])
def test_pictures_hold_the_largest_weights(name: str, tiny: Load, ask: Ask, part: Part, monkeypatch: Any) -> None:
    """Of each part, layer and head; exact where the text is short, of two or more tokens a dot where it is not."""
    spec = RunSpec(model=name, prompt="1, 1, 1, 1,\nThe Union", output="2, 2" if name == "t5" else None, generate=0)
    for side in (32, 5):
        monkeypatch.setattr(part(KIND, "thumbnails"), "SIDE", side)
        answer = ask(KIND, tiny(name), spec)
        assert all(check.holds for check in answer.checks.values())
        for key, published in answer.data["parts"].items():
            dots = published["dots"]
            thumbs = unpack_weights(published["thumbs"])
            assert max(thumbs.shape[1:]) <= side
            assert side < 32 or dots == [1, 1]
            naive = [pooled(layer_weights(answer, key, layer), dots) for layer in published["layers"]]
            assert np.abs(thumbs - np.concatenate(naive)).max() < 1e-9


def test_numbers_are_those_of_the_weights(tiny: Load, ask: Ask) -> None:
    """Each row is a layer, each number a head, in four digits."""
    model = tiny("llama")
    run = model.run(TEXT)
    stats = ask(KIND, model).data["parts"]["self"]["stats"]
    for layer in range(3):
        weights = run.attention.weights("self", layer)
        wanted = {
            "entropy": entropy(weights),
            "distance": distance(weights),
            "first": first_token(weights),
            "previous": previous_token(weights),
            "induction": induction(weights, run.ids),
        }
        for name, numbers in wanted.items():
            assert numbers is not None
            assert stats[name][layer] == pytest.approx(numbers.tolist(), rel=1e-3)


def test_the_heads_written_by_hand_are_found(tiny: Load, ask: Ask, kinds: dict[str, Kind]) -> None:
    """The induction head is drawn large at first, and the previous-token head has everything on the previous token."""
    answer = ask(KIND, tiny("hand_written"), INDUCTION)
    data = answer.data
    stats = data["parts"]["self"]["stats"]
    assert data["shown"] == {"part": "self", "layer": 1, "head": 0}
    assert stats["induction"][1][0] == 1.0
    assert stats["previous"][0][0] == 1.0
    assert max(n for table in ("induction", "previous") for row in stats[table] for n in row[1:]) < 0.6
    words = kinds[KIND].analysis.describe(data)
    assert "layer 1 head 0 looks most like an induction head, with a score of 1.00" in words
    assert "100% of the attention of layer 0 head 0 is on the previous token" in words


def test_two_texts_have_only_what_they_have_in_common(tiny: Load, ask: Ask) -> None:
    """Across an encoder and a decoder a distance means nothing, nor a previous token."""
    spec = RunSpec(model="t5", prompt="1, 1, 1, 1,\nThe Union", output="2, 2", generate=0)
    answer = ask(KIND, tiny("t5"), spec)
    parts = answer.data["parts"]
    assert {name: set(part["stats"]) for name, part in parts.items()} == {
        "encoder": {"entropy", "distance", "first", "previous", "induction"},
        "decoder": {"entropy", "distance", "first", "previous", "induction"},
        "cross": {"entropy", "first"},
    }
    assert answer.data["shown"]["part"] == "cross"
    with pytest.raises(BuildError, match=r"^invalid measure: distance cannot be told of this text and part"):
        ask(KIND, tiny("t5"), spec, measure="distance")


def test_nothing_is_told_that_the_text_does_not_have(tiny: Load, ask: Ask) -> None:
    """No induction without repetition; of a single token only its entropy."""
    new = ask(KIND, tiny("hand_written"), RunSpec(model="hand_written", prompt="A B C D", generate=0)).data
    assert set(new["parts"]["self"]["stats"]) == {"entropy", "distance", "first", "previous"}
    single = ask(KIND, tiny("llama"), RunSpec(model="tiny", prompt="a", generate=0))
    assert set(single.data["parts"]["self"]["stats"]) == {"entropy"}
    assert all(check.holds for check in single.checks.values())
    with pytest.raises(BuildError, match=r"^invalid measure: induction .*: no token comes again$"):
        ask(KIND, tiny("hand_written"), RunSpec(model="hand_written", prompt="A B", generate=0), measure="induction")


def test_an_author_may_leave_layers_and_heads_out(tiny: Load, ask: Ask) -> None:
    """In the order that is named; pieces are those of the layers that are shown, with all their heads."""
    whole = ask(KIND, tiny("gemma3"))
    answer = ask(KIND, tiny("gemma3"), layers=("2", "0"), heads=("3", "0-1"), layer=2, head=-1)
    part, all_of_it = answer.data["parts"]["self"], whole.data["parts"]["self"]
    assert (part["layers"], part["heads"]) == ([2, 0], [3, 0, 1])
    assert part["windows"] == [all_of_it["windows"][layer] for layer in (2, 0)]
    assert answer.data["shown"] == {"part": "self", "layer": 2, "head": 3}
    assert set(answer.pieces) == {"self-0"}
    entropies = np.array(all_of_it["stats"]["entropy"])
    assert part["stats"]["entropy"] == entropies[[2, 0]][:, [3, 0, 1]].tolist()
    thumbs = unpack_weights(all_of_it["thumbs"]).reshape(3, 4, *all_of_it["thumbs"]["shape"][1:])
    assert (unpack_weights(part["thumbs"]).reshape(2, 3, *thumbs.shape[2:]) == thumbs[[2, 0]][:, [3, 0, 1]]).all()


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"layers": ("3",)}, "unknown layers: 3 (model llama has layers 0 to 2; did you mean 2?)"),
        ({"heads": ("0", "2-9")}, "unknown heads: 2-9 (model llama has heads 0 to 3; did you mean 2-3?)"),
        ({"layers": ("0-1",), "layer": 2}, "invalid layer: 2 is not among the layers that are shown"),
        ({"heads": ("0-1",), "head": 2}, "invalid head: 2 is not among the heads that are shown"),
        ({"layer": 9}, "invalid layer: 9 is not between 0 and 2 (did you mean 2?)"),
        ({"head": 99}, "invalid head: 99 is not between 0 and 3 (did you mean 3?)"),
        ({"part": "slef"}, "unknown part: slef: model llama has self (did you mean self?)"),
    ],
)
def test_what_is_not_there_is_named(params: dict[str, Any], why: str, tiny: Load, ask: Ask) -> None:
    """With what there is, and the nearest of it."""
    with pytest.raises(BuildError) as told:
        ask(KIND, tiny("llama"), **params)
    assert str(told.value) == why


def test_prose_can_name_heads_and_layers(tiny: Load, ask: Ask, kinds: dict[str, Kind]) -> None:
    """Heads by layer and number, or by number alone in the layer that is shown first."""
    parts = kinds[KIND].parts(ask(KIND, tiny("llama"), layers=("1-2",), layer=2, head=1).data)
    assert {name: part.value for name, part in parts["layer"].items()} == {"1": 1, "2": 2}
    assert parts["head"]["1.3"].value == "1.3"
    assert parts["head"]["3"].value == "2.3"
    assert "0.1" not in parts["head"]


def test_panels_of_a_gallery_share_the_ends_of_bars(tiny: Load, ask: Ask, kinds: dict[str, Kind]) -> None:
    """Of entropy and distance; shares end at 1 anyway."""
    data = ask(KIND, tiny("llama")).data
    stats = data["parts"]["self"]["stats"]
    assert kinds[KIND].extent(data) == {name: np.max(stats[name]) for name in ("entropy", "distance")}


def test_a_large_model_stays_small(part: Part) -> None:
    """48 layers of 25 heads: dots stand for more tokens, and never for less than one."""
    dots = part(KIND, "thumbnails").tokens_a_dot
    assert dots(14, 270, causal=True) == 1
    assert dots(100, 270, causal=True) == 4
    side = -(-100 // dots(100, 1200, causal=True))
    assert 1200 * side * (side + 1) / 2 <= 160_000
    assert dots(100, 1_000_000, causal=False) == 100


@pytest.mark.weights
def test_the_real_model_fits_its_budget(smollm2: Model, ask: Ask) -> None:
    """30 × 9 heads at 100 tokens: 200 KB at once, 1.4 MB in all; measured, 110 KB and 0.6 MB."""
    sentence = "The lamps along the quay were already lit when the old captain came back to the harbour. "
    ids = smollm2.tokenizer(sentence * 6)["input_ids"][:100]
    answer = ask(KIND, smollm2, RunSpec(model="smollm2", prompt=smollm2.tokenizer.decode(ids), generate=0))
    assert len(answer.data["tokens"]) == 100
    text = Result("0" * 64, KIND, answer.data, answer.checks, {}).to_json()
    pieces = sum(len(json.dumps(piece)) for piece in answer.pieces.values())
    assert len(text.encode()) < 200_000
    assert len(text.encode()) + pieces < 1_400_000
    assert all(check.holds for check in answer.checks.values())
    stats = answer.data["parts"]["self"]["stats"]
    assert torch.tensor(stats["induction"]).max() > 0.5  # a repeated sentence has its induction heads
