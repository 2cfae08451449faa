"""Room: an alert about a person or a service account as it is told. Takes: an entry. Gives: plain values, bounded.

Told is a keyed fingerprint, and only where it was asked for also who it is. Never: I/O, a name unasked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from halo_core.identities.alerted import DayAlert, Named
from halo_core.identities.alerting import KIND
from halo_core.query import Found
from halo_core.telling.alert import Alert, id_of, short

__all__ = ["AnyAlert", "PersonAlert"]

_MOST_FACTORS: Final = 3


@dataclass(frozen=True, slots=True)
class PersonAlert:
    """One alert.

    Args:
        id: of the entry, the same however often it is sent.
        index: place in the tenant's log.
        tenant: whose log.
        ts_us: when the alert was written.
        alert: what it says, without names.
        named: the event with names; None where that was not asked for, or cannot be opened any more.
    """

    id: str
    index: int
    tenant: str
    ts_us: int
    alert: DayAlert
    named: Named | None = None
    kind = KIND

    @classmethod
    def of(cls, found: Found, named: Named | None = None) -> PersonAlert:
        """An alert entry, and what was opened of it.

        Raises:
            Tampered or ValueError: it is none of ours.
        """
        entry = found.entry
        alert = DayAlert.of(entry.body)
        alert = replace(alert, factors=alert.factors[:_MOST_FACTORS], baseline=short(alert.baseline))
        return cls(id_of(entry), found.index, short(entry.tenant), entry.ts_us, alert, named)

    @property
    def sentence(self) -> str:
        """For people."""
        who = f"`{self.named.identity}`: {self.named.what}" if self.named is not None else self.alert.print
        return f"risk {self.alert.risk} of 1000, identity {who} on {self.alert.day}: {self.alert.why}"

    def values(self) -> dict[str, str]:
        """For structured data of syslog; the same members whether or not it is named."""
        alert, named = self.alert, self.named
        return {
            "id": self.id,
            "index": str(self.index),
            "tenant": self.tenant,
            "kind": self.kind,
            "identity": alert.print,
            "name": named.identity if named is not None else "-",
            "action": named.action if named is not None else "-",
            "system": named.system if named is not None else "-",
            "network": named.network if named is not None else "-",
            "day": alert.day,
            "risk": str(alert.risk),
            "running": str(alert.running),
            "high": str(alert.high),
            "factors": " ".join(item.id for item in alert.factors),
        }

    def to_plain(self) -> dict[str, Any]:
        """For programs, named as `halo alerts --json` names it."""
        alert = self.alert
        return {
            "baseline": alert.baseline,
            "day": alert.day,
            "event": None if self.named is None else self.named.to_plain(),
            "factors": [{"id": item.id, "points": item.points, "words": item.words} for item in alert.factors],
            "first_us": alert.first_us,
            "high": alert.high,
            "id": self.id,
            "identity": alert.print,
            "index": self.index,
            "kind": self.kind,
            "last_us": alert.last_us,
            "risk": alert.risk,
            "running": alert.running,
            "tenant": self.tenant,
            "ts_us": self.ts_us,
        }


AnyAlert = Alert | PersonAlert
