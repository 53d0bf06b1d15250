"""What answers took before on this machine, and what others will take: for the order of work, and for estimates.

The engine measures; whoever has the user's cache records:

    costs = open_costs()
    jobs.sort(key=costs.cost, reverse=True)               # largest first; asks no model and no network
    took = Measurement(Task.of(job, run), seconds=1.2)    # picklable: a cluster's workers send theirs to the client
    costs.record([took])                                  # once a batch; with `place="tcp://…"` for a cluster's

`Task.of(job, run, step="run")` is the generation and the forward pass that figures of one run share,
`Task.of(job, run, step="load")` a model's way into memory. None of it is part of a result: the same question makes the
same bytes, however long it took.
"""

from __future__ import annotations

from .history import Costs, Expected, open_costs
from .task import Measurement, Step, Task, text_length

__all__ = ["Costs", "Expected", "Measurement", "Step", "Task", "open_costs", "text_length"]
