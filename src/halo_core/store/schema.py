"""Room: the tables. Takes: nothing. Gives: SQLAlchemy Core metadata for SQLite and PostgreSQL. Never: opens anything.

`entry`, `position`, `checkpoint`, `content` and `blob` are evidence: inserted, never updated (triggers hold that
against accidents; hashes show it to everybody). The others are projections that the entries can rebuild.
"""

from __future__ import annotations

from typing import Final

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

__all__ = ["EVIDENCE", "metadata", "triggers"]

metadata = MetaData()

_STANDING: Final = text("kind='passport' AND session=''")


def _table(
    name: str, *parts: Column[object] | PrimaryKeyConstraint | UniqueConstraint | Index, by_key: bool = False
) -> Table:
    # By key, SQLite keeps the rows in the tree of the primary key: one page less to write for each row. What is long or
    # has no order (an entry, sealed content) is better off with a tree of row numbers beside it.
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=not by_key)


def _text(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, Text, nullable=null)


def _int(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, Integer().with_variant(BigInteger, "postgresql"), nullable=null)


def _bytes(name: str) -> Column[object]:
    return Column(name, LargeBinary, nullable=False)


entry = _table(
    "entry",
    _text("tenant"),
    _text("w"),
    _int("ws"),
    _bytes("leaf"),
    _text("kind"),
    _text("session"),
    _int("ts_us"),
    _bytes("body"),
    PrimaryKeyConstraint("tenant", "w", "ws"),
    Index("entry_session", "tenant", "session", "ts_us"),
    # Opening an agent's home looks for the standing passport issued last; without this it would read the whole log.
    Index("entry_standing_passport", "tenant", "w", "ws", sqlite_where=_STANDING, postgresql_where=_STANDING),
)
position = _table(
    "position",
    _text("tenant"),
    _int("idx"),
    _text("w"),
    _int("ws"),
    PrimaryKeyConstraint("tenant", "idx"),
    UniqueConstraint("tenant", "w", "ws"),
    by_key=True,
)
checkpoint = _table(
    "checkpoint",
    _text("tenant"),
    _int("size"),
    _bytes("root"),
    _bytes("note"),
    _bytes("frontier"),
    PrimaryKeyConstraint("tenant", "size"),
)
content = _table(
    "content",
    _text("tenant"),
    _bytes("commitment"),
    _text("subject"),
    _bytes("nonce"),
    _bytes("ciphertext"),
    PrimaryKeyConstraint("tenant", "commitment"),
)
vault = _table(
    "vault",
    _text("tenant"),
    _text("subject"),
    _bytes("dek_wrapped"),
    _int("erased_at_us", null=True),
    PrimaryKeyConstraint("tenant", "subject"),
)
blob = _table("blob", _text("tenant"), _text("hash"), _bytes("bytes"), PrimaryKeyConstraint("tenant", "hash"))
writer = _table(
    "writer",
    _text("tenant"),
    _text("w"),
    _text("vkey"),
    _int("opened_us"),
    _int("closed_us", null=True),
    PrimaryKeyConstraint("tenant", "w"),
)
session = _table(
    "session",
    _text("tenant"),
    _text("session"),
    _int("version"),
    _bytes("state"),
    _text("head_w"),
    _int("head_ws"),
    PrimaryKeyConstraint("tenant", "session"),
)
sketch = _table(
    "sketch",
    _text("tenant"),
    _text("session"),
    _int("seq"),
    _bytes("marks"),
    PrimaryKeyConstraint("tenant", "session", "seq"),
    by_key=True,
)
dispatch = _table(
    "dispatch",
    _text("tenant"),
    _text("request_id"),
    _text("w"),
    _int("ws"),
    _text("once", null=True),
    _int("outcome"),
    PrimaryKeyConstraint("tenant", "w", "ws"),
    # `once` is the request id or nothing, so this refuses a second one as it finds a request: one tree for both.
    UniqueConstraint("tenant", "request_id", "once"),
    by_key=True,
)
control = _table(
    "control",
    _text("tenant"),
    _int("version"),
    _text("store"),
    _text("mode"),
    _text("policy"),
    PrimaryKeyConstraint("tenant"),
)
resource = _table("resource", _text("tenant"), _text("id"), _bytes("spec"), PrimaryKeyConstraint("tenant", "id"))
usage = _table(
    "usage",
    _text("tenant"),
    _text("agent"),
    _text("resource"),
    _int("uses"),
    PrimaryKeyConstraint("tenant", "agent", "resource"),
    by_key=True,
)
# Which passport each agent stands on now; `origin` is `derived` (from what is guarded) or `issued`, and `manifest`
# names the text it was issued from.
standing = _table(
    "standing",
    _text("tenant"),
    _text("agent"),
    _text("hash"),
    _text("origin"),
    _text("manifest"),
    PrimaryKeyConstraint("tenant", "agent"),
)
# What is left of values that were stored while a session was exposed: prints, and the digest over all chunks so far.
residue = _table(
    "residue",
    _text("tenant"),
    _int("seq"),
    _text("chain"),
    _bytes("prints"),
    PrimaryKeyConstraint("tenant", "seq"),
    by_key=True,
)
# Which score is in force for each agent: the hash of its terms.
baseline = _table(
    "baseline",
    _text("tenant"),
    _text("agent"),
    _text("hash"),
    PrimaryKeyConstraint("tenant", "agent"),
    by_key=True,
)
# Spending per day under a standing link's envelope.
quota = _table(
    "quota",
    _text("tenant"),
    _text("account"),
    _int("version"),
    _bytes("state"),
    PrimaryKeyConstraint("tenant", "account"),
)
# Open and answered challenges; `answer` is the approver's signed token, empty until there is one.
approval = _table(
    "approval",
    _text("tenant"),
    _text("id"),
    _text("kind"),
    _text("session"),
    _text("binding"),
    _text("status"),
    _int("asked_us"),
    _int("expires_us"),
    _text("answer"),
    PrimaryKeyConstraint("tenant", "id"),
    Index("approval_binding", "tenant", "session", "binding"),
)
# Stops and revocations in force.
hold = _table(
    "hold",
    _text("tenant"),
    _text("kind"),
    _text("scope"),
    _text("target"),
    _int("since_us"),
    PrimaryKeyConstraint("tenant", "kind", "scope", "target"),
)

EVIDENCE: Final = ("entry", "position", "checkpoint", "content", "blob")


def triggers() -> list[str]:
    """SQLite triggers that refuse updates of evidence (prevention; the hashes are the detection)."""
    return [
        f"CREATE TRIGGER IF NOT EXISTS {name}_append_only BEFORE UPDATE ON {name} "
        f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
        for name in EVIDENCE
    ]
