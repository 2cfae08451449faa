"""Which policy a process decides by, as entries: `put_policy_in_force`.

INVARIANT: AUDIT - before its first decision by a policy, and after each change, a writer appends an entry that names
it; so verification compares each decision with the policy that its writer had put in force, also where it changed back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from halo_core.model import EntryKind
from halo_core.os_user import describe_os_user
from halo_core.store.drafts import Draft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halo_core.store.transaction import Transaction


def put_policy_in_force(tx: Transaction, policy: str, sources: Sequence[str] = ()) -> None:
    """Record that this writer decides by a policy from now on, unless it does already.

    Args:
        tx: the transaction.
        policy: hash of its text in the store.
        sources: names of its files.
    """
    if tx.image.policy == policy:
        return
    control = tx.load_control()
    if control.policy != policy:
        tx.put_control(replace(control, version=control.version + 1, policy=policy))
    # Of a policy whose text this tenant has not stored (credentials of another one) no blob can be named.
    name = "hash" if tx.load_blob(policy) is not None else "unstored"
    body: dict[str, Any] = {name: policy, "sources": list(sources)}
    tx.append(Draft(EntryKind.POLICY, "", body, actor=describe_os_user()))
    tx.image.policy = policy
