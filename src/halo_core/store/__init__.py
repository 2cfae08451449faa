"""Room: the store. Owns all state, one transaction per decision, SQLite. Takes: jobs. Gives: durable results."""

from halo_core.ledger import commit_state
from halo_core.store.committer import CommitFailed, Job
from halo_core.store.database import Database
from halo_core.store.session_state import Account, SessionState
from halo_core.store.store import Store, StoreConfig
from halo_core.store.transaction import AppendedEntry, Control, Draft, Transaction, encode_leaf
from halo_core.store.writer_chains import ProvenEntry, find_paused_decision, read_outcome

__all__ = [
    "Account",
    "AppendedEntry",
    "CommitFailed",
    "Control",
    "Database",
    "Draft",
    "Job",
    "ProvenEntry",
    "SessionState",
    "Store",
    "StoreConfig",
    "Transaction",
    "commit_state",
    "encode_leaf",
    "find_paused_decision",
    "read_outcome",
]
