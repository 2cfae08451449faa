"""Texts of manifests in the store: by them the log knows what was in force, whoever has changed a file since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halo_core.errors import CannotDecide
from halo_core.manifest import DEFAULT_HOLD_S, UnusedGrants
from halo_core.model import EntryKind
from halo_core.os_user import describe_os_user
from halo_core.store.drafts import Draft
from halo_core.store.transaction import Transaction

if TYPE_CHECKING:
    from halo_core.manifest import Manifest


def store_manifest(tx: Transaction, manifest: Manifest) -> None:
    """Store the text of a manifest, with an entry if it is new.

    Raises:
        CannotDecide: `ledger_unwritable`, the store has another text of this name.
    """
    data = manifest.text.encode("utf-8")
    if tx.put_blob(manifest.hash, data):
        body = {"hash": manifest.hash, "source": manifest.source}
        tx.append(Draft(EntryKind.MANIFEST, "", body, actor=describe_os_user()))
    elif tx.load_blob(manifest.hash) != data:
        raise CannotDecide("ledger_unwritable", "the store has another manifest here", remedy="run `halo verify`")


def has_terms(manifest: Manifest) -> bool:
    """Whether a manifest says something of an agent that stands neither in a passport nor in a registration."""
    return manifest.suspend_people_at is not None or any(
        section.role != name
        or section.suspend_at is not None
        or section.hold_for_s != DEFAULT_HOLD_S
        or section.unused_grants != UnusedGrants()
        for name, section in manifest.agents.items()
    )
