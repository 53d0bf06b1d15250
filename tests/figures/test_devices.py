"""Analyses on devices that this machine lacks: no tensor meets one of another device, whatever the kind of figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from networks import Load, Source
from networks.pretended import Pretended

from builder.figure import RunSpec
from builder.model import Encoder, EncoderDecoder, Model, memory
from builder.model.network import find_family, load_network, load_tokenizer
from builder.sources import fetch

from . import Ask, alike
from .test_answers import QUESTIONS

TEXT = RunSpec(model="tiny", prompt="1. Austria\n2. ", output="Belgium\n3. Bul")
MORE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("saliency", {"method": "value_zeroing"}),
    ("attention", {}),
    ("neuron_view", {}),
    ("logit_attribution", {}),
    ("causal_trace", {"subject": "Austria"}),
)
KINDS = tuple(question for question in (*QUESTIONS, *MORE) if question[0] != "decoding")
"""All but decoding, which generates: there transformers asks a device for events."""
FAMILIES = {"decoder": Model, "encoder": Encoder, "encoder-decoder": EncoderDecoder}
DEVICES = {"Apple": ("mps", None), "two cards": ("cuda:0", "cuda:1")}
"""What holds for two cards holds for one: what was left on the processor meets neither."""


@pytest.fixture(autouse=True)
def _memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices that are not there cannot say what memory they have."""
    monkeypatch.setattr(memory, "available", lambda device: 8 << 30)


@pytest.fixture(scope="module")
def pretend(tiny_source: Source) -> Callable[[str, str], tuple[Pretended, Model]]:
    """`pretend("llama", "two cards")`: devices that are not there, and a tiny model on them."""

    @cache
    def load(name: str, where: str) -> tuple[Pretended, Model]:
        checkpoint = fetch(tiny_source(name), Path("/"))
        family = find_family(checkpoint)
        network, unused = load_network(checkpoint, family=family)
        main, second = DEVICES[where]
        device = Pretended(main)
        device.put(network)
        if second is not None:
            device.divide(network, second)
        with device:
            return device, FAMILIES[family](checkpoint, network, load_tokenizer(checkpoint), unused=unused)

    return load


@pytest.mark.parametrize(("name", "where"), [("llama", "Apple"), ("llama", "two cards"), ("gpt2", "two cards")])
@pytest.mark.parametrize(("kind", "params"), KINDS, ids=str)
def test_every_kind_keeps_to_its_devices(
    kind: str, params: dict[str, Any], name: str, where: str, pretend: Callable[..., Any], tiny: Load, ask: Ask
) -> None:
    """No tensor meets one of another device, NumPy gets none of a card's, and Apple's no float64; the answer is one."""
    device, model = pretend(name, where)
    with device:
        found = ask(kind, model, TEXT, **params)
        assert all(check.holds for check in found.checks.values())
    assert alike(found.data, ask(kind, tiny(name), TEXT, **params).data)


@pytest.mark.parametrize("where", DEVICES)
@pytest.mark.parametrize("name", ["bert", "t5"])
@pytest.mark.parametrize("kind", ["attention", "head_view", "model_view", "attention_matrix", "attention_flow"])
def test_attention_of_other_families_keeps_to_its_devices(
    kind: str, name: str, where: str, pretend: Callable[..., Any], tiny: Load, ask: Ask
) -> None:
    """Encoders, and decoders that look back at one."""
    device, model = pretend(name, where)
    text = replace(TEXT, output="Belgium" if name == "t5" else None, generate=0)
    with device:
        found = ask(kind, model, text)
    assert all(check.holds for check in found.checks.values())
    assert alike(found.data, ask(kind, tiny(name), text).data)
