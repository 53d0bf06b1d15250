"""What past tasks took says what others will take; the record of it is bounded, shared and never in the way."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.costs import Costs, Measurement, Task, open_costs
from builder.costs import history as history_module
from builder.costs.usual import REFERENCE, usual
from builder.figure import RunSpec
from builder.folders import built_in
from builder.kind import load_kinds
from builder.model_source import ModelSource
from builder.plan import Job, Question

KINDS = load_kinds([built_in("figures")])
TASK = Task("answer", "saliency", model="weights", parameters=1_000, n_input=50, n_output=50)


def costs_of(folder: Path, *measured: Measurement) -> Costs:
    """Return costs that hold these measurements."""
    Costs(folder).record(measured)
    return Costs(folder)


def job(kind: str = "saliency", prompt: str = "p" * 40, generate: int = 20, **params: Any) -> Job:
    """Return a job of a built-in kind."""
    run = RunSpec("m", prompt, generate)
    values = {**vars(KINDS[kind].analysis.Params()), **params}
    question = Question(kind, "code", "weights", run, values, {})
    return Job(question.address, question, KINDS[kind], ModelSource("m", "./m"), run, ())


def test_the_same_task_takes_what_it_took(tmp_path: Path) -> None:
    """The median of what was measured, and a range around it."""
    costs = costs_of(tmp_path, *(Measurement(TASK, seconds, memory=7) for seconds in (9.0, 4.0, 5.0)))
    found = costs.expect(TASK)
    assert found.seconds == 5
    assert found.low < 4
    assert 9 < found.high < 18
    assert (found.measured, found.memory) == (3, 7)


@pytest.mark.parametrize(("growth", "expected"), [(1.6, 1.6), (0.3, 1.0), (5.0, 2.2)])
def test_growth_is_learnt_from_two_sizes(tmp_path: Path, growth: float, expected: float) -> None:
    """On a line of logarithms, between linear and a little more than square."""
    twice = replace(TASK, n_input=100, n_output=100)
    costs = costs_of(tmp_path, Measurement(TASK, 1.0), Measurement(twice, 2.0**growth))
    four_times = replace(TASK, n_input=200, n_output=200)
    assert costs.expect(four_times).seconds == pytest.approx(2.0**growth * 2.0**expected, rel=1e-6)


def test_with_one_size_the_kinds_usual_growth_is_taken(tmp_path: Path) -> None:
    """Saliency of all outputs is square: twice the text and twice the outputs are four times the work."""
    costs = costs_of(tmp_path, Measurement(TASK, 3.0))
    assert costs.expect(replace(TASK, n_input=100, n_output=100)).seconds == pytest.approx(12)
    assert costs.expect(replace(TASK, n_input=75, n_output=25)).seconds == pytest.approx(1.5)


def test_a_larger_model_takes_longer_in_proportion_and_is_less_certain(tmp_path: Path) -> None:
    """Ten times the parameters are ten times the work; the range is wider than for a model that was measured."""
    costs = costs_of(tmp_path, Measurement(TASK, 3.0))
    known, other = costs.expect(TASK), costs.expect(replace(TASK, model="other", parameters=10_000))
    assert other.seconds == pytest.approx(30)
    assert other.high / other.seconds > known.high / known.seconds


def test_the_nearest_past_task_counts(tmp_path: Path) -> None:
    """Of the same method before another, on the same device before another, of this machine before a cluster."""
    costs = costs_of(
        tmp_path,
        Measurement(TASK, 1.0),
        Measurement(replace(TASK, variant="method=occlusion"), 20.0),
        Measurement(replace(TASK, device="cuda"), 0.1),
        Measurement(TASK, 7.0, place="tcp://host:8786"),
    )
    assert costs.expect(TASK).seconds == 1
    assert costs.expect(replace(TASK, variant="method=occlusion")).seconds == 20
    assert costs.expect(replace(TASK, device="cuda")).seconds == 0.1
    assert costs.expect(TASK, "tcp://host:8786").seconds == 7
    assert costs.device == "cuda"


def test_what_was_never_measured_is_said_to_be_and_is_in_proportion(tmp_path: Path) -> None:
    """On a machine that is twice as slow as the table's, everything is taken to be; the range is wide."""
    reference = replace(REFERENCE, kind="rankings")
    table = usual(reference).seconds
    assert Costs(tmp_path).expect(reference).seconds == pytest.approx(table)
    costs = costs_of(
        tmp_path, Measurement(replace(REFERENCE, kind="factors"), 2 * usual(Task("answer", "factors")).seconds)
    )
    found = costs.expect(reference)
    assert found.measured == 0
    assert found.seconds == pytest.approx(2 * table)
    assert found.high >= 4 * found.seconds
    assert costs.expect(replace(REFERENCE, kind="of_ones_own")).seconds > 0


def test_steps_of_integrated_gradients_are_in_proportion(tmp_path: Path) -> None:
    """A fifth of the steps is a fifth of the work, whether they were measured or are only usual."""
    gradients = replace(TASK, variant="method=integrated_gradients")
    few = replace(gradients, variant="method=integrated_gradients steps=10")
    assert usual(few).seconds_of(few) == pytest.approx(usual(gradients).seconds_of(gradients) / 5)
    assert costs_of(tmp_path, Measurement(gradients, 10.0)).expect(few).seconds == pytest.approx(2)


def test_loading_does_not_depend_on_the_text(tmp_path: Path) -> None:
    """It takes as long for a word as for a book."""
    load = replace(TASK, step="load", kind="")
    costs = costs_of(tmp_path, Measurement(load, 2.0), Measurement(replace(load, n_input=900), 2.0))
    assert costs.expect(replace(load, n_input=5_000)).seconds == pytest.approx(2)


def test_jobs_are_ordered_by_what_they_take(tmp_path: Path) -> None:
    """Longer texts and dearer methods first, on a machine that has measured nothing yet, too."""
    jobs = [
        job("tokens"),
        job(generate=10),
        job(generate=40),
        job(generate=40, method="integrated_gradients"),
        job(prompt="p" * 2_000, generate=40, method="integrated_gradients"),
    ]
    found = Costs(tmp_path).cost
    assert [found(one) for one in jobs] == sorted(found(one) for one in jobs)
    assert len({found(one) for one in jobs}) == len(jobs)


def test_a_job_is_a_task_with_what_its_cost_depends_on() -> None:
    """Tokens by characters, the parameters that are not as usual; the answer's text is none of them."""
    assert Task.of(job(generate=20, method="occlusion", contrast=" Rome")) == Task(
        "answer", "saliency", "method=occlusion", "weights", n_input=10, n_output=20
    )
    assert Task.of(job("activations", layers=("4-9", "all"))).variant == "layers=4-9,all"
    assert Task.of(job(generate=20), step="run") == Task("run", model="weights", n_input=10, n_output=20)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"\xff", b'{"task":3,"seconds":1}', b'{"task":{"step":"answer"},"seconds":"1"}',
     b'{"task":{"step":"answer","n_input":-1},"seconds":1}', b'{"task":{"step":"answer"},"seconds":NaN}',
     b'{"task":{"step":"answer","n_input":1.5},"seconds":1}', b'{"task":{"step":"answer","new":1},"seconds":1}',
     b'{"task":{"step":["answer"]},"seconds":1}', b"[" * 100_000],
)  # fmt: skip
def test_a_line_that_is_none_is_passed_over(tmp_path: Path, line: bytes) -> None:
    """The end of one that a power cut left, or of another version: the others stand, and the next is whole."""
    costs_of(tmp_path, Measurement(TASK, 1.0))
    with (tmp_path / "costs.jsonl").open("ab") as file:
        file.write(line)
    costs = costs_of(tmp_path, Measurement(TASK, 2.0))
    assert [one.seconds for one in costs.measurements] == [1, 2]
    assert costs.expect(TASK).measured == 2


def test_the_file_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go; what stays is whole."""
    monkeypatch.setattr(history_module, "MOST", 2_000)
    monkeypatch.setattr(history_module, "KEPT", 4)
    for seconds in range(40):
        Costs(tmp_path).record([Measurement(TASK, float(seconds))])
    assert (tmp_path / "costs.jsonl").stat().st_size <= 2_000
    found = [one.seconds for one in Costs(tmp_path).measurements]
    assert found[-4:] == [36, 37, 38, 39]
    assert not list(tmp_path.glob("*.part"))


def _record(folder: str, n: int) -> None:
    for turn in range(25):
        Costs(Path(folder)).record([Measurement(TASK, float(n), threads=turn)])


def test_processes_record_at_once(tmp_path: Path) -> None:
    """No line is lost or torn."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_record, args=(str(tmp_path), n)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = [(one.seconds, one.threads) for one in Costs(tmp_path).measurements]
    assert sorted(found) == [(float(n), turn) for n in range(3) for turn in range(25)]


def test_a_disk_that_refuses_fails_no_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers are stored; what they took is not worth an error."""
    (tmp_path / "file").touch()
    Costs(tmp_path / "file" / "x").record([Measurement(TASK, 1.0)])
    assert Costs(tmp_path / "file" / "x").measurements == ()
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path))
    open_costs().record([Measurement(TASK, 1.0)])
    assert len(open_costs().measurements) == 1
