"""The project's own ways: the functions that its figures call, and whole figures with their checks and their JSON."""

from __future__ import annotations

import gzip
from functools import cache
from typing import TYPE_CHECKING, Any

from . import floors, load, machine, part, rankings
from . import saliency as gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from builder.figure import Answer
    from builder.model import Model, Run

    from .subjects import Subject, Told, Way


@cache
def loaded() -> Model:
    """Return smollm2, once a process."""
    return load()


def logit() -> Way:
    """Gradient × input of the logits of all targets."""
    return _gradients()


def logprob() -> Way:
    """Gradient × input of their log-probabilities."""
    return _gradients(target="logprob")


def integrated() -> Way:
    """Integrated gradients of the logits of the targets, 50 steps from 0."""
    return _gradients(steps=50)


def integrated_last() -> Way:
    """The same of the last target."""
    return _gradients(steps=50, last=1)


def _gradients(*, last: int = 0, **options: Any) -> Way:
    model = loaded()

    def way(subject: Subject) -> Callable[[], Told]:
        run, targets = subject.run(model), subject.targets[-last:]
        work = floors.saliency(shape(model), targets) * options.get("steps", 1)

        def told(rows: list[Any]) -> Told:
            return lambda: (square(rows, subject), {"GFLOP": work / 1e9})

        return lambda: told(gradients.ours(run, targets, **options))

    return way


def shape(model: Model) -> floors.Shape:
    """Return what the floors are reckoned from."""
    config: Any = model.network.config
    matrices = [p.numel() for block in model.structure.blocks for p in block.parameters() if p.ndim == 2]
    heads = config.num_attention_heads * (
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )
    return floors.Shape(sum(matrices), model.n_layers, heads, model.d_model, model.vocab_size)


def products() -> Way:
    """How fast products are, as this project has torch do them once a model is loaded; in GFLOP/s by shape."""
    loaded()
    return lambda _: lambda: lambda: (None, machine.products())


def generated() -> Way:
    """The text generated first, then gradient × input."""
    from builder.figure import RunSpec

    model = loaded()

    def way(subject: Subject) -> Callable[[], Any]:
        prompt = model.tokenizer.decode(subject.ids[: subject.n_input])
        spec = RunSpec("smollm2", prompt, generate=len(subject.ids) - subject.n_input)
        return lambda: square(gradients.ours(model.run(spec)), subject)

    return way


def lens() -> Way:
    """Ranks, probabilities, ten top tokens, entropy and KL after each layer; the states are given."""
    model = loaded()

    def way(subject: Subject) -> Callable[[], Told]:
        run = subject.run(model)
        _ = run.block_outputs, run.logits
        work = floors.lens(shape(model), len(run.targets)) / 1e9

        def told(ranks: Any) -> Told:
            return lambda: (ranks.numpy(), {"GFLOP": work})

        return lambda: told(rankings.ours(run))

    return way


def lens_by_sorting() -> Way:
    """A product a layer, then a sort, softmaxes and the ten top tokens of its whole block of logits."""
    model = loaded()

    def way(subject: Subject) -> Callable[[], Any]:
        run = subject.run(model)
        _ = run.block_outputs, run.logits
        return lambda: rankings.by_sorting(run).numpy()

    return way


def lens_products() -> Way:
    """The products of states and vocabulary and nothing else, as this project has torch do them: the floor."""
    model = loaded()

    def way(subject: Subject) -> Callable[[], None]:
        run = subject.run(model)
        _ = run.block_outputs

        def work() -> None:
            rankings.products(run)

        return work

    return way


def factors() -> Way:
    """Ten factors of all neurons but the first token's, whose size hides the others'."""
    import torch

    from builder.model.nmf import nmf

    from .factors import error

    model = loaded()

    def way(subject: Subject) -> Callable[[], Told]:
        neurons = subject.run(model).activations(range(model.n_layers))
        x = torch.cat(neurons, dim=1).clamp_min(0)[1:].contiguous()

        def work() -> Told:
            found = nmf(x, 10)
            return lambda: (None, {"‖X − WH‖ / ‖X‖": error(x, *found)})

        return work

    return way


def saliency_figure() -> Way:
    """The figure `saliency`, with its checks and JSON."""
    return figures("saliency")


def lens_figures() -> Way:
    """The figures `rankings` and `layer_predictions` on one run."""
    return figures("rankings", "layer_predictions")


def factors_figure() -> Way:
    """The figure `factors`."""
    return figures("factors")


def attention() -> Way:
    """The figure `model_view`: all weights of all heads."""
    return figures("model_view", tell=sizes)


def attention_with_vectors() -> Way:
    """The figure `attention`: the same, and all queries, keys and values."""
    return figures("attention", tell=sizes)


def occlusion() -> Way:
    """The figure `saliency` by occlusion."""
    return figures("saliency", method="occlusion")


def value_zeroing() -> Way:
    """The figure `saliency` by value zeroing."""
    return figures("saliency", method="value_zeroing")


def activations() -> Way:
    """The figure `activations`."""
    return figures("activations")


def logit_attribution() -> Way:
    """The figure `logit_attribution`."""
    return figures("logit_attribution")


def figures(*kinds: str, tell: Callable[[Sequence[bytes]], Any] = lambda files: None, **params: Any) -> Way:
    """Whole figures on one run, of which the text alone is given, up to the JSON of their files."""
    model = loaded()

    def way(subject: Subject) -> Callable[[], Any]:
        run = subject.run(model)
        return lambda: tell([file for kind in kinds for file in files(figure(run, kind, **params))])

    return way


def figure(run: Run, kind: str, **params: Any) -> Answer:
    """Return the answer of a kind. Raises `ValueError` where one of its checks does not hold."""
    analysis = part(kind, "analysis")
    answer: Answer = analysis.analyse(run, analysis.Params(**params))
    broken = [name for name, check in answer.checks.items() if not check.holds]
    if broken:
        raise ValueError(f"{kind} failed {broken}")
    return answer


def files(answer: Answer) -> list[bytes]:
    """Return the JSON that is published of an answer: what a page reads first, and the pieces."""
    from builder.figure import published

    return [published(value).encode() for value in (answer.data, *answer.pieces.values())]


def sizes(found: Sequence[bytes]) -> Told:
    """Tell how large files are."""

    def told() -> tuple[None, Mapping[str, float]]:
        packed = [len(gzip.compress(file)) / 1000 for file in found]
        return None, {"kB": sum(map(len, found)) / 1000, "kB gz": sum(packed), "kB gz at first": packed[0]}

    return told


def square(rows: Sequence[Any], subject: Subject) -> Any:
    """Return rows of shares, each as long as its target's prefix, as an array [targets, T]; nothing is 0."""
    import numpy as np

    array = np.zeros((len(rows), len(subject.ids)))
    for number, row in enumerate(rows):
        array[number, : len(row)] = row
    return array
