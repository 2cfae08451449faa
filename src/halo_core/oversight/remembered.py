"""Remembered answers: making one with an approval, listing, revoking; and emergency ("break glass") answers.

A remembered answer is a token of its own beside the answer for the one call (`halo_core.passports.standing_answer`).
Where an effect cannot be undone, it counts only once a second person has approved the same scope.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.content.redaction import mask_reason
from halo_core.crypto import canonical
from halo_core.crypto.keys import KeyStore, Signer
from halo_core.decision.answers import BREAK_GLASS, OVERRIDE_DENY, STANDING, make_break_glass_scope
from halo_core.durations import DAY_S, SECOND_US
from halo_core.enforcement.standing_answers import make_usage_account
from halo_core.errors import ConfigError, Denied
from halo_core.ledger.commitments import digest_answer
from halo_core.ledger.control_history import DENIAL_SCOPE, make_lift_terms
from halo_core.model import AMOUNT_CODES, TARGET_CODES, Actor, EntryKind, LedgerEntry, Link
from halo_core.oversight.approver_acts import make_token, require_enrolled, require_lifetime, require_reason
from halo_core.oversight.control_acts import SignedAct, require_signatures, signed_member
from halo_core.oversight.keys import load_signer
from halo_core.oversight.requests import ApprovalRequest
from halo_core.oversight.signed_entries import Opener, decode_link, decode_signed_entry
from halo_core.passports.approval import is_in_chain
from halo_core.passports.standing_answer import (
    MAX_BREAK_GLASS_S,
    MAX_STANDING_LIFETIME_S,
    MAX_USES,
    StandingToken,
    mint_standing_answer,
)
from halo_core.policy.encoding import MAX_AMOUNT
from halo_core.quick_dataclass import dataclass
from halo_core.store.answer_rows import StandingAnswerTable
from halo_core.store.cached_rows import AnswerRow
from halo_core.store.drafts import Draft, SealedFields
from halo_core.store.reader import Reader
from halo_core.store.standing_passports import StandingTable
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

DEFAULT_LIFETIME_S: Final = 90 * DAY_S
DEFAULT_USES: Final = 100
AMOUNT_FACTOR: Final = 10
_SUBJECT: Final = "answers"


@dataclass(frozen=True, slots=True)
class RememberTerms:
    """How an approval is remembered.

    Args:
        lifetime_s: time for which it is valid, seconds.
        max_uses: how many calls it may answer.
        max_amount: limit of the sum of their amounts, in ten-thousandths; None is ten times that of the call.
        with_amount: it answers for large amounts too, up to that of the call within 24 hours.
    """

    lifetime_s: int = DEFAULT_LIFETIME_S
    max_uses: int = DEFAULT_USES
    max_amount: int | None = None
    with_amount: bool = False

    def limit_sum(self, amount: int) -> int:
        """Limit of the sum of the amounts, in ten-thousandths, where the call was about `amount`."""
        return min(abs(amount) * AMOUNT_FACTOR, MAX_AMOUNT) if self.max_amount is None else self.max_amount


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """A remembered answer.

    Args:
        kind: `standing` or `break_glass`.
        status: `active`, `revoked`, `expired`, `withdrawn` (its approver is no longer enrolled), or `waiting` (for a
            second person to approve the same scope).
        approver: name of the person who gave it; the reference where the name cannot be opened.
        role: role of the agents that may use it.
        scope: digest of what it covers.
        targets: argument → value that it covers, for display; empty if that was erased.
        since_us: when it was given, microseconds since the epoch.
        expires_us: end of its validity, microseconds since the epoch.
        uses: how many actions ran on it.
        spent: sum of their amounts, in ten-thousandths.
        max_amount: limit of that sum, in ten-thousandths.
        max_each: up to which sum within 24 hours it answers for a large amount too, in ten-thousandths; 0 for none.
    """

    id: str
    kind: str
    status: str
    approver: str
    role: str
    resource: str
    scope: str
    targets: Mapping[str, Any]
    since_us: int
    expires_us: int
    uses: int
    max_uses: int
    spent: int
    max_amount: int
    why: str
    token: str = field(repr=False, default="")
    max_each: int = 0

    def to_plain(self) -> dict[str, Any]:
        """The answer for JSON, without its token."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "token"}


def can_be_remembered(request: ApprovalRequest, *, with_amount: bool = False) -> bool:
    """Whether an approval can be remembered: the request is about who or what is reached, and that can be named.

    Args:
        request: the question.
        with_amount: the answer is meant for large amounts too.
    """
    asks_for_target = any(reason.code in TARGET_CODES for reason in request.reasons)
    return bool(request.scope) and (asks_for_target or (with_amount and asks_for_amount(request)))


def asks_for_amount(request: ApprovalRequest) -> bool:
    """Whether a request asks about a large amount that an answer could be kept for."""
    is_large = any(reason.code in AMOUNT_CODES for reason in request.reasons)
    # The largest amount stands for every larger one.
    return is_large and bool(request.amount_scope) and 0 < (request.amount or 0) < MAX_AMOUNT


def remember(
    tx: Transaction,
    store: Store,
    request: ApprovalRequest,
    *,
    approver: str,
    signer: Signer,
    terms: RememberTerms,
    now_us: int,
    why: str,
) -> str:
    """Remember an approval for the scope of a request; returns the id of the remembered answer.

    Raises:
        PassportError: the terms are out of range.
    """
    amount = abs(request.amount or 0)
    token = make_token(
        tx,
        store,
        approver,
        kind=STANDING,
        scope=request.scope,
        role=request.role,
        resource=request.resource,
        lifetime_s=terms.lifetime_s,
        max_uses=terms.max_uses,
        max_amount=terms.limit_sum(amount),
        max_each=amount if terms.with_amount else 0,
        each_scope=request.amount_scope if terms.with_amount else "",
        now_us=now_us,
    )
    shown_targets = {item.name: item.value for item in request.arguments if item.is_target} or {
        item.name: item.value for item in request.arguments
    }
    return _record(
        tx, token, signer, request=request.row.id, why=why, targets=shown_targets, people=request.people_needed
    )


def _record(
    tx: Transaction,
    token: StandingToken,
    signer: Signer,
    *,
    request: str,
    why: str,
    targets: Mapping[str, Any],
    people: int,
) -> str:
    # INVARIANT: EPOCH - a key that only a file of this host names answers nothing for later calls.
    require_enrolled(tx, token.approver, signer)
    signed = mint_standing_answer(token, signer)
    StandingAnswerTable(tx).put(AnswerRow(token.id, token.kind, token.scope, "active", signed))
    body = {
        "answer": token.id,
        "expires_s": token.expires_at_s,
        "kid": signer.key_id,
        "kind": token.kind,
        "max_amount": token.max_amount,
        "max_uses": token.max_uses,
        "op": "grant",
        "people": people,
        "request": request,
        "resource": token.resource,
        "role": token.role,
        "scope": token.scope,
        "token": digest_answer(signed),
        "why": why,
        **({"max_each": token.max_each} if token.max_each else {}),
    }
    content = {"targets": json.dumps(targets, default=str, sort_keys=True).encode()} if targets else {}
    sealed: SealedFields = ((tx.references.of_person(token.approver), {"token": signed.encode()}),)
    actor = Actor(token.approver, "approver-key")
    subject = _SUBJECT if content else ""
    tx.append(Draft(EntryKind.STANDING_ANSWER, "", body, content, subject, others=sealed, actor=actor))
    return token.id


def is_denial(tx: Transaction, answer: str) -> bool:
    """Whether an answer is an override that forbids."""
    row = StandingAnswerTable(tx).get(answer)
    return row is not None and row.kind == OVERRIDE_DENY


def make_denial_end(tx: Transaction, override: str) -> SignedAct:
    """The act of ending an override that forbids, without signatures."""
    terms = make_lift_terms({"scope": DENIAL_SCOPE, "target": override})
    return SignedAct("lift", terms, tx.load_store_id(), tx.tenant)


def revoke_remembered(tx: Transaction, answer: str, *, by: Actor | str, why: str, signed: Sequence[str] = ()) -> None:
    """Revoke a remembered or emergency answer or an override permanently, from the next decision on.

    Args:
        tx: the transaction.
        answer: its id.
        by: who revokes it.
        why: the reason.
        signed: signatures of the act `lift`, which an override that forbids needs (`make_denial_end`).

    Raises:
        ConfigError: `no_such_answer`, no active one has this id.
        Denied: `signatures_needed`.
    """
    forbids = is_denial(tx, answer)
    if not StandingAnswerTable(tx).revoke(answer):
        raise ConfigError(
            "no_such_answer",
            f"there is no remembered answer `{answer[:64]}` that is active",
            field="id",
            remedy="see `halo approvals remembered`",
        )
    if forbids:
        act = make_denial_end(tx, answer)
        require_signatures(tx, act.act, act.terms, signed)
        ended = {"filed": False, **act.terms, "why": mask_reason(why), **signed_member(signed)}
        tx.append(Draft(EntryKind.LIFT, "", ended, actor=Actor.of(by)))
        return
    body = {"answer": answer, "op": "revoke", "why": mask_reason(why)}
    tx.append(Draft(EntryKind.STANDING_ANSWER, "", body, actor=Actor.of(by)))


def _load_standing_link(tx: Transaction, agent: str) -> Link:
    row = StandingTable(tx).get(agent)
    data = tx.load_blob(row.hash) if row is not None else None
    if data is None:
        raise ConfigError(
            "no_such_agent", f"there is no agent `{agent[:64]}`", field="agent", remedy="see `halo agents`"
        )
    return decode_link(data.decode("ascii", "replace"), None)


def grant_break_glass(
    store: Store, keys: KeyStore, home: Path, *, agent: str, approver: str, lifetime_s: int, why: str, now_us: int
) -> str:
    """Let an agent act without questions for some minutes, except about money; returns the answer's id.

    Denials stay, and so do stops, budgets and grants. An alert is recorded in the same transaction.

    Raises:
        ConfigError: `bad_lifetime`, `no_reason`, `no_approver_key`, `no_such_agent`.
        Denied: `approver_not_enrolled`, `approver_in_chain`.
    """
    require_lifetime(lifetime_s, MAX_BREAK_GLASS_S)
    require_reason(why, "reason")
    signer = load_signer(store.tenant, keys, home, approver, now_us)

    def job(tx: Transaction) -> str:
        if is_in_chain(approver, signer.public_key, (_load_standing_link(tx, agent),)):
            message = f"`{approver[:64]}` is part of the agent's chain"
            raise Denied("approver_in_chain", message, remedy="ask a person who neither owns the agent nor uses it")
        token = make_token(
            tx,
            store,
            approver,
            kind=BREAK_GLASS,
            scope=make_break_glass_scope(tx.tenant, agent),
            role=agent,
            resource="",
            lifetime_s=lifetime_s,
            max_uses=MAX_USES,
            max_amount=0,
            now_us=now_us,
        )
        answer = _record(tx, token, signer, request="", why=mask_reason(why), targets={}, people=1)
        alert: dict[str, Any] = {
            "agent": agent,
            "decision": {"leaf": "", "w": "", "ws": 0},
            "factors": [],
            "kind": BREAK_GLASS,
            "resource": "",
            "risk": None,
            "session_risk": 1000,
        }
        tx.append(Draft(EntryKind.ALERT, "", alert))
        return answer

    return store.commit(job)


def list_remembered(
    reader: Reader, home: Path, tenant: str, *, opener: Opener, now_us: int
) -> Iterator[RememberedAnswer]:
    """The remembered and emergency answers of a log, proven, oldest first.

    Raises:
        Tampered: an entry was changed.
    """
    grants: dict[str, RememberedAnswer] = {}
    people: dict[str, int] = {}
    for _, note in reader.notes(tenant, (EntryKind.STANDING_ANSWER.value,)):
        entry = decode_signed_entry(reader, home, tenant, note)
        body = entry.body
        if body["op"] != "grant":
            revoked = grants.get(str(body["answer"]))
            if revoked is not None:
                grants[revoked.id] = replace(revoked, status="revoked")
            continue
        people[body["answer"]] = body["people"]
        grants[body["answer"]] = _read_grant(reader, entry, opener, now_us)
    trusted = Authorities(home).load(tenant).approver_keys(now_us)
    enrolled = {name for name, _ in trusted.values()}
    for answer in grants.values():
        if answer.status == "active" and answer.approver not in enrolled:
            yield replace(answer, status="withdrawn")
        elif answer.status == "active" and answer.kind == STANDING and _waits_for_second_person(answer, grants, people):
            yield replace(answer, status="waiting")
        else:
            yield answer


def _read_grant(reader: Reader, entry: LedgerEntry, opener: Opener, now_us: int) -> RememberedAnswer:
    """An answer as its entry grants it, with what was used of it so far."""
    body = entry.body
    uses, spent = _read_usage(reader, entry.tenant, body["answer"])
    sealed, name, token = (opener(entry, field) for field in ("targets", "actor", "token"))
    expires_us = body["expires_s"] * SECOND_US
    return RememberedAnswer(
        id=body["answer"],
        kind=body["kind"],
        status="expired" if now_us >= expires_us else "active",
        approver=body["actor"] if name is None else name.decode(),
        role=body["role"],
        resource=body["resource"],
        scope=body["scope"],
        targets=json.loads(sealed) if sealed is not None else {},
        since_us=entry.ts_us,
        expires_us=expires_us,
        uses=uses,
        max_uses=body["max_uses"],
        spent=spent,
        max_amount=body["max_amount"],
        why=body["why"],
        max_each=body.get("max_each", 0),
        token="" if token is None else token.decode(),
    )


def _waits_for_second_person(
    item: RememberedAnswer, grants: Mapping[str, RememberedAnswer], people: Mapping[str, int]
) -> bool:
    """Whether more people have to approve the scope of an answer before it counts; `people`: answer → how many."""
    signers = {other.approver for other in grants.values() if (other.scope, other.status) == (item.scope, "active")}
    return len(signers) < people[item.id]


def _read_usage(reader: Reader, tenant: str, answer: str) -> tuple[int, int]:
    row = reader.quota(tenant, make_usage_account(answer))
    if row is None:
        return 0, 0
    tree = canonical.loads(row)
    return tree["uses"], tree["spent"]


def check_terms(terms: RememberTerms, request: ApprovalRequest) -> None:
    """Refuse terms that no answer to a request may have.

    Raises:
        ConfigError: `bad_lifetime`, `bad_cap`.
    """
    if terms.with_amount and not asks_for_amount(request):
        problem = "the question is about no amount that could be remembered"
        raise ConfigError("bad_cap", problem, field="with-amount", remedy="leave `--with-amount` away")
    if not 0 < terms.lifetime_s <= MAX_STANDING_LIFETIME_S:
        message = f"`{terms.lifetime_s}` seconds is not a valid lifetime of a remembered answer"
        raise ConfigError("bad_lifetime", message, field="days", remedy="use 1 to 366 days, or `--once`")
    if not 0 < terms.max_uses <= MAX_USES:
        message = f"`{terms.max_uses}` is not a valid number of uses"
        raise ConfigError("bad_cap", message, field="uses", remedy=f"use 1 to {MAX_USES}")
