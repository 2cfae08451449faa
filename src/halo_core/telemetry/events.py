"""The events that observers get of an action, and the trace that a call belongs to."""

from __future__ import annotations

import sys
from typing import Any

from halo_core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class DecisionEvent:
    """One durable decision, or a call that could not be decided.

    Args:
        decision_id: id of the entry; empty if nothing could be recorded.
        tenant: whose log.
        agent: who acts.
        session: reference of the session; empty for none.
        framework: whose call it is.
        kind: action kind.
        resource: id of the tool, retriever, model or agent.
        impact: its impact class.
        mode: observe or enforce.
        effect: effect of the decision.
        reasons: codes, the deciding one first.
        runs: whether the action may run now.
        pending_id: id of the question that was asked; empty for none.
        start_us: when the decision was asked for, microseconds since the epoch.
        duration_us: how long the caller waited for it, durable write included, microseconds.
    """

    decision_id: str
    tenant: str
    agent: str
    session: str
    framework: str
    kind: str
    resource: str
    impact: str
    mode: str
    effect: str
    reasons: tuple[str, ...]
    runs: bool
    pending_id: str
    start_us: int
    duration_us: int


@dataclass(frozen=True, slots=True)
class OutcomeEvent:
    """The outcome of an action that ran.

    Args:
        decision_id: id of the entry of its decision.
        agent: who acted.
        kind: action kind.
        resource: id of what was acted on.
        status: `success`, `error`, `cancelled`, `paused`, `not_run`.
        end_us: when it ended, microseconds since the epoch.
    """

    decision_id: str
    agent: str
    kind: str
    resource: str
    status: str
    end_us: int


class ActionObserver:
    """Receives decisions and outcomes; subclasses override the methods they need."""

    def capture(self) -> object:
        """Capture part of the acting context, such as the current span.

        Called in the acting thread or task before an event is queued, so it must neither block nor do I/O.
        """
        return None

    def observe_decision(self, event: DecisionEvent, captured: object) -> None:
        """Handle a decision, with the result of `capture`; called in the thread of the queue."""

    def observe_outcome(self, event: OutcomeEvent, captured: object) -> None:
        """Handle an outcome; called in the thread of the queue."""


def read_trace_id() -> str:
    """Trace id of the current span (W3C Trace Context), 32 lowercase hex digits; empty if there is none.

    Never imports OpenTelemetry: an application that traces has loaded it.
    """
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return ""
    try:
        span = trace.get_current_span()
        if span is trace.INVALID_SPAN:  # there is none
            return ""
        context = span.get_span_context()
    except Exception:  # noqa: BLE001  a tracer costs no decision
        return ""
    return f"{context.trace_id:032x}" if context.is_valid else ""
