"""Logit attribution: shares known by hand, plain linear algebra, and models that add to their stream in other ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from networks import Copy, Load, tiny
from networks.hand_written import D_MODEL, STRENGTH
from networks.runs import load
from networks.tiny import END

from builder.errors import BuildError
from builder.figure import Answer, RunSpec
from builder.kind import Kind
from builder.model import Model, Run
from builder.site import ModelSource
from builder.sources import fetch

from . import Ask

INDUCTION = RunSpec("", "A B C A", generate=0)
TEXT = RunSpec("", "1, 1, 1, 1,\nThe Union", generate=3)
RIGHT = ("gpt2", "llama", "qwen3", "gemma2", "gemma3", "gpt_neox", "granite", "cohere", "opt", "phi", "mixtral", "olmo")


def shares(data: Any) -> list[float]:
    """Return all that is added up."""
    rows = [v for row in data["heads"] for v in row]
    return [*data["embeddings"].values(), *rows, *data["biases"], *data["mlps"], data["constant"]]


def failed(answer: Answer) -> dict[str, Any]:
    """Return the checks that do not hold."""
    return {name: check for name, check in answer.checks.items() if not check.holds}


def test_the_induction_head_has_its_strength(tiny: Load, ask: Ask) -> None:
    """It alone writes `B`, STRENGTH of it; the stream is that and three ones, and the norm divides by its deviation."""
    parts = [1.0, 1.0, 1.0, STRENGTH]  # the token, its position, the previous token, and what induction adds
    mean = sum(parts) / D_MODEL
    deviation = (sum(x * x for x in parts) / D_MODEL - mean**2 + 1e-5) ** 0.5
    data = ask("logit_attribution", tiny("hand_written"), INDUCTION, answer="B", foil="C").data
    assert data["heads"][1][0] == pytest.approx(STRENGTH / deviation, rel=1e-4)
    assert data["total"] == data["heads"][1][0]
    assert sum(map(abs, shares(data))) == data["total"]  # all others are nothing
    alone = ask("logit_attribution", tiny("hand_written"), INDUCTION).data  # `B` is the first choice
    assert alone["answer"]["text"] == "B"
    assert alone["heads"][1][0] == pytest.approx(STRENGTH * (1 - 1 / D_MODEL) / deviation, rel=1e-4)
    assert alone["heads"][0][0] == pytest.approx(-1 / D_MODEL / deviation, abs=1e-4)  # a mean is taken away


@pytest.mark.parametrize("name", RIGHT)
def test_shares_add_up_in_every_architecture(name: str, tiny: Load, ask: Ask) -> None:
    """Post-norms, parallel blocks, scaled and capped logits, projections after the norm: the sum is the model's own."""
    model = tiny(name)
    answer = ask("logit_attribution", model, TEXT, foil="a")
    assert not failed(answer)
    data = answer.data
    run = model.run(TEXT)
    with torch.no_grad():
        logits = model.network(run.ids[None]).logits[0, data["position"] - 1].double()
    own, foil = logits[data["answer"]["id"]], logits[data["foil"]["id"]]
    if data["capped"]:
        cap = model.network.config.final_logit_softcapping
        own, foil = (cap * torch.atanh(z / cap) for z in (own, foil))
    assert data["capped"] == (name in {"gemma2", "gemma3"})
    assert sum(shares(data)) == pytest.approx(float(own - foil), abs=1e-3)


def test_shares_are_plain_linear_algebra(tiny: Load, ask: Ask) -> None:
    """Of a GPT-2: z W_O by slices, the MLP's output, through (v − mean) · gain / σ and two rows of the head."""
    model = tiny("gpt2")
    data = ask("logit_attribution", model, TEXT, foil="a").data
    body, run = model.network.transformer, model.run(TEXT)
    at = data["position"] - 1
    seen: dict[str, torch.Tensor] = {}
    handles = [
        body.h[1].attn.c_proj.register_forward_pre_hook(lambda _, args: seen.__setitem__("z", args[0][0, at])),
        body.h[1].mlp.register_forward_hook(lambda _, __, out: seen.__setitem__("mlp", out[0, at])),
        body.ln_f.register_forward_pre_hook(lambda _, args: seen.__setitem__("last", args[0][0, at])),
    ]
    with torch.no_grad():
        model.network(run.ids[None])
    for handle in handles:
        handle.remove()
    last = seen["last"].double()
    deviation = ((last - last.mean()).square().mean() + body.ln_f.eps) ** 0.5
    rows = model.network.lm_head.weight.double()
    towards = rows[data["answer"]["id"]] - rows[data["foil"]["id"]]

    def share(v: torch.Tensor) -> float:
        v = v.double()
        return float(((v - v.mean()) * body.ln_f.weight.double() / deviation) @ towards)

    weight = body.h[1].attn.c_proj.weight.detach()
    heads = [share(seen["z"][8 * h : 8 * h + 8] @ weight[8 * h : 8 * h + 8]) for h in range(4)]
    assert data["heads"][1] == pytest.approx(heads, abs=2e-4)
    assert data["mlps"][1] == pytest.approx(share(seen["mlp"]), abs=2e-4)
    assert data["biases"][1] == pytest.approx(share(body.h[1].attn.c_proj.bias.detach()), abs=2e-4)
    place = body.wpe.weight[at].detach()
    assert data["embeddings"]["position"] == pytest.approx(share(place), abs=2e-4)
    assert data["constant"] == pytest.approx(float(body.ln_f.bias.double() @ towards), abs=2e-4)


def test_a_residual_multiplier_is_found(tmp_path: Path, kinds: dict[str, Kind]) -> None:
    """Granite adds 0.22 of what its attention and MLP hand on, and scales its embeddings."""

    def change(network: Any) -> None:
        network.config.residual_multiplier, network.config.embedding_multiplier = 0.22, 3.0

    tiny.save_checkpoint("granite", tmp_path / "granite", change)
    model = Model.load(fetch(ModelSource("granite", str(tmp_path / "granite")), Path("/")))
    assert model.network.model.layers[0].residual_multiplier == 0.22
    analysis = kinds["logit_attribution"].analysis
    answer = analysis.analyse(model.run(TEXT), analysis.Params(foil="a"))
    assert not failed(answer)
    assert list(answer.data["embeddings"]) == ["embeddings"]  # scaled: no vector of the token's own
    again = Run(model, TEXT, torch.tensor([5, 9, 9, 8]), n_input=3)  # nor of its place, where a token comes twice
    assert list(analysis.analyse(again, analysis.Params()).data["embeddings"]) == ["embeddings"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("bert_decoder", "what layer 0 of bert_decoder .* adds to the residual stream is no sum of"),
        ("falcon", "no projection of the heads of layer 0 can be found"),
    ],
)
def test_what_is_no_sum_is_refused(name: str, why: str, tiny: Load, ask: Ask) -> None:
    """A norm on the stream itself after each block, and heads that cannot be told apart: said, not guessed."""
    with pytest.raises(BuildError, match=rf"^unsupported model: .*{why}"):
        ask("logit_attribution", tiny(name), TEXT)


def test_a_check_that_fails_would_tell(tiny: Load, part: Any, monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    """Heads in the wrong order still add up to the attention; that they are not weights times values is seen."""
    from builder.model import decomposition

    plain = decomposition._each
    monkeypatch.setattr(decomposition, "_each", lambda projection, given: plain(projection, given).flip(0))
    assert set(failed(ask("logit_attribution", tiny("llama"), TEXT))) == {
        "heads against attention weights times values"
    }


def test_the_position_and_the_answer_can_be_chosen(tiny: Load, ask: Ask) -> None:
    """By default the first output token and what stands there; after the text, the model's first choice."""
    model = tiny("llama")
    run = model.run(TEXT)
    data = ask("logit_attribution", model, TEXT).data
    assert (data["position"], data["answer"]["id"]) == (run.n_input, int(run.ids[run.n_input]))
    after = ask("logit_attribution", model, TEXT, position=len(run.ids)).data
    assert after["answer"]["rank"] == 1
    assert ask("logit_attribution", model, TEXT, position=2, answer="a").data["answer"]["text"] == "a"


def test_all_that_is_wrong_is_said_at_once(tiny: Load, ask: Ask) -> None:
    """Texts that are several tokens with what they are, a position that is none, and a foil that is the answer."""
    model = tiny("llama")
    with pytest.raises(BuildError) as caught:
        ask("logit_attribution", model, TEXT, answer="xq", foil="qx", position=99)
    said = [problem.message for problem in caught.value.problems]
    assert said[0].startswith("invalid position: 99 is not between 1 and ")
    assert said[1] == "invalid answer: 'xq' is 2 tokens of model llama and not one: 'x' and 'q' (did you mean 'x'?)"
    assert said[2].startswith("invalid foil: 'qx' is 2 tokens")
    with pytest.raises(BuildError, match=r"^invalid foil: 'a' is the answer itself"):
        ask("logit_attribution", model, TEXT, answer="a", foil="a")


def test_what_a_tokenizer_says_for_unknown_words_is_no_answer(
    copy: Copy, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One without bytes makes one token of whatever it does not know: not the one that is asked about."""
    model = load(copy("llama"))
    model.tokenizer.unk_token = END
    monkeypatch.setattr(model, "encode_output", lambda *_: [model.tokenizer.unk_token_id])
    with pytest.raises(BuildError, match=r"^invalid answer: '京' is no token of model tiny"):
        ask("logit_attribution", model, TEXT, answer="京")
    assert ask("logit_attribution", model, TEXT, answer=END).data["answer"]["text"] == END


def test_parts_sparks_and_words(tiny: Load, ask: Ask, kinds: dict[str, Kind]) -> None:
    """Prose may name heads, layers and MLPs; a layer's heads are bars around the middle."""
    kind = kinds["logit_attribution"]
    data = ask("logit_attribution", tiny("hand_written"), INDUCTION, foil="C").data
    parts = kind.parts(data)
    assert set(parts) == {"head", "layer", "mlp"}
    assert kind.spark(data, "head", parts["head"]["1.0"]).values == (1.0, 0.5)
    assert kind.extent(data) == {"head": data["total"], "above": round(data["total"], 4), "below": 0}
    assert kind.analysis.describe(data).startswith(
        "The logit of “B” over “C”, +5.41, as a sum over the model’s parts; "
    )


@pytest.mark.weights
def test_smollm2_moves_a_name(smollm2: Any, ask: Ask) -> None:
    """To whom John gave a drink: a head of layer 23 writes the name, more than any other head; all adds up."""
    spec = RunSpec("smollm2", "When Mary and John went to the store, John gave a drink to", generate=0)
    answer = ask("logit_attribution", smollm2, spec, answer=" Mary", foil=" John")
    assert not failed(answer)
    heads = torch.tensor(answer.data["heads"])
    assert divmod(int(heads.argmax()), 9) == (23, 3)
    assert sum(shares(answer.data)) == pytest.approx(answer.data["total"], abs=1e-3)
