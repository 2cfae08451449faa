"""Room: the policy information point. Takes: a transaction and a request. Gives: one snapshot. Never: decides.

Read once, inside the transaction that will hold the decision, so nothing can change between look and leap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from halo_core.behaviour import Sketch, provenance_of
from halo_core.model import AccessRequest, Link, Mode, PolicyView, Provenance, Snapshot
from halo_core.store import Control, SessionState, Tx

__all__ = ["Credentials", "Facts", "Gathered", "Shown", "gather", "see"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the enforcement point holds: the verified chain, root first, and the compiled policy."""

    chain: tuple[Link, ...]
    policy: PolicyView


@dataclass(frozen=True, slots=True)
class Shown:
    """A text that the agent has been shown, as keyed fingerprints.

    Args:
        prints: of its tokens.
        origin: who wrote it.
        vouched: the host says so, not the conversation.
        cut: it was longer than what is read, so what it brought is not all known.
    """

    prints: frozenset[int]
    origin: Provenance
    vouched: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What the snapshot needs besides the request.

    Args:
        args: the real arguments under their recorded names; compared with what the session has seen, no more.
        seen: texts that the agent has been shown since.
        mode: the mode this handle was opened with, None for the store's.
    """

    args: Mapping[str, Any]
    seen: tuple[Shown, ...]
    mode: Mode | None


@dataclass(frozen=True, slots=True)
class Gathered:
    """The snapshot with the rows it came from."""

    snapshot: Snapshot
    control: Control
    state: SessionState


def see(tx: Tx, state: SessionState, sketch: Sketch, shown: Shown, source: str) -> SessionState:
    """The state of a session that has been shown a text; untrusted content taints it, whatever it says."""
    foreign = shown.origin is Provenance.UNTRUSTED
    state = tx.add_marks(state, sketch, sketch.additions(shown.prints, shown.origin, vouched=shown.vouched))
    # INVARIANT: a sketch that could not take everything in says so, and the unknown then counts as untrusted.
    sketch.saturated = sketch.saturated or (foreign and shown.cut)
    state = replace(state, saturated=sketch.saturated)
    return state.tainted_by(source) if foreign else state


def gather(tx: Tx, request: AccessRequest, facts: Facts, credentials: Credentials) -> Gathered:
    """Read one snapshot; texts the agent has seen are noted first, so that this very call is judged by them."""
    control = tx.control()
    now_us = tx.clock.now_us()
    session = request.context.session
    state = (tx.session(session) if session else None) or SessionState.fresh(session, now_us)
    sketch = tx.sketch(state)
    if session:
        for shown in facts.seen:
            state = see(tx, state, sketch, shown, "history")
    snapshot = Snapshot(
        time_us=state.at(now_us),
        mode=facts.mode or control.mode,
        control_version=control.version,
        session=state.view,
        uses=tx.uses(request.subject.agent, request.resource.id),
        provenance=provenance_of(facts.args, sketch),
        chain=credentials.chain,
        policy=credentials.policy,
        stops=control.stops,
        revocations=control.revocations,
        dispatched=tx.dispatched(request.request_id),
        pending=state.pending,
    )
    return Gathered(snapshot, control, state)
