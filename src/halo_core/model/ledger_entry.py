"""The ledger entry as a value; `halo_core.ledger.notes` turns it into signed bytes and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

ENTRY_VERSION = 1
"""Format of an entry. Entries are never rewritten, so a reader keeps every version it ever wrote."""


class EntryKind(StrEnum):
    """What an entry records."""

    WRITER_OPEN = "writer_open"
    WRITER_CLOSE = "writer_close"
    DECISION = "decision"
    OUTCOME = "outcome"
    APPROVAL_REQUEST = "approval_request"
    PASSPORT = "passport"
    MANIFEST = "manifest"
    POLICY = "policy"
    REGISTRATION = "registration"
    MODE = "mode"
    SHADOW = "shadow"
    HANDBACK = "handback"
    APPROVAL = "approval"
    AUTHORITY = "authority"
    STOP = "stop"
    LIFT = "lift"
    REVOCATION = "revocation"
    BASELINE = "baseline"
    ALERT = "alert"
    FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry: common head and a body that depends on the kind.

    Args:
        id: UUIDv7.
        tenant: whose log.
        session: the session it belongs to, empty for housekeeping.
        writer: id of the writer (one per process and opening).
        seq: the writer's own sequence from 0, without gaps.
        prev: base64 leaf hash of the writer's previous entry, empty for seq 0.
        ts_us: wall clock, microseconds since the epoch.
        mono_us: monotonic clock of the process, microseconds.
        kind: what it records.
        assurance: `dev`, the only one so far: keys were generated on the machine that decides.
        body: canonical tree.
        content: field name → sealed content reference (`c`: commitment, `x`: digest of the ciphertext), base64.
    """

    id: str
    tenant: str
    session: str
    writer: str
    seq: int
    prev: str
    ts_us: int
    mono_us: int
    kind: EntryKind
    assurance: str
    body: Mapping[str, Any]
    content: Mapping[str, Mapping[str, str]]

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "assurance": self.assurance,
            "body": self.body,
            "content": self.content,
            "id": self.id,
            "kind": self.kind.value,
            "mono_us": self.mono_us,
            "prev": self.prev,
            "session": self.session,
            "tenant": self.tenant,
            "ts_us": self.ts_us,
            "v": ENTRY_VERSION,
            "w": self.writer,
            "ws": self.seq,
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> LedgerEntry:
        """Inverse of `to_plain`; ValueError on a version this reader does not know."""
        if tree["v"] != ENTRY_VERSION:
            raise ValueError(f"unknown entry version {tree['v']}")
        return cls(
            id=tree["id"],
            tenant=tree["tenant"],
            session=tree["session"],
            writer=tree["w"],
            seq=tree["ws"],
            prev=tree["prev"],
            ts_us=tree["ts_us"],
            mono_us=tree["mono_us"],
            kind=EntryKind(tree["kind"]),
            assurance=tree["assurance"],
            body=tree["body"],
            content=tree["content"],
        )
