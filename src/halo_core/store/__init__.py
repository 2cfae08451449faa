"""All state of Halo, in a SQLite database: jobs run in one transaction each and are durable when the call returns.

Start at `Store.commit` (`store.store`); COMMIT is executed in `store.committer.commit_batch`. A job works with a
`Transaction`; views read with `store.reader.Reader` and `store.log`.
"""

from halo_core.ledger import commit_state
from halo_core.store.session_state import Account, SessionState
from halo_core.store.store import Store, StoreConfig
from halo_core.store.transaction import AppendedEntry, Control, Draft, Transaction, encode_leaf
from halo_core.store.writer_chains import ProvenEntry, find_paused_decision, read_outcome

__all__ = [
    "Account",
    "AppendedEntry",
    "Control",
    "Draft",
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
