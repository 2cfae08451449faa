"""Orders to reverse the effect of a decision, signed by an approver; and findings where the outcome is unknown.

An order is a token in the table of answers (`halo_core.passports.standing_answer`), which the decision of the reversal
verifies and applies (`halo_core.decision.answers`). The checks here only prevent signatures that would have no effect.
"""

from __future__ import annotations

from pathlib import Path

from halo_core.content.redaction import mask_reason
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester, Ed25519Signer, KeyStore
from halo_core.decision.answers import REVERSAL, make_reversal_scope
from halo_core.durations import SECOND_US
from halo_core.enforcement.reversals import (
    ReversibleEffect,
    count_attempts,
    find_attempt_status,
    load_effect,
    make_refusal,
    read_decision,
)
from halo_core.errors import ConfigError
from halo_core.model import Actor, EntryKind, LedgerEntry, Link, make_finding_key
from halo_core.oversight.access import commit_or_record_refusal
from halo_core.oversight.approver_acts import (
    make_token,
    record_token,
    require_enrolled,
    require_lifetime,
    require_outside_chain,
    require_reason,
    sign_terms,
)
from halo_core.oversight.keys import load_signer
from halo_core.oversight.signed_entries import load_links
from halo_core.passports.standing_answer import MAX_ORDER_S, peek_standing_answer
from halo_core.store.answer_rows import StandingAnswerTable
from halo_core.store.drafts import Draft
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction


def order_reversal(
    store: Store,
    keys: KeyStore,
    home: Path,
    *,
    decision: str,
    approver: str,
    why: str,
    lifetime_s: int = MAX_ORDER_S,
    reuse: bool = False,
) -> str:
    """Order that the effect of a decision is taken back; whichever process has the tool carries it out, once.

    Args:
        store: store with the log.
        keys: key folder with the approver's key, preferably not the agents'.
        home: folder of the authorities.
        decision: id of the decision.
        approver: who orders it: enrolled, outside the chain.
        why: the reason.
        lifetime_s: how long the order waits to be carried out, seconds.
        reuse: return the order that waits already, if there is one, instead of refusing.

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
        if waiting := _find_waiting(tx, _make_scope(tx, effect, digester)):
            if reuse:
                return waiting
            problem = "this reversal has been ordered, and waits to be carried out"
            remedy = "carry it out with `--app MODULE:OBJECT`, or see `halo reversals`"
            raise ConfigError("already_ordered", problem, field="id", remedy=remedy)
        return _record_order(tx, store, effect, approver, signer, lifetime_s=lifetime_s, why=why, digester=digester)

    return commit_or_record_refusal(store, job, "reverse", approver, {"decision": decision[:64]})


def _make_scope(tx: Transaction, effect: ReversibleEffect, digester: Digester) -> str:
    args_digest = digester.digest("halo/args", canonical.encode(effect.act.args))
    return make_reversal_scope(tx.tenant, effect.act.decision, effect.reversal_resource.id, args_digest)


def _find_waiting(tx: Transaction, scope: str) -> str:
    """The id of an order that waits to be carried out."""
    now_s = tx.clock.now_us() // SECOND_US
    orders = (row for row in StandingAnswerTable(tx).find_active(scope) if row.kind == REVERSAL)
    return next((row.id for row in orders if now_s < peek_standing_answer(row.token).expires_at_s), "")


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
    scope = _make_scope(tx, effect, digester)
    token = make_token(
        tx, store, approver, kind=REVERSAL, scope=scope, role=decision, resource=resource.id, lifetime_s=lifetime_s
    )
    return record_token(
        tx,
        EntryKind.REVERSAL,
        effect.entry,
        token,
        signer,
        members={
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
    """Record whether a reversal with an unknown outcome took place, as a person found out.

    Args:
        store: store with the log.
        keys: key folder with the approver's key.
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

    commit_or_record_refusal(store, job, "reverse", approver, {"confirm": decision[:64]})


def _load_chain(tx: Transaction, entry: LedgerEntry) -> tuple[Link, ...]:
    return load_links(_Blobs(tx), entry.tenant, entry.body["snapshot"]["chain"])


class _Blobs:
    """The blobs of a transaction, as `load_links` reads them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def blob(self, tenant: str, name: str) -> bytes | None:  # noqa: ARG002  the transaction's own
        """The bytes stored under a content hash."""
        return self._tx.load_blob(name)
