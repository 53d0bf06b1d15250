"""Saliency keeps its axioms, equals a naive reference, and is right where the right answer is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import Load
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.kind import Kind

from . import Ask, Part, apart
from .conftest import TEXT

ARCHITECTURES = pytest.mark.parametrize("name", CAUSAL)


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
    there, z = gradients.gradients_and_logits(network, objective(foil=9), x, [7], torch.tensor([5]))
    back = gradients.gradients(network, objective(foil=5), x, [7], torch.tensor([9]))
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


@settings(deadline=None)  # the first example imports torch
@given(st.lists(st.integers(1, 60), min_size=1, max_size=80, unique=True), st.integers(1, 400))
def test_chunks_cut_targets_into_runs_in_order(part: Part, positions: list[int], rows: int) -> None:
    """Every target is in exactly one chunk, and a chunk is within its bounds unless one target alone is not."""
    module = part("saliency", "gradients")
    whole = module.Network(None, None)
    positions = sorted(positions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", rows)
        parts = [positions[which] for which in module.chunks(whole, positions, torch.zeros(1, 1))]
    assert [position for run in parts for position in run] == positions
    assert all(len(run) == 1 or len(run) * run[-1] <= rows for run in parts)
    assert all(len(run) <= module.TARGETS for run in parts)


@pytest.mark.parametrize("name", ["llama", "gpt2", "mixtral", "falcon", "bloom"])
@pytest.mark.parametrize("method", ["gradient_x_input", "integrated_gradients"])
def test_a_model_that_is_no_chain_has_the_same_answer(
    name: str, method: str, tiny: Load, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Block by block, with what is known of their parts, or the whole network as one graph: it is one function."""
    model = tiny(name)
    assert model.chained
    by_blocks = ask("saliency", model, method=method, steps=6)
    monkeypatch.setitem(model.__dict__, "chained", False)
    at_once = ask("saliency", model, method=method, steps=6)
    assert apart(by_blocks.data["scores"], at_once.data["scores"]) < 2e-5
    assert all(check.holds for answer in (by_blocks, at_once) for check in answer.checks.values())


@pytest.mark.parametrize("chained", [True, False])
def test_the_size_of_chunks_changes_nothing(
    chained: bool, tiny: Load, ask: Ask, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target alone, or among others with a longer prefix, has the same gradient: later positions have none."""
    from builder.model.backward import pieces

    model = tiny("llama")
    monkeypatch.setitem(model.__dict__, "chained", chained)
    whole = ask("saliency", model).data["scores"]
    for rows, targets, held in ((1, 1, 1), (10_000, 3, 1 << 30)):
        monkeypatch.setattr(part("saliency", "gradients"), "ROWS", rows)
        monkeypatch.setattr(part("saliency", "gradients"), "TARGETS", targets)
        monkeypatch.setattr(part("saliency", "gradients"), "HELD", held)
        monkeypatch.setattr(pieces, "ROWS", rows)
        assert apart(ask("saliency", model).data["scores"], whole) < 2e-5


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
        module.gradients(module.Network(forward, model.head_logits), objective, x, [5, 6, 7], ids)
        for forward in (
            lambda x: Own.apply(model.forward_embeddings(x)),
            lambda x: 2 * model.forward_embeddings(x),
        )
    ]
    assert torch.allclose(*found, rtol=1e-5, atol=1e-5 * float(found[0].abs().max()))


def test_a_model_that_sees_later_tokens_fails_the_check(part: Part) -> None:
    """All targets share a forward pass only because later positions do not matter; where they do, it is noticed."""
    module, reference = part("saliency", "gradients"), part("saliency", "reference")
    head = torch.nn.Linear(4, 9).requires_grad_(False)
    network = module.Network(lambda x: x + x.mean(1, keepdim=True), head)
    objective = part("saliency", "objective").Objective()
    grads = module.gradients(network, objective, torch.randn(1, 6, 4), [3, 5], torch.tensor([1, 2]))
    assert reference.leak(grads[:, 0], [3, 5]) > 0.05


@ARCHITECTURES
def test_the_plain_gradient_is_the_same_with_one_graph_at_a_time(
    name: str, tiny: Load, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a long text's check does, and the logits of the last positions alone."""
    model, reference = tiny(name), part("saliency", "reference")
    ids = model.run(TEXT).ids[:9]
    x, token = model.embed(ids).detach(), ids[2]
    objective = part("saliency", "objective").Objective("logprob")
    whole = reference.plain_gradient(model, objective, x, token)
    monkeypatch.setattr(reference, "LONG", 0)
    assert torch.allclose(reference.plain_gradient(model, objective, x, token), whole, rtol=1e-5, atol=1e-7)
    leaf = x.clone().requires_grad_()
    f = model.network(inputs_embeds=leaf[None], use_cache=False).logits[0, -1].double().log_softmax(-1)[token]
    (known,) = torch.autograd.grad(f, leaf)
    assert torch.allclose(whole, known, rtol=1e-3, atol=1e-5 * float(known.abs().max()))


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


def test_the_description_names_what_mattered(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """An alt text says what is to be seen, for the first and the last output token."""
    describe = kinds["saliency"].analysis.describe
    data = ask("saliency", tiny("hand_written"), RunSpec(model="", prompt="A B C A", output="B"), contrast="C").data
    assert describe(data).startswith(
        "Which tokens matter to 1 output token, by gradient × input of the logit minus that of “C”. For “B”: “B” ("
    )
