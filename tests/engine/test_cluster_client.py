"""What a build needs to speak to a cluster: an address, and Dask only where something is computed."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from builder.arguments import parse
from builder.cache import Cache
from builder.engine import run_jobs
from builder.engine.cluster import Cluster
from builder.engine.dask import connect
from builder.engine.roster import Roster
from builder.engine.sent_kinds import SentKinds
from builder.errors import BuildError
from builder.kind import Kind
from builder.progress import Silent

from .conftest import ROOT, Ear, LocalCluster, Source, answers, make_job


@pytest.mark.parametrize(("there", "told"), [(set(), "yet"), ({"tcp://127.0.0.1:9"}, "has answered yet")])
def test_whom_the_build_waits_for_is_told(there: set[str], told: str) -> None:
    """Nobody, or those who are there and at somebody else's batch."""
    ear = Ear()
    cluster = Cluster("tcp://127.0.0.1:8786", SentKinds({}), "", lambda _: None, ear)
    cluster._looked, cluster._roster = math.inf, Roster(greeted=there, _waits=-1.0)
    assert cluster.workers() == []
    assert ear.messages == [f"no worker at tcp://127.0.0.1:8786 {told}; waiting for one (Ctrl-C stops)"]


def test_an_address_where_nobody_is_fails_soon(tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the problem, whatever layer it comes from."""
    monkeypatch.setattr("builder.engine.cluster.CONNECT", 1.0)
    with pytest.raises(BuildError, match=r"broken scheduler: tcp://127.0.0.1:9 does not answer as Dask's does: "):
        run_jobs([make_job(kind)], tmp_path, Cache(tmp_path), Silent(), scheduler="tcp://127.0.0.1:9")


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask is not installed with Fanlight."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BuildError, match=r'missing package: --scheduler needs Dask: pip install "fanlight\[cluster\]"'):
        connect("tcp://127.0.0.1:8786", 1.0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--scheduler", "127.0.0.1:8786"], "invalid address: '127.0.0.1:8786' is not like tcp://127.0.0.1:8786"),
        (["--scheduler", "tcp://127.0.0.1"], "invalid address"),
        (["--scheduler", "http://127.0.0.1:8787"], "invalid address"),
        (["--scheduler", "tcp://127.0.0.1:8786", "-j", "2"], "--scheduler has workers of its own"),
    ],
)
def test_wrong_addresses_are_told_before_anything_is_done(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command line itself."""
    with pytest.raises(SystemExit):
        parse(["build", *options])
    assert told in capsys.readouterr().err
    assert parse(["build", "--scheduler", "tls://[::1]:8786"]).scheduler == "tls://[::1]:8786"


def test_a_client_needs_no_torch(tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster) -> None:
    """What comes back is plain: a laptop that plans a site imports Dask and nothing larger."""
    program = (
        "import sys; from pathlib import Path; from builder.cache import Cache; from builder.engine import run_jobs\n"
        "from builder.progress import Silent; import pickle\n"
        "jobs, folder, address = pickle.loads(sys.stdin.buffer.read())\n"
        "run_jobs(jobs, folder, Cache(folder), Silent(), scheduler=address)\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    jobs = [make_job(kind, source=tiny_source("llama"), do="plain")]
    sent = pickle.dumps((jobs, tmp_path, cluster.address))
    done = subprocess.run([sys.executable, "-c", program], input=sent, capture_output=True, check=True, cwd=ROOT)
    assert done.stdout.decode().strip() == "[]"
    assert None not in answers(Cache(tmp_path), jobs)


def test_a_build_that_computes_nothing_imports_no_dask() -> None:
    """It takes half a second, and the scheduler is not asked."""
    program = (
        "import sys; from pathlib import Path; from builder import build, engine\n"
        "from builder.cache import Cache; from builder.progress import Silent\n"
        "engine.run_jobs([], Path(), Cache(Path()), Silent(), scheduler='tcp://127.0.0.1:9')\n"
        "print(sorted({'distributed', 'dask', 'torch', 'multiprocessing'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"
