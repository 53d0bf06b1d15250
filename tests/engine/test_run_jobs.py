"""Batches: a model loads once, a run is made once, a finished result is kept, and all problems come together."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from builder.cache import Cache
from builder.engine import make_batches, run_batch, run_jobs
from builder.engine.loaded_models import LoadedModels
from builder.errors import BuildError, Problem
from builder.kind import Kind
from builder.progress import Silent

from .conftest import Ear, FakeModel, Source, answers, make_job


def test_jobs_of_one_run_share_it_and_results_reach_the_cache(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """Two analyses of one text generate it once."""
    jobs = [make_job(kind), make_job(kind, do="other"), make_job(kind, prompt="q")]
    cache = Cache(tmp_path)
    run_jobs(jobs, tmp_path, cache, Silent())
    assert [run.prompt for run in model.runs] == ["p", "q"]
    for job in jobs:
        result = cache.find(job.address)
        assert result is not None
        assert result.data["prompt"] == job.run.prompt
        assert result.provenance["model"] == "fake"
        assert result.provenance["prompt"] == job.run.prompt
        assert result.provenance["generation"]["generate"] == 2


def test_a_run_knows_what_its_figures_will_ask_for(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """All of a text's, whichever comes first; those of other texts are not among them."""
    needing = Kind("needing", shutil.copytree(kind.folder, tmp_path / "needing"))
    with (needing.folder / "analysis.py").open("a") as file:
        file.write('NEEDS = ("attention", "neurons")\n')
    jobs = [make_job(kind, line=1), make_job(needing, line=2), make_job(kind, line=3, prompt="q")]
    run_jobs(jobs, tmp_path, Cache(tmp_path), Silent())
    assert [(run.spec.prompt, sorted(run.expected)) for run in model.made] == [
        ("p", ["attention", "neurons"]),
        ("q", []),
    ]


def test_a_batch_is_the_jobs_of_one_text(kind: Kind, tmp_path: Path) -> None:
    """Those of a model follow each other, so that it loads once."""
    jobs = [make_job(kind, prompt=str(n % 3), do=str(n), model=m) for n in range(6) for m in ("a", "b")]
    batches = make_batches(jobs, tmp_path)
    assert [(b.source.name, {job.run.prompt for job in b.jobs}) for b in batches] == [
        (name, {prompt}) for name in "ab" for prompt in "012"
    ]
    assert sorted(j.address for b in batches for j in b.jobs) == sorted(j.address for j in jobs)


def test_a_batch_can_be_sent_to_another_process(kind: Kind, tmp_path: Path) -> None:
    """Pools and clusters pickle what they run."""
    batch = make_batches([make_job(kind)], tmp_path)[0]
    assert pickle.loads(pickle.dumps(batch)) == batch
    error = BuildError("missing x", Path("a.md"), 3)
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_problems_of_all_jobs_come_together_and_the_rest_is_kept(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """An author's error in one figure does not cost the answers of the others."""
    jobs = [make_job(kind, do="complain", line=5), make_job(kind, do="fail its check", line=7)]
    jobs += [make_job(kind, do="overflow", line=9), make_job(kind)]
    with pytest.raises(BuildError) as caught:
        run_jobs(jobs, tmp_path, Cache(tmp_path), Silent())
    failed = "sample of fake (SimpleNamespace) failed its check small: 0.5 is over 0, and is not published"
    assert [str(problem) for problem in caught.value.problems] == [
        "a.md:9: unknown contrast: x",
        f"a.md:7: invalid result: {failed}",
        "a.md:9: invalid result: sample has a number in it that is none (NaN or infinite)",
    ]
    assert list(Cache(tmp_path)) == [jobs[3].address]


def test_a_fault_of_ours_is_not_taken_for_the_authors(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """Anything but a `BuildError` passes through as it is, with a note that names the figure; what was done is kept."""
    jobs = [make_job(kind), make_job(kind, do="break", line=7)]
    with pytest.raises(RuntimeError, match="a fault of the kind's") as caught:
        run_jobs(jobs, tmp_path, Cache(tmp_path), Silent())
    assert caught.value.__notes__ == ["while computing sample for fig-7 (a.md:7)"]
    assert [frame.name for frame in caught.traceback][-1] == "analyse"
    assert list(Cache(tmp_path)) == [jobs[0].address]


def test_a_full_disk_is_told_in_plain_words(
    tmp_path: Path, kind: Kind, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a traceback, but what is wrong, and at once: what is computed next could not be kept either."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("builder.cache.results.write_atomically", full)
    cache = Cache(tmp_path)
    with pytest.raises(BuildError) as caught:
        run_jobs([make_job(kind), make_job(kind, prompt="q")], tmp_path, cache, Silent())
    told = Problem("broken cache: a result cannot be written: No space left on device", cache.folder)
    assert caught.value.problems == (told,)
    assert len(model.runs) == 1


def test_a_model_that_cannot_be_loaded_is_told_once_where_it_was_asked_for(
    tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One problem for the model, at the first figure that wants it; nobody tries again for the next text."""
    tried = []

    def fail(*_: object, **__: object) -> None:
        tried.append(1)
        raise BuildError("invalid checkpoint: model.safetensors is truncated")

    monkeypatch.setattr(LoadedModels, "load", fail)
    with pytest.raises(BuildError) as caught:
        run_jobs([make_job(kind), make_job(kind, prompt="q")], tmp_path, Cache(tmp_path), Silent())
    assert [str(p) for p in caught.value.problems] == ["a.md:8: invalid checkpoint: model.safetensors is truncated"]
    assert len(tried) == 1


def test_other_weights_than_the_plans_answer_nothing(tmp_path: Path, kind: Kind, tiny_source: Source) -> None:
    """An answer lies under the fingerprint of the weights that computed it, whatever happened since the plan."""
    source = tiny_source("gpt2")
    job = make_job(kind, source=source)
    config = Path(source.source) / "config.json"
    before = config.read_text()
    config.write_text(json.dumps({**json.loads(before), "x": 1}))
    try:
        with pytest.raises(BuildError, match="broken model: the weights of gpt2 are not those"):
            run_jobs([job], tmp_path, Cache(tmp_path), Silent())
    finally:
        config.write_text(before)
    assert list(Cache(tmp_path)) == []


def test_a_device_that_is_not_there_is_told_without_blaming_an_article(tmp_path: Path, kind: Kind) -> None:
    """`--device` is the command line's, so no figure is named."""
    with pytest.raises(BuildError) as caught:
        run_jobs([make_job(kind)], tmp_path, Cache(tmp_path), Silent(), device="hpu")
    (problem,) = caught.value.problems
    assert problem.message.startswith("invalid device: hpu cannot be had here: ")
    assert problem.path is None


def test_too_little_memory_is_told_at_the_figure(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """The text is too long for this machine, which is no fault of ours; the other figures are computed."""
    jobs = [make_job(kind, do="take all memory", line=5), make_job(kind)]
    with pytest.raises(BuildError) as caught:
        run_jobs(jobs, tmp_path, Cache(tmp_path), Silent())
    assert [str(p) for p in caught.value.problems] == [
        "a.md:5: unsupported size: sample needs more memory than there is"
    ]
    assert list(Cache(tmp_path)) == [jobs[1].address]


def test_a_listener_hears_of_every_job(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """The progress bar ends at its end."""
    ear = Ear()
    run_jobs([make_job(kind)], tmp_path, Cache(tmp_path), ear)
    assert (ear.n_jobs, ear.finished_) == (1, ["sample for fig-3"])


def test_what_a_batch_took_is_measured(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """The run that figures share apart from their own analyses."""
    batch = make_batches([make_job(kind), make_job(kind, do="other")], tmp_path)[0]
    outcome = run_batch(batch, Cache(tmp_path).put, lambda _: None)
    assert [(one.task.step, one.task.kind) for one in outcome.took] == [
        ("run", ""),
        ("answer", "sample"),
        ("answer", "sample"),
    ]
    assert outcome.done == tuple(job.address for job in batch.jobs)


def test_a_batch_stops_between_jobs_where_nobody_waits_any_more(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """A cluster's worker is not kept from others by a client that has gone; what is not done is not said to be."""
    jobs = [make_job(kind), make_job(kind, do="other")]
    asked = iter([True, False])
    outcome = run_batch(
        make_batches(jobs, tmp_path)[0], Cache(tmp_path).put, lambda _: None, is_wanted=lambda: next(asked)
    )
    assert outcome.done == (jobs[0].address,)
    assert answers(Cache(tmp_path), jobs)[1] is None


def test_models_stay_loaded_from_one_text_to_the_next(
    tmp_path: Path, kind: Kind, tiny_source: Source, monkeypatch: Any
) -> None:
    """Two models, four texts: each loads once."""
    import builder.model

    loaded = []
    load = builder.model.load_model
    monkeypatch.setattr(
        builder.model, "load_model", lambda c, device: loaded.append(c.source.name) or load(c, device=device)
    )
    jobs = [
        make_job(kind, prompt=p, source=tiny_source(m)) for p in ("1. Austria", "東京 は") for m in ("gpt2", "llama")
    ]
    run_jobs(jobs, tmp_path, Cache(tmp_path), Silent())
    assert sorted(loaded) == ["gpt2", "llama"]
    assert all(answers(Cache(tmp_path), jobs))


def test_what_a_killed_build_left_is_removed_when_something_is_computed(
    tmp_path: Path, kind: Kind, model: FakeModel
) -> None:
    """In whatever part of the user's cache: nobody else ever would."""
    left = tmp_path / "pictures" / "ab" / ".x.json.12.part"
    left.parent.mkdir(parents=True)
    left.touch()
    os.utime(left, (1e9, 1e9))
    run_jobs([], tmp_path, Cache(tmp_path), Silent())
    assert left.exists()
    run_jobs([make_job(kind)], tmp_path, Cache(tmp_path), Silent())
    assert not left.exists()
