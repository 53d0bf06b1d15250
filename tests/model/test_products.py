"""Float32 matrices are multiplied by the faster library only where it is as exact as float32 is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import pytest
import torch
from networks import Load

from builder.model import products


@pytest.fixture
def precision(monkeypatch: pytest.MonkeyPatch) -> Iterator[str | None]:
    """What torch's switch is on: its own way, until afterwards; and nobody told this process what to take."""
    monkeypatch.setenv(products.TAKEN, "")
    switch = getattr(torch.backends.mkldnn, "matmul", None)
    before = getattr(switch, "fp32_precision", None)
    if before is not None:
        switch.fp32_precision = "ieee"
    yield switched()
    if before is not None:
        switch.fp32_precision = before


def test_products_are_as_exact_as_float32(tiny: Load) -> None:
    """Whatever this machine chose: against float64, on matrices that it was not chosen by; and results say it."""
    model = tiny("llama")
    a, b = (torch.randn(200, 200, generator=torch.Generator().manual_seed(seed)) for seed in (3, 4))
    exact = a.double() @ b.double()
    assert float((a @ b - exact).abs().max() / exact.abs().max()) < 5e-6
    assert model.provenance()["products"] == model.products._asdict()
    assert model.products.library in ("oneDNN", products.OWN)
    assert 0 < model.products.error < 5e-6


class Pretended(products.Trial):
    """A processor on which the ways to oneDNN have such errors and digits of their own, and take so many seconds."""

    def __init__(
        self,
        own: float = 2,
        other: float = 1,
        *,
        tf32: float = 1e-7,
        bf16: float = 1e-7,
        leads: tuple[str, ...] = ("tf32", "bf16"),
    ) -> None:
        self.errors = {"tf32": tf32, "bf16": bf16}
        self.clock = {way: other if way in leads else own for way in self.errors}
        self.own, self.leads = own, leads

    def multiply(self) -> list[torch.Tensor]:
        """Digits of another library where the switch leads to one."""
        return [torch.ones(1) + 1e-6 * (switched() in self.leads)]

    def error(self, made: Sequence[torch.Tensor]) -> float:
        """That of the way the switch is on."""
        return self.errors.get(switched() or "", 1e-7)

    def seconds(self) -> float:
        """Those of the way the switch is on."""
        return self.clock.get(switched() or "", self.own)


def switched() -> str | None:
    """Return what torch's switch is on."""
    return getattr(getattr(torch.backends.mkldnn, "matmul", None), "fp32_precision", None)


def have(monkeypatch: pytest.MonkeyPatch, capability: str) -> None:
    """Have a processor with such units."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)


def test_a_way_that_loses_digits_is_not_taken(monkeypatch: pytest.MonkeyPatch, precision: str | None) -> None:
    """Processors with units for short formats (AMX) are fast, and off by 1e-3."""
    have(monkeypatch, "AVX512")
    assert products.choose(Pretended(2, 1, tf32=1e-3, bf16=1e-3)) == (products.OWN, 1e-7)
    assert switched() == precision


def test_what_is_faster_and_exact_is_taken(monkeypatch: pytest.MonkeyPatch, precision: str | None) -> None:
    """The switch then stays where it was put: at the first way to oneDNN that is exact."""
    if precision is None:
        pytest.skip("this torch has no switch")
    for tf32, bf16, taken in ((1e-7, 1e-7, "tf32"), (1e-3, 1e-7, "bf16")):
        monkeypatch.setenv(products.TAKEN, "")
        torch.backends.mkldnn.matmul.fp32_precision = "ieee"
        have(monkeypatch, "DEFAULT")
        assert products.choose(Pretended(2, 1, tf32=tf32, bf16=bf16)) == ("oneDNN", 1e-7)
        assert switched() == taken


@pytest.mark.parametrize(("other", "taken"), [("bf16", "bf16"), ("neither", "ieee")])
def test_a_switch_that_leads_to_no_other_library_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, precision: str | None, other: str, taken: str
) -> None:
    """`tf32` does on few processors. Where it changes no digit it is as exact and as fast, and gains nothing."""
    if precision is None:
        pytest.skip("this torch has no switch")
    have(monkeypatch, "AVX512")
    torch.backends.mkldnn.matmul.fp32_precision = "ieee"
    trial = Pretended(100, 100, leads=(other,))
    assert products.choose(trial).library == ("oneDNN" if taken == other else products.OWN)
    assert switched() == taken


def test_what_is_told_is_what_multiplies(tiny: Load) -> None:
    """Digits are others than torch's own where results name another library, and the same where they do not."""
    model = tiny("llama")
    a, b = (torch.randn(300, 700, generator=torch.Generator().manual_seed(seed)) for seed in (5, 6))
    here = a @ b.T
    with products.torchs_own():
        own = a @ b.T
    assert torch.equal(here, own) == (model.products.library == products.OWN)
    assert torch.equal(a @ b.T, here)


@pytest.mark.parametrize(
    ("capability", "own", "other", "library"),
    [
        ("DEFAULT", 100, 100, products.OWN),  # what is no faster is left as it is
        ("AVX512", 100, 100, "oneDNN"),  # an unlucky trial does not choose other digits than the last one did
        ("AVX512", 90, 100, products.OWN),
        ("AVX2", 110, 100, products.OWN),  # and neither does a lucky one
    ],
)
def test_noise_does_not_choose(
    monkeypatch: pytest.MonkeyPatch, precision: str | None, capability: str, own: int, other: int, library: str
) -> None:
    """Where it is known which library is as fast or faster, a trial only has to show that it does no harm."""
    if precision is None:
        pytest.skip("this torch has no switch")
    have(monkeypatch, capability)
    assert products.choose(Pretended(own, other)).library == library


def test_a_process_does_as_the_one_that_started_it(monkeypatch: pytest.MonkeyPatch, precision: str | None) -> None:
    """Whatever it measures itself, unless that way is not exact here: digits are the same then."""
    if precision is None:
        pytest.skip("this torch has no switch")
    have(monkeypatch, "DEFAULT")
    for seconds, taken in ((2, 1), products.OWN), ((1, 2), "tf32"):
        monkeypatch.setenv(products.TAKEN, taken)
        found = products.choose(Pretended(*seconds)).library
        assert found == ("oneDNN" if taken == "tf32" else products.OWN)
    assert products.choose(Pretended(1, 2, tf32=1e-3, bf16=1e-3)).library == products.OWN


def test_what_is_chosen_is_told(monkeypatch: pytest.MonkeyPatch, precision: str | None) -> None:
    """To the processes that are started from here."""
    if precision is None:
        pytest.skip("this torch has no switch")
    have(monkeypatch, "DEFAULT")
    products.choose(Pretended(2, 1))
    assert os.environ[products.TAKEN] == "tf32"


@pytest.mark.usefixtures("precision")
def test_an_older_torch_has_nothing_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    """No switch, no choice."""
    monkeypatch.setattr(torch.backends.mkldnn, "matmul", SimpleNamespace(), raising=False)
    assert products.choose(products.Trial()).library == products.OWN


def test_only_float32_on_the_processor_has_a_choice() -> None:
    """Graphics cards and short formats have one way."""
    assert products.choose_products(torch.device("cpu"), torch.bfloat16) is None
    assert products.choose_products(torch.device("meta"), torch.float32) is None
