"""Captum: a token at a time, as its own tutorials do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..own import square
from . import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..subjects import Subject, Way


def input_x_gradient() -> Way:
    """`InputXGradient` of the logit."""
    from captum.attr import InputXGradient

    network = load().network
    method = InputXGradient(lambda x: network(inputs_embeds=x, use_cache=False).logits[:, -1])

    def row(subject: Subject, position: int) -> Any:
        x = embedded(network, subject, position)
        sizes = method.attribute(x, target=subject.ids[position])[0].detach().norm(dim=-1)
        return sizes / sizes.sum()

    return lambda subject: lambda: square([row(subject, at) for at in subject.targets], subject)


def input_x_gradient_onednn() -> Way:
    """The same with the products that this project has torch use on processors where they are faster."""
    import torch

    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    return input_x_gradient()


def llm() -> Way:
    """`LLMGradientAttribution` over `LayerGradientXActivation`: signed sums, of the prompt's tokens alone."""
    from captum.attr import LayerGradientXActivation, LLMGradientAttribution, TextTokenInput

    peer = load()
    layer = LayerGradientXActivation(peer.network, peer.network.get_input_embeddings())
    method = LLMGradientAttribution(layer, peer.tokenizer)

    def way(subject: Subject) -> Callable[[], None]:
        import torch

        prompt = TextTokenInput(peer.tokenizer.decode(subject.ids[: subject.n_input]), peer.tokenizer)
        output = torch.tensor(subject.ids[subject.n_input :])

        def work() -> None:
            method.attribute(prompt, target=output)

        return work

    return way


def integrated() -> Way:
    """`IntegratedGradients` of the logit, 50 steps at once."""
    return _integrated(None)


def integrated_5() -> Way:
    """The same at its best setting, 5 steps at once."""
    return _integrated(5)


def _integrated(at_once: int | None) -> Way:
    from captum.attr import IntegratedGradients

    network = load().network
    method = IntegratedGradients(lambda x: network(inputs_embeds=x, use_cache=False).logits[:, -1])

    def row(subject: Subject, position: int) -> Any:
        x = embedded(network, subject, position)
        found = method.attribute(x, target=subject.ids[position], n_steps=50, internal_batch_size=at_once)
        sizes = found[0].detach().sum(-1).abs()
        return sizes / sizes.sum()

    return lambda subject: lambda: square([row(subject, at) for at in subject.targets], subject)


def embedded(network: Any, subject: Subject, position: int) -> Any:
    """Return the embeddings [1, position, d] of what stands before a position, as a leaf."""
    import torch

    return network.get_input_embeddings()(torch.tensor([subject.ids[:position]])).detach().requires_grad_()
