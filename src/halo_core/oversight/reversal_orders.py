"""Orders of reversals, as people give them: signed and recorded; and what people find of those that stay unknown.

An order is a token in the table of answers (`halo_core.passports.standing_answer`), which the decision of the reversal
verifies and applies (`halo_core.decision.answers`). The checks here only spare an approver a signature that would have
no effect. Overrides (`halo_core.oversight.overrides`) are recorded with the same parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from halo_core.content.redaction import mask_reason
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester, Ed25519Signer, KeyStore
from halo_core.decision.answers import REVERSAL, reversal_scope
from halo_core.enforcement.reversals import (
    ReversibleEffect,
    count_attempts,
    find_attempt_status,
    load_effect,
    make_refusal,
    read_decision,
)
from halo_core.errors import ConfigError, Denied
from halo_core.ledger.commitments import digest_answer
from halo_core.model import Actor, EntryKind, LedgerEntry, Link, make_finding_key, same_person
from halo_core.oversight.access import record_refusal
from halo_core.oversight.keys import load_signer
from halo_core.oversight.signed_entries import load_links
from halo_core.passports.approval import is_in_chain
from halo_core.passports.control_act import MAX_ACT_LIFETIME_S, ControlAct, sign_act
from halo_core.passports.standing_answer import MAX_ORDER_S, StandingToken, mint_standing_answer, peek_standing_answer
from halo_core.store import Draft, SealedFields, Store, Transaction
from halo_core.store.answer_rows import StandingAnswerTable
from halo_core.store.cached_rows import AnswerRow

_NO_LIMIT: Final = 2**53 - 1
_US: Final = 1_000_000


def order_reversal(
    store: Store,
    keys: KeyStore,
    home: Path,
    *,
    decision: str,
    approver: str,
    why: str,
    lifetime_s: int = MAX_ORDER_S,
) -> str:
    """Order that the effect of a decision is taken back; whichever process has the tool carries it out, once.

    Args:
        store: of the log.
        keys: where the approver's key is; another folder than the agents' is best.
        home: folder of the authorities.
        decision: id of the decision.
        approver: who orders it: enrolled, outside the chain.
        why: the reason.
        lifetime_s: how long the order waits to be carried out, seconds.

    Returns:
        Id of the order.

    Raises:
        ConfigError: `no_reason`, `bad_lifetime`, `no_such_entry`, `not_a_decision`, `no_approver_key`,
            `already_ordered`.
        Denied: `approver_not_enrolled`, `approver_in_chain`, `no_reverser`, or why it cannot be reversed
            (`load_effect`).
        Gap, Tampered: what was recorded is missing or was changed.
        CannotDecide: it could not be made durable.
    """
    require_reason(why)
    require_lifetime(lifetime_s, MAX_ORDER_S)
    signer = load_signer(store.tenant, keys, home, approver, store.clock.now_us())
    digester = Digester(store.keys.secret("digest"))

    def job(tx: Transaction) -> str:
        require_enrolled(tx, approver, signer)
        effect = load_effect(tx, decision, digester)
        if not effect.resource.can_reverse:
            raise make_refusal("no_reverser", f"`{effect.resource.id}`")
        require_outside_chain(tx, effect.entry, approver, signer, _load_chain(tx, effect.entry))
        return _record_order(tx, store, effect, approver, signer, lifetime_s=lifetime_s, why=why, digester=digester)

    order: str = commit_or_record(store, job, "reverse", approver, {"decision": decision[:64]})
    return order


def _record_order(
    tx: Transaction,
    store: Store,
    effect: ReversibleEffect,
    approver: str,
    signer: Ed25519Signer,
    *,
    lifetime_s: int,
    why: str,
    digester: Digester,
) -> str:
    resource, decision = effect.reversal_resource, effect.act.decision
    args_digest = digester.digest("halo/args", canonical.encode(effect.act.args))
    scope = reversal_scope(tx.tenant, decision, resource.id, args_digest)
    table, now_s = StandingAnswerTable(tx), tx.clock.now_us() // _US
    for row in table.find_active(scope):
        if row.kind == REVERSAL and now_s < peek_standing_answer(row.token).expires_at_s:
            problem, remedy = "this reversal has been ordered, and waits to be carried out", "see `halo reversals`"
            raise ConfigError("already_ordered", problem, field="id", remedy=remedy)
    token = make_token(
        tx, store, approver, kind=REVERSAL, scope=scope, role=decision, resource=resource.id, lifetime_s=lifetime_s
    )
    return record_token(
        tx,
        EntryKind.REVERSAL,
        effect.entry,
        token,
        signer,
        more={
            "attempt": effect.attempt,
            "links": [["reverses", decision]],
            "method": effect.resource.reversal.value,
            "op": "request",
            "reverses": {"w": effect.entry.writer, "ws": effect.entry.seq},
            "why": mask_reason(why),
        },
        place=dict(effect.place),
        people=1,
    )


def confirm_reversal(
    store: Store, keys: KeyStore, home: Path, *, decision: str, approver: str, done: bool, why: str
) -> None:
    """Record what a person found of a reversal of which nobody knows what came of it.

    Args:
        store: of the log.
        keys: where the approver's key is.
        home: folder of the authorities.
        decision: id of the decision whose effect was to be taken back.
        approver: who looked: enrolled, outside the chain.
        done: whether the effect is gone; if not, the reversal may be ordered again.
        why: what was seen.

    Raises:
        ConfigError: `no_reason`, `no_such_entry`, `no_approver_key`, `nothing_to_confirm`.
        Denied: `approver_not_enrolled`, `approver_in_chain`.
        CannotDecide: it could not be made durable.
    """
    require_reason(why)
    signer = load_signer(store.tenant, keys, home, approver, store.clock.now_us())
    finding = "done" if done else "not_done"

    def job(tx: Transaction) -> None:
        require_enrolled(tx, approver, signer)
        entry = read_decision(tx, decision).entry
        require_outside_chain(tx, entry, approver, signer, _load_chain(tx, entry))
        attempt = count_attempts(tx, entry) - 1
        if attempt < 0 or find_attempt_status(tx, entry, attempt) in ("not_done", "reversed"):
            problem, remedy = "no reversal of this decision waits to be confirmed", "see `halo reversals`"
            raise ConfigError("nothing_to_confirm", problem, field="id", remedy=remedy)
        terms: dict[str, str | int] = {"attempt": attempt, "decision": entry.id, "finding": finding}
        body = {
            "attempt": attempt,
            "finding": finding,
            "op": "confirm",
            "reverses": {"w": entry.writer, "ws": entry.seq},
            "signed": [sign_terms(tx, store, "confirm_reversal", terms, signer)],
            "why": mask_reason(why),
        }
        key = make_finding_key(entry.writer, entry.seq, attempt)
        tx.append(Draft(EntryKind.REVERSAL, entry.session, body, actor=Actor(approver, "approver-key"), key=key))

    commit_or_record(store, job, "reverse", approver, {"confirm": decision[:64]})


# what overrides are recorded with too


def require_reason(why: str) -> None:
    """Refuse an act without a reason.

    Raises:
        ConfigError: `no_reason`.
    """
    if not why.strip():
        raise ConfigError("no_reason", "a reason is needed", field="why", remedy="say why with `--why`")


def require_lifetime(lifetime_s: int, longest_s: int) -> None:
    """Refuse a time that an act cannot have, in seconds.

    Raises:
        ConfigError: `bad_lifetime`.
    """
    if not 0 < lifetime_s <= longest_s:
        problem, remedy = f"`{lifetime_s // 60}` minutes is not a valid time", f"use 1 to {longest_s // 60}"
        raise ConfigError("bad_lifetime", problem, field="minutes", remedy=remedy)


def require_enrolled(tx: Transaction, approver: str, signer: Ed25519Signer) -> None:
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
    """Refuse somebody who is part of the chain of a decision.

    Args:
        tx: the transaction.
        entry: the decision, with its whole record.
        approver: who wants to act.
        signer: the key of that person.
        links: the passports of the decision.

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


def _load_chain(tx: Transaction, entry: LedgerEntry) -> tuple[Link, ...]:
    return load_links(_Blobs(tx), entry.tenant, entry.body["snapshot"]["chain"])


class _Blobs:
    """The blobs of a transaction, as `load_links` reads them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def blob(self, tenant: str, name: str) -> bytes | None:  # noqa: ARG002  the transaction's own
        """The bytes stored under a content hash."""
        return self._tx.load_blob(name)


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
) -> StandingToken:
    """A token of the table of answers, not signed yet; the arguments are those of `StandingToken`."""
    now_s = tx.clock.now_us() // _US
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
        max_amount=_NO_LIMIT,
    )


def record_token(
    tx: Transaction,
    kind: EntryKind,
    decision: LedgerEntry,
    token: StandingToken,
    signer: Ed25519Signer,
    *,
    more: Mapping[str, Any],
    place: Mapping[str, Any],
    people: int,
) -> str:
    """Sign a token, store it, and record it under a decision; returns its id.

    Args:
        tx: the transaction.
        kind: of the entry.
        decision: that it is about.
        token: what is signed.
        signer: with which key.
        more: members of the entry beside those of every token.
        place: of the decision, as entries refer to it.
        people: how many people it takes.
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
        **more,
    }
    sealed: SealedFields = ((tx.references.of_person(token.approver), {"token": signed.encode()}),)
    actor = Actor(token.approver, "approver-key")
    tx.append(Draft(kind, decision.session, body, others=sealed, actor=actor))
    return token.id


def sign_terms(tx: Transaction, store: Store, act: str, terms: Mapping[str, str | int], signer: Ed25519Signer) -> str:
    """A signed act for the entry that records it; see `halo_core.passports.control_act`."""
    now_s, control = tx.clock.now_us() // _US, tx.load_control()
    signed = ControlAct(
        act, terms, control.store, tx.tenant, now_s, now_s + MAX_ACT_LIFETIME_S, store.ids.new_token_id()
    )
    return sign_act(signed, signer)


def commit_or_record(store: Store, job: Any, act: str, by: str, terms: Mapping[str, str | int]) -> Any:
    """Run a job; where it is refused, record that too.

    Raises:
        Denied: as the job.
    """
    try:
        return store.commit(job)
    except Denied as exc:
        # INVARIANT: AUDIT - what somebody was refused is part of the record.
        record_refusal(store, act, exc, by=by, terms=terms)
        raise
