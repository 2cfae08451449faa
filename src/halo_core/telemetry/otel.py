"""Decisions as OpenTelemetry spans and events; needs the extra `otel` (the API alone, the host brings the SDK).

Each decision is a span `halo.decide <resource>` below the span in which the action was asked for, and an event
`halo.decision` on that span. An outcome is an event `halo.outcome` on the span in which the action ended. The id of the
trace stands in the entry of the decision, and the id of the entry on the span, so that each is found from the other.
Attributes hold names and codes, no arguments, results or names of people.
"""

from __future__ import annotations

from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace

from halo_core.telemetry.events import ActionObserver, DecisionEvent, OutcomeEvent

_NS_PER_US: Final = 1000


class OpenTelemetryObserver(ActionObserver):
    """Creates spans and events for decisions and outcomes.

    Args:
        tracer_provider: whose tracer makes the spans; None for the global one.
    """

    def __init__(self, tracer_provider: trace.TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("halo", tracer_provider=tracer_provider)

    def capture(self) -> object:
        """The current context, which becomes the span's parent."""
        return otel_context.get_current()

    def observe_decision(self, event: DecisionEvent, captured: object) -> None:
        """Create the span of a decision, and the event on its parent span."""
        attributes = _list_attributes(event)
        parent = captured if isinstance(captured, otel_context.Context) else None
        start_ns, end_ns = event.start_us * _NS_PER_US, (event.start_us + event.duration_us) * _NS_PER_US
        around = trace.get_current_span(parent)
        if around.is_recording():
            around.add_event("halo.decision", attributes, timestamp=end_ns)
        name = f"halo.decide {event.resource}"
        self._tracer.start_span(name, context=parent, attributes=attributes, start_time=start_ns).end(end_ns)

    def observe_outcome(self, event: OutcomeEvent, captured: object) -> None:
        """Create the event of an outcome."""
        parent = captured if isinstance(captured, otel_context.Context) else None
        around = trace.get_current_span(parent)
        if around.is_recording():
            attributes = {"halo.decision_id": event.decision_id, "halo.status": event.status}
            around.add_event("halo.outcome", attributes, timestamp=event.end_us * _NS_PER_US)


def _list_attributes(event: DecisionEvent) -> dict[str, str | bool | tuple[str, ...]]:
    attributes: dict[str, str | bool | tuple[str, ...]] = {
        "halo.decision_id": event.decision_id,
        "halo.tenant": event.tenant,
        "halo.agent": event.agent,
        "halo.session": event.session,
        "halo.kind": event.kind,
        "halo.resource": event.resource,
        "halo.impact": event.impact,
        "halo.mode": event.mode,
        "halo.effect": event.effect,
        "halo.reasons": event.reasons,
        "halo.runs": event.runs,
    }
    return attributes | ({"halo.pending_id": event.pending_id} if event.pending_id else {})
