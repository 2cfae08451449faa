"""Data keys of subjects in a transaction: makes and checks them, and opens what was sealed with one.

Data keys are wrapped by the content key of the home, which each erasure replaces. Other processes and hosts learn the
new one from the database, where it is stored wrapped under the one before (`follow_content_key`), and put it into their
home.
"""

from __future__ import annotations

import os
from typing import Final

from halo_core.crypto.keys import KeyStore
from halo_core.errors import CannotDecide
from halo_core.ledger import (
    SubjectKey,
    compute_key_commitment,
    follow_content_key,
    new_dek,
    open_attached,
    unwrap_dek,
    unwrap_key,
    wrap_dek,
)
from halo_core.model import LedgerEntry
from halo_core.store.cached_rows import ContentKey
from halo_core.store.engine import Engine
from halo_core.store.image import TenantImage
from halo_core.store.row_access import RowAccess

_QUERY: Final = "SELECT dek_wrapped, commitment, erased_at_us FROM vault WHERE tenant=? AND subject=?"
_LATER: Final = (
    "SELECT subject, dek_wrapped, commitment, erased_at_us FROM vault WHERE tenant=? AND subject>=? AND subject<?"
)


def load_content_key(tx: RowAccess, subject: str) -> ContentKey:
    """The key for new content of a subject, created if missing; cached in memory.

    INVARIANT: ERASE - a key that was erased is not made again: what comes later is sealed with a new one, which opens
    nothing of what was before.

    Raises:
        CannotDecide: `ledger_unwritable`, the row was changed or not kept.
    """
    name, row = subject, tx.cursor.execute(_QUERY, (tx.tenant, subject)).fetchone()
    if row is not None and row[2] is not None:
        name, row = _find_later_key(tx, subject)
    kek = refresh_content_key(tx.database, tx.image)
    if row is None:
        dek = new_dek(os.urandom)
        commitment = compute_key_commitment(dek)
        wrapped = wrap_dek(kek, dek, tx.tenant, name, os.urandom(24))
        tx.insert("INSERT INTO vault VALUES (?,?,?,?,NULL)", (tx.tenant, name, wrapped, commitment))
        return tx.image.remember_key(subject, ContentKey(dek, commitment, name))
    dek = unwrap_dek(kek, row[0], tx.tenant, name)
    # INVARIANT: AUDIT - what is sealed under a commitment that is not the key's could never be shown to be it.
    if compute_key_commitment(dek) != row[1]:
        raise CannotDecide("ledger_unwritable", f"the key row of `{name}` was changed", remedy="run `halo verify`")
    return tx.image.remember_key(subject, ContentKey(dek, row[1], name))


def _find_later_key(tx: RowAccess, subject: str) -> tuple[str, tuple[bytes, bytes, None] | None]:
    """The newest subject name after an erasure, and its row; None if that name is still free."""
    later_rows = tx.cursor.execute(_LATER, (tx.tenant, f"{subject}#", f"{subject}$")).fetchall()
    live = [row for row in later_rows if row[3] is None]
    if live:
        return live[0][0], (live[0][1], live[0][2], None)
    return f"{subject}#{len(later_rows) + 1}", None


def is_erased(tx: RowAccess, subject: str) -> bool:
    """Whether a subject's data was erased as a whole, so that others write nothing more about it."""
    row = tx.cursor.execute(
        "SELECT 1 FROM vault WHERE tenant=? AND subject=? AND erased_at_us IS NOT NULL AND length(dek_wrapped)=0",
        (tx.tenant, subject),
    ).fetchone()
    return row is not None


def strip_number(subject: str) -> str:
    """The subject of a box or row, without the number of its key."""
    return subject.partition("#")[0]


def refresh_content_key(database: Engine, image: TenantImage) -> bytes:
    """The content key in force; stored in the home if it replaced the home's key.

    Raises:
        Tampered: `bad_wrapped_key`, the row with the newer key was changed.
    """

    def find_row(name: str) -> bytes | None:
        row = database.execute(_QUERY, ("", name)).fetchone()
        return None if row is None else bytes(row[0])

    kek = follow_content_key(image.kek, find_row)
    if kek != image.kek:
        KeyStore(image.home).replace_secret("content", image.kek, kek)
        image.kek = kek
        image.keys.clear()
    return kek


def open_content(tx: RowAccess, entry: LedgerEntry, name: str) -> bytes | None:
    """A sealed field of an entry; None if it was erased or never written.

    Raises:
        Tampered: what is stored is not what the entry committed to.
    """
    row = tx.cursor.execute(
        "SELECT sealed, marks FROM entry WHERE tenant=? AND w=? AND ws=?", (tx.tenant, entry.writer, entry.seq)
    ).fetchone()
    if row is None or row[0] is None:
        return None
    kek = refresh_content_key(tx.database, tx.image)

    def find_key(subject: str) -> SubjectKey | None:
        vault = tx.cursor.execute(_QUERY, (tx.tenant, subject)).fetchone()
        return None if vault is None else unwrap_key(kek, bytes(vault[0]), vault[1], tx.tenant, subject)

    return open_attached(find_key, entry.tenant, entry.attached, row[0], row[1]).get(name)
