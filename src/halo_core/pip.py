"""Room: the policy information point. Takes: a transaction and a request. Gives: one snapshot. Never: decides.

Read once, inside the transaction that will hold the decision, so nothing can change between look and leap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from halo_core.behaviour import provenance_of
from halo_core.model import AccessRequest, Link, Mode, PolicyView, Provenance, Snapshot
from halo_core.store import Control, SessionState, Tx

__all__ = ["Credentials", "Facts", "Gathered", "gather"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the enforcement point holds: the verified chain, root first, and the compiled policy."""

    chain: tuple[Link, ...]
    policy: PolicyView


@dataclass(frozen=True, slots=True)
class Facts:
    """What the snapshot needs besides the request.

    Args:
        args: the real arguments; they are compared with what the session has seen and go no further.
        seen: texts that the adapter has shown the agent since, with their origin, as keyed fingerprints.
        mode: the mode this handle was opened with, None for the store's.
    """

    args: Mapping[str, Any]
    seen: tuple[tuple[frozenset[int], Provenance], ...]
    mode: Mode | None


@dataclass(frozen=True, slots=True)
class Gathered:
    """The snapshot with the rows it came from."""

    snapshot: Snapshot
    control: Control
    state: SessionState


def gather(tx: Tx, request: AccessRequest, facts: Facts, credentials: Credentials) -> Gathered:
    """Read one snapshot; texts the agent has seen are noted first, so that this very call is judged by them."""
    control = tx.control()
    now_us = tx.clock.now_us()
    session = request.context.session
    state = (tx.session(session) if session else None) or SessionState.fresh(session, now_us)
    sketch = tx.sketch(state)
    if session:
        for prints, origin in facts.seen:
            state = tx.add_marks(state, sketch, sketch.additions(prints, origin))
        state = replace(state, saturated=sketch.saturated)
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
