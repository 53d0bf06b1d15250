"""What saliency publishes beside its shares: values with a sign, Ecco's target, parts, word-sized graphics, scales."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest
import torch
from networks import Load

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.kind import Kind

from . import Ask, Part, apart
from .conftest import TEXT

METHODS = ("gradient_x_input", "integrated_gradients", "occlusion", "value_zeroing")


@pytest.mark.parametrize("method", METHODS)
def test_a_contrast_turned_round_turns_the_signs(method: str, tiny: Load, ask: Ask) -> None:
    """What speaks for this token against that one speaks against that one's being this."""
    model = tiny("llama")
    a, b = (
        ask(
            "saliency", model, RunSpec(model="", prompt=TEXT.prompt, output=own), method=method, steps=4, contrast=other
        )
        for own, other in ("ab", "ba")
    )
    assert a.data["values"][0] == pytest.approx([-value for value in b.data["values"][0]], rel=1e-3, abs=1e-4)


def test_values_of_gradient_x_input_are_the_sums_of_its_products(tiny: Load, ask: Ask) -> None:
    """Σ_d x_d ∂f/∂x_d, as Captum's InputXGradient would add up; the shares keep the length of the product."""
    model = tiny("gpt2")
    run = model.run(TEXT)
    data = ask("saliency", model).data
    for position, row in zip(run.targets, data["values"], strict=True):
        x = model.embed(run.ids[None, :position]).detach().requires_grad_()
        logit = model.network(inputs_embeds=x, use_cache=False).logits[0, -1, run.ids[position]]
        (grads,) = torch.autograd.grad(logit, x)
        assert row == pytest.approx((grads * x)[0].sum(-1).tolist(), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("method", METHODS[1:])
def test_shares_are_the_sizes_of_values(method: str, tiny: Load, ask: Ask) -> None:
    """Over their sum; the gradient norm has no values at all."""
    data = ask("saliency", tiny("llama"), method=method, steps=4).data
    sizes = [[abs(value) / sum(map(abs, row)) for value in row] for row in data["values"]]
    assert apart(data["scores"], sizes) < 1e-4
    assert "values" not in ask("saliency", tiny("llama"), method="gradient").data


@pytest.mark.parametrize("method", ["gradient_x_input", "gradient"])
def test_eccos_target_is_the_probability(method: str, tiny: Load, ask: Ask) -> None:
    """Its gradient is p times that of log p: the same shares, values p times as large; the figure says so."""
    ecco = ask("saliency", tiny("llama"), method=method, reproduce="ecco").data
    logprob = ask("saliency", tiny("llama"), method=method, target="logprob").data
    assert ecco["target"] == "probability"
    assert ecco["warning"].startswith("As Ecco does it")
    assert apart(ecco["scores"], logprob["scores"]) < 1e-4
    for p, ours, theirs in zip(ecco["probabilities"], ecco.get("values", []), logprob.get("values", []), strict=False):
        assert ours == pytest.approx([p * value for value in theirs], rel=2e-3, abs=1e-7)


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"reproduce": "ecco", "contrast": " a"}, ("reproduce", "ecco explains one token and knows no contrast")),
        ({"reproduce": "ecco", "method": "occlusion"}, ("reproduce", "ecco has no occlusion")),
    ],
)
def test_what_ecco_cannot_be_is_an_error(params: dict[str, str], why: tuple[str, str], kinds: dict[str, Kind]) -> None:
    """It has neither contrasts nor ways that take tokens away."""
    found = list(kinds["saliency"].analysis.Params(**params).validate())
    assert [(field, text[: len(why[1])]) for field, text in found] == [why]


def test_a_contrast_of_several_tokens_is_told_with_the_nearest_one(tiny: Load, ask: Ask) -> None:
    """Which tokens it is, and what could have been meant: the same word after a space, or its first token."""
    several = r"^invalid contrast: 'xq' is 2 tokens .* and not one: 'x' and 'q' \(did you mean 'x'\?\)"
    with pytest.raises(BuildError, match=several):
        ask("saliency", tiny("llama"), contrast="xq")
    with pytest.raises(BuildError, match=r"^invalid contrast: 'of ' is .*\(did you mean 'of'\?\)"):
        ask("saliency", tiny("llama"), contrast="of ")


def test_a_model_that_gives_no_numbers_is_broken(tiny: Load, part: Part, kinds: dict[str, Kind]) -> None:
    """NaN in logits or scores is told as such, and not as a check that failed."""
    model = tiny("llama")
    spec = RunSpec(model="", prompt="1, 1, 1", output=", 1 1")
    run = model.run(spec)
    said = run.said._replace(size=math.nan)
    broken = SimpleNamespace(model=model, targets=run.targets, ids=run.ids, spec=spec, said=said)
    analysis = kinds["saliency"].analysis
    with pytest.raises(BuildError, match=r"^broken model: logits of llama are not all numbers"):
        analysis.analyse(broken, analysis.Params())


def test_prose_may_name_every_token(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """By position, or by its text; each has a word-sized graphic: its row, or what it gives."""
    data = ask("saliency", tiny("hand_written"), RunSpec(model="", prompt="A B C A", output="B D")).data
    kind = kinds["saliency"]
    named = kind.parts(data)["token"]
    assert {name: part.value for name, part in named.items() if not name.isdecimal()} == {
        "<bos>": 0, "A": 1, "C": 3, "B": 5, "D": 6,
    }  # fmt: skip
    assert set(range(7)) == {part.value for name, part in named.items() if name.isdecimal()}
    row = kind.spark(data, "token", named["B"])
    assert row.values == pytest.approx([score / max(data["scores"][0]) for score in data["scores"][0]])
    assert row.label.startswith("What matters to “B”. For “B”: “B” (")
    assert row.values[row.mark] == 1
    column = kind.spark(data, "token", named["2"])
    assert len(column.values) == 2
    assert column.label.startswith("Share of “B” in each of 2 tokens: at most ")


def test_panels_share_the_largest_share_and_value(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """Upper ends of both scales; the gradient norm has but one."""
    data = ask("saliency", tiny("llama"), method="occlusion").data
    sizes = kinds["saliency"].extent(data)
    largest = max(abs(value) for row in data["values"] for value in row)
    assert sizes == {"share": max(map(max, data["scores"])), "value": largest}
    assert set(kinds["saliency"].extent(ask("saliency", tiny("llama"), method="gradient").data)) == {"share"}


def test_a_hundred_tokens_are_small(kinds: dict[str, Kind]) -> None:
    """23 + 77 tokens, each number as long as it gets: at most 200 KB."""
    rows = [[-0.000012345] * position for position in range(23, 100)]
    shares = [[0.000012345] * position for position in range(23, 100)]
    tokens = [{"text": " something", "id": 12345, "type": "output"}] * 100
    assert len(json.dumps({"tokens": tokens, "scores": shares, "values": rows}, separators=(",", ":"))) < 200_000
