"""Observers of decisions: spans and entries found from each other, bounded metrics, and no power over a decision."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.telemetry import ActionObserver, DecisionEvent, OutcomeEvent, queue
from halo_core.telemetry.otel import OpenTelemetryObserver
from halo_core.telemetry.prometheus import OTHER, PrometheusObserver
from halo_world import SURFACE, Calls, found, policy_folder, tool


@pytest.fixture
def halo(tmp_path):
    home = tmp_path / "home"
    with HaloBase.local(
        "clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True, user="ana@bank.example"
    ) as opened:
        yield opened


def act(halo, name="lookup", args=None, body=None):
    calls = Calls() if body is None else body
    with contextlib.suppress(Denied), halo.session(f"s-{name}"):
        halo.enforcer.run(halo.build_call(tool(halo, name), args or {"q": "card of ana@bank.example"}), calls, SURFACE)
    return calls


class Recorder(ActionObserver):
    def __init__(self):
        self.events = []

    def observe_decision(self, event, captured):
        self.events.append(event)

    def observe_outcome(self, event, captured):
        self.events.append(event)


def flushed(halo):
    assert halo.enforcer.observers.flush(10)


def test_an_observer_is_told_of_each_decision_and_outcome(halo):
    recorder = Recorder()
    halo.add_observer(recorder)
    act(halo)
    act(halo, "wipe", {"path": "/"})
    act(halo, "pay", {"amount": 500, "to": "x"})
    flushed(halo)
    decisions = [item for item in recorder.events if isinstance(item, DecisionEvent)]
    outcomes = [item for item in recorder.events if isinstance(item, OutcomeEvent)]
    entries = found(halo.home, EntryKind.DECISION)
    assert [item.decision_id for item in decisions] == [item.entry.id for item in entries]
    assert [(item.effect, item.runs, item.reasons[0]) for item in decisions] == [
        ("allow", True, "granted"),
        ("deny", False, "grave_impact"),
        ("challenge", False, "large_amount"),
    ]
    assert [bool(item.pending_id) for item in decisions] == [False, False, True]
    assert [(item.decision_id, item.status) for item in outcomes] == [(decisions[0].decision_id, "success")]
    assert not any("ana" in str(item) for item in recorder.events)


def test_a_span_leads_to_its_entry_and_the_entry_to_its_trace(halo):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    halo.add_observer(OpenTelemetryObserver(provider))
    with provider.get_tracer("app").start_as_current_span("request") as around:
        act(halo)
        act(halo, "wipe", {"path": "/"})
        flushed(halo)
    act(halo)
    flushed(halo)
    spans = {
        span.attributes["halo.decision_id"]: span for span in exporter.get_finished_spans() if span.name != "request"
    }
    entries = found(halo.home, EntryKind.DECISION)
    assert spans.keys() == {item.entry.id for item in entries}
    trace_id = f"{around.get_span_context().trace_id:032x}"
    for item, effect in zip(entries[:2], ("allow", "deny"), strict=True):
        span = spans[item.entry.id]
        assert item.entry.body["request"]["context"]["trace_id"] == trace_id
        assert f"{span.context.trace_id:032x}" == trace_id
        assert span.parent.span_id == around.get_span_context().span_id
        assert span.attributes["halo.effect"] == effect
        assert span.start_time <= span.end_time
    assert entries[2].entry.body["request"]["context"]["trace_id"] == ""
    (request,) = [span for span in exporter.get_finished_spans() if span.name == "request"]
    assert [event.name for event in request.events] == ["halo.decision", "halo.outcome", "halo.decision"]


def test_metrics_are_scraped_and_their_labels_are_bounded(halo):
    observer = PrometheusObserver(max_names=2)
    halo.add_observer(observer)
    for name in ("lookup", "watched", "note", "note"):
        act(halo, name, {"q": "x"})
    act(halo, "wipe", {"path": "/"})
    flushed(halo)
    families = {item.name: item for item in text_string_to_metric_families(generate_latest(observer.registry).decode())}
    counts = {}
    for sample in families["halo_decisions"].samples:
        if sample.name == "halo_decisions_total":
            counts[sample.labels["resource"], sample.labels["effect"]] = sample.value
    assert counts == {
        ("lookup", "allow"): 1,
        ("watched", "monitor"): 1,
        (OTHER, "allow"): 2,
        (OTHER, "deny"): 1,
    }
    seconds = {item.name: item.value for item in families["halo_decision_seconds"].samples if not item.labels.get("le")}
    assert seconds["halo_decision_seconds_count"] == 5


class Blocking(SpanExporter):
    """Exports nothing, for ever."""

    def __init__(self):
        self.entered, self.let_go = threading.Event(), threading.Event()

    def export(self, spans):
        self.entered.set()
        self.let_go.wait()
        return SpanExportResult.SUCCESS


def test_an_exporter_that_blocks_delays_no_decision(halo, monkeypatch):
    monkeypatch.setattr(queue, "_MAX_WAITING", 5)
    exporter = Blocking()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    halo.add_observer(OpenTelemetryObserver(provider))
    act(halo)
    assert exporter.entered.wait(10)
    for _ in range(10):
        assert len(act(halo)) == 1
    assert len(found(halo.home, EntryKind.DECISION)) == 11
    assert halo.enforcer.observers.dropped > 0
    assert not halo.enforcer.observers.flush(0.05)
    exporter.let_go.set()
    flushed(halo)


class Failing(ActionObserver):
    def __init__(self, where):
        self.where = where

    def capture(self):
        return self.fail("capture")

    def observe_decision(self, event, captured):
        self.fail("decision")

    def observe_outcome(self, event, captured):
        self.fail("outcome")

    def fail(self, place):
        if place == self.where:
            raise RuntimeError(place)


@pytest.mark.parametrize("where", ["capture", "decision", "outcome"])
def test_an_observer_that_fails_costs_no_decision_and_no_other_observer(halo, where, capsys):
    recorder = Recorder()
    halo.add_observer(Failing(where))
    halo.add_observer(recorder)
    for _ in range(3):
        assert len(act(halo)) == 1
    flushed(halo)
    assert len(recorder.events) == 6
    assert halo.enforcer.observers.dropped == (6 if where == "capture" else 3)
    assert capsys.readouterr().err.count("the observer Failing failed") == 1


def test_what_cannot_be_decided_is_told_too(halo):
    recorder = Recorder()
    halo.add_observer(recorder)
    halo.store.close()
    with pytest.raises(Denied):
        halo.enforcer.run(halo.build_call(tool_of_closed(halo), {"q": "x"}), Calls(), SURFACE)
    flushed(halo)
    (event,) = recorder.events
    assert (event.effect, event.decision_id, event.runs) == ("deny", "", False)
    assert event.reasons == ("ledger_closed",)


def tool_of_closed(halo):
    from halo_core.model import ActionKind, Impact, Resource

    return Resource("lookup", ActionKind.TOOL_CALL, Impact.READ)


def _count_in_child(observers, results):
    recorder = observers._observers[0]
    recorder.events.clear()
    observers.put(OutcomeEvent("x-1", "clerk", "tool_call", "lookup", "success", 1))
    results.put((observers.flush(10), len(recorder.events)))


def test_a_forked_child_has_a_thread_of_its_own():
    observers = queue.ObserverQueue()
    recorder = Recorder()
    observers.add(recorder)
    observers.put(OutcomeEvent("x-0", "clerk", "tool_call", "lookup", "success", 1))
    assert observers.flush(10)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=_count_in_child, args=(observers, results))
    child.start()
    assert results.get(timeout=20) == (True, 1)
    child.join()


class Quitter(ActionObserver):
    def observe_decision(self, event, captured):
        raise SystemExit(3)


class QuittingCapture(ActionObserver):
    def capture(self):
        raise SystemExit(3)


def test_an_observer_that_quits_ends_neither_the_thread_nor_the_application(halo):
    recorder = Recorder()
    for observer in (QuittingCapture(), Quitter(), recorder):
        halo.add_observer(observer)
    for _ in range(2):
        assert act(halo)
        flushed(halo)
    assert len(recorder.events) == 4  # decisions and outcomes
    assert halo.enforcer.observers.dropped == 4 + 2


def test_an_interrupt_of_the_user_is_not_an_observers_failure(halo):
    class Interrupted(ActionObserver):
        def capture(self):
            raise KeyboardInterrupt

    halo.add_observer(Interrupted())
    with pytest.raises(KeyboardInterrupt):
        act(halo)


def test_events_that_wait_are_said_before_any_is_lost(halo, monkeypatch, capsys):
    monkeypatch.setattr(queue, "_MAX_WAITING", 4)
    goes_on = threading.Event()

    class Hung(ActionObserver):
        def observe_decision(self, event, captured):
            goes_on.wait(60)

    halo.add_observer(Hung())
    for _ in range(4):
        act(halo)
    goes_on.set()
    flushed(halo)
    assert capsys.readouterr().err.count("events wait for observers") == 1
