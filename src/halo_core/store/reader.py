"""Reading a tenant's log entry by entry, with names of sessions and people where the home's keys open them.

with Reader(url) as reader:
    for logged in read_entries(reader, tenant): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.ledger import Stream
from halo_core.model import EntryKind, LedgerEntry
from halo_core.quick_dataclass import dataclass
from halo_core.references import References
from halo_core.store.engine import Engine
from halo_core.store.row_reader import NO_END, RowReader
from halo_core.store.sealed_contents import Names, SealedContents

__all__ = ["NO_END", "LoggedEntry", "Reader", "SealedContents", "Stream", "read_entries", "select_tenant"]


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry with its position in the tenant's log and its signed bytes.

    The body of a decision or an outcome is the whole record (`halo_core.decision.record`).
    """

    index: int
    entry: LedgerEntry
    note: bytes


class Reader(RowReader):
    """A reader of rows that, after `use_names`, shows names and accepts them in place of references."""

    def __init__(self, url: str, *, database: Engine | None = None) -> None:
        """Open a store as `RowReader` does; names are shown once `use_names` was called."""
        super().__init__(url, database=database)
        self.names: Names | None = None

    def use_names(self, home: Path) -> None:
        """Show names of sessions and people, and accept them in place of references, if the home's keys allow it."""
        contents = SealedContents.with_home_key(self, KeyStore(home))
        self.names = Names(self, contents, References.of_home(home))

    def read_note(self, index: int, note: bytes) -> LoggedEntry:
        """The entry of a note, with names if this reader has them."""
        entry = self.read_entry(note)
        return LoggedEntry(index, entry if self.names is None else self.names.restore(entry), note)

    def find_person(self, name: str) -> frozenset[str]:
        """References that a text may mean as a person: itself and, if this reader has names, the name's."""
        return frozenset({name} if self.names is None else {name, self.names.refer_person(name)})

    def find_session(self, tenant: str, session: str) -> str:
        """The reference of a session, given the reference or, if this reader has names, the name."""
        return session if self.names is None or not session else self.names.resolve_session(tenant, session)

    def show_session(self, tenant: str, reference: str) -> str:
        """The name of a session, if this reader can open it, else its reference."""
        return reference if self.names is None else self.names.show_session(tenant, reference)


def select_tenant(reader: Reader, tenant: str | None) -> str:
    """The requested tenant, or the only one there is.

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
    reader: Reader,
    tenant: str,
    kinds: tuple[EntryKind, ...] = (),
    session: str = "",
    *,
    since: int = 0,
) -> Iterator[LoggedEntry]:
    """Entries in log order: all, or those of some kinds or one session, from a position on."""
    names = tuple(kind.value for kind in kinds)
    rows = reader.notes(tenant, names, session, since) if kinds else reader.all_notes(tenant)
    for index, note in rows:
        yield reader.read_note(index, note)
