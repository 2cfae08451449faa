"""What all signed acts of approvers share: the checks before a signature, the token, and its entry.

Remembered answers (`remembered`), orders of reversals (`reversal_orders`) and overrides (`overrides`) are tokens in the
table of answers (`halo_core.passports.standing_answer`), which are made and recorded here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from halo_core.crypto.canonical import INT_LIMIT
from halo_core.crypto.keys import Ed25519Signer, Signer
from halo_core.durations import SECOND_US
from halo_core.errors import ConfigError, Denied
from halo_core.ledger.commitments import digest_answer
from halo_core.model import Actor, EntryKind, LedgerEntry, Link, same_person
from halo_core.passports.approval import is_in_chain
from halo_core.passports.control_act import MAX_ACT_LIFETIME_S, ControlAct, sign_act
from halo_core.passports.standing_answer import StandingToken, mint_standing_answer
from halo_core.store.answer_rows import StandingAnswerTable
from halo_core.store.cached_rows import AnswerRow
from halo_core.store.drafts import Draft, SealedFields
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

_NO_LIMIT: Final = INT_LIMIT - 1


def require_reason(why: str, option: str = "why") -> None:
    """Refuse an act without a reason; `option` is the command's option that gives it.

    Raises:
        ConfigError: `no_reason`.
    """
    if not why.strip():
        raise ConfigError("no_reason", "a reason is needed", field=option, remedy=f"say why with `--{option}`")


def require_lifetime(lifetime_s: int, longest_s: int) -> None:
    """Refuse a lifetime that is not positive or is longer than `longest_s`, both in seconds.

    Raises:
        ConfigError: `bad_lifetime`.
    """
    if not 0 < lifetime_s <= longest_s:
        problem, remedy = f"`{lifetime_s // 60}` minutes is not a valid time", f"use 1 to {longest_s // 60}"
        raise ConfigError("bad_lifetime", problem, field="minutes", remedy=remedy)


def require_enrolled(tx: Transaction, approver: str, signer: Signer) -> None:
    """Refuse a key that no entry of the log has enrolled under this name.

    Raises:
        Denied: `approver_not_enrolled`.
    """
    enrolled = tx.load_history().map_approvers()
    if enrolled.get(signer.key_id) != tx.references.of_person(approver):
        problem = f"`{approver[:64]}` has a key that no entry of this log has enrolled under this name"
        raise Denied("approver_not_enrolled", problem, remedy="run `halo approver enrol`")


def require_outside_chain(
    tx: Transaction, entry: LedgerEntry, approver: str, signer: Ed25519Signer, links: Sequence[Link]
) -> None:
    """Refuse an approver who is part of the chain of a decision.

    Args:
        tx: the transaction.
        entry: the decision, with its whole record.
        approver: name of the person who wants to act.
        signer: the key of that person.
        links: the passport of the decision, standing link first.

    Raises:
        Denied: `approver_in_chain`.
    """
    # INVARIANT: EPOCH - nobody in the chain, and nobody it acts for, overrides or takes back what it did.
    subject = entry.body["request"]["subject"]
    names = [subject["user"], subject["agent"], *subject["chain"]]
    is_involved = tx.references.of_person(approver) in names or any(
        same_person(approver, name) for name in names if name
    )
    if is_involved or is_in_chain(approver, signer.public_key, links):
        message = f"`{approver[:64]}` is part of the chain of this decision"
        raise Denied("approver_in_chain", message, remedy="ask a person who neither owns the agent nor uses it")


def make_token(
    tx: Transaction,
    store: Store,
    approver: str,
    *,
    kind: str,
    scope: str,
    role: str,
    resource: str,
    lifetime_s: int,
    max_uses: int = 1,
    max_amount: int = _NO_LIMIT,
    max_each: int = 0,
    each_scope: str = "",
    now_us: int | None = None,
) -> StandingToken:
    """Make a token for the table of answers, not signed yet.

    `now_us` is the time of issue, microseconds since the epoch, that of the transaction if None. The other arguments
    are those of `StandingToken`.
    """
    now_s = (tx.clock.now_us() if now_us is None else now_us) // SECOND_US
    return StandingToken(
        id=store.ids.new_token_id(),
        approver=approver,
        tenant=tx.tenant,
        audience=(tx.load_control().store,),
        issued_at_s=now_s,
        expires_at_s=now_s + lifetime_s,
        kind=kind,
        scope=scope,
        role=role,
        resource=resource,
        max_uses=max_uses,
        max_amount=max_amount,
        max_each=max_each,
        each_scope=each_scope,
    )


def record_token(
    tx: Transaction,
    kind: EntryKind,
    decision: LedgerEntry,
    token: StandingToken,
    signer: Ed25519Signer,
    *,
    members: Mapping[str, Any],
    place: Mapping[str, Any],
    people: int,
) -> str:
    """Sign a token, store it, and record it under a decision; returns its id.

    Args:
        tx: the transaction.
        kind: kind of the entry.
        decision: the entry of the decision that the token is about.
        token: the token to sign.
        signer: the approver's key.
        members: members of the entry's body beyond those that every token has.
        place: writer, sequence and leaf hash of the decision, by which entries refer to it.
        people: how many people have to sign for the same scope.
    """
    signed = mint_standing_answer(token, signer)
    StandingAnswerTable(tx).put(AnswerRow(token.id, token.kind, token.scope, "active", signed))
    body = {
        "answer": token.id,
        "decision": dict(place),
        "expires_s": token.expires_at_s,
        "kid": signer.key_id,
        "kind": token.kind,
        "max_uses": token.max_uses,
        "people": people,
        "resource": token.resource,
        "scope": token.scope,
        "token": digest_answer(signed),
        **members,
    }
    sealed: SealedFields = ((tx.references.of_person(token.approver), {"token": signed.encode()}),)
    actor = Actor(token.approver, "approver-key")
    tx.append(Draft(kind, decision.session, body, others=sealed, actor=actor))
    return token.id


def sign_terms(tx: Transaction, store: Store, act: str, terms: Mapping[str, str | int], signer: Ed25519Signer) -> str:
    """Sign the terms of an act; the token for the entry that records it (`halo_core.passports.control_act`)."""
    now_s, control = tx.clock.now_us() // SECOND_US, tx.load_control()
    signed = ControlAct(
        act, terms, control.store, tx.tenant, now_s, now_s + MAX_ACT_LIFETIME_S, store.ids.new_token_id()
    )
    return sign_act(signed, signer)
