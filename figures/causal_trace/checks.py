"""What proves a trace: restoring all is the other run, restoring nothing is this one, and plain passes say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from builder.figure import Check
from builder.model.interventions import entering, modules_of
from builder.model.precision import tolerance
from builder.model.trace import first_tensor
from builder.ranges import window

from .place import Place
from .trace import read_places, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn

    from builder.model import Run
    from builder.model.interventions import States

    from .analysis import Params
    from .corruption import Corruption

__all__ = ["checks"]


@torch.no_grad()
def checks(
    run: Run,
    params: Params,
    corruption: Corruption,
    base: States,
    source: States,
    measure: Callable[[Tensor], Tensor],
    values: Tensor,
) -> dict[str, Check]:
    """Return the checks of one sample's `values` [states, n_layers, positions], states of `source` put into `base`."""
    model, clean = run.model, run.ids[: run.n_input]
    restore = params.direction == "restore"
    ids = corruption.ids if restore else clean
    last, first = model.n_layers - 1, corruption.positions[0]
    middle = last // 2
    noisy = {"input_ids": corruption.ids[None]}
    if corruption.embeddings is not None:
        noisy = {"inputs_embeds": corruption.embeddings[:1]}
    inputs: tuple[Mapping[str, Tensor], ...] = (noisy, {"input_ids": clean[None]})
    here, there = inputs if restore else inputs[::-1]  # the run that is changed, and the one that states are from

    def value(logits: Tensor) -> float:
        return float(measure(logits)[0])

    def resumed(states: States) -> Tensor:
        """Return the logits of a run of `ids` that begins in the middle with all of a stream."""
        with entering(model.structure, middle + 1, states.before(middle + 1)[None]):
            return model.head_logits(model.forward_ids(ids[None])[:, -1]).float()

    def plain(given: Mapping[str, Tensor]) -> Tensor:
        return _logits(model.network, given)

    own, other = plain(here), plain(there)
    bound = tolerance(model.network.dtype) * max(1.0, float(torch.cat([own, other]).abs().max()))
    end = Place("residual", last, len(ids) - 1)
    ((_, restored),) = read_places(model, ids, [(base, source)], [end])
    before = 0.0
    if first:
        found = trace(
            model, ids, [(base, source)], measure, states=params.states, positions=[first - 1], window=params.window
        )
        before = float((found - value(own)).abs().max())
    cells = []
    for s, state in enumerate(params.states):
        # of the stream not the strongest of all, which is what the answer is read from
        grid = values[s, : middle + 1] if state == "residual" else values[s]
        layer, column = divmod(int((grid - value(own)).abs().argmax()), values.shape[-1])
        layers = [layer] if state == "residual" else window(layer, params.window, model.n_layers)
        modules = [module for k in layers if (module := modules_of(model.structure, state)[k]) is not None]
        patched = _naive(model.network, here, there, modules, first + column)
        cells.append(abs(value(patched) - float(values[s, layer, column])))
    return {
        "nothing restored against the network's own forward": Check(abs(value(resumed(base)) - value(own)), bound),
        "the last position restored after the last block against the other run": Check(
            abs(value(restored) - value(other)), bound
        ),
        "all positions restored after one block against the other run": Check(
            abs(value(resumed(source)) - value(other)), bound
        ),
        "the strongest state of each kind against plain forward passes": Check(max(cells), bound),
        "a state before the first corrupted token": Check(before, bound),
    }


def _naive(
    network: Any, here: Mapping[str, Tensor], there: Mapping[str, Tensor], modules: list[nn.Module], position: int
) -> Tensor:
    """Return logits [1, vocab] of a whole pass in which modules hand on at a position what they did in another."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _given: Any, returned: Any) -> None:
        found = first_tensor(returned)
        assert found is not None
        kept.append(found[..., position, :].clone())

    def change(_module: nn.Module, _given: Any, returned: Any) -> None:
        found = first_tensor(returned)
        assert found is not None
        found[..., position, :] = kept.pop(0)  # in place: nobody has read it yet

    for inputs, hook in ((there, keep), (here, change)):
        handles = [module.register_forward_hook(hook) for module in modules]
        try:
            logits = _logits(network, inputs)
        finally:
            for handle in handles:
                handle.remove()
    return logits


def _logits(network: Any, inputs: Mapping[str, Tensor]) -> Tensor:
    """Return the network's own logits [1, vocab] at the last position; some networks write over what they are given."""
    copies = {name: tensor.clone() for name, tensor in inputs.items()}
    return network(**copies, use_cache=False).logits[:, -1].float()  # type: ignore[no-any-return]
