"""Room: enrolling and withdrawing approvers. Takes: a store, authorities, a key. Gives: entries. Never: signs."""

from __future__ import annotations

import base64
from typing import Any

from halo_core.authorities import Authorities
from halo_core.keys import key_id
from halo_core.model import EntryKind
from halo_core.store import Draft, Store, Tx

__all__ = ["enrol", "record_withdrawal", "withdraw"]


def enrol(store: Store, authorities: Authorities, *, name: str, public_key: bytes, by: str, now_us: int) -> str:
    """Let `name` answer challenges with this key from now on; the key's thumbprint.

    Raises:
        BadInput: `weak_key`.
        ConfigError: as `Authorities.add_approver`; then nothing is recorded either.
        CannotDecide: it could not be recorded; then nobody is enrolled.
    """
    body = {
        "act": "enrol",
        "by": by,
        "key": base64.b64encode(public_key).decode("ascii"),
        "kid": key_id(public_key),
        "name": name,
        "role": "approver",
        "since_us": now_us,
    }

    def job(tx: Tx) -> str:
        # Recorded in the same transaction: what cannot be written down is not enrolled.
        tx.append(Draft(EntryKind.AUTHORITY, "", body))
        return authorities.add_approver(tx.tenant, name, public_key, now_us)

    kid: str = store.commit(job)
    return kid


def withdraw(authorities: Authorities, tenant: str, *, name: str, now_us: int) -> list[str]:
    """Let `name` answer no longer; the thumbprints withdrawn, to be recorded with `record_withdrawal`.

    The file comes first: who is no longer trusted is not trusted although the ledger cannot be written.

    Raises:
        ConfigError: as `Authorities.withdraw_approver`.
    """
    return authorities.withdraw_approver(tenant, name, now_us)


def record_withdrawal(tx: Tx, kids: list[str], *, name: str, by: str, now_us: int) -> None:
    """Write down what `withdraw` did."""
    for kid in kids:
        body: dict[str, Any] = {"act": "withdraw", "by": by, "kid": kid, "name": name, "role": "approver"}
        tx.append(Draft(EntryKind.AUTHORITY, "", {**body, "until_us": now_us}))
