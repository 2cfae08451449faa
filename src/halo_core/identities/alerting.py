"""Room: what an alert says of an identity and a day. Takes: scored events. Gives: bodies, what to seal.

INVARIANT: a body holds keyed fingerprints, numbers and words without values; a name, an address, an action or a system
stands in the sealed content alone, under a subject of its own, so that it can be erased. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from halo_core import canonical
from halo_core.identities.habit import DAY_US
from halo_core.identities.scoring import Scored
from halo_core.keys import Digester
from halo_core.model import plain_name

__all__ = ["CONTENT", "KIND", "Days", "HighDay", "Prints", "day_of", "subject_of"]

KIND: Final = "identity"
"""What `kind` of an alert's body says; those about agents say `action`, `session` or `drift`."""
CONTENT: Final = "event"
"""The sealed field: the strongest event of the day, with names."""

_HIGH: Final = 2
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAME: Final = "halo/identity/v1"
_KEY: Final = "halo/identity-key/v1"
_WORDS: Final = {
    "action_new": "an action that it hardly or never took before",
    "burst": "many more events in an hour than in a busy one",
    "country_new": "from a country hardly or never seen",
    "failures": "many failures in a row within the hour",
    "hour_unusual": "at an hour it is hardly or never active",
    "network_new": "from a network hardly or never seen",
    "success_after_failures": "a success after many failures in a row within the hour",
    "system_new": "a system hardly or never reached before",
    "weekday_unusual": "on a weekday it is never active",
}
"""What may be said of each factor without a value of anybody's."""


@dataclass(frozen=True, slots=True)
class Prints:
    """Keyed fingerprints of a tenant's identities, remembered: another tenant's of the same name are others.

    Args:
        digester: with the home's digest key.
        tenant: whose.
    """

    digester: Digester
    tenant: str
    _known: dict[str, str] = field(default_factory=dict)

    def of(self, identity: str) -> str:
        """Fingerprint of one, however it is spelt: `Ana@` is `ana@`, so that no spelling evades what was judged."""
        found = self._known.get(identity)
        if found is None:
            data = canonical.dumps([self.tenant, plain_name(identity)])
            found = self._known[identity] = self.digester.digest(_NAME, data)
        return found

    @property
    def key(self) -> str:
        """Fingerprint of the key: who has another one cannot tell whom an alert is about, and should know."""
        return self.digester.digest(_KEY, b"")


def subject_of(print_: str) -> str:
    """Whose data the sealed content is; the tables have it in the clear, so it is no name."""
    return f"{KIND}:{print_}"


def day_of(ts_us: int) -> str:
    """The UTC day of a time, as `2026-02-16`."""
    return (_EPOCH + timedelta(days=ts_us // DAY_US)).date().isoformat()


@dataclass(slots=True)
class HighDay:
    """One identity on one UTC day with an event above the higher limit.

    Args:
        worst: the strongest event, the first of those with the same risk.
        high: events above the limit.
        first_us: time of the first of them.
        last_us: of the last.
        running: the identity's risk after its last event of the day.
    """

    worst: Scored
    high: int
    first_us: int
    last_us: int
    running: int

    @property
    def identity(self) -> str:
        """Who."""
        return self.worst.event.identity

    @property
    def day(self) -> str:
        """When."""
        return day_of(self.first_us)

    def body(self, prints: Prints, baseline: str) -> dict[str, Any]:
        """Of the entry; `baseline` is the hash of what the events were scored against."""
        return {
            "baseline": baseline,
            "day": self.day,
            "factors": [
                {"id": item.id, "points": item.points, "words": _WORDS.get(item.id, item.id)}
                for item in self.worst.factors
            ],
            "first_us": self.first_us,
            "high": self.high,
            "identity": prints.of(self.identity),
            "key": prints.key,
            "kind": KIND,
            "last_us": self.last_us,
            "risk": self.worst.risk,
            "running": self.running,
        }

    def content(self) -> bytes:
        """To be sealed."""
        event = self.worst.event
        return canonical.dumps(
            {
                "action": event.action,
                "asn": event.asn,
                "country": event.country,
                "identity": event.identity,
                "kind": event.kind.value,
                "network": event.network,
                "outcome": event.outcome.value,
                "role": event.role,
                "system": event.system,
                "ts_us": event.ts_us,
                "words": [item.words for item in self.worst.factors],
            }
        )


class Days:
    """Scored events gathered by identity and day."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], HighDay] = {}

    def take(self, scored: Scored) -> None:
        """One event, in order of time."""
        event = scored.event
        place = event.identity, event.ts_us // DAY_US
        day = self._found.get(place)
        if day is None:
            if scored.band >= _HIGH:
                self._found[place] = HighDay(scored, 1, event.ts_us, event.ts_us, scored.running)
            return
        day.running = scored.running
        if scored.band >= _HIGH:
            day.high, day.last_us = day.high + 1, event.ts_us
            if (scored.risk or 0) > (day.worst.risk or 0):
                day.worst = scored

    def high(self) -> list[HighDay]:
        """Those with an event above the higher limit, the earliest first."""
        return list(self._found.values())
