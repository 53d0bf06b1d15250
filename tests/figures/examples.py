"""Writes each built-in kind's `example.json` anew, by the engine and with the real smollm2.

python -m tests.figures.examples
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from builder.cache import Cache
from builder.engine import run_jobs
from builder.figure import FigureSpec, RunSpec
from builder.kind import load_kinds
from builder.plan import Job, Question
from builder.progress import Silent
from builder.site import built_in, find_site
from builder.sources import fingerprint

SENTENCE = RunSpec(model="smollm2", prompt="London is in England. Paris is in", generate=6)
CODE = 'def greet(name):\n    return "Hello <b>" + name + " from 東京 &amp; \U0001f338"\n'
TEXTS = {
    "tokens": RunSpec(model="smollm2", prompt=CODE, generate=8),
    "saliency": SENTENCE,
    "rankings": SENTENCE,
}


def main() -> None:
    """Ask each kind about its text with default parameters, and write what a site would publish."""
    site = find_site(Path(__file__).parent)
    source = site.models["smollm2"]
    kinds = load_kinds([built_in("figures")])
    jobs = []
    for number, (name, run) in enumerate(TEXTS.items(), 1):
        kind = kinds[name]
        params = asdict(kind.analysis.Params())
        question = Question(name, kind.code, fingerprint(source, site.root), run, params, {"dtype": source.dtype})
        jobs.append(Job(question.address, question, kind, source, run, (FigureSpec(number, None, Path(), 1),)))
    with tempfile.TemporaryDirectory() as folder:
        run_jobs(jobs, site.root, Path(folder), Silent(), device="cpu")
        for job in jobs:
            result = Cache(Path(folder)).find(job.address)
            assert result is not None
            text = json.dumps(json.loads(result.to_json()), ensure_ascii=False, indent=1)
            (job.kind.folder / "example.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
