"""Events of identities from objects of the Open Cybersecurity Schema Framework (OCSF): `parse_ocsf_event`.

Three of its classes say what an identity did: Account Change (3001), Authentication (3002), API Activity (6003). Others
are counted and left out. Ids are read before names, which vendors word differently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from halo_core.errors import BadInput
from halo_core.identities.event import IdentityEvent, IdentityKind, Outcome, parse_event

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
_SYSTEMS: Final = {
    _ACCOUNT: ("api.service.name", "service.name", "dst_endpoint.hostname", "metadata.product.name"),
    _AUTHENTICATION: ("service.name", "dst_endpoint.hostname", "dst_endpoint.ip", "metadata.product.name"),
    _API: ("api.service.name", "dst_endpoint.hostname", "metadata.product.name"),
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
