"""Traces: what a policy takes away does not go out by the SDK's tracing either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from agents import Agent, ModelTracing, Runner, TracingProcessor, set_trace_processors, set_tracing_disabled
from agents.tracing import generation_span
from oa_world import RAN, look, trusted

from halo_core.doctor import FindingStatus
from halo_openai_agents import doctor
from halo_openai_agents.testing import ScriptedModel, call

CARD = "4111 1111 1111 1111"
POLICY = """
@id("t.base") permit (principal, action, resource);
@id("t.args") @effect("restrict") @obligation("redact(q)")
forbid (principal, action == Action::"look", resource);
@id("t.results") @effect("restrict") @obligation("redact_output()")
forbid (principal, action, resource) when { resource.labels.contains("masked") };
@id("t.answers") @effect("restrict") @obligation("redact_output()")
forbid (principal, action in Action::"inference", resource);
"""


class Keeps(TracingProcessor):
    """Keeps every span as it would be sent."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []

    def on_trace_start(self, trace: Any) -> None: ...

    def on_trace_end(self, trace: Any) -> None: ...

    def on_span_start(self, span: Any) -> None: ...

    def on_span_end(self, span: Any) -> None:
        self.spans.append(span.span_data.export())

    def shutdown(self) -> None: ...

    def force_flush(self) -> None: ...


class Traced(ScriptedModel):
    """Traces itself, as the SDK's own models do."""

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        tracing: ModelTracing = kwargs["tracing"]
        with generation_span(model=self.model) as span:
            answer = await super().get_response(*args, **kwargs)
            if tracing.include_data():
                span.span_data.output = [item.model_dump() for item in answer.output]
        return answer


@pytest.fixture
def kept() -> Iterator[Keeps]:
    keeps = Keeps()
    set_tracing_disabled(False)
    set_trace_processors([keeps])
    yield keeps
    set_trace_processors([])
    set_tracing_disabled(True)


async def test_a_trace_shows_neither_masked_arguments_nor_masked_results_nor_masked_answers(make_world, kept):
    RAN.clear()
    world = make_world(policy=POLICY)
    script = [call(f"card {CARD}", ("look", {"q": CARD}), id="m1"), f"again {CARD}"]
    tool = world.halo.guard(look, resource=trusted("masked"))
    guarded = world.halo.guard(Agent(name="worker", model=Traced(script), tools=[tool]))
    result = await Runner.run(guarded, "go")
    assert CARD not in result.final_output
    kinds = [span["type"] for span in kept.spans]
    assert kinds.count("generation") == 2
    assert "function" in kinds
    assert CARD not in str(kept.spans)
    assert CARD not in str(RAN)


async def test_a_trace_of_what_nothing_restricts_is_as_it_was(make_world, kept):
    world = make_world()
    guarded = world.halo.guard(Agent(name="worker", model=Traced(["hello"])))
    await Runner.run(guarded, "go")
    assert "hello" in str(kept.spans)


def test_doctor_says_where_traces_go(halo, kept):
    noted = [item for item in doctor(halo.guard(Agent(name="worker"))) if item.name == "traces"]
    assert [item.status for item in noted] == [FindingStatus.NOTED]
    set_tracing_disabled(True)
    assert not [item for item in doctor(halo.guard(Agent(name="worker"))) if item.name == "traces"]
