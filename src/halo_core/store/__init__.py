"""All state of Halo, in SQLite or PostgreSQL: jobs run in one transaction each and are durable when the call returns.

Start at `Store.commit` (`store.store`); COMMIT is executed in `store.committer.commit_batch`. A job works with a
`Transaction`; views read with `store.reader`.
"""

from halo_core.ledger import commit_state
from halo_core.store.config import StoreConfig
from halo_core.store.deferred import Preparation
from halo_core.store.drafts import AppendedEntry, Draft, SealedFields
from halo_core.store.draining import Drained, Readiness
from halo_core.store.image import STORE_ID_PREFIX, Control
from halo_core.store.proven_entries import ProvenEntry, find_paused_decision, read_outcome
from halo_core.store.session_state import Account, SessionState
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

__all__ = [
    "STORE_ID_PREFIX",
    "Account",
    "AppendedEntry",
    "Control",
    "Draft",
    "Drained",
    "Preparation",
    "ProvenEntry",
    "Readiness",
    "SealedFields",
    "SessionState",
    "Store",
    "StoreConfig",
    "Transaction",
    "commit_state",
    "find_paused_decision",
    "read_outcome",
]
