"""Room: the store. Owns all state, one transaction per decision, SQLite. Takes: jobs. Gives: durable results."""

from halo_core.ledger import commit_state
from halo_core.store.batch import CommitFailed, Job
from halo_core.store.database import Database
from halo_core.store.proven import Proven, outcome_of, paused_run
from halo_core.store.state import Account, SessionState
from halo_core.store.store import Store, StoreConfig
from halo_core.store.tx import Control, Draft, Tx, Written, leaf_text

__all__ = [
    "Account",
    "CommitFailed",
    "Control",
    "Database",
    "Draft",
    "Job",
    "Proven",
    "SessionState",
    "Store",
    "StoreConfig",
    "Tx",
    "Written",
    "commit_state",
    "leaf_text",
    "outcome_of",
    "paused_run",
]
