"""What an approval is bound to: the digest of the question that it answers.

INVARIANT: BIND - an approval serves one digest: over who asks, with which passport and in which epoch, what exactly is
done to what, and under which policy. Another argument, epoch or rule makes another question.

A question of a session that can be continued is also bound to that session. A session that nobody named and no
framework continues (`ENDING_SOURCES`) has usually ended when a person answers, so its question is bound to the exposure
at which it was asked instead: the next run of the same agent for the same user may use a yes if it is exposed no
more than that. A no holds for it however exposed it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.model import AccessRequest, Link, Provenance
from halo_core.passports import approval as approval_claims

ENDING_SOURCES: Final = frozenset({"block", "call", "run"})
"""Sources of sessions that end with what opened them (`Session.source`)."""

UNEXPOSED: Final = 0
EXPOSED: Final = 1
REACHED: Final = 2
"""Exposed, and a target of the call comes from untrusted content."""

_UNTRUSTED: Final = frozenset({Provenance.MIXED, Provenance.UNTRUSTED})
_MAX_CLAIM: Final = 256


def make_session_claim(session: str) -> str:
    """Make the claim of a session: its id, or a digest if the id does not fit.

    It is `txn` of the links and `ses` of the approvals of the session.
    """
    fits_claim = 0 < len(session) <= _MAX_CLAIM and session.isprintable()
    return session if fits_claim else canonical.digest("halo/session", session.encode("utf-8", "surrogatepass"))


def make_call_binding(request: AccessRequest, chain: Sequence[Link], rules: str) -> str:
    """Make the digest of one exact call in its session, under the rules with this name.

    The framework's call id and turn are not in it, so that the call may be asked again. Neither is what else a
    process happens to have registered, so that a call may be asked in one process and run in another.
    """
    tree = _describe_call(request, rules) | {
        "passport": [[link.agent, link.txn if link.depth else "", link.epoch] for link in chain],
        "session": request.context.session,
    }
    return canonical.digest("halo/binding/call/v1", canonical.dumps(tree))


def make_run_binding(request: AccessRequest, chain: Sequence[Link], rules: str, exposure: int) -> str:
    """Make the digest of one exact call at this exposure, in any session that ends with its run.

    In place of the session it contains whose standing passport it is: tenant, issuer's key, principal and owner.
    """
    tree = _describe_call(request, rules) | {
        "exposure": exposure,
        "passport": [[link.agent, link.epoch] for link in chain],
        "standing": [[link.tenant, link.key_id, link.principal, link.owner] for link in chain[:1]],
    }
    return canonical.digest("halo/binding/run/v1", canonical.dumps(tree))


def _describe_call(request: AccessRequest, rules: str) -> dict[str, Any]:
    return {
        "args": request.args_digest,
        "kind": request.kind.value,
        "policy": rules,
        "resource": request.resource.to_plain(),
        "subject": request.subject.with_references().to_plain(),
    }


def make_question_binding(
    request: AccessRequest, chain: Sequence[Link], rules: str, *, exposure: int, is_held: bool
) -> str:
    """Make the digest to which the question about a call is bound.

    Args:
        request: the call.
        chain: links acted under, root first.
        rules: name of the rules in force.
        exposure: exposure of the session that asks, for this call (`find_exposure`).
        is_held: the act is held, and so is released in its own session whatever becomes of the run.
    """
    if is_held or request.context.session_source not in ENDING_SOURCES:
        return make_call_binding(request, chain, rules)
    return make_run_binding(request, chain, rules, exposure)


def list_answer_bindings(
    request: AccessRequest, chain: Sequence[Link], rules: str, *, exposure: int, asked_in: str = ""
) -> tuple[str, ...]:
    """List the digests to which an answer that settles a call may be bound.

    Args:
        request: the call.
        chain: links acted under, root first.
        rules: name of the rules in force.
        exposure: exposure of the session of the call, as it is now.
        asked_in: the session that asked, where it is another one; empty if it is the call's own.
    """
    # A session that was opened without a name may be opened again by the name that it got.
    can_end = not asked_in or request.context.session_source in ENDING_SOURCES
    least = exposure if asked_in else UNEXPOSED
    own = () if asked_in else (make_call_binding(request, chain, rules),)
    levels = range(least, REACHED + 1) if can_end else ()
    return (*own, *(make_run_binding(request, chain, rules, level) for level in levels))


def find_exposure(
    provenance: Iterable[tuple[str, Provenance]], targets: Iterable[Sequence[Any]], *, is_tainted: bool
) -> int:
    """Find how exposed a session is for one call: `UNEXPOSED`, `EXPOSED` or `REACHED`.

    Args:
        provenance: JSON pointer of each argument leaf, and where its value came from.
        targets: JSON pointer of each leaf that says where something goes, first of each item.
        is_tainted: the session has read untrusted content.
    """
    if not is_tainted:
        return UNEXPOSED
    pointers = {target[0] for target in targets}
    reached = any(pointer in pointers and source in _UNTRUSTED for pointer, source in provenance)
    return REACHED if reached else EXPOSED


def make_reauthorization_binding(tenant: str, session: str, agent: str, epoch: int) -> str:
    """Make the digest of the question whether an agent's session may continue into `epoch`."""
    return approval_claims.make_reauthorization_binding(tenant, make_session_claim(session), agent, epoch)
