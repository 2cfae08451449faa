"""Files of identity events: CSV, or JSON of the Open Cybersecurity Schema Framework (OCSF).

Of OCSF three classes say what an identity did: Account Change (3001), Authentication (3002), API Activity (6003). Others
are counted and left out. Ids are read before names, which vendors word differently.

INVARIANT: nothing is half imported - the whole file is read and checked before an event is returned. Errors name line
and field.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson

from halo_core.errors import BadInput
from halo_core.identities.event import FIELDS, IdentityEvent, IdentityKind, Outcome, parse_event

__all__ = [
    "FORMATS",
    "MAX_EVENTS",
    "MAX_LINE",
    "OCSF_CLASSES",
    "ByteStream",
    "EventFile",
    "parse_column_mapping",
    "parse_ocsf_event",
    "read_events",
]


_ACCOUNT, _AUTHENTICATION, _API = 3001, 3002, 6003
OCSF_CLASSES: Final = (_ACCOUNT, _AUTHENTICATION, _API)
# schema.ocsf.io, `activity_id` of each class.
_ACTIVITIES: Final = {
    _ACCOUNT: {
        1: "create",
        2: "enable",
        3: "password change",
        4: "password reset",
        5: "disable",
        6: "delete",
        7: "attach policy",
        8: "detach policy",
        9: "lock",
        10: "mfa enable",
        11: "mfa disable",
        12: "unlock",
    },
    _AUTHENTICATION: {
        1: "logon",
        2: "logoff",
        3: "authentication ticket",
        4: "service ticket request",
        5: "service ticket renew",
        6: "preauth",
        7: "account switch",
    },
    _API: {1: "create", 2: "read", 3: "update", 4: "delete"},
}
_PREFIX: Final = {_ACCOUNT: "account: ", _AUTHENTICATION: "", _API: ""}
# `user.type_id`.
_KINDS_BY_TYPE_ID: Final = {
    1: IdentityKind.HUMAN,
    2: IdentityKind.HUMAN,
    3: IdentityKind.MACHINE,
    4: IdentityKind.SERVICE,
}
_ADMIN: Final = 2
# `user.type` as CloudTrail's mapping fills it in.
_KINDS_BY_TYPE: Final = {
    "iamuser": IdentityKind.HUMAN,
    "root": IdentityKind.HUMAN,
    "identitycenteruser": IdentityKind.HUMAN,
    "federateduser": IdentityKind.HUMAN,
    "assumedrole": IdentityKind.ROLE,
    "role": IdentityKind.ROLE,
    "awsservice": IdentityKind.SERVICE,
}
_OUTCOMES_BY_STATUS: Final = {1: Outcome.SUCCESS, 2: Outcome.FAILURE}


def parse_ocsf_event(record: Any, skipped: Counter[int]) -> IdentityEvent | None:
    """An event; None, and one more in `skipped`, where its class says nothing of an identity.

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
        raise BadInput(
            "missing", "it does not name an identity", field=paths[0], remedy="`uid`, `name` or `email_addr` is needed"
        )
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
        raise BadInput(
            "missing",
            "it does not say what was done",
            field="api.operation" if number == _API else "activity_id",
            remedy="give `activity_id`, or `activity_name` if `activity_id` is 0 or 99",
        )
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
    """The first of these that is a text or a number, and not empty."""
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
    """What is read of a file opened as bytes."""

    def readline(self, limit: int, /) -> bytes:
        """A line, or its start."""
        ...

    def read(self, limit: int, /) -> bytes:
        """What is left, or its start."""
        ...


@dataclass(frozen=True, slots=True)
class EventFile:
    """What a file held.

    Args:
        events: in order of time, equal ones beside each other.
        skipped: class of OCSF → events of it, which say nothing of what an identity did.
    """

    events: tuple[IdentityEvent, ...]
    skipped: Mapping[int, int] = field(default_factory=dict)


def read_events(
    stream: ByteStream, form: str, mapping: Mapping[str, str] | None = None, *, most: int = MAX_EVENTS
) -> EventFile:
    """Every event of a file.

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
    """`field=column` pairs.

    Raises:
        BadInput: one is none, names no field, or names one twice.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not column or name not in FIELDS or name in mapping:
            raise BadInput(
                "bad_map",
                f"`{pair[:100]}` is not a mapping of a field",
                field="map",
                remedy=f"FIELD=COLUMN, each field once; fields are {', '.join(FIELDS)}",
            )
        mapping[name] = column
    return mapping


def _read_lines(stream: ByteStream) -> Iterator[tuple[int, str]]:
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise _locate_error(
                number, BadInput("too_long", f"the line is longer than {MAX_LINE:,} bytes", field="line")
            )
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise _locate_error(
                number, BadInput("bad_text", "it is not UTF-8", field="line", remedy="save it as UTF-8")
            ) from None


def _read_csv(stream: ByteStream, mapping: Mapping[str, str]) -> Iterator[IdentityEvent]:
    rows = csv.reader((line for _, line in _read_lines(stream)), strict=True)
    columns: list[str] = []
    places: dict[str, int] = {}
    while True:
        try:
            row = next(rows, None)
        except csv.Error as exc:
            raise _locate_error(
                rows.line_num, BadInput("bad_csv", f"{exc}", field="row", remedy="check its quotes")
            ) from None
        if row is None:
            return
        if not row:
            continue
        if not columns:
            columns, places = row, _locate_columns(row, mapping)
            continue
        if len(row) != len(columns):
            message = f"it has {len(row)} values for {len(columns)} columns"
            raise _locate_error(
                rows.line_num, BadInput("bad_row", message, field="row", remedy="check commas and quotes")
            )
        try:
            yield parse_event({name: row[index] for name, index in places.items()})
        except BadInput as exc:
            raise _locate_error(rows.line_num, exc) from None


def _locate_columns(header: list[str], mapping: Mapping[str, str]) -> dict[str, int]:
    columns = [name.strip() for name in header]
    columns_text = f"columns are {', '.join(f'`{name[:60]}`' for name in columns[:20])}"
    if len(columns) > _MOST_COLUMNS or len(set(columns)) != len(columns):
        raise BadInput(
            "bad_header",
            "a column name occurs twice, or there are too many columns",
            field="line 1",
            remedy=f"{columns_text}",
        )
    places = {}
    for name in FIELDS:
        column = mapping.get(name, name)
        if column in columns:
            places[name] = columns.index(column)
        elif name in mapping or name in _REQUIRED_FIELDS:
            alone = len(columns) == 1 and any(mark in columns[0] for mark in ";\t|")
            remedy = (
                f"separate columns with commas; {columns_text}" if alone else f"`--map {name}=COLUMN`; {columns_text}"
            )
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
