"""The SDK's traces as OpenTelemetry spans; needs the extra `otel` (the API alone, the host brings its SDK).

    from agents import add_trace_processor
    add_trace_processor(OpenTelemetryProcessor())
    halo.add_observer(OpenTelemetryObserver())

Each span of the Agents SDK becomes an OpenTelemetry span that is current while it lasts. So Halo's spans of decisions
stand below the tool, model call or hand-off that they decide, and entries hold the id of that trace. Span attributes
hold names, no inputs, outputs or messages.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from agents.tracing import Span, Trace, TracingProcessor
from opentelemetry import context as otel_context
from opentelemetry import trace as otel_trace

_MAX_OPEN: Final = 10_000
_NAMED: Final = ("name", "model", "server", "from_agent", "to_agent", "agent_name", "response_id")
_Started = tuple[otel_trace.Span, otel_context.Context]
"""A span that was started, and the context around it."""


class OpenTelemetryProcessor(TracingProcessor):
    """Turns traces and spans of the Agents SDK into OpenTelemetry spans. Thread-safe; never raises into a run.

    Args:
        tracer_provider: whose tracer makes the spans; None for the global one.
    """

    def __init__(self, tracer_provider: otel_trace.TracerProvider | None = None) -> None:
        self._tracer = otel_trace.get_tracer("halo.openai_agents", tracer_provider=tracer_provider)
        self._started: dict[str, _Started] = {}
        self._lock = threading.Lock()

    def on_trace_start(self, trace: Trace) -> None:
        """Start a span for a run."""
        self._start(trace.trace_id, f"agents.run {trace.name}", "", {"agents.trace_id": trace.trace_id})

    def on_trace_end(self, trace: Trace) -> None:
        """End the span of a run."""
        self._end(trace.trace_id)

    def on_span_start(self, span: Span[Any]) -> None:
        """Start a span below that of its parent."""
        data = span.span_data
        attributes = {f"agents.{name}": text for name in _NAMED if isinstance(text := getattr(data, name, None), str)}
        name = " ".join(filter(None, (f"agents.{data.type}", attributes.get("agents.name", ""))))
        attributes |= {"agents.trace_id": span.trace_id, "agents.span_id": span.span_id}
        self._start(span.span_id, name, span.parent_id or span.trace_id, attributes)

    def on_span_end(self, span: Span[Any]) -> None:
        """End the span; an error of the SDK's span becomes its status."""
        self._end(span.span_id, str(span.error.get("message", "error")) if span.error else "")

    def shutdown(self) -> None:
        """End all open spans."""
        for name in list(self._started):
            self._end(name)

    def force_flush(self) -> None:
        """Do nothing: the host's tracer provider is flushed by the host."""

    def _start(self, name: str, title: str, parent: str, attributes: dict[str, str]) -> None:
        around = otel_context.get_current()
        known = self._started.get(parent)
        context = otel_trace.set_span_in_context(known[0], around) if known is not None else around
        span = self._tracer.start_span(title, context=context, attributes=attributes)
        with self._lock:
            if len(self._started) >= _MAX_OPEN:  # of runs that never ended
                self._started.pop(next(iter(self._started)))[0].end()
            self._started[name] = span, around
        otel_context.attach(otel_trace.set_span_in_context(span, context))

    def _end(self, name: str, problem: str = "") -> None:
        with self._lock:
            started = self._started.pop(name, None)
        if started is None:
            return
        span, around = started
        if problem:
            span.set_status(otel_trace.Status(otel_trace.StatusCode.ERROR, problem))
        span.end()
        # A span may end in another context than it began in, where a token is worth nothing.
        otel_context.attach(around)
