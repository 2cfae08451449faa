"""Opens what entries seal, for readers of a log: contents of fields, and names of sessions and people.

What cannot be opened (erased, or no content key) is left out, and a name is replaced by its reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from halo_core.crypto.keys import KeyStore
from halo_core.decision.record import SIGNER_FIELD
from halo_core.ledger import SubjectKey, decode_entry, follow_content_key, open_attached, unwrap_key
from halo_core.model import EntryKind, LedgerEntry
from halo_core.references import References, is_reference
from halo_core.store.row_reader import RowReader

_MAX_KEYS: Final = 1024
_MAX_CACHED: Final = 10_000
_SEALED_NAMES: Final = ("actor", "author", "name", "owner", "reviewer", "target")
"""Members of control entries that are references, with the name in a sealed field of the same name."""


def load_home_content_key(reader: RowReader, keys: KeyStore) -> bytes | None:
    """The content key that currently wraps a store's keys; None if the home has none.

    Raises:
        Tampered: `bad_wrapped_key`, the row with a newer key was changed.
    """
    if "content" not in keys.names():
        return None

    def find_row(name: str) -> bytes | None:
        row = reader.vault("", name)
        return None if row is None else bytes(row.wrapped_key)

    return follow_content_key(keys.secret("content"), find_row)


class SealedContents:
    """Opens sealed content.

    Args:
        reader: the store.
        kek: key that wraps content keys, None if it is not available.

    Attributes:
        on_open: called with the tenant before content is opened, if it is set.
    """

    def __init__(self, reader: RowReader, kek: bytes | None) -> None:
        self.on_open: Callable[[str], None] | None = None
        self._reader = reader
        self._kek = kek
        self._keys: dict[tuple[str, str], SubjectKey | None] = {}

    @classmethod
    def with_home_key(cls, reader: RowReader, keys: KeyStore) -> SealedContents:
        """An instance with the home's content key, if there is one."""
        return cls(reader, load_home_content_key(reader, keys))

    def open(self, entry: LedgerEntry, name: str) -> bytes | None:
        """The content of one field; None if it was erased or never written, or the key is unavailable.

        Raises:
            Tampered: the stored content is not what the entry committed to.
        """
        return self.open_all(entry).get(name) if name in entry.content else None

    def open_all(self, entry: LedgerEntry) -> Mapping[str, bytes]:
        """The content of every field that can be opened, name → bytes.

        Raises:
            Tampered: as `open`.
        """
        if not entry.content or self._kek is None:
            return {}
        stored = self._reader.attached(entry.tenant, entry.writer, entry.seq)
        if stored is None or stored.sealed is None:
            return {}
        return self.open_stored(entry.tenant, entry.attached, stored.sealed, stored.marks)

    @property
    def is_available(self) -> bool:
        """Whether there is a key to open anything."""
        return self._kek is not None

    def open_stored(self, tenant: str, attached: str, sealed: bytes, marks: bytes | None) -> Mapping[str, bytes]:
        """Like `open_all`, for columns already read.

        Raises:
            Tampered: as `open`.
        """
        if self._kek is None:
            return {}
        if self.on_open is not None:
            self.on_open(tenant)
        return open_attached(partial(self.find_key, tenant), tenant, attached, sealed, marks)

    def find_key(self, tenant: str, subject: str) -> SubjectKey | None:
        """The key to a subject's boxes; None if it has no row, or the home's key is unavailable.

        Raises:
            Tampered: as `open`.
        """
        return None if self._kek is None else self._find_key(tenant, subject, self._kek)

    def _find_key(self, tenant: str, subject: str, kek: bytes) -> SubjectKey | None:
        """A subject's data key, None if it was erased, and the commitment to it; None if it has no row."""
        if (tenant, subject) not in self._keys:
            vault = self._reader.vault(tenant, subject)
            if len(self._keys) >= _MAX_KEYS:
                self._keys.clear()
            self._keys[tenant, subject] = (
                None if vault is None else unwrap_key(kek, bytes(vault.wrapped_key), vault.commitment, tenant, subject)
            )
        return self._keys[tenant, subject]


class Names:
    """Opens the names in one store.

    Args:
        reader: the store.
        contents: opens what is sealed.
        references: makes references of names, None without the store's digest key.
    """

    def __init__(self, reader: RowReader, contents: SealedContents, references: References | None) -> None:
        self._reader = reader
        self._contents = contents
        self._references = references
        self._sessions: dict[tuple[str, str], str] = {}
        self._people: dict[tuple[str, str], str] = {}

    def resolve_session(self, tenant: str, session: str) -> str:
        """The reference of a session, given its name or its reference."""
        is_known = is_reference(session) and self._reader.has_session(tenant, session)
        return session if is_known or self._references is None else self._references.of_session(session)

    @property
    def has_references(self) -> bool:
        """Whether references can be made, which needs the store's digest key."""
        return self._references is not None

    def refer_person(self, name: str) -> str:
        """The reference of a person's name; the name itself without the store's digest key."""
        return name if self._references is None else self._references.of_person(name)

    def show_session(self, tenant: str, reference: str) -> str:
        """A session's name if it can be opened, else its reference."""
        name = self._sessions.get((tenant, reference))
        if name is None:
            name = next(self._open_session(tenant, reference), reference) if reference else ""
            if len(self._sessions) >= _MAX_CACHED:
                self._sessions.clear()
            self._sessions[tenant, reference] = name
        return name

    def _open_session(self, tenant: str, reference: str) -> Iterator[str]:
        for _, note in self._reader.notes(tenant, (EntryKind.DECISION.value,), reference):
            name = self._contents.open(decode_entry(note), "session")
            if name is not None:
                yield name.decode("utf-8", "replace")
            return  # it stands with the session's first decision

    def show_people(self, entry: LedgerEntry) -> dict[str, str]:
        """Reference → name, of the people of a decision."""
        opened = self._contents.open_all(entry)
        request, approval = entry.body["request"], entry.body["snapshot"]["approval"]
        standing = entry.body["snapshot"]["standing"]
        people = {item["approver"]: f"{SIGNER_FIELD}{i}" for i, item in enumerate(standing)}
        people |= {request["subject"]["user"]: "user", **({approval["approver"]: "approver"} if approval else {})}
        return {
            reference: opened[field].decode("utf-8", "replace")
            for reference, field in people.items()
            if field in opened
        }

    def _restore_decision(self, entry: LedgerEntry) -> Mapping[str, Any]:
        """The body of a decision with names beside their references."""
        body = entry.body
        subject, approval = body["request"]["subject"], body["snapshot"]["approval"]
        standing = body["snapshot"]["standing"]
        answers = [*([approval] if approval else []), *standing]
        people = [subject["user"], *(item["approver"] for item in answers)]
        keys = [(entry.tenant, reference) for reference in people if reference]
        if any(key not in self._people for key in keys):
            if len(self._people) >= _MAX_CACHED:
                self._people.clear()
            names = self.show_people(entry)
            self._people.update((key, names[key[1]]) for key in keys if key[1] in names)
        names_by_reference = {key[1]: self._people[key] for key in keys if key in self._people}
        user = subject["user"]
        if user in names_by_reference:
            chain = [names_by_reference[user] if item == user else item for item in subject["chain"]]
            named = {**subject, "chain": chain, "reference": user, "user": names_by_reference[user]}
            body = {**body, "request": {**body["request"], "subject": named}}
        if any(item["approver"] in names_by_reference for item in answers):
            snapshot = {
                **body["snapshot"],
                "approval": _restore_answer(approval, names_by_reference) if approval else None,
                "standing": [_restore_answer(item, names_by_reference) for item in standing],
            }
            body = {**body, "snapshot": snapshot}
        return body

    def restore(self, entry: LedgerEntry) -> LedgerEntry:
        """An entry for display, with its session's name and the names of people that it seals."""
        session = self.show_session(entry.tenant, entry.session)
        if entry.kind is EntryKind.DECISION:
            return replace(entry, session=session, body=self._restore_decision(entry))
        body: Mapping[str, Any] = entry.body
        sealed = [name for name in entry.content if name in _SEALED_NAMES and type(body.get(name)) is str]
        if sealed:
            opened = self._contents.open_all(entry)
            body = {**body, **{name: opened[name].decode("utf-8", "replace") for name in sealed if name in opened}}
        if type(body.get("session")) is str and entry.kind is not EntryKind.OUTCOME:
            body = {**body, "session": self.show_session(entry.tenant, body["session"])}
        return replace(entry, session=session, body=body)


def _restore_answer(answer: Mapping[str, Any], known: Mapping[str, str]) -> Mapping[str, Any]:
    """An answer read by a decision, with its approver's name beside the reference if known."""
    reference = answer["approver"]
    return {**answer, "approver": known[reference], "reference": reference} if reference in known else answer
