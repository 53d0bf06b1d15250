"""Non-negative matrix factorisation by coordinate descent goes down at every step, by torch and by numpy."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from builder.model import nmf as module
from builder.model.nmf import Known


def test_every_step_lowers_the_error() -> None:
    """Coordinate descent is monotone, and W and H stay non-negative."""
    x = torch.rand(9, 80, generator=torch.Generator().manual_seed(0))
    w = module.nndsvda(Known(x), 4)[None]
    h = module._reply(x, w)
    energy = float((x * x).sum())
    errors = []
    for _ in range(30):
        module._descend(x, w, h, energy, -1.0, 1)
        errors.append(float(((x - w[0] @ h[0]) ** 2).sum()))
        assert min(float(w.min()), float(h.min())) >= 0
    assert all(b <= a * (1 + 1e-5) for a, b in pairwise(errors))


def test_starts_at_once_are_starts_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """By torch as by numpy; a factor that no token has keeps its neurons."""
    draw = torch.Generator().manual_seed(0)
    x, w, h = (torch.rand(*shape, generator=draw) for shape in ((9, 80), (3, 9, 4), (3, 4, 80)))
    w[1, :, 2] = 0
    found = []
    for wide in (0, 1_000):
        monkeypatch.setattr(module, "WIDE", wide)
        together, alone = h.clone(), [start[None].clone() for start in h]
        module._improve(together, module._times(w, x), w.mT @ w, 3)
        for one, start in zip(w, alone, strict=True):
            module._improve(start, one.T[None] @ x, (one.T @ one)[None], 3)
        torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)
        assert together[1, 2].equal(h[1, 2])
        found.append(together)
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)
