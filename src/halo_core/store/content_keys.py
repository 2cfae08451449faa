"""The data keys of subjects in a transaction: making one, checking one, and opening what was sealed with it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from halo_core.errors import CannotDecide
from halo_core.ledger import (
    SubjectKey,
    compute_key_commitment,
    new_dek,
    open_attached,
    unwrap_dek,
    unwrap_key,
    wrap_dek,
)
from halo_core.model import LedgerEntry

if TYPE_CHECKING:
    from halo_core.store.transaction import Transaction

_QUERY: Final = "SELECT dek_wrapped, commitment, erased_at_us FROM vault WHERE tenant=? AND subject=?"


def load_content_key(tx: Transaction, subject: str) -> tuple[bytes, bytes]:
    """A subject's data key, made if there is none, and the commitment to it; memory remembers both.

    Raises:
        CannotDecide: `subject_erased`; `ledger_unwritable`, the row was changed or not kept.
    """
    image = tx.image
    row = tx.cursor.execute(_QUERY, (tx.tenant, subject)).fetchone()
    if row is None:
        dek = new_dek(os.urandom)
        commitment = compute_key_commitment(dek)
        wrapped = wrap_dek(image.kek, dek, tx.tenant, subject, os.urandom(24))
        tx.insert("INSERT INTO vault VALUES (?,?,?,?,NULL)", (tx.tenant, subject, wrapped, commitment))
        return image.remember_key(subject, dek, commitment)
    if row[2] is not None:
        raise CannotDecide("subject_erased", f"the data of `{subject}` was erased", remedy="use another subject")
    dek = image.find_opened_key(subject) or unwrap_dek(image.kek, row[0], tx.tenant, subject)
    # INVARIANT: AUDIT - what is sealed under a commitment that is not the key's could never be shown to be it.
    if compute_key_commitment(dek) != row[1]:
        raise CannotDecide("ledger_unwritable", f"the key row of `{subject}` was changed", remedy="run `halo verify`")
    return image.remember_key(subject, dek, row[1])


def open_content(tx: Transaction, entry: LedgerEntry, name: str) -> bytes | None:
    """A sealed field of an entry; None where it was erased or never written.

    Raises:
        Tampered: what is stored is not what the entry committed to.
    """
    row = tx.cursor.execute(
        "SELECT sealed, marks FROM entry WHERE tenant=? AND w=? AND ws=?", (tx.tenant, entry.writer, entry.seq)
    ).fetchone()
    if row is None or row[0] is None:
        return None

    def find_key(subject: str) -> SubjectKey | None:
        vault = tx.cursor.execute(_QUERY, (tx.tenant, subject)).fetchone()
        if vault is None or vault[2] is not None:
            return None if vault is None else (None, vault[1])
        return unwrap_key(tx.image.kek, vault[0], vault[1], tx.tenant, subject)

    return open_attached(find_key, entry.tenant, entry.attached, row[0], row[1]).get(name)
