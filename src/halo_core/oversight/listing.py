"""Room: what a challenge is about, in a line. Takes: a reader. Gives: agent, resource, codes. Never: asks who signed.

Whoever is to answer reads `questions.ask`, which believes no row and no entry that nobody signed.
"""

from __future__ import annotations

from dataclasses import dataclass

from halo_core.errors import HaloError
from halo_core.ledger import decode_entry
from halo_core.model import Entry, EntryKind
from halo_core.oversight.evidence import linked_entry
from halo_core.store.reader import Reader

__all__ = ["About", "about"]


@dataclass(frozen=True, slots=True)
class About:
    """Who asks, what for and why, by the request's entry; empty where it cannot be read."""

    agent: str = ""
    resource: str = ""
    codes: tuple[str, ...] = ()


def about(reader: Reader, tenant: str) -> dict[str, About]:
    """Id of a request → what it is about."""
    found = {}
    for _, note in reader.notes(tenant, (EntryKind.APPROVAL_REQUEST.value,)):
        try:
            entry = decode_entry(note)
            found[entry.id] = _about(reader, tenant, entry)
        except (HaloError, KeyError, TypeError, ValueError):
            continue  # `halo verify` says what is wrong with it
    return found


def _about(reader: Reader, tenant: str, entry: Entry) -> About:
    decision = linked_entry(reader, tenant, entry.body["decision"])
    codes = tuple(dict.fromkeys(str(reason["code"]) for reason in entry.body["reasons"]))
    return About(str(decision.body["request"]["subject"]["agent"]), str(entry.body["resource"]), codes)
