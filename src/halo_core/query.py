"""Room: read-only views for people. Takes: a reader, for content a key. Gives: values. Never: writes."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from halo_core.errors import ConfigError
from halo_core.keys import KeyStore
from halo_core.ledger import decode_entry, open_sealed, unwrap_dek
from halo_core.model import Entry, EntryKind
from halo_core.store.reader import Reader

__all__ = [
    "Contents",
    "Found",
    "Summary",
    "entries",
    "find",
    "one_tenant",
    "related",
    "shadows",
    "summary",
    "verdict_of",
]


_INDEX_DIGITS: Final = 7  # ids start with eight hex digits


@dataclass(frozen=True, slots=True)
class Found:
    """An entry with its place in the tenant's log."""

    index: int
    entry: Entry
    note: bytes


class Contents:
    """Opens sealed content.

    Args:
        reader: the store.
        kek: key that wraps content keys, None where it is not at hand.
    """

    def __init__(self, reader: Reader, kek: bytes | None) -> None:
        self._reader = reader
        self._kek = kek

    @classmethod
    def at(cls, reader: Reader, keys: KeyStore) -> Contents:
        """With the home's content key if the home has one; never makes one."""
        return cls(reader, keys.secret("content") if "content" in keys.names() else None)

    def open(self, entry: Entry, name: str) -> bytes | None:
        """The content of one field; None where it was erased, never written, or the key is not at hand.

        Raises:
            Tampered: what is stored is not what was committed to.
        """
        reference = entry.content.get(name)
        if reference is None or self._kek is None:
            return None
        commitment = base64.b64decode(reference["c"])
        row = self._reader.content(entry.tenant, commitment)
        if row is None:
            return None
        subject, nonce, ciphertext = row
        vault = self._reader.vault(entry.tenant, subject)
        if vault is None or vault[1] is not None:
            return None
        dek = unwrap_dek(self._kek, vault[0], entry.tenant, subject)
        return open_sealed(dek, entry.tenant, subject, commitment=commitment, nonce=nonce, ciphertext=ciphertext)


def one_tenant(reader: Reader, tenant: str | None) -> str:
    """The tenant asked for, or the only one there is.

    Raises:
        ConfigError: there are several, or none of that name.
    """
    known = reader.tenants()
    if tenant is None and len(known) == 1:
        return known[0]
    if tenant is None or tenant not in known:
        what = "the store holds several tenants" if tenant is None and known else "the store has no tenant"
        what += f" `{tenant}`" if tenant is not None else ""
        remedy = f"name one with `--tenant`: {', '.join(known)}" if known else "run your app once"
        raise ConfigError("which_tenant", what, field="tenant", remedy=remedy)
    return tenant


def entries(
    reader: Reader, tenant: str, kinds: tuple[EntryKind, ...] = (), session: str = "", since: int = 0
) -> Iterator[Found]:
    """Entries in log order; all kinds if none is named, or else those of a session, from a place on."""
    rows = reader.notes(tenant, tuple(k.value for k in kinds), session, since) if kinds else reader.all_notes(tenant)
    for index, note in rows:
        yield Found(index, decode_entry(note), note)


def find(reader: Reader, tenant: str, prefix: str) -> Found:
    """The entry at an index (digits alone), or whose id starts with `prefix`.

    Raises:
        ConfigError: none, or more than one.
    """
    if prefix.isdecimal() and len(prefix) <= _INDEX_DIGITS:
        row = reader.note_at_index(tenant, int(prefix))
        if row is not None:
            return Found(int(prefix), decode_entry(row), row)
    wanted = prefix.encode("utf-8", "replace")
    hits = [
        Found(index, entry, note)
        for index, note in reader.all_notes(tenant)
        if b'"id":"' + wanted in note and (entry := decode_entry(note)).id.startswith(prefix)
    ]
    if len(hits) != 1:
        what = "no entry" if not hits else f"{len(hits)} entries"
        raise ConfigError("no_such_entry", f"{what} with id `{prefix}`", field="id", remedy="give more of the id")
    return hits[0]


def verdict_of(entry: Entry) -> Mapping[str, Any] | None:
    """What somebody said of an alert: `alert`, `attack`, `by`, `session`, `why`; None where it is something else."""
    body = entry.body
    texts = all(isinstance(body.get(name), str) for name in ("alert", "by", "session", "why"))
    return body if entry.kind is EntryKind.FEEDBACK and texts and isinstance(body.get("attack"), bool) else None


def related(reader: Reader, found: Found) -> list[Found]:
    """Entries of the same tenant that refer to this decision: its outcome, its approval request."""
    place = (found.entry.writer, found.entry.seq)
    kinds = (EntryKind.OUTCOME, EntryKind.APPROVAL_REQUEST)
    return [
        item
        for item in entries(reader, found.entry.tenant, kinds, found.entry.session)
        if (item.entry.body["decision"]["w"], item.entry.body["decision"]["ws"]) == place
    ]


def shadows(reader: Reader, tenant: str) -> list[Found]:
    """What was seen without a guard, in log order: entries whose body names `kind`, `name`, `where` and `refused`."""
    return list(entries(reader, tenant, (EntryKind.SHADOW,)))


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over a tenant's decisions and outcomes, and of what was seen to run, or refused, without a decision."""

    decisions: Mapping[str, int]
    effects: Mapping[str, int]
    outcomes: Mapping[str, int]
    sessions: int
    dispatched: int
    unjustified: int
    sightings: int


def summary(reader: Reader, tenant: str) -> Summary:
    """Count; an outcome whose decision did not let it run is unjustified."""
    kinds: dict[str, int] = {}
    effects: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    sessions: set[str] = set()
    let_run: set[tuple[str, int]] = set()
    unjustified = sightings = 0
    for found in entries(reader, tenant, (EntryKind.DECISION, EntryKind.OUTCOME, EntryKind.SHADOW)):
        body = found.entry.body
        if found.entry.kind is EntryKind.SHADOW:
            sightings += 1
        elif found.entry.kind is EntryKind.DECISION:
            _count(kinds, body["request"]["kind"])
            _count(effects, body["decision"]["effect"])
            sessions.add(found.entry.session)
            if body["dispatched"]:
                let_run.add((found.entry.writer, found.entry.seq))
        else:
            _count(outcomes, body["status"])
            unjustified += (body["decision"]["w"], body["decision"]["ws"]) not in let_run
    return Summary(kinds, effects, outcomes, len(sessions), len(let_run), unjustified, sightings)


def _count(into: dict[str, int], key: str) -> None:
    into[key] = into.get(key, 0) + 1
