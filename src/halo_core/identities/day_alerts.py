"""Alerts about an identity's day: bodies of ledger entries with sealed content, and their parsing.

INVARIANT: a body holds keyed fingerprints, numbers, and words without values; names, addresses, actions and systems are
in the sealed content alone, under a subject of its own, so that they can be erased. Anybody may have written what a
store holds, so a body or content of another form is refused as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.durations import DAY_US
from halo_core.errors import CanonicalError, Tampered
from halo_core.identities.event_factors import EventFactor
from halo_core.identities.event_risk import ScoredEvent
from halo_core.model import EntryKind, LedgerEntry, normalize_name
from halo_core.quick_dataclass import dataclass

ALERT_KIND: Final = "identity"
"""What `kind` of an alert's body says; those about agents say `action`, `session` or `drift`."""
CONTENT_FIELD: Final = "event"
"""The sealed field: the strongest event of the day, with names."""

_HIGH_BAND: Final = 2
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IDENTITY_DOMAIN: Final = "halo/identity/v1"
_KEY_DOMAIN: Final = "halo/identity-key/v1"
FACTOR_WORDS: Final = {
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
class IdentityFingerprints:
    """Keyed fingerprints of a tenant's identities; the same name has another one in another tenant.

    Args:
        digester: digester with the home's digest key.
        tenant: whose.
    """

    digester: Digester
    tenant: str
    _cache: dict[str, str] = field(default_factory=dict)

    def fingerprint_of(self, identity: str) -> str:
        """Fingerprint of an identity in any spelling (`Ana@` is `ana@`), so that none evades a verdict on it."""
        fingerprint = self._cache.get(identity)
        if fingerprint is None:
            data = canonical.dumps([self.tenant, normalize_name(identity)])
            fingerprint = self._cache[identity] = self.digester.digest(_IDENTITY_DOMAIN, data)
        return fingerprint

    @property
    def key_fingerprint(self) -> str:
        """Fingerprint of the key, which explains to a reader with another key why nothing matches."""
        return self.digester.digest(_KEY_DOMAIN, b"")


def make_subject(fingerprint: str) -> str:
    """Subject of the sealed content; it is stored in the clear, so it holds no name."""
    return f"{ALERT_KIND}:{fingerprint}"


def day_of(ts_us: int) -> str:
    """The UTC day of a time, as `2026-02-16`."""
    return (_EPOCH + timedelta(days=ts_us // DAY_US)).date().isoformat()


@dataclass(slots=True)
class HighRiskDay:
    """One identity on one UTC day with an event above the higher limit.

    Args:
        worst_event: the strongest event, the first of those with the same risk.
        high_event_count: events above the limit.
        first_us: time of the first of them.
        last_us: time of the last.
        identity_risk: the identity's risk after its last event of the day.
    """

    worst_event: ScoredEvent
    high_event_count: int
    first_us: int
    last_us: int
    identity_risk: int

    @property
    def identity(self) -> str:
        """The identity, as the source names it."""
        return self.worst_event.event.identity

    @property
    def day(self) -> str:
        """The UTC day, as `2026-02-16`."""
        return day_of(self.first_us)

    def to_alert(self, fingerprints: IdentityFingerprints, baseline: str) -> DayAlert:
        """The alert; `baseline` is the hash of the baseline that the events were scored against."""
        factors = (
            EventFactor(item.id, item.points, FACTOR_WORDS.get(item.id, item.id)) for item in self.worst_event.factors
        )
        return DayAlert(
            fingerprint=fingerprints.fingerprint_of(self.identity),
            key_fingerprint=fingerprints.key_fingerprint,
            day=self.day,
            risk=self.worst_event.event_risk or 0,
            identity_risk=self.identity_risk,
            high_event_count=self.high_event_count,
            first_us=self.first_us,
            last_us=self.last_us,
            baseline=baseline,
            factors=tuple(factors),
        )

    def to_content(self) -> bytes:
        """Content to seal: the strongest event, with names."""
        event = self.worst_event.event
        words = [item.words for item in self.worst_event.factors]
        kinds = {"kind": event.kind.value, "outcome": event.outcome.value}
        return canonical.dumps({**asdict(event), **kinds, "words": words})


class HighRiskDays:
    """Scored events gathered by identity and day."""

    def __init__(self) -> None:
        self._by_day: dict[tuple[str, int], HighRiskDay] = {}

    def add_event(self, scored: ScoredEvent) -> None:
        """Add an event, in order of time."""
        event = scored.event
        identity_day = event.identity, event.ts_us // DAY_US
        day = self._by_day.get(identity_day)
        if day is None:
            if scored.band >= _HIGH_BAND:
                self._by_day[identity_day] = HighRiskDay(scored, 1, event.ts_us, event.ts_us, scored.identity_risk)
            return
        day.identity_risk = scored.identity_risk
        if scored.band >= _HIGH_BAND:
            day.high_event_count, day.last_us = day.high_event_count + 1, event.ts_us
            if (scored.event_risk or 0) > (day.worst_event.event_risk or 0):
                day.worst_event = scored

    def list_days(self) -> list[HighRiskDay]:
        """Days with an event above the higher limit, the earliest first."""
        return list(self._by_day.values())


_KIND_PATTERN: Final = re.compile(re.escape(ALERT_KIND))
_FINGERPRINT_PATTERN: Final = re.compile(r"blake2b-256:[0-9a-f]{64}")
_DAY_PATTERN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MAX_TEXT_LENGTH: Final = 1000
_MAX_RISK: Final = 1000
_MAX_NUMBER: Final = 1 << 53  # as microseconds a time that has a date
_BODY_NAMES: Final = {
    "fingerprint": "identity",
    "key_fingerprint": "key",
    "identity_risk": "running",
    "high_event_count": "high",
}
"""What fields of `DayAlert` are called in a body, where that is another name."""
_EVENT_TEXTS: Final = ("identity", "action", "system", "network", "country", "outcome")


@dataclass(frozen=True, slots=True)
class DayAlert:
    """The body of an alert; numbers as in `HighRiskDay`, `baseline` is the hash of what the events were scored with."""

    fingerprint: str
    key_fingerprint: str
    day: str
    risk: int
    identity_risk: int
    high_event_count: int
    first_us: int
    last_us: int
    baseline: str
    factors: tuple[EventFactor, ...]

    @property
    def identity_day(self) -> tuple[str, str]:
        """Fingerprint and day: there is one alert for each pair."""
        return self.fingerprint, self.day

    @property
    def explanation(self) -> str:
        """The factors of the risk, in words."""
        return "; ".join(item.words for item in self.factors)

    def to_body(self) -> dict[str, Any]:
        """Body of the entry."""
        body = {_BODY_NAMES.get(name, name): value for name, value in asdict(self).items()}
        return {**body, "factors": list(body["factors"]), "kind": ALERT_KIND}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> DayAlert:
        """Inverse of `to_body`, of a body whose `kind` says so.

        Raises:
            Tampered: `bad_alert`, it is another body.
        """
        try:
            _require_match(_KIND_PATTERN, body["kind"])
            return cls(
                _require_match(_FINGERPRINT_PATTERN, body["identity"]),
                _require_match(_FINGERPRINT_PATTERN, body["key"]),
                _require_match(_DAY_PATTERN, body["day"]),
                risk=_require_number(body["risk"], _MAX_RISK),
                identity_risk=_require_number(body["running"], _MAX_RISK),
                high_event_count=_require_number(body["high"]),
                first_us=_require_number(body["first_us"]),
                last_us=_require_number(body["last_us"]),
                baseline=_require_text(body["baseline"]),
                factors=tuple(
                    EventFactor(
                        _require_text(item["id"]), _require_number(item["points"]), _require_text(item["words"])
                    )
                    for item in body["factors"]
                ),
            )
        except (LookupError, TypeError, ValueError, AttributeError) as exc:
            raise Tampered("bad_alert", "the entry is not a valid alert", remedy="run `halo verify`") from exc


@dataclass(frozen=True, slots=True)
class AlertedEvent:
    """The sealed content, opened; members as in `IdentityEvent`, and the factors' words with values."""

    identity: str
    action: str
    system: str
    network: str
    country: str
    outcome: str
    ts_us: int
    words: tuple[str, ...]

    @property
    def summary(self) -> str:
        """What was done, and to what."""
        return self.action + (f" on {self.system}" if self.system else "")

    @classmethod
    def from_content(cls, data: bytes) -> AlertedEvent:
        """Inverse of `HighRiskDay.to_content`.

        Raises:
            Tampered: `bad_alert`, it is something else.
        """
        try:
            members = canonical.loads(data)
            texts = {name: _require_text(members[name]) for name in _EVENT_TEXTS}
            words = tuple(map(_require_text, members["words"]))
            return cls(**texts, ts_us=_require_number(members["ts_us"]), words=words)
        except (LookupError, TypeError, ValueError, AttributeError, CanonicalError) as exc:
            raise Tampered("bad_alert", "the sealed content is not an event", remedy="run `halo verify`") from exc

    def to_plain(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "words": list(self.words)}


def _require_number(value: Any, top: int = _MAX_NUMBER - 1) -> int:
    if type(value) is not int or not 0 <= value <= top:
        raise TypeError("no number of ours")
    return value


def _require_text(value: Any) -> str:
    if type(value) is not str or len(value) > _MAX_TEXT_LENGTH:
        raise TypeError("no short text")
    return value


def _require_match(pattern: re.Pattern[str], value: Any) -> str:
    if type(value) is not str or not pattern.fullmatch(value):
        raise ValueError("not of this form")
    return value


def is_about_identity(entry: LedgerEntry) -> bool:
    """Whether it is an alert about a person or a service account."""
    return entry.kind is EntryKind.ALERT and entry.body.get("kind") == ALERT_KIND
