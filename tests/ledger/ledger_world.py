"""A small ledger in memory, two tenants and three writers, that tests can damage."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Iterator
from typing import Any

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester, Ed25519Signer
from halo_core.decision.record import pack_digest, unpack_digest
from halo_core.decision.record_parts import HostPart, encode_frame, encode_host, encode_resource
from halo_core.ledger.checkpoints import sign_checkpoint
from halo_core.ledger.notes import encode_entry, format_vkey, key_hash, log_origin, make_vkey, writer_name
from halo_core.ledger.reader import Stream, Trust
from halo_core.ledger.sealed_content import compute_attached_digest, compute_key_commitment, seal, wrap_dek
from halo_core.ledger.tree import CompactRange
from halo_core.model import ActionKind, Origin, Resource, compute_request_id
from halo_core.model.ledger_entry import (
    ENDED,
    PAUSED,
    EntryKind,
    LedgerEntry,
    make_outcome_key,
    make_repeatable_run_key,
    make_single_run_key,
)

COLUMNS = {
    "entry": (
        "tenant",
        "w",
        "ws",
        "idx",
        "kind",
        "session",
        "ts_us",
        "once",
        "mark",
        "body",
        "signatures",
        "sealed",
        "marks",
    ),
    "checkpoint": ("tenant", "size", "root", "note", "frontier"),
    "vault": ("tenant", "subject", "dek_wrapped", "commitment", "erased_at_us"),
    "session": ("tenant", "session", "head_w", "head_ws", "version"),
    "writer": ("tenant", "w", "vkey", "opened_us", "closed_us"),
    "control": ("tenant", "version", "store", "mode", "policy"),
    "usage": ("tenant", "agent", "resource", "uses"),
    "blob": ("tenant", "hash", "bytes"),
}
ARGS = Digester(b"\x05" * 32).digest("halo/args", b"{}")
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
        marks: bytes | None = None,
        run: tuple[bytes | None, int] = (None, 0),
        **body: Any,
    ) -> LedgerEntry:
        """Add an entry; `run` are its columns `once` and `mark`."""
        n = self._count = self._count + 1
        ws, prev = self._heads.get((tenant, w), (0, ""))
        commitment, sealed = self._seal(tenant, f"subject-{n % 3}", fields, n) if fields else (b"", None)
        is_empty = sealed is None and marks is None
        entry = LedgerEntry(
            tenant=tenant,
            session=session,
            writer=w,
            seq=ws,
            prev=prev,
            ts_us=1_700_000_000_000_000 + n * 1000,
            kind=kind,
            assurance="dev",
            body=body,
            content=tuple(sorted(fields or ())),
            attached="" if is_empty else compute_attached_digest(commitment, sealed or b"", marks or b""),
        )
        opening = kind is EntryKind.WRITER_OPEN
        signed = encode_entry(entry, key(f"{tenant} {w}"), log=log_key(tenant) if opening else None)
        tree = self._trees.setdefault(tenant, CompactRange())
        self.put(
            "entry",
            tenant,
            w,
            ws,
            tree.size,
            kind.value,
            session,
            entry.ts_us,
            *run,
            signed.text,
            signed.signatures,
            sealed,
            marks,
        )
        tree.append(signed.leaf)
        self._heads[tenant, w] = (ws + 1, base64.b64encode(signed.leaf).decode())
        if session:
            self.tables["session"] = [
                r for r in self.tables["session"] if (r["tenant"], r["session"]) != (tenant, session)
            ]
            self.put("session", tenant, session, w, ws, (body.get("state") or {}).get("version"))
        if tree.size % EVERY == 0:
            self.checkpoint(tenant)
        return entry

    def decide(
        self,
        tenant: str,
        w: str,
        call: str,
        *,
        session: str,
        runs: bool = True,
        mode: str = "enforce",
        idempotent: bool = False,
        number: int = 0,
        **more: Any,
    ) -> LedgerEntry:
        """Add a decision on a call, of which `number` runs paused before."""
        resource = Resource("pay", ActionKind.TOOL_CALL, idempotent=idempotent)
        host = encode_host(HostPart(tenant, "", "host", Origin(), "dev", (), "", mode, 1, ""))
        frame, named = encode_frame("clerk", "", ("clerk",), (), host[0]), encode_resource(resource)
        for name, data in (host, frame, named):
            blob = (tenant, unpack_digest(name), data)
            if blob not in [(r["tenant"], r["hash"], r["bytes"]) for r in self.tables["blob"]]:
                self.put("blob", *blob)
        ws = self._heads[tenant, w][0]
        request = request_of(session, call)
        once = make_repeatable_run_key(request, w, ws)
        if runs:
            self.count_use(tenant)
        if mode == "enforce" and not idempotent:
            once = make_single_run_key(request, number)
        return self.append(
            tenant,
            w,
            EntryKind.DECISION,
            session=session,
            run=(once, 1) if runs else (None, 0),
            args=pack_digest(ARGS),
            call=call,
            dispatched=runs,
            frame=frame[0],
            resource=named[0],
            seen={"opened_us": 1, "steps": 0},
            trigger={"kind": "host"},
            **more,
        )

    def count_use(self, tenant: str) -> None:
        found = [row for row in self.tables["usage"] if row["tenant"] == tenant]
        row = found[0] if found else self.put("usage", tenant, "clerk", "pay", 0)
        row["uses"] += 1

    def settle(self, decision: LedgerEntry, status: str = "success") -> LedgerEntry:
        """Add the outcome of a decision."""
        mark = PAUSED if status == "paused" else ENDED
        return self.append(
            decision.tenant,
            decision.writer,
            EntryKind.OUTCOME,
            session=decision.session,
            run=(make_outcome_key(decision.writer, decision.seq), mark),
            decision=decision.seq,
            detail="done",
            status=status,
        )

    def checkpoint(self, tenant: str) -> None:
        tree = self._trees[tenant]
        note = sign_checkpoint(tenant, tree.size, tree.root(), log_key(tenant))
        self.put("checkpoint", tenant, tree.size, tree.root(), note, tree.to_bytes())
        self.anchors[tenant] = note

    def open_writer(self, tenant: str, w: str) -> None:
        vkey = format_vkey(make_vkey(writer_name(tenant, w), key(f"{tenant} {w}").public_key))
        if not any(row["tenant"] == tenant for row in self.tables["control"]):
            self.put("control", tenant, 1, "halo-store:test", "observe", "")
        name = canonical.digest("halo/policy/v1", w.encode())
        self.put("blob", tenant, name, w.encode())
        opened = self.append(tenant, w, EntryKind.WRITER_OPEN, vkey=vkey, hash=name, store="halo-store:test")
        self.put("writer", tenant, w, vkey, opened.ts_us, None)

    def _seal(self, tenant: str, subject: str, fields: dict[str, bytes], n: int) -> tuple[bytes, bytes]:
        dek = pseudo(f"dek {tenant} {subject}", 32)
        commitment = compute_key_commitment(dek)
        if not any((r["tenant"], r["subject"]) == (tenant, subject) for r in self.tables["vault"]):
            nonce = pseudo(f"vault {tenant} {subject}", 24)
            self.put("vault", tenant, subject, wrap_dek(KEK, dek, tenant, subject, nonce), commitment, None)
        return commitment, seal(dek, tenant, subject, fields, nonce=pseudo(f"nonce {n}", 24))

    # The reader

    def rows(self, stream: Stream) -> Iterator[tuple[Any, ...]]:
        table, columns, order = stream.value
        table, _, condition = table.partition(" WHERE ")
        names, keys = columns.split(", "), list(filter(None, order.split(", ")))
        if not set(names) <= set(COLUMNS.get(table, ())):
            return iter(())
        stored = sorted(self.tables[table], key=lambda row: tuple(row[name] for name in keys))
        if condition:
            stored = [row for row in stored if f"'{row['kind']}'" in condition]
        return (tuple(row[name] for name in names) for row in stored)

    def rows_by_position(self) -> Iterator[tuple[Any, ...]]:
        for row in sorted(self.tables["entry"], key=lambda row: (row["tenant"], row["idx"])):
            yield row["tenant"], row["idx"], row["w"], row["ws"], row["body"], row["signatures"]

    def blob(self, tenant: str, name: str) -> bytes | None:
        return next((r["bytes"] for r in self.tables["blob"] if (r["tenant"], r["hash"]) == (tenant, name)), None)

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
            decision = world.decide(
                tenant,
                w,
                f"call {i}",
                session=session,
                runs=i % 3 != 2,
                mode="observe" if i == 4 else "enforce",
                idempotent=i == 1,
                fields={"arguments": secret},
                marks=pseudo(f"marks {tenant} {w} {i}", 20) if i % 2 else None,
            )
            world.settle(decision)
    closed = world.append("local", "b77e", EntryKind.WRITER_CLOSE, cause="closed", writer="b77e")
    world.find("writer", w="b77e")["closed_us"] = closed.ts_us
    return world


def request_of(session: str, call: str) -> str:
    """Id of the request of a call."""
    return compute_request_id(session, "clerk", "", call, kind="tool_call", resource="pay", args_digest=ARGS)


def sign_stored(text: bytes, *signers: tuple[str, Any]) -> bytes:
    """The column `signatures` of a line of text that these sign."""
    return b"".join(key_hash(name, signer.public_key) + signer.sign(text + b"\n") for name, signer in signers)


def resign(world: World, row: dict[str, Any], signer: Any, change: tuple[bytes, bytes] | None = None) -> None:
    """Replace an entry's signature (and part of its text)."""
    if change is not None:
        assert change[0] in row["body"]
        row["body"] = row["body"].replace(*change)
    row["signatures"] = sign_stored(row["body"], (writer_name(row["tenant"], row["w"]), signer))


BASE_ENTRY = LedgerEntry(
    tenant="local",
    session="s",
    writer="3f2a",
    seq=1,
    prev="AAAA",
    ts_us=1,
    kind=EntryKind.DECISION,
    assurance="dev",
    body={"text": "ü\n\u2028"},
    content=("arguments",),
    attached="AA==",
)


class Impostor:
    """Claims a public key and signs with another one, so that name and key hash are right and the signature is not."""

    key_id = "impostor"

    def __init__(self, claimed: Ed25519Signer, real: Ed25519Signer) -> None:
        self.public_key = claimed.public_key
        self._real = real

    def sign(self, message: bytes) -> bytes:
        return self._real.sign(message)
