"""What kinds cost beside each other: prints the table of `builder/costs/usual.py`, on smollm2 and with one thread.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.costs

Each kind is asked by itself, after the run that it reads, at two lengths of text; the least of three times counts.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Callable
from typing import Any

from builder.figure import RunSpec
from builder.kind import load_kinds
from builder.site import built_in

from . import load, say

TEXT = (
    "The countries of the European Union are Austria, Belgium, Bulgaria, Croatia, Cyprus, Czechia, Denmark, Estonia, "
    "Finland, France, Germany, Greece, Hungary, Ireland, Italy, Latvia, Lithuania, Luxembourg, Malta, the Netherlands, "
    "Poland, Portugal, Romania, Slovakia, Slovenia, Spain and Sweden. Each has a capital, a parliament and a history "
    "of its own, and most of them share a currency. "
) * 4
SIZES = ((23, 40), (69, 120))
"""Tokens of prompt and output: the reference, and three times as many."""

ASKED: dict[tuple[str, str], dict[str, Any]] = {
    **{("saliency", method): {"method": method} for method in ("gradient", "integrated_gradients", "occlusion")},
    ("saliency", "value_zeroing"): {"method": "value_zeroing"},
    ("factors", "pca"): {"method": "pca"},
    ("factors", "fastica"): {"method": "fastica"},
    ("causal_trace", ""): {"subject": " European Union"},
    ("rankings_watch", ""): {"watch": (" is", " are")},
}


def main(only: list[str]) -> None:
    """Measure, and print lines of Python."""
    model = load()
    ids = model.tokenizer(TEXT)["input_ids"]
    kinds = load_kinds([built_in("figures")])
    names = [(name, "") for name in kinds] + [key for key in ASKED if key[1]]
    texts = [RunSpec("smollm2", model.tokenizer.decode(ids[:before]), generate=n) for before, n in SIZES]
    runs = [_least(lambda text=text: _run(model, text)) for text in texts]
    say(_line("run", "", runs))
    for name, method in sorted(names):
        if only and name not in only:
            continue
        kind = kinds[name]
        params = kind.analysis.Params(**ASKED.get((name, method), {}))
        seconds = []
        for text in texts:
            try:
                seconds.append(_least(lambda kind=kind, params=params, text=text: _answer(model, text, kind, params)))
            except Exception as error:  # one that does not fit this text is left out
                say(f"# {name} {method}: {type(error).__name__}: {error}")
                break
        if len(seconds) == len(texts):
            say(_line(name, method, seconds))


def _run(model: Any, text: RunSpec) -> float:
    start = time.process_time()
    _ = model.run(text).logits
    return time.process_time() - start


def _answer(model: Any, text: RunSpec, kind: Any, params: Any) -> float:
    run = model.run(text)
    _ = run.logits
    gc.collect()
    start = time.process_time()
    kind.analysis.analyse(run, params)
    return time.process_time() - start


def _least(measure: Callable[[], float]) -> float:
    found = [measure()]
    while len(found) < 3 and sum(found) < 20:
        found.append(measure())
    return min(found)


def _line(name: str, method: str, seconds: list[float]) -> str:
    lengths = [sum(size) for size in SIZES]
    grown = math.log(seconds[1] / seconds[0]) / math.log(lengths[1] / lengths[0])
    return f'    ("{name}", "{method}"): Usual({seconds[0]:.2g}, {grown:.1f}),'


if __name__ == "__main__":
    main(sys.argv[1:])
