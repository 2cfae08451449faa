"""Decision models, which no callback is told of: asked inside something guarded they are decided like any model."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

from halo_core.errors import ConfigError, Denied
from halo_core.model import EntryKind
from halo_langchain import doctor
from halo_langchain.testing import ScriptedModel, call

decisions = pytest.importorskip("langchain_core.decisions")
middleware = pytest.importorskip("langchain.agents.middleware.auto_mode")
ASKED = {"messages": [("user", "What is rain?")]}
REQUEST = {"state": "rain", "questions": {"is_wet": decisions.Noul(instructions="Is it wet?")}}
NO_MODELS = """
@id("t.base") permit (principal, action, resource);
@id("t.no") forbid (principal, action in Action::"inference", resource);
"""


class Judge(decisions.BaseDecisionModel):
    """Says how likely something is."""

    model: str = "judge"
    asked: Any = None
    risk: float = 0.0

    @property
    def _provider(self) -> str:
        return "here"

    def _classify(self, state: Any, questions: dict[str, Any]) -> Any:
        self.asked.append(state)
        answers = {name: {"type": "noul", "noul": self.risk} for name in questions}
        return decisions.ClassifierResponse.model_validate({"model": self.model, "answers": answers})


def judge(**more: Any) -> Judge:
    return Judge(asked=[], **more)


def graph_asking(model: Any) -> Any:
    def ask(_state: MessagesState) -> Any:
        return {"messages": [str(model.invoke(REQUEST).nouls["is_wet"].noul)]}

    return StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask").compile()


def graph_that_awaits(model: Any) -> Any:
    async def ask(_state: MessagesState) -> Any:
        return {"messages": [str((await model.ainvoke(REQUEST)).nouls["is_wet"].noul)]}

    return StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask").compile()


@pytest.mark.parametrize("way", ["graph", "awaited", "callback", "batch"])
def test_one_that_nobody_guarded_is_decided_where_it_is_asked(world, way):
    model, halo = judge(), world.halo
    if way == "graph":
        halo.guard(graph_asking(model)).invoke(ASKED)
    elif way == "awaited":
        asyncio.run(halo.guard(graph_that_awaits(model)).ainvoke(ASKED))
    elif way == "callback":
        (RunnableLambda(lambda x: x) | model).invoke(REQUEST, {"callbacks": [halo.callback()]})
    else:
        halo.guard(graph_asking(RunnableLambda(lambda _x: model.batch([REQUEST])[0]))).invoke(ASKED)
    assert len(model.asked) == 1
    assert world.effects("judge") == ["allow"]


def test_a_denied_one_is_not_asked(make_world):
    world, model = make_world(policy=NO_MODELS), judge()
    with pytest.raises(Denied):
        world.halo.guard(graph_asking(model)).invoke(ASKED)
    assert model.asked == []
    assert world.effects("judge") == ["deny"]


def test_a_guarded_one_is_decided_outside_of_everything(world):
    model = judge(risk=0.25)
    guarded = world.halo.guard(model)
    assert isinstance(guarded, Judge)
    assert world.halo.guard(guarded) is guarded
    assert guarded.invoke(REQUEST).nouls["is_wet"].noul == 0.25
    assert asyncio.run(guarded.ainvoke(REQUEST)).nouls["is_wet"].noul == 0.25
    assert world.effects("judge") == ["allow", "allow"]
    model.invoke(REQUEST)  # the original is anybody's
    assert world.effects("judge") == ["allow", "allow"]


def test_another_halos_one_is_not_guarded_twice(make_world):
    one, two = make_world(), make_world()
    with pytest.raises(ConfigError) as refused:
        two.halo.guard(one.halo.guard(judge()))
    assert refused.value.code == "guarded_elsewhere"


@pytest.mark.parametrize("risk", [0.0, 1.0])
def test_a_middleware_that_asks_one_before_a_tool_runs(world, risk):
    """It is decided under the middleware of ours, and its refusal of the tool is its own."""
    ran, model = [], judge(risk=risk)

    @tool
    def wipe(path: str) -> str:
        """Wipe a folder."""
        ran.append(path)
        return "wiped"

    agent = create_agent(
        ScriptedModel(script=[call("", ("wipe", {"path": "/tmp"}), id="m1"), "done"]),
        [world.halo.guard(wipe)],
        middleware=[middleware.AutoModeMiddleware(tools=["wipe"], classifier=model), world.halo.middleware()],
    )
    world.halo.guard(agent).invoke(ASKED)
    assert world.effects("judge") == ["allow"]
    assert ran == (["/tmp"] if risk == 0.0 else [])


def test_install_refuses_one_that_nothing_decides(world):
    model = judge()
    with world.halo.install():
        with pytest.raises(Denied) as refused:
            model.invoke(REQUEST)
        world.halo.guard(model).invoke(REQUEST)
    assert refused.value.reason == "unguarded"
    assert len(model.asked) == 1
    assert [entry.body["name"] for entry in world.entries(EntryKind.SHADOW)] == ["judge"]


def test_what_it_is_shown_is_what_was_decided(world, monkeypatch):
    shown = [HumanMessage("It rains.")]
    model, begin = judge(), world.halo.enforcer.begin

    def late(given: Any) -> Any:
        ticket = begin(given)
        shown.append(HumanMessage("and more"))
        return ticket

    monkeypatch.setattr(world.halo.enforcer, "begin", late)
    world.halo.guard(model).invoke({**REQUEST, "state": shown})
    assert [len(state) for state in model.asked] == [1]


def rows_of(app: Any, name: str) -> list[tuple[str, str]]:
    return [(str(row.status), row.point) for row in doctor(app) if row.name.startswith(name)]


def test_doctor_knows_what_decides_a_decision_model(world):
    model, halo = judge(), world.halo
    assert rows_of(graph_asking(model), "judge") == [("open", "none")]
    assert rows_of(halo.guard(graph_asking(model)), "judge") == [("closed", "inside a guarded run")]
    assert rows_of(graph_asking(halo.guard(model)), "judge") == [("closed", "guarded copy")]
    assert rows_of(RunnableLambda(str) | model, "judge") == [("open", "none")]
    chain = (RunnableLambda(str) | model).with_config(callbacks=[halo.callback()])
    assert rows_of(chain, "judge") == [("closed", "callback")]
    with halo.install():
        assert rows_of(graph_asking(model), "judge") == [("closed", "tripwire (refused)")]


def test_doctor_sees_that_a_guarded_decision_model_was_changed(world):
    guarded = world.halo.guard(judge())
    object.__setattr__(guarded, "invoke", guarded.batch)
    assert rows_of(guarded, "judge") == [("open", "none")]


def test_doctor_sees_a_decision_model_that_a_function_makes(world):
    def ask(_state: MessagesState) -> Any:
        return {"messages": [str(Judge(asked=[]).invoke(REQUEST))]}

    graph = StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask").compile()
    assert rows_of(graph, "Judge") == [("open", "none")]
    assert rows_of(world.halo.guard(graph), "Judge") == [("closed", "inside a guarded run")]
