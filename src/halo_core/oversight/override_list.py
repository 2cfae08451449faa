"""Lists the overrides of a log, with the review of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from halo_core.authorities import Authorities
from halo_core.crypto import canonical
from halo_core.durations import SECOND_US
from halo_core.enforcement.standing_answers import make_usage_account
from halo_core.errors import PassportError
from halo_core.ledger.control_history import HISTORY_KINDS, ControlHistory
from halo_core.model import EntryKind, LedgerEntry, same_person
from halo_core.oversight.signed_entries import Opener, decode_signed_entry
from halo_core.passports.control_act import read_act
from halo_core.passports.standing_answer import read_standing_answer
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import Reader

People = Mapping[str, tuple[str, bytes]]
"""Thumbprint of a key → name and public key of the approver, those withdrawn included."""


@dataclass(frozen=True, slots=True)
class Override:
    """An override, as the log holds it.

    Args:
        id: id of the override.
        direction: `allow` or `deny`.
        decision: id of the decision that it overrides.
        resource: the tool.
        covers: `call` or `target`.
        status: `active`, `waiting` (for a second person), `used`, `expired`, `revoked`, or `invalid`, where no approver
            has signed it, so that it has no effect.
        by: who signed it; name or reference.
        why: the reason.
        since_us: when, microseconds since the epoch.
        expires_us: end of its validity, microseconds since the epoch.
        review_by_us: time by which it has to be reviewed, microseconds since the epoch.
        review: `open`, `overdue`, `upheld` or `withdrawn`.
        reviewer: who reviewed it; empty until somebody has.
        reviewed_us: when; 0 until somebody has.
        index: position of its entry in the log.
        people: how many people it takes.
        uses: how often it let the call run.
        session: reference of the decision's session.
        scope: digest of what it covers.
        key_id: thumbprint of the key that signed it.
    """

    id: str
    direction: str
    decision: str
    resource: str
    covers: str
    status: str
    by: str
    why: str
    since_us: int
    expires_us: int
    review_by_us: int
    review: str
    reviewer: str
    reviewed_us: int
    index: int
    people: int
    uses: int
    session: str
    scope: str
    key_id: str

    def to_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def list_overrides(reader: Reader, home: Path, tenant: str, *, opener: Opener, now_us: int) -> Iterator[Override]:
    """The overrides of a log, proven, oldest first; with names of people where `opener` can open them.

    A review counts where an approver who was ever enrolled, and none of the signers, has signed it.

    Raises:
        Tampered: an entry was changed.
    """
    people = {kid: (item.name, item.public_key) for kid, item in Authorities(home).load(tenant).approvers.items()}
    keys = {kid: key for kid, (_, key) in people.items()}
    granted: dict[str, Override] = {}
    reviews: dict[str, tuple[str, str, int]] = {}
    store_id = reader.store_id(tenant)
    kinds = (EntryKind.OVERRIDE.value, EntryKind.STANDING_ANSWER.value, *HISTORY_KINDS)
    revoked, history = set[str](), ControlHistory(tenant, store_id)
    for index, note in reader.notes(tenant, kinds):
        entry = decode_signed_entry(reader, home, tenant, note)
        body = entry.body
        if entry.kind.value in HISTORY_KINDS:
            history.add(entry.kind, body, at_us=entry.ts_us, entry=entry.id)
            continue
        name = _show_actor(entry, opener)
        if body.get("op") == "revoke" or (body.get("op") == "review" and body.get("ends") is True):
            revoked.add(str(body["answer"]))
        if entry.kind is not EntryKind.OVERRIDE:
            continue
        if body["op"] == "grant":
            granted[body["answer"]] = _read_override(entry, index, name, is_signed=_is_signed(entry, opener, people))
        elif (override := granted.get(str(body["answer"]))) is not None:
            reviewer = find_reviewer(body, keys, store_id, tenant)
            signers = {item.key_id for item in granted.values() if item.scope == override.scope}
            # INVARIANT: an entry that no second person has signed is no review, whoever wrote it.
            is_second = bool(reviewer) and not any(_is_same_holder(reviewer, kid, people) for kid in signers)
            if is_second:
                reviews.setdefault(override.id, (body["verdict"], people[reviewer][0], entry.ts_us))
    for item in granted.values():
        review, forbids = reviews.get(item.id), item.direction == "deny"
        is_revoked = history.is_denial_ended(item.id) if forbids else item.id in revoked
        yield _complete(reader, tenant, item, granted, review, is_revoked=is_revoked, now_us=now_us)


def _show_actor(entry: LedgerEntry, opener: Opener) -> str:
    name = opener(entry, "actor")
    return str(entry.body.get("actor", "")) if name is None else name.decode()


def _is_same_holder(one: str, other: str, people: People) -> bool:
    """Whether two key thumbprints are the same, or keys of one person."""
    return one == other or (other in people and same_person(people[one][0], people[other][0]))


def _is_signed(entry: LedgerEntry, opener: Opener, people: People) -> bool:
    """Whether an approver who was ever enrolled has signed an override; yes where its token cannot be opened here."""
    token = opener(entry, "token")
    if token is None:
        return True
    try:
        signed = read_standing_answer(token, people)
    except PassportError:
        return False
    return (signed.id, signed.scope, signed.key_id) == tuple(entry.body[name] for name in ("answer", "scope", "kid"))


def _read_override(entry: LedgerEntry, index: int, name: str, *, is_signed: bool) -> Override:
    body = entry.body
    return Override(
        id=body["answer"],
        direction=body["direction"],
        decision=next(target for relation, target in body["links"] if relation == "overrides"),
        resource=body["resource"],
        covers=body["covers"],
        status="active" if is_signed else "invalid",
        by=name,
        why=body["why"],
        since_us=entry.ts_us,
        expires_us=body["expires_s"] * SECOND_US,
        review_by_us=body["review_by_us"],
        review="open",
        reviewer="",
        reviewed_us=0,
        index=index,
        people=body["people"],
        uses=0,
        session=entry.session,
        scope=body["scope"],
        key_id=body["kid"],
    )


def find_reviewer(body: Mapping[str, Any], keys: Mapping[str, bytes], store: str, tenant: str) -> str:
    """Thumbprint of the key that signed exactly this review; empty if none that was enrolled has.

    Args:
        body: body of its entry.
        keys: thumbprint → public key of every approver who was ever enrolled.
        store: id of the store.
        tenant: owner of the log.
    """
    for token in body.get("signed", ()):
        try:
            act = read_act(str(token), keys)
        except PassportError:
            continue
        wanted = {"override": body.get("answer"), "verdict": body.get("verdict")}
        if (act.act, dict(act.terms), act.store, act.tenant) == ("review_override", wanted, store, tenant):
            return act.key_id
    return ""


def _complete(
    reader: Reader,
    tenant: str,
    item: Override,
    granted: Mapping[str, Override],
    review: tuple[str, str, int] | None,
    *,
    is_revoked: bool,
    now_us: int,
) -> Override:
    """An override with status, uses and review as of now; `review` is verdict, reviewer and time in microseconds."""
    state = reader.quota(tenant, make_usage_account(item.id))
    uses = 0 if state is None else int(canonical.loads(state)["uses"])
    signers = {other.key_id for other in granted.values() if other.scope == item.scope and other.status != "invalid"}
    status = "active"
    if item.status == "invalid":
        status = "invalid"
    elif item.direction == "allow" and uses:
        status = "used"
    elif is_revoked:
        status = "revoked"
    elif now_us >= item.expires_us:
        status = "expired"
    elif len(signers) < item.people:
        status = "waiting"
    verdict, reviewer, at_us = review or ("overdue" if now_us > item.review_by_us else "open", "", 0)
    return replace(item, status=status, uses=uses, review=verdict, reviewer=reviewer, reviewed_us=at_us)
