"""Room: an event in the Open Cybersecurity Schema Framework. Takes: parsed JSON. Gives: our event. Never: I/O, a clock.

Three classes say what an identity did: Account Change (3001), Authentication (3002), API Activity (6003). Others are
counted and left out. Ids are read before names, which each vendor words as it likes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from halo_core.errors import BadInput
from halo_core.identities.event import IdentityEvent, Kind, Outcome, event_of

__all__ = ["CLASSES", "event_of_ocsf"]

_ACCOUNT, _AUTHENTICATION, _API = 3001, 3002, 6003
CLASSES: Final = (_ACCOUNT, _AUTHENTICATION, _API)
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
_KINDS: Final = {1: Kind.HUMAN, 2: Kind.HUMAN, 3: Kind.MACHINE, 4: Kind.SERVICE}
_ADMIN: Final = 2
# `user.type` as CloudTrail's mapping fills it in.
_TYPES: Final = {
    "iamuser": Kind.HUMAN,
    "root": Kind.HUMAN,
    "identitycenteruser": Kind.HUMAN,
    "federateduser": Kind.HUMAN,
    "assumedrole": Kind.ROLE,
    "role": Kind.ROLE,
    "awsservice": Kind.SERVICE,
}
_STATUS: Final = {1: Outcome.SUCCESS, 2: Outcome.FAILURE}


def event_of_ocsf(plain: Any, skipped: Counter[int]) -> IdentityEvent | None:
    """An event; None, and one more in `skipped`, where its class says nothing of an identity.

    Raises:
        BadInput: `field` is the path of what is missing or wrong.
    """
    if not isinstance(plain, Mapping):
        raise BadInput("bad_event", "an object is expected", field="line", remedy="one event on each line")
    number = plain.get("class_uid")
    if type(number) is not int:
        raise BadInput("missing", "it is no number", field="class_uid", remedy="is this OCSF?")
    if number not in CLASSES:
        skipped[number] += 1
        return None
    # Who logs on is `user`; who changes an account or calls an API is the actor.
    paths = ("user", "actor.user") if number == _AUTHENTICATION else ("actor.user", "user")
    user: Mapping[str, Any] = next((found for path in paths if (found := _object(plain, path))), {})
    who = _first(user, ("uid", "name", "email_addr"))
    if not who:
        raise BadInput("missing", "it names nobody", field=paths[0], remedy="`uid`, `name` or `email_addr` is needed")
    kind = _KINDS.get(_number(user, "type_id")) or _TYPES.get(_first(user, ("type",)).casefold(), Kind.UNKNOWN)
    said = {
        "identity": who,
        "kind": kind.value,
        "role": "admin" if _number(user, "type_id") == _ADMIN else "",
        "action": _action(plain, number),
        "system": _first(plain, _SYSTEMS[number]),
        "origin": _first(plain, ("src_endpoint.ip", "src_endpoint.hostname", "src_endpoint.name")),
        "country": _first(plain, ("src_endpoint.location.country",)),
        "asn": _first(plain, ("src_endpoint.autonomous_system.number",)),
        "outcome": _outcome(plain).value,
        "time": _first(plain, ("time_dt",)),
    }
    time_ms = plain.get("time")
    if type(time_ms) is int:
        return event_of(said, ts_us=time_ms * 1_000)
    if not said["time"]:
        raise BadInput("missing", "milliseconds since 1970 are expected", field="time", remedy="or give `time_dt`")
    return event_of(said)


_SYSTEMS: Final = {
    _ACCOUNT: ("api.service.name", "service.name", "dst_endpoint.hostname", "metadata.product.name"),
    _AUTHENTICATION: ("service.name", "dst_endpoint.hostname", "dst_endpoint.ip", "metadata.product.name"),
    _API: ("api.service.name", "dst_endpoint.hostname", "metadata.product.name"),
}


def _action(plain: Mapping[str, Any], number: int) -> str:
    if number == _API and (operation := _first(plain, ("api.operation",))):
        return operation
    activity = _number(plain, "activity_id")
    word = _ACTIVITIES[number].get(activity) or _first(plain, ("activity_name",)).casefold()
    if not word:
        raise BadInput(
            "missing",
            "it says nothing of what was done",
            field="api.operation" if number == _API else "activity_id",
            remedy="give `activity_id`, or `activity_name` where that is 0 or 99",
        )
    return _PREFIX[number] + word


def _outcome(plain: Mapping[str, Any]) -> Outcome:
    known = _STATUS.get(_number(plain, "status_id"))
    if known is not None:
        return known
    word = _first(plain, ("status",)).casefold()
    return Outcome(word) if word in tuple(Outcome) else Outcome.UNKNOWN


def _object(plain: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    at: Any = plain
    for name in path.split("."):
        at = at.get(name) if isinstance(at, Mapping) else None
    return at if isinstance(at, Mapping) else {}


def _first(plain: Mapping[str, Any], paths: Iterable[str]) -> str:
    """The first of these that is a text or a number, and not empty."""
    for path in paths:
        parent, _, name = path.rpartition(".")
        value = (_object(plain, parent) if parent else plain).get(name)
        if type(value) in (str, int) and str(value).strip():
            return str(value).strip()
    return ""


def _number(plain: Mapping[str, Any], name: str) -> int:
    value = plain.get(name)
    return value if type(value) is int else 0
