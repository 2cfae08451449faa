"""Reading a tenant's log entry by entry, and opening sealed content where the key is at hand."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.ledger import decode_entry, open_sealed, unwrap_dek
from halo_core.model import EntryKind, LedgerEntry
from halo_core.store.reader import Reader

_INDEX_DIGITS: Final = 7  # ids start with eight hex digits


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry with its position in the tenant's log and its signed bytes."""

    index: int
    entry: LedgerEntry
    note: bytes


class SealedContents:
    """Opens sealed content.

    Args:
        reader: the store.
        kek: key that wraps content keys, None where it is not available.
    """

    def __init__(self, reader: Reader, kek: bytes | None) -> None:
        self._reader = reader
        self._kek = kek

    @classmethod
    def with_home_key(cls, reader: Reader, keys: KeyStore) -> SealedContents:
        """With the home's content key, if the home has one."""
        return cls(reader, keys.secret("content") if "content" in keys.names() else None)

    def open(self, entry: LedgerEntry, name: str) -> bytes | None:
        """The content of one field; None where it was erased or never written, or the key is not available.

        Raises:
            Tampered: the stored content is not what the entry committed to.
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


def select_tenant(reader: Reader, tenant: str | None) -> str:
    """The tenant asked for, or the only one there is.

    Raises:
        ConfigError: there are several, or none of that name.
    """
    tenants = reader.tenants()
    if tenant is None and len(tenants) == 1:
        return tenants[0]
    if tenant is None or tenant not in tenants:
        message = "the store has several tenants" if tenant is None and tenants else "the store has no tenant"
        message += f" `{tenant}`" if tenant is not None else ""
        remedy = f"choose one with `--tenant`: {', '.join(tenants)}" if tenants else "run your app once"
        raise ConfigError("which_tenant", message, field="tenant", remedy=remedy)
    return tenant


def read_entries(
    reader: Reader, tenant: str, kinds: tuple[EntryKind, ...] = (), session: str = "", since: int = 0
) -> Iterator[LoggedEntry]:
    """Entries in log order: all of them, or those of some kinds, of one session, from a position on."""
    rows = reader.notes(tenant, tuple(k.value for k in kinds), session, since) if kinds else reader.all_notes(tenant)
    for index, note in rows:
        yield LoggedEntry(index, decode_entry(note), note)


def find_entry(reader: Reader, tenant: str, prefix: str) -> LoggedEntry:
    """The entry at a position (digits alone), or whose id starts with `prefix`.

    Raises:
        ConfigError: none, or more than one.
    """
    if prefix.isdecimal() and len(prefix) <= _INDEX_DIGITS:
        row = reader.note_at_index(tenant, int(prefix))
        if row is not None:
            return LoggedEntry(int(prefix), decode_entry(row), row)
    wanted = prefix.encode("utf-8", "replace")
    hits = [
        LoggedEntry(index, entry, note)
        for index, note in reader.all_notes(tenant)
        if b'"id":"' + wanted in note and (entry := decode_entry(note)).id.startswith(prefix)
    ]
    if len(hits) != 1:
        message = "no entry" if not hits else f"{len(hits)} entries"
        raise ConfigError(
            "no_such_entry", f"{message} with id `{prefix}`", field="id", remedy="give more characters of the id"
        )
    return hits[0]


def read_verdict(entry: LedgerEntry) -> Mapping[str, Any] | None:
    """A person's verdict on an alert: `alert`, `attack`, `by`, `session`, `why`; None where the entry is another."""
    body = entry.body
    texts = all(isinstance(body.get(name), str) for name in ("alert", "by", "session", "why"))
    return body if entry.kind is EntryKind.FEEDBACK and texts and isinstance(body.get("attack"), bool) else None


def find_related(reader: Reader, decision: LoggedEntry) -> list[LoggedEntry]:
    """The entries that refer to a decision: its outcome, its approval request."""
    place = (decision.entry.writer, decision.entry.seq)
    kinds = (EntryKind.OUTCOME, EntryKind.APPROVAL_REQUEST)
    return [
        item
        for item in read_entries(reader, decision.entry.tenant, kinds, decision.entry.session)
        if (item.entry.body["decision"]["w"], item.entry.body["decision"]["ws"]) == place
    ]


@dataclass(frozen=True, slots=True)
class LogSummary:
    """Counts over a tenant's decisions, outcomes and unguarded actions.

    Args:
        decisions: action kind → decisions.
        effects: effect → decisions.
        outcomes: status → outcomes.
        sessions: number of sessions.
        dispatched: decisions that let their action run.
        unjustified: outcomes whose decision did not let it run.
        sightings: actions that were seen, or refused, without a decision.
    """

    decisions: Mapping[str, int]
    effects: Mapping[str, int]
    outcomes: Mapping[str, int]
    sessions: int
    dispatched: int
    unjustified: int
    sightings: int


def summarize(reader: Reader, tenant: str) -> LogSummary:
    """Count a tenant's entries."""
    kinds: Counter[str] = Counter()
    effects: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    sessions: set[str] = set()
    let_run: set[tuple[str, int]] = set()
    unjustified = sightings = 0
    for logged in read_entries(reader, tenant, (EntryKind.DECISION, EntryKind.OUTCOME, EntryKind.SHADOW)):
        body = logged.entry.body
        if logged.entry.kind is EntryKind.SHADOW:
            sightings += 1
        elif logged.entry.kind is EntryKind.DECISION:
            kinds[body["request"]["kind"]] += 1
            effects[body["decision"]["effect"]] += 1
            sessions.add(logged.entry.session)
            if body["dispatched"]:
                let_run.add((logged.entry.writer, logged.entry.seq))
        else:
            outcomes[body["status"]] += 1
            unjustified += (body["decision"]["w"], body["decision"]["ws"]) not in let_run
    return LogSummary(kinds, effects, outcomes, len(sessions), len(let_run), unjustified, sightings)
