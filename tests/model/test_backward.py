"""The way back block by block gives the gradients of the whole network, whatever is known of its parts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from networks import Load
from networks.tiny import CONFIGS
from torch import Tensor, nn

from builder.model import backward
from builder.model.backward import attention, layers, pieces, plan
from builder.model.backward.attention import attends_plainly
from builder.model.backward.mask import read_mask
from builder.model.backward.parts import Activation, Linear, Norm
from builder.model.backward.scratch import Scratch
from builder.model.backward.turn import paired, read_turn
from builder.model.interface import AttentionCall, eager

ARCHITECTURES = pytest.mark.parametrize("name", CONFIGS)
WHOLE = {"opt", "falcon", "mixtral", "mamba", "gpt_oss"}
"""Those that have matrices in no known part: flattened texts, sums in place, experts, scans."""


def random(*shape: int, seed: int = 0) -> Tensor:
    """Return normal numbers, the same each time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def error(model: Any, x: Tensor, positions: list[int]) -> float:
    """Return how far `pull` is from autograd through the whole network, one target at a time, as a share."""
    leaf = x.clone().requires_grad_()
    final = model.forward_embeddings(leaf)
    cotangents = random(len(positions), len(x), final.shape[-1], seed=1)
    back = model.backward(x)
    assert torch.allclose(back.final, final, rtol=1e-4, atol=1e-5 * float(final.detach().abs().max()))
    worst = 0.0
    for position, cotangent, mine in zip(positions, cotangents, back.pull(cotangents, positions), strict=True):
        behind = torch.zeros_like(final)
        behind[:, position - 1] = cotangent
        (theirs,) = torch.autograd.grad(final, leaf, behind, retain_graph=True)
        worst = max(worst, float((mine - theirs[:, : positions[-1]]).abs().max() / theirs.abs().max()))
    return worst


@ARCHITECTURES
@pytest.mark.parametrize(("texts", "positions"), [(1, [4, 5, 9, 14, 15, 19]), (2, [5, 7, 12]), (3, [9, 19]), (1, [1])])
def test_gradients_are_those_of_the_whole_network(name: str, texts: int, positions: list[int], tiny: Load) -> None:
    """Many targets of one text, many texts, one token alone."""
    model = tiny(name)
    ids = torch.randint(0, 300, (texts, 20), generator=torch.Generator().manual_seed(0))
    assert error(model, model.embed(ids), positions) < 1e-5


@ARCHITECTURES
def test_small_pieces_change_nothing(name: str, tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target at a time, attention in blocks of two queries, and nothing kept from the way forward."""
    model = tiny(name)
    for module, bound, value in (
        (pieces, "ROWS", 1),
        (pieces, "ROWS_OF_A_GRAPH", 1),
        (attention, "QUERIES", 2),
        (layers, "KEPT", 0),
    ):
        monkeypatch.setattr(module, bound, value)
    assert error(model, model.embed(torch.arange(2, 42).view(2, 20)), [6, 7, 18]) < 1e-5


@ARCHITECTURES
def test_what_is_known_of_blocks(name: str, tiny: Load) -> None:
    """A block runs on copies only where all of its matrices are in known parts; most architectures are so."""
    known = tiny(name).known_parts
    if name == "lfm2":  # whose convolutions are no matrix products
        assert known.whole == (False, True, False, True)
    else:
        assert known.whole == (name not in WHOLE,) * 3
    capped = {"gemma2", "gptj", "bloom"}  # a cap on scores; attention of their own
    assert bool(known.attentions) == (name not in WHOLE | capped)


PRE_NORM = {"gpt2", "llama", "granite", "gpt_bigcode", "mistral", "olmo"}
"""Those whose blocks are sums of attention and MLP, one after the other, each behind one norm."""


@ARCHITECTURES
def test_the_usual_block_is_known_by_what_its_modules_do(name: str, tiny: Load) -> None:
    """With and without gates, rotary embeddings and one projection for three; nothing that differs in anything."""
    roles = tiny(name).known_parts.roles
    assert [role is not None for role in roles] == [name in PRE_NORM] * len(roles)
    if name == "gpt2":
        assert [len(role.projections) for role in roles if role] == [1, 1, 1]
        assert not any(role.turns for role in roles if role)
    if name == "llama":
        assert [len(role.inward) for role in roles if role] == [2, 2, 2]
        assert all(role.turns for role in roles if role)


@pytest.mark.parametrize("name", sorted(PRE_NORM))
def test_written_out_or_by_graph_it_is_the_same(name: str, tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two ways back through the usual block agree, of several targets of several texts."""
    model = tiny(name)
    x = model.embed(torch.arange(2, 62).view(3, 20))
    cotangents = random(2, 3, x.shape[-1])
    written = model.backward(x, 2).pull(cotangents, [11, 17])
    monkeypatch.setattr(model, "known_parts", model.known_parts._replace(roles=(None,) * model.n_layers))
    by_graph = model.backward(x, 2).pull(cotangents, [11, 17])
    assert torch.allclose(written, by_graph, rtol=1e-4, atol=1e-5 * float(by_graph.abs().max()))


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-5])
@pytest.mark.parametrize("name", sorted(PRE_NORM))
def test_the_written_out_way_forward_gives_the_network_s_states(name: str, size: float, tiny: Load) -> None:
    """Of short vectors too, of which what norms add under their roots is not little: a path from 0 begins there."""
    model = tiny(name)
    x = size * model.embed(torch.arange(2, 42).view(2, 20))
    theirs = model.forward_embeddings(x).detach()
    assert torch.allclose(model.backward(x).final, theirs, rtol=1e-4, atol=1e-5 * float(theirs.abs().max()))


def test_masks_of_each_head_and_none() -> None:
    """Heads that see different keys attend as they do alone, and without a mask all keys are seen."""
    query, key, value = random(1, 2, 5, 2, 4), random(1, 2, 5, 4, seed=1), random(1, 2, 5, 4, seed=2)
    mask = random(1, 4, 5, 5, seed=3)
    for given in (mask, mask[:, :1], None):
        found = attention.Attended().attend(query, key, value, read_mask(given, 2, 2, 5), 0.5)
        for head in range(4):
            shared, own = divmod(head, 2)
            scores = 0.5 * query[0, shared, :, own] @ key[0, shared].T
            if given is not None:
                scores = scores + given[0, head if given.shape[1] > 1 else 0]
            assert torch.allclose(found[0, :, head], scores.softmax(-1) @ value[0, shared], atol=1e-6)


def test_what_only_looks_usual_is_not_taken_for_it(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles are tried on the whole: a sum that none of them tells of shows in the gradients."""
    model = tiny("llama")
    block = model.structure.blocks[1]
    whole = type(block).forward
    monkeypatch.setattr(block, "forward", lambda *args, **kwargs: 1.5 * whole(block, *args, **kwargs))
    ids = torch.tensor([[3, 5, 7, 11, 2, 9], [8, 1, 4, 4, 2, 6]])
    x = model.embed(ids)
    assert any(plan.find_plan(model, x).roles)
    assert not any(backward.make_plan(model, x).roles)


@ARCHITECTURES
def test_texts_at_once_fit_what_is_kept(name: str, tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are known in all blocks, more where products would be small, and one at least."""
    model = tiny(name)
    assert (model.known_parts.kept > 0) == any(model.known_parts.whole)
    assert backward.texts_at_once(model, 10**7, 1) == 1
    assert backward.texts_at_once(model, 10, 1) >= backward.FEWEST // 10
    monkeypatch.setattr(layers, "KEPT", 1)
    assert backward.texts_at_once(model, 10, 4) == backward.FEWEST // 40


@pytest.mark.parametrize("name", ["llama", "gemma3", "gpt2", "olmo", "qwen3"])
def test_norms_activations_and_projections_are_found(name: str, tiny: Load) -> None:
    """With and without means, gains and biases; of heads too."""
    kinds = {type(make()) for parts in tiny(name).known_parts.parts for make in parts.values()}
    assert kinds == {Linear, Activation, Norm}


class Scaled(nn.Module):
    """A vector of factors, which is no norm."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(1, 2, 8))

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return x * self.weight


class Mixed(nn.Module):
    """Something without weights that looks at its neighbours."""

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return x.softmax(-1)


class Norm2(nn.LayerNorm):
    """A norm of which something is left."""

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return super().forward(x) + 0.1 * x


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        (nn.Linear(8, 5), Linear),
        (nn.SiLU(), Activation),
        (nn.GELU(approximate="tanh"), Activation),
        (nn.LayerNorm(8), Norm),
        (nn.LayerNorm(8, elementwise_affine=False), Norm),
        (nn.RMSNorm(8, eps=1e-6), Norm),
        (nn.Dropout(), None),
        (nn.Identity(), None),
        (Scaled(), None),
        (Mixed(), None),
        (Norm2(8), None),
    ],
)
def test_a_part_is_found_by_what_it_does(module: nn.Module, kind: type | None) -> None:
    """Its name tells nothing; what it makes of numbers, and of cotangents, does."""
    given = random(2, 6, 8)
    with torch.no_grad():
        made = plan._kind(module.eval().requires_grad_(False), given, module(given))
    assert (made and type(made())) == kind


@pytest.mark.parametrize("epsilon", [1e-3, 1e-6, 1e-12])
@pytest.mark.parametrize("kind", [nn.LayerNorm, nn.RMSNorm])
def test_what_a_norm_adds_under_its_root_is_found(kind: type[nn.LayerNorm | nn.RMSNorm], epsilon: float) -> None:
    """It shows in vectors so short that their own length is nothing beside it."""
    module = kind(8, eps=epsilon).requires_grad_(False)
    given = random(2, 6, 8)
    part = plan._kind(module, given, module(given))
    assert part is not None
    rows = 0.1 * epsilon**0.5 * given.flatten(0, 1)
    found = torch.empty_like(rows)
    part().forth(rows, torch.empty_like(rows), found)  # type: ignore[attr-defined]
    assert torch.allclose(found, module(rows), rtol=1e-4, atol=1e-6)


@pytest.mark.weights
def test_smollm2_is_known_wholly(smollm2: Any) -> None:
    """All matrices and all attentions of the real model; gradients as exact as float32 is."""
    assert all(smollm2.known_parts.whole)
    assert len(smollm2.known_parts.attentions) == smollm2.n_layers
    assert all(smollm2.known_parts.roles)
    assert error(smollm2, smollm2.embed(torch.arange(1000, 1040)[None]), [20, 21, 40]) < 2e-5
    # several blocks of queries, of which the last is cut where a target ends before the text
    assert error(smollm2, smollm2.embed(torch.arange(1000, 1150)[None]), [65, 101, 150]) < 2e-5


def test_a_turn_is_the_rotation_of_halves_and_its_way_back() -> None:
    """As transformers writes it: x · cos + (−x₂, x₁) · sin; back on paired numbers."""
    angles = torch.linspace(0, 3, 5 * 4).view(1, 5, 4)
    cos, sin = (torch.cat([part, part], -1) for part in (angles.cos(), angles.sin()))
    turn = read_turn({"position_embeddings": (cos, sin)})
    assert turn is not None
    x = random(2, 5, 3, 8).requires_grad_()
    a, b = x.chunk(2, -1)
    turned = x * cos[:, :, None] + torch.cat([-b, a], -1) * sin[:, :, None]
    assert torch.allclose(turn.forth(x), turned, atol=1e-6)
    cotangent = random(2, 5, 3, 8, seed=1)
    (wanted,) = torch.autograd.grad(turned, x, cotangent)
    found = torch.empty(2, 5, 3, 1, 8)
    turn.scaled(2.0).back(paired(cotangent)[:, :, :, None], found, slice(0, 5))
    assert torch.allclose(found[:, :, :, 0], 2 * paired(wanted), atol=1e-6)


@pytest.mark.parametrize(
    "told", [None, (torch.ones(1, 5, 8), torch.zeros(5, 8)), (torch.arange(40.0).view(1, 5, 8),) * 2]
)
def test_what_is_no_turn_in_halves_is_none(told: Any) -> None:
    """Nothing told, another shape, halves that differ."""
    assert read_turn({"position_embeddings": told}) is None


def test_memory_of_a_name_is_taken_again() -> None:
    """It grows where more is asked for, and two names never share it."""
    scratch, like = Scratch(), torch.zeros(1)
    first, other = scratch.take("a", like, 4, 3), scratch.take("b", like, 12)
    assert first.data_ptr() != other.data_ptr()
    again = scratch.take("a", like, 2, 5)
    assert again.data_ptr() == first.data_ptr()
    assert again.shape == (2, 5)
    assert scratch.take("a", like, 50).shape == (50,)
    assert scratch.take("a", like.double(), 50).dtype == torch.float64
    scratch.clear()
    assert scratch.take("b", like, 12).shape == (12,)


def test_values_of_another_width_than_keys_are_no_plain_attention(tiny: Load) -> None:
    """Forth it would be the same; the way back is written out for one width."""
    module = tiny("llama").network.model.layers[0].self_attn
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(1, heads, 6, 12, generator=generator) for heads in (4, 2))
    hidden = torch.full((6, 6), -1e9).triu(1)[None, None]
    for width, plain in ((12, True), (8, False)):
        value = torch.randn(1, 2, 6, width, generator=generator)
        call = AttentionCall(module, query, key, value, hidden, {"scaling": 0.3})
        assert attends_plainly(call, eager(type(module))) is plain
