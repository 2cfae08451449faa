"""What a person or a service account did: `IdentityEvent`, parsed and checked by `parse_event`.

Only what a baseline compares is kept. The tenant is given by the caller and never a field, because whoever writes the
source could choose it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from sys import intern
from typing import Final, TypeVar

from halo_core.errors import BadInput

FIELDS: Final = ("time", "identity", "kind", "role", "action", "system", "origin", "country", "asn", "outcome")
"""What an event may say; the first, second and fifth it must."""
_MAX_TEXT_LENGTH: Final = 512
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US: Final = 4_102_444_800_000_000  # the year 2100
_UNIX_SCALE: Final = {10: 1_000_000, 13: 1_000, 16: 1}  # digits of seconds, milliseconds, microseconds of our time
_DIGITS: Final = re.compile(r"[0-9]{10}|[0-9]{13}|[0-9]{16}")
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?P<zone>Z|[+-]\d\d:\d\d|)")
_FRACTION: Final = re.compile(r"[.,](\d{1,9})")
_ASN: Final = re.compile(r"(?:AS)?([0-9]{1,10})", re.IGNORECASE)
_IPV4_PREFIX, _IPV6_PREFIX = 24, 48
"""Bits of an address that name a network: where one line or one office usually stays."""


class IdentityKind(StrEnum):
    """The kind of an identity."""

    HUMAN = "human"
    SERVICE = "service"
    ROLE = "role"
    MACHINE = "machine"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How an event ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


_Word = TypeVar("_Word", bound=StrEnum)
_KINDS: Final = {**{kind.value: kind for kind in IdentityKind}, "": IdentityKind.UNKNOWN}
_OUTCOMES: Final = {
    "": Outcome.UNKNOWN,
    "unknown": Outcome.UNKNOWN,
    **dict.fromkeys(("success", "succeeded", "successful", "ok", "allowed"), Outcome.SUCCESS),
    **dict.fromkeys(("failure", "failed", "fail", "denied", "error"), Outcome.FAILURE),
}


@dataclass(frozen=True, slots=True, order=True)
class IdentityEvent:
    """Something that a person or a service account did. Ordered by time, then by everything else.

    Args:
        ts_us: when, microseconds since the epoch.
        identity: who, as the source names them.
        action: what was done.
        system: the system or service it was done to, empty if the source does not say.
        network: where it came from: an address' network, or a host's name; empty if the source does not say.
        country: country of the origin, if given.
        asn: number of the autonomous system of the origin, if given.
        outcome: how it ended.
        kind: what the identity is.
        role: what it works as; with `kind` it says who its peers are.
    """

    ts_us: int
    identity: str
    action: str
    system: str = ""
    network: str = ""
    country: str = ""
    asn: str = ""
    outcome: Outcome = Outcome.UNKNOWN
    kind: IdentityKind = IdentityKind.UNKNOWN
    role: str = ""


def parse_event(texts_by_field: dict[str, str], *, ts_us: int | None = None) -> IdentityEvent:
    """Parse an event from texts by the names in `FIELDS`; `ts_us` where the source has it as a number.

    Raises:
        BadInput: `field` is the one that is wrong.
    """
    texts = {name: _parse_text(name, texts_by_field.get(name, "")) for name in FIELDS}
    for name in ("time", "identity", "action") if ts_us is None else ("identity", "action"):
        if not texts[name]:
            raise BadInput("missing", "it is empty", field=name, remedy="every event needs identity, action and time")
    return IdentityEvent(
        parse_time(texts["time"]) if ts_us is None else _require_in_range(ts_us, str(ts_us)),
        texts["identity"],
        texts["action"],
        texts["system"],
        find_network(texts["origin"]),
        texts["country"].upper(),
        _parse_asn(texts["asn"]),
        _parse_word("outcome", texts["outcome"], _OUTCOMES),
        _parse_word("kind", texts["kind"], _KINDS),
        texts["role"],
    )


def parse_time(text: str) -> int:
    """Microseconds of an RFC 3339 time with an offset, or of a Unix time in seconds, milli- or microseconds.

    Raises:
        BadInput: it is neither.
    """
    if _DIGITS.fullmatch(text):
        return _require_in_range(int(text) * _UNIX_SCALE[len(text)], text)
    remedy = "RFC 3339 with `Z` or an offset (2026-03-02T09:30:00Z), or Unix time in 10, 13 or 16 digits"
    bad = BadInput("bad_time", f"`{text[:60]}` is not a time", field="time", remedy=remedy)
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise bad
    if not match["zone"]:
        message = f"`{text[:60]}` has no time zone"
        raise BadInput("no_zone", message, field="time", remedy="add `Z` or an offset: 2026-03-02T09:30:00+01:00")
    # Six digits at most: what a parser does with more differs between versions of Python.
    normalized = _FRACTION.sub(lambda match: "." + match[1][:6].ljust(6, "0"), text)
    try:
        since = datetime.fromisoformat(normalized) - _EPOCH
    except (ValueError, OverflowError):
        raise bad from None
    return _require_in_range(since // timedelta(microseconds=1), text)


def _require_in_range(ts_us: int, text: str) -> int:
    if not 0 <= ts_us < _LAST_US:
        raise BadInput("bad_time", f"`{text[:60]}` is not between 1970 and 2100", field="time", remedy="check its unit")
    return ts_us


def find_network(origin: str) -> str:
    """The network of an address (/24, or /48 for IPv6); a name in lower case; empty for `-` and `unknown`."""
    if origin in ("", "-", "unknown"):
        return ""
    try:
        address = ip_address(origin.partition("%")[0])
    except ValueError:
        return origin.casefold()
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return intern(str(ip_network((address, _IPV4_PREFIX if address.version == 4 else _IPV6_PREFIX), strict=False)))


def _parse_text(name: str, value: str) -> str:
    text = value.strip()
    if len(text) > _MAX_TEXT_LENGTH or not text.isprintable():
        problem = "too long" if len(text) > _MAX_TEXT_LENGTH else "not printable"
        remedy = f"at most {_MAX_TEXT_LENGTH} printable characters"
        raise BadInput("bad_text", f"it is {problem}", field=name, remedy=remedy)
    return intern(text)  # a file has few of them, many times


def _parse_asn(text: str) -> str:
    if not text:
        return ""
    match = _ASN.fullmatch(text)
    if match is None:
        raise BadInput("bad_asn", f"`{text[:60]}` is not a number", field="asn", remedy="write 64500 or AS64500")
    return str(int(match[1]))


def _parse_word(field: str, text: str, words: Mapping[str, _Word]) -> _Word:
    word = words.get(text.casefold())
    if word is None:
        noun = "an outcome" if field == "outcome" else "a kind of identity"
        remedy = "one of: " + ", ".join(filter(None, words))
        raise BadInput(f"bad_{field}", f"`{text[:60]}` is not {noun}", field=field, remedy=remedy)
    return word
