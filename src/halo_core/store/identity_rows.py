"""Rows of people and service accounts: the risk that events elsewhere give them, and what is usual for each.

    IdentityTable(tx, digester).read_risk(reference, now_us)     what a decision reads, from memory

INVARIANT: FAILCLOSED - a row that its keyed proof does not match gives the highest risk with a problem, never none. So
does one that is missing, or of another band, where a signed entry says that the risk is higher or lower.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.errors import BadInput
from halo_core.identities.live import LiveIdentity, describe_factors, find_band
from halo_core.model import NO_PRINCIPAL_RISK, PrincipalRisk
from halo_core.store.cached_rows import BAD_ROW, PersonHead
from halo_core.store.entry_lookup import EntrySource, find_newest
from halo_core.store.row_access import RowAccess

_MAX_PEOPLE: Final = 10_000
"""People that memory keeps."""
_PROOF_DOMAIN: Final = "halo/identity-row/v1"
_READ: Final = "SELECT head, habit, proof FROM identity WHERE tenant=? AND subject=?"
_WRITE: Final = (
    "INSERT INTO identity VALUES (?,?,?,?,?) ON CONFLICT (tenant, subject) DO UPDATE SET "
    "head=excluded.head, habit=excluded.habit, proof=excluded.proof"
)


def _read_changes(body: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The changed bands of people in an entry."""
    changes = body.get("changes")
    for item in changes if isinstance(changes, list) else ():
        if isinstance(item, dict) and isinstance(item.get("band"), int):
            yield str(item.get("subject")), item["band"]


_CHANGES: Final = "FROM entry INDEXED BY entry_identity WHERE tenant=?1 AND kind='identity'"
BAND_ENTRIES: Final[EntrySource[str, int]] = EntrySource(
    newest=f"SELECT w, ws {_CHANGES} ORDER BY idx DESC LIMIT 1",
    all=f"SELECT w, ws, body {_CHANGES} ORDER BY idx DESC",
    naming=f"SELECT w, ws, body {_CHANGES} AND instr(body, ?2)>0 ORDER BY idx DESC",
    find_member=str.encode,
    read_body=_read_changes,
)


_BAD_HEAD: Final = PersonHead(BAD_ROW.risk, 0, BAD_ROW.words, is_bad=True)


class IdentityTable:
    """People and service accounts of one tenant, as one transaction sees them.

    Args:
        tx: the transaction.
        digester: keyed digests of the home, which prove the rows.
    """

    __slots__ = ("_digester", "_tx")

    def __init__(self, tx: RowAccess, digester: Digester) -> None:
        self._tx = tx
        self._digester = digester

    def read_risk(self, reference: str, now_us: int) -> PrincipalRisk:
        """The risk of the identity with a reference; `NO_PRINCIPAL_RISK` if it is unknown.

        Args:
            reference: `References.of_person`; empty for nobody.
            now_us: time of the decision, microseconds since the epoch.
        """
        if not reference:
            return NO_PRINCIPAL_RISK
        people = self._tx.image.people
        if reference not in people:
            if len(people) >= _MAX_PEOPLE:
                people.clear()
            row = self._tx.row_cursor.execute(_READ, (self._tx.tenant, reference)).fetchone()
            person = None if row is None else self._read_head(reference, *row)
            if self.find_band(reference) != (0 if person is None else find_band(person.risk)):
                person = _BAD_HEAD
            people[reference] = person
        head = people[reference]
        return NO_PRINCIPAL_RISK if head is None else head.at(now_us)

    def find_band(self, reference: str) -> int:
        """Band of an identity's risk, as its newest entry says; 0 where there is none.

        Each change of the band has an entry, so a row of another band was put back, and a missing one was deleted.
        """
        newest = find_newest(self._tx, self._tx.image.identity_history, BAND_ENTRIES, reference)
        return 0 if newest is None else newest[1]

    def _read_head(self, reference: str, head: bytes, habit: bytes, proof: str) -> PersonHead:
        if proof != compute_proof(self._digester, self._tx.tenant, reference, head, habit):
            return _BAD_HEAD
        try:
            identity = LiveIdentity.from_head(canonical.loads(bytes(head)))
        except (BadInput, LookupError, TypeError, ValueError, AttributeError):
            return _BAD_HEAD
        return PersonHead(identity.risk, identity.last_us, describe_factors(identity.factors))

    def load(self, reference: str) -> LiveIdentity | None:
        """The whole state of an identity; None if it has no row.

        Raises:
            BadInput: `bad_principal_risk`, the row is not what was written.
        """
        row = self._tx.cursor.execute(_READ, (self._tx.tenant, reference)).fetchone()
        return None if row is None else read_identity_row(self._digester, self._tx.tenant, (reference, *row))

    def read_proof(self, reference: str) -> str:
        """The proof of an identity's row, which identifies its version; empty if there is none."""
        row = self._tx.row_cursor.execute(
            "SELECT proof FROM identity WHERE tenant=? AND subject=?", (self._tx.tenant, reference)
        ).fetchone()
        return "" if row is None else str(row[0])

    def put(self, reference: str, identity: LiveIdentity) -> str:
        """Write the state of an identity; returns the proof of the row."""
        head, habit = canonical.dumps(identity.to_head()), canonical.dumps(identity.to_habit())
        before = self._tx.image.people.pop(reference, None)
        if before is None or before.risk != identity.risk:
            self._tx.database.claim_control()  # other writers read it for their next decision
        proof = compute_proof(self._digester, self._tx.tenant, reference, head, habit)
        self._tx.insert(_WRITE, (self._tx.tenant, reference, head, habit, proof))
        return proof

    def load_place(self, source: str) -> Mapping[str, Any]:
        """How far a source has been read; empty if never."""
        row = self._tx.cursor.execute(
            "SELECT place FROM identity_source WHERE tenant=? AND source=?", (self._tx.tenant, source)
        ).fetchone()
        tree = {} if row is None else canonical.loads(bytes(row[0]))
        return tree if isinstance(tree, dict) else {}

    def put_place(self, source: str, place: Mapping[str, Any]) -> None:
        """Record how far a source has been read, in the transaction that takes its events."""
        self._tx.insert(
            "INSERT INTO identity_source VALUES (?,?,?) ON CONFLICT (tenant, source) DO UPDATE SET "
            "place=excluded.place",
            (self._tx.tenant, source, canonical.dumps(dict(place))),
        )

    def list_rows(self) -> Iterator[tuple[str, bytes, bytes, str]]:
        """Reference, head, habit and proof of each row, by reference."""
        yield from self._tx.cursor.execute(
            "SELECT subject, head, habit, proof FROM identity WHERE tenant=? ORDER BY subject", (self._tx.tenant,)
        ).fetchall()


def compute_proof(digester: Digester, tenant: str, reference: str, head: bytes, habit: bytes) -> str:
    """Keyed digest over a row."""
    data = canonical.dumps([tenant, reference, bytes(head).decode("utf-8", "replace")]) + b"\0" + bytes(habit)
    return digester.digest(_PROOF_DOMAIN, data)


def make_change(subject: str, state: LiveIdentity) -> dict[str, Any]:
    """The record in an entry of an identity whose band changed."""
    return {
        "band": state.band,
        "factors": list(state.factors),
        "kind": state.kind,
        "risk": state.risk,
        "since_us": state.since_us,
        "subject": subject,
    }


def read_identity_row(digester: Digester, tenant: str, row: tuple[str, bytes, bytes, str]) -> LiveIdentity:
    """The state in a row.

    Raises:
        BadInput: `bad_principal_risk`, the row is not what was written.
    """
    reference, head, habit, proof = row
    try:
        if proof == compute_proof(digester, tenant, reference, head, habit):
            return LiveIdentity.from_plain(canonical.loads(bytes(head)), canonical.loads(bytes(habit)))
    except (BadInput, LookupError, TypeError, ValueError, AttributeError):
        pass
    remedy = "run `halo verify`, then `halo identity clear NAME`"
    raise BadInput("bad_principal_risk", "a row of an identity was changed", field="identity", remedy=remedy)
