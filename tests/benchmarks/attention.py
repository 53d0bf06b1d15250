"""Attention beside BertViz: bytes, the time of capturing it, and how long a browser takes to draw it and to answer.

Run it from the root of the project: `python -m tests.benchmarks.attention [--rounds 9] [--no-browser]`. BertViz is
fetched into a temporary folder, its scripts from npm, and the pages ask nobody outside this machine.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import bertviz, compare, load, say

if TYPE_CHECKING:
    from builder.figure import Answer
    from builder.model import Model, Run

TEXT = (
    "The lamps along the quay were already lit when the old captain came back to the harbour where he was born. Nobody "
    "knew him. A boy ran past and shouted that a ship was due in the morning, and two women with baskets looked up and "
    "then away. He walked on slowly, leaning on his stick, until he stood before the house with the green door. It was "
    "open, and from the kitchen came the smell of bread, as it had forty years before, when he had left without a word."
)
KINDS = ("head_view", "model_view", "attention_matrix")


@dataclass(frozen=True)
class Subject:
    """A model with a text, what we publish of it by kind, and BertViz' pages by view."""

    name: str
    run: Run
    answers: dict[str, Answer]
    pages: dict[str, str]


def main() -> None:
    """Print a table a question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-browser", action="store_true")
    asked = parser.parse_args()

    import torch

    torch.set_num_threads(1)  # two would wait for each other on a machine that others use
    with tempfile.TemporaryDirectory() as scratch:
        scripts = bertviz.fetch(Path(scratch))
        smollm2, gpt2 = load(), gpt2_shaped(Path(scratch) / "gpt2")
        subjects = [
            subject("12 × 12, 50 tokens, drawn at random", gpt2, 50),
            subject("SmolLM2, 30 × 9, 50 tokens", smollm2, 50),
            subject("SmolLM2, 30 × 9, 100 tokens", smollm2, 100),
        ]
        sizes(subjects)
        for one in subjects:
            capture(one, asked.rounds)
        if not asked.no_browser:
            from . import attention_pages

            attention_pages.measure(subjects, scripts)


def gpt2_shaped(folder: Path) -> Model:
    """Return a GPT-2 with the small one's layers and heads; its weights are drawn so that heads are not flat."""
    from builder.model import Model
    from builder.site import ModelSource
    from builder.sources import fetch
    from tests.networks import checkpoint, tiny

    tiny.CONFIGS["gpt2_shaped"] = {"model_type": "gpt2"}  # whose defaults are GPT-2 small's
    tiny.save_checkpoint("gpt2_shaped", folder, lambda network: checkpoint.redraw(network, 0.05))
    return Model.load(fetch(ModelSource("gpt2_shaped", str(folder)), Path("/")))


def subject(name: str, model: Model, length: int) -> Subject:
    """Return a text of so many tokens, all that we publish of its attention, and the same by BertViz."""
    import torch

    from builder.figure import RunSpec
    from builder.folders import built_in
    from builder.kind import load_kinds
    from builder.model import Run

    ids = torch.tensor(model.encode(TEXT)[0][:length])
    assert len(ids) == length
    run = Run(model, RunSpec(model.name, TEXT, generate=0), ids, n_input=length)
    kinds = load_kinds([built_in("figures")])
    answers = {kind: kinds[kind].analysis.analyse(run, kinds[kind].analysis.Params()) for kind in KINDS}
    attention = [run.attention.weights("self", layer)[None] for layer in run.attention.parts["self"].layers]
    tokens = [token["text"] for token in run.tokens]
    pages = {view: bertviz.page(view, attention, tokens) for view in ("head_view", "model_view")}
    return Subject(name, run, answers, pages)


def sizes(subjects: list[Subject]) -> None:
    """Print kilobytes, raw and gzipped: what a page needs at first, with all layers, and BertViz' page."""
    say(f"\n{'kilobytes, raw and gzipped':52}{'at first':>16}{'all layers':>18}")
    for one in subjects:
        for kind, answer in one.answers.items():
            files = [encoded(answer.data), *(encoded(piece) for piece in answer.pieces.values())]
            say(f"{one.name + ': ' + kind:52}{kilobytes(files[:1])}  {kilobytes(files)}")
        for view, html in one.pages.items():
            say(f"{one.name + ': BertViz ' + view:52}{kilobytes([html.encode()])}  {kilobytes([html.encode()])}")


def encoded(value: Any) -> bytes:
    """Return a result's data or a piece as it is published."""
    from builder.figure import published

    return published(value).encode()


def kilobytes(files: list[bytes]) -> str:
    """Return how large files are together, as they are and each gzipped."""
    raw, packed = sum(map(len, files)), sum(len(gzip.compress(file)) for file in files)
    return f"{raw / 1000:8.0f}{packed / 1000:8.0f}"


def capture(one: Subject, rounds: int) -> None:
    """Print how long it takes to capture weights, queries, keys and values, and a plain eager pass."""
    import torch

    from builder.model import Run

    run = one.run
    base: Any = run.model.structure.base

    def plain(**options: Any) -> Any:
        with torch.no_grad():
            return base(input_ids=run.ids[None], use_cache=False, **options).attentions

    def ours() -> Any:
        attention = Run(run.model, run.spec, run.ids, n_input=run.n_input).attention
        return [attention.weights("self", layer)[None] for layer in attention.parts["self"].layers]

    def apart(a: Any, b: Any) -> float:
        if not a or not b:
            return float("nan")
        return max(float((x - y).abs().max()) for x, y in zip(a, b, strict=True))

    ways = {
        "plain eager forward, output_attentions": lambda: plain(output_attentions=True),
        "ours, with queries, keys and values": ours,
        "plain eager forward without": plain,
    }
    for way in ways.values():
        way()
    say(f"\n{one.name}")
    compare(ways, apart, rounds)


if __name__ == "__main__":
    main()
