"""Signals that end a command: what becomes of processes that it has forked."""

from __future__ import annotations

import os
import signal

import pytest

from builder.commands.ending import Ended, ended_by_signals


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_forked_process_ends_where_its_parent_is_interrupted() -> None:
    """An exception would be taken for the answer of the task that it runs, and be sent to the parent."""
    with ended_by_signals():
        child = os.fork()
        if child == 0:
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                os._exit(1)  # not reached: the handler has ended the process
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
        with pytest.raises(Ended):
            signal.raise_signal(signal.SIGTERM)
