"""Events of identities, and the files that they are read from: CSV, or JSON of the OCSF.

An event is parsed and checked, and only what a baseline compares is kept. The tenant is the caller's, never a column:
whoever writes the file would choose it.

Three classes of the Open Cybersecurity Schema Framework say what an identity did: Account Change (3001), Authentication
(3002), API Activity (6003). Others are counted and left out. Ids are read before names, which vendors word differently.

INVARIANT: nothing is half imported - the whole file is read and checked before an event is returned. Errors name line
and field.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from sys import intern
from typing import Any, Final, Protocol, TypeVar

import orjson

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
    """What an identity is."""

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
        system: the system or service it was done to, empty where the source does not say.
        network: where it came from: an address' network, or a host's name; empty where the source does not say.
        country: of the origin, if given.
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
        network_of(texts["origin"]),
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


def network_of(origin: str) -> str:
    """The network of an address (/24, or /48 of IPv6); a name in lower case; empty for `-` and `unknown`."""
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


_ACCOUNT, _AUTHENTICATION, _API = 3001, 3002, 6003
OCSF_CLASSES: Final = (_ACCOUNT, _AUTHENTICATION, _API)
_ACCOUNT_ACTIVITIES: Final = (
    "create", "enable", "password change", "password reset", "disable", "delete",
    "attach policy", "detach policy", "lock", "mfa enable", "mfa disable", "unlock",
)  # fmt: skip
_AUTHENTICATION_ACTIVITIES: Final = (
    "logon", "logoff", "authentication ticket", "service ticket request", "service ticket renew", "preauth",
    "account switch",
)  # fmt: skip
# schema.ocsf.io, `activity_id` of each class, which counts from 1.
_ACTIVITIES: Final = {
    _ACCOUNT: dict(enumerate(_ACCOUNT_ACTIVITIES, 1)),
    _AUTHENTICATION: dict(enumerate(_AUTHENTICATION_ACTIVITIES, 1)),
    _API: dict(enumerate(("create", "read", "update", "delete"), 1)),
}
_PREFIX: Final = {_ACCOUNT: "account: ", _AUTHENTICATION: "", _API: ""}
# `user.type_id`.
_KINDS_BY_TYPE_ID: Final = dict(
    enumerate((IdentityKind.HUMAN, IdentityKind.HUMAN, IdentityKind.MACHINE, IdentityKind.SERVICE), 1)
)
_ADMIN: Final = 2
# `user.type` as CloudTrail's mapping fills it in.
_KINDS_BY_TYPE: Final = {
    **dict.fromkeys(("iamuser", "root", "identitycenteruser", "federateduser"), IdentityKind.HUMAN),
    **dict.fromkeys(("assumedrole", "role"), IdentityKind.ROLE),
    "awsservice": IdentityKind.SERVICE,
}
_OUTCOMES_BY_STATUS: Final = {1: Outcome.SUCCESS, 2: Outcome.FAILURE}


def parse_ocsf_event(record: Any, skipped: Counter[int]) -> IdentityEvent | None:
    """Parse an OCSF event; None, counted in `skipped`, if its class is not one of `OCSF_CLASSES`.

    Raises:
        BadInput: `field` is the path of what is missing or wrong.
    """
    if not isinstance(record, Mapping):
        raise BadInput("bad_event", "an object is expected", field="line", remedy="write one event per line")
    number = record.get("class_uid")
    if type(number) is not int:
        raise BadInput("missing", "it is not a number", field="class_uid", remedy="check that the file is OCSF")
    if number not in OCSF_CLASSES:
        skipped[number] += 1
        return None
    # Who logs on is `user`; who changes an account or calls an API is the actor.
    paths = ("user", "actor.user") if number == _AUTHENTICATION else ("actor.user", "user")
    user: Mapping[str, Any] = next((user_object for path in paths if (user_object := _get_object(record, path))), {})
    identity = _get_first_text(user, ("uid", "name", "email_addr"))
    if not identity:
        remedy = "`uid`, `name` or `email_addr` is needed"
        raise BadInput("missing", "it does not name an identity", field=paths[0], remedy=remedy)
    kind = _KINDS_BY_TYPE_ID.get(_get_integer(user, "type_id")) or _KINDS_BY_TYPE.get(
        _get_first_text(user, ("type",)).casefold(), IdentityKind.UNKNOWN
    )
    texts_by_field = {
        "identity": identity,
        "kind": kind.value,
        "role": "admin" if _get_integer(user, "type_id") == _ADMIN else "",
        "action": _read_action(record, number),
        "system": _get_first_text(record, _SYSTEMS[number]),
        "origin": _get_first_text(record, ("src_endpoint.ip", "src_endpoint.hostname", "src_endpoint.name")),
        "country": _get_first_text(record, ("src_endpoint.location.country",)),
        "asn": _get_first_text(record, ("src_endpoint.autonomous_system.number",)),
        "outcome": _read_outcome(record).value,
        "time": _get_first_text(record, ("time_dt",)),
    }
    time_ms = record.get("time")
    if type(time_ms) is int:
        return parse_event(texts_by_field, ts_us=time_ms * 1_000)
    if not texts_by_field["time"]:
        raise BadInput("missing", "milliseconds since 1970 are expected", field="time", remedy="or give `time_dt`")
    return parse_event(texts_by_field)


_SYSTEMS: Final = {
    _ACCOUNT: ("api.service.name", "service.name", "dst_endpoint.hostname", "metadata.product.name"),
    _AUTHENTICATION: ("service.name", "dst_endpoint.hostname", "dst_endpoint.ip", "metadata.product.name"),
    _API: ("api.service.name", "dst_endpoint.hostname", "metadata.product.name"),
}


def _read_action(record: Mapping[str, Any], number: int) -> str:
    if number == _API and (operation := _get_first_text(record, ("api.operation",))):
        return operation
    activity = _get_integer(record, "activity_id")
    word = _ACTIVITIES[number].get(activity) or _get_first_text(record, ("activity_name",)).casefold()
    if not word:
        field_name = "api.operation" if number == _API else "activity_id"
        remedy = "give `activity_id`, or `activity_name` if `activity_id` is 0 or 99"
        raise BadInput("missing", "it does not say what was done", field=field_name, remedy=remedy)
    return _PREFIX[number] + word


def _read_outcome(record: Mapping[str, Any]) -> Outcome:
    outcome = _OUTCOMES_BY_STATUS.get(_get_integer(record, "status_id"))
    if outcome is not None:
        return outcome
    word = _get_first_text(record, ("status",)).casefold()
    return Outcome(word) if word in tuple(Outcome) else Outcome.UNKNOWN


def _get_object(record: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    node: Any = record
    for name in path.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def _get_first_text(record: Mapping[str, Any], paths: Iterable[str]) -> str:
    """The first value at these paths that is a text or a number, and not empty."""
    for path in paths:
        parent, _, name = path.rpartition(".")
        value = (_get_object(record, parent) if parent else record).get(name)
        if type(value) in (str, int) and str(value).strip():
            return str(value).strip()
    return ""


def _get_integer(record: Mapping[str, Any], name: str) -> int:
    value = record.get(name)
    return value if type(value) is int else 0


FORMATS: Final = ("csv", "ocsf")
MAX_EVENTS: Final = 500_000
MAX_LINE: Final = 65_536
"""Bytes of one line: of a row, or of an event as JSON."""
MAX_ARRAY: Final = 64 * 1024 * 1024
"""Bytes of an array of events, which is read at once."""
_REQUIRED_FIELDS: Final = ("time", "identity", "action")
_MOST_COLUMNS: Final = 1_000


class ByteStream(Protocol):
    """The part of a binary file that is used here."""

    def readline(self, limit: int, /) -> bytes:
        """A line, or its start."""
        ...

    def read(self, limit: int, /) -> bytes:
        """What is left, or its start."""
        ...


@dataclass(frozen=True, slots=True)
class EventFile:
    """The events of a file.

    Args:
        events: in order of time, equal ones beside each other.
        skipped: class of OCSF → events of it, which say nothing of what an identity did.
    """

    events: tuple[IdentityEvent, ...]
    skipped: Mapping[int, int] = field(default_factory=dict)


def read_events(
    stream: ByteStream, form: str, mapping: Mapping[str, str] | None = None, *, most: int = MAX_EVENTS
) -> EventFile:
    """Read and check every event of a file.

    Args:
        stream: the file's bytes.
        form: one of `FORMATS`.
        mapping: for CSV, our field → the file's column, where they differ.
        most: events at most.

    Raises:
        BadInput: with the line and field that are wrong.
    """
    if form not in FORMATS:
        raise BadInput("bad_format", f"`{form[:60]}` is not a format", field="format", remedy="one of: csv, ocsf")
    if mapping and form != "csv":
        raise BadInput("bad_map", "only columns of a CSV file can be mapped", field="map", remedy="omit `--map`")
    skipped: Counter[int] = Counter()
    events: list[IdentityEvent] = []
    for event in _read_csv(stream, mapping or {}) if form == "csv" else _read_ocsf(stream, skipped):
        if len(events) >= most:
            remedy = f"import at most {MAX_EVENTS:,} at once, and the rest with `--add`"
            raise BadInput("too_many", "there are too many events", field="file", remedy=remedy)
        events.append(event)
    if not events:
        skipped_classes = ", ".join(f"{number} of class {name}" for name, number in sorted(skipped.items()))
        message = f"no event is usable (skipped: {skipped_classes})" if skipped_classes else "there is no event"
        raise BadInput("no_events", message, field="file", remedy="check the file and `--format`")
    return EventFile(tuple(sorted(events)), dict(skipped))


def parse_column_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """Parse `field=column` pairs.

    Raises:
        BadInput: one is none, names no field, or names one twice.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not column or name not in FIELDS or name in mapping:
            remedy = f"FIELD=COLUMN, each field once; fields are {', '.join(FIELDS)}"
            raise BadInput("bad_map", f"`{pair[:100]}` is not a mapping of a field", field="map", remedy=remedy)
        mapping[name] = column
    return mapping


def _read_lines(stream: ByteStream) -> Iterator[tuple[int, str]]:
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            problem = f"the line is longer than {MAX_LINE:,} bytes"
            raise _locate_error(number, BadInput("too_long", problem, field="line"))
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            error = BadInput("bad_text", "it is not UTF-8", field="line", remedy="save it as UTF-8")
            raise _locate_error(number, error) from None


def _read_csv(stream: ByteStream, mapping: Mapping[str, str]) -> Iterator[IdentityEvent]:
    rows = csv.reader((line for _, line in _read_lines(stream)), strict=True)
    columns: list[str] = []
    places: dict[str, int] = {}
    while True:
        try:
            row = next(rows, None)
        except csv.Error as exc:
            error = BadInput("bad_csv", f"{exc}", field="row", remedy="check its quotes")
            raise _locate_error(rows.line_num, error) from None
        if row is None:
            return
        if not row:
            continue
        if not columns:
            columns, places = row, _locate_columns(row, mapping)
            continue
        if len(row) != len(columns):
            message = f"it has {len(row)} values for {len(columns)} columns"
            error = BadInput("bad_row", message, field="row", remedy="check commas and quotes")
            raise _locate_error(rows.line_num, error)
        try:
            yield parse_event({name: row[index] for name, index in places.items()})
        except BadInput as exc:
            raise _locate_error(rows.line_num, exc) from None


def _locate_columns(header: list[str], mapping: Mapping[str, str]) -> dict[str, int]:
    columns = [name.strip() for name in header]
    columns_text = f"columns are {', '.join(f'`{name[:60]}`' for name in columns[:20])}"
    if len(columns) > _MOST_COLUMNS or len(set(columns)) != len(columns):
        problem = "a column name occurs twice, or there are too many columns"
        raise BadInput("bad_header", problem, field="line 1", remedy=columns_text)
    places = {}
    for name in FIELDS:
        column = mapping.get(name, name)
        if column in columns:
            places[name] = columns.index(column)
        elif name in mapping or name in _REQUIRED_FIELDS:
            alone = len(columns) == 1 and any(mark in columns[0] for mark in ";\t|")
            first = "separate columns with commas" if alone else f"`--map {name}=COLUMN`"
            remedy = f"{first}; {columns_text}"
            raise BadInput("no_column", f"there is no column `{column[:60]}`", field=name, remedy=remedy)
    return places


def _read_ocsf(stream: ByteStream, skipped: Counter[int]) -> Iterator[IdentityEvent]:
    for place, record in _read_objects(stream):
        try:
            event = parse_ocsf_event(record, skipped)
        except BadInput as exc:
            raise _locate_error(place, exc) from None
        if event is not None:
            yield event


def _read_objects(stream: ByteStream) -> Iterator[tuple[int | str, Any]]:
    """Place and value of each event: one on each line, or all of them in one array."""
    first = True
    for number, line in _read_lines(stream):
        text = line.strip()
        if not text:
            continue
        if first and text.startswith("["):
            rest = stream.read(MAX_ARRAY + 1)
            if len(rest) > MAX_ARRAY:
                message = f"the array is longer than {MAX_ARRAY:,} bytes"
                raise BadInput("too_long", message, field="file", remedy="write one event on each line")
            yield from ((f"event {i + 1}", item) for i, item in enumerate(_parse_json(number, text.encode() + rest)))
            return
        first = False
        yield number, _parse_json(number, text)


def _parse_json(number: int, text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise _locate_error(number, BadInput("bad_json", f"not JSON: {exc}", field="line")) from None


def _locate_error(place: int | str, error: BadInput) -> BadInput:
    location = f"line {place}" if isinstance(place, int) else place
    error.field = location if error.field in ("", "line", "row") else f"{location}, {error.field}"
    error.remedy = error.remedy or "correct or remove it; nothing was imported"
    return error
