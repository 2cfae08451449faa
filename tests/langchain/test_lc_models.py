"""What a model call carries, and what can be carried out on it; defaults that a callback decides."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from halo_core.errors import Denied, Pending
from halo_core.model import Impact
from halo_langchain import Resource
from halo_langchain._model_calls import name_tools
from halo_langchain._translate import bound_tools, hosted_names, list_tool_names
from halo_langchain.testing import ScriptedModel

pytestmark = pytest.mark.share(1)  # a case costs next to nothing

READ = Resource(impact=Impact.READ, source_trust=900, idempotent=True)

NARROWED = """
@id("p") permit(principal, action, resource);
@id("c") @effect("restrict") @obligation("{}") forbid(principal, action in Action::"inference", resource);
"""


@pytest.mark.parametrize("obligation", ["clamp(messages, 1)", "drop_documents(900)"])
def test_a_model_call_cannot_be_narrowed_and_is_denied(make_world, obligation):
    world = make_world(policy=NARROWED.format(obligation))
    built = create_agent(ScriptedModel(script=[]), [], middleware=[world.halo.middleware()])
    with pytest.raises(Denied) as denied:
        built.invoke({"messages": [("user", "a"), ("user", "b")]})
    assert denied.value.reason == "needs_guard"


def test_a_model_call_can_be_paused(make_world):
    asked = '@id("c") @effect("challenge") @reason("large_amount") forbid(principal, action, resource);'
    world = make_world(policy='@id("p") permit(principal, action, resource);' + asked)
    with pytest.raises(Pending):
        create_agent(ScriptedModel(script=[]), [], middleware=[world.halo.middleware()]).invoke({"messages": []})


class Bare(BaseModel):
    x: int


@pytest.mark.parametrize(
    ("given", "hosted"),
    [
        ({"google_search": {}}, ["google_search"]),
        ({"code_execution": {}}, ["code_execution"]),
        ({"type": "web_search"}, ["web_search"]),
        ({"type": "web_search_20250305", "name": "search"}, ["search"]),
        ({"function_declarations": [], "google_search": {}}, ["function_declarations"]),
        ({}, ["dict"]),
        (object(), ["object"]),
        ({"function_declarations": [{"name": "f"}], "google_search": None}, []),
        ({"toolSpec": {"name": "f"}}, []),
        ({"name": "f", "input_schema": {}}, []),
        ({"type": "function", "function": {"name": "f"}}, []),
        ({"title": "f", "properties": {}}, []),
        ({"title": "f", "type": "object", "properties": {}}, []),
        ({"type": "object", "properties": {}}, ["object"]),
        ({"title": "f", "type": "web_search", "properties": {}}, ["f"]),
        (Bare, []),
        (hosted_names, []),
    ],
)
def test_which_tools_the_provider_runs(given, hosted):
    assert hosted_names([given]) == hosted


@tool
def look(query: str) -> str:
    """Look something up."""
    return query


def test_one_dict_may_declare_several_functions():
    offered = [
        look,
        hosted_names,
        {"type": "function", "function": {"name": "pay"}},
        {"functionDeclarations": [{"name": "send"}, {"name": "read"}]},
        {"toolSpec": {"name": "sort"}},
    ]
    names, function_names = name_tools(offered)
    assert names == list_tool_names(offered) == ["look", "hosted_names", "pay", "functionDeclarations", "toolSpec"]
    assert function_names == ["look", "hosted_names", "pay", "send", "read", "sort"]


class Settings(AgentMiddleware):
    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return handler(request.override(model_settings={"tools": [{"type": "web_search"}]}))


class Bindable(FakeListChatModel):
    model_kwargs: dict[str, Any] = Field(default_factory=dict)


def test_tools_that_ride_along_are_found(world):
    ours = world.halo.middleware()
    bound = ScriptedModel(script=[]).bind(tools=[{"type": "web_search"}])
    for built in (
        create_agent(bound, [], middleware=[ours]),
        create_agent(bound.with_config(tags=["x"]), [], middleware=[ours]),
        create_agent(ScriptedModel(script=[]), [], middleware=[Settings(), ours]),
        create_agent(ScriptedModel(script=[]), [{"google_search": {}}], middleware=[ours]),
    ):
        with pytest.raises(Denied) as denied:
            built.invoke({"messages": [("user", "a")]})
        assert denied.value.reason == "hosted_tool"
    inside = Bindable(responses=["x"], model_kwargs={"tools": {"google_search": {}}})
    assert bound_tools(inside) == [{"google_search": {}}]


BIG = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action, resource) when { context.args has amount && context.args.amount > 1000 };
"""


def test_the_callback_decides_defaults_too(make_world):
    world = make_world(policy=BIG)
    ran: list[Any] = []

    @tool
    def send(to: str, amount: int = 5000) -> str:
        """Send."""
        ran.append(amount)
        return "ok"

    world.halo.guard(send, resource=READ)
    with pytest.raises(Denied):
        send.invoke({"to": "x"}, {"callbacks": [world.halo.callback()]})
    assert ran == []
    send.invoke({"to": "x", "amount": 5}, {"callbacks": [world.halo.callback()]})
    assert ran == [5]


def test_a_scripted_model_says_texts_too():
    assert [ScriptedModel(script=["hi"]).invoke("q").content for _ in range(2)] == ["hi", "hi"]
