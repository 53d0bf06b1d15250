"""Saliency keeps its axioms, equals a naive reference and Captum, and is right where the right answer is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from models import Load
from models.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.kind import Kind

from . import Ask, Part
from .conftest import TEXT

ARCHITECTURES = pytest.mark.parametrize("name", CAUSAL)
EUROPE = RunSpec(model="smollm2", prompt="London is in England. Paris is in", generate=12)


def naive(model: Any, spec: RunSpec, f: Any, score: Any) -> list[list[float]]:
    """Return rows of shares the obvious way: for each target a forward pass of its prefix, and one backward pass.

    `f(logits, token)` is what is differentiated, `score(gradient, embeddings)` makes a number of each position.
    """
    run = model.run(spec)
    rows = []
    for position in run.targets:
        x = model.embed(run.ids[None, :position]).detach().requires_grad_()
        logits = model.network(inputs_embeds=x, use_cache=False).logits[0, -1].double()
        (gradient,) = torch.autograd.grad(f(logits, int(run.ids[position])), x)
        row = score(gradient[0], x[0]).detach()
        rows.append((row / row.sum()).tolist())
    return rows


def norm(gradient: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Score of the gradient norm."""
    return gradient.norm(dim=-1)


def product(gradient: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Score of gradient × input."""
    return (gradient * x).norm(dim=-1)


def logit(logits: torch.Tensor, token: int) -> torch.Tensor:
    """The default target."""
    return logits[token]


def apart(ours: list[list[float]], theirs: list[list[float]]) -> float:
    """Return the largest difference between two ragged tables of shares."""
    return max(abs(a - b) for row, other in zip(ours, theirs, strict=True) for a, b in zip(row, other, strict=True))


@ARCHITECTURES
@pytest.mark.parametrize(("method", "score"), [("gradient_x_input", product), ("gradient", norm)])
def test_batched_gradients_equal_one_backward_pass_a_token(
    name: str, method: str, score: Any, tiny: Load, ask: Ask
) -> None:
    """One forward pass for many targets, trimmed and batched, is exact; published are five digits."""
    model = tiny(name)
    assert apart(ask("saliency", model, method=method).data["scores"], naive(model, TEXT, logit, score)) < 2e-5


@ARCHITECTURES
def test_log_probability_and_probability_give_the_same_shares(name: str, tiny: Load, ask: Ask) -> None:
    """∇ log p is ∇p / p: a factor, which shares do not see. The logit is another question with another answer."""
    model = tiny(name)
    shares = ask("saliency", model, target="logprob").data["scores"]
    assert apart(shares, naive(model, TEXT, lambda z, token: z.softmax(-1)[token], product)) < 2e-5
    assert apart(shares, ask("saliency", model).data["scores"]) > 1e-3


@ARCHITECTURES
def test_a_contrast_is_the_difference_of_two_logits(name: str, tiny: Load, ask: Ask) -> None:
    """Why this token and not that one (Yin & Neubig 2022)."""
    model = tiny(name)
    foil = model.encode("a")[0][0]
    ours = ask("saliency", model, contrast="a")
    assert ours.data["contrast"] == "a"
    assert apart(ours.data["scores"], naive(model, TEXT, lambda z, token: z[token] - z[foil], product)) < 2e-5
    assert ask("saliency", model, contrast="a", target="logprob").data["scores"] == ours.data["scores"]


@ARCHITECTURES
def test_a_contrast_turned_round_changes_the_sign(name: str, tiny: Load, part: Part) -> None:
    """f(A, B) = −f(B, A), and so are the gradients."""
    gradients, objective = part("saliency", "gradients"), part("saliency", "objective").Objective
    model = tiny(name)
    run = model.run(TEXT)
    network = gradients.Network(model.forward_embeddings, model.head_logits)
    x = model.embed(run.ids).detach()[None]
    there, z = gradients.gradients(network, objective(foil=9), x, [7], torch.tensor([5]))
    back, _ = gradients.gradients(network, objective(foil=5), x, [7], torch.tensor([9]))
    assert torch.allclose(there, -back, rtol=1e-4, atol=1e-5 * float(there.abs().max()))
    values = [objective(foil=b).value(z[:, 0], torch.tensor([a])) for a, b in ((5, 9), (9, 5))]
    assert values[0] == -values[1]


def test_a_token_contrasted_with_itself_has_a_row_of_zeros(tiny: Load, ask: Ask) -> None:
    """Whatever the input, f is 0: nothing mattered, and nothing is divided by nothing."""
    spec = RunSpec(model="", prompt="xay", output="ab")
    answer = ask("saliency", tiny("llama"), spec, contrast="a")
    tokens, targets = answer.data["tokens"], answer.data["targets"]
    assert [tokens[t]["text"] for t in targets] == ["a", "b"]
    assert set(answer.data["scores"][0]) == {0.0}
    assert sum(answer.data["scores"][1]) == pytest.approx(1, abs=1e-4)
    assert all(check.holds for check in answer.checks.values())


@pytest.mark.parametrize("contrast", ["</script>", "\U0001f469‍\U0001f680 ?"])
def test_a_contrast_of_several_tokens_is_refused_with_its_parts(contrast: str, tiny: Load, ask: Ask) -> None:
    """The author sees how the model cuts it."""
    with pytest.raises(BuildError, match=r"^invalid contrast: .* is \d+ tokens of model llama and not one: "):
        ask("saliency", tiny("llama"), contrast=contrast)


def test_the_answer_of_an_induction_head_rests_on_what_it_copied(tiny: Load, ask: Ask) -> None:
    """In the hand-written GPT-2 `A B C A` leads to `B`, and the shares are 0, 1/8, 1/2, 1/8, 1/4, found by hand.

    Attention is hard, so only values carry a gradient. A norm over n ones of 32 entries passes 1 − 1/n of a one, and
    −1/n to the others: the B gives 4 · 2/3 of what the final norm passes, the A before it (kept beside it as its
    previous token) 4 · 1/3 · 1/2; the last norm passes 0.150 of the B, and −0.200 to the second A and, times 1/2, to
    the C that it keeps. 0.401 : 0.100 : 0.100 : 0.200. The BOS, which nobody looked at, gives nothing.
    """
    data = ask("saliency", tiny("hand_written"), RunSpec(model="", prompt="A B C A", output="B")).data
    assert [entry["text"].strip() for entry in data["tokens"]] == ["<bos>", "A", "B", "C", "A", "B"]
    assert data["scores"][0] == pytest.approx([0, 1 / 8, 1 / 2, 1 / 8, 1 / 4], abs=1e-4)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80, unique=True), st.integers(1, 400))
def test_chunks_cut_targets_into_runs_in_order(part: Part, positions: list[int], rows: int) -> None:
    """Every target is in exactly one chunk, and a chunk is within its bounds unless one target alone is not."""
    module = part("saliency", "gradients")
    positions = sorted(positions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", rows)
        parts = [positions[which] for which in module.chunks(positions)]
    assert [position for run in parts for position in run] == positions
    assert all(len(run) == 1 or len(run) * run[-1] <= rows for run in parts)
    assert all(len(run) <= module.TARGETS for run in parts)


def test_the_size_of_chunks_changes_nothing(tiny: Load, ask: Ask, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target alone, or among others with a longer prefix, has the same gradient: later positions have none."""
    whole = ask("saliency", tiny("llama")).data["scores"]
    for rows, targets in ((1, 1), (10_000, 3)):
        monkeypatch.setattr(part("saliency", "gradients"), "ROWS", rows)
        monkeypatch.setattr(part("saliency", "gradients"), "TARGETS", targets)
        assert apart(ask("saliency", tiny("llama")).data["scores"], whole) < 2e-5


def test_a_kernel_that_torch_cannot_batch_is_run_token_by_token(tiny: Load, part: Part) -> None:
    """A model may bring operations of its own (mamba's scan); the numbers are the same."""

    class Own(torch.autograd.Function):
        """Twice its input, with a backward pass that looks at numbers, which vmap forbids."""

        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            return 2 * grad if float(grad.sum()) == float(grad.sum()) else grad

    module, objective = part("saliency", "gradients"), part("saliency", "objective").Objective()
    model = tiny("llama")
    x = model.embed(model.run(TEXT).ids).detach()[None]
    ids = torch.tensor([3, 4, 5])
    found = [
        module.gradients(module.Network(forward, model.head_logits), objective, x, [5, 6, 7], ids)[0]
        for forward in (
            lambda x: Own.apply(model.forward_embeddings(x)),
            lambda x: 2 * model.forward_embeddings(x),
        )
    ]
    assert torch.allclose(*found, rtol=1e-5, atol=1e-6)


def test_a_model_that_sees_later_tokens_fails_the_check(part: Part) -> None:
    """All targets share a forward pass only because later positions do not matter; where they do, it is noticed."""
    module, reference = part("saliency", "gradients"), part("saliency", "reference")
    head = torch.nn.Linear(4, 9).requires_grad_(False)
    network = module.Network(lambda x: x + x.mean(1, keepdim=True), head)
    objective = part("saliency", "objective").Objective()
    grads, _ = module.gradients(network, objective, torch.randn(1, 6, 4), [3, 5], torch.tensor([1, 2]))
    assert reference.leak(grads[:, 0], [3, 5]) > 0.05


def test_a_probability_near_one_keeps_its_digits(part: Part) -> None:
    """One-hot − p in float32 has no digit left where p is 1 − 1e-9; the sum of the others has all of them."""
    objective = part("saliency", "objective").Objective("logprob")
    logits = torch.randn(1, 1000, generator=torch.Generator().manual_seed(0))
    logits[0, 7] = 30
    ids = torch.tensor([7])
    exact = logits.double().requires_grad_()
    (truth,) = torch.autograd.grad(exact.log_softmax(-1)[0, 7], exact)
    rest = torch.cat([exact[0, :7], exact[0, 8:]])
    truth[0, 7] = (rest.logsumexp(0) - exact.logsumexp(-1)).exp().item()
    ours = objective.derivative(logits, ids)
    assert torch.allclose(ours.double(), truth, rtol=1e-5, atol=0)
    assert float(1 - logits.softmax(-1)[0, 7]) == 0


# Integrated gradients


def test_integrated_gradients_of_a_polynomial_are_exact(part: Part) -> None:
    """Of f = Σ_i w·x_i³ from 0, token i gives w·x_i³; two points of Gauss–Legendre integrate a square exactly."""
    module = part("saliency", "gradients")
    x = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    head = torch.nn.Linear(4, 9, bias=False, dtype=torch.float64).requires_grad_(False)
    network = module.Network(lambda x: (x**3).cumsum(1), head)
    values = part("saliency", "integrated_gradients").integrated_gradients(
        network,
        part("saliency", "objective").Objective(),
        x,
        torch.zeros_like(x),
        [3, 5],
        torch.tensor([2, 6]),
        steps=2,
    )
    for row, position, token in zip(values, (3, 5), (2, 6), strict=True):
        assert torch.allclose(row[:position], (x[:position] ** 3) @ head.weight[token])
        assert (row[position:] == 0).all()


@pytest.mark.parametrize("name", sorted({*CAUSAL} - {"mixtral"}))  # whose router jumps from expert to expert
def test_integrated_gradients_are_complete_where_the_model_is_smooth(name: str, tiny: Load, part: Part) -> None:
    """The values add up to f(x) − f(x′). Not from 0, where a norm jumps, but between two inputs that mean something."""
    model = tiny(name)
    run = model.run(TEXT)
    module = part("saliency", "attribution")
    network = part("saliency", "gradients").Network(model.forward_embeddings, model.head_logits)
    x = model.embed(run.ids).detach()
    ids = run.ids[run.targets[0] :]
    objective = part("saliency", "objective").Objective()
    found = module.attribute(network, objective, x, run.targets, ids, baseline=0.7 * x + 0.3 * x.roll(1, 0), steps=50)
    for row, there, here in zip(found.values, found.f, found.f_baseline, strict=True):
        assert float(row.sum()) == pytest.approx(there - here, abs=2e-3 * max(map(abs, found.f)))


def test_integrated_gradients_report_their_gap_and_warn_of_a_wide_one(tiny: Load, ask: Ask) -> None:
    """`completeness` is the gap of what is published, and a reader is told where it is wide."""
    for steps in (1, 40):
        data = ask("saliency", tiny("gpt2"), method="integrated_gradients", steps=steps).data
        gaps = [
            abs(sum(values) - (there - here))
            for values, there, here in zip(data["values"], data["f"], data["f_baseline"], strict=True)
        ]
        assert data["completeness"] == pytest.approx(gaps, rel=0.05, abs=2e-3)
        shares = [[abs(value) / sum(map(abs, row)) for value in row] for row in data["values"]]
        assert apart(data["scores"], shares) < 1e-4
    rough = ask("saliency", tiny("gpt2"), method="integrated_gradients", steps=1).data
    assert "1 step from the zero baseline" in rough["warning"]


def test_a_baseline_token_that_the_tokenizer_lacks_is_an_error(tiny: Load, ask: Ask) -> None:
    """With a baseline that is always there."""
    spec = RunSpec(model="", prompt="A B C A", output="B")
    with pytest.raises(BuildError, match=r"^missing pad token: .*hand_written.*; try baseline mean"):
        ask("saliency", tiny("hand_written"), spec, method="integrated_gradients", baseline="pad")


@pytest.mark.parametrize("baseline", ["zero", "mean", "pad", "eos"])
def test_baselines_are_what_their_names_say(baseline: str, tiny: Load, part: Part) -> None:
    """As the embedding module gives them: Gemma 3 scales its embeddings inside it."""
    model = tiny("gemma3")
    x = model.embed(torch.tensor([3, 4, 5])).detach()
    everything = model.embed(torch.arange(model.vocab_size))
    wanted = {"zero": 0 * x[0], "mean": everything.mean(0), "pad": everything[0], "eos": everything[0]}[baseline]
    assert torch.allclose(part("saliency", "baseline").baseline(model, baseline, x), wanted.expand_as(x), atol=1e-6)


# An independent implementation


def captum_rows(model: Any, spec: RunSpec, method: str, steps: int) -> list[list[float]]:
    """Return shares by Captum, a target at a time, from the model's own logits."""
    from captum.attr import InputXGradient, IntegratedGradients, Saliency

    run = model.run(spec)
    forward = lambda x: model.network(inputs_embeds=x, use_cache=False).logits[:, -1]  # noqa: E731
    rows = []
    for position in run.targets:
        x = model.embed(run.ids[None, :position]).detach()
        token = int(run.ids[position])
        if method == "integrated_gradients":
            found = IntegratedGradients(forward).attribute(x, target=token, n_steps=steps, internal_batch_size=5)
            row = found[0].sum(-1).abs()
        elif method == "gradient":
            row = Saliency(forward).attribute(x, target=token, abs=False)[0].norm(dim=-1)
        else:
            row = InputXGradient(forward).attribute(x, target=token)[0].norm(dim=-1)
        rows.append((row / row.sum()).tolist())
    return rows


@pytest.mark.parametrize("method", ["gradient_x_input", "gradient", "integrated_gradients"])
@pytest.mark.parametrize("name", ["gpt2", "llama", "qwen3", "gemma3", "gpt_neox", "mixtral"])
def test_captum_agrees(name: str, method: str, tiny: Load, ask: Ask) -> None:
    """Captum knows nothing of chunks, closed forms and batched products."""
    model = tiny(name)
    ours = ask("saliency", model, method=method, steps=8).data["scores"]
    assert apart(ours, captum_rows(model, TEXT, method, steps=8)) < 1e-5


@pytest.mark.weights
@pytest.mark.parametrize("method", ["gradient_x_input", "gradient", "integrated_gradients"])
def test_captum_agrees_on_smollm2(method: str, smollm2: Any, ask: Ask) -> None:
    """On the real model: largest difference of a share 1e-5."""
    spec = EUROPE if method != "integrated_gradients" else RunSpec(model="", prompt=EUROPE.prompt, output=" France.")
    answer = ask("saliency", smollm2, spec, method=method, steps=8)
    assert apart(answer.data["scores"], captum_rows(smollm2, spec, method, steps=8)) < 1e-5
    assert all(check.holds for check in answer.checks.values())


@pytest.mark.weights
@pytest.mark.parametrize("target", ["logit", "logprob"])
def test_smollm2_agrees_with_the_same_in_float64(target: str, smollm2: Any, ask: Ask) -> None:
    """Errors of float32 stay below 1e-5 of a share, also where a token is certain and 1 − p has few digits left."""
    from copy import deepcopy

    ours = ask("saliency", smollm2, EUROPE, target=target).data["scores"]
    run = smollm2.run(EUROPE)
    exact = deepcopy(smollm2.network).double()
    rows = []
    for position in run.targets:
        x = exact.model.embed_tokens(run.ids[None, :position]).detach().requires_grad_()
        logits = exact(inputs_embeds=x, use_cache=False).logits[0, -1]
        f = logits if target == "logit" else logits.log_softmax(-1)
        row = product(torch.autograd.grad(f[run.ids[position]], x)[0][0], x[0]).detach()
        rows.append((row / row.sum()).tolist())
    assert apart(ours, rows) < 1e-5


def test_the_description_names_what_mattered(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """An alt text says what is to be seen, for the first and the last output token."""
    describe = kinds["saliency"].analysis.describe
    data = ask("saliency", tiny("hand_written"), RunSpec(model="", prompt="A B C A", output="B"), contrast="C").data
    assert describe(data).startswith(
        "Which tokens matter to 1 output token, by gradient × input of the logit minus that of “C”. For “B”: “B” ("
    )
