"""The standing passport in force of each agent: the one that the newest signed entry issued. Its row is a cache.

    StandingTable(tx).get("clerk")

A row that is missing or says something else is overridden, recorded and written again; a row without an entry is
recorded and removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from halo_core.crypto import canonical
from halo_core.store.cached_rows import StandingPassport
from halo_core.store.control_state import record_difference
from halo_core.store.entry_lookup import EntrySource, find_newest
from halo_core.store.entry_parts import AGENT_PART

if TYPE_CHECKING:
    from halo_core.store.transaction import Transaction

# Without the hints SQLite does not use the partial indexes, and reads the tenant's whole log.
_STANDING: Final = "WHERE tenant=?1 AND kind='passport' AND session=''"
_ISSUED: Final = f"FROM entry INDEXED BY entry_standing_passport {_STANDING}"
ISSUED_LAST: Final = (
    f"SELECT w, ws, body FROM entry INDEXED BY entry_passport_of {_STANDING} "  # noqa: S608  constants
    f"AND {AGENT_PART}>=?2 AND {AGENT_PART}<?3 ORDER BY idx DESC"
)


def _find_member(agent: str) -> bytes:
    # No column names the agent. The entry's text does, and searching its bytes is cheaper than decoding it.
    return canonical.dumps({"agent": agent})[1:-1]


def _read_issued(body: Mapping[str, Any]) -> Iterator[tuple[str, StandingPassport]]:
    if body.get("kind") == "standing":
        passport = StandingPassport(str(body.get("hash")), str(body.get("origin")), str(body.get("manifest", "")))
        yield str(body.get("agent")), passport


def _describe(passport: StandingPassport | None) -> str:
    if passport is None:
        return "missing"
    return f"{passport.origin} {passport.hash[7:15]} {passport.manifest[7:15]}".rstrip()


STANDING_ENTRIES: Final[EntrySource[str, StandingPassport]] = EntrySource(
    newest=f"SELECT w, ws {_ISSUED} ORDER BY idx DESC LIMIT 1",
    all=f"SELECT w, ws, body {_ISSUED} ORDER BY idx DESC",
    naming=ISSUED_LAST,
    find_member=_find_member,
    has_part=True,
    read_body=_read_issued,
)


class StandingTable:
    """The standing passport of each agent, as seen and changed by one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, agent: str) -> StandingPassport | None:
        """The agent's passport; None if it has none.

        Raises:
            CannotDecide: `ledger_unwritable`, the entry that issued it cannot be proven.
        """
        known = self._tx.image.standing
        if agent not in known:
            known[agent] = self._read(agent)
        return known[agent]

    def _read(self, agent: str) -> StandingPassport | None:
        """Read the row and the newest entry.

        INVARIANT: SUB - a row that names an older, wider passport, or is missing, gives an agent nothing.
        """
        tx = self._tx
        columns = tx.cursor.execute(
            "SELECT hash, origin, manifest FROM standing WHERE tenant=? AND agent=?", (tx.tenant, agent)
        ).fetchone()
        row = None if columns is None else StandingPassport(*columns)
        newest = find_newest(tx, tx.image.standing_history, STANDING_ENTRIES, agent)
        if newest is None:
            if row is not None:
                record_difference(tx, "standing", "no entry", _describe(row))
                tx.database.claim_control()
                tx.cursor.execute("DELETE FROM standing WHERE tenant=? AND agent=?", (tx.tenant, agent))
            return None
        issued = newest[1]
        if row != issued:
            record_difference(tx, "standing", _describe(issued), _describe(row))
            self.put(agent, *issued)
        return issued

    def list_all(self) -> dict[str, StandingPassport]:
        """Agent → passport in force, of the agents that have a row, sorted by agent.

        Raises:
            CannotDecide: as `get`.
        """
        tx = self._tx
        rows = tx.cursor.execute("SELECT agent FROM standing WHERE tenant=? ORDER BY agent", (tx.tenant,)).fetchall()
        passports = {agent: self.get(agent) for (agent,) in rows}
        return {agent: passport for agent, passport in passports.items() if passport is not None}

    def put(self, agent: str, hash: str, origin: str, manifest: str = "") -> None:  # noqa: A002  the column's word
        """Set the agent's row according to the entry that issued it."""
        self._tx.database.claim_control()
        self._tx.insert(
            "INSERT INTO standing VALUES (?,?,?,?,?) ON CONFLICT (tenant, agent) DO UPDATE SET "
            "hash=excluded.hash, origin=excluded.origin, manifest=excluded.manifest",
            (self._tx.tenant, agent, hash, origin, manifest),
        )
        self._tx.image.standing.pop(agent, None)
