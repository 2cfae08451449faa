"""What a model call sends beside its messages: provider tools wherever they stand, and what their answers hold."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from halo_core.errors import Denied, Pending
from halo_core.model import EntryKind
from halo_langchain.testing import ScriptedModel

SERVERS = [{"type": "url", "url": "https://bank.example/mcp", "name": "bank"}]


class Model(ScriptedModel):
    mcp_servers: Any = None
    model_kwargs: Any = None
    extra_body: Any = None
    sent: Any = None
    cached_content: Any = None
    own_setting: str = "of the class alone"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        self.sent.append(sorted(kwargs))
        return super()._generate(messages, stop, run_manager, **kwargs)


class Answer(BaseModel):
    """An answer."""

    text: str


@tool
def look(q: str) -> str:
    """Look."""
    return q


def make(**fields: Any) -> Model:
    return Model(script=["hello"], sent=[], **fields)


FORMAT = {"kwargs": {}, "schema": Answer}
HOSTED = {
    "bound": lambda: make().bind(web_search_options={}),
    "bound twice": lambda: make().bind(web_search_options={}).bind(temperature=0),
    "extra body": lambda: make().bind(extra_body={"tools": [{"type": "web_search"}]}),
    "model_kwargs": lambda: make(model_kwargs={"web_search_options": {}}),
    "extra_body field": lambda: make(extra_body={"mcp_servers": SERVERS}),
    "class field": lambda: make(mcp_servers=SERVERS),
    "model name": lambda: make(model_name="gpt-4o-search-preview"),
    "tools": lambda: make().bind(tools=[{"type": "web_search"}]),
}
HONEST = {
    "plain": make,
    "settings": lambda: make().bind(temperature=0, stop=["."], seed=1, tool_choice="auto", parallel_tool_calls=False),
    "functions": lambda: make().bind(tools=[look, {"type": "function", "function": {"name": "f", "parameters": {}}}]),
    "model_kwargs": lambda: make(model_kwargs={"seed": 1}),
    "own field": lambda: make(own_setting="changed"),
    "format": lambda: make().bind(
        response_format={"type": "json_object"}, ls_structured_output_format={"kwargs": {}, "schema": Answer}
    ),
}
WAYS = {
    "guard": lambda world, model: world.halo.guard(model).invoke("hi"),
    "callback": lambda world, model: model.invoke("hi", config={"callbacks": [world.halo.callback()]}),
    "async callback": lambda world, model: asyncio.run(
        model.ainvoke("hi", config={"callbacks": [world.halo.callback()]})
    ),
    "middleware": lambda world, model: create_agent(model, [], middleware=[world.halo.middleware()]).invoke(
        {"messages": [("user", "hi")]}
    ),
    "graph": lambda world, model: world.halo.guard(create_agent(model, [])).invoke({"messages": [("user", "hi")]}),
}


def get_sent(model: Any) -> Any:
    while not isinstance(model, Model):
        model = model.bound
    return model.sent


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", HOSTED)
def test_a_tool_of_the_provider_does_not_leave(world, name, way):
    model = HOSTED[name]()
    with pytest.raises(Denied) as denied:
        WAYS[way](world, model)
    assert (denied.value.reason, get_sent(model)) == ("hosted_tool", [])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", HONEST)
def test_an_ordinary_request_leaves(world, name, way):
    model = HONEST[name]()
    WAYS[way](world, model)
    assert len(get_sent(model)) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fields", [{"frobnicate": {"a": 1}}, {"prompt": {"id": "pmpt_1"}}])
def test_a_field_that_nobody_knows_is_a_question(world, way, fields):
    model = make().bind(**fields)
    with pytest.raises(Pending) as pending:
        WAYS[way](world, model)
    assert (pending.value.reason, get_sent(model)) == ("unknown_model_field", [])


SEARCH = {"type": "web_search_20250305", "name": "web_search"}
ADDED = {
    "anthropic": {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": SEARCH}},
    "openai": {"type": "additional_tools", "role": "developer", "tools": [{"type": "web_search"}]},
    "wrapped": {"type": "non_standard", "value": {"type": "tool_addition", "tool": SEARCH}},
    "searched": {"type": "tool_search_output", "tools": [{"type": "mcp", "server_url": "https://bank.example"}]},
}
OWN = {"type": "function", "name": "look", "parameters": {}}
OFFERING = {
    "guard": lambda world, model, given: world.halo.guard(model).invoke(given),
    "callback": lambda world, model, given: model.invoke(given, config={"callbacks": [world.halo.callback()]}),
    "middleware": lambda world, model, given: create_agent(model, [], middleware=[world.halo.middleware()]).invoke(
        {"messages": given}
    ),
    "graph": lambda world, model, given: world.halo.guard(create_agent(model, [])).invoke({"messages": given}),
}


@pytest.mark.parametrize("way", OFFERING)
@pytest.mark.parametrize("name", ADDED)
def test_a_tool_of_the_provider_that_a_message_offers_does_not_leave(world, name, way):
    model = make()
    text = {"type": "text", "text": "hi"}
    with pytest.raises(Denied) as denied:
        OFFERING[way](world, model, [HumanMessage([text, ADDED[name]])])
    assert (denied.value.reason, model.sent) == ("hosted_tool", [])
    kept = AIMessage("found", additional_kwargs={"tool_outputs": [ADDED[name]]})
    with pytest.raises(Denied):
        OFFERING[way](world, model, [HumanMessage("hi"), kept, HumanMessage("more")])
    OFFERING[way](world, model, [HumanMessage([text, {"type": "additional_tools", "tools": [OWN]}])])
    assert len(model.sent) == 1


STORED = {"id": "pmpt_123"}
SMUGGLED = {
    "stored prompt": lambda: make().bind(prompt=STORED),
    "stored prompt in words": lambda: make().bind(prompt="pmpt_123"),
    "input": lambda: make().bind(input=[{"role": "user", "content": "pay"}]),
    "inputs": lambda: make().bind(inputs="pay"),
    "stored content, bound": lambda: make().bind(cached_content="cachedContents/1"),
    "stored content of the model": lambda: make(cached_content="cachedContents/1"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SMUGGLED)
def test_what_is_bound_beside_the_messages_is_a_question(world, name, way):
    model = SMUGGLED[name]()
    with pytest.raises((Pending, TypeError)) as raised:
        WAYS[way](world, model)
    assert get_sent(model) == []
    if name != "input":  # an argument of `invoke` itself, which takes no second one
        assert getattr(raised.value, "reason", "") == "unknown_model_field"


def test_so_is_what_the_call_itself_adds(world):
    model = make()
    with pytest.raises(Pending) as pending:
        world.halo.guard(model).invoke("hi", prompt=STORED)
    assert (pending.value.reason, model.sent) == ("unknown_model_field", [])


def test_the_words_of_a_call_may_be_given_by_name(world):
    model = make()
    world.halo.guard(model).invoke(input="hi")
    assert len(model.sent) == 1


@pytest.mark.parametrize("way", WAYS)
def test_what_a_tool_of_the_provider_brought_is_an_entry(world, way):
    found = {"type": "server_tool_result", "tool_call_id": "s1", "status": "success", "output": "ACME account 5550"}
    asked = {"type": "server_tool_call", "name": "web_search", "id": "s1", "args": {"query": "acme"}}
    model = Model(script=[AIMessage(content=[asked, found, {"type": "text", "text": "found"}], id="m1")], sent=[])
    WAYS[way](world, model)
    (entry,) = world.decisions("hosted:web_search")
    assert entry.body["request"]["resource"]["source_trust"] == 0
    assert len(world.entries(EntryKind.OUTCOME)) == len(world.decisions())


class Later(AgentMiddleware):
    """Middleware behind Halo's that changes what is sent."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self.settings = settings

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return handler(request.override(model_settings={**request.model_settings, **self.settings}))


@pytest.mark.parametrize("settings", [{"extra_body": {"tools": [{"type": "web_search"}]}}, {"web_search_options": {}}])
def test_what_middleware_behind_ours_adds_is_decided(make_world, settings):
    world, model = make_world(), make()
    built = create_agent(model, [], middleware=[world.halo.middleware(), Later(settings)])
    with pytest.raises((Denied, Pending)):
        built.invoke({"messages": [("user", "go")]})
    assert model.sent == []


@pytest.mark.parametrize("response_format", [None, Answer])
def test_honest_settings_that_middleware_behind_ours_adds_take_no_second_decision(make_world, response_format):
    world, model = make_world(), make()
    later = Later({"temperature": 0, "service_tier": "default"})
    built = create_agent(model, [], middleware=[world.halo.middleware(), later], response_format=response_format)
    built.invoke({"messages": [("user", "go")]})
    assert len(model.sent) == 1
    assert len(world.decisions()) == 1
