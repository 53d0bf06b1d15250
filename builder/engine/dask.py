"""How Dask is spoken to: it is imported where it is needed, connected to with patience, and kept from the terminal."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

from ..errors import BuildError

__all__ = ["connect", "count_deaths", "hush"]


def connect(address: str, patience: float) -> Any:
    """Return a `distributed.Client` of the scheduler at an address.

    Raises `BuildError` where none answers, and where Dask is not installed.
    TLS is set up as Dask has it: https://distributed.dask.org/en/stable/tls.html
    """
    try:
        import dask
        import distributed
    except ImportError as error:
        raise BuildError('missing package: --scheduler needs Dask: pip install "fanlight[cluster]"') from error
    _silence()
    patient = {"distributed.comm.timeouts.connect": f"{patience}s"}
    try:
        with hush(), dask.config.set(patient):
            client: Any = distributed.Client
            return client(address, timeout=patience, set_as_default=False, name="fanlight", direct_to_workers=False)
    except Exception as error:  # of many layers, each with its own
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BuildError(f"broken scheduler: {address} does not answer as Dask's does: {why}") from error


def count_deaths(error: Exception) -> int:
    """Return how many workers died of a task, by an error that says so; 0 by any other."""
    from distributed.scheduler import KilledWorker

    return int(error.allowed_failures) + 1 if isinstance(error, KilledWorker) else 0


@contextlib.contextmanager
def hush() -> Iterator[None]:
    """Within: no warnings, of large messages and other versions, say; what matters is an error of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _silence() -> None:
    """Keep Dask's loggers from the terminal: what they tell of a lost connection is told in a sentence of ours."""
    for name in ("distributed", "tornado", "asyncio", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado") or name == "asyncio":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
