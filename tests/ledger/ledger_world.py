"""A small ledger in memory, two tenants and three writers, that tests can damage."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Iterator
from typing import Any

from halo_core.crypto import canonical
from halo_core.crypto.keys import Ed25519Signer
from halo_core.ledger.checkpoints import sign_checkpoint
from halo_core.ledger.notes import encode_entry, format_vkey, log_origin, make_vkey, sign_note, writer_name
from halo_core.ledger.reader import Stream, Trust
from halo_core.ledger.sealed_content import seal, wrap_dek
from halo_core.ledger.tree import CompactRange, leaf_hash
from halo_core.model.ledger_entry import EntryKind, LedgerEntry

COLUMNS = {
    "entry": ("tenant", "w", "ws", "leaf", "kind", "session", "ts_us", "body"),
    "position": ("tenant", "idx", "w", "ws"),
    "checkpoint": ("tenant", "size", "root", "note", "frontier"),
    "content": ("tenant", "commitment", "subject", "nonce", "ciphertext"),
    "vault": ("tenant", "subject", "dek_wrapped", "erased_at_us"),
    "session": ("tenant", "session", "head_w", "head_ws", "version"),
    "dispatch": ("tenant", "request_id", "w", "ws", "outcome", "once"),
    "writer": ("tenant", "w", "vkey", "closed_us"),
    "blob": ("tenant", "hash", "bytes"),
}
KEK = b"\x07" * 32
EVERY = 8


def key(label: str) -> Ed25519Signer:
    return Ed25519Signer(hashlib.sha256(label.encode()).digest())


def pseudo(label: str, size: int) -> bytes:
    return hashlib.shake_256(label.encode()).digest(size)


def log_key(tenant: str) -> Ed25519Signer:
    return key(f"log {tenant}")


class World:
    """Tables as lists of dicts, and the outside: trusted keys, anchors."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
        self.anchors: dict[str, bytes] = {}
        self.strange: list[tuple[str, str]] = []
        self.logs = {tenant: make_vkey(log_origin(tenant), log_key(tenant).public_key) for tenant in ("acme", "local")}
        self.kek: bytes | None = KEK
        self._trees: dict[str, CompactRange] = {}
        self._heads: dict[tuple[str, str], tuple[int, str]] = {}
        self._count = 0

    def copy(self) -> World:
        other = World()
        other.tables = copy.deepcopy(self.tables)
        other.anchors, other.logs, other.kek = dict(self.anchors), dict(self.logs), self.kek
        other._trees, other._heads = copy.deepcopy(self._trees), dict(self._heads)
        other._count = self._count
        return other

    def trust(self) -> Trust:
        return Trust(self.logs, self.anchors, self.kek)

    def find(self, table: str, **match: Any) -> dict[str, Any]:
        (row,) = (row for row in self.tables[table] if all(row[k] == v for k, v in match.items()))
        return row

    def delete(self, table: str, row: dict[str, Any]) -> None:
        self.tables[table] = [item for item in self.tables[table] if item is not row]

    def put(self, table: str, *values: Any) -> dict[str, Any]:
        row = dict(zip(COLUMNS[table], values, strict=True))
        self.tables[table].append(row)
        return row

    def append(
        self,
        tenant: str,
        w: str,
        kind: EntryKind,
        *,
        session: str = "",
        fields: dict[str, bytes] | None = None,
        **body: Any,
    ) -> LedgerEntry:
        n = self._count = self._count + 1
        ws, prev = self._heads.get((tenant, w), (0, ""))
        content = {name: self._seal(tenant, f"subject-{n % 3}", data, n) for name, data in (fields or {}).items()}
        entry = LedgerEntry(
            id=f"00000000-0000-7000-8000-{n:012d}",
            tenant=tenant,
            session=session,
            writer=w,
            seq=ws,
            prev=prev,
            ts_us=1_700_000_000_000_000 + n * 1000,
            mono_us=n * 1000,
            kind=kind,
            assurance="dev",
            body=body,
            content=content,
        )
        opening = kind is EntryKind.WRITER_OPEN
        note, leaf = encode_entry(entry, key(f"{tenant} {w}"), log=log_key(tenant) if opening else None)
        self.put("entry", tenant, w, ws, leaf, kind.value, session, entry.ts_us, note)
        tree = self._trees.setdefault(tenant, CompactRange())
        self.put("position", tenant, tree.size, w, ws)
        tree.append(leaf)
        self._heads[tenant, w] = (ws + 1, base64.b64encode(leaf).decode())
        if session:
            self.tables["session"] = [
                r for r in self.tables["session"] if (r["tenant"], r["session"]) != (tenant, session)
            ]
            self.put("session", tenant, session, w, ws, (body.get("state") or {}).get("version"))
        if body.get("dispatched"):
            request = body["request"]["request_id"]
            once = body["snapshot"]["mode"] == "enforce" and not body["request"]["resource"]["idempotent"]
            self.put("dispatch", tenant, request, w, ws, n % 2, request if once else None)
        if tree.size % EVERY == 0:
            self.checkpoint(tenant)
        return entry

    def checkpoint(self, tenant: str) -> None:
        tree = self._trees[tenant]
        note = sign_checkpoint(tenant, tree.size, tree.root(), log_key(tenant))
        self.put("checkpoint", tenant, tree.size, tree.root(), note, tree.to_bytes())
        self.anchors[tenant] = note

    def open_writer(self, tenant: str, w: str) -> None:
        vkey = format_vkey(make_vkey(writer_name(tenant, w), key(f"{tenant} {w}").public_key))
        self.put("writer", tenant, w, vkey, None)
        name = canonical.digest("halo/policy/v1", w.encode())
        self.put("blob", tenant, name, w.encode())
        self.append(tenant, w, EntryKind.WRITER_OPEN, vkey=vkey, hash=name)

    def _seal(self, tenant: str, subject: str, data: bytes, n: int) -> dict[str, str]:
        dek = pseudo(f"dek {tenant} {subject}", 32)
        if not any((r["tenant"], r["subject"]) == (tenant, subject) for r in self.tables["vault"]):
            nonce = pseudo(f"vault {tenant} {subject}", 24)
            self.put("vault", tenant, subject, wrap_dek(KEK, dek, tenant, subject, nonce), None)
        sealed = seal(dek, tenant, subject, data, salt=pseudo(f"salt {n}", 32), nonce=pseudo(f"nonce {n}", 24))
        self.put("content", tenant, sealed.commitment, subject, sealed.nonce, sealed.ciphertext)
        return sealed.to_reference()

    # The reader

    def rows(self, stream: Stream) -> Iterator[tuple[Any, ...]]:
        table, columns, order = stream.value
        names, keys = columns.split(", "), order.split(", ")
        if not set(names) <= set(COLUMNS.get(table, ())):
            return iter(())
        stored = sorted(self.tables[table], key=lambda row: tuple(row[name] for name in keys))
        return (tuple(row[name] for name in names) for row in stored)

    def rows_by_position(self) -> Iterator[tuple[Any, ...]]:
        held = {(r["tenant"], r["w"], r["ws"]): r for r in self.tables["entry"]}
        for row in sorted(self.tables["position"], key=lambda row: (row["tenant"], row["idx"])):
            entry = held.get((row["tenant"], row["w"], row["ws"]), {})
            yield row["tenant"], row["idx"], row["w"], row["ws"], entry.get("leaf"), entry.get("body")

    def schema_differences(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.strange)


def build(*, rounds: int = 6) -> World:
    """About 40 entries; each tenant has checkpoints at multiples of 8 and a tail behind the last one."""
    world = World()
    chains = (("local", "3f2a"), ("acme", "c001"), ("local", "b77e"))
    for tenant, w in chains:
        world.open_writer(tenant, w)
    for i in range(rounds):
        for tenant, w in chains:
            session = f"s-{w}-{i % 2}"
            secret = f"arguments {tenant} {w} {i}".encode()
            world.append(
                tenant,
                w,
                EntryKind.DECISION,
                session=session,
                fields={"arguments": secret},
                dispatched=i % 3 != 2,
                request={"request_id": f"r-{w}-{i}", "resource": {"idempotent": i == 1}},
                snapshot={"mode": "observe" if i == 4 else "enforce"},
            )
            world.append(tenant, w, EntryKind.OUTCOME, session=session, result="done")
    world.append("local", "b77e", EntryKind.WRITER_CLOSE)
    world.find("writer", w="b77e")["closed_us"] = 1_700_000_000_000_000
    return world


def resign(world: World, row: dict[str, Any], signer: Ed25519Signer, change: tuple[bytes, bytes] | None = None) -> None:
    """Replace an entry's signature (and part of its text), leaf included."""
    text = row["body"].partition(b"\n\n")[0] + b"\n"
    if change is not None:
        assert change[0] in text
        text = text.replace(*change)
    row["body"] = sign_note(text, [(writer_name(row["tenant"], row["w"]), signer)])
    row["leaf"] = leaf_hash(row["body"])


BASE_ENTRY = LedgerEntry(
    id="00000000-0000-7000-8000-000000000001",
    tenant="local",
    session="s",
    writer="3f2a",
    seq=1,
    prev="AAAA",
    ts_us=1,
    mono_us=1,
    kind=EntryKind.DECISION,
    assurance="dev",
    body={"text": "ü\n\u2028"},
    content={"arguments": {"c": "AA==", "x": "AA=="}},
)


class Impostor:
    """Claims a public key and signs with another one, so that name and key hash are right and the signature is not."""

    key_id = "impostor"

    def __init__(self, claimed: Ed25519Signer, real: Ed25519Signer) -> None:
        self.public_key = claimed.public_key
        self._real = real

    def sign(self, message: bytes) -> bytes:
        return self._real.sign(message)
