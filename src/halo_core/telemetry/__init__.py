"""Observers of decisions and outcomes: OpenTelemetry spans, Prometheus metrics, or the host's own.

    halo.add_observer(OpenTelemetryObserver())      # halo_core.telemetry.otel
    halo.add_observer(PrometheusObserver())         # halo_core.telemetry.prometheus

An observer gets facts about an action, never its arguments or its result. It cannot decide or delay anything: events
wait in a bounded queue, and a thread delivers them. If an observer raises or blocks, events are lost, and decisions go
on.
"""

from __future__ import annotations

from halo_core.telemetry.events import ActionObserver, DecisionEvent, OutcomeEvent, read_trace_id
from halo_core.telemetry.queue import ObserverQueue

__all__ = ["ActionObserver", "DecisionEvent", "ObserverQueue", "OutcomeEvent", "read_trace_id"]
