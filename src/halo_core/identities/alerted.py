"""Room: an alert about an identity, read again. Takes: a body, opened content. Gives: frozen values. Never: I/O.

What a store holds may have been put there by anybody: whatever has another form is refused whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from halo_core import canonical
from halo_core.errors import CanonicalError, Tampered
from halo_core.identities.alerting import KIND

__all__ = ["DayAlert", "Moved", "Named"]

_KIND: Final = re.compile(re.escape(KIND))
_PRINT: Final = re.compile(r"hmac-sha256:[0-9a-f]{64}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_TEXT: Final = 1000
_TOP: Final = 1000
_MOST: Final = 1 << 53  # as microseconds a time that has a date


@dataclass(frozen=True, slots=True)
class Moved:
    """A factor as a body has it."""

    id: str
    points: int
    words: str


@dataclass(frozen=True, slots=True)
class DayAlert:
    """The body of an alert, read again; members as in `HighDay.body`."""

    print: str
    key: str
    day: str
    risk: int
    running: int
    high: int
    first_us: int
    last_us: int
    baseline: str
    factors: tuple[Moved, ...]

    @property
    def place(self) -> tuple[str, str]:
        """Whose day it is: there is one alert for each."""
        return self.print, self.day

    @property
    def why(self) -> str:
        """What moved the risk."""
        return "; ".join(item.words for item in self.factors)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> DayAlert:
        """Inverse of `HighDay.body`, of one whose `kind` says so.

        Raises:
            Tampered: `bad_alert`, it is another body.
        """
        try:
            _fits(_KIND, body["kind"])
            return cls(
                _fits(_PRINT, body["identity"]),
                _fits(_PRINT, body["key"]),
                _fits(_DAY, body["day"]),
                risk=_number(body["risk"], _TOP),
                running=_number(body["running"], _TOP),
                high=_number(body["high"]),
                first_us=_number(body["first_us"]),
                last_us=_number(body["last_us"]),
                baseline=_text(body["baseline"]),
                factors=tuple(
                    Moved(_text(item["id"]), _number(item["points"]), _text(item["words"])) for item in body["factors"]
                ),
            )
        except (LookupError, TypeError, ValueError, AttributeError) as exc:
            raise Tampered("bad_alert", "an entry is no alert of Halo's", remedy="run `halo verify`") from exc


@dataclass(frozen=True, slots=True)
class Named:
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
    def what(self) -> str:
        """What was done, and to what."""
        return self.action + (f" on {self.system}" if self.system else "")

    @classmethod
    def of(cls, data: bytes) -> Named:
        """Inverse of `HighDay.content`.

        Raises:
            Tampered: `bad_alert`, it is something else.
        """
        try:
            plain = canonical.loads(data)
            return cls(
                identity=_text(plain["identity"]),
                action=_text(plain["action"]),
                system=_text(plain["system"]),
                network=_text(plain["network"]),
                country=_text(plain["country"]),
                outcome=_text(plain["outcome"]),
                ts_us=_number(plain["ts_us"]),
                words=tuple(map(_text, plain["words"])),
            )
        except (LookupError, TypeError, ValueError, AttributeError, CanonicalError) as exc:
            raise Tampered("bad_alert", "what is sealed is no event", remedy="run `halo verify`") from exc

    def to_plain(self) -> dict[str, Any]:
        """For programs."""
        return {
            "action": self.action,
            "country": self.country,
            "identity": self.identity,
            "network": self.network,
            "outcome": self.outcome,
            "system": self.system,
            "ts_us": self.ts_us,
            "words": list(self.words),
        }


def _number(value: Any, top: int = _MOST - 1) -> int:
    if type(value) is not int or not 0 <= value <= top:
        raise TypeError("no number of ours")
    return value


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > _MOST_TEXT:
        raise TypeError("no short text")
    return value


def _fits(pattern: re.Pattern[str], value: Any) -> str:
    if type(value) is not str or not pattern.fullmatch(value):
        raise ValueError("not of this form")
    return value
