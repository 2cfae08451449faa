"""Stops and revocations, as jobs for `Store.commit`.

A stop can be lifted; a revocation is permanent. The entry records who, what and why, and the next decision reads the
row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from halo_core.content.redaction import mask_reason
from halo_core.errors import ConfigError
from halo_core.ledger.control_history import make_lift_terms
from halo_core.model import SUSPENSIONS, Actor, EntryKind, Stop
from halo_core.oversight.control_acts import SignedAct, require_signatures, signed_member
from halo_core.references import clip_name, is_reference
from halo_core.stop_files import SCOPES
from halo_core.store.drafts import Draft, SealedFields
from halo_core.store.rows import RestrictionTable
from halo_core.store.transaction import Transaction

REVOCABLE: Final = ("agent", "key", "link", "session", "tenant")
"""Scopes of a revocation; its target is an id, a key's thumbprint, or a token's hash."""


def stop(tx: Transaction, stop: Stop, by: Actor | str, why: str, *, is_drill: bool = False) -> bool:
    """Put a stop in force from the next decision on; False if it is in force already.

    Args:
        tx: the transaction.
        stop: scope and target; of a session or person by name or reference.
        by: who stops it.
        why: the reason.
        is_drill: mark the entry, where the stop is only set to see whether stops work.

    Raises:
        ConfigError: `bad_stop`.
    """
    _check_target(stop.scope, stop.target, SCOPES, "bad_stop")
    target, named = _refer_target(tx, stop.scope, stop.target)
    if not _restrict(tx, "stop", stop.scope, target, stop.since_us):
        return False
    body = {"scope": stop.scope, "since_us": stop.since_us, "target": target, "why": mask_reason(why)}
    body |= {"drill": True} if is_drill else {}
    tx.append(Draft(EntryKind.STOP, "", body, others=named, actor=Actor.of(by)))
    return True


def lift(
    tx: Transaction,
    scope: str,
    target: str,
    by: Actor | str,
    why: str,
    *,
    filed: bool = False,
    signed: Sequence[str] = (),
) -> bool:
    """Lift a stop; False if there is none.

    Args:
        tx: the transaction.
        scope: scope of the stop.
        target: target of the stop.
        by: who lifts it.
        why: the reason.
        filed: whether the stop is also in a file, which the caller removes; then the lift is recorded without a row.
        signed: signatures of the act `lift`, of which two are needed where two people are enrolled.

    Raises:
        ConfigError: `bad_stop`.
        Denied: `signatures_needed`.
    """
    _check_target(scope, target, (*SCOPES, *SUSPENSIONS), "bad_stop")
    target, named = _refer_target(tx, scope, target)
    removed = RestrictionTable(tx).remove("stop", scope, target)
    if removed or filed:
        require_signatures(tx, "lift", make_lift_terms({"scope": scope, "target": target}), signed)
        body = {"filed": filed, "scope": scope, "target": target, "why": mask_reason(why)}
        body |= signed_member(signed)
        tx.append(Draft(EntryKind.LIFT, "", body, others=named, actor=Actor.of(by)))
    return removed or filed


def make_lift(tx: Transaction, scope: str, target: str) -> SignedAct:
    """The act of lifting a stop, without signatures; the target of a session's is its reference.

    Raises:
        ConfigError: `bad_stop`.
    """
    _check_target(scope, target, (*SCOPES, *SUSPENSIONS), "bad_stop")
    terms = make_lift_terms({"scope": scope, "target": _refer_target(tx, scope, target)[0]})
    return SignedAct("lift", terms, tx.load_store_id(), tx.tenant)


def revoke(tx: Transaction, scope: str, target: str, by: Actor | str, why: str) -> bool:
    """Revoke a link, key, agent, session or tenant permanently; False if it is revoked already.

    Raises:
        ConfigError: `bad_revocation`.
    """
    _check_target(scope, target, REVOCABLE, "bad_revocation")
    since = tx.clock.now_us()
    target, named = _refer_target(tx, scope, target)
    if not _restrict(tx, "revocation", scope, target, since):
        return False
    body = {"scope": scope, "since_us": since, "target": target, "why": mask_reason(why)}
    tx.append(Draft(EntryKind.REVOCATION, "", body, others=named, actor=Actor.of(by)))
    return True


def _restrict(tx: Transaction, kind: str, scope: str, target: str, since_us: int) -> bool:
    """Write the row of a restriction; False if an entry has already put it in force."""
    if (kind, scope, target) in tx.load_history().restrictions:
        return False
    table = RestrictionTable(tx)
    # A row without an entry may vanish unnoticed: it is written anew together with its entry.
    if not table.add(kind, scope, target, since_us):
        table.remove(kind, scope, target)
        table.add(kind, scope, target, since_us)
    return True


def _refer_target(tx: Transaction, scope: str, target: str) -> tuple[str, SealedFields]:
    """A target as entries and rows hold it, of a session or person its reference; and its name, to be sealed."""
    if scope in ("user", "suspended_user"):
        reference = target if is_reference(target) else tx.references.of_person(target)
    elif scope == "session":
        reference = tx.resolve_session(target)
    else:
        return target, ()
    return reference, () if reference == target else ((reference, {"target": clip_name(target).encode()}),)


def _check_target(scope: str, target: str, scopes: tuple[str, ...], code: str) -> None:
    if scope not in scopes or (scope == "all") == bool(target):
        raise ConfigError(
            code, f"`{scope[:32]}` with target `{target[:64]}` is not valid", remedy=f"use one of {', '.join(scopes)}"
        )
