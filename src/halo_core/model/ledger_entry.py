"""The ledger entry as a value; `halo_core.ledger.notes` turns it into signed bytes and back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from halo_core.quick_dataclass import dataclass

ENTRY_VERSION = 3
"""Format of an entry. A ledger of another version is refused."""


DEFAULT_ASSURANCE: Final = "dev"
"""Assurance of an entry that does not state one."""


class EntryKind(StrEnum):
    """The kinds of entries."""

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
    STANDING_ANSWER = "standing_answer"
    KNOWN = "known"
    HELD = "held"
    DRILL = "drill"
    CONTROL = "control"
    ACCESS = "access"
    PROFILE = "profile"
    IDENTITY = "identity"
    GRANTS = "grants"
    OVERRIDE = "override"
    REVERSAL = "reversal"
    REVIEW = "review"
    INVENTORY = "inventory"
    ACKNOWLEDGEMENT = "acknowledgement"
    ERASURE = "erasure"
    LEGAL_HOLD = "legal_hold"
    RETENTION = "retention"
    CONTROL_WAIVER = "control_waiver"
    INCIDENT = "incident"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry: a common head, and a body that depends on the kind.

    Tenant and writer stand in the name of the key that signs the entry, and not in its text.

    Args:
        tenant: whose log.
        session: the session it belongs to, empty for housekeeping.
        writer: id of the writer (one per process and opening).
        seq: the writer's own sequence from 0, without gaps.
        prev: base64 leaf hash of the writer's previous entry, empty for seq 0.
        ts_us: wall clock, microseconds since the epoch.
        kind: what it records.
        assurance: `dev`, the only one so far: keys were generated on the machine that decides.
        body: canonical tree.
        content: names of the sealed fields beside the entry, sorted.
        attached: base64 digest of what is stored beside the entry (sealed fields, fingerprints), empty for nothing.
    """

    tenant: str
    session: str
    writer: str
    seq: int
    prev: str
    ts_us: int
    kind: EntryKind
    assurance: str
    body: Mapping[str, Any]
    content: tuple[str, ...] = ()
    attached: str = ""

    @property
    def id(self) -> str:
        """Writer and sequence number, by which people and other entries refer to it."""
        return format_entry_id(self.writer, self.seq)

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        tree: dict[str, Any] = {
            "body": self.body,
            "kind": str(self.kind),
            "prev": self.prev,
            "ts_us": self.ts_us,
            "v": ENTRY_VERSION,
            "ws": self.seq,
        }
        if self.assurance != DEFAULT_ASSURANCE:
            tree["assurance"] = self.assurance
        if self.session:
            tree["session"] = self.session
        if self.attached:
            tree["attached"] = self.attached
        if self.attached and self.content != USUAL_CONTENT.get(self.kind, ()):
            tree["content"] = list(self.content)
        return tree

    def to_json(self) -> dict[str, Any]:
        """The whole entry with its id, tenant and writer, for people and programs."""
        return {
            **self.to_plain(),
            "assurance": self.assurance,
            "content": list(self.content),
            "id": self.id,
            "session": self.session,
            "tenant": self.tenant,
            "w": self.writer,
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any], *, tenant: str, writer: str) -> LedgerEntry:
        """Inverse of `to_plain`; ValueError for an unknown version."""
        if tree["v"] != ENTRY_VERSION:
            raise ValueError(f"the entry has version {tree['v']}, but this version of Halo reads {ENTRY_VERSION}")
        return cls(
            tenant=tenant,
            session=tree.get("session", ""),
            writer=writer,
            seq=tree["ws"],
            prev=tree["prev"],
            ts_us=tree["ts_us"],
            kind=EntryKind(tree["kind"]),
            assurance=tree.get("assurance", DEFAULT_ASSURANCE),
            body=tree["body"],
            content=read_content_names(tree),
            attached=tree.get("attached", ""),
        )


USUAL_CONTENT: Final[Mapping[str, tuple[str, ...]]] = {
    EntryKind.DECISION: ("args", "trigger", "user"),
    EntryKind.OUTCOME: ("output",),
}
"""Names of the sealed fields of an entry that has something attached and does not name them, by kind; else none."""


def read_content_names(tree: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the sealed fields in an entry's content tree."""
    if "content" in tree:
        return tuple(tree["content"])
    return USUAL_CONTENT.get(tree.get("kind", ""), ()) if tree.get("attached") else ()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a control entry, and how that was established.

    Args:
        name: name of the person; stands in no entry, but sealed beside it.
        authn: how the person was authenticated: `os-user` (the account of the shell), `approver-key` (a signature by an
            enrolled key), `asserted` (said so).
    """

    name: str
    authn: str = "asserted"

    @classmethod
    def of(cls, who: Actor | str) -> Actor:
        """The actor; a plain name counts as asserted."""
        return who if isinstance(who, Actor) else cls(who)


def format_entry_id(writer: str, seq: int) -> str:
    """Id of an entry: `<writer>-<sequence>`."""
    return f"{writer}-{seq}"


ENDED: Final = 1
PAUSED: Final = 2
"""What became of a run, in the column `mark` of its outcome."""
_SEQ_BYTES: Final = 6
SINGLE_RUN_KEY_BYTES: Final = 33
"""Length of a key of `make_single_run_key`."""


def make_outcome_key(writer: str, seq: int) -> bytes:
    """The unique key of the outcome of the decision at (writer, seq)."""
    return b"o" + writer.encode("utf-8", "surrogatepass") + seq.to_bytes(_SEQ_BYTES, "big")  # as `format_place`


def make_repeatable_run_key(request_id: str, writer: str, seq: int) -> bytes:
    """The key of a decision that lets its action run, where the action may run any number of times."""
    return read_digest(request_id) + b"r" + format_place(writer, seq)


def make_single_run_key(request_id: str, number: int) -> bytes:
    """The key of a decision that lets its action run once; `number` counts the runs that paused before."""
    return bytes.fromhex(request_id[-64:]) + bytes((min(number, 255),))  # as `read_digest`


def make_profile_key(kind: str, subject: str, version: int) -> bytes:
    """The unique key of the entry for a version of an identity's profile."""
    name = f"{kind}\0{subject}".encode("utf-8", "surrogatepass")
    return b"p" + hashlib.sha256(name).digest() + version.to_bytes(_SEQ_BYTES, "big")


def make_reversal_key(writer: str, seq: int, attempt: int) -> bytes:
    """The unique key of the entry that begins an attempt to reverse the decision at (writer, seq)."""
    return b"v" + min(attempt, 255).to_bytes(1, "big") + format_place(writer, seq)


def make_finding_key(writer: str, seq: int, attempt: int) -> bytes:
    """The unique key of the entry with a person's finding about such an attempt."""
    return b"c" + min(attempt, 255).to_bytes(1, "big") + format_place(writer, seq)


def format_place(writer: str, seq: int) -> bytes:
    """A place in a writer's chain as bytes."""
    return writer.encode("utf-8", "surrogatepass") + seq.to_bytes(_SEQ_BYTES, "big")


def read_digest(digest: str) -> bytes:
    """The 32 bytes of a hex digest, with or without a prefix and colon; ValueError for anything else."""
    return bytes.fromhex(digest[-64:])
