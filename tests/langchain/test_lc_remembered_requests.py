"""What was read of a model is read again once anything has changed that it was read from."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel, PrivateAttr

from halo_core.errors import Denied
from halo_langchain import _model_fields
from halo_langchain._model_fields import ModelRequest, judge_model_request, read_model_request
from halo_langchain._translate import bound_tools
from halo_langchain.testing import ScriptedModel

pytestmark = pytest.mark.share(1)  # a case costs next to nothing

SERVER = {"type": "url", "url": "https://bank.example/mcp", "name": "bank"}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


class Kwargs(ScriptedModel):
    """A model with fields as providers have them."""

    temperature: Any = None
    model_kwargs: Any = None
    extra_body: Any = None
    mcp_servers: Any = None


class Other(Kwargs):
    """The same fields under another name."""


class Holder(BaseModel):
    """An object that holds fields of a request."""

    tools: list[Any] = []


class Listed(Enum):
    """A member whose value is a list."""

    TOOLS = (SEARCH,)


class Naming(ScriptedModel):
    """Tells its name by code of its own."""

    _now: str = PrivateAttr("first")

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_model_name": self._now, "ls_provider": "own"}


class Dynamic(ScriptedModel):
    """Has a property in place of a field."""

    _now: str = PrivateAttr("first")

    @property
    def model(self) -> str:
        return self._now


class Forwarding(ScriptedModel):
    """Answers for attributes by code of its own."""

    def __getattribute__(self, name: str) -> Any:
        return "forwarded" if name == "model_id" else super().__getattribute__(name)


def read(model: Any, settings: Any) -> ModelRequest:
    """As the middleware reads it."""
    return read_model_request(model, settings, bound_tools(model, settings))


def read_anew(model: Any, settings: Any) -> ModelRequest:
    _model_fields._REQUESTS.clear()
    return read(model, settings)


def make_kwargs() -> Kwargs:
    return Kwargs(
        script=[], model_kwargs={"top_p": 1, "deep": {"a": [1]}}, extra_body={"top_k": 1, "more": {}}, mcp_servers=[]
    )


def put(holder: Any, name: str, value: Any) -> None:
    object.__setattr__(holder, name, value)


CHANGES: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "a field of model_kwargs": lambda m, s: m.model_kwargs.update(web_search_options={}),
    "one in place of another": lambda m, s: m.model_kwargs.update(top_p=True),
    "a nested one": lambda m, s: m.model_kwargs["deep"]["a"].append({"type": "web_search"}),
    "a body": lambda m, s: m.extra_body.update(plugins=[{"id": "web"}]),
    "a nested body": lambda m, s: m.extra_body["more"].update(mcp_servers=[SERVER]),
    "a server": lambda m, s: m.mcp_servers.append(SERVER),
    "a field": lambda m, s: put(m, "mcp_servers", [SERVER]),
    "a name": lambda m, s: put(m, "model_name", "other"),
    "a model": lambda m, s: m.model_kwargs.update(model="other-online"),
    "a parameter": lambda m, s: put(m, "temperature", 0.5),
    "a class": lambda m, s: put(m, "__class__", Other),
    "a setting": lambda m, s: s.update(web_search_options={}),
    "a nested setting": lambda m, s: s["extra_body"].update(tools=[SEARCH]),
    "a bound tool": lambda m, s: s["tools"].append(SEARCH),
    "a tool in place of another": lambda m, s: s["tools"].__setitem__(0, SEARCH),
    "a member of a tool": lambda m, s: s["tools"][0].update(type="web_search_20250305"),
    "a way to tell its name": lambda m, s: m.__dict__.update(_get_ls_params=lambda **_: {"ls_model_name": "third"}),
}


@pytest.mark.parametrize("form", ["settings", "bound", "bound and settings"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_has_changed_is_read_again(name, form):
    model = make_kwargs()
    settings: dict[str, Any] = {
        "seed": 1,
        "extra_body": {},
        "tools": [{"name": "look", "description": "", "type": None}],
    }
    asked, given = (model, settings) if form == "settings" else (model.bind(**settings), {})
    if form == "bound":
        settings = asked.kwargs
    elif form != "settings":
        asked, given = model.bind(seed=2), settings
    before = read(asked, given)
    assert read(asked, given) == before
    CHANGES[name](model, settings)
    after = read(asked, given)
    assert after == read_anew(asked, given)
    assert after.fields == judge_model_request(asked, given, bound_tools(asked, given))
    assert repr(after) != repr(before) or name == "a model"  # which is read where it is sent


def test_it_is_remembered_while_nothing_changes():
    model = make_kwargs()
    first = read_model_request(model, {"seed": 1})
    assert read_model_request(model, {"seed": 1}) is first
    assert read_model_request(model, {"seed": 2}) is not first
    other = Other(**make_kwargs().__dict__)
    assert read_model_request(other, {"seed": 1}) is not first


@pytest.mark.parametrize(
    ("model", "change", "name"),
    [
        (Naming(script=[]), lambda m: put(m, "_now", "second"), "second"),
        (Dynamic(script=[]), lambda m: put(m, "_now", "second"), "second"),
    ],
)
def test_a_model_that_tells_by_code_of_its_own_is_asked_each_time(model, change, name):
    read_model_request(model, {})
    change(model)
    assert read_model_request(model, {}).name == name


def test_a_model_that_answers_for_its_attributes_is_asked_each_time():
    model = Forwarding(script=[])
    assert read_model_request(model, {}) is not read_model_request(model, {})


def test_an_object_that_holds_fields_is_read_each_time():
    held, model = Holder(), make_kwargs()
    before = read_model_request(model, {"extra_body": held})
    held.tools.append(SEARCH)
    assert before.fields.hosted == ()
    assert [item.name for item in read_model_request(model, {"extra_body": held}).fields.hosted] == ["web_search"]


def test_a_member_is_not_taken_for_the_list_that_it_stands_for():
    model = make_kwargs()
    read_model_request(model, {"extra_body": {"tools": Listed.TOOLS}})
    found = read_model_request(model, {"extra_body": {"tools": [SEARCH]}})
    assert [item.name for item in found.fields.hosted] == ["web_search"]


def test_tools_beside_the_settings_are_judged_each_time():
    model = make_kwargs()
    assert read_model_request(model, {}, [{"name": "look"}]).fields.hosted == ()
    assert [item.name for item in read_model_request(model, {}, [SEARCH]).fields.hosted] == ["web_search"]
    assert read_model_request(model, {}, [{"name": "look"}]).fields.hosted == ()


def test_a_model_that_is_gone_is_not_taken_for_the_next_one():
    for place in range(64):
        model = Kwargs(script=[], mcp_servers=[SERVER] if place % 2 else [])
        assert bool(read_model_request(model, {}).fields.hosted) is bool(place % 2)
        del model
        gc.collect(0)


def test_what_holds_itself_or_is_very_long_is_read_each_time():
    model, ring = make_kwargs(), {}
    ring["extra_body"] = ring
    assert read_model_request(model, ring) == read_model_request(model, ring)
    long = {"extra_body": {"top_k": "x" * 1_000_000}}
    assert read_model_request(model, long) is not read_model_request(model, long)


def test_a_tool_that_is_put_into_the_settings_after_a_call_is_denied(world):
    settings: dict[str, Any] = {"seed": 1}

    class Settings(AgentMiddleware[Any, Any]):
        """Sends these settings with each call."""

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(model_settings=settings))

    model: BaseChatModel = Kwargs(script=["wet"])
    agent = create_agent(model, [], middleware=[Settings(), world.halo.middleware()])
    asked: Mapping[str, Any] = {"messages": [("user", "hi")]}
    agent.invoke(asked)
    settings["extra_body"] = {"plugins": [{"id": "web"}]}
    with pytest.raises(Denied) as denied:
        agent.invoke(asked)
    assert denied.value.reason == "hosted_tool"
    settings.clear()
    model.model_kwargs = {"web_search_options": {}}
    with pytest.raises(Denied):
        agent.invoke(asked)
