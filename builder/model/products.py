"""Which library multiplies float32 matrices on the processor: torch's own choice, or oneDNN where that is faster.

Torch multiplies float32 matrices with MKL where it has it, and MKL takes half of the speed of some processors (AMD's)
and nine tenths of that of others. `torch.backends.mkldnn.matmul` set to `bf16`, and on processors with units for it to
`tf32`, sends them to oneDNN instead. That leave to round inputs to a shorter format is no use to a processor without
such units, and costs digits on one that has them (AMX). So it is tried, once a process: a setting is taken where it
makes other digits, as exact as float32's are, and not by chance. Processes that this one starts take the same.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch

from ..rounding import significant

__all__ = ["OWN", "TAKEN", "Products", "Trial", "choose", "choose_products", "torchs_own"]

GAIN = 1.05
"""How many times as fast oneDNN must be where nothing is known of a processor, so that noise does not choose."""
GAINS = {"AVX512": 0.95, "AVX2": float("inf")}
"""How many times as fast where something is. On AMD's processors it is 2.2 times with AVX-512 of full width (Zen 5),
1.08 to 1.19 where that is taken by halves (Zen 4; up to 2 with few rows, or the vocabulary): it is taken there unless
it is clearly slower. With AVX2 alone it is 0.98 to 1.03, from one moment to the next: not worth other digits."""
WORSE = 4.0
"""By how much its error may be larger than that of torch's own products; both are sums in float32, in another order."""
LARGEST = 5e-6
"""The largest error at all, relative to the largest number of the product; bfloat16 has 4e-3, TF32 5e-4."""
ROUNDS = 4, 10
"""Least and most, of which the fastest counts; 30 ms in all on an idle machine, and no more are begun after `LONG`."""
LONG = 0.05
KERNELS = "128"
"""How many kernels oneDNN keeps, one for each shape of a product, each of 0.6 MB. Saliency goes through 60 to 140 again
and again; where they do not fit, each is made anew each time, which takes a third longer. Its own choice is 1,024."""
OWN = "torch's own"
TAKEN = "FANLIGHT_PRODUCTS"
"""Tells the processes that this one starts which way it took: what they find has the same digits then."""


class Products(NamedTuple):
    """How this process multiplies float32 matrices, as results tell it."""

    library: str
    """`oneDNN`, or `torch's own` choice."""
    error: float
    """The largest error, against float64, relative to the largest number of a product."""


def choose_products(device: torch.device, dtype: torch.dtype) -> Products | None:
    """Return how a model's matrices are multiplied; None where they are not float32 on the processor.

    The first one that is chooses for the process.
    """
    return _of_process() if device.type == "cpu" and dtype == torch.float32 else None


@cache
def _of_process() -> Products:
    return choose(Trial())


class Trial:
    """What ways of multiplying are tried on: matrices of the shapes that a small model has.

    A projection's forward and its way back, a batch of heads, and numbers of very different sizes.
    """

    def __init__(self) -> None:
        shapes = (
            ((64, 576), (576, 768)),
            ((64, 768), (768, 576)),
            ((12, 64, 64), (12, 64, 64)),
            ((32, 512), (512, 256)),
        )
        generator = torch.Generator().manual_seed(0)
        self._pairs = [(torch.randn(a, generator=generator), torch.randn(b, generator=generator)) for a, b in shapes]
        self._pairs[-1][0][:, ::7] *= 300  # as a residual stream's few large entries
        self._exact = [a.double() @ b.double() for a, b in self._pairs]

    def multiply(self) -> list[torch.Tensor]:
        """Return their products, as they are multiplied now."""
        return [a @ b for a, b in self._pairs]

    def error(self, made: Sequence[torch.Tensor]) -> float:
        """Return the largest error of such products, each relative to the largest number of the product."""
        pairs = zip(made, self._exact, strict=True)
        return max(float((product - exact).abs().max() / exact.abs().max()) for product, exact in pairs)

    def seconds(self) -> float:
        """Return how long multiplying them takes now, by the processor's clock: others use the machine too."""
        start = time.process_time()
        for a, b in self._pairs:
            torch.matmul(a, b)
        return time.process_time() - start


def choose(trial: Trial) -> Products:
    """Turn torch's switch to the way of multiplying that a trial speaks for, and tell processes started from here."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KERNELS)  # read at the first product that oneDNN makes
    switch: Any = getattr(torch.backends.mkldnn, "matmul", None)
    before = getattr(switch, "fp32_precision", None)
    if before is None:  # an older torch has no such switch
        return _told(OWN, trial.error(trial.multiply()))

    def turn(way: str) -> None:
        switch.fp32_precision = before if way == OWN else way

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine two wait for each other
    taken, errors = OWN, {}
    try:
        made = {}
        for way in (OWN, "tf32", "bf16"):
            turn(way)
            made[way] = trial.multiply()
            errors[way] = trial.error(made[way])
        exact = [way for way in errors if errors[way] <= min(WORSE * errors[OWN], LARGEST)]
        others = [way for way in exact if not _is_same(made[way], made[OWN])]
        told = os.environ.get(TAKEN, "")
        if told in (OWN, *others):
            taken = told
        elif others and _is_faster(others[0], trial, turn):
            taken = others[0]
    finally:
        torch.set_num_threads(threads)
        turn(taken)
    os.environ[TAKEN] = taken
    return _told(taken, errors[taken])


@contextlib.contextmanager
def torchs_own() -> Iterator[None]:
    """Within: torch multiplies as it does by itself, whatever was chosen."""
    switch: Any = getattr(torch.backends.mkldnn, "matmul", None)
    taken = getattr(switch, "fp32_precision", None)
    if taken is None:
        yield
        return
    switch.fp32_precision = "ieee"
    try:
        yield
    finally:
        switch.fp32_precision = taken


def _told(way: str, error: float) -> Products:
    return Products(OWN if way == OWN else "oneDNN", significant(error, 1))


def _is_faster(other: str, trial: Trial, turn: Callable[[str], None]) -> bool:
    """Whether another way, to which the switch is turned, is enough times as fast as torch's own."""
    gain = GAINS.get(torch.backends.cpu.get_cpu_capability(), GAIN)
    if gain == float("inf"):
        return False
    seconds = dict.fromkeys((OWN, other), float("inf"))
    begun = time.perf_counter()
    for done in range(ROUNDS[1]):
        if done >= ROUNDS[0] and time.perf_counter() - begun > LONG:
            break
        for way in seconds:
            turn(way)
            seconds[way] = min(seconds[way], trial.seconds())
    return seconds[OWN] >= gain * seconds[other]


def _is_same(made: Sequence[torch.Tensor], own: Sequence[torch.Tensor]) -> bool:
    """Whether all digits are those of torch's own products: then the switch leads to no other library.

    `tf32` does so only on processors with units for it; elsewhere it changes nothing.
    """
    return all(map(torch.equal, made, own))
