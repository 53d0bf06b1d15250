"""What missing answers would take: counted by tokenizers, told by past costs, and plain about what is not known."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from networks import tiny

from builder.costs import Costs, Measurement, Task
from builder.engine import Batch
from builder.estimate import Estimate, estimate
from builder.estimate.forecast import Reader, forecast
from builder.estimate.table import amount, duration, remarks, rows, size
from builder.figure import RunSpec
from builder.folders import built_in
from builder.kind import load_kinds
from builder.model_source import ModelSource
from builder.plan import Job, Question
from builder.site import find_site
from builder.sources import fingerprint
from builder.sources.sizes import ModelSize, find_folder, find_size, make_counter
from builder.status import FigureStatus

KINDS = load_kinds([built_in("figures")])
SMALL = ModelSource("small", "org/small")
LARGE = ModelSource("large", "org/large", dtype="bfloat16")
SIZES = {"small": ModelSize(1_000_000, 4_000_000, 2, 8, 2, 100), "large": ModelSize(70_000_000_000, 140_000_000_000)}


def job(prompt: str, kind: str = "saliency", source: ModelSource = SMALL, generate: int = 5) -> Job:
    """Return a job; texts are counted in words here."""
    question = Question(kind, "code", source.name, RunSpec(source.name, prompt, generate), {}, {})
    return Job(question.address, question, KINDS[kind], source, question.run, ())


def figure(one: Job, state: Any = "missing") -> FigureStatus:
    """Return how the figure stands that asks for a job."""
    return FigureStatus("a", "fig", one.kind.name, Path("a.md"), 1, state, "", one.address)


def measured(kind: str, seconds: float, source: ModelSource = SMALL, n_input: int = 3, memory: int = 0) -> Measurement:
    """Return what a task of five outputs took; the steps before it are kinds in brackets here."""
    step: Any = kind.strip("()") if kind.startswith("(") else "answer"
    size = SIZES[source.name].parameters
    name = "" if kind.startswith("(") else kind
    return Measurement(Task(step, name, "", source.name, size, "cpu", source.dtype, n_input, 5), seconds, memory=memory)


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Estimate]:
    """Return a function that estimates jobs with these past costs; all are missing but those that are `fresh`."""

    def tell(
        jobs: list[Job], *costs: Measurement, fresh: tuple[Job, ...] = (), workers: int = 1, **sizes: Any
    ) -> Estimate:
        Costs(tmp_path).record(costs)
        known = {**SIZES, **sizes}
        figures = [*(figure(one) for one in jobs), *(figure(one, "fresh") for one in fresh)]

        def read(source: ModelSource, fingerprint: str) -> Reader:
            return Reader(known[source.name], lambda text: len(text.split()), source is SMALL)

        return forecast(figures, jobs, Costs(tmp_path), read, workers=workers)

    return tell


PAST = (measured("(load)", 10.0), measured("(run)", 1.0), measured("saliency", 4.0), measured("rankings", 2.0))


def test_a_model_loads_once_and_a_text_runs_once(told: Callable[..., Estimate]) -> None:
    """Whatever asks about them: two texts, three answers; what is fresh costs nothing."""
    jobs = [job("one two three"), job("one two three", "rankings"), job("four five six")]
    estimate = told(jobs, *PAST, fresh=(job("a b c"),))
    (model,) = estimate.models
    assert model.seconds == estimate.seconds == estimate.elapsed == 10 + 2 * 1 + 2 * 4 + 2
    assert (model.figures, model.answers, model.runs) == (3, 3, 2)
    assert (model.input_tokens, model.output_tokens, model.counted) == (6, 10, True)
    assert (estimate.figures, estimate.answered) == (4, 1)
    assert (model.measured, model.unmeasured) == (("rankings", "saliency"), ())
    assert estimate.low < estimate.seconds < estimate.high


def test_workers_share_texts_and_each_loads_the_model(told: Callable[..., Estimate]) -> None:
    """The largest first: 9, 5, 5 and 5 seconds on two of them end after 14, and 10 later than without a model to load.

    Many of them take answers by themselves, each with a run of its text.
    """
    texts = ["one two three", "four five six", "seven eight nine", "ten eleven twelve"]
    jobs = [job(text) for text in texts] + [job(texts[0], "causal_trace")]
    past = (*PAST, measured("causal_trace", 4.0))
    assert told(jobs, *past, workers=2).elapsed == 10 + 14
    assert told(jobs, workers=100).elapsed == 10 + 5
    assert told(jobs, workers=1).elapsed == told(jobs).seconds == 10 + 9 + 3 * 5


def test_memory_is_what_was_measured_or_else_what_the_shape_says(told: Callable[..., Estimate]) -> None:
    """Weights in the model's own numbers; beside them the largest text's stream, attention, logits and a chunk."""
    (model,) = told([job("one two three")], *PAST).models
    assert model.weights == 4_000_000
    assert model.activations == 4 * (2 * 8 * 8 + 3 * 2 * 8**2 + 2 * 5 * 100) + (128 << 20)
    (model,) = told([job("one two three")], measured("saliency", 4.0, memory=77)).models
    assert model.activations == 77


def test_a_kind_that_was_never_measured_is_named(told: Callable[..., Estimate]) -> None:
    """Its time is a guess, and said to be one; so is that of a whole machine that has measured nothing."""
    estimate = told([job("one two three"), job("one two three", "ablation")], *PAST)
    assert estimate.models[0].unmeasured == ("ablation",)
    assert any("never measured here: ablation" in line for line in remarks(estimate))
    assert "never measured" not in rows(estimate)[0][-1]


def test_a_machine_without_a_past_says_so(told: Callable[..., Estimate]) -> None:
    """No number stands there as if it were known."""
    estimate = told([job("one two three", source=LARGE)], large=None)
    row = rows(estimate)[0]
    assert row[:6] == ("large", "1", "about 3 + 5", "unknown", "unknown", "cpu, bfloat16")
    assert row[6].startswith("never measured; perhaps ")
    said = " ".join(remarks(estimate))
    for part in ("nothing like it was measured", "tokens of large are a guess", "how large large is nobody knows"):
        assert part in said


def test_the_dearest_model_stands_first(told: Callable[..., Estimate]) -> None:
    """70 billion parameters cost more than a million, by their number alone."""
    estimate = told([job("one two three"), job("one two three", source=LARGE)], *PAST)
    assert [model.model for model in estimate.models] == ["large", "small"]
    assert estimate.models[0].seconds == pytest.approx(70_000 * estimate.models[1].seconds, rel=0.3)
    assert rows(estimate)[0][3:5] == ("70 B", "140 GB")


def test_the_table_and_its_remarks(told: Callable[..., Estimate]) -> None:
    """Word for word, for one that is all known."""
    past = [replace(one, memory=200_000_000) for one in PAST]
    estimate = told([job("one two three"), job("four five six")], *past, fresh=(job("a b c"),), workers=2)
    assert rows(estimate) == [("small", "2", "6 + 10", "1.0 M", "4 MB + 0.2 GB", "cpu, float32", "20 s (16 s to 26 s)")]
    assert list(remarks(estimate)) == [
        "2 of 3 figures to compute: about 20 s (16 s to 26 s) in one process",
        "with 2 workers, each as fast as that process: about 15 s",
        "tokens: of prompts + of outputs; memory: weights + what the largest text takes beside them",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.04, "0 s"), (0.44, "0.4 s"), (9.4, "9.4 s"), (9.6, "10 s"), (99, "99 s"), (100, "2 min"),
     (5_900, "98 min"), (6_000, "1 h 40 min"), (7_200, "2 h"), (40_000, "11 h"), (300_000, "3 days")],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    """Two digits are enough for a guess."""
    assert duration(seconds) == text


def test_amounts_and_sizes_are_said_as_people_say_them() -> None:
    """Parameters in millions and billions, bytes in units of a thousand."""
    assert [amount(n) for n in (12, 134_515_008, 1_540_000_000, 70_553_706_496, 999_900_000)] == [
        "12", "135 M", "1.5 B", "71 B", "1.0 B",
    ]  # fmt: skip
    assert [size(n) for n in (4_000, 3_000_000, 538_060_032, 141_107_412_992)] == ["4 KB", "3 MB", "0.5 GB", "141 GB"]


def test_a_checkpoint_is_measured_and_its_texts_are_counted(tmp_path: Path) -> None:
    """Parameters and bytes by the headers, tokens by its own tokenizer, as transformers counts them."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tiny.save_checkpoint("gpt2", tmp_path / "tiny")
    source = ModelSource("tiny", "./tiny", dtype="bfloat16")
    found = find_folder(source, tmp_path, fingerprint(source, tmp_path))
    assert found == folder
    known = find_size(source, found)
    network = AutoModelForCausalLM.from_pretrained(folder)
    assert known is not None
    assert known.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert known.weights == 2 * known.parameters
    assert (known.n_layers, known.d_model, known.n_heads) == (
        network.config.n_layer, network.config.n_embd, network.config.n_head,
    )  # fmt: skip
    assert known.generates
    count = make_counter(found)
    assert count is not None
    text = "The countries of the European Union are:\n1. Österreich"
    assert count(text) == len(AutoTokenizer.from_pretrained(folder)(text)["input_ids"])


def test_what_cannot_be_read_is_not_known(tmp_path: Path) -> None:
    """A folder that is not there, half a file, a tokenizer that is none: an estimate does without."""
    source = ModelSource("tiny", "./tiny")
    assert find_folder(source, tmp_path, "ab" * 32) is None
    assert find_size(source, None, frozen=True) is None
    assert find_folder(ModelSource("x", "pypi:nothing==1"), tmp_path, "ab" * 32) is None
    assert make_counter(None) is None
    broken = tmp_path / "broken"
    broken.mkdir()
    for name, content in (("config.json", "{"), ("tokenizer.json", "{"), ("model.safetensors", "short")):
        (broken / name).write_text(content)
    assert find_size(source, broken) is None
    assert make_counter(broken) is None


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the folder of a site with one figure, whose answer is missing."""
    tiny.save_checkpoint("gpt2", tmp_path / "tiny")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.fanlight]\nmodel = "tiny"\n[tool.fanlight.models.tiny]\nsource = "./tiny"\n'
    )
    (tmp_path / "content/a").mkdir(parents=True)
    body = ":::{figure}\n:analysis: saliency\n:prompt: The countries\n:generate: 3\n\nCaption.\n:::\n"
    (tmp_path / "content/a/article.md").write_text(f"---\ntitle: A\n---\n{body}")
    return tmp_path


def test_workers_are_those_that_a_build_would_start(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless somebody says how many: of a size that is read from the model's files."""
    read: list[ModelSize | None] = []

    def find_processes(batches: list[Batch], _costs: Costs, device: str, read_size: Callable[..., Any]) -> int:
        read.extend(map(read_size, batches))
        return 3 if device == "auto" else 0

    monkeypatch.setattr("builder.estimate.find_processes", find_processes)
    assert estimate(find_site(site)).workers == 3
    assert [size is not None and size.parameters > 0 for size in read] == [True]
    assert estimate(find_site(site), workers=2).workers == 2
    assert len(read) == 1


def test_the_command_runs_no_model_and_imports_none(site: Path) -> None:
    """An estimate of a site in JSON: neither torch nor transformers, which take longer than it."""
    program = (
        "import sys; from builder.__main__ import main; status = main(['status', '--estimate', '--json'])\n"
        "print(status, sorted({'torch', 'transformers', 'sklearn', 'pandas'} & set(sys.modules)), file=sys.stderr)"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(root), "FANLIGHT_CACHE": str(site / "cache"), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        cwd=site,
    )
    assert done.stderr.strip() == "0 []"
    (model,) = json.loads(done.stdout)["models"]
    assert (model["model"], model["figures"], model["output_tokens"], model["counted"]) == ("tiny", 1, 3, True)
    assert model["parameters"] > 0
    assert model["unmeasured"] == ["saliency"]
