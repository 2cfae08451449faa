"""The tables, as SQLAlchemy Core metadata for SQLite and PostgreSQL.

`entry`, `checkpoint` and `blob` are evidence: rows are inserted and never updated (triggers prevent accidents, and the
hashes show any change). The other tables are projections, which can be rebuilt from the entries.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from halo_core.store.entry_parts import AGENT_PART, STORE_PART, SUBJECT_PART

metadata = MetaData()

EVIDENCE: Final = ("entry", "checkpoint", "blob")
_TYPES: Final[dict[str, Any]] = {
    "text": Text(),
    "int": Integer().with_variant(BigInteger, "postgresql"),
    "bytes": LargeBinary(),
}
_STANDING: Final = text("kind='passport' AND session=''")
_KNOWN: Final = text("kind='known'")
_PROFILE: Final = text("kind='profile'")
_OPENING: Final = text("ws=0")
_IDENTITY: Final = text("kind='identity'")
_ANSWER: Final = text("kind IN ('override', 'reversal', 'standing_answer')")
# In hexadecimal: `"account":"answer:`, which the text of a decision contains that rests on a remembered answer.
_USE: Final = "226163636f756e74223a22616e737765723a"
_SQLITE_USE: Final = text(f"kind='decision' AND instr(body, x'{_USE}')>0")
_POSTGRES_USE: Final = text(f"kind='decision' AND position(decode('{_USE}', 'hex') IN body)>0")
_CONTROL: Final = text("kind IN ('authority', 'lift', 'mode', 'revocation', 'stop')")


def _define(name: str, columns: str, key: str, *more: UniqueConstraint | Index, by_key: bool = False) -> None:
    """Add a table.

    Args:
        name: name of the table.
        columns: `name type` of each; a type with `?` allows NULL.
        key: columns of the primary key.
        more: further constraints and indexes.
        by_key: SQLite keeps the rows in the tree of the primary key, which writes one page less for each row. What is
            long or comes in no order (entries, sealed content) is better off with a separate tree of row numbers.
    """
    parts = []
    for column in columns.split(", "):
        label, kind = column.split()
        parts.append(Column[Any](label, _TYPES[kind.rstrip("?")], nullable=kind.endswith("?")))
    primary_key = PrimaryKeyConstraint(*key.split(", "))
    Table(name, metadata, *parts, primary_key, *more, sqlite_strict=True, sqlite_with_rowid=not by_key)


# One row for each entry and what is stored beside it. `idx` is its position in the tenant's log. `once` names a run: of
# a decision that lets its action run, its request id and a number; of an outcome, its decision. So one tree refuses a
# second run or outcome, and finds the entries of a session. `mark` is 1 of a decision that lets its action run; of an
# outcome, 1 where the action ended and 2 where it paused.
_define(
    "entry",
    "tenant text, w text, ws int, idx int, kind text, session text, ts_us int, once bytes?, mark int, body bytes, "
    "signatures bytes, sealed bytes?, marks bytes?",
    "tenant, w, ws",
    UniqueConstraint("tenant", "idx"),
    UniqueConstraint("tenant", "session", "once"),
    # Taking a session up looks for its newest state and its sketch, in the order of the log.
    Index("entry_session", "tenant", "session", "idx"),
    # Opening an agent's home looks for the standing passport issued last; without this it would read the whole log.
    Index("entry_standing_passport", "tenant", "idx", sqlite_where=_STANDING, postgresql_where=_STANDING),
    # Likewise the entries from which the mode, the stops and the revocations in force follow.
    Index("entry_control", "tenant", "idx", sqlite_where=_CONTROL, postgresql_where=_CONTROL),
    # And those that say which values are known.
    Index("entry_known", "tenant", "idx", sqlite_where=_KNOWN, postgresql_where=_KNOWN),
    # And those that say how the risk of people changed.
    Index("entry_identity", "tenant", "idx", sqlite_where=_IDENTITY, postgresql_where=_IDENTITY),
    # And those that give and end remembered answers, and the decisions that rest on one.
    Index("entry_answer", "tenant", "idx", sqlite_where=_ANSWER, postgresql_where=_ANSWER),
    Index("entry_answer_use", "tenant", "idx", sqlite_where=_SQLITE_USE, postgresql_where=_POSTGRES_USE),
    # By what their texts say (`entry_parts`): the passports of an agent, the profile of an identity, and the first
    # entries of writers. Who is new has none, which must be found without reading those of all others.
    Index("entry_passport_of", "tenant", text(AGENT_PART), sqlite_where=_STANDING, postgresql_where=_STANDING),
    Index("entry_profile_of", "tenant", text(SUBJECT_PART), sqlite_where=_PROFILE, postgresql_where=_PROFILE),
    Index("entry_opening", "tenant", text(STORE_PART), sqlite_where=_OPENING, postgresql_where=_OPENING),
)
_define("checkpoint", "tenant text, size int, root bytes, note bytes, frontier bytes", "tenant, size")
# The data key of each subject, and the commitment to it, which stays when the key is erased.
_define("vault", "tenant text, subject text, dek_wrapped bytes, commitment bytes, erased_at_us int?", "tenant, subject")
_define("blob", "tenant text, hash text, bytes bytes", "tenant, hash")
_define("writer", "tenant text, w text, vkey text, opened_us int, closed_us int?", "tenant, w")
_define(
    "session",
    "tenant text, session text, version int, state bytes, head_w text, head_ws int",
    "tenant, session",
)
_define("control", "tenant text, version int, store text, mode text, policy text", "tenant")
_define("resource", "tenant text, id text, spec bytes", "tenant, id")
_define("usage", "tenant text, agent text, resource text, uses int", "tenant, agent, resource", by_key=True)
# The passport each agent stands on; `origin` is `derived` (from what is guarded) or `issued`, and `manifest` is the
# hash of the text it was issued from.
_define("standing", "tenant text, agent text, hash text, origin text, manifest text", "tenant, agent")
# Fingerprints of values that were stored while a session was exposed, and the digest over all rows so far.
_define("residue", "tenant text, seq int, chain text, prints bytes", "tenant, seq", by_key=True)
# What is known of items of conversations: keyed, authenticated and expiring (`halo_core.store.marks`).
_define("mark", "tenant text, mark bytes, expires_us int, state bytes", "tenant, mark", by_key=True)
# The score in force for each agent: the hash of its terms.
_define("baseline", "tenant text, agent text, hash text", "tenant, agent", by_key=True)
# Spending per day under a standing link's envelope.
_define("quota", "tenant text, account text, version int, state bytes", "tenant, account")
# What is usual for each identity over its sessions, as the entries of kind `profile` leave it (`store.profile_rows`).
_define("profile", "tenant text, kind text, subject text, version int, state bytes", "tenant, kind, subject")
# Sessions whose tallies are in no profile yet, with a time from which on they are looked at again: so those of a
# process that was killed are found (`profile_rows.UnfoldedTable`).
_define(
    "unfolded",
    "tenant text, session text, since_us int",
    "tenant, session",
    Index("unfolded_since", "tenant", "since_us"),
    by_key=True,
)
# Open and answered challenges; `answer` is the approver's signed token, empty until there is one.
_define(
    "approval",
    "tenant text, id text, kind text, session text, binding text, status text, asked_us int, expires_us int, "
    "answer text",
    "tenant, id",
    Index("approval_binding", "tenant", "session", "binding"),
)
# Remembered answers; `token` is the approver's signed token.
_define(
    "standing_answer",
    "tenant text, id text, kind text, scope text, status text, token text",
    "tenant, id",
    Index("standing_answer_scope", "tenant", "scope"),
)
# Values that the operator declared as known: the keyed digest of each one's canonical form.
_define("known_value", "tenant text, kind text, digest text", "tenant, kind, digest", by_key=True)
# People and service accounts: what events elsewhere say of each. `head` is what a decision reads, `habit` what is usual
# for the identity; `proof` is keyed, over both (`halo_core.store.identity_rows`).
_define("identity", "tenant text, subject text, head bytes, habit bytes, proof text", "tenant, subject", by_key=True)
# How far each source of such events was read.
_define("identity_source", "tenant text, source text, place bytes", "tenant, source", by_key=True)
# Held acts: what runs once it was answered, or not at all.
_define(
    "outbox",
    "tenant text, id text, session text, agent text, resource text, question text, status text, held_us int, "
    "expires_us int, marks bytes",
    "tenant, id",
    Index("outbox_status", "tenant", "status"),
)
# Stops and revocations in force.
_define("hold", "tenant text, kind text, scope text, target text, since_us int", "tenant, kind, scope, target")


def triggers() -> list[str]:
    """SQLite triggers that refuse updates of evidence (they prevent accidents; the hashes detect everything)."""
    return [
        f"CREATE TRIGGER IF NOT EXISTS {name}_append_only BEFORE UPDATE ON {name} "
        f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
        for name in EVIDENCE
    ]
