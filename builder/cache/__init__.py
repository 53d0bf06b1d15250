"""Answers on disk under their content address: the user's own, a site's, and those that people and machines share.

cache = open_cache(site)
cache.bring(questions)         # out of the shared place, what is not here; the only time it is asked
cache.find(address, kind)      # a Result or None; asks this machine's disk alone
cache.put(result, pieces)      # here, and at the shared place
cache.warnings()               # what the shared place refused since this was last asked
"""

from __future__ import annotations

from .inside import is_inside, leads_out
from .ledger import Ledger
from .results import ANSWERS, Cache, find_kept, open_cache
from .shared import Shared, open_shared
from .whole import last_byte, remove_parts, write_atomically

__all__ = [
    "ANSWERS",
    "Cache",
    "Ledger",
    "Shared",
    "find_kept",
    "is_inside",
    "last_byte",
    "leads_out",
    "open_cache",
    "open_shared",
    "remove_parts",
    "write_atomically",
]
