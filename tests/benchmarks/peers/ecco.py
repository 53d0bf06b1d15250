"""Ecco's algorithm in our own words: Ecco 0.1.2 asks for transformers 4 and a list of models, and runs on neither.

What it does, of its functions of the same names: embeddings are a product of one-hot rows and the whole matrix;
attribution explains the probability of one token after another, each with a forward and a backward pass of its own,
all logits computed, through Captum; what is read of layers is one state at a time, the head, then a sort of the whole
vocabulary. Only its drawing is left out. https://github.com/jalammar/ecco
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ..own import square
from . import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..subjects import Subject, Told, Way


def grad_x_input() -> Way:
    """The loop of attributions in `generate(attribution=["grad_x_input"])`, for a text that is there."""
    return _attribution("InputXGradient")


def integrated() -> Way:
    """That of `generate(attribution=["ig"])`."""
    return _attribution("IntegratedGradients")


def _attribution(method: str) -> Way:
    network = load().network

    def way(subject: Subject) -> Callable[[], Any]:
        return lambda: square([attribute(network, method, subject.ids, at) for at in subject.targets], subject)

    return way


def generate() -> Way:
    """`generate(attribution=["grad_x_input"])` as a whole."""
    import torch

    peer = load()

    def way(subject: Subject) -> Callable[[], Any]:
        def work() -> Any:
            prompt = torch.tensor([subject.ids[: subject.n_input]])
            ids = peer.network.generate(
                input_ids=prompt,
                attention_mask=torch.ones_like(prompt),
                max_length=len(subject.ids),
                do_sample=False,
                return_dict_in_generate=True,
                output_scores=True,
                output_hidden_states=True,
            ).sequences[0]
            known = ids.tolist()
            peer.network(inputs_embeds=embedded(peer.network, known[:-1]), use_cache=False)  # for hooks of neurons
            rows = [attribute(peer.network, "InputXGradient", known, at) for at in range(subject.n_input, len(known))]
            return square(rows, subject)

        return work

    return way


def attribute(network: Any, method: str, ids: Sequence[int], position: int) -> Any:
    """Return the shares [position] of the tokens before a position in the probability of its token."""
    from captum import attr

    def probabilities(x: Any) -> Any:
        return network(inputs_embeds=x).logits[:, -1].softmax(-1)

    x = embedded(network, ids[:position])
    sizes = getattr(attr, method)(probabilities).attribute(x, target=ids[position])[0].norm(dim=-1).detach()
    return sizes / sizes.sum()


def embedded(network: Any, ids: Sequence[int]) -> Any:
    """Return embeddings [1, T, d] as the product of one-hot rows and the matrix."""
    import torch

    matrix = network.get_input_embeddings().weight
    rows = torch.nn.functional.one_hot(torch.tensor([list(ids)]), matrix.shape[0]).float()
    return rows.clone().requires_grad_() @ matrix


def lens() -> Way:
    """`rankings()`, then `layer_predictions()` at each output token; the states are given.

    The final norm is the model's, which Ecco leaves out: ranks can be compared then, and it costs next to nothing.
    """
    import torch

    peer = load()
    head, norm = peer.network.get_output_embeddings(), peer.network.model.norm

    def ranks(states: Any, subject: Subject) -> Any:
        found = torch.zeros(len(states), len(subject.targets), dtype=torch.long)
        for number, at in enumerate(subject.targets):
            for layer in range(len(states)):
                order = head(norm(states[layer, at - 1])).argsort()
                place = (order == subject.ids[at]).nonzero().flatten()
                peer.tokenizer.decode([subject.ids[at]])
                found[layer, number] = len(order) - place
        return found.numpy()

    def predictions(states: Any, at: int, k: int = 10) -> None:
        for layer in range(len(states)):
            probabilities = head(norm(states[layer, at - 1])).softmax(-1)
            order = probabilities.argsort()
            _ = [peer.tokenizer.decode([token]) for token in order[-k:]], probabilities[order[-k:]].tolist()

    def way(subject: Subject) -> Callable[[], Any]:
        states = torch.stack([output for _, output in read(peer.network, subject)])

        def work() -> Any:
            with torch.no_grad():
                found = ranks(states, subject)
                for at in subject.targets:
                    predictions(states, at)
            return found

        return work

    return way


def run_nmf() -> Way:
    """`run_nmf(n_components=10)`: scikit-learn, from a random start, at most 500 steps."""
    return _nmf("random")


def nndsvda() -> Way:
    """Not Ecco's: scikit-learn from its other start, as this project's factors have."""
    return _nmf("nndsvda")


def _nmf(init: str) -> Way:
    import torch
    from sklearn.decomposition import NMF

    from ..factors import error

    network = load().network

    def way(subject: Subject) -> Callable[[], Told]:
        neurons = torch.cat([neurons for neurons, _ in read(network, subject)], dim=1)
        x = neurons.clamp_min(0)[1:].contiguous()  # without the first token, as ours

        def work() -> Told:
            method: Any = NMF(10, init=init, random_state=0, max_iter=500)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                w = torch.from_numpy(method.fit_transform(x.numpy()))
            return lambda: (None, {"‖X − WH‖ / ‖X‖": error(x, w, torch.from_numpy(method.components_))})

        return work

    return way


def read(network: Any, subject: Subject) -> list[tuple[Any, Any]]:
    """Return of each layer what the FFN's last projection reads [T, n] and what leaves the block [T, d]."""
    import torch

    neurons: list[Any] = []
    outputs: list[Any] = []
    handles = []
    for block in network.model.layers:
        handles.append(block.mlp.down_proj.register_forward_pre_hook(lambda _, args: neurons.append(args[0][0])))
        handles.append(block.register_forward_hook(lambda *call: outputs.append(call[2][0])))
    with torch.no_grad():
        network(torch.tensor([subject.ids]), use_cache=False)
    for handle in handles:
        handle.remove()
    return list(zip(neurons, outputs, strict=True))
