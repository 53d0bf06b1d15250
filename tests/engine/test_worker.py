"""What a worker of a cluster does with the answers of one batch after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builder.cache import Shared
from builder.engine import make_batches, worker
from builder.engine.sent_kinds import SentKinds
from builder.figure import Result
from builder.kind import Kind

from .conftest import make_job


class Gone:
    """A place that refuses, and counts how often it was asked."""

    name = "s3://bucket"

    def __init__(self) -> None:
        self.asked = 0

    def read(self, *_: Any) -> dict[str, bytes]:
        """Find nothing."""
        return {}

    def write(self, *_: Any) -> None:
        """Refuse."""
        self.asked += 1
        raise TimeoutError("no answer in 31 s")


def test_a_place_that_does_not_answer_is_not_asked_with_each_batch(
    tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time costs half a minute of a worker's; what it has goes back with the batch instead."""
    gone = Gone()
    monkeypatch.setattr(worker, "open_shared", lambda *_: Shared(gone))
    told = []
    for number in range(3):
        (batch,) = make_batches([make_job(kind, prompt=str(number))], tmp_path)
        store = worker._Store(worker.Parcel(batch, SentKinds({}), "topic", f"s3://{tmp_path}"), batch)
        store(Result(batch.jobs[0].address, kind.name, {"x": 1}, {}, {}), {})
        assert [result.data for result, _ in store.results] == [{"x": 1}]
        assert store.shared == []
        told += store.warnings
    assert gone.asked == 1
    assert len(told) == 1
