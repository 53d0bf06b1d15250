"""Writes each built-in kind's `example.json` anew, by the engine and with the real smollm2; pieces go into `example/`.

python -m tests.figures.examples [KIND ...]
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from builder.cache import Cache
from builder.engine import run_jobs
from builder.figure import FigureSpec, RunSpec
from builder.folders import built_in
from builder.kind import load_kinds
from builder.plan import Job, Question
from builder.progress import Silent
from builder.site import find_site
from builder.sources import fingerprint

SENTENCE = RunSpec(model="smollm2", prompt="London is in England. Paris is in", generate=6)
CODE = 'def greet(name):\n    return "Hello <b>" + name + " from 東京 &amp; \U0001f338"\n'
PASSAGE = (
    "The lamps along the quay were already lit when the old captain came back to the harbour where he was born. Nobody "
    "knew him. A boy ran past and shouted that a ship was due in the morning, and two women with baskets looked up and "
    "then away. He walked on slowly, leaning on his stick, until he stood before the house with the green door."
)
COUNTING = RunSpec(model="smollm2", prompt="1, 2, 3,", generate=16)
GIVING = RunSpec(model="smollm2", prompt="When Mary and John went to the store, John gave a drink to", generate=1)
ASKED: dict[str, tuple[RunSpec, dict[str, Any]]] = {
    "tokens": (RunSpec(model="smollm2", prompt=CODE, generate=8), {}),
    "saliency": (SENTENCE, {}),
    "activations": (RunSpec(model="smollm2", prompt="1, 2, 3,", generate=6), {"layers": ("4", "20")}),
    "factors": (COUNTING, {"factors": (2, 5), "layers": ("all", "4-9")}),
    "rankings": (SENTENCE, {}),
    "layer_predictions": (SENTENCE, {"top": 6}),
    "decoding": (SENTENCE, {"candidates": 12}),
    "head_view": (SENTENCE, {}),
    "model_view": (SENTENCE, {"layers": ("0-11",)}),
    "attention": (SENTENCE, {"layers": ("16-18",), "token": -1}),
    "attention_matrix": (SENTENCE, {"exclude_first": True}),
    "attention_flow": (SENTENCE, {}),
    "causal_trace": (
        RunSpec(model="smollm2", prompt="The Eiffel Tower is in the city of", generate=0),
        {"answer": " Paris", "foil": " Rome", "corrupted": "The Colosseum is in the city of"},
    ),
    "logit_attribution": (GIVING, {"foil": " John"}),
    "ablation": (GIVING, {"foil": " John", "factors": 3, "edges": True}),
    "neuron_view": (SENTENCE, {"layers": ("17", "12"), "heads": ("8", "6", "7")}),
    "layer_similarity": (RunSpec(model="smollm2", prompt=PASSAGE, generate=0), {}),
    "rankings_watch": (
        RunSpec(model="smollm2", prompt="The keys to the cabinet", generate=0),
        {"watch": (" is", " are")},
    ),
}
"""What each kind is asked: a text, and parameters that are not the default ones."""


def main(names: list[str]) -> None:
    """Ask the kinds, all by default, and write what a site would publish."""
    site = find_site(Path(__file__).parent)
    source = site.models["smollm2"]
    kinds = load_kinds([built_in("figures")])
    jobs = []
    for number, (name, (run, chosen)) in enumerate(ASKED.items(), 1):
        if names and name not in names:
            continue
        kind = kinds[name]
        params = asdict(kind.analysis.Params(**chosen))
        question = Question(name, kind.code, fingerprint(source, site.root), run, params, {"dtype": source.dtype})
        jobs.append(Job(question.address, question, kind, source, run, (FigureSpec(number, None, Path(), 1),)))
    with tempfile.TemporaryDirectory() as folder:
        run_jobs(jobs, site.root, Cache(Path(folder)), Silent(), device="cpu")
        for job in jobs:
            _write(job, Cache(Path(folder)))


def _write(job: Job, cache: Cache) -> None:
    result = cache.find(job.address)
    assert result is not None
    pieces = job.kind.folder / "example"
    shutil.rmtree(pieces, ignore_errors=True)
    for name in result.pieces:
        pieces.mkdir(exist_ok=True)
        (pieces / f"{name}.json").write_bytes(cache.piece(job.address, name).read_bytes())
    text = json.dumps(json.loads(result.to_json()), ensure_ascii=False, indent=1)
    (job.kind.folder / "example.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
