"""Decisions as Prometheus metrics; needs the extra `prometheus`.

    halo_decisions_total{agent,kind,resource,effect,mode}
    halo_decision_reasons_total{reason,effect}
    halo_outcomes_total{kind,status}
    halo_decision_seconds{kind}                               histogram: the time a caller waited for its decision

Labels are bounded: after `max_names` agents or resources, further names count as `other`.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from halo_core.durations import SECOND_US
from halo_core.telemetry.events import ActionObserver, DecisionEvent, OutcomeEvent

_BUCKETS_S: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
OTHER: Final = "other"
"""The label of names beyond the bound."""


class PrometheusObserver(ActionObserver):
    """Counts decisions and outcomes in a registry, which the host serves.

    Args:
        registry: where the metrics are registered; None makes one, `registry`.
        max_names: how many different agents, and how many resources, get a label of their own.

    Attributes:
        registry: the registry, for `prometheus_client.generate_latest` or `start_http_server`.
    """

    def __init__(self, registry: CollectorRegistry | None = None, *, max_names: int = 200) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self._max_names = max_names
        self._names: dict[str, set[str]] = {"agent": set(), "resource": set()}
        labels = ("agent", "kind", "resource", "effect", "mode")
        self._decisions = Counter("halo_decisions", "Decisions.", labels, registry=self.registry)
        reasons = ("reason", "effect")
        self._reasons = Counter("halo_decision_reasons", "Reasons of decisions.", reasons, registry=self.registry)
        self._outcomes = Counter("halo_outcomes", "Outcomes.", ("kind", "status"), registry=self.registry)
        self._seconds = Histogram(
            "halo_decision_seconds",
            "Time that a caller waited for its decision, in seconds.",
            ("kind",),
            registry=self.registry,
            buckets=_BUCKETS_S,
        )

    def observe_decision(self, event: DecisionEvent, captured: object) -> None:  # noqa: ARG002  nothing is captured
        """Count a decision."""
        agent, resource = self._bound("agent", event.agent), self._bound("resource", event.resource)
        self._decisions.labels(agent, event.kind, resource, event.effect, event.mode).inc()
        for reason in event.reasons:
            self._reasons.labels(reason, event.effect).inc()
        self._seconds.labels(event.kind).observe(event.duration_us / SECOND_US)

    def observe_outcome(self, event: OutcomeEvent, captured: object) -> None:  # noqa: ARG002  as above
        """Count an outcome."""
        self._outcomes.labels(event.kind, event.status).inc()

    def _bound(self, label: str, name: str) -> str:
        names = self._names[label]
        if name not in names and len(names) < self._max_names:
            names.add(name)
        return name if name in names else OTHER
