"""Ten factors of all neurons over a text, against scikit-learn's NMF as Ecco calls it.

Run it from the root of the project: `python -m tests.benchmarks.factors [--factors 10] [--output 50] [--rounds 3]`.
The column `error` is by how much the relative error ‖X − WH‖ / ‖X‖ is above that of the first way: below 0 is better.
"""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING, Any

from . import compare, load, say
from .saliency import TEXT

if TYPE_CHECKING:
    from torch import Tensor


def main() -> None:
    """Print one table for the whole text, and one without its first token."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factors", type=int, default=10)
    parser.add_argument("--output", type=int, default=50, help="tokens that are generated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    asked = parser.parse_args()

    import torch

    from builder.figure import RunSpec
    from builder.model.nmf import nmf

    if asked.threads:
        torch.set_num_threads(asked.threads)
    run = load().run(RunSpec(model="smollm2", prompt=TEXT, generate=asked.output))
    activations = torch.cat(run.activations(range(run.model.n_layers)), dim=1).clamp_min(0)
    for start, name in ((1, "without the first token"), (0, "with the first token")):
        x, k = activations[start:].contiguous(), asked.factors
        say(f"{k} factors, {x.shape[0]} tokens × {x.shape[1]} neurons {name}, {torch.get_num_threads()} threads")
        ways = {
            "scikit-learn, random, tokens × neurons": lambda x=x, k=k: plain(x, k, "random"),
            "the same, neurons × tokens": lambda x=x, k=k: plain(x.T.contiguous(), k, "random"),
            "the same in float64": lambda x=x, k=k: plain(x.double(), k, "random"),
            "scikit-learn, nndsvda": lambda x=x, k=k: plain(x, k, "nndsvda"),
            "ours": lambda x=x, k=k: error(x, *nmf(x, k)),
        }
        compare(ways, lambda ours, theirs: ours - theirs, asked.rounds)


def plain(x: Tensor, k: int, init: str) -> float:
    """Return the relative error of scikit-learn's NMF, at most 500 steps."""
    import torch
    from sklearn.decomposition import NMF

    method: Any = NMF(k, init=init, random_state=0, max_iter=500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        w = torch.from_numpy(method.fit_transform(x.numpy()))
    return error(x, w, torch.from_numpy(method.components_))


def error(x: Tensor, w: Tensor, h: Tensor) -> float:
    """Return ‖X − WH‖ / ‖X‖ in float64."""
    wide = x.double()
    return float((wide - w.double() @ h.double()).norm() / wide.norm())


if __name__ == "__main__":
    main()
