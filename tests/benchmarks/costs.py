"""What kinds cost beside each other: prints the table of `builder/costs/usual.py`, on smollm2 and with one thread.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.costs

Each kind is asked by itself, after the run that it reads, at two lengths of text; the least of a few times counts.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from builder.figure import RunSpec
from builder.folders import built_in
from builder.kind import load_kinds

from . import load, say

TEXT = (
    "The countries of the European Union are Austria, Belgium, Bulgaria, Croatia, Cyprus, Czechia, Denmark, Estonia, "
    "Finland, France, Germany, Greece, Hungary, Ireland, Italy, Latvia, Lithuania, Luxembourg, Malta, the Netherlands, "
    "Poland, Portugal, Romania, Slovakia, Slovenia, Spain and Sweden. Each has a capital, a parliament and a history "
    "of its own, and most of them share a currency. "
) * 4
SIZES = ((23, 40), (69, 120), (8, 13))
"""Tokens of prompt and output: the reference, and three times as many, or a third where that would take minutes."""

DEAR = 2.0
"""Seconds from which on the shorter text is the second one."""

STEPS = 2
"""Of 50, to which the seconds are scaled up: they are in proportion."""

ASKED: dict[tuple[str, str], dict[str, Any]] = {
    **{("saliency", method): {"method": method} for method in ("gradient", "occlusion", "value_zeroing")},
    ("saliency", "integrated_gradients"): {"method": "integrated_gradients", "steps": STEPS},
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
    say(_line("run", "", lambda text: _run(model, text), texts))
    for name, method in sorted(names):
        if only and name not in only:
            continue
        kind = kinds[name]
        params = kind.analysis.Params(**ASKED.get((name, method), {}))
        times = 50 / STEPS if method == "integrated_gradients" else 1.0
        try:
            ask = partial(_answer, model, kind=kind, params=params)
            say(_line(name, method, lambda text, ask=ask, times=times: times * ask(text), texts))
        except Exception as error:  # one that does not fit this text is left out
            say(f"# {name} {method}: {type(error).__name__}: {error}")


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


def _line(name: str, method: str, measure: Callable[[RunSpec], float], texts: list[RunSpec]) -> str:
    usual = _least(measure, texts[0])
    second = 1 if usual < DEAR else 2
    other = _least(measure, texts[second])
    lengths = [sum(SIZES[0]), sum(SIZES[second])]
    grown = math.log(other / usual) / math.log(lengths[1] / lengths[0])
    return f'    ("{name}", "{method}"): Usual({usual:.2g}, {grown:.1f}),'


def _least(measure: Callable[[RunSpec], float], text: RunSpec) -> float:
    found = [measure(text)]
    while len(found) < 3 and sum(found) < DEAR:
        found.append(measure(text))
    return min(found)


if __name__ == "__main__":
    main(sys.argv[1:])
