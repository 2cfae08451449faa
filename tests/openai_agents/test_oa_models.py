"""Models: each call is decided before it is sent, however the run comes by its model; hosted tools are refused."""

from __future__ import annotations

import copy
from typing import Any
from unittest.mock import patch

import pytest
from agents import (
    Agent,
    CodeInterpreterTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    Model,
    ModelProvider,
    ModelResponse,
    ModelSettings,
    ModelTracing,
    RunConfig,
    Runner,
    ShellTool,
    Usage,
    WebSearchTool,
    function_tool,
)
from agents.exceptions import ModelBehaviorError
from oa_world import LOOK, RAN, agent, look, streamed, told, trusted
from openai.types.responses import (
    ResponseCompletedEvent,
    ResponseFailedEvent,
    ResponseFunctionToolCall,
    ResponseTextDeltaEvent,
)

from halo_core.errors import ConfigError, Denied
from halo_openai_agents.testing import ScriptedModel, call

CARD = "4111 1111 1111 1111"
NO_MODELS = """
@id("t.base") permit (principal, action, resource);
@id("t.no") forbid (principal, action in Action::"inference", resource);
"""
MASKED = """
@id("t.base") permit (principal, action, resource);
@id("t.masked") @effect("restrict") @obligation("redact_output()")
forbid (principal, action in Action::"inference", resource);
"""
HELD = MASKED.replace("redact_output()", "hold_output()")


@pytest.fixture(autouse=True)
def _ran():
    RAN.clear()


class Counting(ScriptedModel):
    """Counts how often it is asked, and with what."""

    def __init__(self, script: Any = (), **more: Any) -> None:
        super().__init__(script, **more)
        self.asked: list[Any] = []

    def say(self, model_input: Any) -> Any:
        self.asked.append(model_input)
        return super().say(model_input)


class Provider(ModelProvider):
    """Knows one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.names: list[str | None] = []
        self.closed = 0

    def get_model(self, model_name: str | None) -> Model:
        self.names.append(model_name)
        return self.model

    async def aclose(self) -> None:
        self.closed += 1


async def ask(model: Model, given: Any, **more: Any) -> Any:
    values = {"model_settings": ModelSettings(), "tools": [], "output_schema": None, "handoffs": [], **more}
    rest = {"previous_response_id": None, "conversation_id": None, "prompt": None}
    return await model.get_response(
        system_instructions=None, input=given, tracing=ModelTracing.DISABLED, **values, **rest
    )


# however a run comes by its model


@pytest.mark.matrix
@pytest.mark.parametrize("way", ["agent", "config", "config-name", "provider", "default"])
@pytest.mark.parametrize("options", [False, True])
@pytest.mark.parametrize("run", [Runner.run, streamed])
async def test_a_denied_model_is_not_asked_whichever_way_it_is_named(make_world, way, options, run):
    world = make_world(policy=NO_MODELS)
    model = Counting(["hello"])
    named = {"agent": model, "provider": "gpt-mine"}.get(way)
    config = {
        "config": RunConfig(model=model),
        "config-name": RunConfig(model="gpt-mine", model_provider=Provider(model)),
        "provider": RunConfig(model_provider=Provider(model)),
        "default": RunConfig(model_provider=Provider(model)),
    }.get(way)
    guarded = world.halo.guard(Agent(name="worker", model=named))
    given = world.halo.run_options(run_config=config) if options else {"run_config": config}
    with pytest.raises(Denied) as denied:
        await run(guarded, "go", **given)
    assert type(denied.value) is Denied  # itself, and not something of the SDK's around it
    assert model.asked == []
    assert world.effects("scripted") == ["deny"]


async def test_the_hosts_configuration_is_not_changed(world, halo):
    model = Counting(["hello"])
    config = RunConfig(model=model, model_provider=Provider(model), workflow_name="mine")
    before = copy.copy(vars(config))
    guarded = halo.guard(agent("worker", ["never"]))
    result = await Runner.run(guarded, "go", **halo.run_options(run_config=config))
    assert result.final_output == "hello"
    assert vars(config) == before
    assert halo.run_options(run_config=config)["run_config"].workflow_name == "mine"


async def test_a_guarded_model_is_of_its_own_class_and_shares_its_state(world, halo):
    model = Counting(["one", "two"])
    guarded = halo.guard(model)
    assert isinstance(guarded, Counting)
    assert type(guarded).__name__ == "Counting"
    assert halo.guard(guarded) is guarded
    assert (await ask(guarded, "hi")).output[0].content[0].text == "one"
    assert len(model.asked) == 1
    assert world.effects("scripted") == ["allow"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("run", [Runner.run, streamed])
@pytest.mark.parametrize("policy", [None, NO_MODELS])
async def test_a_method_that_is_patched_into_a_model_runs_decided_and_once(make_world, when, run, policy):
    """Whoever watches a model puts a function into its object that calls the method of its class."""
    world = make_world(**({"policy": policy} if policy else {}))
    model, seen = Counting(["hello"]), []
    guarded = world.halo.guard(Agent(name="worker", model=model)) if when == "after" else None
    get_response, stream_response = model.get_response, model.stream_response

    async def watched_response(*args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["input"])
        return await get_response(*args, **kwargs)

    async def watched_stream(*args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["input"])
        async for event in stream_response(*args, **kwargs):
            yield event

    with (
        patch.object(model, "get_response", watched_response),
        patch.object(model, "stream_response", watched_stream),
    ):
        guarded = guarded or world.halo.guard(Agent(name="worker", model=model))
        if policy:
            with pytest.raises(Denied):
                await run(guarded, "go")
        else:
            assert (await run(guarded, "go")).final_output == "hello"
    assert (len(seen), len(model.asked)) == ((0, 0) if policy else (1, 1))
    assert world.effects("scripted") == (["deny"] if policy else ["allow"])
    assert "get_response" not in vars(model)


async def test_a_method_of_an_object_stands_before_one_that_is_patched_into_its_class(world, halo, monkeypatch):
    class Renamed(Counting):
        pass

    async def traced(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the object has a method of its own")

    async def own(**kwargs: Any) -> Any:
        return await other.get_response(**kwargs)

    other, model = ScriptedModel(["from the object"]), Renamed()
    monkeypatch.setattr(Renamed, "get_response", traced)
    monkeypatch.setattr(model, "get_response", own)
    assert (await ask(halo.guard(model), "hi")).output[0].content[0].text == "from the object"


async def test_a_method_that_is_patched_into_a_guarded_model_is_taken_out_again(world, halo):
    guarded = halo.guard(Counting(["one"]))
    with patch.object(guarded, "get_response", side_effect=LookupError("down")), pytest.raises(LookupError):
        await ask(guarded, "hi")
    assert (await ask(guarded, "hi")).output[0].content[0].text == "one"
    assert world.effects("scripted") == ["allow", "allow"]


async def test_another_halos_model_is_not_guarded_twice(make_world):
    one, two = make_world(), make_world()
    with pytest.raises(ConfigError) as refused:
        two.halo.guard(one.halo.guard(Counting()))
    assert refused.value.code == "guarded_elsewhere"


async def test_the_list_that_a_model_is_shown_is_the_one_that_was_decided(world, halo, monkeypatch):
    shown = [{"role": "user", "content": "hi"}]
    model = Counting(["one"])
    guarded = halo.guard(model)
    abegin = halo.enforcer.abegin

    async def late(given: Any) -> Any:
        ticket = await abegin(given)
        shown.append({"role": "user", "content": "and more"})
        return ticket

    monkeypatch.setattr(halo.enforcer, "abegin", late)
    await ask(guarded, shown)
    assert len(model.asked[0]) == 1


async def test_who_asked_and_what_was_said_is_in_the_decision(world, halo):
    guarded = halo.guard(agent("worker", [LOOK], [halo.guard(look, resource=trusted())], instructions="be kind"))
    with halo.session("s", request="look at x"):
        await Runner.run(guarded, "look at x")
    first, tool, second = world.decisions()
    assert first.body["request"]["context"]["trigger"]["kind"] == "user"
    assert tool.body["request"]["context"]["turn"] == world.refer_turn("m1")
    assert tool.body["request"]["context"]["call_id"] == world.refer_call("m1-call-0")
    assert second.body["request"]["context"]["trigger"]["kind"] == "message"


# calls that reach nothing


@pytest.mark.parametrize("run", [Runner.run, streamed])
async def test_a_call_that_reaches_nothing_is_recorded_also_where_the_run_ends_with_it(world, halo, run):
    guarded = halo.guard(agent("worker", [call("hm", ("wipe", {"path": "/"}), id="m1")], [halo.guard(look)]))
    with pytest.raises(ModelBehaviorError, match="wipe"):
        await run(guarded, "go")
    assert world.codes("wipe") == ["unknown_tool"]
    result = await run(guarded, "go", **halo.run_options())
    assert "unknown_tool" in told(result)[0]
    assert result.final_output == "done"


async def test_a_call_without_arguments_is_one_with_none(world, halo):
    asked = ResponseFunctionToolCall(type="function_call", name="wipe", call_id="c1", arguments="{}")
    asked = asked.model_copy(update={"arguments": None})  # as some providers leave it out
    made = ModelResponse(output=[asked], usage=Usage(), response_id="m1")

    class Bare(ScriptedModel):
        async def get_response(self, *_args, **_kwargs):
            return made

    with pytest.raises(ModelBehaviorError, match="wipe"):
        await Runner.run(halo.guard(Agent(name="worker", model=Bare([]))), "go")
    assert world.codes("wipe") == ["unknown_tool"]


async def test_a_tool_that_is_not_enabled_is_one_that_is_not_there(world, halo):
    tool = halo.guard(function_tool(look, is_enabled=False), resource=trusted())
    result = await Runner.run(halo.guard(agent("worker", [LOOK], [tool])), "go", **halo.run_options())
    assert "unknown_tool" in told(result)[0]
    assert RAN == []
    assert world.codes("look") == ["unknown_tool"]


async def test_an_answer_in_a_shape_is_no_call_of_a_tool(world, halo):
    from pydantic import BaseModel

    class Answer(BaseModel):
        word: str

    script = [call("", ("json_tool_call", {"word": "yes"}), id="m1"), '{"word": "yes"}']
    guarded = halo.guard(agent("worker", script, output_type=Answer))
    result = await Runner.run(guarded, "go", **halo.run_options())
    assert result.final_output == Answer(word="yes")
    assert world.order() == ["scripted", "scripted"]


# hosted tools


def hosted() -> list[Any]:
    return [
        WebSearchTool(),
        FileSearchTool(vector_store_ids=["v"]),
        CodeInterpreterTool(tool_config={"type": "code_interpreter", "container": {"type": "auto"}}),
        ImageGenerationTool(tool_config={"type": "image_generation"}),
        HostedMCPTool(tool_config={"type": "mcp", "server_label": "s", "server_url": "https://x.invalid"}),
        ShellTool(environment={"type": "container_auto"}),
    ]


@pytest.mark.parametrize("tool", hosted(), ids=lambda tool: type(tool).__name__)
async def test_a_tool_of_the_providers_is_refused_where_it_is_guarded_and_where_a_call_carries_it(world, halo, tool):
    with pytest.raises(ConfigError) as refused:
        halo.guard(tool)
    assert refused.value.code == "hosted_tool"
    assert tool.name in str(refused.value)
    model = Counting(["hello"])
    with pytest.raises(Denied) as denied:
        await Runner.run(halo.guard(Agent(name="worker", model=model, tools=[tool])), "go")
    assert denied.value.reason == "hosted_tool"
    assert model.asked == []


@pytest.mark.parametrize("way", ["extra_args", "extra_body"])
async def test_a_tool_of_the_providers_that_settings_smuggle_in_is_refused(world, halo, way):
    model = Counting(["hello"])
    settings = ModelSettings(**{way: {"tools": [{"type": "web_search"}]}})
    guarded = halo.guard(Agent(name="worker", model=model, model_settings=settings))
    for run_settings in (None, settings):
        with pytest.raises(Denied) as denied:
            await Runner.run(guarded, "go", run_config=RunConfig(model_settings=run_settings))
        assert denied.value.reason == "hosted_tool"
    assert model.asked == []


async def test_a_tool_that_the_sdk_runs_past_every_function_tool_is_refused(world, halo):
    model = Counting(["hello"])
    tool = LocalShellTool(executor=lambda _request: RAN.append("ran"))
    guarded = halo.guard(Agent(name="worker", model=model))
    guarded.tools.append(tool)  # since it was guarded
    with pytest.raises(Denied) as denied:
        await Runner.run(guarded, "go")
    assert denied.value.reason == "needs_guard"
    assert model.asked == RAN == []


# restricted answers


@pytest.mark.parametrize("run", [Runner.run, streamed])
async def test_what_is_masked_reaches_neither_the_reader_nor_the_history(make_world, run):
    world = make_world(policy=MASKED)
    guarded = world.halo.guard(agent("worker", [f"your card is {CARD}"]))
    result = await run(guarded, "go")
    assert CARD not in str(result.to_input_list())
    assert result.final_output.startswith("your card is ")
    assert CARD not in result.final_output


@pytest.mark.parametrize("run", [Runner.run, streamed])
async def test_what_is_held_back_asks_for_nothing(make_world, run):
    world = make_world(policy=HELD)
    guarded = world.halo.guard(agent("worker", [LOOK], [world.halo.guard(look, resource=trusted())]))
    result = await run(guarded, "go")
    assert RAN == []
    assert "withheld" in result.final_output


async def test_a_masked_answer_keeps_the_calls_that_are_decided_when_they_are_made(make_world):
    world = make_world(policy=MASKED)
    script = [call("look", ("look", {"q": CARD}), ("gone", {"q": CARD}), id="m1")]
    guarded = world.halo.guard(agent("worker", script, [world.halo.guard(look, resource=trusted())]))
    result = await Runner.run(guarded, "go", **world.halo.run_options())
    assert RAN == [CARD]
    calls = [item for item in result.to_input_list() if item.get("type") == "function_call"]
    assert [CARD in item["arguments"] for item in calls] == [True, False]


async def test_a_held_stream_says_everything_that_a_reader_waits_for(make_world):
    world = make_world(policy=MASKED)
    kinds: dict[bool, list[str]] = {}
    for guard in (False, True):
        plain = agent("worker", [call("a b", ("look", {"q": "x"}), id="m1")], [look_of(world, guard=guard)])
        result = Runner.run_streamed(world.halo.guard(plain) if guard else plain, "go")
        kinds[guard] = [
            event.data.type if event.type == "raw_response_event" else event.type
            async for event in result.stream_events()
        ]
    assert kinds[True] == kinds[False]


def look_of(world: Any, *, guard: bool) -> Any:
    return world.halo.guard(look, resource=trusted()) if guard else function_tool(look)


async def test_a_stream_that_fails_while_it_is_held_gives_nothing_of_what_it_had_said(make_world):
    world = make_world(policy=MASKED)

    class Fails(ScriptedModel):
        async def stream_response(self, *args: Any, **kwargs: Any) -> Any:
            async for event in super().stream_response(*args, **kwargs):
                if isinstance(event, ResponseCompletedEvent):
                    failed = event.response.model_copy(update={"status": "failed"})
                    yield ResponseFailedEvent(type="response.failed", response=failed, sequence_number=99)
                    return
                yield event

    said: list[Any] = []
    result = Runner.run_streamed(world.halo.guard(Agent(name="worker", model=Fails([f"card {CARD}"]))), "go")

    async def read() -> None:
        async for event in result.stream_events():
            said.append(event)  # noqa: PERF401  what came before it failed, too

    with pytest.raises(ModelBehaviorError):
        await read()
    assert CARD not in str(said)
    assert not any(isinstance(getattr(item, "data", None), ResponseTextDeltaEvent) for item in said)


async def test_a_model_that_fails_is_recorded_and_raises_its_own(world, halo):
    class Breaks(ScriptedModel):
        async def get_response(self, *args: Any, **kwargs: Any) -> Any:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        await Runner.run(halo.guard(Agent(name="worker", model=Breaks([]))), "go")
    assert world.outcomes() == ["error"]


async def test_a_stream_that_nobody_reads_to_its_end_is_recorded(world, halo):
    guarded = halo.guard(ScriptedModel(["one two three"]))
    stream = guarded.stream_response(
        None,
        "hi",
        ModelSettings(),
        [],
        None,
        [],
        ModelTracing.DISABLED,
        previous_response_id=None,
        conversation_id=None,
        prompt=None,
    )
    await anext(stream)
    await stream.aclose()
    assert world.outcomes() == ["cancelled"]


async def test_a_providers_end_is_the_runs_where_the_run_made_it(world, halo, monkeypatch):
    closed: list[Any] = []
    from agents.models.multi_provider import MultiProvider

    async def aclose(self: Any) -> None:
        closed.append(self)

    monkeypatch.setattr(MultiProvider, "aclose", aclose)
    mine = Provider(Counting(["hello"]))
    guarded = halo.guard(agent("worker", ["hello"]))
    await Runner.run(guarded, "go")
    await streamed(guarded, "go")
    assert len(closed) == 2
    await Runner.run(halo.guard(Agent(name="worker")), "go", run_config=RunConfig(model_provider=mine))
    assert mine.closed == 0


@pytest.mark.parametrize("run", [Runner.run, streamed])
async def test_a_configuration_of_another_halo_takes_no_model_out_of_sight(make_world, run):
    theirs, ours = make_world(), make_world()
    options = theirs.halo.run_options(run_config=RunConfig(model_provider=Provider(Counting(["hello"]))))
    await run(ours.halo.guard(Agent(name="worker", model="by-name")), "go", **options)
    assert (ours.order(), theirs.order()) == (["scripted"], [])


async def test_what_a_guarded_model_opens_its_original_closes(halo):
    class Connected(ScriptedModel):
        connection = ""

        async def get_response(self, *args, **kwargs):
            self.connection = "open"
            return await super().get_response(*args, **kwargs)

        async def close(self):
            self.connection = ""

    model = Connected([])
    before = dict(vars(model))
    guarded = halo.guard(model)
    assert vars(model) == before
    await Runner.run(halo.guard(Agent(name="worker", model=guarded)), "go")
    assert model.connection == "open"
    await model.close()  # as a provider does with the models that it made
    assert guarded.connection == ""
