"""The SDK's traces as OpenTelemetry spans, with Halo's decisions below the spans that they decide."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from agents import Agent, Runner, set_trace_processors, set_tracing_disabled
from oa_world import LOOK, agent, look, streamed, trusted
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from halo_core.model import EntryKind
from halo_core.telemetry.otel import OpenTelemetryObserver
from halo_openai_agents.tracing import OpenTelemetryProcessor
from halo_world import found


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_tracing_disabled(False)
    set_trace_processors([OpenTelemetryProcessor(provider)])
    exporter.provider = provider  # type: ignore[attr-defined]
    yield exporter
    set_trace_processors([])
    set_tracing_disabled(True)


@pytest.mark.parametrize("way", ["run", "streamed"])
def test_decisions_stand_below_the_spans_of_the_sdk(halo: Any, exporter: Any, way: str) -> None:
    halo.add_observer(OpenTelemetryObserver(exporter.provider))
    desk: Agent[Any] = halo.guard(agent("desk", [LOOK, "done"], [halo.guard(look, resource=trusted())]))
    run = Runner.run if way == "run" else streamed
    asyncio.run(run(desk, "Look at x", **halo.run_options()))
    assert halo.enforcer.observers.flush(10)
    spans = {span.context.span_id: span for span in exporter.get_finished_spans()}
    names = {span.name for span in spans.values()}
    assert {"agents.agent desk", "agents.function look", "halo.decide look"} <= names
    assert len({span.context.trace_id for span in spans.values()}) == 1
    (decided,) = [span for span in spans.values() if span.name == "halo.decide look"]
    assert spans[decided.parent.span_id].name == "agents.function look"
    entries = {item.entry.id: item.entry for item in found(halo.home, EntryKind.DECISION)}
    entry = entries[decided.attributes["halo.decision_id"]]
    assert entry.body["request"]["context"]["trace_id"] == f"{decided.context.trace_id:032x}"
    assert all(span.end_time is not None for span in spans.values())


def test_the_trace_of_the_sdk_alone_stands_in_the_entry(halo: Any) -> None:
    seen = []

    class Keeps(OpenTelemetryProcessor):
        def on_trace_start(self, trace: Any) -> None:
            seen.append(trace.trace_id)

        def on_span_start(self, span: Any) -> None: ...

    set_tracing_disabled(False)
    set_trace_processors([Keeps()])
    try:
        desk: Agent[Any] = halo.guard(agent("desk", [LOOK, "done"], [halo.guard(look, resource=trusted())]))
        asyncio.run(Runner.run(desk, "Look at x", **halo.run_options()))
    finally:
        set_trace_processors([])
        set_tracing_disabled(True)
    ids = {item.entry.body["request"]["context"]["trace_id"] for item in found(halo.home, EntryKind.DECISION)}
    assert ids == {name.removeprefix("trace_") for name in seen}


def test_without_tracing_entries_name_no_trace(halo: Any) -> None:
    desk: Agent[Any] = halo.guard(agent("desk", [LOOK, "done"], [halo.guard(look, resource=trusted())]))
    asyncio.run(Runner.run(desk, "Look at x", **halo.run_options()))
    ids = {item.entry.body["request"]["context"]["trace_id"] for item in found(halo.home, EntryKind.DECISION)}
    assert ids == {""}
