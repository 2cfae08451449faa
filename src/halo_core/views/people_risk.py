"""The risk of people and service accounts whose events are followed: why, since when, and what was done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from halo_core.crypto.keys import Digester, KeyStore
from halo_core.errors import BadInput
from halo_core.identities.live import LiveIdentity, RiskChange, describe_factors
from halo_core.ledger import Stream
from halo_core.model import EntryKind
from halo_core.store.identity_rows import read_identity_row
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries
from halo_core.views import View
from halo_core.views.agent_behaviour import DoneAct, describe_act

_KINDS: Final = (EntryKind.IDENTITY, EntryKind.STOP, EntryKind.LIFT)


@dataclass(frozen=True, slots=True)
class PersonRisk(View):
    """What is known of one person or service account.

    Args:
        reference: the reference that stands for the identity in the log.
        name: as the source of its events names it; the reference where the name was erased, was never recorded, since
            nothing was unusual, or cannot be opened.
        kind: `human`, `service`, `role`, `machine` or `unknown`.
        risk: 0..1000; above 500 is elevated, above 800 is high.
        band: 0 ordinary, 1 elevated, 2 high.
        since_us: time since which it is in this band, microseconds since the epoch.
        last_us: time of the newest event, microseconds since the epoch.
        why: factors in words.
        events: number of events that were taken.
        bands: number of events in each band.
        history: changes of the risk.
        done: what was done about it, oldest first.
        problem: code of the reason for which the row cannot be used; empty if it can.
    """

    reference: str
    name: str
    kind: str = "unknown"
    risk: int = 0
    band: int = 0
    since_us: int = 0
    last_us: int = 0
    why: tuple[str, ...] = ()
    events: int = 0
    bands: tuple[int, ...] = (0, 0, 0)
    history: tuple[RiskChange, ...] = ()
    done: tuple[DoneAct, ...] = ()
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "band": self.band,
            "bands": list(self.bands),
            "done": [{"at_us": item.ts_us, "by": item.by, "what": item.what} for item in self.done],
            "events": self.events,
            "history": [[item.ts_us, item.risk, list(item.factors)] for item in self.history],
            "kind": self.kind,
            "last_us": self.last_us,
            "name": self.name,
            "problem": self.problem,
            "reference": self.reference,
            "risk": self.risk,
            "since_us": self.since_us,
            "why": list(self.why),
        }


@dataclass(slots=True)
class _LogReading:
    """What a pass over the log collects.

    Args:
        names: reference → name.
        done: reference → what was done.
    """

    names: dict[str, str] = field(default_factory=dict)
    done: dict[str, list[DoneAct]] = field(default_factory=dict)

    def take(self, record: LoggedEntry, opened: Mapping[str, bytes]) -> None:
        entry, body = record.entry, record.entry.body
        by = "" if body.get("authn") == "policy" else str(body.get("actor", ""))
        if entry.kind is not EntryKind.IDENTITY:
            described = describe_act(entry.kind, body)
            if described is not None:
                self.done.setdefault(described[0], []).append(DoneAct(entry.ts_us, described[1], by))
            return
        for number, change in enumerate(body.get("changes", ())):
            subject, name = str(change["subject"]), opened.get(f"name{number}")
            if name is not None:
                self.names[subject] = name.decode("utf-8", "replace")
            if body.get("op") == "clear":
                verdict = "ordinary" if body.get("ordinary") else "an attack"
                why = f": {body['why']}" if body.get("why") else ""
                act = DoneAct(entry.ts_us, f"the risk was taken back, judged {verdict}{why}", by)
                self.done.setdefault(subject, []).append(act)


def load_people(reader: Reader, tenant: str, home: Path, *, name: str = "") -> list[PersonRisk]:
    """People and service accounts whose events are followed, the riskiest first.

    Args:
        reader: the store.
        tenant: tenant of the log.
        home: folder of the keys that open names and prove rows.
        name: only the identity with this name or reference; empty for all.
    """
    keys = KeyStore(home)
    contents = SealedContents.with_home_key(reader, keys)
    reading = _LogReading()
    for record in read_entries(reader, tenant, _KINDS):
        reading.take(record, contents.open_all(record.entry) if record.entry.kind is EntryKind.IDENTITY else {})
    digester = Digester(keys.secret("digest"))
    wanted = reader.names.refer_person(name) if name and reader.names is not None else name
    people = [
        _build(digester, reading, tenant, row[1:])
        for row in reader.rows(Stream.IDENTITIES)
        if row[0] == tenant and (not name or row[1] in (name, wanted))
    ]
    return sorted(people, key=lambda item: (-item.risk, item.name))


def _build(digester: Digester, reading: _LogReading, tenant: str, row: tuple[str, bytes, bytes, str]) -> PersonRisk:
    reference = row[0]
    name, done = reading.names.get(reference, reference), tuple(reading.done.get(reference, ()))
    try:
        state: LiveIdentity = read_identity_row(digester, tenant, row)
    except BadInput as exc:
        return PersonRisk(reference, name, risk=1000, band=2, done=done, problem=exc.code)
    return PersonRisk(
        reference=reference,
        name=name,
        kind=state.kind,
        risk=state.risk,
        band=state.band,
        since_us=state.since_us,
        last_us=state.last_us,
        why=describe_factors(state.factors),
        events=state.events,
        bands=tuple(state.bands),
        history=tuple(state.history),
        done=done,
    )
